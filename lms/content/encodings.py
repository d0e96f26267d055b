"""In which signs a text of a package is written: what it says itself comes first (HTML §13.2.3.2, CSS Syntax §3.2).

A header with a ``charset`` would overrule what a page says, and courses in old encodings would turn into noise.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from pathlib import Path

PRESCAN_BYTES = 1024  # what browsers look through for a declaration
MOST_LOOKED_AT = 4 * 1024 * 1024

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARED = re.compile(
    rb"""<meta[^>]{1,300}?charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]+)|<\?xml[^>]{1,200}?encoding\s*=\s*["']([A-Za-z0-9_.:-]+)"""
    rb"""|\A@charset\s+"([A-Za-z0-9_.:-]+)\"""",
    re.IGNORECASE,
)


def mark_of(head: bytes) -> tuple[int, str | None]:
    r"""Return how long the byte order mark at the beginning is, and what it stands for.

    >>> mark_of(b"\xef\xbb\xbf<p>"), mark_of(b"<p>")
    ((3, 'utf-8'), (0, None))
    """
    return next(((len(mark), name) for mark, name in _MARKS if head.startswith(mark)), (0, None))


def declared(head: bytes) -> str | None:
    """Return the encoding a text names itself, in its first ``PRESCAN_BYTES``.

    >>> declared(b'<!doctype html><meta charset="windows-1256">')
    'windows-1256'
    """
    found = _DECLARED.search(head[:PRESCAN_BYTES])
    return next((name.decode("ascii") for name in found.groups() if name), None) if found else None


def charset_to_send(path: Path) -> str | None:
    """Return the charset to put beside a file's type: UTF-8 where it is that and does not say so, else none."""
    return _charset(str(path))  # named by its digest: what was found is true for ever


def content_type(kind: str, path: Path) -> str:
    """Return the Content-Type of a package's file of a kind; whole, for frameworks say UTF-8 of every text."""
    charset = charset_to_send(path) if kind.startswith("text/") else None
    return f"{kind}; charset={charset}" if charset else kind


@lru_cache(maxsize=2048)
def _charset(path: str) -> str | None:
    with Path(path).open("rb") as file:
        text = file.read(MOST_LOOKED_AT)
        is_whole = not file.read(1)
    if mark_of(text)[1] or declared(text):
        return None
    try:
        codecs.getincrementaldecoder("utf-8")().decode(text, final=is_whole)
    except UnicodeDecodeError:
        return None
    return "utf-8"
