"""A process that reads a shelf through, round after round, until it is killed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

from content_packages.shelf import FileRef, Shelf
from lms.courses import scrub
from lms.courses.checked_files import CheckedFiles
from lms.database import Database


def read_round_and_round(folder: Path, begun: Connection) -> NoReturn:
    """Read the shelf in *folder* without a pause, and say when that begins."""
    scrub.ROUND_EVERY = timedelta(0)
    scrub.KEEP_PLACE_EVERY_S = 0
    scrub.find_named = lambda _session, shelf, digest: FileRef(digest=digest, size=shelf.stamp(digest).size)
    one = scrub.Scrub(
        database=Database(f"sqlite:///{(folder / 'outpost.db').as_posix()}"),
        checked=CheckedFiles(Shelf(folder / "shelf")),
        place_kept=folder / "place.json",
        now=lambda: datetime.now(UTC),
    )
    begun.send(True)
    while True:
        one.step()
