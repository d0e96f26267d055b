"""Names and structures of archives: one row a kind, with the code it is refused by or the note it is taken with.

What is refused leaves nothing anywhere: the whole folder around the shelf is compared before and after.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.package_builders import (
    UTF8,
    RawEntry,
    a_manifest_12,
    a_package,
    codes,
    deflated,
    imported,
    raw_zip,
    refused,
    stored,
)

MANIFEST, PAGE = (deflated(name, data) for name, data in a_package().items())
LONG = b"0123456789" * 100
LATER = UTF8 | 0x0008  # sizes follow the bytes


def a_zip(*entries: RawEntry) -> bytes:
    return raw_zip(MANIFEST, PAGE, *entries)


def named(*names: str | bytes) -> bytes:
    """Return a good package with files of these names beside it."""
    return a_zip(*(stored(name) for name in names))


def changed(**fields: object) -> bytes:
    return a_zip(replace(stored("a", LONG), **fields))  # type: ignore[arg-type]


def packed(data: bytes, **fields: object) -> bytes:
    return a_zip(replace(deflated("a", data), **fields))  # type: ignore[arg-type]


def with_sizes_after(sizes: bytes) -> RawEntry:
    """Return an entry as tools write it that learn the sizes last (APPNOTE 4.3.9)."""
    entry = stored("a", LONG)
    return replace(entry, local_size=0, flags=LATER, after=sizes)


def unicode_path(name: bytes, path: bytes) -> bytes:
    """Return the extra field in which WinZip and WinRAR give a name in UTF-8 (APPNOTE 4.6.9)."""
    body = struct.pack("<BL", 1, zlib.crc32(name)) + path
    return struct.pack("<HH", 0x7075, len(body)) + body


def moved(archive: bytes, by: bytes) -> bytes:
    """Return an archive behind other bytes, with every position put right, as self-extractors are made."""
    start = archive.rindex(b"PK\5\6")
    directory = struct.unpack_from("<L", archive, start + 16)[0]
    data = bytearray(archive)
    at = directory
    while data[at : at + 4] == b"PK\1\2":
        name, extra, comment = struct.unpack_from("<3H", data, at + 28)
        struct.pack_into("<L", data, at + 42, struct.unpack_from("<L", data, at + 42)[0] + len(by))
        at += 46 + name + extra + comment
    struct.pack_into("<L", data, start + 16, directory + len(by))
    return by + bytes(data)


SIZES = struct.pack("<LLL", zlib.crc32(LONG), len(LONG), len(LONG))
HONEST = named()
ZIP64 = raw_zip(MANIFEST, PAGE, zip64=True)

REFUSED: dict[str, tuple[bytes, str]] = {
    # ------------------------------------------------ where a name leads
    "parent": (named("../a"), "name.traversal"),
    "parent in the middle": (named("a/../../b"), "name.traversal"),
    "parent by backslash": (named("a\\..\\..\\b"), "name.traversal"),
    "parent, slashes mixed": (named("a\\../b"), "name.traversal"),
    "parent, percent-encoded": (named("%2e%2e/a"), "name.traversal"),
    "parent and slash, percent-encoded": (named("a/..%2Fb"), "name.traversal"),
    "parent and backslash, percent-encoded": (named("..%5c..%5cb"), "name.traversal"),
    "parent alone": (named(".."), "name.traversal"),
    "absolute": (named("/etc/passwd"), "name.absolute"),
    "absolute by backslash": (named("\\windows\\a"), "name.absolute"),
    "drive": (named("C:/a"), "name.drive"),
    "drive without a slash": (named("c:a"), "name.drive"),
    "other computer": (named("//host/share/a"), "name.unc"),
    "other computer by backslash": (named("\\\\host\\share\\a"), "name.unc"),
    "device path": (named("\\\\?\\C:\\a"), "name.unc"),
    "hidden stream": (named("a.txt:hidden"), "name.stream"),
    "hidden stream of a folder": (named("ab::$INDEX_ALLOCATION/c"), "name.stream"),
    "stream like a zone": (named("a.txt:Zone.Identifier2"), "name.stream"),
    "zone of a stream": (named("a.txt:hidden:Zone.Identifier"), "name.stream"),
    "file in a zone": (named("a.txt:Zone.Identifier/b"), "name.stream"),
    "zone on a drive": (named("C:/a:Zone.Identifier"), "name.drive"),
    "zone outside": (named("../a:Zone.Identifier"), "name.traversal"),
    # ------------------------------------------------ what a name shows
    "NUL": (named(b"page.html\0.txt"), "name.nul"),
    "control character": (named("a\x1b[2J.js"), "name.control"),
    "new line": (named("a\nb"), "name.control"),
    "line separator": (named("a\u2028b"), "name.control"),
    "right to left": (named("x\u202egnp.js"), "name.deceiving"),
    "isolate": (named("x\u2066b"), "name.deceiving"),
    "zero width": (named("x\u200b.js"), "name.deceiving"),
    "soft hyphen": (named("x\u00ady.js"), "name.deceiving"),
    "a letter of Korean that is empty": (named("x\u3164.js"), "name.deceiving"),
    "a letter of the invisible alphabet": (named("x\U000e0041.js"), "name.deceiving"),
    "byte-order mark in the name": (named("\ufeffa.js"), "name.deceiving"),
    # ------------------------------------------------ what Windows makes of it
    "device": (named("CON"), "name.reserved"),
    "device with an extension": (named("aux.js"), "name.reserved"),
    "device as a folder": (named("a/nul.txt/b"), "name.reserved"),
    "device with a superscript": (named("com¹.js"), "name.reserved"),
    "console": (named("CONIN$"), "name.reserved"),
    "device with spaces": (named("CON .html"), "name.reserved"),
    "device with spaces in a folder": (named("a/lpt9  .tar.gz/b"), "name.reserved"),
    "trailing dot": (named("a/b."), "name.trailing"),
    "trailing space": (named("a /b"), "name.trailing"),
    "three dots": (named("a/..."), "name.trailing"),
    # ------------------------------------------------ how long and how deep
    "empty": (named(b""), "name.empty"),
    "only dots": (named("./."), "name.empty"),
    "only slashes and a dot": (named(".//./"), "name.empty"),
    "241 characters": (named("a" * 241), "name.too_long"),
    "60,000 characters": (named("a/" * 30_000), "name.too_long"),
    "64 levels": (named("a/" * 64 + "b"), "name.too_deep"),
    "manifest too deep": (raw_zip(replace(MANIFEST, name=b"a/" * 17 + b"imsmanifest.xml")), "name.too_deep"),
    # ------------------------------------------------ two names for one
    "twice": (named("a.txt", "a.txt"), "name.duplicate"),
    "twice by a dot": (named("a.txt", "./a.txt"), "name.duplicate"),
    "twice by a backslash": (named("a\\b", "a/b"), "name.duplicate"),
    "another case": (named("a.txt", "A.TXT"), "name.collision"),
    "another case of the page": (named("INDEX.html"), "name.collision"),
    "sharp s": (named("stra\u00dfe", "STRASSE"), "name.collision"),
    "composed and decomposed": (named("caf\u00e9", "cafe\u0301"), "name.collision"),
    "file and folder": (named("a", "a/b"), "name.file_is_folder"),
    "file and folder in another case": (named("a", "A/b"), "name.file_is_folder"),
    "UTF-8 name that leads out": (
        a_zip(replace(stored("a"), extra=unicode_path(b"a", b"../a"))),
        "name.traversal",
    ),
    # ------------------------------------------------ what an entry is
    "link": (changed(unix_mode=0o120777), "archive.symlink"),
    "character device": (changed(unix_mode=0o020666), "archive.special_file"),
    "block device": (changed(unix_mode=0o060666), "archive.special_file"),
    "pipe": (changed(unix_mode=0o010666), "archive.special_file"),
    "socket": (changed(unix_mode=0o140777), "archive.special_file"),
    "folder with bytes": (a_zip(stored("a/", LONG)), "archive.folder_with_bytes"),
    "encrypted": (changed(flags=UTF8 | 0x1), "archive.encrypted"),
    "strongly encrypted": (changed(flags=UTF8 | 0x41), "archive.encrypted"),
    "names encrypted": (changed(flags=UTF8 | 0x2000), "archive.encrypted"),
    "encrypted in the file only": (changed(local_flags=UTF8 | 0x1), "archive.encrypted_once"),
    "AES": (changed(method=99), "archive.method"),
    "BZIP2": (changed(method=12), "archive.method"),
    "method nobody knows": (changed(method=77), "archive.method"),
    # ------------------------------------------------ what an entry claims
    "wrong checksum": (changed(crc=1), "archive.checksum"),
    "wrong checksum, packed": (packed(LONG, crc=1), "archive.checksum"),
    "size too small": (packed(LONG, size=999), "archive.size_lie"),
    "size too large": (packed(LONG, size=1001), "archive.size_lie"),
    "damaged bytes": (packed(LONG, packed=b"\xff" * 20), "archive.damaged_data"),
    "bytes that end early": (packed(LONG, packed=deflated("a", LONG).packed[:-4]), "archive.damaged_data"),
    "another name inside": (changed(local_name=b"b"), "archive.name_twice"),
    "another size inside": (changed(local_size=5), "archive.sizes_twice"),
    "other sizes after it": (a_zip(with_sizes_after(bytes(12))), "archive.sizes_after"),
    "no sizes after it": (a_zip(with_sizes_after(b"")), "archive.sizes_after"),
    "position of no file": (
        raw_zip(replace(stored("a", LONG), start=7), MANIFEST, PAGE),
        "archive.no_file",
    ),
    "position behind the end": (changed(start=10**6), "archive.entry_outside"),
    "more bytes than there are": (changed(packed_size=10**6), "archive.entry_outside"),
    "two entries, one file": (
        raw_zip(stored("a"), replace(stored("a"), name=b"b", start=0), MANIFEST, PAGE),
        "archive.overlap",
    ),
    "one file inside another": (
        raw_zip(stored("outer", named()), replace(stored("b"), start=30 + len("outer")), MANIFEST, PAGE),
        "archive.overlap",
    ),
    "part of several": (changed(disk=1), "archive.multi_disk"),
    # ------------------------------------------------ what the whole is
    "nothing": (b"", "file.empty"),
    "picture": (b"GIF89a" + bytes(100), "file.unknown"),
    "gzip": (b"\x1f\x8b\x08" + bytes(100), "file.other_archive"),
    "cut short": (HONEST[:-30], "archive.truncated"),
    "beginning missing": (HONEST[100:], "archive.truncated"),
    "script before it": (b"#!/bin/sh\n" + HONEST, "archive.directory_place"),
    "picture before it, positions put right": (moved(HONEST, b"GIF89a" + bytes(9)), "archive.bytes_before"),
    "bytes after it": (HONEST + b"more", "archive.bytes_after"),
    "empty zip after it": (HONEST + raw_zip(), "archive.directory_place"),
    "end record in the comment": (raw_zip(MANIFEST, PAGE, comment=raw_zip() + b"x"), "archive.comment"),
    "ends in the comment": (raw_zip(MANIFEST, PAGE, comment=b"PK\5\6" * 16_000), "archive.comment"),
    "comment missing": (raw_zip(MANIFEST, PAGE, comment=b"Made at the academy")[:-19], "archive.truncated"),
    "comment cut short": (raw_zip(MANIFEST, PAGE, comment=b"Made at the academy")[:-9], "archive.truncated"),
    "bytes after its comment": (raw_zip(MANIFEST, PAGE, comment=b"Made") + b"more", "archive.bytes_after"),
    "sign of an end after it": (HONEST + b"PK\5\6", "archive.bytes_after"),
    "fewer entries than claimed": (raw_zip(MANIFEST, PAGE, claimed_count=3), "archive.count"),
    "more entries than claimed": (raw_zip(MANIFEST, PAGE, claimed_count=1), "archive.count"),
    "first of several": (raw_zip(MANIFEST, PAGE, disk=1), "archive.multi_disk"),
    "wide end record elsewhere": (
        ZIP64[: ZIP64.rindex(b"PK\6\7") + 8]
        + struct.pack("<Q", 2**63)
        + ZIP64[ZIP64.rindex(b"PK\6\7") + 16 :],
        "archive.zip64_end",
    ),
    "wide count of millions": (
        raw_zip(MANIFEST, PAGE, claimed_count=2**40, zip64=True),
        "archive.too_many_entries",
    ),
    # ------------------------------------------------ where the manifest is
    "no manifest": (raw_zip(stored("page.txt")), "package.no_manifest"),
    "manifest that is a folder": (raw_zip(stored("imsmanifest.xml/a")), "package.no_manifest"),
    "manifest only in the litter": (
        raw_zip(stored("__MACOSX/imsmanifest.xml"), stored("a")),
        "package.no_manifest",
    ),
    "manifest twice": (raw_zip(MANIFEST, MANIFEST, PAGE), "name.duplicate"),
    "manifest in two cases": (
        raw_zip(MANIFEST, replace(MANIFEST, name=b"IMSMANIFEST.XML"), PAGE),
        "name.collision",
    ),
    "two packages side by side": (
        raw_zip(*(replace(MANIFEST, name=f"{folder}/imsmanifest.xml".encode()) for folder in "ab")),
        "package.several_manifests",
    ),
}

TAKEN: dict[str, tuple[bytes, str, list[str]]] = {
    "backslashes": (named("a\\b.txt"), "a/b.txt", ["name.backslash"]),
    "dots and empty parts": (named("./a//b.txt"), "a/b.txt", ["name.dot_segments"]),
    "Arabic": (named("مرحبا.txt"), "مرحبا.txt", []),
    "joiner": (named("ن\u200cا.txt"), "ن\u200cا.txt", []),
    "UTF-8 that does not say so": (a_zip(replace(stored("é"), flags=0)), "é", ["name.encoding"]),
    "code page 437": (a_zip(replace(stored(b"\x82"), flags=0)), "é", ["name.encoding"]),
    "not UTF-8 although it says so": (a_zip(stored(b"\x82")), "é", ["name.not_utf8"]),
    "overlong UTF-8 is no dot": (a_zip(stored(b"\xc0\xae\xc0\xae")), "└«└«", ["name.not_utf8"]),
    "UTF-8 name beside it that is none": (
        a_zip(replace(stored("x"), extra=unicode_path(b"x", b"\x82"))),
        "x",
        [],
    ),
    "UTF-8 name beside it": (
        a_zip(replace(stored("x"), extra=unicode_path(b"x", "ж".encode()))),
        "ж",
        [],
    ),
    "UTF-8 name of another": (a_zip(replace(stored("x"), extra=unicode_path(b"y", b"z"))), "x", []),
    "not for Windows": (named("what?.txt"), "what?.txt", ["name.unportable"]),
    "percent": (named("50%.txt"), "50%.txt", []),
    "percent-encoded space": (named("a%20b.txt"), "a%20b.txt", []),
    "set-user-id": (changed(unix_mode=0o104755), "a", ["archive.privileged"]),
    "set-group-id": (changed(unix_mode=0o102755), "a", ["archive.privileged"]),
    "from another system": (changed(unix_mode=0), "a", []),
    "bytes between files": (changed(after=bytes(100)), "a", ["archive.unclaimed"]),
    "sizes after it": (a_zip(with_sizes_after(SIZES)), "a", []),
    "sizes after it, marked": (a_zip(with_sizes_after(b"PK\7\x08" + SIZES)), "a", []),
    "sizes after it, wide": (
        a_zip(with_sizes_after(struct.pack("<LQQ", zlib.crc32(LONG), len(LONG), len(LONG)))),
        "a",
        [],
    ),
    "comment of 64 KiB": (raw_zip(MANIFEST, PAGE, stored("a"), comment=b"c" * 0xFFFF), "a", []),
    "zip in the zip": (a_zip(stored("a.zip", named("../../out"))), "a.zip", []),
    "folder of its own": (a_zip(stored("a/", b""), stored("a/b")), "a/b", []),
}
LITTER = (
    "__MACOSX/._index.html",
    "._index.html",
    "a/._b.js",
    ".DS_Store",
    "a/Thumbs.db",
    "desktop.ini",
    ".git/config",
    ".svn/entries",
    ".Spotlight-V100/store",
    ".Trashes/a",
    "a/Icon\r",
    "a/x.svg:Zone.Identifier",
    "a:Zone.Identifier",
)


@pytest.mark.parametrize("kind", REFUSED)
def test_what_would_harm_is_refused_with_its_own_code(tmp_path: Path, kind: str) -> None:
    archive, code = REFUSED[kind]

    report = refused(tmp_path, archive)

    assert code in codes(report)
    assert all(found.detail and found.remedy for found in report.findings)
    told = [found for found in report.findings if found.facts.get("name") and "package" not in found.code]
    assert [found.file for found in told] == [found.facts["name"] for found in told]


@pytest.mark.parametrize("kind", TAKEN)
def test_what_honest_tools_do_is_taken_and_told(tmp_path: Path, kind: str) -> None:
    archive, path, told = TAKEN[kind]

    report = imported(tmp_path, archive)

    assert report.package is not None, report.findings
    assert path in report.package.files
    assert codes(report) == told


@pytest.mark.parametrize("written", ["a\\b.txt", "./a//b.txt", "./a\\b.txt"])
def test_a_name_that_was_put_right_is_told_as_it_was_written(tmp_path: Path, written: str) -> None:
    report = imported(tmp_path, named(written))

    assert {found.facts["name"] for found in report.findings} == {written}


@pytest.mark.parametrize("name", ["console.html", "COM10", "comet.html", "a.con", "auxiliary", "null.txt"])
def test_a_name_that_only_begins_like_a_device_is_taken(tmp_path: Path, name: str) -> None:
    assert codes(imported(tmp_path, named(name))) == []


@pytest.mark.parametrize("name", LITTER)
def test_the_litter_of_an_operating_system_is_left_out(tmp_path: Path, name: str) -> None:
    report = imported(tmp_path, named(name))

    assert report.package is not None, report.findings
    assert set(report.package.files) == {"imsmanifest.xml", "index.html"}
    assert codes(report) == ["archive.litter"]


def test_a_name_in_the_manifest_finds_its_file_however_both_are_written(tmp_path: Path) -> None:
    page = '<resource identifier="page" type="webcontent" adlcp:scormtype="sco" href="Le%C3%A7on%201.html"/>'
    files = {"imsmanifest.xml": a_manifest_12(resources=page).encode(), "Lec\u0327on 1.html": b"<p>x</p>"}

    report = imported(tmp_path, files)

    assert report.package is not None, report.findings
    assert [unit.launch and unit.launch.path for unit in report.package.root.units()] == [
        "Lec\u0327on 1.html"
    ]


def test_no_more_is_told_than_one_can_read(tmp_path: Path) -> None:
    report = refused(tmp_path, named(*(f"../{number}" for number in range(50))))

    assert len(report.findings) == 20


def test_a_long_name_is_shown_in_part(tmp_path: Path) -> None:
    report = refused(tmp_path, named("x" * 5000))

    assert len(report.findings[0].detail) < 300
