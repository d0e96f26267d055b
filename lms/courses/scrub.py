"""Read all files of the shelf through in rounds, slowly, so that damage is known before somebody needs the file.

A step takes a bounded share of disk and processor, however much there is on the shelf. Where a round stands is kept
in a small file: after a restart it goes on there. A large file counts as read when its reading begins, for otherwise a
laptop that is on for minutes would begin with the same film for ever; its turn comes again with the next round.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from content_packages.errors import FileDamagedError, FileMissingError
from content_packages.shelf import PARTS, Reading
from lms.courses.checked_files import CheckedFiles
from lms.courses.shelving import find_named
from lms.database import Database

log = logging.getLogger(__name__)

FILE_NAME = "shelf-read.json"  # in the data folder
STEP_BYTES = 4 * 1024 * 1024
STEP_S = 0.05
ROUND_EVERY = timedelta(days=7)
KEEP_PLACE_EVERY_S = 30.0
_PIECE_BYTES = 1024 * 1024
_OPENING_BYTES = 64 * 1024  # what it costs to open a file, said in bytes


@dataclass(kw_only=True)
class Scrub:
    """Goes round over all files; a chore.

    Args:
        checked: is told what is whole, and asks for files out of turn.
        place_kept: the file that says where a round stands.
    """

    database: Database
    checked: CheckedFiles
    place_kept: Path
    now: Callable[[], datetime]
    _place: _Place | None = None
    _kept_at_s: float = 0.0
    _reading: Reading | None = None
    _left: Iterator[str] = field(default_factory=lambda: iter(()))  # of the round

    def step(self) -> bool:
        """Read on for as much as a step may; never ask for another at once."""
        left, until = STEP_BYTES, time.monotonic() + STEP_S
        while left > 0 and time.monotonic() < until:
            if self._reading is None:
                self._reading = self._open_next()
            if self._reading is None:
                break
            left -= self._read_on(self._reading, min(left, _PIECE_BYTES))
        return False

    def _read_on(self, reading: Reading, most_bytes: int) -> int:
        """Read a piece, and return what that cost."""
        try:
            count = reading.go_on(most_bytes)
            if not reading.is_over:
                return count
            self.checked.remember(reading.digest, reading.seen)
        except FileMissingError:  # swept, or found damaged by somebody who asked for it
            pass
        except FileDamagedError as damage:
            self._take_away(reading, damage)
        self._reading = None
        return _OPENING_BYTES

    def _take_away(self, reading: Reading, damage: FileDamagedError) -> None:
        """Set a damaged file aside; it is lost only if something names it."""
        shelf = self.checked.shelf
        with self.database.read() as session:
            named = find_named(session, shelf, reading.digest)
        if named is None:
            shelf.set_aside(reading.digest, seen=reading.seen)
        else:
            shelf.note_lost(named, seen=reading.seen)
        log.warning("file_damaged", extra={"digest": damage.digest, "found": damage.found})

    def _open_next(self) -> Reading | None:
        """Open what was asked for, or else the next of the round."""
        while digest := self.checked.next_asked() or self._next_of_round():
            with suppress(FileMissingError):  # swept meanwhile
                return Reading(self.checked.shelf, digest)
        return None

    def _next_of_round(self) -> str | None:
        place = self._stands_at()
        if place.after is None:
            if not self._is_due(place):
                return None
            self._place = place = _Place(begun=self.now().timestamp(), after="")
            self._left = self._after("")
        place.after = next(self._left, None)
        if place.after is None:
            log.info("shelf_read_through")
        if self._is_worth_keeping(place):
            self._keep(place)
        return place.after

    def _is_worth_keeping(self, place: _Place) -> bool:
        if place.after is None or time.monotonic() - self._kept_at_s > KEEP_PLACE_EVERY_S:
            return True
        seen = self.checked.shelf.stamp(place.after)
        return seen is not None and seen.size > STEP_BYTES

    def _is_due(self, place: _Place) -> bool:
        """Say whether it is time for a round; also where the clock was set back to before the last one."""
        now = self.now().timestamp()
        return not place.begun <= now < place.begun + ROUND_EVERY.total_seconds()

    def _after(self, digest: str) -> Iterator[str]:
        parts = (part for part in PARTS if part >= digest[:2])
        return (one for one in self.checked.shelf.digests(parts) if one > digest)

    def _stands_at(self) -> _Place:
        if self._place is None:
            self._place = _read_place(self.place_kept)
            self._left = self._after(self._place.after or "")
        return self._place

    def _keep(self, place: _Place) -> None:
        """Write where the round stands; whole or not at all, and no matter if the last of it is lost."""
        part = self.place_kept.with_suffix(".part")
        part.write_text(json.dumps(asdict(place)), encoding="ascii")
        part.replace(self.place_kept)
        self._kept_at_s = time.monotonic()


@dataclass(kw_only=True)
class _Place:
    """When a round began, in seconds, and the last file that was read of it; ``None``: all were."""

    begun: float
    after: str | None


def _read_place(path: Path) -> _Place:
    """Return where the last round stands; where that cannot be read, it is time for the first."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        kept = json.loads(path.read_bytes())
        return _Place(begun=float(kept["begun"]), after=kept["after"])
    return _Place(begun=float("-inf"), after=None)
