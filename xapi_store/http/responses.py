"""Answers: the table from error to status, error bodies, and the headers every answer has."""

from datetime import datetime
from email.utils import formatdate
from functools import lru_cache

import orjson
from starlette.responses import Response

from xapi_store import errors
from xapi_store.model.version import VERSION_HEADER

#: The nearest entry along an error's family decides.
STATUS: dict[type[errors.LrsError], int] = {
    errors.RequestError: 400,
    errors.UnauthenticatedError: 401,
    errors.ForbiddenError: 403,
    errors.NotFoundError: 404,
    errors.MethodNotAllowedError: 405,
    errors.StatementConflictError: 409,
    errors.DocumentConflictError: 409,
    errors.PreconditionFailedError: 412,
    errors.TooLargeError: 413,
    errors.PackedBodyError: 415,
    errors.HeaderTooLargeError: 431,
    errors.TakenMeanwhileError: 503,
}
MAX_SENTENCE_CHARS = 1000


def _headers(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


#: On every answer. Documents are whatever somebody sent: a browser that opens one runs nothing and keeps nothing.
ALWAYS = _headers(
    {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": f"ETag, Last-Modified, Location, {VERSION_HEADER}, "
        "X-Experience-API-Consistent-Through",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
        "Cache-Control": "no-store",
    }
)
#: On answers to OPTIONS besides: what a page elsewhere may send.
PREFLIGHT = _headers(
    {
        "Access-Control-Allow-Methods": "GET, HEAD, PUT, POST, DELETE, OPTIONS",
        "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match, If-None-Match, Accept-Language, "
        f"{VERSION_HEADER}",
        "Access-Control-Max-Age": "86400",
    }
)


def json_answer(value: object, status: int = 200) -> Response:
    """Answer with a value as JSON."""
    return Response(orjson.dumps(value), status, media_type="application/json")


def error_answer(error: errors.LrsError) -> Response:
    """Answer with the sentence of an error and, for a fault in the body, its JSON path and the rule's section."""
    status = next(STATUS[family] for family in type(error).__mro__ if family in STATUS)
    body: dict[str, object] = {"error": _bearable(str(error))}
    if isinstance(error, errors.FaultError):
        body["path"] = _bearable(error.path)
        body["section"] = error.section
    response = json_answer(body, status)
    if isinstance(error, errors.UnauthenticatedError):
        response.headers["WWW-Authenticate"] = 'Basic realm="xAPI", charset="UTF-8"'
    if isinstance(error, errors.MethodNotAllowedError):
        response.headers["Allow"] = ", ".join(error.allowed)
    if isinstance(error, errors.PackedBodyError):
        response.headers["Accept-Encoding"] = "identity"
    return response


def failure_answer() -> Response:
    """Answer where the store itself has failed; the log has the reason, and the sender keeps the statement."""
    return json_answer({"error": "The store has failed; nothing of this request was stored. Try again."}, 500)


def full_answer() -> Response:
    """Answer where the disk has no room left."""
    return json_answer(
        {
            "error": "The disk of this node is full; nothing of this request was stored. Make room, then send it again."
        },
        507,
    )


def add_header(response: Response, name: bytes, value: str) -> None:
    """Add a header, its name in lower case, that is not there yet."""
    response.raw_headers.append((name, value.encode("latin-1")))


def _bearable(text: str) -> str:
    """Leave out the middle of a sentence that quotes a key or a value of megabytes."""
    if len(text) <= MAX_SENTENCE_CHARS:
        return text
    return f"{text[: MAX_SENTENCE_CHARS // 2]} … {text[-MAX_SENTENCE_CHARS // 2 :]}"


def http_date(instant: datetime) -> str:
    """Write an instant as HTTP does, in whole seconds."""
    return _http_date(int(instant.timestamp()))


@lru_cache(maxsize=4096)
def _http_date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)
