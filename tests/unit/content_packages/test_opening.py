"""What a course does as it is opened and its fence stops is told, with what an administrator could allow."""

from __future__ import annotations

from pathlib import Path

import pytest

from content_packages.findings import Finding
from tests.package_builders import a_package, imported


def told(folder: Path, code: str, page: bytes, **files: bytes) -> list[Finding]:
    """Import a package that begins with a page; return its findings of one code."""
    report = imported(folder, a_package() | {"index.html": page, **files})
    assert report.package is not None
    return [one for one in report.findings if one.code == code]


@pytest.mark.parametrize(
    "script",
    [
        b"window.top.onresize = f;",
        b"var before = window.top.onresize;",
        b"top.start()",
        b"parent.top.document.title = 'A'",
        b"if (top != self) top.location.href = self.location.href",
        b"self.top.location.assign('a.html')",
    ],
)
def test_a_script_that_takes_hold_of_the_outermost_window_at_once_is_told(
    tmp_path: Path, script: bytes
) -> None:
    in_page = told(tmp_path, "script.top_at_once", b"<p>A</p>\n<script>\n" + script + b"</script>")
    in_file = told(tmp_path, "script.top_at_once", b"<p>A</p>", **{"a/b.js": b"\n" + script})

    assert [(one.file, one.line, one.facts["count"]) for one in in_page] == [("index.html", 3, 1)]
    assert [(one.file, one.line, one.facts["count"]) for one in in_file] == [("a/b.js", 2, 1)]


@pytest.mark.parametrize(
    "script",
    [
        b"function leave() { window.top.close(); top.start() }",
        b"try { top.start() } catch (e) {}",
        b"top.close(); top.postMessage('a', '*'); top.location.replace('a'); if (top === self) f()",
        b"var box = element.getBoundingClientRect(); box.top.x; stop.it; top = 5",
        b"// top.start()",
    ],
)
def test_what_may_never_happen_or_is_open_to_all_is_not(tmp_path: Path, script: bytes) -> None:
    assert told(tmp_path, "script.top_at_once", b"<script>" + script + b"</script>") == []
    assert told(tmp_path, "script.top_at_once", b"<p>A</p>", **{"a.js": script}) == []


def test_what_is_no_script_takes_hold_of_nothing(tmp_path: Path) -> None:
    page = b"<p>top.start()</p><script type='text/template'>top.start()</script><!--<script>top.start()</script>-->"

    assert told(tmp_path, "script.top_at_once", page) == []


LAUNCHER = b"""<html><head><script>
function LaunchContent() { if (Safari) { window.open("", "_blank"); } else { window.open("start.html"); } }
</script></head>%b</html>"""


@pytest.mark.parametrize(
    "page",
    [
        LAUNCHER % b"<body onload=\"setTimeout('LaunchContent()', 100);\"><a href='#'>Open</a></body>",
        LAUNCHER % b"<body><script>LaunchContent()</script></body>",
        LAUNCHER % b"<body><script>window.onload = LaunchContent;</script></body>",
        b"<p>The course opens in a new window.</p><script>var w = window.open('start.html')</script>",
        b"<body onload=\"window.open('start.html')\"></body>",
    ],
)
def test_a_first_page_that_only_opens_a_window_is_told(tmp_path: Path, page: bytes) -> None:
    found = told(tmp_path, "script.launcher", page)

    assert [(one.file, one.facts["name"]) for one in found] == [("index.html", "index.html")]


@pytest.mark.parametrize(
    "page",
    [
        LAUNCHER % b"<body><p>Press to see more.</p></body>",
        LAUNCHER % b"<body onload='start()'></body>",
        LAUNCHER % (b"<body onload='LaunchContent()'>" + b"<p>A page of its own.</p>" * 20 + b"</body>"),
        LAUNCHER % b"<body onload='LaunchContent()'><iframe src='start.html'></iframe></body>",
    ],
)
def test_a_first_page_that_shows_something_is_no_launcher(tmp_path: Path, page: bytes) -> None:
    assert told(tmp_path, "script.launcher", page, **{"start.html": b"<p>A</p>"}) == []


FRAMESET = b"""<frameset cols="200,*">
<frame name="menu" src="m/menu.html"><frame name="content" src="a.html"></frameset>"""


@pytest.mark.parametrize(
    "menu",
    [
        b'<a target="content" href="b.html">B</a>',
        b'<form target="content"></form>',
        b'<base target="_parent">',
        b"<a href=\"javascript:void(parent.content.location.href='b.html')\">B</a>",
        b"<script>parent.content.location = 'b.html'</script>",
        b"<script>window.parent.frames['content'].location.replace('b.html')</script>",
        b"<script>parent.location.href = 'b.html'</script>",
        b"<script>goTo('b.html', 'content')</script>",
        b"<script>var there = parent.content; there.location = 'b.html'</script>",
        b"<button onclick=\"parent.document.location.assign('b.html')\">B</button>",
    ],
)
def test_frames_that_lead_those_beside_or_around_them_are_told(tmp_path: Path, menu: bytes) -> None:
    found = told(tmp_path, "script.frames", FRAMESET, **{"m/menu.html": b"\n" + menu, "a.html": b"A"})

    assert [(one.file, one.line) for one in found] == [("m/menu.html", 2)]


def test_a_script_of_a_frame_leads_as_its_page_does(tmp_path: Path) -> None:
    menu, script = (
        b'<script src="../lib/nav.js?v=1"></script>',
        b"\nfunction go() { parent.content.location = 'b.html' }",
    )

    (found,) = told(tmp_path, "script.frames", FRAMESET, **{"m/menu.html": menu, "lib/nav.js": script})

    assert (found.file, found.line, found.facts["count"]) == ("lib/nav.js", 2, 1)


@pytest.mark.parametrize(
    "inner",
    [
        b'<a target="_self" href="b.html">B</a><a target="_blank" href="b.html">B</a>',
        b'<a target="inner" href="b.html">itself</a>',
        b'<a target="below" href="b.html">B</a><iframe name="below" src="c.html"></iframe>',
        b"<script>if (parent.location.href == here) { found = parent.frames[0].API }</script>",
        b"<script>var where = window.parent.location.search; f('content')</script>",
        b"<script>stop.parent.location = 1</script>",
    ],
)
def test_frames_that_lead_only_what_is_in_them_are_not(tmp_path: Path, inner: bytes) -> None:
    page = b'<a target="inner" href="b.html">B</a><iframe name="inner" src="a.html"></iframe>'

    assert told(tmp_path, "script.frames", page, **{"a.html": inner, "c.html": b"C"}) == []


def test_a_frame_without_room_may_be_named(tmp_path: Path) -> None:
    page = b'<frameset rows="*,0"><frame name="content" src="a.html"><frame name="results" src="b.html"></frameset>'
    files = {"a.html": b"<script>send('results')</script>", "b.html": b"B"}

    assert told(tmp_path, "script.frames", page, **files) == []


def test_frames_within_each_other_come_to_an_end(tmp_path: Path) -> None:
    page = b'<iframe src="index.html"></iframe><iframe src="a.html"></iframe><a target="_parent" href="b.html">B</a>'

    (found,) = told(tmp_path, "script.frames", page, **{"a.html": page})

    assert found.file == "a.html"


@pytest.mark.parametrize(
    "script",
    [
        b"var at = 'https://films.example.edu/7?autoplay=1'; var f = document.createElement('IFRAME'); f.src = at;",
        b"f = document.getElementById('f'); f.src = 'https://films.example.edu/7'",
        b"document.write('<iframe src=\"//films.example.edu/7\"></iframe>')",
        b"window.location.href = 'https://films.example.edu/course/'",
        b"location.replace('http://films.example.edu/')",
    ],
)
def test_a_course_that_lies_on_another_host_is_told(tmp_path: Path, script: bytes) -> None:
    frame = b"<iframe id=f src='about:blank'></iframe>" if b"getElement" in script else b""
    page = b"<script src='api.js'></script><p>One moment</p>" + frame + b"<script>" + script + b"</script>"

    (found,) = told(tmp_path, "package.elsewhere", page, **{"api.js": b"f()"})

    assert (found.file, found.facts["hosts"]) == ("index.html", "films.example.edu")


@pytest.mark.parametrize(
    "page",
    [
        b"<script>var s = document.createElement('script'); s.src = 'https://films.example.edu/api.js'</script>",
        b"<script>if (old) location.href = next; tag.src = 'https://films.example.edu/api.js'</script>",
        b"<script>var endpoint = 'https://records.example.edu/xapi/'</script>",
        b"<script>location.href = 'start.html'; var ns = 'http://www.w3.org/2000/svg'</script>",
        b"<script>f.src = 'https://films.example.edu/7'; document.createElement('iframe')</script>"
        + b"<p>A text.</p>" * 50,
        b"<script>location = 'start.html'</script><a href='https://films.example.edu/7'>A film</a>",
    ],
)
def test_a_course_that_only_names_another_host_is_not(tmp_path: Path, page: bytes) -> None:
    assert told(tmp_path, "package.elsewhere", page) == []


@pytest.mark.parametrize(
    "held", ["course/config.json", "course/course.json", "course/en/course.json.bak", "en/course.json"]
)
def test_a_course_of_adapt_without_its_data_is_told(tmp_path: Path, held: str) -> None:
    (found,) = told(
        tmp_path, "page.no_course_data", b"<p>A</p>", **{"adapt/js/adapt.min.js": b"f()", held: b"{}"}
    )

    assert (found.file, found.facts["name"]) == ("index.html", "course/*/course.json")


def test_a_course_of_adapt_with_its_data_in_any_language_is_whole(tmp_path: Path) -> None:
    files = {"adapt/js/adapt.min.js": b"f()", "course/pt-BR/course.json": b"{}"}

    assert told(tmp_path, "page.no_course_data", b"<p>A</p>", **files) == []
    assert told(tmp_path, "page.no_course_data", b"<p>A</p>", **{"course/a.js": b"f()"}) == []
