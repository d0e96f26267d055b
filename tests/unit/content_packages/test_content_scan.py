"""Signs of what browsers have removed, or of what loses work: counted, and told with the place of the first."""

from __future__ import annotations

import time
from io import BytesIO
from pathlib import Path

import pytest

from content_packages.content_scan import ContentScan
from content_packages.findings import Fact, Finding
from tests.package_builders import a_package, codes, imported

SETS = b"API.LMSSetValue('cmi.core.lesson_status', 'completed');"
SAVES = b"API.LMSCommit('');"


def seen_in(**files: bytes) -> list[Finding]:
    """Scan files piece by piece, as an import does."""
    scan = ContentScan()
    for name, data in files.items():
        stream = scan.watch(BytesIO(data), name.replace("_", "."))
        while stream.read(1000):
            pass
    return list(scan.findings([name.replace("_", ".") for name in files]))


@pytest.mark.parametrize(
    ("written", "code"),
    [
        (b'<object type="application/x-shockwave-flash">', "script.flash"),
        (b'<object classid="clsid:D27CDB6E-AE6D-11cf-96B8-444553540000">', "script.flash"),
        (b'swfobject.embedSWF("a.swf", "here")', "script.flash"),
        (b"AC_FL_RunContent('codebase')", "script.flash"),
        (b"var r = window.showModalDialog('a.html')", "script.removed"),
        (b"<applet code='A.class'>", "script.removed"),
        (b"window.applicationCache.update()", "script.removed"),
        (b'<object data="data:application/x-silverlight-2,">', "script.removed"),
        (b'<body onunload="end()">', "script.unload"),
        (b'<body onUnload = "end()">', "script.unload"),
        (b"window.onbeforeunload=end", "script.unload"),
        (b'window.addEventListener("unload", end)', "script.unload"),
        (b"$(window).on('beforeunload', end)", "script.unload"),
        (b"$(window).unload(end)", "script.unload"),
        (b'request.open("POST", url, false)', "script.sync_request"),
        (b"x.open('GET',u,!1)", "script.sync_request"),
        (b"$.ajax({url: u, async: false})", "script.sync_request"),
        (b"window.open('help.html')", "script.popup"),
        (b"window.top.location = 'a.html'", "script.top_window"),
        (b"top.document.title", "script.top_window"),
        (b"document.domain = 'example.net'", "script.document_domain"),
        (b"document.write('<script src=\"//cdn.example.net/a.js\">')", "script.document_write"),
    ],
)
def test_a_sign_is_told_with_its_place(written: bytes, code: str) -> None:
    found = [one for one in seen_in(a_js=b"\n\n" + written) if one.code == code]

    assert [(one.file, one.line, one.facts["count"]) for one in found] == [("a.js", 3, 1)]
    assert found[0].detail


@pytest.mark.parametrize(
    "written",
    [
        b"if (document.domain == 'a') {}",
        b"document.write('<p>Hello</p>')",
        b"document.write('<a rel=license href=')",
        b"document.write('<a href=\"http://www.w3.org/\">')",
        b"tests.applicationcache = !!window.applicationCache",
        b"window.addEventListener('pagehide', save)",
        b"dialog.open('a.html', true)",
        b"stop.location",
        b"var unloaded = 1; downloadUnload()",
        b"request.open('GET', url, true)",
        b"async function f() { return false }",
        b'jQuery.ajax({url:e,type:"GET",dataType:"script",async:!1,global:!1,"throws":!0})',
    ],
)
def test_what_only_looks_like_one_is_not(written: bytes) -> None:
    assert seen_in(a_js=written) == []


def test_all_files_are_counted_and_the_first_is_named() -> None:
    found = seen_in(a_html=b"window.open('a')\nwindow.open('b')", b_js=b"window.open('c')")

    assert [(one.code, one.file, one.line, one.facts["count"]) for one in found] == [
        ("script.popup", "a.html", 1, 3)
    ]


def test_a_sign_across_two_pieces_is_counted_once_and_on_its_line() -> None:
    text = b"x\n" * 495 + b"window.open('a')\n" + b"x\n" * 700

    found = seen_in(a_js=text)

    assert [(one.line, one.facts["count"]) for one in found] == [(496, 1)]


def test_style_sheets_have_no_scripts() -> None:
    assert seen_in(a_css=b"/* window.open('a') */") == []


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (SETS + b"window.onunload = end;", "script.unload_only"),
        (SETS + SAVES + b"window.onunload = end;", "script.unload"),
        (b"window.onunload = end;", "script.unload"),
    ],
)
def test_saving_only_as_the_page_goes_away_is_a_warning(script: bytes, code: str) -> None:
    assert [one.code for one in seen_in(a_js=script)] == [code]


def test_waiting_for_the_network_matters_where_the_page_goes_away() -> None:
    waiting, leaving = b"r.open('GET', u, false);", b"window.onunload = end;"

    together = seen_in(a_js=waiting + leaving)
    apart = seen_in(a_js=waiting, b_js=leaving)

    assert {one.code for one in together} == {"script.sync_unload", "script.unload"}
    assert {one.code for one in apart} == {"script.sync_request", "script.unload"}


def missing_in(
    page: bytes, *others: str, path: str = "a/page.html", code: str = "page.missing_file"
) -> list[tuple[Fact, Fact, int | None]]:
    """Scan one page of a package with other files; return the first that is missing, how many, and the line."""
    scan = ContentScan()
    stream = scan.watch(BytesIO(page), path)
    while stream.read(1000):
        pass
    found = [one for one in scan.findings([path, *others]) if one.code == code]
    return [(one.facts["name"], one.facts["count"], one.line) for one in found]


@pytest.mark.parametrize(
    "written",
    [
        b"<script type=module src='lib/x.js?v=2#a'></script>",
        b'<SCRIPT\nSRC = "lib/x.js">',
        b'<link rel="stylesheet" type="text/css" href="lib/x.js">',
        b"<link href=\"lib/x.js\" rel='stylesheet'/>",
        b'<iframe title="a" src="./lib/../lib/x.js">',
        b'<frame src="lib/x%2Ejs">',
        b'<!-- old --><script src="LIB/X.js">',
        b'<!--[if !IE]><!--><script src="lib/x.js"><!--<![endif]-->',
    ],
)
def test_what_a_page_asks_for_is_looked_for_where_a_browser_would(written: bytes) -> None:
    page = b"<html>\n" + written

    (missing,) = missing_in(page)

    assert missing[1:] == (1, 2)
    assert missing_in(page, "a/lib/x.js") == []
    assert missing_in(page, "lib/x.js")


def test_an_address_from_the_root_of_the_host_finds_nothing() -> None:
    assert missing_in(b'<script src="/lib.js">', "lib.js") == [("/lib.js", 1, 1)]
    assert missing_in(b'<script src="../../lib.js">', "lib.js") == [("../../lib.js", 1, 1)]
    assert missing_in(b'<script src="../lib.js">', "lib.js") == []


@pytest.mark.parametrize("element", ["video", "audio", "video><source", "video><track"])
def test_films_and_captions_that_are_missing_are_told(element: str) -> None:
    assert missing_in(f'<{element} src="a.mp4">'.encode()) == [("a.mp4", 1, 1)]
    assert missing_in(f'<{element} src="a.mp4">'.encode(), "a/a.mp4") == []


@pytest.mark.parametrize(
    "written",
    [
        b'<script src="https://example.net/a.js">',
        b'<script src="//example.net/a.js">',
        b'<script src="data:text/javascript,1">',
        b'<script src="{{ base }}/a.js">',
        b"document.write('<script src=\"' + base + '/a.js\">')",
        b'<iframe src="about:blank">',
        b'<iframe src="#">',
        b'<iframe src="">',
        b'<link rel="icon" href="favicon.ico">',
        b'<a href="other.html">',
        b'<!-- <script src="a.js"> -->',
        b'<!--[if IE]><script src="a.js"></script><![endif]-->',
        b'<base href="../"><script src="a.js">',
    ],
)
def test_what_no_browser_would_ask_the_package_for_is_not_missed(written: bytes) -> None:
    assert missing_in(written) == []


def test_only_pages_ask_and_comments_reach_over_pieces() -> None:
    assert missing_in(b"x = '<script src=\"a.js\">'", path="a/b.js") == []
    assert missing_in(b"<!--" + b"x\n" * 2000 + b'<script src="a.js">-->\n<script src="b.js">') == [
        ("b.js", 1, 2002)
    ]


@pytest.mark.parametrize(
    "written",
    [
        b'<img alt="" src="x.png">',
        b"<IMG\nsrc='./x.png'/>",
        b'<object type="image/png" data="x.png" width="800"></object>',
        b'<embed src="x.png">',
        b'<input type="image" src="x.png">',
    ],
)
def test_pictures_that_are_missing_are_told_apart(written: bytes) -> None:
    page = b"<html>\n" + written

    (missing,) = missing_in(page, code="page.missing_picture")

    assert missing[1:] == (1, 2)
    assert missing_in(page, code="page.missing_file") == []
    assert missing_in(page, "a/x.png", code="page.missing_picture") == []


def test_the_first_pictures_are_named_and_all_counted() -> None:
    page = b"".join(b'<img src="%d.png"><img src="%d.png">' % (n, n) for n in range(5))

    assert missing_in(b'<img src="draw.php">', code="page.missing_picture") == [("draw.php", 1, 1)]
    assert missing_in(page, code="page.missing_picture") == [("0.png, 1.png, 2.png", 5, 1)]


@pytest.mark.parametrize(
    "written",
    [
        b'<img data-src="x.png">',
        b'<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">',
        b'<img src="https://example.net/x.png">',
        b'<img src="{{ picture }}">',
        b'<!-- <img src="x.png"> -->',
        b'<object data="old.swf"></object><embed src="old.swf">',
    ],
)
def test_what_no_browser_would_show_is_not_missed(written: bytes) -> None:
    assert missing_in(written, code="page.missing_picture") == []
    assert missing_in(written) == []


def test_what_is_shown_in_a_page_but_no_picture_is_a_page_in_it() -> None:
    assert missing_in(b'<object data="inner.html"></object>') == [("inner.html", 1, 1)]


def test_flash_files_are_counted(tmp_path: Path) -> None:
    report = imported(tmp_path, a_package(**{"b.swf": b"FWS", "a/a.SWF": b"FWS"}))

    assert codes(report) == ["script.flash_files"]
    assert report.findings[0].facts == {"count": 2, "name": "a/a.SWF"}


def test_the_first_address_on_another_host_has_its_place(tmp_path: Path) -> None:
    report = imported(tmp_path, a_package(**{"a.js": b"\nlet a = 'https://cdn.example.net/a.js'"}))

    assert [one.location for one in report.findings] == ["a.js:2"]


def test_no_text_takes_long() -> None:
    pieces = (b'"//', b"window.open(", b".open(", b"document.write('", b"on", b" ", b"async", b"top.")
    texts = {f"{n}_js": piece * (400_000 // len(piece)) for n, piece in enumerate(pieces)}
    tags = (
        b"<!--",
        b"<script ",
        b"<link ",
        b"<base ",
        b"<iframe src=",
        b"stylesheet",
        b"<link stylesheet ",
        b"<img ",
        b"<object data",
    )
    texts |= {f"{n}_html": tag * (400_000 // len(tag)) for n, tag in enumerate(tags)}

    begun = time.process_time()
    seen_in(**texts)

    assert time.process_time() - begun < 3  # 0.2 s where nothing else runs
