"""Files on disk by the SHA-256 of their bytes; a package is a list of such digests.

A file appears under its name only when it is whole and synced, never changes, and is read-only. A crash
leaves litter in ``incoming/``, never a broken file; ``sweep`` takes the litter and what nothing names.

Whoever is about to name files that may be here already claims them first: that renews their time, and a sweep
takes only what has been left alone for long. A file that was found damaged is set aside in ``damaged/``: nobody is
given it any more, and nobody deletes it. ``lost/`` names files that were found missing or damaged, for whoever can
bring them again.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Container, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from filelock import FileLock

from content_packages.errors import FileDamagedError, FileMissingError, ShelfError

_CHUNK = 1024 * 1024
_WAITING_TOGETHER = 16
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LOCK_NAME = "shelf.lock"
PARTS = tuple(f"{number:02x}" for number in range(256))  # the folders files are fanned out into
PARTIALS_KEPT = timedelta(days=30)  # a slow link may bring a file in pieces, weeks apart


class Readable(Protocol):
    """Whatever gives bytes piece by piece, and none at its end."""

    def read(self, size: int, /) -> bytes: ...  # noqa: D102 - the class says it


@dataclass(frozen=True, kw_only=True, slots=True)
class FileRef:
    """Names a file by what is in it: SHA-256 in lower-case hex, and size in bytes."""

    digest: str
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Swept:
    """What a sweep removed."""

    files: int
    size: int


class Stamp(NamedTuple):
    """Tells one file from another that came in its place, and from itself after somebody wrote to it."""

    inode: int
    size: int
    mtime_ns: int


class Shelf:
    """A folder of files by digest, fanned out by the first two hex digits."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files = root / "files"
        self._incoming = root / "incoming"
        self._lost = root / "lost"
        self._damaged = root / "damaged"
        if not self._files.exists():
            self._files.mkdir(parents=True)
            _sync_folder(root)
            _sync_folder(root.parent)
        self._incoming.mkdir(exist_ok=True)
        # Between claiming and sweeping, setting aside and putting in place, in whatever process.
        self._lock = FileLock(root / _LOCK_NAME)

    def put(self, stream: Readable, *, expected: str | None = None) -> FileRef:
        """Keep the bytes of a stream; the same bytes again change nothing.

        Args:
            stream: read to its end, in pieces.
            expected: the digest they must have.

        Raises:
            FileDamagedError: they have another digest; nothing is kept.
        """
        with self.delivery() as delivery:
            return delivery.put(stream, expected=expected)

    @contextmanager
    def delivery(self) -> Iterator[Delivery]:
        """Take in several files, all of them or, if the block raises, none."""
        with tempfile.TemporaryDirectory(dir=self._incoming, ignore_cleanup_errors=True) as folder:
            delivery = Delivery(Path(folder))
            try:
                yield delivery
            finally:
                delivery.close()
            for ref, part in delivery.parts():
                if self.place(part, ref):
                    delivery.came.add(ref.digest)

    def put_all(self, files: Mapping[str, bytes]) -> frozenset[str]:
        """Keep small files by the digests they must have; return those that have them, durable together.

        Many files wait for the disk hardly longer than one: all are written before any is waited for, and a disk makes
        one of what several wait for at once.
        """
        whole = {digest: data for digest, data in files.items() if hashlib.sha256(data).hexdigest() == digest}
        with tempfile.TemporaryDirectory(dir=self._incoming, ignore_cleanup_errors=True) as folder:
            parts = [(Path(folder) / digest, data) for digest, data in whole.items()]
            for path, data in parts:
                with path.open("wb") as file:
                    file.write(data)
                    file.flush()
                    _begin_writing(file.fileno())
            with ThreadPoolExecutor(_WAITING_TOGETHER) as waiting:
                list(waiting.map(_sync_file, [path for path, _ in parts]))
                changed = set[Path]()
                for path, data in parts:
                    changed.update(self._move(path, FileRef(digest=path.name, size=len(data))) or ())
                list(waiting.map(_sync_folder, changed))
        for digest in whole:
            self._found(digest)
        return frozenset(whole)

    def partial(self, digest: str) -> Partial:
        """Return what arrived so far of a file, to go on with it."""
        return Partial(self, self._incoming / f"{_checked(digest)}.partial", digest)

    def unfinished(self) -> list[str]:
        """Return the files of which a part is here."""
        return sorted(path.stem for path in self._incoming.glob("*.partial") if _DIGEST.fullmatch(path.stem))

    def give_up(self, digest: str) -> None:
        """Forget what arrived so far of a file."""
        with self._lock:
            _remove(self._incoming / f"{_checked(digest)}.partial")

    def open(self, digest: str) -> BinaryIO:
        """Open a file for reading.

        Raises:
            FileMissingError: it is not here.
        """
        try:
            return self.path(digest).open("rb")
        except FileNotFoundError as error:
            raise FileMissingError(digest) from error

    def read(self, digest: str) -> bytes:
        """Return all bytes of a file that fits into memory, such as a manifest; they are what they were.

        Raises:
            FileMissingError: it is not here, or was found damaged now and is set aside.
        """
        with self.open(digest) as file:
            seen = _stamp(os.fstat(file.fileno()))
            content = file.read()
        if hashlib.sha256(content).hexdigest() != digest:
            self.note_lost(FileRef(digest=digest, size=seen.size), seen=seen)
            raise FileMissingError(digest)
        return content

    def has(self, digest: str) -> bool:
        """Tell whether the file is here."""
        return self.path(digest).is_file()

    def stamp(self, digest: str) -> Stamp | None:
        """Return which file is here under this name; ``None``: none is."""
        try:  # asked for every file of a course that is begun with: a Path costs more than the system call
            return _stamp(os.stat(f"{self._files}/{_checked(digest)[:2]}/{digest}"))  # noqa: PTH116
        except FileNotFoundError:
            return None

    def path(self, digest: str) -> Path:
        """Return where the file is, or would be."""
        return self._files / _checked(digest)[:2] / digest

    def digests(self, parts: Iterable[str] = PARTS) -> Iterator[str]:
        """Return every digest on the shelf, or in some of its folders, folder by folder and in order."""
        for part in parts:
            yield from sorted(
                path.name for path in (self._files / part).glob(f"{part}*") if _DIGEST.fullmatch(path.name)
            )

    def strays(self) -> Iterator[Path]:
        """Return what stands in the folder and is none of the shelf's: it would never be served, nor swept."""
        for path in self._root.rglob("*"):
            if path.is_dir() or path == self._root / _LOCK_NAME or self._incoming in path.parents:
                continue
            folder = path.parent
            if folder.parent == self._files and path.name.startswith(folder.name) and len(folder.name) == 2:
                is_ours = True
            else:
                is_ours = folder in {self._lost, self._damaged}
            if not (is_ours and _DIGEST.fullmatch(path.name)):
                yield path

    def verify(self, digest: str) -> None:
        """Read a file through and compare.

        Raises:
            FileMissingError: it is not here.
            FileDamagedError: its bytes have changed.
        """
        reading = Reading(self, digest)
        while not reading.is_over:
            reading.go_on(_CHUNK)

    def claim(self, digests: Iterable[str]) -> frozenset[str]:
        """Keep files from being swept, for a day at least, and return those that are not here."""
        with self._lock:
            return frozenset(digest for digest in digests if not _touch(self.path(digest)))

    def discard(self, digest: str) -> None:
        """Remove a file; a missing one is no matter."""
        _remove(self.path(digest))

    def set_aside(self, digest: str, *, seen: Stamp) -> bool:
        """Take a damaged file out of use and keep it in ``damaged/``; say whether it was still there.

        Args:
            digest: its name.
            seen: the file that was judged; one that came in its place since is left alone.
        """
        with self._lock:
            if self.stamp(digest) != seen:
                return False
            self._set_aside(digest)
            return True

    def note_lost(self, ref: FileRef, *, seen: Stamp | None) -> bool:
        """Remember that a file which is named is missing or damaged, and set aside what is left of it.

        Args:
            ref: with the size it should have, by which other nodes are asked for it.
            seen: the file that was judged, ``None`` where there was none; one that came in its place since is left
                alone, and nothing is noted.
        """
        with self._lock:
            if self.stamp(ref.digest) != seen:
                return False
            self._lost.mkdir(exist_ok=True)
            self._write_note(self._lost / ref.digest, str(ref.size))
            if seen is not None:  # after the note: a kill between the two leaves what will be found again
                self._set_aside(ref.digest)
            elif self.has(ref.digest):  # it has come while this was noted
                self._found(ref.digest)
                return False
            return True

    def lost(self) -> list[FileRef]:
        """Return what was noted as lost and has not come again."""
        found = []
        for note in sorted(self._lost.glob("?" * 64)) if self._lost.is_dir() else ():
            with suppress(FileNotFoundError, ValueError):  # come again meanwhile; torn by an older release
                found.append(FileRef(digest=note.name, size=int(note.read_text(encoding="ascii"))))
        return found

    def forget_lost(self, *, but: Container[str]) -> None:
        """Forget what was noted as lost and nothing names any more."""
        for ref in self.lost():
            if ref.digest not in but:
                self._found(ref.digest)

    def aside(self) -> Swept:
        """Return how many damaged files are kept aside, and their bytes together."""
        sizes = [path.stat().st_size for path in self._damaged.glob("*")] if self._damaged.is_dir() else []
        return Swept(files=len(sizes), size=sum(sizes))

    def free(self) -> int:
        """Return how many bytes the disk has left."""
        return shutil.disk_usage(self._files).free

    def sweep(
        self, keep: Container[str], *, before: datetime, parts: Iterable[str] = PARTS, dry: bool = False
    ) -> Swept:
        """Remove files that nothing names.

        Args:
            keep: every digest that something names.
            before: only what is older goes, so that an import at work keeps what it has just put here.
            parts: the folders to look into, so that a large shelf is swept in steps.
            dry: remove nothing, and say what would go.
        """
        files = size = 0
        for part in parts:
            for path in sorted((self._files / part).glob("*")):
                if path.name in keep or not _DIGEST.fullmatch(path.name):
                    continue
                with self._lock, suppress(FileNotFoundError):  # another sweep was quicker
                    status = path.stat()
                    if status.st_mtime < before.timestamp():
                        if not dry:
                            _remove(path)
                        files, size = files + 1, size + status.st_size
        return Swept(files=files, size=size)

    def let_go(self, digests: Iterable[str], *, before: datetime) -> Swept:
        """Remove some files that nothing names any more, but for those that came or were claimed since *before*."""
        files = size = 0
        for digest in digests:
            with self._lock, suppress(FileNotFoundError):
                status = self.path(digest).stat()
                if status.st_mtime < before.timestamp():
                    _remove(self.path(digest))
                    files, size = files + 1, size + status.st_size
        return Swept(files=files, size=size)

    def sweep_incoming(self, *, before: datetime, dry: bool = False) -> Swept:
        """Remove what crashes left behind, and files on their way of which nothing came for weeks."""
        files = size = 0
        for path in sorted(self._incoming.rglob("*"), key=lambda found: len(found.parts), reverse=True):
            limit = before - PARTIALS_KEPT if path.suffix == ".partial" else before
            with suppress(OSError):  # in use, or a folder that is not empty
                status = path.stat()
                if status.st_mtime >= limit.timestamp():
                    continue
                if not path.is_dir():
                    files, size = files + 1, size + status.st_size
                if not dry:
                    path.rmdir() if path.is_dir() else _remove(path)
        return Swept(files=files, size=size)

    def place(self, part: Path, ref: FileRef) -> bool:
        """Move a whole, synced file to its name, durably; return false where it is there already, and whole."""
        changed = self._move(part, ref)
        for folder in changed or ():
            _sync_folder(folder)
        self._found(ref.digest)
        return changed is not None

    def _move(self, part: Path, ref: FileRef) -> list[Path] | None:
        """Move a whole, synced file to its name; return the folders to sync, ``None`` where it is there, and whole."""
        target = self.path(ref.digest)
        if self._is_whole(ref) and not self.claim([ref.digest]):
            part.unlink()
            return None
        new_folder = not target.parent.exists()
        target.parent.mkdir(exist_ok=True)
        if target.exists():  # damaged
            with self._lock:
                self._set_aside(ref.digest)
                part.replace(target)
        else:
            part.replace(target)
        target.chmod(stat.S_IREAD)
        return [target.parent, *([self._files] if new_folder else [])]

    def locked(self) -> AbstractContextManager[object]:
        """Keep every other object and process from changing what is on the shelf, or on its way, in a block."""
        return self._lock

    def _found(self, digest: str) -> None:
        (self._lost / digest).unlink(missing_ok=True)

    def _set_aside(self, digest: str) -> None:
        """Move a file where nobody is given it; the lock is held."""
        self._damaged.mkdir(exist_ok=True)
        aside = self._damaged / digest
        _remove(aside)  # damaged a second time: the newer tells more
        with suppress(FileNotFoundError):
            self.path(digest).replace(aside)
        _sync_folder(self._damaged)
        _sync_folder(self.path(digest).parent)

    def _write_note(self, path: Path, text: str) -> None:
        """Write a small file, whole or not at all."""
        with tempfile.NamedTemporaryFile(
            "w", dir=self._incoming, encoding="ascii", suffix=".note", delete=False
        ) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)
        _sync_folder(path.parent)

    def _is_whole(self, ref: FileRef) -> bool:
        """Tell whether the file is here and undamaged.

        Read, not believed: whoever puts a file again may do so because it was found damaged.
        """
        try:
            if self.path(ref.digest).stat().st_size != ref.size:
                return False
            self.verify(ref.digest)
        except (FileNotFoundError, ShelfError):
            return False
        return True


class Reading:
    """One file while it is read through and compared with its name, piece by piece.

    It is open only while a piece is read, so that it can be put aside or in its place at any time in between.

    Attributes:
        digest: its name.
        seen: which file is read; if another comes in its place, that one is read from its beginning.
        is_over: whether all of it was read, and is whole.
    """

    def __init__(self, shelf: Shelf, digest: str) -> None:
        """Begin.

        Raises:
            FileMissingError: it is not here.
        """
        self._shelf = shelf
        self.digest = digest
        seen = shelf.stamp(digest)
        if seen is None:
            raise FileMissingError(digest)
        self._begin_with(seen)

    def _begin_with(self, seen: Stamp) -> None:
        self.seen: Stamp = seen
        self.is_over: bool = False
        self._at: int = 0
        self._running = hashlib.sha256()

    def go_on(self, most_bytes: int) -> int:
        """Read the next bytes and return how many they were.

        Raises:
            FileMissingError: it is not here any more.
            FileDamagedError: those were the last, and its bytes have changed; or the disk cannot read them any more.
        """
        with self._shelf.open(self.digest) as file:
            seen = _stamp(os.fstat(file.fileno()))
            if seen != self.seen:
                self._begin_with(seen)
            file.seek(self._at)
            piece = self._read(file, most_bytes)
        self._at += len(piece)
        self._running.update(piece)
        self.is_over = self._at >= seen.size or not piece
        if self.is_over and self._running.hexdigest() != self.digest:
            raise FileDamagedError(self.digest, self._running.hexdigest())
        return len(piece)

    def _read(self, file: BinaryIO, most_bytes: int) -> bytes:
        try:
            return file.read(most_bytes)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            raise FileDamagedError(self.digest, "none, for the disk cannot read them") from error


class Delivery:
    """Files that arrived whole but are not on the shelf yet.

    Attributes:
        came: digests of those that the shelf had not, or damaged; told when all are on it.
    """

    def __init__(self, folder: Path) -> None:
        self.came: set[str] = set()
        self._folder = folder
        self._refs: dict[str, FileRef] = {}
        self._begun = 0
        self._open: set[Part] = set()

    def put(self, stream: Readable, *, expected: str | None = None) -> FileRef:
        """Take one file in, hashed as it is written.

        Raises:
            FileDamagedError: its digest is not the expected one.
        """
        part = self.begin()
        while piece := stream.read(_CHUNK):
            part.write(piece)
        return part.finish(expected=expected)

    def begin(self) -> Part:
        """Begin with a file of which the bytes come piece by piece; several may be on their way at once."""
        self._begun += 1
        part = Part(self, self._folder / f"{self._begun}.part")
        self._open.add(part)
        return part

    def parts(self) -> Iterator[tuple[FileRef, Path]]:
        """Return each different file with the place where it waits."""
        for digest, ref in self._refs.items():
            yield ref, self._folder / digest

    def take(self, part: Part, path: Path, ref: FileRef) -> None:
        """Keep a finished part, unless its bytes have come before."""
        self._open.discard(part)
        if ref.digest not in self._refs:
            self._refs[ref.digest] = ref
            path.replace(self._folder / ref.digest)

    def has(self, digest: str) -> bool:
        """Say whether the bytes have come before."""
        return digest in self._refs

    def close(self) -> None:
        """Let go of what was begun and not finished."""
        for part in self._open:
            part.close()


class Part:
    """One file of a delivery while it is written."""

    def __init__(self, delivery: Delivery, path: Path) -> None:
        self._delivery = delivery
        self._path = path
        self._file = path.open("wb")
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, piece: bytes) -> None:
        """Add the next bytes."""
        self._digest.update(piece)
        self._size += len(piece)
        self._file.write(piece)

    def finish(self, *, expected: str | None = None) -> FileRef:
        """End the file, synced.

        Raises:
            FileDamagedError: its digest is not the expected one.
        """
        ref = FileRef(digest=self._digest.hexdigest(), size=self._size)
        with self._file as file:
            if expected is not None and ref.digest != expected:
                raise FileDamagedError(expected, ref.digest)
            file.flush()
            if not self._delivery.has(ref.digest):
                os.fsync(file.fileno())
        self._delivery.take(self, self._path, ref)
        return ref

    def close(self) -> None:
        """Close the file, finished or not."""
        self._file.close()


class Partial:
    """A file on its way here in pieces, over more than one conversation, maybe by several processes at once.

    All that is added is added under the shelf's lock and at the end, so a file that stands as it was left holds what
    was added then, and need not be read again to be judged. One that another object began is read once, at its end.
    """

    def __init__(self, shelf: Shelf, path: Path, digest: str) -> None:
        self._shelf = shelf
        self._path = path
        self._digest = digest
        self._left: Stamp | None = None  # as it was when its bytes were those in ``_running``
        self._running = hashlib.sha256()
        self._settled: float | None = None

    @property
    def size(self) -> int:
        """How many bytes are here; go on from there."""
        stands = self._stands()
        return stands.size if stands else 0

    def settle(self, *, within_s: float = 0) -> None:
        """Make durable what is here, unless this object did that so short a time ago."""
        now = time.monotonic()
        if self._settled is None or now - self._settled >= within_s:
            with suppress(FileNotFoundError):  # nothing came yet, or it is whole meanwhile
                _sync_file(self._path)
            self._settled = now

    def append(self, piece: bytes, *, at: int | None = None) -> int:
        """Add the next bytes; they outlive this process on return, and a power cut after ``settle``.

        Args:
            piece: the bytes.
            at: where they belong; if the file ends elsewhere by now, nothing is added.

        Returns:
            Where the file ends now.
        """
        with self._shelf.locked():
            stands = self._stands()
            end = stands.size if stands else 0
            if at not in {None, end}:
                return end
            if stands is None:
                self._left, self._running = None, hashlib.sha256()
            with self._path.open("ab") as file:
                file.write(piece)
                file.flush()
                _begin_writing(file.fileno())
            if stands == self._left:
                self._running.update(piece)
                self._left = self._stands()
        return end + len(piece)

    def finish(self) -> FileRef:
        """Verify the whole and put it on the shelf; either way, the partial file is gone.

        Raises:
            FileMissingError: nothing arrived yet.
            FileDamagedError: the pieces do not make the file that was promised.
        """
        ours = self._path.with_suffix(f".{secrets.token_hex(4)}.whole")
        try:
            with self._shelf.locked():  # from here on nobody else adds to it
                stands = self._stands()
                self._path.replace(ours)
            _sync_file(ours)
            found = self._running.hexdigest() if stands == self._left else _digest_of(ours)
            if found != self._digest:
                raise FileDamagedError(self._digest, found)
            ref = FileRef(digest=self._digest, size=ours.stat().st_size)
            self._shelf.place(ours, ref)
        except FileNotFoundError as error:
            raise FileMissingError(self._digest) from error
        finally:
            ours.unlink(missing_ok=True)
            self._left, self._running = None, hashlib.sha256()
        return ref

    def _stands(self) -> Stamp | None:
        try:
            return _stamp(self._path.stat())
        except FileNotFoundError:
            return None


def _checked(digest: str) -> str:
    """Refuse what is no digest: it becomes a path.

    Raises:
        FileMissingError: nothing can have this name.
    """
    if not _DIGEST.fullmatch(digest):
        raise FileMissingError(digest)
    return digest


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(status.st_ino, status.st_size, status.st_mtime_ns)


def _remove(path: Path) -> None:
    """Unlink a read-only file; Windows refuses while the read-only mark is set."""
    with suppress(FileNotFoundError):
        path.chmod(stat.S_IREAD | stat.S_IWRITE)
        path.unlink()


def _touch(path: Path) -> bool:
    """Renew the time of a read-only file, if there is one; Windows wants it writable for that."""
    try:
        if os.name == "nt":
            path.chmod(stat.S_IREAD | stat.S_IWRITE)
        os.utime(path)
        if os.name == "nt":
            path.chmod(stat.S_IREAD)
    except FileNotFoundError:
        return False
    return True


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _begin_writing(descriptor: int) -> None:
    """Let the system begin to write what was written to a file, where it can be told to; nobody waits."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def _sync_file(path: Path) -> None:
    """Make what was written to a file durable; Windows wants it open for writing."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make a new name durable; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
