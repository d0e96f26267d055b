"""Films and recordings that break off, in packages and by themselves; those that are whole are taken without a word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content_packages.intake import ImportReport, read_package
from content_packages.media_ends import MediaEnds
from content_packages.shelf import Shelf
from tests.media_builders import a_box, a_webm, a_zip_of, an_mp3, an_mp4
from tests.package_builders import a_package, codes, imported

INDEX_FIRST = an_mp4()[:16] + an_mp4()[124:] + an_mp4()[16:124]  # ftyp, moov, mdat
WIDE = INDEX_FIRST[:-108] + b"\0\0\0\1mdat" + (116).to_bytes(8, "big") + bytes(100)
TO_THE_END = INDEX_FIRST[:-108] + b"\0\0\0\0mdat" + bytes(50)
WITH_A_TAG_BEHIND = an_mp3(1) + b"TAG" + bytes(125)

WHOLE = {
    "a.mp4": an_mp4(),
    "b.mp4": INDEX_FIRST,
    "c.m4v": WIDE,
    "d.mov": TO_THE_END,
    "e.webm": a_webm(),
    "f.webm": a_webm(live=True),
    "g.weba": a_webm(200),
    "h.mp3": an_mp3(1),
    "i.mp3": an_mp3(60, counted=True),
    "j.mp3": an_mp3(1, title="A talk"),
    "k.mp3": WITH_A_TAG_BEHIND,
    "l.mp4": a_box(b"styp", b"msdh")
    + a_box(b"moof", bytes(9)),  # of a stream, whose index is in another file
    "m.MP3": b"\0" * 500 + an_mp3(1),
}


def alone(folder: Path, data: bytes, name: str) -> ImportReport:
    path = folder / "upload"
    path.write_bytes(data)
    return read_package(path, Shelf(folder / "shelf"), file_name=name)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


class Stream:
    def __init__(self, data: bytes, size: int) -> None:
        self._pieces = pieces(data, size)

    def read(self, _: int, /) -> bytes:
        return next(self._pieces, b"")


def told(data: bytes, extension: str, *, size: int = 2**18) -> list[str]:
    ends = MediaEnds()
    stream = ends.watch(Stream(data, size), f"a.{extension}", extension)
    while stream.read(size):
        pass
    return [one.code for one in ends.findings(str)]


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("size", [1, 7, 64, 2**18])
def test_what_is_whole_is_taken_without_a_word(name: str, size: int) -> None:
    assert told(WHOLE[name], name.rpartition(".")[2].lower(), size=size) == []


@pytest.mark.parametrize(
    ("data", "extension", "codes"),
    [
        (an_mp4()[:60], "mp4", ["media.unplayable"]),
        (INDEX_FIRST[:-50], "mp4", ["media.cut_short"]),
        (WIDE[:-50], "m4v", ["media.cut_short"]),
        (a_webm()[:-1], "webm", ["media.cut_short"]),
        (a_webm(live=True)[:-1], "webm", ["media.cut_short"]),
        (an_mp3(1)[:-50], "mp3", ["media.cut_short"]),
        (an_mp3(60, counted=True)[: -104 * 100], "mp3", ["media.cut_short"]),
        (an_mp4(codec=b"hvc1"), "mp4", ["film.codec"]),
        (an_mp4(codec=b"mebx", handler=b"meta"), "mov", []),  # how a telephone was held
        (b"", "webm", ["media.unplayable"]),
        (b"version https://git-lfs.github.com/spec/v1", "mp4", ["media.unplayable"]),
        (b"<!DOCTYPE html><title>Not found</title>", "mp3", ["media.unplayable"]),
    ],
)
@pytest.mark.parametrize("size", [1, 2**18])
def test_what_breaks_off_or_cannot_be_played_is_told(
    data: bytes, extension: str, codes: list[str], size: int
) -> None:
    assert told(data, extension, size=size) == codes


@pytest.mark.parametrize(("empty", "codes"), [(1_000, ["media.cut_short"]), (100_000, [])])
def test_a_film_of_nothing_but_heads_is_not_followed_to_its_end(empty: int, codes: list[str]) -> None:
    assert told(a_webm(0, live=True) + b"\xec\x80" * empty + b"\xec\x84", "webm") == codes


@given(st.binary(max_size=300), st.sampled_from(["mp4", "webm", "mp3"]), st.sampled_from([1, 5, 300]))
def test_no_bytes_are_too_strange(noise: bytes, extension: str, size: int) -> None:
    for begin in (b"", an_mp4(), a_webm(3, live=True), an_mp3(0.1, title="x", counted=True)):
        assert told(begin + noise, extension, size=size) == told(begin + noise, extension)


def test_films_that_no_browser_plays_are_told(tmp_path: Path) -> None:
    report = imported(tmp_path, a_package(**{"film/a.WMV": b"x", "film/b.avi": b"x"}))

    assert [(one.code, one.file, one.facts["count"]) for one in report.findings] == [
        ("media.old_format", "film/a.WMV", 2)
    ]


def test_a_film_in_a_package_that_breaks_off_is_a_warning(tmp_path: Path) -> None:
    report = imported(tmp_path, a_package(**{"film/a.webm": a_webm()[:-500], "film/b.mp4": INDEX_FIRST}))

    assert not report.refused
    assert [(one.code, one.file, one.severity) for one in report.findings] == [
        ("media.cut_short", "film/a.webm", "warning")
    ]


@pytest.mark.parametrize(
    ("data", "name"),
    [(a_webm()[:-500], "Search.webm"), (an_mp3(60, counted=True)[: -104 * 400], "Talk.mp3")],
)
def test_a_file_that_lacks_more_than_a_tenth_is_refused(tmp_path: Path, data: bytes, name: str) -> None:
    report = alone(tmp_path, data, name)

    assert report.refused
    assert [(one.code, one.file) for one in report.findings if one.severity == "error"] == [
        ("media.too_short", name)
    ]
    assert report.standard is not None
    assert not [path for path in (tmp_path / "shelf").rglob("*") if path.is_file()]


def test_a_file_that_lacks_little_is_taken_and_told_by_its_name(tmp_path: Path) -> None:
    report = alone(tmp_path, a_webm(200)[:-500], "Search.webm")

    assert not report.refused
    assert ("media.cut_short", "Search.webm") in [(one.code, one.file) for one in report.findings]


def test_a_film_and_its_captions_are_refused_without_the_end_of_the_film(tmp_path: Path) -> None:
    captions = "WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n"

    report = imported(tmp_path, a_zip_of({"film.mp4": an_mp4()[:60], "film.en.vtt": captions}))

    assert codes(report)[0] == "media.too_short"
