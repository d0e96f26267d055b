"""From what a manifest writes to a file of the package: xml:base, encodings, parameters (SCORM CAM 3.4)."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Literal
from urllib.parse import unquote

Outside = Literal["above", "elsewhere", "scheme", "disk"]

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
WEB = frozenset({"http", "https"})


class OutsideError(ValueError):
    """The address leaves the package: above its root, to another host or a disk, or by a scheme not of the web."""

    def __init__(self, address: str, where: Outside) -> None:
        super().__init__(address)
        self.where: Outside = where


class FileNames:
    """The files of a package, found as forgivingly as a browser on Windows would."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._loose = {_loose(name): name for name in self._names}
        self._decoded = {_loose(unquote(name)): name for name in self._names if "%" in name}
        foreign = [(_readable(name), name) for name in self._names if not name.isascii()]
        times = Counter(readable for readable, _ in foreign)
        self._foreign = {readable: name for readable, name in foreign if times[readable] == 1}

    def __contains__(self, path: str) -> bool:
        """Tell whether there is a file of exactly this name."""
        return path in self._names

    def holds_folder(self, path: str) -> bool:
        """Tell whether there are files in a folder of exactly this name."""
        return any(name.startswith(f"{path}/") for name in self._names)

    def find(self, path: str) -> str | None:
        """Return the file a path means.

        As written, percent-decoded (UTF-8, or windows-1252 as old tools encode), without regard to case; or one whose
        own name a tool has encoded; or the only one that differs in letters an old zip tool wrote in a code page
        nobody knows any more.
        """
        spellings = (path, unquote(path), unquote(path, "cp1252", "replace"))
        for written in spellings:
            if written in self._names:
                return written
        for written in spellings:
            if (loosely := self._loose.get(_loose(written))) is not None:
                return loosely
        if (encoded := self._decoded.get(_loose(path))) is not None:
            return encoded
        return None if spellings[1].isascii() else self._foreign.get(_readable(spellings[1]))

    def find_from(self, base: str, path: str) -> str | None:
        """Return the file a path means that stands under *base*; ``None`` also where it leads out of the package."""
        try:
            return self.find(resolve(base, path))
        except OutsideError:
            return None


def extension_of(path: str) -> str:
    """Return what follows the last dot of a file's name, in lower case; empty without a dot."""
    _, dot, extension = path.rpartition("/")[2].rpartition(".")
    return extension.lower() if dot else ""


def split_href(href: str) -> tuple[str, str, str]:
    """Return path, query and fragment."""
    rest, _, fragment = href.partition("#")
    path, _, query = rest.partition("?")
    return path, query, fragment


def resolve(base: str, path: str) -> str:
    """Return a path inside the package.

    Raises:
        OutsideError: it has a scheme or a host, or leads above the root.
    """
    joined = (base + path).strip().replace("\\", "/")
    scheme = SCHEME.match(joined)
    if scheme is not None and scheme.group(1).lower() not in WEB:
        raise OutsideError(joined, "disk" if len(scheme.group(1)) == 1 else "scheme")  # C: is a drive
    if scheme is not None or joined.startswith("//"):
        raise OutsideError(joined, "elsewhere")
    tidy = posixpath.normpath(joined.lstrip("/") or ".")
    if tidy == ".." or tidy.startswith("../"):
        raise OutsideError(joined, "above")
    return tidy


def same_letters(one: str, other: str) -> bool:
    """Tell whether two names differ only in how their accents are written (UAX #15)."""
    return unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)


def merge_parameters(query: str, fragment: str, parameters: str) -> tuple[str, str]:
    """Add an item's parameters to the query and fragment of a href (SCORM 2004 CAM 3.4.1.10).

    >>> merge_parameters("a=1", "", "?b=2")
    ('a=1&b=2', '')
    >>> merge_parameters("", "top", "#end")
    ('', 'top')
    """
    added = parameters.strip().lstrip("?&")
    if added.startswith("#"):
        return query, fragment or added[1:]
    added, _, added_fragment = added.partition("#")
    return "&".join(part for part in (query, added) if part), fragment or added_fragment


def _readable(path: str) -> str:
    """Return what of a name is the same in every code page."""
    return re.sub(r"[^\x00-\x7f]+", "\ufffd", path).casefold()


def _loose(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
