"""Know a package of AICC (CMI001) by its files, to say that it is one; it is not read.

It speaks to a server by HACP, with a session in an address that anybody can copy, and browsers' courses have left it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NoReturn

from content_packages.errors import PackageRefusedError
from content_packages.findings import finding
from content_packages.manifest.source import Source

#: The course, its units, what they are called, how they hang together (CMI001 §4.2): none goes without the others.
EXTENSIONS: Final = (".crs", ".au", ".des", ".cst")


def find_main(paths: Collection[str]) -> str | None:
    """Return the course file, where all four files of a course lie together under one name or several."""
    found = {extension: _first(paths, extension) for extension in EXTENSIONS}
    return found[".crs"] if all(found.values()) else None


def read(source: Source) -> NoReturn:
    """Refuse the package by its name.

    Raises:
        PackageRefusedError: always.
    """
    source.standard = ("aicc", "")
    raise PackageRefusedError([finding("package.aicc", file=source.main, name=source.main)])


def _first(paths: Collection[str], extension: str) -> str | None:
    return min((path for path in paths if path.lower().endswith(extension)), default=None)
