"""Single files become courses of one unit: the bytes decide what they are, and they tell their own title."""

from __future__ import annotations

import time
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content_packages.files import id3, mp4, pdf, pdf_password
from content_packages.files.kinds import kind_of
from content_packages.intake import ImportReport, read_package
from content_packages.limits import Limits
from content_packages.package import Caption, Package, from_json, standard_name
from content_packages.shelf import Shelf
from tests.media_builders import WEBM_HEAD, a_box, a_locked_pdf, a_pdf, a_zip_of, an_mp3, an_mp4

QUESTIONS = (
    "<manifest xmlns='http://www.imsglobal.org/xsd/imscp_v1p1'><metadata><schema>QTIv2.1 Package</schema></metadata>"
    "<organizations/><resources><resource identifier='r' type='imsqti_item_xmlv2p1' href='q.xml'/></resources>"
    "</manifest>"
)
BLACKBOARD = (
    "<manifest xmlns:bb='http://www.blackboard.com/content-packaging/'><organizations/><resources>"
    "<resource identifier='r' type='course/x-bb-coursesetting' bb:file='res00001.dat'/></resources></manifest>"
)
PDF_LATER = b"\n\n" + a_pdf()


class Counted(BytesIO):
    """A file that counts how often it is read."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        return super().read(size)


def imported(
    folder: Path, data: bytes, name: str = "upload.bin", limits: Limits | None = None
) -> ImportReport:
    path = folder / "0b1c.zip"
    path.write_bytes(data)
    return read_package(path, Shelf(folder / "shelf"), file_name=name, limits=limits)


def taken(folder: Path, data: bytes, name: str | None = "upload.bin") -> Package:
    package = imported(folder, data, name).package
    assert package is not None
    return package


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (a_pdf(), "PDF"),
        (PDF_LATER, "PDF"),
        (an_mp4(), "MP4"),
        (an_mp4(brand=b"M4A "), "MP4"),
        (WEBM_HEAD + b"V_VP9", "WebM"),
        (an_mp3(1), "MP3"),
        (an_mp3(1, title="x"), "MP3"),
        (WEBM_HEAD.replace(b"webm", b"mkv "), None),
        (an_mp4(brand=b"heic"), None),  # a photograph
        (b"\xff\xfb\x10\xc4" + bytes(100) + b"\xff\xd8", None),  # one frame and no second
        (b"\xff\xfe<\0x\0m\0l\0", None),  # a text with a byte-order mark
        (b"\xff\xd8\xff\xe0JFIF", None),
        (b"PK\3\4%PDF-1.4", None),
        (b"%PDF", None),
        (b"", None),
    ],
)
def test_the_bytes_decide_what_a_file_is(head: bytes, name: str | None) -> None:
    kind = kind_of(head)

    assert (kind and kind.name) == name


@pytest.mark.parametrize(
    ("data", "file_name", "edition", "viewer", "path"),
    [
        (a_pdf(), "h.mp4", "PDF", "pdf", "document.pdf"),
        (an_mp4(), "film.bin", "MP4", "video", "video.mp4"),
        (an_mp4(handler=b"soun", codec=b"mp4a"), "talk.mp4", "MP4", "audio", "video.mp4"),
        (an_mp4(brand=b"M4A ", codec=b"mp4a"), "talk.m4a", "MP4", "audio", "audio.m4a"),
        (WEBM_HEAD + b"V_VP9", "film.webm", "WebM", "video", "video.webm"),
        (WEBM_HEAD + b"A_OPUS", "talk.webm", "WebM", "audio", "audio.weba"),
        (an_mp3(1), "talk.mp3", "MP3", "audio", "audio.mp3"),
    ],
)
def test_a_file_is_a_course_of_one_unit(  # noqa: PLR0917 - one row of a table
    tmp_path: Path, data: bytes, file_name: str, edition: str, viewer: str, path: str
) -> None:
    package = taken(tmp_path, data, file_name)

    (unit,) = package.root.units()
    assert (standard_name(package.standard, package.edition), package.data_model) == (edition, "scorm2004")
    assert (unit.viewer, unit.kind, unit.launch and unit.launch.path) == (viewer, "sco", path)
    assert unit.completion_threshold == (1.0 if viewer == "pdf" else 0.9)
    assert set(package.files) == {path}
    assert from_json(package.to_json()) == package


@pytest.mark.parametrize(
    ("data", "file_name", "title"),
    [
        (a_pdf(title="Border posts"), "x.pdf", "Border posts"),
        (a_pdf(title=r"Search \(and\) sei\172ure"), "x.pdf", "Search (and) seizure"),
        (a_pdf(title="Microsoft Word - Handbook.docx"), "x.pdf", "Handbook"),
        (a_pdf(title=""), "hand_book  2.pdf", "hand book 2"),
        (a_pdf(title="untitled"), "C:handbook.pdf", "C:handbook"),
        (
            a_pdf().replace(b"(Border posts)", b"<FEFF062F06440 64A0644>"),
            "x.pdf",
            "\u062f\u0644\u064a\u0644",
        ),
        (
            a_pdf().replace(b"/Info", b"/Nofi")
            + b'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">A &amp; B</rdf:li></rdf:Alt></dc:title>%%EOF',
            "x.pdf",
            "A & B",
        ),
        (an_mp4(title="At the post"), "x.mp4", "At the post"),
        (an_mp4(), "at the post.mp4", "at the post"),
        (an_mp3(1, title="A talk"), "x.mp3", "A talk"),
        (an_mp3(1), None, "0b1c"),
        (an_mp3(1), "", "audio"),  # nobody said what it is called
    ],
)
def test_the_title_is_the_files_own_or_else_its_name(
    tmp_path: Path, data: bytes, file_name: str | None, title: str
) -> None:
    assert taken(tmp_path, data, file_name).title == title


def test_the_language_of_a_document_is_kept(tmp_path: Path) -> None:
    assert taken(tmp_path, a_pdf(language="ar")).languages == ("ar",)


SAID = "WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n"


def test_captions_that_say_nothing_are_left_out_and_told(tmp_path: Path) -> None:
    files = {"film.mp4": an_mp4(), "film.en.vtt": "hello", "film.fr.srt": SAID.encode("utf-16")}
    report = imported(tmp_path, a_zip_of(files))

    assert report.package is not None
    assert [one.language for one in report.package.captions] == ["fr"]
    assert [found.code for found in report.findings] == ["captions.unreadable"]


def test_what_is_said_of_captions_names_their_file(tmp_path: Path) -> None:
    report = imported(tmp_path, a_zip_of({"film.mp4": an_mp4(), "a.srt": SAID, "b.vtt": "hello"}))

    assert {(found.code, found.file) for found in report.findings} == {
        ("captions.language", "a.srt"),
        ("captions.unreadable", "b.vtt"),
    }


def test_the_page_that_a_tool_begins_with_is_named_where_none_is_first(tmp_path: Path) -> None:
    pages = {"analytics-frame.html": "x", "story.html": "x", "a/start.html": "x"}

    (found,) = imported(tmp_path, a_zip_of(pages)).findings

    assert (found.code, found.file, found.facts["count"]) == ("site.no_first_page", "story.html", 3)


def test_captions_beside_a_film_belong_to_it(tmp_path: Path) -> None:
    names = ("film.pt-br.vtt", "film.ar.srt", "film.vtt")
    report = imported(tmp_path, a_zip_of({"a/film.mp4": an_mp4(), **{f"a/{name}": SAID for name in names}}))

    assert report.package is not None
    assert report.package.captions == (
        Caption(path="a/film.ar.srt", language="ar"),
        Caption(path="a/film.pt-br.vtt", language="pt-BR"),
        Caption(path="a/film.vtt", language="und"),
    )
    assert report.package.languages == ("ar", "pt-BR")
    assert (report.package.title, report.package.root.units()[0].viewer) == ("film", "video")
    assert [found.code for found in report.findings] == ["captions.language"]


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        (b"GIF89a", ["file.unknown"]),
        (b"", ["file.empty"]),
        (a_zip_of({"a.mp4": an_mp4(), "b.pdf": a_pdf()}), ["file.several"]),
        (a_zip_of({"a.mp4": b"MZ"}), ["file.not_what_it_says"]),
        (b"%PDF-1.7\n" + b"no page of any kind\n" * 50 + b"%%EOF\n", ["file.not_what_it_says"]),
        (a_zip_of({"word/document.xml": "x", "[Content_Types].xml": "x"}), ["file.office"]),
        (a_zip_of({"a.epub": "x"}), ["file.epub_in_zip"]),
        (an_mp4()[:-30], ["film.cut_short"]),
        (a_box(b"ftyp", b"isom") + a_box(b"mdat", bytes(9)), ["film.cut_short"]),
        (a_pdf()[:60], ["pdf.cut_short"]),
        (a_pdf(40)[: a_pdf(40).index(b"xref")], ["pdf.cut_short"]),  # nothing says where it begins to be read
        (a_pdf(40)[:-500] + bytes(500), ["pdf.cut_short"]),
        (
            a_pdf(40).replace(b"\n1 0 obj", b"\n1 0 ob_").rpartition(b"startxref")[0],
            ["pdf.cut_short"],
        ),  # the catalogue it names is lost
        (
            a_pdf().replace(b"1 0 obj", b"99 0 obj<</Linearized 1/L 9999>>endobj\n1 0 obj_", 1),
            ["pdf.cut_short"],
        ),
        (a_locked_pdf(user="u"), ["pdf.locked"]),
        (a_zip_of({"a.pdf": a_locked_pdf(user="u")}), ["pdf.locked"]),
        (a_zip_of({"a.pdf": a_pdf(40)[:-500]}), ["pdf.cut_short"]),
        (a_locked_pdf(user="u", algorithm="RC4-40"), ["pdf.locked"]),
        (a_pdf().replace(b"/Root", b"/Encrypt<</Filter/Adobe.PubSec>>/Root"), ["pdf.locked"]),
        (b"ID3\4\0\0\x7f\x7f\x7f\x7f" + bytes(100), ["recording.cut_short"]),  # a tag of 256 MB, it says
        (b"ID3\4\0\0\0\0\0\12" + bytes(100), ["recording.cut_short"]),
    ],
)
def test_what_no_officer_could_open_is_refused(tmp_path: Path, data: bytes, codes: list[str]) -> None:
    report = imported(tmp_path, data)

    assert report.refused
    assert [found.code for found in report.findings if found.severity == "error"] == codes
    assert not [path for path in (tmp_path / "shelf").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (
            a_pdf().replace(b"/Root", b"/Encrypt 90 0 R /Root"),
            "pdf.encrypted",
        ),  # by an object that is not there
        (a_pdf().replace(b"/Root", b"/Encrypt<</Filter/Standard/V 1>>/Root"), "pdf.encrypted"),
        (a_zip_of({"a.pdf": a_pdf(40)[:-6]}), "pdf.no_end"),
        (a_pdf(40)[:-6], "pdf.no_end"),
        (a_pdf(40)[:-6] + bytes(3000), "pdf.no_end"),
        (an_mp4(codec=b"hvc1"), "film.codec"),
        (an_mp4(), "captions.none"),
    ],
)
def test_what_an_instructor_should_know_is_told(tmp_path: Path, data: bytes, code: str) -> None:
    report = imported(tmp_path, data)

    assert not report.refused
    assert code in [found.code for found in report.findings]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file.empty"),
        (b"Rar!\x1a\x07\x01\0", "file.other_archive"),
        (bytes(257) + b"ustar\x0000", "file.other_archive"),
        (b"\x1f\x8b\x08" + bytes(20), "file.other_archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "file.unknown"),
        (b"<manifest xmlns='http://www.imsglobal.org/xsd/imscp_v1p1'/>", "file.manifest_alone"),
        (b"<tincan xmlns='http://projecttincan.com/tincan.xsd'/>", "file.manifest_alone"),
        (b"<Error><Code>AccessDenied</Code></Error>", "file.other_xml"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><title>Sign in</title>", "file.web_page"),
        (a_zip_of({}), "package.empty"),
        (a_zip_of({"start.htm": "<p>1", "b/two.xhtml": "<p>2"}), "site.no_first_page"),
        (a_zip_of({"a/index.html": "<p>1", "b/index.html": "<p>2"}), "site.several"),
        (
            a_zip_of(
                {"mimetype": "application/epub+zip", "OEBPS/b.opf": "<package/>", "OEBPS/1.xhtml": "<p>"}
            ),
            "epub.no_container",
        ),
        (a_zip_of({"Course.story": b"PK", "notes.html": "x"}), "package.project"),
        (a_zip_of({"quiz.h5p": b"PK"}), "package.project"),
        (a_zip_of({"contentv3.xml": "<x/>", "content.data": b"x"}), "package.project"),
        (a_zip_of({"imsmanifest.xml": BLACKBOARD, "res00001.dat": "x"}), "package.blackboard"),
        (a_zip_of({"imsmanifest.xml": "\n<!DOCTYPE html><title>Sign in</title>"}), "xml.web_page"),
        (a_zip_of({"export/course.zip": b"PK"}), "package.zip_inside"),
        (
            a_zip_of({"h5p.json": b"{}", "content/content.json": b"{}", "content/a.mp4": b"film"}),
            "package.h5p",
        ),
        (a_zip_of({"moodle_backup.xml": b"<x/>", "files/aa/aabb": b"PK", "a.zip": b"PK"}), "package.moodle"),
        (
            a_zip_of({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<x/>"}),
            "file.office",
        ),
        (a_zip_of({"imsmanifest.xml": QUESTIONS, "q.xml": b"<q/>"}), "package.qti"),
        (a_zip_of({"imsmanifest.xml": QUESTIONS.replace("<schema>QTI", "<schema>IMS")}), "package.qti"),
    ],
)
def test_what_is_no_course_is_called_what_it_is(tmp_path: Path, data: bytes, code: str) -> None:
    report = imported(tmp_path, data)

    assert [found.code for found in report.findings] == [code]


@pytest.mark.parametrize("algorithm", ["RC4-40", "RC4-128", "AES-128", "AES-256"])
def test_a_pdf_that_only_forbids_printing_is_taken_without_a_word(tmp_path: Path, algorithm: str) -> None:
    report = imported(tmp_path, a_locked_pdf(user="", algorithm=algorithm))

    assert (report.refused, report.findings) == (False, ())


def test_the_trailer_of_a_linearized_pdf_is_looked_for_in_all_of_it(tmp_path: Path) -> None:
    body, table, trailer = (part.encode() for part in a_pdf().decode("latin-1").partition("xref"))
    filled = body + b"% " + b"x" * 600_000 + b"\n" + table + trailer + b"\n% " + b"x" * 600_000

    report = imported(tmp_path, filled)

    assert [found.code for found in report.findings] == ["pdf.no_end"]


@pytest.mark.parametrize("again", [b"/Prev 9 /Size 1", b"<<", b"[[", b"1 0 obj ", b"trailer <</Prev 20>>"])
def test_a_locked_pdf_made_to_keep_us_busy_does_not(again: bytes) -> None:
    data = a_locked_pdf(user="u")
    at = data.rindex(b"trailer")
    file = Counted(data[:at] + again * (2_000_000 // len(again)) + data[at:])

    locked = pdf_password.is_asked_for(file)

    assert locked is not False
    assert file.reads <= 1_000_000


def test_a_file_larger_than_the_limit_is_refused_with_the_limit(tmp_path: Path) -> None:
    report = imported(tmp_path, an_mp3(60), limits=Limits(max_file_bytes=100_000))

    assert [found.code for found in report.findings] == ["file.too_large"]
    assert "100 kB" in report.findings[0].detail


@given(st.binary(max_size=400), st.sampled_from([b"", a_pdf(1), an_mp4(title="x"), an_mp3(0.1, title="x")]))
def test_no_bytes_are_too_strange(noise: bytes, honest: bytes) -> None:
    for data in (noise, honest + noise, noise + honest, honest[: len(noise)] + noise + honest[len(noise) :]):
        kind_of(data)
        pdf.told(data)
        id3.title(data)
        mp4.read_film(BytesIO(data))


@pytest.mark.parametrize(
    "again", [b"/Info 1 0 R ", b"<dc:title><rdf:li", b"<dc:title><rdf:li>", b"/Lang ", b"/Encrypt  "]
)
def test_a_file_made_to_keep_us_busy_does_not(again: bytes) -> None:
    began = time.process_time()

    pdf.told(again * (512 * 1024 // len(again)))

    assert time.process_time() - began < 5  # it would take minutes; two busy halves of a processor are slow


def test_a_file_that_is_not_what_it_says_is_told_by_the_name_it_was_given_under(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(b"%PDF-1.7\n" + b"no page of any kind\n" * 50 + b"%%EOF\n")

    report = read_package(path, Shelf(tmp_path / "shelf"), file_name="garbage.pdf")

    (found,) = report.findings
    assert (found.code, found.file, found.facts) == (
        "file.not_what_it_says",
        "garbage.pdf",
        {"name": "garbage.pdf"},
    )


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (a_pdf()[:-6], "Précurseurs.pdf"),
        (an_mp4(codec=b"hvc1"), "Lesson 3.mp4"),
        (b"<courseStructure/>", "struktur.xml"),
        (b"<courseStructure", "struktur.xml"),
    ],
)
def test_what_is_said_of_a_single_file_names_it_as_whoever_gave_it_does(
    tmp_path: Path, data: bytes, name: str
) -> None:
    report = imported(tmp_path, data, name)

    assert report.findings
    assert {found.file for found in report.findings} == {name}
