"""Cut what a package says to what people and databases can take in: lists, reports and records show its titles whole.

The metadata record of a SCORM package may hold 1,000 characters for a title (LOM 1.2, smallest permitted maximum), and
SCORM 2004 recommends 200 for an item; some tools put a whole page there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from content_packages.findings import Finding, finding
from content_packages.package import Activity, Book, Described, Metadata, Package

MOST_TITLE_CHARS: Final = 300
MOST_TEXT_CHARS: Final = 5000

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# They turn what follows them around, and have no end where a text is cut (UAX #9); marks of one place (200E, 200F,
# 061C), which honest right-to-left titles have, do not.
_ORDER = re.compile("[\u202a-\u202e\u2066-\u2069]")
_MARKUP = re.compile(r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>|&(?:nbsp|amp|lt|gt|quot|#[0-9]{1,6});")
_Said = TypeVar("_Said", Activity, Described, Metadata, Package, Book)


def cut_texts(package: Package, findings: list[Finding]) -> Package:
    """Return the package with its long titles and descriptions cut; what was cut is added to the findings."""
    cutter = _Cutter()
    cut = cutter.package(package)
    findings += cutter.findings()
    return cut


@dataclass(kw_only=True, slots=True)
class _Cutter:
    """Cuts texts and remembers which were too long."""

    titles: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    turned: list[str] = field(default_factory=list)
    garbled: list[str] = field(default_factory=list)
    marked: list[str] = field(default_factory=list)

    def package(self, package: Package) -> Package:
        return self._with(
            package,
            title=self._title(package.title),
            root=self._activity(package.root),
            metadata=self._metadata(package.metadata),
            other_organizations=tuple(map(self._title, package.other_organizations)),
            objectives=tuple(map(self._described, package.objectives)),
            other_activities=tuple(map(self._described, package.other_activities)),
            book=package.book and self._book(package.book),
        )

    def findings(self) -> Iterator[Finding]:
        for code, cut, limit in (
            ("text.title_cut", self.titles, MOST_TITLE_CHARS),
            ("text.description_cut", self.texts, MOST_TEXT_CHARS),
        ):
            if cut:
                longest = max(cut, key=len)
                yield finding(code, name=longest, length=len(longest), limit=limit, count=len(set(cut)))
        for code, found in (
            ("text.order", self.turned),
            ("text.garbled", self.garbled),
            ("text.markup", self.marked),
        ):
            if found:
                yield finding(code, name=found[0], count=len(set(found)))

    # ------------------------------------------------------------------ parts

    def _activity(self, activity: Activity) -> Activity:
        return self._with(
            activity,
            title=self._title(activity.title),
            titles=self._titles(activity.titles),
            descriptions=self._descriptions(activity.descriptions),
            children=tuple(map(self._activity, activity.children)),
        )

    def _described(self, one: Described) -> Described:
        return self._with(
            one, titles=self._titles(one.titles), descriptions=self._descriptions(one.descriptions)
        )

    def _metadata(self, metadata: Metadata) -> Metadata:
        lines = {
            name: said and _cut(self._in_order(said), MOST_TITLE_CHARS)
            for name in ("audience", "version", "rights", "publisher", "contact")
            for said in [getattr(metadata, name)]
        }
        return self._with(
            metadata,
            titles=self._titles(metadata.titles),
            descriptions=self._descriptions(metadata.descriptions),
            version_notes=metadata.version_notes and self._text(metadata.version_notes),
            **lines,
        )

    def _book(self, book: Book) -> Book:
        toc = tuple(
            one if (title := self._title(one.title)) == one.title else replace(one, title=title)
            for one in book.toc
        )
        return self._with(book, toc=toc)

    def _titles(self, texts: Mapping[str, str]) -> dict[str, str]:
        return {tag: self._title(text) for tag, text in texts.items()}

    def _descriptions(self, texts: Mapping[str, str]) -> dict[str, str]:
        return {tag: self._text(text) for tag, text in texts.items()}

    def _title(self, text: str) -> str:
        text = self._in_order(text)
        if _MARKUP.search(text):
            self.marked.append(text)
        if len(text) > MOST_TITLE_CHARS:
            self.titles.append(text)
        return _cut(text, MOST_TITLE_CHARS)

    def _text(self, text: str) -> str:
        text = self._in_order(text)
        if len(text) > MOST_TEXT_CHARS:
            self.texts.append(text)
        return _cut(text, MOST_TEXT_CHARS)

    def _in_order(self, text: str) -> str:
        if _is_garbled(text):
            self.garbled.append(text)
        plain = _ORDER.sub("", text)
        if plain != text:
            self.turned.append(text)
        return plain

    @staticmethod
    def _with(said: _Said, **parts: Any) -> _Said:
        """Return it with these parts; as it is, where none differs, for a course may have ten thousand."""
        differing = {name: part for name, part in parts.items() if part != getattr(said, name)}
        return replace(said, **differing) if differing else said


def without_controls(text: str) -> str:
    """Return a text without characters that nobody can see and no database takes."""
    return _CONTROL.sub("", text)


def _cut(text: str, most: int) -> str:
    """Return a text of at most so many characters, and none that controls a printer.

    >>> _cut("Search of vehicles", 8)
    'Search…'
    """
    text = without_controls(text)
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _is_garbled(text: str) -> bool:
    """Tell whether a text is UTF-8 that somebody has read as windows-1252: then it can be read back.

    >>> _is_garbled("Pr\u00c3\u00a9curseurs"), _is_garbled("Pr\u00e9curseurs"), _is_garbled("Precursors")
    (True, False, False)
    """
    if text.isascii():
        return False
    for encoding in ("cp1252", "latin-1"):
        with suppress(UnicodeError):
            return text.encode(encoding).decode() != text
    return False
