"""Statements go to a real record store over HTTP, and to things that are none."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from lms.database import Database
from lms.forwarding.forwarder import Forwarder
from lms.forwarding.http import MOST_BYTES_OF_AN_ANSWER, HttpRecordStore
from lms.forwarding.ports import NoAnswerError
from lms.forwarding.problems import Problem
from tests.conftest import fresh_schema
from tests.forwarding_builders import NODE_SECRET, Sender
from tests.serving import serving
from tests.xapi_builders import AUTHORITY, BASIC, a_voiding, an_lrs
from xapi_store.attachments import Part, find_parts
from xapi_store.feed import statements_after
from xapi_store.http import create_lrs_app
from xapi_store.query import find_statement

KEY, SECRET = base64.b64decode(BASIC.removeprefix("Basic ")).decode().split(":")


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Database]:
    """The database of another record store."""
    with closing(Database(f"sqlite:///{(tmp_path / 'other.db').as_posix()}")) as other:
        fresh_schema(other)
        yield other


def forward(database: Database, address: str, **wanted: Any) -> Sender:
    """Add a target at an address and send it everything, as the worker does."""
    sender = Sender(database)
    sender.add(endpoint=address, key=KEY, secret=SECRET, **wanted)
    sender.forwarder = Forwarder(database, files=None, secret=NODE_SECRET, now=lambda: sender.clock)
    sender.send()
    return sender


def ids(database: Database) -> list[Any]:
    with database.read() as session:
        return [entry.statement_id for entry in statements_after(session, 0, limit=1000)]


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_another_outpost_gets_every_statement_as_it_is_here(
    database: Database, other: Database, version: str
) -> None:
    recorder = Sender(database)
    recorded = recorder.record(230)
    recorded += recorder.record(**a_voiding(recorded[5]))

    with serving(create_lrs_app(an_lrs(other))) as address:
        sender = forward(database, address, version=version)

    assert ids(other) == recorded
    assert sender.target.forwarded == 231
    with other.read() as session:
        assert find_statement(session, recorded[5], voided=True) is not None
        entry = statements_after(session, 0, limit=1)[0]
    assert json.loads(entry.raw)["authority"] == AUTHORITY


def test_files_arrive_with_their_statements(database: Database, other: Database) -> None:
    contents = [b"%PDF-1.7 \r\n--", bytes(range(256)) * 3000]
    for content in contents:
        part = Part(sha2=hashlib.sha256(content).hexdigest(), content=content, content_type="application/pdf")
        attachment = {
            "usageType": "https://outpost.invalid/certificate",
            "display": {"en": "Certificate"},
            "contentType": "application/pdf",
            "length": len(content),
            "sha2": part.sha2,
        }
        Sender(database).record(parts=[part], attachments=[attachment])

    with serving(create_lrs_app(an_lrs(other))) as address:
        forward(database, address)

    with other.read() as session:
        entries = statements_after(session, 0, limit=10)
        kept = find_parts(session, None, [json.loads(entry.raw) for entry in entries])
    assert sorted(part.content for part in kept) == sorted(contents)


def test_a_store_that_has_some_of_it_already_gets_the_rest(database: Database, other: Database) -> None:
    recorded = Sender(database).record(20)
    with serving(create_lrs_app(an_lrs(other))) as address:
        sender = forward(database, address)
        with database.write() as session:
            target = session.merge(sender.target)
            target.cursor, target.in_flight = 0, 12
        recorded += sender.record(3)
        sender.send()

    assert ids(other) == recorded


@contextmanager
def answering(answer: Callable[[Request], Response]) -> Iterator[tuple[str, list[Request]]]:
    """Serve something that answers everything alike; gives its address and what it was asked."""
    asked: list[Request] = []

    async def endpoint(request: Request) -> Response:
        await request.body()
        asked.append(request)
        return answer(request)

    routes = [Route("/{path:path}", endpoint, methods=["GET", "POST"])]
    with serving(Starlette(routes=routes)) as address:
        yield address, asked


def test_credentials_and_version_are_sent(database: Database) -> None:
    Sender(database).record()

    with answering(lambda _: PlainTextResponse("no", 500)) as (address, asked):
        forward(database, f"{address}/data/xAPI/", version="2.0.0")

    (request,) = asked
    assert request.url.path == "/data/xAPI/statements"
    assert request.headers["authorization"] == BASIC
    assert request.headers["x-experience-api-version"] == "2.0.0"
    assert request.headers["content-type"] == "application/json"


def test_a_redirect_is_followed_by_neither_records_nor_credentials(database: Database) -> None:
    Sender(database).record()
    with (
        answering(lambda _: PlainTextResponse("taken")) as (elsewhere, stolen),
        answering(lambda _: RedirectResponse(elsewhere, 307)) as (address, asked),
    ):
        sender = forward(database, address)

    assert (len(asked), stolen) == (1, [])
    assert sender.target.problem == Problem.REDIRECT


def test_nobody_there_is_no_news_of_what_was_sent(database: Database) -> None:
    Sender(database).record()

    sender = forward(database, "http://127.0.0.1:1/xapi")

    assert sender.target.problem == Problem.NO_ANSWER
    assert sender.target.in_flight is None
    assert sender.target.retry_at is not None


def endless() -> Iterator[bytes]:
    while True:
        yield b" " * 65536


def test_an_answer_without_an_end_is_read_to_a_bound(database: Database) -> None:
    read = [0]

    def counting() -> Iterator[bytes]:
        for chunk in endless():
            read[0] += len(chunk)
            yield chunk

    with answering(lambda _: StreamingResponse(counting())) as (address, _):
        store = HttpRecordStore(address, key="k", secret="s", version="1.0.3")
        began = time.monotonic()
        with closing(store), pytest.raises(NoAnswerError) as told:
            store.find(uuid4(), voided=False)

    assert told.value.may_have_arrived
    assert time.monotonic() - began < 20
    assert read[0] < 4 * MOST_BYTES_OF_AN_ANSWER


def test_a_page_of_html_is_kept_out_of_what_people_read(database: Database) -> None:
    Sender(database).record()
    page = Response("<html><script>alert(1)</script>", 502, media_type="text/html")

    with answering(lambda _: page) as (address, _):
        sender = forward(database, address)

    assert sender.target.problem == Problem.FAILED
    assert sender.target.detail == "502"


def test_a_key_beyond_ascii_is_sent_as_utf8() -> None:
    with answering(lambda _: PlainTextResponse("no", 404)) as (address, asked):
        store = HttpRecordStore(address, key="schlüssel", secret="سر:1", version="1.0.3")
        with closing(store):
            store.find(uuid4(), voided=False)

    sent = asked[0].headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent).decode() == "schlüssel:سر:1"
