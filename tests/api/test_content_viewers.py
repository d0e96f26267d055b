"""The pages of ours that show a single file: what they are told, in whose language, and what they may do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from content_packages.intake import read_package
from lms.content.app import ContentSite, build_content
from lms.courses.actions import add_edition, publish
from lms.courses.checked_files import CheckedFiles
from lms.database import Database
from lms.launch.actions import deliver
from lms.launch.course import open_course
from lms.launch.hosts import label_of
from tests.launch_builders import NOON, PERSON, REGISTRATION, a_desk
from tests.media_builders import a_page, a_pdf, a_zip_of, an_epub, an_mp4

pytestmark = pytest.mark.one_database

SECRET = b"s" * 32
NAMES = {
    name: name
    for name in (
        "shim.js",
        "viewer.css",
        "pdf.js",
        "media.js",
        "epub.js",
        "pdf-worker.js",
        "pdf-cmaps",
        "pdf-standard_fonts",
    )
}
Opened = Callable[[bytes], tuple[TestClient, str]]


@pytest.fixture
def opened(database: Database, tmp_path: Path) -> Opened:
    """Import a file, and launch it: gives a browser on its host, and the token."""
    desk = a_desk(tmp_path)
    build = tmp_path / "build"
    build.mkdir()
    (build / "viewer.css").write_text("/* */", encoding="utf-8")
    site = ContentSite(
        database=database, desk=desk, checked=CheckedFiles(desk.shelf), now=lambda: NOON, secret=SECRET, public_url="http://localhost:8000",
        content_url="http://localhost:8001", build=build, assets=NAMES,
    )  # fmt: skip

    def launched(data: bytes) -> tuple[TestClient, str]:
        given = tmp_path / "given"
        given.write_bytes(data)
        report = read_package(given, desk.shelf, file_name="given.bin")
        assert report.package is not None
        assert report.digest is not None
        with database.write() as session:
            course, edition = add_edition(
                session, report.package, report.digest, {}, into=None, by=None, now=NOON, new_id=uuid4
            )
            publish(session, desk.shelf, edition.public_id, now=NOON)
            taking = open_course(
                session, desk.shelf, person=PERSON, registration=REGISTRATION, course=course.public_id
            )
            delivered = deliver(session, desk, taking, now=NOON)
            host = f"{label_of(SECRET, edition.public_id)}.localhost:8001"
        assert delivered is not None
        return TestClient(build_content(site), base_url=f"http://{host}"), delivered.token

    return launched


def boot_of(client: TestClient, address: str) -> dict[str, Any]:
    text = client.get(address).text
    told: dict[str, Any] = json.loads(text.partition('id="boot">')[2].partition("</script>")[0])
    return told


def test_the_unit_of_a_file_is_a_page_of_ours_in_the_learners_language(opened: Opened) -> None:
    client, token = opened(a_pdf())

    shim = boot_of(client, f"/rt/{token}/?lang=ar")
    page = client.get(f"/view/{token}/?lang=ar").text

    assert (shim["standard"], shim["content"]) == ("scorm2004", f"../../view/{token}/?lang=ar")
    assert shim["values"]["cmi.completion_threshold"] == "1.0"
    assert '<html lang="ar" dir="rtl">' in page
    assert '<html lang="ar"' in client.get(f"/view/{token}/", headers={"accept-language": "ar-EG"}).text
    assert '<html lang="en"' in client.get(f"/view/{token}/?lang=xx").text


def test_a_document_is_told_where_it_lies_and_what_shows_it(opened: Opened) -> None:
    client, token = opened(a_pdf(language="ar"))

    boot = boot_of(client, f"/view/{token}/")

    assert boot["src"] == f"../../c/{token}/document.pdf"
    assert boot["direction"] == "rtl"  # its own, not the reader's
    assert client.get("/built/viewer.css").headers["cache-control"].endswith("immutable")


def test_a_film_is_told_its_captions_by_what_their_speakers_call_them(opened: Opened) -> None:
    said = "00:01.000 --> 00:02.000\nHello\n"
    client, token = opened(
        a_zip_of({"a film.mp4": an_mp4(), "film.ar.srt": said, "film.vtt": f"WEBVTT\n\n{said}"})
    )

    boot = boot_of(client, f"/view/{token}/")

    assert boot["src"] == f"../../c/{token}/a%20film.mp4"
    assert boot["captions"] == [
        {"src": f"../../c/{token}/film.ar.srt", "language": "ar", "label": "العربية"},
        {"src": f"../../c/{token}/film.vtt", "language": "und", "label": "Captions"},
    ]


def test_a_book_is_told_its_parts_and_cannot_break_out_of_the_page(opened: Opened) -> None:
    nav = a_page('<nav><ol><li><a href="text/part%202.xhtml">&lt;/script>&lt;b></a></li></ol></nav>')
    client, token = opened(an_epub(nav=nav, language="en", direction="rtl", title="&lt;/title>&lt;b>"))

    boot, page = boot_of(client, f"/view/{token}/"), client.get(f"/view/{token}/").text

    assert [part["src"] for part in boot["parts"]] == [
        f"../../c/{token}/OEBPS/text/part%20{n}.xhtml" for n in (1, 2)
    ]
    assert boot["toc"] == [{"title": "</script><b>", "part": 1, "fragment": "", "level": 1}]
    assert (boot["direction"], boot["script"]) == ("rtl", "ltr")
    assert "<b>" not in page
    assert 'sandbox="allow-same-origin"' in page


def test_our_page_runs_our_scripts_and_a_file_runs_none(opened: Opened) -> None:
    client, token = opened(an_epub())

    ours = client.get(f"/view/{token}/").headers["content-security-policy"]
    theirs = client.get(f"/c/{token}/OEBPS/text/part%201.xhtml").headers["content-security-policy"]

    assert "script-src 'self';" in ours
    assert "script-src" not in theirs
    assert theirs.startswith("default-src 'none'")
    assert "sandbox allow-same-origin" in theirs
    assert "frame-ancestors 'self' http://localhost:8000" in theirs


def test_pages_of_a_book_are_xhtml_until_they_prove_not_to_be(opened: Opened) -> None:
    opf = (
        '<package xmlns="http://www.idpf.org/2007/opf"><manifest>'
        '<item id="a" href="a.html" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="a"/></spine></package>'
    )
    client, token = opened(an_epub(files={"OEBPS/book.opf": opf, "OEBPS/a.html": "<p>&nbsp;"}))
    address = f"/c/{token}/OEBPS/a.html"

    assert client.get(address).headers["content-type"].startswith("application/xhtml+xml")
    assert client.get(f"{address}?lenient=1").headers["content-type"].startswith("text/html")
    assert client.get(address).headers["etag"] != client.get(f"{address}?lenient=1").headers["etag"]


def test_a_token_opens_no_page_on_another_host(opened: Opened) -> None:
    client, token = opened(a_pdf())

    assert client.get(f"/view/{token}/", headers={"host": "k9.localhost:8001"}).status_code == 410
    assert client.get("/view/strange/").status_code == 410
