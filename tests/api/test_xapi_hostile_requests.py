"""Headers, parameters and forms that no honest client sends are refused with a 4xx and a sentence."""

from __future__ import annotations

import time
from urllib.parse import quote, urlencode

import pytest
from starlette.types import ASGIApp

from tests.asking import ask
from tests.xapi_asking import FORM, KNOWN, STATE, alternate, get, sentence

pytestmark = pytest.mark.one_database

ONE_ID = "39e24cc4-69af-4b01-a824-1fdc6ea8a3af"


@pytest.mark.parametrize(
    "name",
    [
        b"Content-Type",
        b"If-Match",
        b"If-None-Match",
        b"Accept-Language",
        b"X-Experience-API-Version",
        b"X-Other",
    ],
)
def test_a_header_beyond_measure_is_refused(store: ASGIApp, name: bytes) -> None:
    query = urlencode(STATE).encode()
    headers = [*KNOWN, (name, b"a" * 20_000)]

    answer = ask(store, "PUT", "/activities/state", query=query, headers=headers, body=b"x")

    assert answer.status == 431
    assert "16,384" in sentence(answer)


@pytest.mark.parametrize(
    "query",
    [
        b"verb=%", b"verb=%zz", b"verb=urn:x:%f", b"verb=urn:x:%ff", b"verb=urn:x:\xff", b"verb=urn:x:%c3%28",
        b"verb=urn:x:%ed%a0%80", b"%ff=1",
    ],
)  # fmt: skip
def test_a_query_that_is_not_utf8_is_refused(store: ASGIApp, query: bytes) -> None:
    answer = get(store, query)

    assert answer.status == 400
    assert "UTF-8" in sentence(answer)


def test_two_names_that_are_not_utf8_are_not_one_document(store: ASGIApp) -> None:
    query = urlencode({name: value for name, value in STATE.items() if name != "stateId"}).encode()

    answers = [
        ask(store, "PUT", "/activities/state", query=query + b"&stateId=" + name, headers=KNOWN, body=b"x")
        for name in (b"%ff", b"%fe")
    ]

    assert [answer.status for answer in answers] == [400, 400]


def test_a_query_may_hold_utf8_as_it_is(store: ASGIApp) -> None:
    query = urlencode({name: value for name, value in STATE.items() if name != "stateId"}).encode()

    ask(store, "PUT", "/activities/state", query=query + "&stateId=é".encode(), headers=KNOWN, body=b"x")

    found = ask(store, "GET", "/activities/state", query=query + b"&stateId=%C3%A9", headers=KNOWN)
    assert found.body == b"x"


@pytest.mark.parametrize(
    "query",
    [
        "statementId=x", f"statementId={ONE_ID}&statementId={ONE_ID}", f"statementId={ONE_ID}&verb=urn:x:y",
        f"statementId={ONE_ID}&voidedStatementId={ONE_ID}", "statementid=x", "unknown=1", "unknown", "=", "agent={}",
        "agent=[]", "agent=null", "agent=%7B%22mbox%22:1%7D", 'agent={"objectType":"Group","member":[]}', "agent={",
        'agent={"mbox":"mailto:a@b.c","mbox":"mailto:d@e.f"}', "agent=" + quote("[" * 70 + "]" * 70), "verb=passed",
        "verb=", "activity=no iri", "registration=1", "registration=", "related_agents=1", "related_activities=True",
        "since=yesterday", "since=", "until=2026-02-30T00:00:00Z", "until=0001-01-01T00:00:00%2B14:00", "limit=-1",
        "limit=1.5", "limit=", "limit=%D9%A3", "limit=99999999999999999999", "ascending=yes", "cursor=x", "format=raw",
        "format=", "attachments=2", "verb=urn:x:%00", "since=2026-01-01T00:00:00-00:00",
    ],
)  # fmt: skip
def test_a_parameter_that_is_wrong_is_refused(store: ASGIApp, query: str) -> None:
    answer = get(store, query.encode())

    assert answer.status == 400
    assert sentence(answer)


@pytest.mark.parametrize("missing", ["activityId", "agent"])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_a_document_without_an_owner_is_refused(store: ASGIApp, missing: str, method: str) -> None:
    query = urlencode({name: value for name, value in STATE.items() if name != missing}).encode()

    answer = ask(store, method, "/activities/state", query=query, headers=KNOWN, body=b"x")

    assert answer.status == 400
    assert missing in sentence(answer)


@pytest.mark.parametrize(
    "version",
    [b"", b"0.9", b"0.95", b"1.1", b"1.1.0", b"3.0.0", b"1.0.3, 2.0.0", b"1.0.x", b"\xb2.0.0", b"2"],
)
def test_a_version_nobody_speaks_is_refused(store: ASGIApp, version: bytes) -> None:
    headers = [KNOWN[0], (b"X-Experience-API-Version", version)]

    answer = ask(store, "GET", "/statements", headers=headers)

    assert answer.status == 400
    assert "1.0.3 or 2.0.0" in sentence(answer)
    assert answer.headers[b"x-experience-api-version"] == b"2.0.0"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PATCH", "/statements", 405), ("DELETE", "/statements", 405), ("POST", "/agents", 405),
        ("POST", "/about", 405),
        ("PUT", "/activities", 405), ("GET", "/statement", 404), ("GET", "/", 404), ("GET", "/statements/more", 404),
    ],
)  # fmt: skip
def test_what_is_not_there_is_told(store: ASGIApp, method: str, path: str, status: int) -> None:
    answer = ask(store, method, path, headers=KNOWN)

    assert answer.status == status
    assert sentence(answer)
    assert (b"allow" in answer.headers) == (status == 405)


def test_every_answer_names_a_version_a_preflight_too(store: ASGIApp) -> None:
    answer = ask(store, "OPTIONS", "/statements", headers=[(b"Origin", b"https://example.org")])

    assert answer.status == 204
    assert answer.headers[b"x-experience-api-version"] == b"2.0.0"
    assert answer.headers[b"access-control-allow-origin"] == b"*"


def test_the_alternate_syntax_carries_a_document(own_store: ASGIApp) -> None:
    sent = alternate(own_store, "/activities/state", "PUT", content="x", Content_Type="text/plain", **STATE)
    found = alternate(own_store, "/activities/state", "GET", **STATE)

    assert sent.status == 204
    assert (found.headers[b"content-type"], found.body) == (b"text/plain", b"x")


@pytest.mark.parametrize(
    "content_type", ["text/plain\r\nX-Evil: 1", "text/plain\0", "text/\u20ac", "\x1b[2J", "a\tb\x7f"]
)
def test_a_form_cannot_smuggle_what_no_header_could_hold(store: ASGIApp, content_type: str) -> None:
    answer = alternate(store, "/activities/state", "PUT", content="x", Content_Type=content_type, **STATE)
    found = alternate(store, "/activities/state", "GET", **STATE)

    assert answer.status == 400
    assert "content-type" in sentence(answer)
    assert found.status == 404


@pytest.mark.parametrize(
    "header", ["Content-Type", "Accept-Language", "If-Match", "X-Experience-API-Version", "Authorization"]
)
def test_a_form_has_no_longer_headers_than_a_request(store: ASGIApp, header: str) -> None:
    began = time.process_time()

    answer = alternate(
        store, "/statements", "POST", content="x", **{header: 'multipart/mixed; a="' + ";-" * (500 * 1024)}
    )

    assert answer.status == 431
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("method", "query", "body"),
    [
        ("GET", b"method=GET", b""), ("PUT", b"method=PUT", b"content=x"), ("POST", b"method=PUT&x=1", b"content=x"),
        ("POST", b"method=PUT", b"a"), ("POST", b"method=PUT", b"a=1&a=2&content=x"),
        ("POST", b"method=PUT", b"\xff=\xff"),
        ("POST", b"method=PUT", b"content=%ff"), ("POST", b"method=PUT", b"content=%zz"), ("POST", b"method=PUT", b""),
        ("POST", b"method=POST", b"statementId=x"), ("POST", b"method=", b"content=x"),
        ("POST", b"method=GET", b"method=PUT"), ("POST", b"method=GET", b"Accept=a&accept=b"),
    ],
)  # fmt: skip
def test_an_alternate_request_that_is_none_is_refused(
    store: ASGIApp, method: str, query: bytes, body: bytes
) -> None:
    answer = ask(store, method, "/statements", query=query, headers=[*KNOWN, FORM], body=body)

    assert answer.status in (400, 405)
    assert sentence(answer)


def test_a_form_may_not_call_for_a_method_nobody_has(store: ASGIApp) -> None:
    assert alternate(store, "/statements", "DELETE").status == 405
    assert alternate(store, "/statements", "OPTIONS").status == 405
