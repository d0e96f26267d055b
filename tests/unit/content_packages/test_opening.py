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
