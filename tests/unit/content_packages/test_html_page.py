"""A page is read as a browser would: what is shown, what runs, which frames there are, and what leads into them."""

from __future__ import annotations

import pytest

from content_packages.html_page import Frame, HtmlPage, Script, read_html


def test_a_page_is_taken_apart() -> None:
    page = read_html(
        b"""<html><head><title>A</title><script src="a.js"></script>
<script>f()
g()</script></head><body onload="go()"><!-- <p>no</p> --><p>Two   <b>words</b></p> more<style>p {}</style>
<a target="menu" href="JavaScript:h()">on</a><iframe id="b" src=" b.html?x=1&amp;y "></iframe></body></html>"""
    )

    assert page.text == "Two words more on"
    assert page.at_load == "go();"
    assert page.script_files == ["a.js"]
    assert page.scripts == [Script(text="f()\ng()", line=2)]
    assert [(one.text, one.line) for one in page.handlers] == [("go()", 3), ("JavaScript:h()", 4)]
    assert page.targets == [("menu", 4)]
    assert page.frames == [Frame(name="b", address="b.html?x=1&y", in_set=False, has_room=True)]


@pytest.mark.parametrize(
    ("shares", "room"),
    [
        ('rows="0,*"', [False, True]),
        ('cols="0%,100%"', [False, True]),
        ('rows="43, 0.0 "', [True, False]),
        ('rows="*" cols="10,0"', [True, False]),
        ('rows="0,*" cols="*,0"', [True, True]),
        ("", [True, True]),
        ('rows="0,"', [False, True]),
    ],
)
def test_a_frameset_gives_its_frames_room_or_none(shares: str, room: list[bool]) -> None:
    page = read_html(f'<frameset {shares}><frame name="a" src="a.html"><frame name="b"></frameset>'.encode())

    assert [(one.name, one.in_set) for one in page.frames] == [("a", True), ("b", True)]
    assert [one.has_room for one in page.frames] == room


@pytest.mark.parametrize("kind", ["", "text/javascript", "module", "application/x-javascript; charset=utf-8"])
def test_scripts_are_what_browsers_run(kind: str) -> None:
    assert read_html(f'<script type="{kind}">f()</script>'.encode()).scripts
    assert not read_html(b'<script type="text/template">f()</script>').scripts


@pytest.mark.parametrize(
    "data", [b"", b" ", b"<!-- a -->", b"\0\0", b"\xff\xfe<\0", b"<p" * 1000, b"%PDF-1.7"]
)
def test_what_is_no_page_holds_nothing_that_runs(data: bytes) -> None:
    page = read_html(data)

    assert (page.scripts, page.frames) == (HtmlPage().scripts, [])


def test_levels_without_end_are_no_harm() -> None:
    assert read_html(b"<div>a" * 20_000).text.startswith("a a")


@pytest.mark.parametrize(
    "declared", ["utf-8", "gb2312", "shift_jis", "windows-1252", "utf-16", "utf-7", "none such"]
)
def test_bytes_that_are_not_of_the_encoding_end_no_page(declared: str) -> None:
    page = b'<meta charset="%b"><p>\xe9\x81\xff</p><script>f()</script>' % declared.encode()

    assert [script.text for script in read_html(page).scripts] == ["f()"]


def test_a_page_is_read_in_its_encoding() -> None:
    page = "<meta charset='windows-1252'><p>\u00e9t\u00e9</p>"

    assert read_html(page.encode("cp1252")).text == "\u00e9t\u00e9"
    assert read_html(f"\ufeff{page}".encode("utf-16-le")).text == "\u00e9t\u00e9"
