"""Find a file of an edition by the address a browser asks for.

Only what the manifest lists can be found: an address is compared with names and never becomes a path.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from content_packages.package import Package
from content_packages.shelf import FileRef, Shelf
from lms.launch.course import open_package


def find_file(shelf: Shelf, manifest: str, path: str) -> tuple[str, FileRef] | None:
    """Return the listed name and the file; case is forgiven where only one file can be meant."""
    files = open_package(shelf, manifest).package.files
    if path in files:
        return path, files[path]
    name = _folded_names(shelf, manifest).get(_folded(path))
    return None if name is None else (name, files[name])


@lru_cache(maxsize=16)
def _folded_names(shelf: Shelf, manifest: str) -> Mapping[str, str]:
    """Packages made on Windows ask for ``Page.HTM`` and hold ``page.htm``."""
    return _unambiguous(open_package(shelf, manifest).package)


def _unambiguous(package: Package) -> Mapping[str, str]:
    found: dict[str, list[str]] = {}
    for name in package.files:
        found.setdefault(_folded(name), []).append(name)
    return {folded: names[0] for folded, names in found.items() if len(names) == 1}


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
