"""Files for sync, by digest, whole or on their way: those of packages, and those of statements.

Each kind has a shelf of its own. Which a file that comes belongs to is told by the records that wait for it, once, as
it is begun: what has come of it lies there from then on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from threading import Lock

from content_packages.errors import FileDamagedError, FileMissingError
from content_packages.shelf import Partial, Shelf
from lms.streams.attachments import KIND as ATTACHMENT
from sync.ports import BlobRef, Read
from sync.quarantine import kinds_wanting
from xapi_store.attachments import content_in_row, find_travelling

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

    def arrived(self, digests: Iterable[str]) -> list[str]:
        """Return those of many files that are here, whole."""
        return [digest for digest in digests if self.size(digest) is not None]

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


class AllBlobs:
    """Answers ``sync.ports.Blobs`` from both shelves, and small files of statements from their rows.

    Args:
        packages: the shelf of course files.
        attachments: the shelf of files of statements.
        leave_free: what is to stay free on the disk, in bytes.
        read: to ask what waits for a file, and for small ones.
    """

    def __init__(self, packages: Shelf, attachments: Shelf, *, leave_free: int, read: Read) -> None:
        self._shelf = packages
        self._packages = ShelfBlobs(packages, leave_free=leave_free)
        self._attachments = ShelfBlobs(attachments, leave_free=leave_free)
        self._attached = attachments
        self._read = read

    def size(self, digest: str) -> int | None:
        """Return the length of a whole file; ``None`` when it is not here.

        A file of a statement that a course lacks as well is put on the other shelf first: it does not come again.
        """
        found = self._packages.size(digest)
        if found is not None:
            return found
        found = self._attachments.size(digest)
        if found is None and (found := self._size_in_row(digest)) is None:
            return None
        if self._wanted_by(digest) - {ATTACHMENT}:
            self._shelf.put_all({digest: self.read(digest, 0, found)})
        return found

    def arrived(self, digests: Iterable[str]) -> list[str]:
        """Return those of many files that are here, whole, on the shelf of what waits for them."""
        return [digest for digest in digests if self._is_on_a_shelf(digest) and self.size(digest) is not None]

    def read(self, digest: str, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes of a whole file; none where it went away."""
        for one in (self._packages, self._attachments):
            if one.size(digest) is not None:
                return one.read(digest, offset, length)
        with self._read() as session:
            return content_in_row(session, digest)[offset : offset + length]

    def room(self) -> int:
        """Return how many bytes more of files may come; both shelves are on one disk."""
        return self._packages.room()

    def partial_size(self, digest: str) -> int:
        """Return how many bytes of an unfinished file are here."""
        return self._packages.partial_size(digest) or self._attachments.partial_size(digest)

    def append(self, digest: str, offset: int, data: bytes) -> int:
        """Keep the next bytes; bytes for another place change nothing."""
        return self._home(digest).append(digest, offset, data)

    def settle(self, digest: str, *, within_s: float) -> None:
        """Make durable what is here of an unfinished file."""
        self._home(digest).settle(digest, within_s=within_s)

    def finish(self, digest: str) -> bool:
        """Verify an unfinished file and put it on its shelf."""
        return self._home(digest).finish(digest)

    def put_all(self, files: Mapping[str, bytes]) -> frozenset[str]:
        """Put small whole files on their shelves together."""
        attached = self._for_statements(files)
        kept = frozenset[str]()
        for home, digests in ((self._attachments, attached), (self._packages, files.keys() - attached)):
            if digests:
                kept |= home.put_all({digest: files[digest] for digest in digests})
        return kept

    def lost(self) -> list[BlobRef]:
        """Return the files that were found missing or damaged."""
        return [*self._packages.lost(), *self._attachments.lost()]

    def _home(self, digest: str) -> ShelfBlobs:
        for one in (self._packages, self._attachments):
            if one.partial_size(digest):
                return one
        return self._attachments if self._for_statements([digest]) else self._packages

    def _for_statements(self, digests: Collection[str]) -> set[str]:
        """Return the files that statements wait for, or have lost, and no course."""
        with self._read() as session:
            kinds = kinds_wanting(session, digests)
        lost = {one.digest for one in self._attachments.lost()}
        return {
            one
            for one in digests
            if kinds.get(one, set()) == {ATTACHMENT} or (one in lost and one not in kinds)
        }

    def _is_on_a_shelf(self, digest: str) -> bool:
        return any(one.stamp(digest) is not None for one in (self._shelf, self._attached))

    def _size_in_row(self, digest: str) -> int | None:
        with self._read() as session:
            kept = find_travelling(session, digest)
        # One that has a file, which is not there any more, is missing.
        return None if kept is None or kept[1] is not None else kept[0]

    def _wanted_by(self, digest: str) -> set[str]:
        with self._read() as session:
            return kinds_wanting(session, [digest]).get(digest, set())
