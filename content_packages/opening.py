"""What a course does as it is opened that its fence stops.

A heuristic for the report, never a reason to refuse: nothing is run, and of each file only the beginning is read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

from content_packages.content_scan import hosts_named
from content_packages.findings import Finding, finding
from content_packages.html_page import Frame, HtmlPage, Script, read_html
from content_packages.manifest.names import FileNames, extension_of, split_href
from content_packages.manifest.source import Source
from content_packages.package import Activity
from content_packages.page_files import PAGES
from content_packages.top_level import names_at_once

_HEAD_BYTES = 128 * 1024
_MOST_BYTES = 1024 * 1024  # of all files together
_MOST_PAGES = 20
_HARDLY_ANY = 300  # characters that somebody sees: a sentence or two, as beside a button
_MOST_HOSTS_NAMED = 8
_SHOWS_ANOTHER = re.compile(
    r"\bcreateElement\s{0,9}\(\s{0,9}[\"']iframe\b|<iframe\b|"
    r"\blocation(?:\.href\s{0,9}=|\s{0,9}=|\.replace\s{0,9}\(|\.assign\s{0,9}\()\s{0,9}[\"'](?:https?:)?//",
    re.IGNORECASE,
)
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_FUNCTION = re.compile(r"\bfunction\s{1,9}([A-Za-z_$][\w$]*)\s{0,9}\(")
_OPENS = re.compile(r"\bwindow\.open\s{0,9}\(")
# What a page may touch of a window of another origin (HTML 7.2.1.3.1). Where it leads, a frame may not lead it.
_OPEN_TO_ALL = frozenset(
    {"window", "self", "location", "close", "closed", "focus", "blur", "frames", "length", "top", "opener"}
) | {"parent", "postMessage"}
_AROUND = frozenset({"window", "self", "parent", "top"})


# How a script of a frame leads the page around it, or another frame there.
_LEADS_PARENT = (
    r"(?<![\w$.])(?:(?:window|self)\.)?(?:parent\.){1,5}(?:frames\s{0,9}\[[^\]]{0,100}\]\.|[\w$]+\.)?"
    r"(?:document\.)?location(?:\.href)?\s{0,9}(?:=(?!=)|\.(?:replace|assign)\s{0,9}\()"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Opened:
    """A page that a course opens by itself.

    Args:
        around: the pages in whose frames it stands, the outermost first.
        frames: those frames, likewise.
    """

    path: str
    page: HtmlPage
    around: tuple[HtmlPage, ...] = ()
    frames: tuple[Frame, ...] = ()

    @property
    def in_set(self) -> bool:
        """Whether its frame is one of a frameset."""
        return self.frames[-1].in_set if self.frames else False

    def beside(self) -> set[str]:
        """Return the names of the frames beside it and around it that have room; its own it may lead."""
        names = {frame.name for page in self.around for frame in page.frames if frame.has_room and frame.name}
        return names - {frame.name for frame in self.frames[-1:]}


class Opening:
    """The files with which a course begins.

    Args:
        root: the outline; its lessons say where they begin.
        reaching: files with a sign that a script touches the outermost window.
    """

    def __init__(self, source: Source, root: Activity, reaching: Collection[str]) -> None:
        self._source = source
        self._root = root
        self._reaching = reaching
        self._left = _MOST_BYTES
        self._names = FileNames(source.names)
        self._scripts_seen: set[str] = set()

    def findings(self) -> Iterator[Finding]:
        """Return what an instructor should know of it."""
        yield from self._without_data()
        yield from self._launchers()
        yield from self._elsewhere()
        yield from self._leading_frames()
        yield from self._reaching_at_once()

    @cached_property
    def _first_pages(self) -> dict[str, HtmlPage]:
        """The pages with which lessons begin, as far as they are pages."""
        paths = dict.fromkeys(unit.launch.path for unit in self._root.units() if unit.launch is not None)
        pages = [path for path in paths if extension_of(path) in PAGES][:_MOST_PAGES]
        return {path: read_html(self._head(path)) for path in pages}

    def _without_data(self) -> Iterator[Finding]:
        """Tell of a course of Adapt or Evolve without what is in it: its scripts fetch that from one place."""
        for page in self._first_pages:
            folder = page[: -len(page.rpartition("/")[2])]
            begins, ends = f"{folder}course/", "/course.json"
            if f"{folder}adapt/js/adapt.min.js" in self._names and not any(
                name.startswith(begins) and name.endswith(ends) and name.count("/") == begins.count("/") + 1
                for name in self._source.names
            ):
                yield finding("page.no_course_data", file=page, name=f"{begins}*{ends}")
                return

    def _launchers(self) -> Iterator[Finding]:
        """Tell of first pages that do nothing but open a window."""
        found = [
            path
            for path, page in self._first_pages.items()
            if len(page.text) < _HARDLY_ANY and not page.frames and _opens_at_once(page)
        ]
        if found:
            yield finding("script.launcher", file=found[0], name=found[0], count=len(found))

    def _elsewhere(self) -> Iterator[Finding]:
        """Tell of first pages that show nothing but what they fetch from another host."""
        found = [
            (path, hosts)
            for path, page in self._first_pages.items()
            if len(page.text) < _HARDLY_ANY and (hosts := _hosts_shown(page))
        ]
        if found:
            path, hosts = found[0]
            named = ", ".join(hosts[:_MOST_HOSTS_NAMED])
            yield finding("package.elsewhere", file=path, name=path, hosts=named, count=len(found))

    def _leading_frames(self) -> Iterator[Finding]:
        """Tell of frames that lead others than those in them."""
        found = [place for opened in self._opened() if opened.around for place in self._leads(opened)]
        if found:
            path, line, written = found[0]
            yield finding("script.frames", file=path, line=line, name=written, count=len(found))

    def _opened(self) -> Iterator[_Opened]:
        """Yield the first pages, and those that frames of them open, each once."""
        waiting = [_Opened(path=path, page=page) for path, page in self._first_pages.items()]
        known = set(self._first_pages)
        while waiting:
            opened = waiting.pop(0)
            yield opened
            for frame in opened.page.frames:
                path = self._find(opened.path, frame.address)
                if path is None or path in known or extension_of(path) not in PAGES:
                    continue
                if len(known) == 2 * _MOST_PAGES:
                    return
                known.add(path)
                page = read_html(self._head(path))
                around, frames = (*opened.around, opened.page), (*opened.frames, frame)
                waiting.append(_Opened(path=path, page=page, around=around, frames=frames))

    def _leads(self, opened: _Opened) -> Iterator[tuple[str, int, str]]:
        """Yield where a page in a frame leads others: the file, the line, and how it is written."""
        beside = opened.beside()
        for name, line in opened.page.targets:
            if name in beside or name.lower() == "_parent":
                yield opened.path, line, f'target="{name}"'
        named = "|".join(map(re.escape, sorted(beside)[:_MOST_PAGES]))
        # A name in a text is only taken for that of a frame where pages are made of frames.
        by_name = (
            rf"(?<![\w$])parent\.(?:{named})\b|[\"'](?:{named})[\"']" if beside and opened.in_set else "(?!)"
        )
        for path, script in self._scripts(opened):
            for match in re.finditer(f"{_LEADS_PARENT}|{by_name}", script.text):
                yield path, script.line + script.text.count("\n", 0, match.start()), match[0]

    def _scripts(self, opened: _Opened) -> Iterator[tuple[str, Script]]:
        """Yield the scripts of a page, those in files of the package included, each file once."""
        for script in (*opened.page.scripts, *opened.page.handlers):
            yield opened.path, script
        for address in opened.page.script_files:
            path = self._find(opened.path, address)
            if path is not None and path not in self._scripts_seen:
                self._scripts_seen.add(path)
                yield path, Script(text=self._head(path).decode("utf-8", "replace"), line=1)

    def _find(self, page: str, address: str) -> str | None:
        folder, slash, _ = page.rpartition("/")
        path = split_href(address.strip())[0]
        return self._names.find_from(folder + slash, path) if path else None

    def _reaching_at_once(self) -> Iterator[Finding]:
        """Tell of scripts that end in an error at once, and with them, mostly, what the page should show."""
        found = [
            (path, script.line + script.text.count("\n", 0, at), name)
            for path in sorted(self._reaching, key=lambda path: (extension_of(path) not in PAGES, path))
            for script in self._scripts_of(path)
            for at, name in names_at_once(script.text)
            if _is_closed(name)
        ]
        if found:
            path, line, name = found[0]
            yield finding("script.top_at_once", file=path, line=line, name=name, count=len(found))

    def _scripts_of(self, path: str) -> list[Script]:
        data = self._head(path)
        if extension_of(path) in PAGES:
            return read_html(data).scripts
        return [Script(text=data.decode("utf-8", "replace"), line=1)]

    def _head(self, path: str) -> bytes:
        data = self._source.head(path, min(_HEAD_BYTES, self._left)) if self._left else b""
        self._left = max(0, self._left - len(data))
        return data


def _hosts_shown(page: HtmlPage) -> list[str]:
    """Return the hosts a page itself names, where it makes a frame, fills one, or leads on to one by script."""
    own = "\n".join(script.text for script in page.scripts)
    shows_another = _SHOWS_ANOTHER.search(own) or any(
        frame.address in {"", "about:blank"} for frame in page.frames
    )
    return hosts_named(own) if shows_another else []


def _opens_at_once(page: HtmlPage) -> bool:
    """Tell whether a page opens a window as soon as it is there, itself or by a function of its own."""
    opening = {"window.open"}
    for script in page.scripts:
        # A part reaches as far as the next function: what stands behind one is taken for its own.
        parts = _FUNCTION.split(script.text)
        opening.update(
            name for name, body in zip(parts[1::2], parts[2::2], strict=True) if _OPENS.search(body)
        )
    # Words of ``onload``, as a call may stand in a text for ``setTimeout``.
    return not opening.isdisjoint({*_WORD.findall(page.at_load), *_used_at_once(page)})


def _used_at_once(page: HtmlPage) -> Iterator[str]:
    """Yield the names that scripts of a page use at once, but for those they only give to a function."""
    for script in [page.at_load, *(script.text for script in page.scripts)]:
        before = ""
        for _, name in names_at_once(script):
            if before != "function":
                yield name
            before = name


def _is_closed(name: str) -> bool:
    """Tell whether a name is something of the outermost window that no page of another origin may touch.

    >>> [_is_closed(name) for name in ("window.top.onresize", "top.location.href", "top.close", "stop.it")]
    [True, True, False, False]
    """
    steps = name.split(".")
    before = next((at for at, step in enumerate(steps) if step not in _AROUND), len(steps))
    if "top" not in steps[:before] or before == len(steps):
        return False
    if steps[before] == "location":
        return steps[before + 1 :] not in ([], ["replace"])
    return steps[before] not in _OPEN_TO_ALL
