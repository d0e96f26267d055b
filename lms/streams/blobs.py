"""Package files for sync: the shelf, seen as files by digest, whole or on their way."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock

from content_packages.errors import FileDamagedError, FileMissingError
from content_packages.shelf import Partial, Shelf
from sync.ports import BlobRef

_MOST_BEGUN = 16


class ShelfBlobs:
    """Answers ``sync.ports.Blobs`` from the shelf.

    It remembers a few files that are on their way, so that what comes of one in many requests is hashed as it comes.
    """

    def __init__(self, shelf: Shelf, *, leave_free: int) -> None:
        """Take what is to stay free on the disk, in bytes: learners' work is kept there too."""
        self._shelf = shelf
        self._leave_free = leave_free
        self._begun: dict[str, Partial] = {}
        self._lock = Lock()

    def size(self, digest: str) -> int | None:
        """Return the length of a whole file; ``None`` when it is not here."""
        try:
            return self._shelf.path(digest).stat().st_size
        except FileNotFoundError:
            return None

    def read(self, digest: str, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes of a whole file; none where it went away."""
        try:
            with self._shelf.open(digest) as file:
                file.seek(offset)
                return file.read(length)
        except FileMissingError:
            return b""

    def room(self) -> int:
        """Return how many bytes more of files may come."""
        return max(0, self._shelf.free() - self._leave_free)

    def partial_size(self, digest: str) -> int:
        """Return how many bytes of an unfinished file are here."""
        with self._lock:
            begun = self._begun.get(digest)
        return (begun or self._shelf.partial(digest)).size

    def append(self, digest: str, offset: int, data: bytes) -> int:
        """Keep the next bytes; bytes for another place change nothing."""
        return self._partial(digest).append(data, at=offset)

    def settle(self, digest: str, *, within_s: float) -> None:
        """Make durable what is here of an unfinished file."""
        self._partial(digest).settle(within_s=within_s)

    def finish(self, digest: str) -> bool:
        """Verify an unfinished file and put it on the shelf."""
        partial = self._partial(digest)
        with self._lock:
            self._begun.pop(digest, None)
        try:
            partial.finish()
        except (FileDamagedError, FileMissingError):
            return False
        return True

    def put_all(self, files: Mapping[str, bytes]) -> frozenset[str]:
        """Put small whole files on the shelf together."""
        return self._shelf.put_all(files)

    def lost(self) -> list[BlobRef]:
        """Return the files that were found missing or damaged."""
        return [BlobRef(one.digest, one.size) for one in self._shelf.lost()]

    def _partial(self, digest: str) -> Partial:
        with self._lock:
            found = self._begun.pop(digest, None) or self._shelf.partial(digest)
            self._begun[digest] = found
            if len(self._begun) > _MOST_BEGUN:
                del self._begun[next(iter(self._begun))]
        return found
