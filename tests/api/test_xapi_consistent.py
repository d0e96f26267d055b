"""What was stored up to X-Experience-API-Consistent-Through was in the answer (1.0.3 Communication §2.1.3)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text
from starlette.testclient import TestClient

from lms.database import Database
from tests.serving import serving
from tests.xapi_builders import (
    AUTHORITY,
    BASIC,
    COURSE,
    THROUGH,
    V2,
    VERSION,
    a_client,
    a_statement,
    a_voiding,
    an_activity,
    an_id,
    an_lrs,
    found,
    read_by,
    sent,
    something,
)
from xapi_store.http import create_lrs_app
from xapi_store.ingest import store_statements


def through(client: TestClient | httpx.Client) -> datetime:
    return datetime.fromisoformat(client.get("/statements", params={"limit": 1}).headers[THROUGH])


@contextmanager
def held_open(database: Database, statement: dict[str, Any]) -> Iterator[None]:
    """Another request has written a statement and not committed until the block ends."""
    written, go_on = threading.Event(), threading.Event()

    def hold(session: Any) -> None:
        store_statements(session, [statement], authority=AUTHORITY, now=datetime.now(UTC))
        written.set()
        assert go_on.wait(20)

    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(database.change, hold)
        try:
            assert written.wait(20)
            yield
        finally:
            go_on.set()
            writing.result()


def test_it_lies_before_what_is_being_written_and_is_now_again_after(database: Database) -> None:
    client, statement_id = a_client(an_lrs(database)), an_id()

    with held_open(database, a_statement(id=statement_id)):
        while_open, then = through(client), datetime.now(UTC)
        seen = found(client)
    before, after = datetime.now(UTC), through(client)

    stored = datetime.fromisoformat(read_by(client, statement_id)["stored"])
    assert seen == []
    assert while_open < stored < then
    assert before <= after <= datetime.now(UTC)


def test_a_document_being_written_holds_it_back_no_longer_than_until_it_is_there(database: Database) -> None:
    client = a_client(an_lrs(database))
    began = datetime.now(UTC)

    with database.write():
        assert through(client) <= datetime.now(UTC)
    after = through(client)

    assert after >= began


def test_a_write_that_fails_holds_nothing_back(database: Database) -> None:
    client = a_client(an_lrs(database))

    def fail(_session: Any) -> None:
        raise RuntimeError("a fault")

    for door in (database.change, lambda work: _write(database, work)):
        with pytest.raises(RuntimeError):
            door(fail)

    before = datetime.now(UTC)
    # On PostgreSQL a test beside this one may be writing at the very moment, in another database of the same server.
    deadline = time.monotonic() + 10
    while through(client) < before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert through(client) >= before


def _write(database: Database, work: Callable[[Any], None]) -> None:
    with database.write() as session:
        work(session)


def test_of_the_oldest_of_several_open_writes_it_lies_before(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has one write at a time")
    client, ids = a_client(an_lrs(database)), [an_id(), an_id()]
    (known,) = sent(
        client, a_statement()
    )  # or the second write would wait for the first, to number the learner

    with held_open(database, a_statement(id=ids[0])):
        with held_open(database, a_statement(id=ids[1])):
            both = through(client)
        one = through(client)
        assert found(client) == [ids[1], known]

    oldest = datetime.fromisoformat(read_by(client, ids[0])["stored"])
    assert both < oldest
    assert one < oldest


@pytest.mark.parametrize("stage", ["before its first row", "after"])
def test_what_another_process_is_writing_holds_it_back_too(database: Database, stage: str) -> None:
    if database.is_sqlite:
        pytest.skip("on SQLite one process serves; commands beside it are not seen, as `oldest_write` says")
    elsewhere = Database(database.url.render_as_string(hide_password=False))
    client, statement_id, reached, go_on = (
        a_client(an_lrs(database)),
        an_id(),
        threading.Event(),
        threading.Event(),
    )

    def wait(*_seen: Any) -> None:
        reached.set()
        assert go_on.wait(20)

    def work(session: Any) -> None:
        admit = wait if stage == "before its first row" else None
        statement = a_statement(id=statement_id)
        store_statements(session, [statement], authority=AUTHORITY, now=datetime.now(UTC), admit=admit)
        wait()

    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(elsewhere.change, work)
        reached.wait(20)
        header = through(client)
        go_on.set()
        writing.result()
    elsewhere.close()

    assert header < datetime.fromisoformat(read_by(client, statement_id)["stored"])


@pytest.mark.parametrize(
    ("by", "ascending"),
    [("the store", "false"), ("the store and courses", "false"), ("the store and courses", "true")],
)
def test_no_statement_appears_later_that_was_stored_before_it(
    database: Database, by: str, ascending: str
) -> None:
    """Writers and readers at once; afterwards every answer is held to its own header."""
    activity, seen = something(), []
    statement = a_statement(object=an_activity(activity))
    headers = {"Authorization": BASIC, VERSION: V2}
    with serving(create_lrs_app(an_lrs(database))) as url, ThreadPoolExecutor(8) as threads:
        done = threading.Event()

        def write(place: int) -> None:
            with httpx.Client(base_url=url, headers=headers) as client:
                for count in range(10):
                    if place % 2 and by.endswith("courses"):  # as the LMS does, in a transaction of its own
                        with database.write() as session:
                            store_statements(session, [statement], authority=AUTHORITY, now=datetime.now(UTC))
                    else:
                        answer = client.post("/statements", json=[statement] * (1 + count % 3))
                        assert answer.status_code == 200, answer.text

        def read() -> None:
            with httpx.Client(base_url=url, headers=headers) as client:
                while not done.is_set():
                    answer = client.get("/statements", params={"activity": activity, "ascending": ascending})
                    ids = {one["id"] for one in answer.json()["statements"]}
                    seen.append((datetime.fromisoformat(answer.headers[THROUGH]), ids, answer.json()["more"]))

        readers = [threads.submit(read) for _ in range(2)]
        for writer in [threads.submit(write, place) for place in range(6)]:
            writer.result()
        done.set()
        for reader in readers:
            reader.result()
        with httpx.Client(base_url=url, headers=headers) as client:
            every = client.get("/statements", params={"activity": activity}).json()["statements"]

    assert len(seen) > 10
    assert 60 <= len(every) < 500
    for header, ids, more in seen:
        assert more == ""
        missed = [
            one for one in every if datetime.fromisoformat(one["stored"]) <= header and one["id"] not in ids
        ]
        assert missed == []


def test_a_transaction_in_another_database_of_the_server_holds_back_page_and_header_alike(
    request: pytest.FixtureRequest, database: Database
) -> None:
    if database.is_sqlite:
        pytest.skip("an SQLite file stands alone")
    client = a_client(an_lrs(database))
    another = create_engine(request.getfixturevalue("postgres").create())
    with another.begin() as transaction:
        transaction.execute(text("CREATE TABLE anything (id int)"))
        (statement_id,) = sent(client, a_statement())

        answer = client.get("/statements", params={"ascending": "true"})
        stored = datetime.fromisoformat(read_by(client, statement_id)["stored"])
    another.dispose()

    seen = [one["id"] for one in answer.json()["statements"]]
    assert seen == [statement_id] or datetime.fromisoformat(answer.headers[THROUGH]) < stored


def test_a_reader_who_polls_since_the_header_misses_nothing(database: Database) -> None:
    """As the standard advises: the next `since` is what the last answer was consistent through."""
    headers = {"Authorization": BASIC, VERSION: V2}
    with serving(create_lrs_app(an_lrs(database))) as url, ThreadPoolExecutor(6) as threads:
        done = threading.Event()

        def write() -> list[str]:
            ids: list[str] = []
            with httpx.Client(base_url=url, headers=headers) as client:
                for _ in range(20):
                    ids += client.post("/statements", json=a_statement(object=an_activity(COURSE))).json()
            return ids

        def poll() -> set[str]:
            read: set[str] = set()
            since = "2001-01-01T00:00:00Z"
            with httpx.Client(base_url=url, headers=headers) as client:
                last = False
                while not last:
                    last = done.is_set()
                    answer = client.get("/statements", params={"since": since})
                    read |= {one["id"] for one in answer.json()["statements"]}
                    since = answer.headers[THROUGH]
            return read

        polling = threads.submit(poll)
        written = [one for writer in [threads.submit(write) for _ in range(4)] for one in writer.result()]
        done.set()

        assert polling.result() == set(written)


@pytest.mark.parametrize("what", ["voided", "found where its target is"])
def test_a_reference_and_its_target_written_at_once_know_each_other(database: Database, what: str) -> None:
    """The reference comes while its target is being written."""
    if database.is_sqlite:
        pytest.skip("SQLite has one write at a time")
    client, target, activity = a_client(an_lrs(database)), an_id(), something()
    sent(
        client, a_statement(), a_voiding(an_id())
    )  # or one would wait for the other, to number learner and verb
    with ThreadPoolExecutor(1) as threads:
        with held_open(database, a_statement(id=target, object=an_activity(activity))):
            posting = threads.submit(client.post, "/statements", json=a_voiding(target))
            time.sleep(0.3)
            assert not posting.done()  # it waits for the one who is writing its target
        answer = posting.result()
    assert answer.status_code == 200

    if what == "voided":
        assert client.get("/statements", params={"statementId": target}).status_code == 404
    assert answer.json()[0] in found(client, activity=activity)
