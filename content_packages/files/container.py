"""Open what was given, whatever it is: a zip, or one file that stands for itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from content_packages.archive import open_archive
from content_packages.errors import PackageRefusedError
from content_packages.files.kinds import HEAD_BYTES, is_web_page, path_of
from content_packages.findings import Finding, finding
from content_packages.limits import Limits
from content_packages.original import Extent
from content_packages.shelf import Readable

_OTHER_ARCHIVES = (  # offset, what stands there, what people call it
    (0, b"Rar!\x1a\x07", "RAR"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"BZh", "bzip2"),
    (0, b"\xfd7zXZ\0", "xz"),
    (257, b"ustar", "tar"),
)
_LONGEST_END = 22 + 0xFFFF  # of a zip: end record and comment


class Sized(Protocol):
    """A file in a container."""

    @property
    def size(self) -> int:
        """Its bytes."""
        ...


class Container(Protocol):
    """The files that were given; an ``Archive`` is one."""

    @property
    def members(self) -> Mapping[str, Sized]:
        """Every file by its path."""
        ...

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was put right so far."""
        ...

    def open(self, path: str, packed: Callable[[bytes], None] | None = None) -> Readable:
        """Return a reader of one file; one at a time. *packed* is told its packed bytes as they are read."""
        ...

    def extent(self, path: str) -> Extent:
        """Return where the bytes of a file stand in what was given."""
        ...


@dataclass(frozen=True, slots=True)
class _Member:
    size: int


class SingleFile:
    """A container of one file, under the name its kind has in packages; a course structure without a zip is one too."""

    findings: tuple[Finding, ...] = ()

    def __init__(self, file: BinaryIO, path: str, size: int) -> None:
        self._file = file
        self.members = {path: _Member(size)}

    def open(self, path: str, packed: object = None) -> BinaryIO:  # noqa: ARG002 - there is only one, and not packed
        """Return the file at its start; it can be sought in, as a file in a zip cannot."""
        self._file.seek(0)
        return self._file

    def extent(self, path: str) -> Extent:
        """Return where the file stands: it is all there is."""
        return Extent(at=0, size=self.members[path].size, packed=False)


@contextmanager
def open_container(path: Path, limits: Limits) -> Iterator[Container]:
    """Open a file for reading: its first bytes decide how.

    Raises:
        PackageRefusedError: it is nothing that can be imported, it is harmful, or it passes a limit.
    """
    with path.open("rb") as file:
        name = path_of(file.read(HEAD_BYTES))
        size = file.seek(0, os.SEEK_END)
        if name is not None:
            for limit in ("max_archive_bytes", "max_file_bytes"):
                if size > getattr(limits, limit):
                    raise PackageRefusedError([finding("file.too_large", size=size, **limits.facts(limit))])
            yield SingleFile(file, name, size)
            return
        if not _may_be_zip(file, size):
            raise PackageRefusedError([_neither(file, size)])
    with open_archive(path, limits) as archive:
        yield archive


def _neither(file: BinaryIO, size: int) -> Finding:
    """Return what a file is that is neither a zip nor a course by itself."""
    if size == 0:
        return finding("file.empty")
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if is_web_page(head):
        return finding("file.web_page")
    kind = next((kind for at, sign, kind in _OTHER_ARCHIVES if head[at:].startswith(sign)), None)
    return finding("file.unknown") if kind is None else finding("file.other_archive", kind=kind)


def _may_be_zip(file: BinaryIO, size: int) -> bool:
    file.seek(0)
    if file.read(2) == b"PK":
        return True
    file.seek(max(0, size - _LONGEST_END))
    return b"PK\x05\x06" in file.read()
