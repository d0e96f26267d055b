"""Statements with their files: multipart/mixed (xAPI 1.0.3 Communication §1.5.2; xAPI 2.0 §4.1.3)."""

from collections.abc import Iterable
from email.message import Message

from xapi_store.attachments import Part
from xapi_store.errors import RequestError

_BREAK = b"\r\n"


def read_parts(content_type: str, body: bytes) -> tuple[bytes, list[Part]]:
    """Return the statements, as JSON text, and the files of a multipart body.

    Raises:
        RequestError: no boundary, a part without its headers, or statements that are not JSON.
    """
    boundary = _headers(b"Content-Type: " + content_type.encode("latin-1", "replace")).get_param("boundary")
    if not isinstance(boundary, str) or not boundary:
        raise RequestError("The multipart Content-Type names no boundary.")
    pieces = (_BREAK + body).split(_BREAK + b"--" + boundary.encode("latin-1", "replace"))
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise RequestError("The multipart body does not have the boundary its Content-Type names.")
    first, *others = [_part(piece) for piece in pieces[1:-1]]
    if first[0].get_content_type() != "application/json":
        raise RequestError("The first part of a multipart body must be the statements, as application/json.")
    return first[1], [_file(headers, content) for headers, content in others]


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


def _part(piece: bytes) -> tuple[Message, bytes]:
    head, found, content = piece.lstrip(b" \t").removeprefix(_BREAK).partition(_BREAK + _BREAK)
    if not found:
        raise RequestError("A part of the multipart body has no headers.")
    return _headers(head), content


def _headers(head: bytes) -> Message:
    message = Message()
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip():
            message[name.strip()] = value.strip()
    return message


def _file(headers: Message, content: bytes) -> Part:
    sha2 = headers.get("X-Experience-API-Hash")
    if not sha2:
        raise RequestError("A file of the multipart body has no X-Experience-API-Hash.")
    if (headers.get("Content-Transfer-Encoding") or "").lower() != "binary":
        raise RequestError("A file of the multipart body must have Content-Transfer-Encoding: binary.")
    return Part(
        sha2=sha2.lower(),
        content=content,
        content_type=headers.get("Content-Type") or "application/octet-stream",
    )
