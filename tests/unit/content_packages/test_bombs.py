"""What is made to exhaust a machine is refused in seconds and in little memory, each kind with its own code.

Each is imported by a process of its own, whose peak Linux tells.
"""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from content_packages.intake import read_package
from content_packages.shelf import Shelf
from tests.forking import forking
from tests.package_builders import (
    ITEM,
    RawEntry,
    a_manifest_12,
    a_manifest_2004,
    a_package,
    deflated,
    everything_under,
    raw_zip,
    stored,
    zipped,
)

MANIFEST, PAGE = (deflated(name, data) for name, data in a_package().items())
MIB = 2**20
MOST_KILOBYTES = 300 * 1024
MOST_SECONDS = 9  # of CPU, and less than one for a process to load what it takes
ON_LINUX = pytest.mark.skipif(
    sys.platform != "linux", reason="the peak of a process is read from Linux's /proc"
)
PROGRAM = """
import time
from pathlib import Path
from content_packages.intake import read_package
from content_packages.shelf import Shelf

def answer(package, shelf):
    report = read_package(Path(package), Shelf(Path(shelf)))
    return report.findings[0].code if report.refused else "taken", peak(), time.process_time()
"""


@pytest.fixture(scope="module")
def read() -> Iterator[Callable[..., list[str]]]:
    """What imports a package: taken or the code of its refusal, the peak in kilobytes, and the CPU time."""
    with forking(PROGRAM) as read:
        yield read


@cache
def zeros(mebibytes: int) -> bytes:
    """Return so much nothing, packed: one block that stands for itself, again and again."""
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    block = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * mebibytes + packer.flush()


def a_bomb(name: str, mebibytes: int, *, claimed: int | None = None) -> RawEntry:
    return replace(stored(name), packed=zeros(mebibytes), size=claimed or mebibytes * MIB, method=8)


def with_manifest(manifest: str | bytes) -> bytes:
    data = manifest.encode() if isinstance(manifest, str) else manifest
    return raw_zip(stored("imsmanifest.xml", data), PAGE)


def overlapping() -> bytes:
    """Return thousands of entries over the bytes of one, as in the zips of Fifield (2019)."""
    kernel = a_bomb("a", 10)
    return raw_zip(kernel, *(replace(kernel, name=b"%d" % n, packed=b"", start=0) for n in range(5000)))


def nested(levels: int) -> bytes:
    """Return zips in zips, each holding the next sixteen times: 16 to the power of the levels."""
    inner = raw_zip(a_bomb("a", 100))
    for _ in range(levels):
        inner = raw_zip(*(deflated(f"{n}.zip", inner) for n in range(16)))
    return raw_zip(deflated("imsmanifest.xml", a_package()["imsmanifest.xml"]), PAGE, stored("a.zip", inner))


def doubling(manifests: int) -> str:
    """Return manifests in the manifest, each using the next twice: 2 to the power of their number."""
    inner = "".join(
        f'<manifest identifier="m{n}"><organizations><organization identifier="o{n}"><title>T</title>'
        f'<item identifier="a{n}" identifierref="m{n + 1}"><title>A</title></item>'
        f'<item identifier="b{n}" identifierref="m{n + 1}"><title>B</title></item>'
        "</organization></organizations><resources/></manifest>"
        for n in range(manifests)
    )
    first = '<item identifier="first" identifierref="m0"><title>First</title></item>'
    return a_manifest_12(ITEM + first).replace("</resources></manifest>", f"</resources>{inner}</manifest>")


def deep_by_parts(manifests: int) -> str:
    """Return manifests in the manifest that each nest the next fifty levels down."""
    inner = "".join(
        f'<manifest identifier="m{n}"><organizations><organization identifier="o{n}">'
        + "".join(f'<item identifier="i{n}x{level}">' for level in range(50))
        + f'<item identifier="l{n}" identifierref="m{n + 1}"/>'
        + "</item>" * 50
        + "</organization></organizations><resources/></manifest>"
        for n in range(manifests)
    )
    first = '<item identifier="first" identifierref="m0"><title>First</title></item>'
    return a_manifest_12(ITEM + first).replace("</resources></manifest>", f"</resources>{inner}</manifest>")


LAUGHS = (
    "<!DOCTYPE m [<!ENTITY a0 'ha'>"
    + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12))
    + "]><m>&a11;</m>"
)
SAME = '<item identifier="same" identifierref="page"><title>T</title></item>'
OBJECTIVES = "".join(f'<imsss:objective objectiveID="o{n}"/>' for n in range(30_000))
MAPS = "".join(f'<adlseq:objective objectiveID="o{n}"/>' for n in range(30_000))
SEQUENCED = (
    '<item identifier="one" identifierref="page"><title>One</title><imsss:sequencing>'
    f"<imsss:objectives>{OBJECTIVES}</imsss:objectives><adlseq:objectives>{MAPS}</adlseq:objectives>"
    "</imsss:sequencing></item>"
)
PREFIXES = "".join(f' xmlns:p{n}="urn:{n}"' for n in range(50_000))
SPACES = "<schemaversion>a" + " " * 3_000_000 + "b</schemaversion>"
UNDECLARED = a_manifest_12().replace(' xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_rootv1p2"', "")

BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    # ------------------------------------------------ archives
    "one file, 1000 to 1": (lambda: raw_zip(MANIFEST, PAGE, a_bomb("a", 900)), "archive.ratio"),
    "one file that lies": (
        lambda: raw_zip(MANIFEST, PAGE, a_bomb("a", 1000, claimed=MIB)),
        "archive.size_lie",
    ),
    "manifest that lies": (
        lambda: raw_zip(a_bomb("imsmanifest.xml", 1000, claimed=MIB), PAGE),
        "archive.size_lie",
    ),
    "manifest of zeros": (lambda: raw_zip(a_bomb("imsmanifest.xml", 1000), PAGE), "archive.ratio"),
    "many small bombs": (
        lambda: raw_zip(MANIFEST, PAGE, *(a_bomb(f"{n}", 1) for n in range(2000))),
        "archive.total_ratio",
    ),
    "many halves of books": (
        lambda: raw_zip(
            *(stored(f"{n}/META-INF/container.xml") for n in range(9_000)),
            *(stored(f"other {n}/x.opf") for n in range(9_000)),
        ),
        "epub.no_container",
    ),
    "many files": (
        lambda: raw_zip(MANIFEST, PAGE, *(stored(f"{n}") for n in range(60_000))),
        "archive.too_many_entries",
    ),
    "overlapping files": (overlapping, "archive.overlap"),
    "zips in zips": (lambda: nested(4), "taken"),
    "comments": (
        lambda: raw_zip(MANIFEST, PAGE, *(replace(stored(f"{n}"), extra=bytes(0xFFF0)) for n in range(600))),
        "archive.directory_too_large",
    ),
    "gzip": (lambda: gzip.compress(bytes(50 * MIB)), "file.other_archive"),
    "picture of a billion pixels": (
        lambda: raw_zip(
            MANIFEST, PAGE, stored("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\0\0\0\1\0\0\x08\2")
        ),
        "taken",
    ),
    # ------------------------------------------------ manifests
    "a billion laughs": (lambda: with_manifest(LAUGHS), "xml.dtd"),
    "deep": (lambda: with_manifest("<a>" * 200_000 + "</a>" * 200_000), "xml.too_deep"),
    "deep and cut": (lambda: with_manifest("<a>" * 100_000), "xml.too_deep"),
    "wide": (lambda: with_manifest("<m>" + "<a/>" * 1_900_000 + "</m>"), "xml.too_many_nodes"),
    "wide, just within": (
        lambda: with_manifest("<m>" + "<a/>" * 199_000 + "</m>"),
        "package.not_a_manifest",
    ),
    "attributes": (
        lambda: with_manifest("<m " + " ".join(f'a{n}=""' for n in range(400_000)) + "/>"),
        "xml.too_many_attributes",
    ),
    "prefixes": (
        lambda: with_manifest(f"<m{PREFIXES}>" + "<a b='c'/>" * 50_000 + "</m>"),
        "xml.too_many_prefixes",
    ),
    "long": (
        lambda: raw_zip(stored("imsmanifest.xml", b"<m>" + b"x" * 9 * MIB + b"</m>"), PAGE),
        "xml.too_large",
    ),
    "white space in the version": (
        lambda: with_manifest(UNDECLARED.replace("<schemaversion>1.2</schemaversion>", SPACES)),
        "taken",
    ),
    "100,000 items": (lambda: with_manifest(a_manifest_12(SAME * 100_000)), "xml.too_many_nodes"),
    "30,000 items": (lambda: with_manifest(a_manifest_12(SAME * 30_000)), "manifest.too_many_items"),
    "9,000 items of one name": (lambda: with_manifest(a_manifest_12(SAME * 9_000)), "taken"),
    "30,000 objectives": (lambda: with_manifest(a_manifest_2004(SEQUENCED)), "taken"),
    "page of beginnings": (
        lambda: raw_zip(stored("index.html", (b"<html<title><script>" * 9 + b"<body><!---->" * 9) * 300)),
        "taken",
    ),
    "page of comments": (lambda: raw_zip(stored("index.html", b"<body>" + b"<!---->" * 9000)), "taken"),
    "page of languages": (lambda: raw_zip(stored("index.html", b"<html" * 13_000)), "taken"),
    "page of titles": (lambda: raw_zip(stored("index.html", b"<title>" * 9_000)), "taken"),
    "manifests that double": (lambda: with_manifest(doubling(40)), "manifest.too_many_items"),
    "manifests that deepen": (lambda: with_manifest(deep_by_parts(30)), "manifest.too_deep"),
}


@ON_LINUX
@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_is_judged_in_little_memory_and_time(
    read: Callable[..., list[str]], tmp_path: Path, kind: str
) -> None:
    make, expected = BOMBS[kind]
    path, shelf = tmp_path / "bomb.zip", tmp_path / "shelf"
    path.write_bytes(make())

    found, kilobytes, took_s = read(path, shelf)

    assert found == expected
    assert int(kilobytes) < MOST_KILOBYTES
    assert float(took_s) < MOST_SECONDS
    if expected != "taken":
        assert [one for one in everything_under(shelf) if one.is_file()] == []


def test_a_zip_in_the_zip_is_kept_closed(tmp_path: Path) -> None:
    inner = zipped({"../out.txt": b"x"})
    path = tmp_path / "a.zip"
    path.write_bytes(raw_zip(MANIFEST, PAGE, stored("inner.zip", inner)))

    report = read_package(path, Shelf(tmp_path / "shelf"))

    assert not report.refused
    assert not (tmp_path / "out.txt").exists()
