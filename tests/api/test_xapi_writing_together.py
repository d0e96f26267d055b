"""Requests that write share a transaction, and none suffers for another (`xapi_store.http.changes`)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import pytest
from sqlalchemy import event

from lms.database import Database
from tests.serving import serving
from tests.xapi_builders import (
    BASIC,
    COURSE,
    LEARNER,
    V1,
    V2,
    VERSION,
    a_client,
    a_statement,
    an_activity,
    an_id,
    an_lrs,
    key,
)
from xapi_store.errors import ForbiddenError
from xapi_store.http import create_lrs_app

WAITS, BREAKS, FORBIDDEN = "urn:x:waits", "urn:x:breaks", "urn:x:forbidden"


class Gate:
    """Holds the transaction of one statement open, so that whoever writes meanwhile gathers behind it."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()

    def admit(self, _session: Any, _credentials: Any, statements: Any) -> None:
        for arriving in statements:
            verb = arriving.statement["verb"]["id"]
            if verb == WAITS:
                self.reached.set()
                assert self.opened.wait(20)
            elif verb == BREAKS:
                raise RuntimeError("a fault of the host")
            elif verb == FORBIDDEN:
                raise ForbiddenError("Not here.")


class Arrivals:
    """An application that counts the requests whose bytes have all reached it."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.count = 0
        self.changed = threading.Condition()

    def wait_for(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.count >= count, timeout=20)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def counted() -> Any:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body", False):
                with self.changed:
                    self.count += 1
                    self.changed.notify_all()
            return message

        await self.app(scope, counted, send)


class Served:
    """A record store on a port, and requests that leave together."""

    def __init__(self, database: Database, url: str, gate: Gate, arrivals: Arrivals) -> None:
        self.database = database
        self.url = url
        self.gate = gate
        self.arrivals = arrivals
        self.client = httpx.Client(limits=httpx.Limits(max_connections=None), timeout=30)

    def all_at_once(self, *requests: dict[str, Any]) -> list[httpx.Response]:
        """Send requests that gather behind one open write, and return their answers."""
        first = posting(a_statement(verb={"id": WAITS}, object=an_activity("https://example.org/first")))
        with ThreadPoolExecutor(len(requests) + 1) as threads:
            waiting = threads.submit(self.ask, **first)
            assert self.gate.reached.wait(20)
            all_of_them = self.arrivals.count + len(requests)
            asked = [threads.submit(self.ask, **one) for one in requests]
            self.arrivals.wait_for(all_of_them)
            time.sleep(0.2)  # from arriving to standing in the queue
            self.gate.opened.set()
            assert waiting.result().status_code == 200
            return [one.result() for one in asked]

    def ask(self, method: str, path: str, **others: Any) -> httpx.Response:
        headers = {"Authorization": BASIC, VERSION: V1} | others.pop("headers", {})
        return self.client.request(method, f"{self.url}{path}", headers=headers, **others)

    def stored(self, activity: str = COURSE) -> list[str]:
        answer = self.ask("GET", "/statements", params={"activity": activity, "limit": 500})
        return [one["id"] for one in answer.json()["statements"]]


@pytest.fixture
def served(database: Database) -> Iterator[Served]:
    gate = Gate()
    arrivals = Arrivals(create_lrs_app(an_lrs(database, admit=gate.admit)))
    with serving(arrivals) as url:
        served = Served(database, url, gate, arrivals)
        with served.client:
            yield served


@contextmanager
def commits_of(database: Database) -> Iterator[list[int]]:
    """Count the commits of this database's writing connections, whoever asks for them."""
    made: list[int] = []
    if database.is_sqlite:
        driver = database._standing.connection().connection.driver_connection
        driver.set_trace_callback(lambda said: made.append(1) if said == "COMMIT" else None)
        yield made
        driver.set_trace_callback(None)
        return
    count = lambda _connection: made.append(1)  # noqa: E731 - the same object is taken off again
    event.listen(database.engine, "commit", count)
    yield made
    event.remove(database.engine, "commit", count)


def posting(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"method": "POST", "path": "/statements", "json": list(statements)}


def test_forty_writers_share_a_few_commits(served: Served) -> None:
    ids = [an_id() for _ in range(40)]

    with commits_of(served.database) as commits:
        answers = served.all_at_once(*(posting(a_statement(id=one)) for one in ids))

    assert [answer.json() for answer in answers] == [[one] for one in ids]
    assert sorted(served.stored()) == sorted(ids)
    assert 1 <= len(commits) <= 10


def test_without_anybody_beside_a_writer_is_answered_at_once(served: Served) -> None:
    served.ask(**posting(a_statement()))
    began = time.perf_counter()

    for _ in range(20):
        assert served.ask(**posting(a_statement())).status_code == 200

    assert time.perf_counter() - began < 4


def test_one_refused_harms_no_other(served: Served) -> None:
    taken = an_id()
    served.ask(**posting(a_statement(id=taken)))
    requests = [posting(a_statement(id=an_id())) for _ in range(12)]
    requests[3] = posting(a_statement(id=an_id()), a_statement(id=taken, result={"success": True}))
    requests[7] = posting(a_statement(id=an_id(), verb={"id": FORBIDDEN}))
    requests[9] = posting(a_statement(actor={}))

    answers = served.all_at_once(*requests)

    expected = [200] * 12
    expected[3], expected[7], expected[9] = 409, 403, 400
    assert [answer.status_code for answer in answers] == expected
    kept = {one["json"][0]["id"] for one, status in zip(requests, expected, strict=True) if status == 200}
    assert set(served.stored()) == kept | {taken}


def test_the_same_statement_twice_at_once_is_stored_once_and_another_is_refused(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    same, other = an_id(), an_id()
    requests = [
        posting(a_statement(id=same)),
        posting(a_statement(id=same)),
        posting(a_statement(id=other)),
        posting(a_statement(id=other, result={"success": True})),
        {"method": "PUT", "path": "/statements", "params": {"statementId": same}, "json": a_statement()},
    ]

    answers = [answer.status_code for answer in served.all_at_once(*requests)]

    assert (answers[0], answers[1], answers[4]) == (200, 200, 204)
    assert sorted(answers[2:4]) == [200, 409]
    assert sorted(served.stored()) == sorted([same, other])
    assert [record.message for record in caplog.records if record.name.startswith("xapi_store")] == []


def test_a_failure_is_told_to_the_one_whose_statement_it_was(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    requests = [posting(a_statement(id=an_id())) for _ in range(12)]
    requests[5] = posting(a_statement(id=an_id(), verb={"id": BREAKS}))

    answers = served.all_at_once(*requests)

    failed = answers.pop(5)
    assert [answer.status_code for answer in answers] == [200] * 11
    assert failed.status_code == 500
    assert failed.headers["Content-Type"] == "application/json"
    assert failed.headers["Access-Control-Allow-Origin"] == "*"
    assert failed.headers[VERSION] == V1
    assert "nothing of this request was stored" in failed.json()["error"]
    assert len(served.stored()) == 11
    assert any(record.message == "lrs_request_failed" for record in caplog.records)
    assert served.ask(**posting(a_statement())).status_code == 200


def test_a_client_that_goes_away_harms_no_other(served: Served) -> None:
    """It hangs up while its statement waits; that is stored or not, the others are."""
    place = urlsplit(served.url)
    activity = "https://example.org/gone"

    def go_away() -> None:
        body = orjson.dumps(a_statement(object=an_activity(activity)))
        head = (
            f"POST /statements HTTP/1.1\r\nHost: x\r\nAuthorization: {BASIC}\r\n{VERSION}: {V1}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        for whole in (True, False):
            with socket.create_connection((str(place.hostname), place.port or 0)) as line:
                line.sendall(head.encode() + (body if whole else body[:20]))

    gone = threading.Thread(target=go_away)
    gone.start()
    answers = served.all_at_once(*(posting(a_statement(id=an_id())) for _ in range(10)))
    gone.join()

    assert [answer.status_code for answer in answers] == [200] * 10
    assert len(served.stored()) == 10
    assert len(served.stored(activity)) <= 1
    assert served.ask(**posting(a_statement())).status_code == 200


def test_documents_and_statements_are_written_together(served: Served) -> None:
    def state(name: str) -> dict[str, str]:
        return {"activityId": COURSE, "agent": key(LEARNER), "stateId": name}

    def putting(name: str, **headers: str) -> dict[str, Any]:
        return {
            "method": "PUT", "path": "/activities/state", "params": state(name), "json": {name: 1},
            "headers": {"If-None-Match": "*", VERSION: V2, **headers},
        }  # fmt: skip

    served.ask(**putting("there"))
    requests = [
        *(putting(f"new {place}") for place in range(6)),
        *(posting(a_statement(id=an_id())) for _ in range(6)),
        putting("there"),
        putting("race"),
        putting("race"),
        {"method": "POST", "path": "/activities/state", "params": state("merged"), "json": {"a": 1}},
        {"method": "POST", "path": "/activities/state", "params": state("merged"), "json": {"b": 2}},
        posting(a_statement(verb={"id": BREAKS})),
    ]

    answers = [answer.status_code for answer in served.all_at_once(*requests)]

    assert answers[:13] == [204] * 6 + [200] * 6 + [412]
    assert sorted(answers[13:15]) == [204, 412]
    assert answers[15:] == [204, 204, 500]
    merged = served.ask("GET", "/activities/state", params=state("merged"))
    assert merged.json() == {"a": 1, "b": 2}
    names = served.ask(
        "GET", "/activities/state", params={"activityId": COURSE, "agent": key(LEARNER)}
    ).json()
    assert names == sorted([*(f"new {place}" for place in range(6)), "there", "race", "merged"])
    assert len(served.stored()) == 6


def test_more_than_one_transaction_takes_are_all_stored(served: Served) -> None:
    """Batches of hundreds, so that a transaction is full before all who wait are in it."""
    requests = [posting(*(a_statement() for _ in range(300))) for _ in range(5)]

    answers = served.all_at_once(*requests)

    assert [len(answer.json()) for answer in answers] == [300] * 5
    (first, *_) = served.ask(
        "GET", "/statements", params={"activity": COURSE, "limit": 1, "ascending": "true"}
    ).json()["statements"]
    assert any(first["id"] in answer.json() for answer in answers)


def test_a_full_disk_is_told_in_a_sentence_and_the_next_write_goes_on(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("a full disk is made here by SQLite's own limit of pages")
    client, large = a_client(an_lrs(database)), a_statement(result={"response": "x" * 1_000_000})
    driver = database._standing.connection().connection.driver_connection
    pages = driver.execute("PRAGMA page_count").fetchone()[0]

    driver.execute(f"PRAGMA max_page_count = {pages + 20}")
    full = client.post("/statements", json=large)
    driver.execute("PRAGMA max_page_count = 1000000")
    (stored,) = client.post("/statements", json=large).json()

    assert full.status_code == 507
    assert "disk of this node is full" in full.json()["error"]
    assert [one["id"] for one in client.get("/statements").json()["statements"]] == [stored]
