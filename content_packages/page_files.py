"""What pages cannot run without and ask for by themselves: scripts, style sheets, films, pages inside them.

A heuristic for the report, never a reason to refuse: what scripts add later is not seen, and an address that a
script would replace is taken as it stands.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from content_packages.findings import Finding, finding
from content_packages.manifest.names import FileNames, OutsideError, resolve, split_href

PAGES = frozenset({"html", "htm", "xhtml"})
ASKED = re.compile(
    rb"(?P<opens><!--(?!>))|(?P<closes>-->)|(?P<base><base\b[^<>]{0,100}?\bhref)|"
    rb"<(?:(?:script|i?frame|video|audio|source|track)\b[^<>]{0,300}?\bsrc|"
    rb"link\b(?=[^<>]{0,300}\bstylesheet\b)[^<>]{0,300}?\bhref)"
    rb"\s{0,9}=\s{0,9}(?P<quote>[\"'])(?P<address>[^\"'<>]{1,200})(?P=quote)",
    re.IGNORECASE,
)
_TEMPLATE = re.compile(r"[{}$+`\\]|<%")  # a script puts something there
_ELSEWHERE = re.compile(r"^\s*(?:[A-Za-z][A-Za-z0-9+.-]*:|//|#|$)")
_MOST = 10_000


@dataclass(kw_only=True, slots=True)
class Place:
    """Where something was asked for first."""

    file: str
    line: int


@dataclass(slots=True)
class PageFiles:
    """What the pages of a package ask for."""

    asked: dict[tuple[str, str], Place] = field(default_factory=dict)  # by folder of the page, and address
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
            self._ask(html.unescape(match["address"].decode("utf-8", "replace")), page, line)

    def _ask(self, address: str, page: str, line: Callable[[], int]) -> None:
        if _ELSEWHERE.match(address) or _TEMPLATE.search(address) or len(self.asked) >= _MOST:
            return
        key = page.rpartition("/")[0], split_href(address)[0].strip()
        if key not in self.asked:
            self.asked[key] = Place(file=page, line=line())

    def findings(self, names: FileNames) -> Iterator[Finding]:
        """Return what is not among the files of the package."""
        missing = [
            (address, place)
            for (folder, address), place in self.asked.items()
            if place.file not in self.based and not _is_there(names, folder, address)
        ]
        if missing:
            address, place = missing[0]
            yield finding(
                "page.missing_file", file=place.file, line=place.line, count=len(missing), name=address
            )


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
