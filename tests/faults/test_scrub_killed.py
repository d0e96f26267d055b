"""What reads the shelf through dies at any moment: every file is where it was, or set aside, and no other thing."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import pytest

from content_packages.shelf import FileRef, Shelf

FILES = 300
DAMAGED = 100
READS_ROUND_AND_ROUND = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from content_packages.shelf import FileRef, Shelf
from lms.courses import scrub
from lms.courses.checked_files import CheckedFiles
from lms.database import Database

folder = Path(sys.argv[1])
scrub.ROUND_EVERY = scrub.timedelta(0)
scrub.KEEP_PLACE_EVERY_S = 0
scrub.find_named = lambda _session, shelf, digest: FileRef(digest=digest, size=shelf.stamp(digest).size)
one = scrub.Scrub(
    database=Database(f"sqlite:///{folder / 'outpost.db'}"),
    checked=CheckedFiles(Shelf(folder / "shelf")),
    place_kept=folder / "place.json",
    now=lambda: datetime.now(UTC),
)
print("begun", flush=True)
while True:
    one.step()
"""


@pytest.mark.parametrize("kills", [10, pytest.param(100, marks=pytest.mark.soak)])
def test_reading_the_shelf_that_is_killed_loses_nothing(tmp_path: Path, kills: int) -> None:
    dice = random.Random(kills)
    shelf = Shelf(tmp_path / "shelf")
    refs = [shelf.put(BytesIO(dice.randbytes(20_000))) for _ in range(FILES)]
    spoilt = {ref.digest for ref in refs[:DAMAGED]}

    for _ in range(kills):
        for ref in refs[:DAMAGED]:
            spoil(shelf, ref)
        reading = subprocess.Popen(
            [sys.executable, "-c", READS_ROUND_AND_ROUND, str(tmp_path)], stdout=subprocess.PIPE
        )
        assert reading.stdout is not None
        reading.stdout.readline()
        time.sleep(dice.uniform(0, 0.2))
        reading.kill()
        reading.wait()
        reading.stdout.close()

        aside = {path.name for path in (tmp_path / "shelf" / "damaged").glob("*")}
        lost = {ref.digest for ref in shelf.lost()}
        here = set(shelf.digests())
        assert aside <= spoilt
        assert aside - here <= lost, "what was set aside is asked for"
        assert here | aside == {ref.digest for ref in refs}
        for ref in refs[DAMAGED:]:
            shelf.verify(ref.digest)
        assert list(shelf.strays()) == []


def spoil(shelf: Shelf, ref: FileRef) -> None:
    """Put a damaged file in the place of one, whatever became of it before."""
    path = shelf.path(ref.digest)
    path.unlink(missing_ok=True)
    path.write_bytes(b"damaged".ljust(ref.size))
