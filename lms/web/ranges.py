"""One range of bytes of something that is put together while it is sent (RFC 9110 §14)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from starlette.responses import Response, StreamingResponse

_ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)")

#: From the first byte to before the last one given.
Read = Callable[[int, int], Iterator[bytes]]


def ranged(
    asked: Mapping[str, str], read: Read, *, size: int, tag: str, headers: Mapping[str, str]
) -> Response:
    """Return all bytes, or the one range that was asked for, so that a download that broke off can be gone on with.

    Args:
        asked: the headers of the request.
        read: gives the bytes.
        size: how many there are.
        tag: changes whenever they do.
        headers: of the answer.
    """
    etag = f'"{tag}"'
    told = {**headers, "ETag": etag, "Accept-Ranges": "bytes"}
    unchanged = asked.get("if-range", etag) == etag
    found = _ONE_RANGE.fullmatch(asked.get("range", "")) if unchanged else None
    if found is None or found.groups() == ("", ""):
        return StreamingResponse(read(0, size), headers={**told, "Content-Length": str(size)})
    first, last = found.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last) + 1, size) if first and last else size
    if start >= end:
        return Response(status_code=416, headers={**told, "Content-Range": f"bytes */{size}"})
    told |= {"Content-Range": f"bytes {start}-{end - 1}/{size}", "Content-Length": str(end - start)}
    return StreamingResponse(read(start, end), 206, headers=told)
