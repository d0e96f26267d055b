"""Works of many threads share commits, fail alone, and are durable before they are answered."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lms.database import Database
from lms.queue import Job, enqueue
from tests.conftest import fresh_schema
from tests.launch_builders import NOON


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """SQLite whatever was asked for: only there commits are shared."""
    database = Database(f"sqlite:///{(tmp_path / 'outpost.db').as_posix()}")
    fresh_schema(database)
    yield database
    database.close()


@contextmanager
def commits_of(database: Database) -> Iterator[list[int]]:
    made: list[int] = []
    driver = database._standing.connection().connection.driver_connection
    driver.set_trace_callback(lambda said: made.append(1) if said == "COMMIT" else None)
    yield made
    driver.set_trace_callback(None)


def count(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Job)) or 0


def add(number: int, session: Session) -> int:
    return enqueue(session, f"job {number}", {}, now=NOON)


def test_works_that_arrive_during_a_commit_share_the_next(database: Database) -> None:
    everybody_waits = threading.Barrier(24)

    def one(number: int) -> int:
        everybody_waits.wait()
        return database.change(lambda session: add(number, session))

    with commits_of(database) as commits, ThreadPoolExecutor(24) as threads:
        numbers = list(threads.map(one, range(24)))

    assert len(set(numbers)) == count(database) == 24
    assert 1 <= len(commits) < 12


def test_a_work_that_fails_undoes_itself_alone(database: Database) -> None:
    together = threading.Barrier(8)

    def one(number: int) -> str:
        def work(session: Session) -> int:
            added = add(number, session)
            if number % 2:
                session.add(Job(id=added, kind="twice", payload={}, enqueued=NOON, due=NOON))
                session.flush()
            return added

        together.wait()
        try:
            database.change(work)
        except IntegrityError:
            return "failed"
        return "done"

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(one, range(8)))

    assert outcomes == ["done", "failed"] * 4
    assert count(database) == 4


def test_nobody_is_answered_before_the_commit(database: Database) -> None:
    database.change(lambda session: add(1, session))

    other = Database(str(database.url))
    seen = count(other)
    other.close()

    assert seen == 1


def test_if_the_commit_fails_nobody_is_told_that_it_went_well(database: Database) -> None:
    with database.write() as session:
        session.execute(text("CREATE TABLE here (id INTEGER PRIMARY KEY)"))
        session.execute(text("CREATE TABLE points (at REFERENCES here (id) DEFERRABLE INITIALLY DEFERRED)"))
    together = threading.Barrier(4)

    def one(number: int) -> str:
        together.wait()
        try:
            database.change(lambda session: add_pointing_nowhere(number, session))
        except IntegrityError:
            return "failed"
        return "done"

    def add_pointing_nowhere(number: int, session: Session) -> None:
        add(number, session)
        session.execute(text("INSERT INTO points VALUES (99)"))  # which the commit finds out

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(one, range(4)))

    assert outcomes == ["failed"] * 4
    assert count(database) == 0


def test_works_of_a_transaction_that_the_database_gave_up_are_all_told_so(database: Database) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(session: Session) -> int:
        begun.set()
        go_on.wait(20)
        return add(0, session)

    def lost(session: Session) -> int:
        add(1, session)
        session.connection().connection.driver_connection.execute("ROLLBACK")  # as SQLite does on a full disk
        raise OSError("disk full")

    def outcome(work: object) -> str:
        try:
            database.change(work)  # type: ignore[arg-type]
        except Exception as error:  # noqa: BLE001 - whatever it is, the test compares it
            return type(error).__name__
        return "done"

    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(outcome, slow)
        begun.wait(20)
        fine = threads.submit(outcome, lambda session: add(2, session))
        while not database._together._queue:
            pass
        broken = threads.submit(outcome, lost)
        while len(database._together._queue) < 2:
            pass
        go_on.set()

    assert first.result() == "done"
    assert broken.result() == "OSError"
    assert fine.result() == "TransactionLostError"
    assert count(database) == 1
