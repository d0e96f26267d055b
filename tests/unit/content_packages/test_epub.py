"""A book: the order of its parts, its table of contents, and what is refused."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import pytest

from content_packages.files.container import open_container
from content_packages.files.epub import read as read_book
from content_packages.intake import ImportReport, read_package
from content_packages.limits import Limits
from content_packages.manifest.source import Source
from content_packages.package import Heading, from_json
from content_packages.shelf import Shelf
from tests.media_builders import a_page, a_zip_of, an_epub

LOCKED = (
    '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><EncryptedData>'
    '<EncryptionMethod Algorithm="{}"/></EncryptedData></encryption>'
)
NCX = (
    '<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "http://www.daisy.org/z3986/2005/ncx-2005-1.dtd">'
    '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap><navPoint><navLabel><text>Old</text></navLabel>'
    '<content src="text/part%201.xhtml#a"/></navPoint></navMap></ncx>'
)


def imported(folder: Path, data: bytes) -> ImportReport:
    path = folder / "book.epub"
    path.write_bytes(data)
    return read_package(path, Shelf(folder / "shelf"))


def codes(report: ImportReport) -> list[str]:
    return [found.code for found in report.findings]


def test_a_book_is_a_course_of_its_parts_in_order(tmp_path: Path) -> None:
    report = imported(tmp_path, an_epub(language="ar", direction="rtl", title="  First\n aid "))

    package = report.package
    assert package is not None
    assert package.book is not None
    assert package.book.spine == ("OEBPS/text/part 1.xhtml", "OEBPS/text/part 2.xhtml")
    assert package.book.direction == "rtl"
    assert package.book.toc == (Heading(title="Chapter 1", part=0), Heading(title="Chapter 2", part=1))
    assert (package.title, package.languages, package.edition) == ("First aid", ("ar",), "EPUB")
    assert package.root.units()[0].viewer == "epub"
    assert from_json(package.to_json()) == package
    assert codes(report) == []


@pytest.mark.parametrize(
    ("folder", "mimetype", "told"),
    [("", False, ["epub.mimetype"]), ("book/", True, ["package.nested_root"])],
)
def test_a_book_that_was_zipped_by_hand_is_read(
    tmp_path: Path, folder: str, mimetype: bool, told: list[str]
) -> None:
    with zipfile.ZipFile(io.BytesIO(an_epub())) as book:
        files = {folder + name: book.read(name) for name in book.namelist() if mimetype or name != "mimetype"}

    report = imported(tmp_path, a_zip_of(files))

    assert report.package is not None, report.findings
    assert report.package.book is not None
    assert len(report.package.book.spine) == 2
    assert codes(report) == told


def test_headings_are_nested_and_lead_to_places_in_parts(tmp_path: Path) -> None:
    nav = a_page(
        '<nav><ol><li><span>Part</span><ol><li><a href="text/part%202.xhtml#b"><em>Deep</em> one</a></li></ol></li>'
        '<li><a href="http://elsewhere.example/">Away</a></li></ol></nav>'
    )

    package = imported(tmp_path, an_epub(nav=nav)).package

    assert package is not None
    assert package.book is not None
    assert package.book.toc == (Heading(title="Deep one", part=1, fragment="b", level=2),)


def test_an_older_book_tells_its_contents_in_an_ncx(tmp_path: Path) -> None:
    old = an_epub()
    opf = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="2.0"><metadata/><manifest>'
        '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
        '<item id="p" href="text/part%201.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine toc="ncx"><itemref idref="p"/></spine></package>'
    )
    old = an_epub(files={"OEBPS/book.opf": opf, "OEBPS/toc.ncx": NCX})

    package = imported(tmp_path, old).package

    assert package is not None
    assert package.book is not None
    assert package.book.toc == (Heading(title="Old", part=0, fragment="a"),)
    assert package.title == "book"


def test_what_is_left_out_or_cannot_be_read_is_told(tmp_path: Path) -> None:
    opf = (
        '<package xmlns="http://www.idpf.org/2007/opf"><manifest>'
        '<item id="a" href="text/part%201.xhtml" media-type="application/xhtml+xml" properties="scripted"/>'
        '<item id="b" href="../../etc/passwd" media-type="application/xhtml+xml"/>'
        '<item id="c" href="text/part%202.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="a"/><itemref idref="b"/><itemref idref="c" linear="no"/></spine></package>'
    )

    report = imported(tmp_path, an_epub(files={"OEBPS/book.opf": opf}))

    assert report.package is not None
    assert report.package.book is not None
    assert report.package.book.spine == ("OEBPS/text/part 1.xhtml",)
    assert codes(report) == ["epub.part_missing", "epub.scripts", "epub.no_contents"]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        (
            {"META-INF/encryption.xml": LOCKED.format("http://www.w3.org/2001/04/xmlenc#aes128-cbc")},
            "epub.encrypted",
        ),
        ({"META-INF/container.xml": "<container/>"}, "epub.container"),
        ({"OEBPS/book.opf": "<package><spine/></package>"}, "epub.empty"),
        (
            {
                "OEBPS/book.opf": "<package><manifest><item id='a' href='https://elsewhere.example/1.xhtml' "
                "media-type='application/xhtml+xml'/></manifest><spine><itemref idref='a'/></spine></package>"
            },
            "epub.nothing_here",
        ),
        ({"OEBPS/book.opf": "<package"}, "xml.unclosed"),
        ({"OEBPS/book.opf": '<!DOCTYPE a [<!ENTITY b "c">]><package>&b;</package>'}, "xml.dtd"),
        ({"mimetype": "application/zip"}, "package.no_manifest"),
    ],
)
def test_a_book_that_cannot_be_read_is_refused(tmp_path: Path, files: dict[str, str], code: str) -> None:
    report = imported(tmp_path, an_epub(files=files))

    assert report.refused
    assert codes(report) == [code]


def test_fonts_that_are_only_obfuscated_do_not_lock_a_book_and_are_told(tmp_path: Path) -> None:
    fonts = {"META-INF/encryption.xml": LOCKED.format("http://www.idpf.org/2008/embedding")}

    report = imported(tmp_path, an_epub(files=fonts))

    assert not report.refused
    assert [(one.code, one.severity, one.facts["count"]) for one in report.findings] == [
        ("epub.fonts", "warning", 1)
    ]


def test_a_book_of_very_many_parts_and_headings_is_read_at_once(tmp_path: Path) -> None:
    lines = "".join(f'<li><a href="text/part%20{n % 3000 + 1}.xhtml">{n}</a></li>' for n in range(60_000))
    nav = f'<html xmlns="http://www.w3.org/1999/xhtml"><body><nav><ol>{lines}</ol></nav></body></html>'
    title = f"x</dc:title><dc:description>{'&lt;' * 150_000}</dc:description><dc:title>y"
    book = an_epub(["<p>"] * 3000, title=title, nav=nav)
    path = tmp_path / "book.epub"
    path.write_bytes(book)
    with open_container(path, Limits()) as container:
        source = Source(
            main="META-INF/container.xml",
            names=container.members,
            open=container.open,
            limits=Limits(),
            findings=[],
            given_name="book.epub",
        )
        began = time.process_time()
        package = read_book(source)
        took_s = time.process_time() - began

    assert package.book is not None
    assert (len(package.book.spine), len(package.book.toc)) == (3000, 1000)
    assert took_s < 5  # one second where nothing else runs; it took more than ten
