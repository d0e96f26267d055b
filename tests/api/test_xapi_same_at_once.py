"""Several writers bring the same statements at the same moment: one stores them, the others find them stored."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from lms.database import Database
from tests.api.test_xapi_consistent import held_open
from tests.xapi_builders import a_client, a_statement, an_activity, an_id, an_lrs, found, sent, something


@pytest.fixture
def several_writers(database: Database) -> Database:
    if database.is_sqlite:
        pytest.skip("SQLite has one write at a time")
    return database


@contextmanager
def posted_while_open(
    database: Database, client: TestClient, others: dict[str, Any], *batch: dict[str, Any]
) -> Iterator[Future[httpx.Response]]:
    """A batch is sent while somebody's statement is not committed yet; the batch waits for that."""
    with ThreadPoolExecutor(1) as threads:
        with held_open(database, others):
            posting = threads.submit(client.post, "/statements", json=list(batch))
            time.sleep(0.3)
            assert not posting.done()
        yield posting


def client_of(database: Database) -> TestClient:
    """A client of a record store that may not try anything twice."""
    tried: list[Any] = []

    def write_once(work: Any) -> Any:
        assert work not in tried
        tried.append(work)
        return database.change(work)

    return a_client(an_lrs(database, write=write_once))


def test_the_same_statement_is_accepted_and_kept_once(several_writers: Database) -> None:
    client, same = client_of(several_writers), a_statement(id=an_id())
    new = a_statement(id=an_id())

    with posted_while_open(several_writers, client, same, new, same) as posting:
        answer = posting.result()

    assert (answer.status_code, answer.json()) == (200, [new["id"], same["id"]])
    assert sorted(found(client)) == sorted([new["id"], same["id"]])


def test_a_different_one_is_refused_with_all_that_came_with_it(several_writers: Database) -> None:
    client, first = client_of(several_writers), a_statement(id=an_id())
    another = first | {"object": an_activity(something())}
    with_it = a_statement(id=an_id())

    with posted_while_open(several_writers, client, first, with_it, another) as posting:
        assert posting.result().status_code == 409

    assert found(client) == [first["id"]]
    assert sent(client, with_it) == [with_it["id"]]  # its id was given back


def test_what_was_admitted_is_not_admitted_twice_in_one_transaction(several_writers: Database) -> None:
    admitted: list[int] = []

    def admit(_session: Any, _credentials: Any, arriving: Any) -> list[Any]:
        admitted.append(len(arriving))
        return []  # it has changed something

    tried: list[Any] = []

    def write(work: Any) -> Any:
        tried.append(work)
        return several_writers.change(work)

    client = a_client(an_lrs(several_writers, write=write, admit=admit))
    same, new = a_statement(id=an_id()), a_statement(id=an_id())

    with posted_while_open(several_writers, client, same, new, same) as posting:
        answer = posting.result()

    assert answer.status_code == 200
    assert (len(tried), admitted) == (2, [2, 1])  # all of it began anew, and found what was there
    assert sorted(found(client)) == sorted([new["id"], same["id"]])


def test_what_both_tell_of_an_activity_is_merged(several_writers: Database) -> None:
    client, course = client_of(several_writers), something()
    sent(client, a_statement(object=an_activity(course)))  # or one would wait for the other to number it

    english = an_activity(course) | {"definition": {"name": {"en": "Search of vehicles"}}}
    french = an_activity(course) | {"definition": {"name": {"fr": "Fouille de véhicules"}}}
    with posted_while_open(
        several_writers, client, a_statement(object=english), a_statement(object=french)
    ) as posting:
        assert posting.result().status_code == 200

    told = client.get("/activities", params={"activityId": course}).json()["definition"]
    assert told["name"] == {"en": "Search of vehicles", "fr": "Fouille de véhicules"}
