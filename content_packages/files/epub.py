"""Read an EPUB (EPUB 3.3 §4 to §7, OPF 2.0.1): which book is in it, the order of its parts, its table of contents."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Literal

from content_packages.errors import PackageRefusedError
from content_packages.files.course import course
from content_packages.files.told import title_of
from content_packages.findings import finding
from content_packages.manifest.document import Node, collapse, parse
from content_packages.manifest.names import FileNames, OutsideError, resolve, split_href
from content_packages.manifest.source import Source
from content_packages.package import Book, Heading, Package

MIMETYPE = "mimetype"
MAIN = "META-INF/container.xml"

_TYPE = b"application/epub+zip"
_ENCRYPTION = "META-INF/encryption.xml"
_FONTS_ONLY = frozenset({"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"})
_SHOWN = frozenset({"application/xhtml+xml", "text/html", "text/x-oeb1-document", "image/svg+xml"})
_DOCTYPE = re.compile(rb"<!DOCTYPE[^\[<>]*>")  # without declarations of its own it can hide nothing
_MARKUP = re.compile(r"<[^<>]*>")
_MOST_HEADINGS = 1000
_DEEPEST_HEADING = 6
_LONGEST_HEADING = 200


def read(source: Source) -> Package:
    """Return the book as a course of one unit.

    Raises:
        PackageRefusedError: it is no EPUB, it is locked, or it cannot be read.
    """
    if MIMETYPE not in source.names:
        source.note("epub.mimetype")
    elif not source.head(MIMETYPE, len(_TYPE)).strip().startswith(_TYPE):
        raise PackageRefusedError([finding("package.no_manifest", file=MIMETYPE)])
    source.standard = ("file", "EPUB")
    _refuse_locked(source)
    path = _package_path(source)
    book = _Opf(source, path, _parse(source, path))
    spine = book.spine()
    if not spine:
        code = "epub.nothing_here" if book.parts_missing else "epub.empty"
        raise PackageRefusedError([finding(code, file=path)])
    language = book.metadata("language")
    package = course(
        "EPUB",
        "epub",
        title=title_of(book.metadata("title"), source.given_name or source.main),
        languages=(language,) if language else (),
        path=spine[0],
        description=collapse(html.unescape(_MARKUP.sub(" ", book.metadata("description")))),
        identifier=book.metadata("identifier"),
    )
    return replace(package, book=Book(spine=spine, toc=book.contents(spine), direction=book.direction()))


def _refuse_locked(source: Source) -> None:
    if _ENCRYPTION not in source.names:
        return
    methods = Counter(
        node.get("Algorithm")
        for node in _parse(source, _ENCRYPTION).walk()
        if node.name == "EncryptionMethod"
    )
    if methods.keys() - _FONTS_ONLY:
        raise PackageRefusedError([finding("epub.encrypted", file=_ENCRYPTION)])
    if methods:
        source.findings.append(finding("epub.fonts", file=_ENCRYPTION, count=methods.total()))


def _package_path(source: Source) -> str:
    files = FileNames(source.names)
    for node in _parse(source, MAIN).walk():
        if node.name == "rootfile" and (path := files.find(node.get("full-path") or "")):
            return path
    raise PackageRefusedError([finding("epub.container", file=MAIN)])


class _Opf:
    """The package document: what the book is called, what it consists of, in which order."""

    def __init__(self, source: Source, path: str, root: Node) -> None:
        self._source = source
        self._path = path
        self._files = FileNames(source.names)
        self.parts_missing = False
        self._parts = {child.name: child for child in reversed(root.children)}
        self._items = {
            item.get("id") or "": item for item in self._children("manifest") if item.name == "item"
        }

    def _note(self, code: str, **facts: str | int) -> None:
        self._source.findings.append(finding(code, file=self._path, line=None, **facts))

    def metadata(self, name: str) -> str:
        """Return the first element of Dublin Core of this name, where it says something."""
        found = (collapse(_text(node)) for node in self._below("metadata") if node.name == name)
        return next((text for text in found if text), "")

    def direction(self) -> Literal["ltr", "rtl"] | None:
        """Return which way its pages turn."""
        spine = self._parts.get("spine")
        said = spine.get("page-progression-direction") if spine else None
        return "rtl" if said == "rtl" else "ltr" if said == "ltr" else None

    def spine(self) -> tuple[str, ...]:
        """Return the parts in reading order; what stands beside the text is left out."""
        missing: list[str] = []
        scripted = 0
        spine: dict[str, None] = {}  # in order, each once
        for reference in self._children("spine"):
            item = self._items.get(reference.get("idref") or "")
            if reference.name != "itemref" or reference.get("linear") == "no":
                continue
            href = item.get("href") if item else None
            path = self._find(self._path, href or "")
            if item is None or path is None:
                missing.append(href or reference.get("idref") or "?")
            elif (item.get("media-type") or "") in _SHOWN and path not in spine:
                scripted += "scripted" in (item.get("properties") or "").split()
                spine[path] = None
        self.parts_missing = bool(missing)
        if missing and spine:
            self._note("epub.part_missing", name=missing[0], count=len(missing))
        if scripted:
            self._note("epub.scripts", count=scripted)
        return tuple(spine)

    def contents(self, spine: tuple[str, ...]) -> tuple[Heading, ...]:
        """Return the table of contents: the navigation document, or the NCX of older books."""
        try:
            found = [*islice(self._headings(spine), _MOST_HEADINGS)]
        except PackageRefusedError:
            found = []
        if not found:
            self._note("epub.no_contents")
        return tuple(found)

    def _headings(self, spine: tuple[str, ...]) -> Iterator[Heading]:
        nav = next((i for i in self._items.values() if "nav" in (i.get("properties") or "").split()), None)
        ncx = next(
            (i for i in self._items.values() if i.get("media-type") == "application/x-dtbncx+xml"), None
        )
        places = {part: place for place, part in enumerate(spine)}
        for item, entries in ((nav, _nav_entries), (ncx, _ncx_entries)):
            path = self._find(self._path, (item.get("href") or "") if item else "")
            if path is None:
                continue
            made = False
            for title, href, level in entries(_parse(self._source, path)):
                part = places.get(self._find(path, href) or "")
                if part is not None and title and level <= _DEEPEST_HEADING:
                    made = True
                    yield Heading(
                        title=title[:_LONGEST_HEADING],
                        part=part,
                        fragment=split_href(href)[2],
                        level=level,
                    )
            if made:
                return

    def _find(self, base: str, href: str) -> str | None:
        """Return the file that an address in *base* means, ``None`` where it is not in the book."""
        path, _, _ = split_href(href)
        if not path:
            return None
        try:
            return self._files.find(resolve(base.rpartition("/")[0] + "/", path))
        except OutsideError:
            return None

    def _children(self, part: str) -> list[Node]:
        return self._parts[part].children if part in self._parts else []

    def _below(self, part: str) -> Iterator[Node]:
        return self._parts[part].walk() if part in self._parts else iter(())


_Entries = Iterator[tuple[str, str, int]]


def _nav_entries(root: Node) -> _Entries:
    """Yield title, address and level from a navigation document (EPUB 3.3 §7.3)."""
    navs = [node for node in root.walk() if node.name == "nav"]
    toc = next(
        (n for n in navs if "toc" in (n.get("type", "other") or "").split()), navs[0] if navs else None
    )
    if toc is not None:
        yield from _list_entries(toc, 1)


def _list_entries(around: Node, level: int) -> _Entries:
    for item in (item for child in around.children if child.name == "ol" for item in child.children):
        anchor = next((node for node in item.children if node.name == "a"), None)
        if anchor is not None:
            yield collapse(_text(anchor)), anchor.get("href") or "", level
        yield from _list_entries(item, level + 1)


def _ncx_entries(root: Node) -> _Entries:
    """Yield the same from an NCX (OPF 2.0.1 §2.4.1)."""
    for around in root.children:
        if around.name == "navMap":
            yield from _points(around, 1)


def _points(around: Node, level: int) -> _Entries:
    for point in around.children:
        if point.name == "navPoint":
            label = next((node for node in point.children if node.name == "navLabel"), None)
            content = next((node for node in point.children if node.name == "content"), None)
            if label is not None and content is not None:
                yield collapse(_text(label)), content.get("src") or "", level
            yield from _points(point, level + 1)


def _parse(source: Source, path: str) -> Node:
    data = source.head(path, source.limits.max_xml_bytes + 1)
    data = _DOCTYPE.sub(lambda found: b"\n" * found[0].count(b"\n"), data, count=1)
    size = source.sizes.get(path, 0)
    return parse(data, file=path, limits=source.limits, findings=source.findings, size=size).root


def _text(node: Node) -> str:
    return node.before + "".join(_text(child) + child.after for child in node.children)
