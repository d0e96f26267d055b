"""Read a plain site: HTML pages with an ``index.html`` and nothing that says more of them."""

from __future__ import annotations

import html
import re
from dataclasses import replace

from content_packages.html_page import page_text
from content_packages.manifest.names import FileNames, split_href
from content_packages.manifest.source import Source
from content_packages.package import Activity, LaunchTarget, Metadata, Package
from content_packages.schema_org import read_schema_org

_HEAD_BYTES = 64 * 1024
# None of these may pass over a second beginning of the same: a page of nothing but beginnings would take minutes.
_TITLE = re.compile(r"<title[^<>]*>((?:(?!<title).)*?)</title", re.IGNORECASE | re.DOTALL)
_LANGUAGE = re.compile(r"<html[^<>]*\slang\s*=\s*[\"']?([A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*)", re.IGNORECASE)
_EMPTY_BODY = re.compile(r"<body[^<>]*>\s*</body", re.IGNORECASE)
_SCRIPT = re.compile(r"<script([^<>]*)>((?:(?!<script).)*?)</script", re.IGNORECASE | re.DOTALL)
_SRC = re.compile(r"\ssrc\s*=\s*[\"']?([^\"'\s>]+)", re.IGNORECASE)
_META = re.compile(r"<meta\b[^<>]{0,500}>", re.IGNORECASE)
_REFRESH = re.compile(r"\bhttp-equiv\s*=\s*[\"']?refresh\b", re.IGNORECASE)
_LEADS_TO = re.compile(r"\burl\s*=\s*['\"]?([^'\">]+)", re.IGNORECASE)


def read(source: Source) -> Package:
    """Return a course of one page, which is complete when it has been shown."""
    source.standard = ("site", "HTML")
    text = page_text(source.head(source.main, _HEAD_BYTES))
    if (
        _EMPTY_BODY.search(_without_comments(text))
        and not any(_does_something(script, source) for script in _SCRIPT.finditer(text))
        and not _leads_on(text, source)
    ):
        source.note("site.empty", name=source.main)
    named = _TITLE.search(text)
    title = " ".join(html.unescape(named[1]).split()) if named else ""
    if not title:
        source.note("site.no_title", name=source.main)
        title = source.main
    language = _LANGUAGE.search(text)
    tag = language[1] if language else "und"
    said = read_schema_org(text, tag) or Metadata()
    languages = {tag, *said.languages} - {"und"}
    page = Activity(identifier="site", title=title, kind="asset", launch=LaunchTarget(path=source.main))
    return Package(
        standard="site",
        edition="HTML",
        identifier=f"site:{title}",
        title=title,
        root=Activity(identifier="root", title=title, children=(page,)),
        languages=tuple(sorted(languages)),
        metadata=replace(said, titles=said.titles or {tag: title}),
    )


def _without_comments(text: str) -> str:
    """Return a page without its comments; one that does not end is none."""
    kept, at = [], 0
    while (begins := text.find("<!--", at)) >= 0 and (ends := text.find("-->", begins + 4)) >= 0:
        kept.append(text[at:begins])
        at = ends + 3
    return "".join([*kept, text[at:]])


def _does_something(script: re.Match[str], source: Source) -> bool:
    """Tell whether a script could fill the page: all can but an empty one and one that is not there."""
    named = _SRC.search(script[1])
    if named is None:
        return bool(script[2].strip())
    path = html.unescape(named[1])
    return "//" in path or (path in source.names and bool(source.head(path, 1)))


def _leads_on(text: str, source: Source) -> bool:
    """Tell whether the page sends the browser on to another one of the package, as tools' first pages do."""
    files = FileNames(source.names)
    for meta in _META.finditer(text):
        led = _LEADS_TO.search(meta[0]) if _REFRESH.search(meta[0]) else None
        if led is not None and files.find_from("", split_href(html.unescape(led[1]).strip())[0]):
            return True
    return False
