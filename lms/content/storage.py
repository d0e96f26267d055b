"""Pages of a package with a script of ours in first place, for browsers that refuse storage to frames.

Where third-party storage is blocked, `localStorage` throws at its mention, and many packages end there. The shim
sees that and opens the unit under a second path, whose pages begin with ``storage/main.js`` of the player. All
that is not a page is handed over as it is; so are pages under the first path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from lms.content.encodings import charset_to_send, declared, mark_of
from lms.content.media_types import XHTML

PAGES = frozenset({"text/html", XHTML})
_HEAD_BYTES = 64 * 1024  # a page whose prologue is longer gets the script before it
_PIECE_BYTES = 256 * 1024
_TAG = r"""(?:[^>"']|"[^"]*"|'[^']*')*>"""
_PASSED_OVER = r"(?:\s|<!--.*?-->|<\?.*?>|<!(?!--)[^>]*>)*"
_PROLOGUE = re.compile(
    rf"({_PASSED_OVER})(?:(<html(?=[\s>/]){_TAG})({_PASSED_OVER}))?(?:(<head(?=[\s>/]){_TAG}))?",
    re.IGNORECASE | re.DOTALL,
)


def with_script(request: Request, path: Path, *, kind: str, script: str, headers: dict[str, str]) -> Response:
    """Return a page with a script before anything of its own that runs; never a part of it.

    Doctype, byte order mark and what stands before ``<head>`` stay first, or the page would be laid out by other rules.

    Args:
        request: for the page; a range in it is not looked at.
        path: of the page on the shelf.
        kind: its type, one of ``PAGES``.
        script: the address of the script on the same host.
        headers: of the file as it is; its ETag is made another.
    """
    etag = f'{headers["ETag"][:-1]}-{script.rpartition("/")[2]}"'
    headers = {**headers, "ETag": etag, "Accept-Ranges": "none"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    place, put, charset = _insertion(str(path), kind, script)
    headers["Content-Length"] = str(path.stat().st_size + len(put))
    headers["Content-Type"] = f"{kind}; charset={charset}" if charset else kind
    return StreamingResponse(_pieces(path, place, put), headers=headers)


def _pieces(path: Path, place: int, put: bytes) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield file.read(place) + put
        while piece := file.read(_PIECE_BYTES):
            yield piece


@lru_cache(maxsize=1024)
def _insertion(path: str, kind: str, script: str) -> tuple[int, bytes, str | None]:
    """Return at which byte of a file what is put, and the charset to send, if one must be sent."""
    with Path(path).open("rb") as file:
        head = file.read(_HEAD_BYTES)
    length, encoding = mark_of(head)
    place = place_of_script(head[length:], encoding or "latin-1", is_xml=kind == XHTML)
    # What a page declares may no longer stand where browsers look for it.
    charset = charset_to_send(Path(path)) or (None if encoding else declared(head))
    if place is None:
        return 0, b"", charset
    tag = f'<script src="{script}"></script>'
    return length + place, tag.encode(encoding or "ascii"), charset


def place_of_script(head: bytes, encoding: str, *, is_xml: bool = False) -> int | None:
    """Return at which byte a script runs first and changes nothing else; ``None``: at none (XML only).

    Args:
        head: the beginning of a page, without its byte order mark.
        encoding: UTF-16 in either order; any other counts signs as bytes, which is all that matters here.
        is_xml: whether a script outside the root, or a tag that nothing ends, would break the page.

    >>> place_of_script(b"<!doctype html><!-- <head> --><html lang='>'><head x><meta>", "utf-8")
    53
    """
    encoding = encoding if encoding.startswith("utf-16") else "latin-1"
    found = _PROLOGUE.match(head.decode(encoding, "ignore"))
    assert found is not None  # noqa: S101 - every part of it may be absent
    before, html, _, tag = found.groups()
    if is_xml and (html is None or html.endswith("/>") or (tag or "").endswith("/>")):
        return None
    if tag is not None:
        end = found.end(4)
    elif html is not None:
        end = found.end(2)
    else:
        end = len(before)
    return len(found.string[:end].encode(encoding))
