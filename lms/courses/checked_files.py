"""Files of the shelf for those who are given them: each read through before this process first gives it out.

A file is read again when it is another one, or was written to, since. What is larger than :data:`AT_ONCE_BYTES` is
given out when its size is right, and read next by the round in the background (``lms.courses.scrub``): nobody waits
until a film of 2 GB was read. What is found damaged is set aside, noted as lost, and missing from then on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from content_packages.errors import FileDamagedError, FileMissingError
from content_packages.shelf import FileRef, Shelf, Stamp

log = logging.getLogger(__name__)

AT_ONCE_BYTES = 8 * 1024 * 1024  # some 20 ms of reading
LOOKING_OVER_S = 0.3
_MOST_REMEMBERED = 20_000  # as many files as a package may have; about 7 MB
_MOST_ASKED = 1000
_TURNS = 16


class CheckedFiles:
    """What is known to be whole of a shelf, in one process; for any number of threads."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._whole: dict[str, Stamp] = {}
        self._asked: deque[str] = deque(maxlen=_MOST_ASKED)
        self._looking = threading.Lock()
        # Of many who ask for one file at once, one reads it; by digest, so that others need not wait.
        self._turns = tuple(threading.Lock() for _ in range(_TURNS))

    def path(self, ref: FileRef) -> Path:
        """Return where a file is, to be given out.

        Raises:
            FileMissingError: it is missing, or damaged; it is noted as lost.
        """
        self._require_whole(ref)
        return self.shelf.path(ref.digest)

    def look_over(self, refs: Iterable[FileRef]) -> None:
        """Look at what an edition needs before somebody begins with it, so that its damage is known by then.

        Given up after :data:`LOOKING_OVER_S`, and left out by those who begin while another looks: the rest is read
        when it is asked for.
        """
        if not self._looking.acquire(blocking=False):
            return
        try:
            until = time.monotonic() + LOOKING_OVER_S
            for ref in refs:
                if time.monotonic() > until:
                    return
                with suppress(FileMissingError):
                    self._require_whole(ref)
        finally:
            self._looking.release()

    def remember(self, digest: str, seen: Stamp) -> None:
        """Take a file for whole as long as it is the one that was seen."""
        if len(self._whole) >= _MOST_REMEMBERED:
            with suppress(KeyError, StopIteration, RuntimeError):  # another thread was quicker
                del self._whole[next(iter(self._whole))]
        self._whole[digest] = seen

    def next_asked(self) -> str | None:
        """Return a large file that was given out before it was read; each once."""
        with suppress(IndexError):
            return self._asked.popleft()
        return None

    def _require_whole(self, ref: FileRef) -> None:
        seen = self._of_right_size(ref)
        if self._whole.get(ref.digest) != seen:
            if ref.size > AT_ONCE_BYTES:
                self._ask(ref.digest)
            else:
                with self._turns[int(ref.digest[0], 16) % _TURNS]:
                    self._read_through(ref)

    def _of_right_size(self, ref: FileRef) -> Stamp:
        seen = self.shelf.stamp(ref.digest)
        if seen is None or seen.size != ref.size:
            self._lost(ref, seen)
            raise FileMissingError(ref.digest)
        return seen

    def _read_through(self, ref: FileRef) -> None:
        seen = self._of_right_size(ref)
        if self._whole.get(ref.digest) == seen:  # somebody else's turn it was
            return
        try:
            self.shelf.verify(ref.digest)
        except FileDamagedError as damage:
            self._lost(ref, seen)
            raise FileMissingError(ref.digest) from damage
        self.remember(ref.digest, seen)

    def _lost(self, ref: FileRef, seen: Stamp | None) -> None:
        if self.shelf.note_lost(ref, seen=seen):
            log.warning("file_lost", extra={"digest": ref.digest, "was_here": seen is not None})

    def _ask(self, digest: str) -> None:
        if digest not in self._asked:
            self._asked.append(digest)
