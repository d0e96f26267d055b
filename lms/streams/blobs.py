"""Package files for sync: the shelf, seen as files by digest, whole or on their way."""

from __future__ import annotations

from content_packages.errors import FileDamagedError, FileMissingError
from content_packages.shelf import Shelf
from sync.ports import BlobRef


class ShelfBlobs:
    """Answers ``sync.ports.Blobs`` from the shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def size(self, digest: str) -> int | None:
        """Return the length of a whole file; ``None`` when it is not here."""
        try:
            return self._shelf.path(digest).stat().st_size
        except FileNotFoundError:
            return None

    def read(self, digest: str, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes of a whole file."""
        with self._shelf.open(digest) as file:
            file.seek(offset)
            return file.read(length)

    def partial_size(self, digest: str) -> int:
        """Return how many bytes of an unfinished file are here."""
        return self._shelf.partial(digest).size

    def append(self, digest: str, offset: int, data: bytes) -> int:
        """Keep the next bytes; bytes for another place change nothing."""
        partial = self._shelf.partial(digest)
        if offset == partial.size and data:
            partial.append(data)
        return partial.size

    def finish(self, digest: str) -> bool:
        """Verify an unfinished file and put it on the shelf."""
        try:
            self._shelf.partial(digest).finish()
        except (FileDamagedError, FileMissingError):
            return False
        return True

    def lost(self) -> list[BlobRef]:
        """Return the files that were found missing or damaged."""
        return [BlobRef(one.digest, one.size) for one in self._shelf.lost()]
