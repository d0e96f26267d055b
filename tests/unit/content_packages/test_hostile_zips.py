"""Zips that lie: each contradiction refuses the archive with its own code, and leaves nothing behind."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from content_packages.archive import Archive, open_archive
from content_packages.errors import PackageRefusedError
from content_packages.intake import ImportReport
from content_packages.limits import Limits
from tests.package_builders import (
    UTF8,
    RawEntry,
    a_package,
    codes,
    deflated,
    imported,
    raw_zip,
    stored,
)

MANIFEST, PAGE = (deflated(name, data) for name, data in a_package().items())
LONG = b"0123456789" * 100


def a_zip(*entries: RawEntry, zip64: bool = False, comment: bytes = b"") -> bytes:
    return raw_zip(MANIFEST, PAGE, *entries, zip64=zip64, comment=comment)


def refused(folder: Path, archive: bytes, *, limits: Limits | None = None) -> ImportReport:
    report = imported(folder, archive, limits=limits)
    assert report.refused
    assert not [path for path in (folder / "shelf").rglob("*") if path.is_file()]
    return report


def zip64_field(*numbers: int) -> bytes:
    return struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers)


def pieces(archive: Archive, name: str) -> Iterator[bytes]:
    reader = archive.open(name)
    while piece := reader.read(7):
        yield piece


# ------------------------------------------------------------------ what is taken


@pytest.mark.parametrize(
    "archive",
    [
        a_zip(),
        a_zip(stored("a/b.txt", b"")),
        a_zip(stored("a/", b""), stored("a/b.txt")),
        a_zip(comment=b"made by a tool"),
        a_zip(zip64=True),
        a_zip(replace(stored("a.txt", LONG), extra=b"\x55\x54\x05\x00\x03abcd")),
        a_zip(replace(stored("a.txt"), unix_mode=0)),
    ],
    ids=["deflated", "stored", "with folders", "comment", "zip64", "extra field", "from another system"],
)
def test_an_honest_zip_is_taken_without_a_word(tmp_path: Path, archive: bytes) -> None:
    report = imported(tmp_path, archive)

    assert not report.refused
    assert codes(report) == []


def test_every_byte_arrives(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(raw_zip(stored("s", LONG), deflated("d", LONG), stored("empty", b"")))

    with open_archive(path, Limits()) as archive:
        unpacked = {name: b"".join(pieces(archive, name)) for name in archive.members}

    assert unpacked == {"s": LONG, "d": LONG, "empty": b""}


def test_sizes_may_stand_in_the_zip64_field(tmp_path: Path) -> None:
    entry = stored("a.txt", LONG)
    wide = replace(entry, size=0xFFFFFFFF, local_size=len(LONG), extra=zip64_field(len(LONG)))

    report = imported(tmp_path, a_zip(wide))

    assert report.package is not None, report.findings
    assert report.package.files["a.txt"].size == len(LONG)


# ------------------------------------------------------------------ lies about bytes


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (replace(stored("a", LONG), crc=1), "archive.checksum"),
        (replace(deflated("a", LONG), crc=1), "archive.checksum"),
        (replace(deflated("a", LONG), size=999), "archive.size_lie"),
        (replace(deflated("a", LONG), size=1001), "archive.size_lie"),
        (replace(stored("a", LONG), size=999), "archive.size_lie"),
        (replace(stored("a", LONG), size=1001), "archive.size_lie"),
        (replace(deflated("a", LONG), packed=b"\xff" * 20), "archive.damaged_data"),
        (replace(deflated("a", LONG), packed=deflated("a", LONG).packed[:-4]), "archive.damaged_data"),
        (replace(stored("a", LONG), local_size=5), "archive.contradiction"),
        (replace(stored("a", LONG), local_name=b"b"), "archive.contradiction"),
        (replace(stored("a", LONG), start=7), "archive.contradiction"),
        (replace(stored("a", LONG), packed_size=10**6), "archive.entry_truncated"),
        (replace(stored("a", LONG), start=10**6), "archive.entry_truncated"),
        (replace(stored("a/", LONG)), "archive.contradiction"),
    ],
)
def test_an_entry_that_lies_is_refused(tmp_path: Path, entry: RawEntry, code: str) -> None:
    report = refused(tmp_path, raw_zip(entry, MANIFEST, PAGE))

    assert code in codes(report)


def test_two_entries_that_share_bytes_are_refused(tmp_path: Path) -> None:
    archive = raw_zip(stored("a", LONG), replace(stored("a", LONG), start=0), MANIFEST, PAGE)

    assert codes(refused(tmp_path, archive)) == ["archive.overlap"]


def test_an_entry_hidden_in_the_bytes_of_another_is_refused(tmp_path: Path) -> None:
    inner = raw_zip(stored("inner", b"x"))
    outer = stored("outer", inner)
    hidden = replace(stored("inner", b"x"), start=30 + len("outer"))

    assert codes(refused(tmp_path, raw_zip(outer, hidden, MANIFEST, PAGE))) == ["archive.overlap"]


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (replace(stored("a"), flags=UTF8 | 0x1), "archive.encrypted"),
        (replace(stored("a"), flags=UTF8 | 0x41), "archive.encrypted"),
        (replace(stored("a"), flags=UTF8 | 0x2000), "archive.encrypted"),
        (replace(stored("a"), method=12), "archive.method"),
        (replace(stored("a"), method=99), "archive.method"),
        (replace(stored("a"), unix_mode=0o120777), "archive.symlink"),
        (replace(stored("a"), unix_mode=0o020666), "archive.special_file"),
        (replace(stored("a"), unix_mode=0o010666), "archive.special_file"),
        (replace(stored("a"), disk=1), "archive.multi_disk"),
    ],
)
def test_what_no_course_needs_is_refused(tmp_path: Path, entry: RawEntry, code: str) -> None:
    assert codes(refused(tmp_path, a_zip(entry))) == [code]


# ------------------------------------------------------------------ lies about the whole


@pytest.mark.parametrize(
    ("archive", "code"),
    [
        (b"", "archive.not_a_zip"),
        (b"PK\3\4", "archive.truncated"),
        (b"GIF89a" + b"x" * 100, "archive.not_a_zip"),
        (b"#!/bin/sh\n" + a_zip(), "archive.foreign_data"),
        (a_zip() + b"more", "archive.foreign_data"),
        (a_zip()[:-22] + raw_zip()[-22:], "archive.foreign_data"),
        (a_zip()[100:], "archive.truncated"),
        (raw_zip(MANIFEST, PAGE, claimed_count=1), "archive.contradiction"),
        (raw_zip(MANIFEST, PAGE, claimed_count=3), "archive.contradiction"),
        (raw_zip(MANIFEST, PAGE, disk=1), "archive.multi_disk"),
    ],
)
def test_a_zip_that_is_not_one_whole_is_refused(tmp_path: Path, archive: bytes, code: str) -> None:
    assert codes(refused(tmp_path, archive)) == [code]


def test_a_wide_end_record_that_is_not_there_is_refused(tmp_path: Path) -> None:
    honest = a_zip(zip64=True)
    at = honest.rindex(b"PK\6\7") + 8
    moved = honest[:at] + struct.pack("<Q", 2**63) + honest[at + 8 :]

    assert codes(refused(tmp_path, moved)) == ["archive.contradiction"]


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(max_archive_bytes=100), "archive.too_large"),
        (Limits(max_entries=2), "archive.too_many_entries"),
        (Limits(max_directory_bytes=50), "archive.directory_too_large"),
        (Limits(max_unpacked_bytes=900), "archive.unpacked_too_large"),
        (Limits(max_file_bytes=999), "archive.file_too_large"),
        (Limits(ratio_free_bytes=100, max_ratio=5), "archive.ratio"),
    ],
)
def test_each_limit_has_its_own_refusal(tmp_path: Path, limits: Limits, code: str) -> None:
    assert code in codes(refused(tmp_path, a_zip(deflated("a.txt", LONG)), limits=limits))


def test_a_count_of_millions_costs_nothing(tmp_path: Path) -> None:
    archive = raw_zip(MANIFEST, PAGE, claimed_count=2**40, zip64=True)

    assert codes(refused(tmp_path, archive)) == ["archive.too_many_entries"]


# ------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (b"", "name.empty"),
        (b"./.", "name.empty"),
        (b"page.html\0.txt", "name.nul"),
        ("x\u202egnp.js".encode(), "name.deceiving"),
        ("x\u200b.js".encode(), "name.deceiving"),
        (b"a\x1b[2J.js", "name.control"),
        (b"a/../../b", "name.traversal"),
        (b"a\\..\\b", "name.traversal"),
        (b"..", "name.traversal"),
        (b"\\\\host\\share", "name.unc"),
        (b"\\windows\\x", "name.absolute"),
        (b"c:x", "name.drive"),
        (b"CON", "name.reserved"),
        (b"a/nul.txt/b", "name.reserved"),
        ("com¹.js".encode(), "name.reserved"),
        (b"a /b", "name.trailing"),
        (b"a/b.", "name.trailing"),
        (b"a/...", "name.trailing"),
    ],
)
def test_a_name_that_means_harm_is_refused(tmp_path: Path, name: bytes, code: str) -> None:
    assert codes(refused(tmp_path, a_zip(stored(name)))) == [code]


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ("a.txt", "a.txt", "name.duplicate"),
        ("a.txt", "./a.txt", "name.duplicate"),
        ("a.txt", "A.TXT", "name.collision"),
        ("caf\u00e9.txt", "cafe\u0301.txt", "name.collision"),
        ("stra\u00dfe.txt", "STRASSE.txt", "name.collision"),
        ("a\\b.txt", "a/b.txt", "name.duplicate"),
        ("a", "A/b.txt", "name.file_is_folder"),
        ("index.html", "Index.HTML", "name.collision"),
    ],
)
def test_two_names_one_disk_takes_for_one_are_refused(
    tmp_path: Path, first: str, second: str, code: str
) -> None:
    entries = [stored(first), stored(second)] if first != "index.html" else [stored(second)]

    assert code in codes(refused(tmp_path, a_zip(*entries)))


def test_no_more_is_told_than_one_can_read(tmp_path: Path) -> None:
    report = refused(tmp_path, a_zip(*(stored(f"../{number}") for number in range(50))))

    assert len(report.findings) == 20


def test_a_long_name_is_shown_in_part(tmp_path: Path) -> None:
    report = refused(tmp_path, a_zip(stored("x" * 5000)))

    assert len(report.findings[0].detail) < 300


# ------------------------------------------------------------------ names that are put right


@pytest.mark.parametrize(
    ("entry", "path", "found"),
    [
        (stored("a\\b.txt"), "a/b.txt", ["name.backslash"]),
        (stored("./a//b.txt"), "a/b.txt", ["name.dot_segments"]),
        (stored("\u0645\u0631\u062d\u0628\u0627.txt"), "\u0645\u0631\u062d\u0628\u0627.txt", []),
        (replace(stored("é.txt"), flags=0), "é.txt", ["name.encoding"]),
        (replace(stored(b"\x82.txt"), flags=0), "é.txt", ["name.encoding"]),
        (stored("\u0646\u200c\u0627.txt"), "\u0646\u200c\u0627.txt", []),
    ],
)
def test_what_honest_tools_get_wrong_is_put_right(
    tmp_path: Path, entry: RawEntry, path: str, found: list[str]
) -> None:
    report = imported(tmp_path, a_zip(entry))

    assert report.package is not None, report.findings
    assert path in report.package.files
    assert codes(report) == found


@pytest.mark.parametrize(
    "name", ["__MACOSX/._index.html", ".DS_Store", "a/Thumbs.db", "desktop.ini", ".git/config"]
)
def test_the_litter_of_an_operating_system_is_left_out(tmp_path: Path, name: str) -> None:
    report = imported(tmp_path, a_zip(stored(name)))

    assert report.package is not None
    assert set(report.package.files) == {"imsmanifest.xml", "index.html"}
    assert codes(report) == ["archive.litter"]


def test_reading_a_file_the_archive_lies_about_names_it(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(raw_zip(replace(stored("bad.txt", LONG), crc=1)))

    with (
        open_archive(path, Limits()) as archive,
        pytest.raises(PackageRefusedError, match=r"bad\.txt"),
    ):
        list(pieces(archive, "bad.txt"))
