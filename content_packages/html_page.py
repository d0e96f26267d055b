"""What a page holds as a browser would read it: its text, its scripts, its frames, and what leads into frames."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from lxml import etree

from content_packages.manifest.document import TRICK_ENCODINGS

_NOT_SHOWN = frozenset({"head", "script", "style", "noscript", "noframes", "template", "title"})
_SCRIPT_TYPE = re.compile(r"^(|module|(text|application)/(x-)?(java|ecma)script\b.*)$", re.IGNORECASE)
_LEADS = frozenset({"a", "area", "form", "base"})
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([A-Za-z0-9_-]+)", re.IGNORECASE)
_NO_ROOM = re.compile(r"^\s*0+(\.0*)?\s*(%|px)?\s*$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Script:
    """A script that stands in a page: an element, an attribute, or an address.

    Args:
        line: of the page, where it begins.
    """

    text: str
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """A frame in a page.

    Args:
        address: as written, empty without one.
        in_set: it is one of a ``frameset``.
        has_room: the frameset gives it some; elsewhere always.
    """

    name: str
    address: str
    in_set: bool
    has_room: bool


@dataclass(kw_only=True, slots=True)
class HtmlPage:
    """A page, as far as it was read.

    Args:
        text: what somebody sees, each white space a single space.
        at_load: what its ``onload`` attributes say.
        script_files: addresses of scripts, as written.
        targets: names of frames that links and forms lead into, with their lines.
    """

    text: str = ""
    at_load: str = ""
    scripts: list[Script] = field(default_factory=list)
    handlers: list[Script] = field(default_factory=list)
    script_files: list[str] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    targets: list[tuple[str, int]] = field(default_factory=list)


def read_html(data: bytes) -> HtmlPage:
    """Return what is in the bytes of a page; nobody is kept from a course because its page is none."""
    page = HtmlPage()
    try:
        # As text of ours: the parser ends a page at the first byte that is not of the encoding it declares.
        root = etree.fromstring(page_text(data).encode("utf-8", "replace"), _parser())
    except (etree.ParserError, etree.XMLSyntaxError):
        return page
    if root is None:
        return page
    for element in root.iter():
        _take(page, element)
    page.text = " ".join(" ".join(_shown(root)).split())
    return page


def _parser() -> etree.HTMLParser:
    return etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)


def page_text(data: bytes) -> str:
    """Return a page as text: by its byte-order mark, as it declares, or as UTF-8 with signs for what is none."""
    for mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        if data.startswith(mark):
            return data.decode("utf-16", "replace")
    declared = _CHARSET.search(data[:1024])
    try:
        encoding = codecs.lookup(declared[1].decode("ascii") if declared else "utf-8").name
        if encoding not in TRICK_ENCODINGS:
            return data.decode(encoding)
    except (LookupError, UnicodeError):  # not all of Python's fail as UnicodeDecodeError
        pass
    return data.decode("utf-8", "replace")


def _take(page: HtmlPage, element: etree._Element) -> None:
    line, said = cast("int | None", element.sourceline) or 1, _said(element)
    if element.tag == "script":
        if said.get("src"):
            page.script_files.append(said["src"])
        elif _SCRIPT_TYPE.match(said.get("type", "").strip()):
            page.scripts.append(Script(text=element.text or "", line=line))
    elif element.tag in {"frame", "iframe"}:
        page.frames.append(_frame(element, said))
    elif element.tag in _LEADS and said.get("target"):
        page.targets.append((said["target"], line))
    for name, value in said.items():
        if name == "onload":
            page.at_load += f"{value};"
        if name.startswith("on") or value.lstrip()[:11].lower() == "javascript:":
            page.handlers.append(Script(text=value, line=line))


def _said(element: etree._Element) -> dict[str, str]:
    return {str(name): str(value) for name, value in element.attrib.items()}


def _frame(element: etree._Element, said: Mapping[str, str]) -> Frame:
    parent = element.getparent()
    in_set = element.tag == "frame" and parent is not None and parent.tag == "frameset"
    return Frame(
        name=said.get("name") or said.get("id") or "",
        address=said.get("src", "").strip(),
        in_set=in_set,
        has_room=parent is None or not in_set or _has_room(element, parent),
    )


def _has_room(element: etree._Element, frameset: etree._Element) -> bool:
    """Tell whether a frameset of rows or columns gives a frame any (HTML 4.01 16.2.1); one of both is not looked at."""
    said = _said(frameset)
    shares = [share for share in (said.get("rows", ""), said.get("cols", "")) if "," in share]
    if len(shares) != 1:
        return True
    among = frameset.index(element)
    given = shares[0].split(",")
    return among >= len(given) or _NO_ROOM.match(given[among]) is None


def _shown(root: etree._Element) -> Iterator[str]:
    """Yield the texts that are shown; without recursion, as a page may nest thousands of levels."""
    hidden: list[etree._Element] = []
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "start":
            if element.tag in _NOT_SHOWN:
                hidden.append(element)
            elif not hidden:
                yield element.text or ""
        else:
            if hidden and hidden[-1] is element:
                hidden.pop()
            if not hidden:
                yield element.tail or ""
