"""Open an untrusted zip: everything is judged before the first byte is unpacked, and counted while it is.

Harmful names and contradictions refuse the archive; nothing is repaired that could change which file a
learner sees. What honest tools get wrong (backslashes, litter of operating systems) is put right with a note.
"""

from __future__ import annotations

import stat
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from content_packages.central_directory import Contents, Entry, read_contents
from content_packages.entry_names import Name, collisions, is_litter, read_name
from content_packages.errors import PackageRefusedError
from content_packages.findings import Finding, finding, placed
from content_packages.limits import Limits
from content_packages.original import Extent

_CHUNK = 256 * 1024
_STORED, _DEFLATED = 0, 8
_MOST_TOLD = 20
_FREE_TIMES = 16  # see ``Limits.max_ratio``
_METHODS = {9: "Deflate64", 12: "BZIP2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 98: "PPMd", 99: "AES"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A file in the archive under the name the package knows it by."""

    path: str
    entry: Entry

    @property
    def size(self) -> int:
        """Unpacked bytes; held to while reading."""
        return self.entry.size


class Archive:
    """The files of a zip that passed every check which needs no unpacking."""

    def __init__(self, file: BinaryIO, members: Iterable[Member], findings: Iterable[Finding]) -> None:
        self._file = file
        self.members = {member.path: member for member in members}
        self._findings = tuple(findings)
        self._longer_than_needed: dict[str, None] = {}  # in the order in which they were read, each once

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was put right, and what unpacking has shown so far."""
        longer = self._longer_than_needed
        if not longer:
            return self._findings
        first = next(iter(longer))
        return (*self._findings, finding("archive.after_data", file=first, name=first, count=len(longer)))

    def open(self, path: str, packed: Callable[[bytes], None] | None = None) -> EntryReader:
        """Return a reader of one file; one at a time, as all share the file beneath.

        Args:
            path: the file.
            packed: told the packed bytes as they are read.
        """

        def is_longer() -> None:
            self._longer_than_needed[path] = None

        return EntryReader(self._file, self.members[path], packed, is_longer)

    def extent(self, path: str) -> Extent:
        """Return where the bytes of a file stand."""
        entry = self.members[path].entry
        return Extent(
            at=entry.data_start, size=entry.packed_size, packed=entry.method != _STORED, crc=entry.crc
        )


@contextmanager
def open_archive(path: Path, limits: Limits) -> Iterator[Archive]:
    """Open a zip file for reading.

    Raises:
        PackageRefusedError: it is no zip, it is harmful, or it passes a limit.
    """
    with path.open("rb") as file:
        members, findings = _accept(read_contents(file, limits), limits)
        yield Archive(file, members, findings)


class EntryReader:
    """Unpacks one file in small pieces, and stops when it is not what the table of contents said.

    Raises, from ``read``:
        PackageRefusedError: the packed bytes are damaged, too many, too few, or of another checksum.
    """

    def __init__(
        self,
        file: BinaryIO,
        member: Member,
        packed: Callable[[bytes], None] | None = None,
        is_longer: Callable[[], None] = lambda: None,
    ) -> None:
        self._file = file
        self._told_packed = packed
        self._tell_longer = is_longer
        self._member = member
        self._packed_left = member.entry.packed_size
        self._size_left = member.entry.size
        self._position = member.entry.data_start
        self._crc = 0
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS) if member.entry.method == _DEFLATED else None
        self._ended = False

    def read(self, size: int = _CHUNK) -> bytes:
        """Return at most ``size`` bytes; none at the end, once everything was checked."""
        if self._ended:
            return b""
        piece = self._stored(size) if self._inflate is None else self._deflated(self._inflate, size)
        if not piece:
            self._finish()
            return b""
        self._size_left -= len(piece)
        if self._size_left < 0:
            raise self._refused("archive.size_lie", count=self._member.size)
        self._crc = zlib.crc32(piece, self._crc)
        return piece

    def _stored(self, size: int) -> bytes:
        return self._next_packed(size)

    def _deflated(self, inflate: zlib._Decompress, size: int) -> bytes:
        while not inflate.eof:
            packed = inflate.unconsumed_tail or self._next_packed(_CHUNK)
            try:
                piece = inflate.decompress(packed, size)
            except zlib.error as error:
                raise self._refused("archive.damaged_data") from error
            if piece:
                return piece
            if not packed:
                raise self._refused("archive.damaged_data")
        return b""

    def _next_packed(self, size: int) -> bytes:
        # Sought every time: another reader may have moved the file beneath.
        self._file.seek(self._position)
        piece = self._file.read(min(size, self._packed_left))
        self._position += len(piece)
        self._packed_left -= len(piece)
        if self._told_packed is not None:
            self._told_packed(piece)
        return piece

    def _finish(self) -> None:
        self._ended = True
        if self._size_left != 0:
            raise self._refused("archive.size_lie", count=self._member.size)
        if self._crc != self._member.entry.crc:
            raise self._refused("archive.checksum")
        if self._packed_left or (self._inflate is not None and self._inflate.unused_data):
            self._tell_longer()

    def _refused(self, code: str, **facts: str | int) -> PackageRefusedError:
        return PackageRefusedError(
            [finding(code, file=self._member.path, line=None, name=self._member.path, **facts)]
        )


def _accept(contents: Contents, limits: Limits) -> tuple[list[Member], list[Finding]]:
    """Judge every entry; return the files to keep and what was put right."""
    wrong: list[Finding] = []
    repaired: dict[str, list[str]] = {}
    names: list[Name] = []
    members: list[Member] = []
    for entry in contents.entries:
        name = read_name(entry, limits)
        if isinstance(name, Finding):
            wrong.append(name)
            continue
        fault = _fault(entry, name, limits)
        if fault is not None:
            wrong.append(fault)
            continue
        if is_litter(name.path):
            repaired.setdefault("archive.litter", []).append(name.path)
            continue
        names.append(name)
        for code in (*name.repairs, *_marks(entry)):
            repaired.setdefault(code, []).append(name.written)
        if not name.folder:
            members.append(Member(path=name.path, entry=entry))
    wrong += collisions(names)
    wrong += _too_much(sum(member.size for member in members), contents.size, limits)
    if wrong:
        raise PackageRefusedError([placed(found) for found in wrong[:_MOST_TOLD]])
    notes = [placed(finding(code, count=len(paths), name=paths[0])) for code, paths in repaired.items()]
    if contents.unclaimed:
        notes.append(finding("archive.unclaimed", size=contents.unclaimed))
    return members, notes


def _too_much(total: int, packed: int, limits: Limits) -> Iterator[Finding]:
    """Judge all files together: many small bombs are one."""
    if total > limits.max_unpacked_bytes:
        yield finding("archive.unpacked_too_large", size=total, **limits.facts("max_unpacked_bytes"))
    if total > _FREE_TIMES * limits.ratio_free_bytes and total > limits.max_ratio * packed:
        yield finding("archive.total_ratio", ratio=total // packed, **limits.facts("max_ratio"))


def _marks(entry: Entry) -> Iterator[str]:
    """Return the codes of what is dropped from an entry because nobody here needs it."""
    if entry.unix_mode & (stat.S_ISUID | stat.S_ISGID):
        yield "archive.privileged"


def _fault(entry: Entry, name: Name, limits: Limits) -> Finding | None:
    """Return what is wrong with an entry apart from its name."""
    kind = stat.S_IFMT(entry.unix_mode)
    size = entry.size
    checks: tuple[tuple[bool, Callable[[], Finding]], ...] = (
        (kind == stat.S_IFLNK, lambda: finding("archive.symlink", file=name.path, name=name.path)),
        (
            kind not in {0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK},
            lambda: finding("archive.special_file", file=name.path, name=name.path),
        ),
        (
            entry.method not in {_STORED, _DEFLATED},
            lambda: finding(
                "archive.method",
                file=name.path,
                name=name.path,
                method=_METHODS.get(entry.method, f"method {entry.method}"),
            ),
        ),
        (
            size > limits.max_file_bytes,
            lambda: finding(
                "archive.file_too_large",
                file=name.path,
                name=name.path,
                size=size,
                **limits.facts("max_file_bytes"),
            ),
        ),
        (
            size > limits.ratio_free_bytes and size > limits.max_ratio * max(entry.packed_size, 1),
            lambda: finding(
                "archive.ratio",
                file=name.path,
                name=name.path,
                ratio=size // max(entry.packed_size, 1),
                **limits.facts("max_ratio"),
            ),
        ),
        (
            name.folder and size > 0,
            lambda: finding("archive.folder_with_bytes", file=name.path, name=name.path),
        ),
    )
    return next((make() for holds, make in checks if holds), None)
