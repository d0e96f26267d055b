"""What a script does as soon as it is read: the names it uses outside of any braces (ECMAScript 16.1).

A heuristic for the report: nothing is run. What stands in braces may be a function nobody calls, a branch nobody takes,
or a ``try``; what stands outside is always reached.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# What does not end where it should ends with its line or the script, so that no text is gone over twice.
_TOKEN = re.compile(
    r"""(?P<nothing>//[^\n]*+|<!--[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/)?)"""
    r"""|(?P<value>"(?:[^"\\\n]|\\.)*+"?|'(?:[^'\\\n]|\\.)*+'?|`(?:[^`\\]|\\.)*+`?|\d[\w.]*+)"""
    r"""|(?P<name>[A-Za-z_$][\w$]*+(?:\s{0,3}\??\.\s{0,3}[A-Za-z_$][\w$]*+)*+)"""
    r"""|(?P<sign>=>|[^\s\w])""",
    re.DOTALL,
)
# A slash after one of these begins a pattern; after a value it divides.
_BEFORE_PATTERN = frozenset("(,=:[!&|?{};+-*%<>~^") | {
    "",
    "=>",
    "return",
    "typeof",
    "case",
    "in",
    "of",
    "void",
    "throw",
}
_PATTERN = re.compile(r"/(?![*/])(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.){0,100}+\]){1,200}+/[a-z]*")
_SPACED_DOT = re.compile(r"\s*\??\.\s*")


def names_at_once(script: str) -> Iterator[tuple[int, str]]:
    """Yield the names a script uses outside of any braces, whole and in their order, and where each begins.

    >>> [name for _, name in names_at_once("var a = top.b; function f() { c.d() } f();")]
    ['var', 'a', 'top.b', 'function', 'f', 'f']
    """
    depth, at, before, later = 0, 0, "", False
    while (token := _TOKEN.search(script, at)) is not None:
        at, written = token.end(), token[0]
        if token["nothing"]:
            continue
        if (
            written == "/"
            and before in _BEFORE_PATTERN
            and (pattern := _PATTERN.match(script, token.start()))
        ):
            at, before = pattern.end(), ")"
            continue
        if written == "{":
            depth += 1
            later = False
        elif written == "}":
            depth -= 1
            if depth < 0:  # it was misread, or is no script
                return
        elif written == ";":
            later = False
        elif written == "=>":
            later = True  # what follows is a function without braces, as far as the statement goes
        elif token["name"] and not depth and not later and before != ".":
            yield token.start(), _SPACED_DOT.sub(".", written)
        before = ")" if token["value"] else written
