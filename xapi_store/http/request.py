"""A request as the record store reads it: limits, alternate syntax, parameters (1.0.3 Communication §1)."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from starlette.types import Receive, Scope

from xapi_store.errors import (
    HeaderTooLargeError,
    MalformedJsonError,
    PackedBodyError,
    RequestError,
    TooLargeError,
)
from xapi_store.http.lrs import Credentials
from xapi_store.model.actor import actor_key
from xapi_store.model.iri import Iri, UuidText
from xapi_store.model.statement import check_actor, check_agent
from xapi_store.model.strict_json import load_object
from xapi_store.model.timestamps import parse_timestamp
from xapi_store.model.version import Version

MAX_BYTES = 4 * 1024 * 1024
MAX_HEADER_CHARS = 16 * 1024
MAX_CHARS_REMEMBERED = 500
_FORM = "application/x-www-form-urlencoded"
#: Form fields that stand for headers in the alternate request syntax (1.0.3 Communication §1.3).
_FORM_HEADERS = (
    "authorization", "x-experience-api-version", "content-type", "content-length", "if-match",
    "if-none-match", "accept", "accept-language",
)  # fmt: skip
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_HALF_AN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_IRI: TypeAdapter[str] = TypeAdapter(Iri)
_UUID: TypeAdapter[str] = TypeAdapter(UuidText)


@dataclass(frozen=True, kw_only=True, slots=True)
class Incoming:
    """Method, parameters, headers (names in lower case) and body, however they were sent."""

    method: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    root: str
    alternate: bool = False  # sent as a form (1.0.3 Communication §1.3)

    def check_syntax(self) -> None:
        """Refuse a form in a version that has none.

        Raises:
            RequestError: the version, which may itself stand in the form, is not 1.0.x.
        """
        if self.alternate and not self.headers.get("x-experience-api-version", "1.0").startswith("1.0"):
            raise RequestError("The alternate request syntax ended with xAPI 1.0.3.")


@dataclass(frozen=True, kw_only=True, slots=True)
class LrsRequest:
    """A request of somebody known, in a version we speak."""

    incoming: Incoming
    version: Version
    credentials: Credentials

    @property
    def method(self) -> str:
        """The method, GET for HEAD."""
        return "GET" if self.incoming.method == "HEAD" else self.incoming.method

    def header(self, name: str) -> str | None:
        """Return a header, by its name in lower case."""
        return self.incoming.headers.get(name)

    def allow(self, names: Collection[str]) -> None:
        """Refuse parameters the resource does not have.

        Raises:
            RequestError: the first one that is unknown; names are told apart by case.
        """
        for name in self.incoming.parameters:
            if name not in names:
                raise RequestError(f"The parameter {name!r} is not known here.")

    def text(self, name: str) -> str:
        """Return a parameter that must be there."""
        value = self.incoming.parameters.get(name)
        if not value:
            raise RequestError(f"The parameter {name} is missing.")
        return value

    def iri(self, name: str) -> str | None:
        """Return a parameter that is an IRI."""
        value = self.incoming.parameters.get(name)
        if value is None:
            return None
        return self._valid(_IRI, name, value, "an absolute IRI")

    def uuid(self, name: str) -> UUID | None:
        """Return a parameter that is a UUID."""
        value = self.incoming.parameters.get(name)
        return None if value is None else UUID(self._valid(_UUID, name, value, "a UUID"))

    def instant(self, name: str) -> datetime | None:
        """Return a parameter that is a timestamp."""
        value = self.incoming.parameters.get(name)
        if value is None:
            return None
        try:
            return parse_timestamp(value.replace(" ", "+"))  # an offset whose + was not encoded
        except (ValueError, OverflowError):
            raise RequestError(f"The parameter {name} must be an ISO 8601 timestamp.") from None

    def flag(self, name: str) -> bool:
        """Return a parameter that is true or false, false if it is missing."""
        value = self.incoming.parameters.get(name, "false")
        if value not in ("true", "false"):
            raise RequestError(f"The parameter {name} must be true or false.")
        return value == "true"

    def number(self, name: str) -> int | None:
        """Return a parameter that is a whole number, at least 0."""
        value = self.incoming.parameters.get(name)
        if value is None:
            return None
        if not (value.isascii() and value.isdigit()) or len(value) > 18:
            raise RequestError(f"The parameter {name} must be a whole number, at least 0.")
        return int(value)

    def actor(self, name: str, *, group: bool = False) -> str | None:
        """Return the key of the Agent (or identified Group) that a parameter holds as JSON."""
        value = self.incoming.parameters.get(name)
        if value is None:
            return None
        if len(value) > MAX_CHARS_REMEMBERED:
            return _actor_key.__wrapped__(name, value, group=group)
        return _actor_key(name, value, group=group)

    @staticmethod
    def _valid(shape: TypeAdapter[str], name: str, value: str, what: str) -> str:
        try:
            return shape.validate_python(value)
        except ValidationError:
            raise RequestError(f"The parameter {name} must be {what}.") from None


@lru_cache(maxsize=4096)  # a learner at work is named with every request
def _actor_key(name: str, value: str, *, group: bool) -> str:
    try:
        actor: dict[str, Any] = load_object(value.encode())
    except (MalformedJsonError, UnicodeEncodeError):
        raise RequestError(f"The parameter {name} must be an Agent as JSON.") from None
    (check_actor if group else check_agent)(actor)
    key = actor_key(actor)
    if key is None:
        raise RequestError(f"The parameter {name} must have an identifier.")
    return key


def read_headers(scope: Scope) -> dict[str, str]:
    """Return the headers of a request, their names in lower case."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


async def read_request(scope: Scope, headers: dict[str, str], receive: Receive) -> Incoming:
    """Read a request whole, within the limit.

    Raises:
        TooLargeError, HeaderTooLargeError: more than we take.
        PackedBodyError: the body has a Content-Encoding.
        RequestError: a query that is not UTF-8, a parameter twice, or an alternate request that is not one.
    """
    _check_headers(headers)
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise PackedBodyError
    parameters = _fields(scope["query_string"], "query")
    plain = Incoming(
        method=scope["method"],
        parameters=parameters,
        headers=headers,
        body=await _body(receive),
        root=scope.get("root_path", ""),
    )
    return _alternate(plain) if "method" in parameters else plain


async def _body(receive: Receive) -> bytes:
    chunks, size = [], 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestError("The connection ended before the body did.")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BYTES:
            raise TooLargeError(MAX_BYTES)
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


def _alternate(plain: Incoming) -> Incoming:
    """Unfold a request that sends method, headers and parameters as a form (1.0.3 Communication §1.3)."""
    if plain.method != "POST" or len(plain.parameters) != 1:
        raise RequestError("An alternate request is a POST with the parameter method and no other.")
    fields = _fields(plain.body, "form", strict=bool(plain.body))
    method = plain.parameters["method"].upper()
    content = fields.pop("content", None)
    if method in ("PUT", "POST") and content is None:
        raise RequestError("An alternate request with a body must have it in the form field content.")
    headers = dict(plain.headers)
    if headers.get("content-type", "").startswith(_FORM):
        headers["content-type"] = "application/json"
    sent = {name.lower(): name for name in fields if name.lower() in _FORM_HEADERS}
    headers |= {lower: fields.pop(name) for lower, name in sent.items()}
    _check_headers(headers)
    return Incoming(
        method=method,
        parameters=fields,
        headers=headers,
        body=(content or "").encode(),
        root=plain.root,
        alternate=True,
    )


def _fields(text: bytes, what: str, *, strict: bool = False) -> dict[str, str]:
    """Read a query or a form; what is not UTF-8 is refused, or two names could become one."""
    refusal = RequestError(f"The {what} must be names and values in percent-encoded UTF-8.")
    if _HALF_AN_ESCAPE.search(text):
        raise refusal
    try:
        pairs = parse_qsl(text.decode(), keep_blank_values=True, strict_parsing=strict, errors="strict")
    except ValueError:
        raise refusal from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise RequestError(f"A name stands twice in the {what}.")
    return fields


def _check_headers(headers: Mapping[str, str]) -> None:
    """Refuse what no answer could give back: a form may bring any characters, and megabytes of them."""
    together = "".join(headers.values())
    if len(together) <= MAX_HEADER_CHARS and _HEADER_VALUE.fullmatch(together):
        return
    for name, value in headers.items():
        if len(value) > MAX_HEADER_CHARS:
            raise HeaderTooLargeError(name, MAX_HEADER_CHARS)
        if not _HEADER_VALUE.fullmatch(value):
            raise RequestError(f"The header {name} has characters that no header may have.")
