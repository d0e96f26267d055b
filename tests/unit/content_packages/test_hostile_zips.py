"""Zips as they should be, the limits they meet, and what is said of the one that lies."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from content_packages.archive import Archive, open_archive
from content_packages.errors import PackageRefusedError
from content_packages.limits import Limits
from tests.package_builders import (
    RawEntry,
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


def a_zip(*entries: RawEntry, zip64: bool = False, comment: bytes = b"") -> bytes:
    return raw_zip(MANIFEST, PAGE, *entries, zip64=zip64, comment=comment)


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


def _narrow_end(archive: bytes, *, count: int = 2, start_off_by: int = 0) -> bytes:
    """Say everything in the ordinary end record too, as Python and others do beyond 2 GB where it still fits."""
    at = archive.rindex(b"PK\6\6")
    size, start = struct.unpack_from("<2Q", archive, at + 40)
    told = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, size, start + start_off_by, 0)
    return archive[: archive.rindex(b"PK\5\6")] + told


def test_a_zip64_end_that_the_ordinary_one_need_not_point_to_is_taken(tmp_path: Path) -> None:
    report = imported(tmp_path, _narrow_end(a_zip(zip64=True)))

    assert not report.refused, report.findings
    assert codes(report) == []


@pytest.mark.parametrize("wrong", [{"count": 1}, {"start_off_by": 5}])
def test_two_end_records_that_say_different_things_are_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    assert codes(refused(tmp_path, _narrow_end(a_zip(zip64=True), **wrong))) == ["archive.ends_differ"]


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


def test_bytes_behind_the_data_of_a_file_are_left_out_and_told(tmp_path: Path) -> None:
    honest = deflated("a.txt", LONG)
    longer = [
        replace(honest, name=name, packed=honest.packed + b"more" * 100_000) for name in (b"a.txt", b"b.js")
    ]

    report = imported(tmp_path, a_zip(*longer))

    assert report.package is not None
    assert report.package.files["a.txt"].size == len(LONG)
    assert [(one.code, one.file, one.facts["count"]) for one in report.findings] == [
        ("archive.after_data", "a.txt", 2)
    ]


# ------------------------------------------------------------------ limits and lies


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(max_archive_bytes=100), "archive.too_large"),
        (Limits(max_entries=2), "archive.too_many_entries"),
        (Limits(max_directory_bytes=50), "archive.directory_too_large"),
        (Limits(max_unpacked_bytes=900), "archive.unpacked_too_large"),
        (Limits(max_file_bytes=999), "archive.file_too_large"),
        (Limits(ratio_free_bytes=100, max_ratio=5), "archive.ratio"),
        (Limits(max_path_chars=4), "name.too_long"),
        (Limits(max_path_levels=0), "name.too_deep"),
    ],
)
def test_each_limit_has_its_own_refusal(tmp_path: Path, limits: Limits, code: str) -> None:
    report = refused(tmp_path, a_zip(deflated("a.txt", LONG)), limits=limits)

    found = next(one for one in report.findings if one.code == code)
    setting = str(found.facts["setting"])
    assert found.facts["limit"] == getattr(limits, setting)
    assert found.facts["default"] == getattr(Limits(), setting)
    assert setting in found.remedy


def test_reading_a_file_the_archive_lies_about_names_it(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(raw_zip(replace(stored("bad.txt", LONG), crc=1)))

    with (
        open_archive(path, Limits()) as archive,
        pytest.raises(PackageRefusedError, match=r"bad\.txt"),
    ):
        list(pieces(archive, "bad.txt"))
