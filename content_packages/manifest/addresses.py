"""The address at which a cmi5 unit or an xAPI activity starts: taken apart and judged (cmi5 8.1, 13.1.4, 14; RFC 1738).

One function and no I/O; each reader has its own rules for what it finds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from content_packages.manifest.names import SCHEME, WEB, FileNames, OutsideError, resolve, split_href
from content_packages.package import LaunchTarget

Fault = Literal["empty", "characters", "form", "scheme", "relative", "missing"]

_COMPLETE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]+.*")
# RFC 1738 2.2: white space, control characters and the unsafe ones; "~" and letters beyond ASCII are in use everywhere.
_UNSAFE = re.compile(r"[\s\x00-\x1f\x7f<>\"{}|\\^`]|%(?![0-9A-Fa-f]{2})")
# A browser would run these with the rights of the page that opens them, or read the officer's own files.
_HARMFUL = frozenset({"javascript", "vbscript", "data", "blob", "file", "filesystem", "about", "view-source"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """What came of an address.

    Args:
        fault: why there is no target.
        part: what the fault is about, or the file that was found under another spelling.
        host: of content that lies elsewhere.
        application: the scheme, where a program other than a browser is called.
    """

    target: LaunchTarget | None = None
    fault: Fault | None = None
    part: str = ""
    host: str = ""
    application: str = ""


def judge(text: str, files: FileNames | None) -> Address:
    """Take an address apart.

    Args:
        text: as it was written, with white space around it or without.
        files: those of the package; ``None`` when it has none, and each address must be complete (cmi5 14.2).
    """
    address = text.strip()
    if not address:
        return Address(fault="empty")
    unsafe = _UNSAFE.search(address)
    if unsafe is not None:
        return Address(fault="characters", part=unsafe.group())
    scheme = SCHEME.match(address)
    if scheme is not None or address.startswith("//"):
        return _elsewhere(address, scheme.group(1).lower() if scheme else "")
    return Address(fault="relative") if files is None else _inside(address, files)


def is_harmful(text: str) -> bool:
    """Tell whether an address is one that a browser would carry out, or read the officer's own files by."""
    scheme = SCHEME.match(text.strip())
    return scheme is not None and scheme.group(1).lower() in _HARMFUL


def parameters(text: str) -> list[str]:
    """Return the names in the query of an address."""
    _, query, _ = split_href(text.strip())
    try:
        return [name for name, _ in parse_qsl(query, keep_blank_values=True)]
    except ValueError:  # more fields than a query has
        return []


def _inside(address: str, files: FileNames) -> Address:
    path, query, fragment = split_href(address)
    try:
        wanted = resolve("", path)
    except OutsideError:
        return Address(fault="missing", part=path)
    found = files.find(wanted) if path else None
    if found is None:
        return Address(fault="missing", part=path)
    differs = found.casefold() == wanted.casefold() and found != wanted
    return Address(
        target=LaunchTarget(path=found, query=query, fragment=fragment), part=found if differs else ""
    )


def _elsewhere(address: str, scheme: str) -> Address:
    if scheme in _HARMFUL:
        return Address(fault="scheme", part=scheme)
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        host = ""
    if not host or not _COMPLETE.fullmatch(address):
        return Address(fault="form")
    path, query, fragment = split_href(address)
    return Address(
        target=LaunchTarget(address=path, query=query, fragment=fragment),
        host=host,
        application="" if scheme in WEB else scheme,
    )
