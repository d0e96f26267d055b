"""What pages ask for by themselves: scripts, style sheets, films, pages inside them, pictures.

A heuristic for the report, never a reason to refuse: what scripts add later is not seen, and an address that a
script would replace is taken as it stands.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from content_packages.findings import Finding, finding
from content_packages.manifest.names import FileNames, OutsideError, extension_of, resolve, split_href

PAGES = frozenset({"html", "htm", "xhtml"})
PICTURES = frozenset({"png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "bmp", "ico"})
ASKED = re.compile(
    rb"(?P<opens><!--(?!>))|(?P<closes>-->)|(?P<base><base\b[^<>]{0,100}?\bhref)|"
    rb"<(?:(?:script|i?frame|video|audio|source|track)\b[^<>]{0,300}?\bsrc|"
    rb"link\b(?=[^<>]{0,300}\bstylesheet\b)[^<>]{0,300}?\bhref|"
    rb"(?P<picture>(?:img|input)\b[^<>]{0,300}?(?<![\w-])src)|"
    rb"(?P<shown>embed\b[^<>]{0,300}?(?<![\w-])src|object\b[^<>]{0,300}?(?<![\w-])data))"
    rb"\s{0,9}=\s{0,9}(?P<quote>[\"'])(?P<address>[^\"'<>]{1,200})(?P=quote)",
    re.IGNORECASE,
)
_TEMPLATE = re.compile(r"[{}$+`\\]|<%")  # a script puts something there
_ELSEWHERE = re.compile(r"^\s*(?:[A-Za-z][A-Za-z0-9+.-]*:|//|#|$)")
_MOST = 10_000
_MOST_NAMED = 3


@dataclass(kw_only=True, slots=True)
class Place:
    """Where something was asked for first."""

    file: str
    line: int


@dataclass(slots=True)
class PageFiles:
    """What the pages of a package ask for."""

    asked: dict[tuple[str, str], Place] = field(default_factory=dict)  # by folder of the page, and address
    pictures: dict[tuple[str, str], Place] = field(default_factory=dict)  # likewise
    based: set[str] = field(default_factory=set)  # pages that say against what their addresses count
    in_comment: set[str] = field(default_factory=set)  # pages that are being read and stand in one

    def take(self, match: re.Match[bytes], *, page: str, line: Callable[[], int]) -> None:
        """Note what one match of ``ASKED`` is, in their order; its line is asked for only if it is new."""
        if match["opens"]:
            self.in_comment.add(page)
        elif match["closes"]:
            self.in_comment.discard(page)
        elif page in self.in_comment:
            return
        elif match["base"]:
            self.based.add(page)
        else:
            address = html.unescape(match["address"].decode("utf-8", "replace"))
            kind = extension_of(split_href(address)[0].strip()) if match["shown"] else ""
            if kind != "swf":  # nobody sees it either way
                self._ask(address, page, line, picture=kind in PICTURES or match["picture"] is not None)

    def _ask(self, address: str, page: str, line: Callable[[], int], *, picture: bool) -> None:
        asked = self.pictures if picture else self.asked
        if _ELSEWHERE.match(address) or _TEMPLATE.search(address) or len(asked) >= _MOST:
            return
        key = page.rpartition("/")[0], split_href(address)[0].strip()
        if key not in asked:
            asked[key] = Place(file=page, line=line())

    def findings(self, names: FileNames) -> Iterator[Finding]:
        """Return what is not among the files of the package."""
        for code, asked, most in (
            ("page.missing_file", self.asked, 1),
            ("page.missing_picture", self.pictures, _MOST_NAMED),
        ):
            missing = [
                (address, place)
                for (folder, address), place in asked.items()
                if place.file not in self.based and not _is_there(names, folder, address)
            ]
            if missing:
                place = missing[0][1]
                named = ", ".join(address for address, _ in missing[:most])
                yield finding(code, file=place.file, line=place.line, count=len(missing), name=named)


def _is_there(names: FileNames, folder: str, address: str) -> bool:
    """Tell whether a browser would get it: an address from the root of the host leads out of the package."""
    if not address:
        return True  # the page itself
    if address.startswith("/"):
        return False
    try:
        found = resolve(f"{folder}/" if folder else "", address)
    except OutsideError:
        return False
    return names.find(found) is not None
