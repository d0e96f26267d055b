"""Pages as a browser without storage gets them, and the signs they are written in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from lms.content.app import ContentSite, build_content
from lms.content.storage import place_of_script
from lms.courses.checked_files import CheckedFiles
from lms.database import Database
from lms.launch.actions import deliver
from lms.launch.hosts import label_of
from tests.launch_builders import EDITION, NOON, a_course, a_desk, taken

pytestmark = pytest.mark.one_database

SECRET = b"s" * 32
ARABIC = "<!DOCTYPE html><html><head><meta charset=windows-1256><title>درس</title>".encode("windows-1256")
SCRIPT = b'<script src="/built/storage-1.js"></script>'
FILES = {
    "arabic.html": ARABIC,
    "plain.html": "<p>Leçon".encode(),
    "old.html": "<p>Leçon".encode("latin-1"),
    "marked.html": b"\xef\xbb\xbf<!doctype html><title>T",
    "wide.html": "\ufeff<!doctype html><html><head><title>درس".encode("utf-16-le"),
    "late.html": b"<!doctype html><html><head>" + b" " * 950 + b"<meta charset=windows-1252><p>\xe7",
    "page.xhtml": b'<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><head/></html>',
    "old.js": "alert('é')".encode("latin-1"),
    "film.mp4": bytes(range(100)),
    "big.html": b"<!doctype html>" + b"<p>x" * 300_000,
}


@pytest.fixture
def at(database: Database, tmp_path: Path) -> Iterator[tuple[TestClient, str]]:
    """A browser and the token of its launch."""
    desk = a_desk(tmp_path)
    with database.write() as session:
        a_course(session, desk.shelf, files=FILES)
        delivered = deliver(session, desk, taken(session, desk), now=NOON)
    assert delivered is not None
    site = ContentSite(
        database=database, desk=desk, checked=CheckedFiles(desk.shelf), now=lambda: NOON, secret=SECRET, public_url="http://localhost:8000",
        content_url="http://localhost:8001", build=tmp_path,
        assets={"shim.js": "shim-1.js", "storage.js": "storage-1.js"},
    )  # fmt: skip
    host = f"http://{label_of(SECRET, EDITION)}.localhost:8001"
    with TestClient(build_content(site), base_url=host) as browser:
        yield browser, delivered.token


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("arabic.html", "text/html"),
        ("marked.html", "text/html"),
        ("wide.html", "text/html"),
        ("old.html", "text/html"),
        ("old.js", "text/javascript"),
        ("plain.html", "text/html; charset=utf-8"),
    ],
)
def test_no_header_overrules_the_signs_a_page_is_written_in(
    at: tuple[TestClient, str], name: str, told: str
) -> None:
    browser, token = at

    page = browser.get(f"/c/{token}/{name}")

    assert page.headers["content-type"] == told
    assert page.content == FILES[name]


@pytest.mark.parametrize(
    ("name", "before", "told"),
    [
        ("arabic.html", b"<!DOCTYPE html><html><head>", "text/html; charset=windows-1256"),
        ("plain.html", b"", "text/html; charset=utf-8"),
        ("old.html", b"", "text/html"),
        ("marked.html", b"\xef\xbb\xbf<!doctype html>", "text/html"),
        ("late.html", b"<!doctype html><html><head>", "text/html; charset=windows-1252"),
        ("big.html", b"<!doctype html>", "text/html; charset=utf-8"),
    ],
)
def test_a_page_gets_the_script_first_and_stays_what_it_was(
    at: tuple[TestClient, str], name: str, before: bytes, told: str
) -> None:
    browser, token = at

    page = browser.get(f"/s/{token}/{name}", headers={"range": "bytes=0-9"})

    assert page.status_code == 200
    assert page.content == before + SCRIPT + FILES[name][len(before) :]
    assert page.headers["content-type"] == told
    assert page.headers["content-length"] == str(len(page.content))


def test_a_page_in_utf_16_gets_it_in_utf_16(at: tuple[TestClient, str]) -> None:
    browser, token = at

    page = browser.get(f"/s/{token}/wide.html")

    text = page.content.decode("utf-16")
    assert text == f"<!doctype html><html><head>{SCRIPT.decode()}<title>درس"


def test_xhtml_that_would_break_is_left_as_it_is(at: tuple[TestClient, str]) -> None:
    browser, token = at

    assert browser.get(f"/s/{token}/page.xhtml").content == FILES["page.xhtml"]


def test_what_is_not_a_page_is_the_same_under_both_paths(at: tuple[TestClient, str]) -> None:
    browser, token = at

    whole, part = (
        browser.get(f"/s/{token}/film.mp4"),
        browser.get(f"/s/{token}/film.mp4", headers={"range": "bytes=10-19"}),
    )

    assert (whole.content, part.status_code, part.content) == (
        FILES["film.mp4"],
        206,
        FILES["film.mp4"][10:20],
    )
    assert whole.headers["etag"] == browser.get(f"/c/{token}/film.mp4").headers["etag"]


def test_a_page_with_the_script_is_another_to_the_cache(at: tuple[TestClient, str]) -> None:
    browser, token = at
    bare = browser.get(f"/c/{token}/arabic.html").headers["etag"]
    dressed = browser.get(f"/s/{token}/arabic.html").headers["etag"]

    assert bare != dressed
    assert browser.get(f"/s/{token}/arabic.html", headers={"if-none-match": dressed}).status_code == 304
    assert browser.get(f"/s/{token}/arabic.html", headers={"if-none-match": bare}).status_code == 200


def test_the_second_path_opens_no_more_than_the_first(at: tuple[TestClient, str]) -> None:
    browser, token = at

    assert browser.get("/s/other/arabic.html").status_code == 410
    assert browser.get(f"/s/{token}/absent.html").status_code == 404
    strange = browser.get(f"/s/{token}/arabic.html", headers={"host": "k1.localhost:8001"})
    assert strange.status_code == 410


TWISTED = "<!doctype html>\n<!-- a > b -->\n<HTML lang='>' a=\">\">\n<HEAD\nx>"


@pytest.mark.parametrize(
    ("page", "before"),
    [
        ("<p>x", ""),
        ("<!-- <head> --><html><body>", "<!-- <head> --><html>"),
        (TWISTED + "<p>", TWISTED),
        ("<header>", ""),
        ("<!doctype html><head><title>", "<!doctype html><head>"),
        ("<html><frameset>", "<html>"),
        ("<!doctype html><script>1</script><html><head>", "<!doctype html>"),
        ("<!doctype html><html><!-- never ends <head>", "<!doctype html><html>"),
    ],
)  # fmt: skip
def test_the_script_stands_before_all_that_runs_and_after_all_that_must_be_first(
    page: str, before: str
) -> None:
    assert place_of_script(page.encode(), "utf-8") == len(before)


def test_a_page_of_nothing_but_beginnings_is_no_work() -> None:
    for piece in (b"<!--", b"<!-- --> ", b"<html ", b'<html "', b"<?", b"<! "):
        page = piece * (64 * 1024 // len(piece))
        assert place_of_script(page, "utf-8") is not None
