"""Statements with their files: multipart/mixed (xAPI 1.0.3 Communication §1.5.2; xAPI 2.0 §4.1.3)."""

import re
from collections.abc import Iterable

from xapi_store.attachments import Part
from xapi_store.errors import RequestError

MAX_HEAD_BYTES = 16 * 1024
_BREAK = b"\r\n"
_BOUNDARY = re.compile(r";\s*boundary=(?:\"([^\"]+)\"|([^\s;\"]+))", re.IGNORECASE)


def read_parts(content_type: str, body: bytes) -> tuple[bytes, list[Part]]:
    """Return the statements, as JSON text, and the files of a multipart body.

    Raises:
        RequestError: no boundary, a part without its headers, or statements that are not JSON.
    """
    named = _BOUNDARY.search(content_type)
    if named is None:
        raise RequestError("The multipart Content-Type names no boundary.")
    boundary = (named[1] or named[2]).encode("latin-1", "replace")
    pieces = (_BREAK + body).split(_BREAK + b"--" + boundary)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise RequestError("The multipart body does not have the boundary its Content-Type names.")
    headers, statements = _part(pieces[1])
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RequestError("The first part of a multipart body must be the statements, as application/json.")
    return statements, [_file(*_part(piece)) for piece in pieces[2:-1]]


def write_parts(boundary: str, statements: bytes, parts: Iterable[Part]) -> bytes:
    """Return a multipart body with statements first and files after."""
    pieces = [b"Content-Type: application/json\r\n\r\n" + statements]
    pieces += [
        f"Content-Type: {part.content_type}\r\nContent-Transfer-Encoding: binary\r\n"
        f"X-Experience-API-Hash: {part.sha2}\r\n\r\n".encode()
        + part.content
        for part in parts
    ]
    line = b"--" + boundary.encode()
    return b"".join(line + _BREAK + piece + _BREAK for piece in pieces) + line + b"--" + _BREAK


def _part(piece: bytes) -> tuple[dict[str, str], bytes]:
    head, found, content = piece.lstrip(b" \t").removeprefix(_BREAK).partition(_BREAK + _BREAK)
    if not found:
        raise RequestError("A part of the multipart body has no headers.")
    if len(head) > MAX_HEAD_BYTES:
        raise RequestError(f"The headers of a part are longer than {MAX_HEAD_BYTES:,} bytes.")
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n"))
    return {name.strip().lower(): value.strip() for name, _, value in lines}, content


def _file(headers: dict[str, str], content: bytes) -> Part:
    sha2 = headers.get("x-experience-api-hash")
    if not sha2:
        raise RequestError("A file of the multipart body has no X-Experience-API-Hash.")
    if headers.get("content-transfer-encoding", "").lower() != "binary":
        raise RequestError("A file of the multipart body must have Content-Transfer-Encoding: binary.")
    return Part(
        sha2=sha2.lower(),
        content=content,
        content_type=headers.get("content-type") or "application/octet-stream",
    )
