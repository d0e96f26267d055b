"""Read a zip's table of contents without unpacking anything (PKWARE APPNOTE 6.3, sections 4.3 and 4.4).

Python's ``zipfile`` repairs silently: it drops ``..`` and roots from names, cuts them at NUL, and builds an
object for each of millions of entries before a caller can count them. Here the records are read as they
stand, at most ``limits.max_entries`` of them, and every contradiction refuses the archive.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from content_packages.errors import PackageRefusedError
from content_packages.findings import finding, placed
from content_packages.limits import Limits

_END = struct.Struct("<4s4H2LH")  # 4.3.16
_LOCATOR = struct.Struct("<4sLQL")  # 4.3.15
_END_64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
_HEADER = struct.Struct("<4s6H3L5H2L")  # 4.3.12
_LOCAL = struct.Struct("<4s5H3L2H")  # 4.3.7

_LONGEST_COMMENT = 0xFFFF
_IN_ZIP64 = 0xFFFFFFFF
_ZIP64_FIELD = 0x0001
_UNICODE_PATH_FIELD = 0x7075  # 4.6.9

UTF8_NAMES = 0x0800
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_SIZES_FOLLOW = 0x0008


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One file or folder as the table of contents describes it.

    Args:
        raw_name: the bytes of the name, before any decoding.
        utf8_name: the name in UTF-8 where a field beside it gives one, as WinZip and WinRAR write it.
        unix_mode: type and permission bits, 0 where another system made the archive.
        data_start: where the packed bytes begin, counted from the start of the archive.
    """

    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed_size: int
    size: int
    unix_mode: int
    data_start: int
    utf8_name: bytes | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """The table of contents.

    Args:
        size: bytes of the whole archive.
        unclaimed: bytes between the files that belong to none of them.
    """

    entries: list[Entry]
    size: int
    unclaimed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Directory:
    """Where the table of contents lies and how many records it claims."""

    start: int
    size: int
    count: int


def read_contents(file: BinaryIO, limits: Limits) -> Contents:
    """Return every entry of the archive, in the order of its table of contents.

    Raises:
        PackageRefusedError: this is no zip, it contradicts itself, or it passes a limit.
    """
    length = file.seek(0, os.SEEK_END)
    if length > limits.max_archive_bytes:
        raise _refused("archive.too_large", size=length, **limits.facts("max_archive_bytes"))
    directory = _find_directory(file, length)
    if directory.count > limits.max_entries:
        raise _refused("archive.too_many_entries", count=directory.count, **limits.facts("max_entries"))
    if directory.size > limits.max_directory_bytes:
        raise _refused(
            "archive.directory_too_large", size=directory.size, **limits.facts("max_directory_bytes")
        )
    file.seek(directory.start)
    headers = list(_headers(file.read(directory.size), directory.count))
    entries, unclaimed = _with_local_headers(file, headers, end=directory.start)
    return Contents(entries=entries, size=length, unclaimed=unclaimed)


def _find_directory(file: BinaryIO, length: int) -> _Directory:
    """Find the end record, which must be the last thing in the file, and follow it."""
    tail_start = max(0, length - _END.size - _LONGEST_COMMENT)
    file.seek(tail_start)
    tail = file.read()
    at = _find_end(tail)
    if at is None:
        file.seek(0)
        raise _refused("archive.truncated" if file.read(4) == b"PK\x03\x04" else "archive.not_a_zip")
    _, disk, first_disk, here, count, size, start, _ = _END.unpack_from(tail, at)
    end = tail_start + at
    # Beyond 2 GB some tools, Python's own among them, write the wide record though all still fits into this one.
    if 0xFFFF in (here, count) or _IN_ZIP64 in (size, start) or start + size != end:
        wide = _zip64_end(file, end)
        if wide is not None:
            narrow = (here, count, size, start)
            end, disk, first_disk, here, count, size, start = wide
            _compare_ends(narrow, (here, count, size, start))
    if disk != 0 or first_disk != 0 or here != count:
        raise _refused("archive.multi_disk")
    if start + size > end:
        raise _refused("archive.truncated")
    if start + size < end:
        raise _refused("archive.directory_place")
    return _Directory(start=start, size=size, count=count)


def _find_end(tail: bytes) -> int | None:
    """Return where the end record begins in the last bytes of a file; ``None`` where there is none.

    Some programs take the last bytes that look like one, some the first that its comment fits: both must be the same.
    """
    places = [found.start() for found in re.finditer(rb"PK\x05\x06", tail)]
    ends = {at: at + _END.size + _comment_bytes(tail, at) for at in places if at + _END.size <= len(tail)}
    if not ends:
        return None
    if ends.get(places[-1]) == len(tail):
        return places[-1]
    if len(tail) in ends.values():
        raise _refused("archive.comment")
    raise _refused("archive.bytes_after" if max(ends.values()) < len(tail) else "archive.truncated")


def _comment_bytes(tail: bytes, at: int) -> int:
    return int.from_bytes(tail[at + _END.size - 2 : at + _END.size], "little")


def _compare_ends(narrow: tuple[int, int, int, int], wide: tuple[int, int, int, int]) -> None:
    """Refuse an end record that says something else than the wide one, instead of pointing there (4.4.1.4)."""
    marks = (0xFFFF, 0xFFFF, _IN_ZIP64, _IN_ZIP64)
    for told, mark, meant in zip(narrow, marks, wide, strict=True):
        if told not in (mark, meant):
            raise _refused("archive.ends_differ")


def _zip64_end(file: BinaryIO, end: int) -> tuple[int, int, int, int, int, int, int] | None:
    """Return position, disks, counts, size and start from the zip64 end record, if there is one."""
    if end < _LOCATOR.size:
        return None
    file.seek(end - _LOCATOR.size)
    magic, _, position, disks = _LOCATOR.unpack(file.read(_LOCATOR.size))
    if magic != b"PK\x06\x07":
        return None
    file.seek(min(position, end))
    record = file.read(_END_64.size)
    if len(record) < _END_64.size or not record.startswith(b"PK\x06\x06") or disks > 1:
        raise _refused("archive.zip64_end")
    _, _, _, _, disk, first_disk, here, count, size, start = _END_64.unpack(record)
    return position, disk, first_disk, here, count, size, start


@dataclass(frozen=True, kw_only=True, slots=True)
class _Header:
    """A record of the table of contents, and where its local twin should stand."""

    entry: Entry
    local_start: int


def _headers(directory: bytes, count: int) -> list[_Header]:
    """Cut the table of contents into records; their number must be the one claimed."""
    found: list[_Header] = []
    at = 0
    while at < len(directory):
        if (
            len(found) == count
            or len(directory) - at < _HEADER.size
            or directory[at : at + 4] != b"PK\x01\x02"
        ):
            raise _refused("archive.count")
        (
            _,
            made_by,
            _,
            flags,
            method,
            _,
            _,
            crc,
            packed,
            size,
            name_len,
            extra_len,
            comment_len,
            disk,
            _,
            attrs,
            start,
        ) = _HEADER.unpack_from(directory, at)
        name_at = at + _HEADER.size
        name = directory[name_at : name_at + name_len]
        extra = directory[name_at + name_len : name_at + name_len + extra_len]
        at = name_at + name_len + extra_len + comment_len
        size, packed, start = _zip64_sizes(extra, size, packed, start, name)
        if flags & _ENCRYPTED:
            raise _refused("archive.encrypted", name=_shown(name))
        if disk not in {0, 0xFFFF}:
            raise _refused("archive.multi_disk")
        entry = Entry(
            raw_name=name,
            flags=flags,
            method=method,
            crc=crc,
            packed_size=packed,
            size=size,
            unix_mode=attrs >> 16 if made_by >> 8 in {3, 19} else 0,
            data_start=0,
            utf8_name=_unicode_path(extra, name),
        )
        found.append(_Header(entry=entry, local_start=start))
    if len(found) != count or at != len(directory):
        raise _refused("archive.count")
    return found


def _fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """Return tag and body of each extra field (4.5.1)."""
    at = 0
    while len(extra) - at >= 4:
        tag, length = struct.unpack_from("<HH", extra, at)
        yield tag, extra[at + 4 : at + 4 + length]
        at += 4 + length


def _zip64_sizes(extra: bytes, size: int, packed: int, start: int, name: bytes) -> tuple[int, int, int]:
    """Take sizes and position from the zip64 field where the record points there (4.5.3)."""
    wanted = [size, packed, start].count(_IN_ZIP64)
    if not wanted:
        return size, packed, start
    body = next((body for tag, body in _fields(extra) if tag == _ZIP64_FIELD), b"")
    if len(body) < 8 * wanted:
        raise _refused("archive.zip64", name=_shown(name))
    taken = iter(struct.unpack_from(f"<{wanted}Q", body))
    size, packed, start = (next(taken) if n == _IN_ZIP64 else n for n in (size, packed, start))
    return size, packed, start


def _unicode_path(extra: bytes, name: bytes) -> bytes | None:
    """Return the name in UTF-8 that stands beside *name*, unless it was written for another one (4.6.9)."""
    for tag, body in _fields(extra):
        if tag == _UNICODE_PATH_FIELD and body[:5] == struct.pack("<BL", 1, zlib.crc32(name)):
            return body[5:]
    return None


def _with_local_headers(file: BinaryIO, headers: list[_Header], *, end: int) -> tuple[list[Entry], int]:
    """Read the local twin of each record: it must say the same, and no two may share bytes.

    Returns:
        The entries in the order of the records, and how many bytes between them belong to none.
    """
    entries: dict[int, Entry] = {}
    free_from = unclaimed = 0
    for index, header in sorted(enumerate(headers), key=lambda pair: pair[1].local_start):
        entry = header.entry
        if header.local_start < free_from:
            raise _refused("archive.overlap", name=_shown(entry.raw_name))
        unclaimed += header.local_start - free_from
        data_start, follows = _data_start(file, header, end=end)
        free_from = data_start + entry.packed_size
        if free_from > end:
            raise _refused("archive.entry_outside", name=_shown(entry.raw_name))
        if follows:
            free_from += _descriptor_length(file, entry, at=free_from, end=end)
        entries[index] = replace(entry, data_start=data_start)
    if headers and all(header.local_start > 0 for header in headers):
        raise _refused("archive.bytes_before")
    return [entries[index] for index in range(len(headers))], unclaimed + end - free_from


def _data_start(file: BinaryIO, header: _Header, *, end: int) -> tuple[int, bool]:
    """Return where the packed bytes begin, and whether sizes follow them, after comparing header and record."""
    entry = header.entry
    if header.local_start + _LOCAL.size > end:
        raise _refused("archive.entry_outside", name=_shown(entry.raw_name))
    file.seek(header.local_start)
    record = file.read(_LOCAL.size)
    magic, _, flags, method, _, _, crc, packed, size, name_len, extra_len = _LOCAL.unpack(record)
    if magic != b"PK\x03\x04":
        raise _refused("archive.no_file", name=_shown(entry.raw_name))
    name, extra = file.read(name_len), file.read(extra_len)
    size, packed, _ = _zip64_sizes(extra, size, packed, 0, name)
    told = (entry.crc, entry.packed_size, entry.size) == (crc, packed, size)
    follows = bool(flags & _SIZES_FOLLOW) and not told
    checks = {
        "archive.name_twice": name == entry.raw_name,
        "archive.utf8_name_twice": _unicode_path(extra, name) in {None, entry.utf8_name},
        "archive.method_twice": method == entry.method,
        "archive.encrypted_once": not flags & _ENCRYPTED,
        "archive.sizes_twice": told or follows,
    }
    for code, holds in checks.items():
        if not holds:
            raise _refused(code, name=_shown(entry.raw_name))
    return header.local_start + _LOCAL.size + len(name) + len(extra), follows


def _descriptor_length(file: BinaryIO, entry: Entry, *, at: int, end: int) -> int:
    """Return how long the sizes are that follow the packed bytes; they must be those of the record (4.3.9)."""
    file.seek(at)
    written = file.read(min(24, end - at))
    for mark in (b"PK\x07\x08", b""):
        for layout in ("<LLL", "<LQQ"):
            try:
                expected = mark + struct.pack(layout, entry.crc, entry.packed_size, entry.size)
            except struct.error:  # a size of zip64 in the short layout
                continue
            if written.startswith(expected):
                return len(expected)
    raise _refused("archive.sizes_after", name=_shown(entry.raw_name))


def _refused(code: str, **facts: str | int) -> PackageRefusedError:
    return PackageRefusedError([placed(finding(code, file=None, line=None, **facts))])


def _shown(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")
