"""Names that a script uses as soon as it is read are told from those in functions, branches, texts and comments."""

from __future__ import annotations

import pytest

from content_packages.top_level import names_at_once


@pytest.mark.parametrize(
    "script",
    [
        "a.b = 1",
        "var x = a.b;",
        "f(a.b)",
        "a . b()",
        "a?.b",
        "x = '{' + a.b",
        'x = "\\"{" + a.b',
        "x = `{` + a.b",
        "x = /[/{]'/.test(y) && a.b",
        "x = y / 2; a.b = '/'",
        "// it's {\na.b",
        "/* { ' */ a.b",
        "<!-- {\na.b\n// -->",
        "function f() { g() } a.b()",
        "const f = () => g(); a.b",
        "if (x) a.b = 1",
    ],
)
def test_what_stands_outside_of_braces_is_done_at_once(script: str) -> None:
    assert "a.b" in [name for _, name in names_at_once(script)]


@pytest.mark.parametrize(
    "script",
    [
        "function f() { a.b }",
        "try { a.b } catch (e) {}",
        "if (x) { a.b = 1 }",
        "(function () { x = '}'; a.b })()",
        "const f = () => a.b;",
        "const f = () => { if (x) { y } a.b }",
        "// a.b",
        "/* a.b */",
        "<!-- a.b",
        "'a.b'",
        "x = /a.b/",
        "f().a.b",
        "x[0].a.b",
        "'unfinished { a.b",
        "} a.b",
    ],
)
def test_what_may_never_be_reached_is_left_out(script: str) -> None:
    assert "a.b" not in [name for _, name in names_at_once(script)]


def test_each_name_has_its_place() -> None:
    assert list(names_at_once("a;\n b.c()")) == [(0, "a"), (4, "b.c")]


@pytest.mark.parametrize(
    "piece",
    ['"', '"\\"', "'\\", "`\\`", "/*", "/[", "=/[a", "=/a\\", "{", "a.", "a .", "=>", "<!--", "//", "\\"],
)
def test_no_script_is_gone_over_twice(piece: str) -> None:
    names = list(names_at_once(piece * (250_000 // len(piece))))  # a second at most; hours, if it were

    assert all(name.strip("a. ") == "" for _, name in names)
