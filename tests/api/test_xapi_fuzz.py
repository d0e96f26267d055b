"""Whatever is sent to the record store: it answers with a sentence, with its headers, and never fails."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp

from lms.database import Database
from tests.asking import Answer, ask
from tests.xapi_builders import BASIC, LEARNER, an_lrs
from tests.xapi_strategies import (
    actors,
    agents,
    broken_statements,
    iris,
    json_values,
    language_tags,
    statements,
    texts,
    timestamps,
    uuids,
)
from xapi_store.http import create_lrs_app
from xapi_store.http.responses import ALWAYS

_MANY = settings(
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
        HealthCheck.large_base_example,
    ],
)
REQUESTS, REQUESTS_OF_A_SOAK = 200, 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes
    names: bytes  # the query that names the same thing, if it came as a form


# ---------------------------------------------------------------- mostly grammar, some noise


def mostly(usual: st.SearchStrategy[Any], noise: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 9).flatmap(lambda drawn: noise if drawn == 9 else usual)


_ids = st.sampled_from([f"39e24cc4-69af-4b01-a824-1fdc6ea8a3a{digit}" for digit in "0123"])
_known_iris = st.sampled_from(["https://example.org/0", "urn:x:1", "http://adlnet.gov/expapi/verbs/voided"])
_some_iris = _known_iris | iris
_names = st.sampled_from(["s", "é"]) | texts
_known_agents = st.sampled_from([LEARNER, {"mbox": "mailto:a@example.org"}])
_PARAMETERS: dict[str, st.SearchStrategy[str]] = {
    "statementId": _ids | uuids,
    "voidedStatementId": _ids,
    "agent": mostly(_known_agents | agents, actors | json_values).map(
        lambda value: orjson.dumps(value).decode()
    ),
    "verb": _some_iris,
    "activity": _some_iris,
    "registration": uuids,
    "related_activities": st.sampled_from(["true", "false"]),
    "related_agents": st.sampled_from(["true", "false"]),
    "since": timestamps()
    | st.sampled_from(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00+14:00"]),
    "until": timestamps() | st.sampled_from(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]),
    "limit": st.sampled_from(["0", "1", "2", "500", "999999999999999999"]),
    "format": st.sampled_from(["exact", "ids", "canonical"]),
    "attachments": st.sampled_from(["true", "false"]),
    "ascending": st.sampled_from(["true", "false"]),
    "cursor": st.sampled_from(["0", "3", "999999999999999999"]),
    "activityId": _some_iris,
    "stateId": _names,
    "profileId": _names,
}
#: What the resources take: methods, path, parameters.
_USUAL: list[tuple[str, str, list[str]]] = [
    ("PUT", "/statements", ["statementId"]),
    ("POST POST POST", "/statements", []),
    ("GET HEAD", "/statements", ["statementId", "format", "attachments"]),
    ("GET", "/statements", ["voidedStatementId"]),
    ("GET", "/statements", ["agent", "related_agents", "format"]),
    ("GET", "/statements", ["verb", "limit", "since"]),
    ("GET", "/statements", ["activity", "related_activities", "until"]),
    ("GET HEAD", "/statements", ["cursor", "ascending", "format", "attachments"]),
    ("GET", "/statements", ["registration", "verb", "activity"]),
    ("GET HEAD", "/activities", ["activityId"]),
    ("GET HEAD", "/agents", ["agent"]),
    ("GET HEAD PUT POST DELETE", "/activities/state", ["activityId", "agent", "stateId"]),
    ("GET DELETE", "/activities/state", ["activityId", "agent", "registration"]),
    ("GET HEAD PUT POST DELETE", "/activities/profile", ["activityId", "profileId"]),
    ("GET", "/activities/profile", ["activityId", "since"]),
    ("GET HEAD PUT POST DELETE", "/agents/profile", ["agent", "profileId"]),
    ("GET", "/agents/profile", ["agent"]),
    ("GET HEAD OPTIONS", "/about", []),
]
_usual = st.sampled_from(
    [(method, path, names) for methods, path, names in _USUAL for method in methods.split()]
)
_paths = (
    st.sampled_from(["", "/", "//statements//", "/statements/more", "/activities/state/", "/about/x"]) | texts
)
_methods = st.sampled_from(
    ["PATCH", "TRACE", "CONNECT", "get", "PROPFIND", "OPTIONS", "DELETE", "PUT", "POST"]
)
_noise = st.binary(max_size=30)
#: What a server lets through in the value of a header.
_header_noise = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=30
).map(lambda text: text.strip().encode("latin-1"))


@st.composite
def _asked_for(draw: st.DrawFn) -> tuple[str, str, list[tuple[str, str]]]:
    """Method, path and parameters."""
    method, path, names = draw(_usual)
    method, path = draw(mostly(st.just(method), _methods)), draw(mostly(st.just(path), _paths))
    names = names + draw(mostly(st.just([]), st.lists(st.sampled_from(sorted(_PARAMETERS)), max_size=2)))
    return method, path, [(name, draw(mostly(_PARAMETERS[name], texts))) for name in names]


def _encoded(pairs: list[tuple[str, str]]) -> bytes:
    return "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in pairs).encode()


_sent = mostly(statements(), broken_statements().map(lambda broken: broken.statement)).flatmap(
    lambda one: _ids.map(lambda known: one | {"id": known}) | st.just(one)
)
_json_bodies = mostly(
    st.one_of(_sent, _sent, st.lists(_sent, max_size=3), st.dictionaries(texts, json_values, max_size=3)),
    st.recursive(st.just([]), lambda inner: st.tuples(inner, inner).map(list), max_leaves=90),
).map(lambda value: json.dumps(value).encode())


@st.composite
def _multiparts(draw: st.DrawFn) -> bytes:
    """A multipart body of the boundary `cut`, here and there damaged."""
    pieces = [b"Content-Type: application/json\r\n\r\n" + draw(_json_bodies)]
    for content in draw(st.lists(st.binary(max_size=20), max_size=2)):
        head = draw(
            st.lists(
                st.sampled_from(
                    [
                        b"Content-Type: text/plain",
                        b"Content-Transfer-Encoding: binary",
                        b"X-Experience-API-Hash: " + b"0" * 64,
                        b": ",
                        b"no colon",
                        b'Content-Type: a/b; c="\xff',
                        b"\x00: \x00",
                    ]
                ),
                max_size=4,
            )
        )
        pieces.append(b"\r\n".join(head) + b"\r\n\r\n" + content)
    body = b"".join(b"--cut\r\n" + piece + b"\r\n" for piece in pieces) + b"--cut--\r\n"
    return draw(mostly(st.just(body), st.integers(0, len(body)).map(lambda end: body[:end])))


_HEADERS: dict[bytes, st.SearchStrategy[bytes]] = {
    b"if-match": st.sampled_from([b"*", b'"da39a3ee5e6b4b0d3255bfef95601890afd80709"', b'W/"x", y']),
    b"if-none-match": st.sampled_from([b"*", b'"x"']),
    b"accept-language": st.lists(language_tags, max_size=3).map(lambda tags: ", ".join(tags).encode()),
    b"content-encoding": mostly(st.just(b"identity"), st.sampled_from([b"gzip", b"br, gzip"])),
    b"expect": st.just(b"100-continue"),
    b"origin": st.sampled_from([b"null", b"http://["]),
}
_versions = mostly(
    st.sampled_from([b"1.0.3", b"2.0.0", b"1.0", b"2.0"]),
    st.sampled_from([b"0.95", b"1.1", b"", b"2.0.0, 1.0.3", b"\xb2.0"]),
)


_BODIES = {"/statements": ["json", "json", "json", "multipart"]}


@st.composite
def requests(draw: st.DrawFn) -> Asked:
    """A request that is mostly right, so that it comes far enough to do harm."""
    method, path, pairs = draw(_asked_for())
    headers = [
        (name, draw(mostly(_HEADERS[name], _header_noise)))
        for name in draw(st.lists(st.sampled_from(sorted(_HEADERS)), max_size=2))
    ]
    headers += draw(mostly(st.just([(b"authorization", BASIC.encode())]), st.just([])))
    headers += [(b"x-experience-api-version", draw(_versions))]
    kind = draw(mostly(st.sampled_from(_BODIES.get(path, ["json", "bytes", "nothing"])), st.just("noise")))
    body = b""
    match kind:
        case "json":
            headers.append((b"content-type", b"application/json"))
            body = draw(_json_bodies)
        case "multipart":
            headers.append((b"content-type", b'multipart/mixed; boundary="cut"'))
            body = draw(_multiparts())
        case "bytes":
            headers.append((b"content-type", b"application/octet-stream"))
            body = draw(_noise)
        case "noise":
            headers.append((b"content-type", draw(_header_noise)))
            body = draw(_noise)
    query = names = _encoded(pairs)
    if draw(st.integers(0, 3)) == 0:
        method, query, headers, body = _alternate(draw, method, pairs, headers, body)
    query = draw(mostly(st.just(query), _noise))
    return Asked(method=method, path=path, query=query, headers=headers, body=body, names=names)


def _alternate(
    draw: st.DrawFn,
    method: str,
    pairs: list[tuple[str, str]],
    headers: list[tuple[bytes, bytes]],
    body: bytes,
) -> tuple[str, bytes, list[tuple[bytes, bytes]], bytes]:
    """The same request as a form (1.0.3 Communication §1.3); values may hold what no header could."""
    fields = list(pairs)
    for name, value in headers:
        if name in (b"expect", b"origin", b"content-encoding"):
            continue  # not among the fields of a form
        noise = texts if name in _HEADERS or name == b"content-type" else st.nothing()
        fields.append((name.decode(), draw(st.just(value.decode("latin-1")) | noise)))
    if body or draw(st.booleans()):
        fields.append(("content", body.decode("latin-1")))
    form = draw(mostly(st.just(_encoded(fields)), _noise))
    outer = [(b"content-type", b"application/x-www-form-urlencoded"), (b"x-experience-api-version", b"1.0.3")]
    return "POST", f"method={quote(method)}".encode(), outer, form


# ---------------------------------------------------------------- what must hold of every answer

_KNOWN = [(b"authorization", BASIC.encode()), (b"x-experience-api-version", b"1.0.3")]
_LEGAL_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")


def check(app: ASGIApp, asked: Asked) -> None:
    answer = ask(app, asked.method, asked.path, query=asked.query, headers=asked.headers, body=asked.body)

    event(f"{answer.status}")
    check_answer(answer, has_body=asked.method != "HEAD")
    if answer.status in (200, 204):  # whatever was taken can be read
        check_answer(ask(app, "GET", asked.path, query=asked.names, headers=_KNOWN))


def check_answer(answer: Answer, *, has_body: bool = True) -> None:
    assert answer.status < 500
    for name, value in ALWAYS:
        assert answer.headers[name] == value
    assert answer.headers[b"x-experience-api-version"] in (b"1.0.3", b"2.0.0", b"0.95")
    for value in answer.headers.values():
        assert _LEGAL_VALUE.fullmatch(value), value
    if answer.status >= 400 and has_body:
        assert orjson.loads(answer.body)["error"]


@pytest.fixture(scope="module")
def app(lasting_database: Database) -> ASGIApp:
    """One record store for all requests, so that they meet what earlier ones left."""
    return create_lrs_app(an_lrs(lasting_database))


@settings(_MANY, max_examples=REQUESTS)
@given(requests())
def test_no_request_makes_the_store_fail(app: ASGIApp, asked: Asked) -> None:
    check(app, asked)


@pytest.mark.soak
@settings(_MANY, max_examples=REQUESTS_OF_A_SOAK)
@given(requests())
def test_no_request_of_many_makes_the_store_fail(app: ASGIApp, asked: Asked) -> None:
    check(app, asked)
