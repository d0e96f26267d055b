"""What a course does as it is opened that its fence stops.

A heuristic for the report, never a reason to refuse: nothing is run, and of each file only the beginning is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from content_packages.findings import Finding, finding
from content_packages.html_page import Script, read_html
from content_packages.manifest.names import extension_of
from content_packages.manifest.source import Source
from content_packages.package import Activity
from content_packages.page_files import PAGES
from content_packages.top_level import names_at_once

_HEAD_BYTES = 128 * 1024
_MOST_BYTES = 1024 * 1024  # of all files together
# What a page may touch of a window of another origin (HTML 7.2.1.3.1). Where it leads, a frame may not lead it.
_OPEN_TO_ALL = frozenset(
    {"window", "self", "location", "close", "closed", "focus", "blur", "frames", "length", "top", "opener"}
) | {"parent", "postMessage"}
_AROUND = frozenset({"window", "self", "parent", "top"})


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

    def findings(self) -> Iterator[Finding]:
        """Return what an instructor should know of it."""
        yield from self._reaching_at_once()

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
