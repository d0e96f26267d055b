"""Statements are kept packed once there is something to learn from, and read back byte for byte."""

from __future__ import annotations

import threading
from datetime import timedelta
from itertools import islice

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lms.database import Database
from tests.benchmarks.traffic import statements
from tests.xapi_builders import AUTHORITY, NOON, a_statement
from xapi_store.feed import statements_after
from xapi_store.ingest import store_statements
from xapi_store.packing import AGAIN_AFTER, FIRST_AT, keep_dictionary, train, training_is_due, unpack
from xapi_store.tables import StatementRow


@pytest.fixture
def store(database: Database) -> Database:
    """A store with as many statements as a first dictionary wants."""
    traffic = statements(3)
    with database.write() as session:
        for _ in range(FIRST_AT // 250):
            store_statements(session, list(islice(traffic, 250)), authority=AUTHORITY, now=NOON)
    return database


def learn(database: Database) -> None:
    with database.read() as session:
        trained = train(session)
    with database.write() as session:
        keep_dictionary(session, trained)


def kept(session: Session, position: int) -> bytes:
    return session.scalars(
        select(StatementRow.raw).where(StatementRow.position > position).order_by(StatementRow.position)
    ).first()


def newest(session: Session) -> int:
    return session.scalar(select(func.max(StatementRow.position))) or 0


def is_due(database: Database) -> bool:
    with database.read() as session:
        return training_is_due(session)


def test_training_is_due_when_there_is_something_to_learn_from(database: Database) -> None:
    with database.write() as session:
        store_statements(session, [a_statement()], authority=AUTHORITY, now=NOON)

    assert not is_due(database)


def test_training_is_due_once_and_again_when_the_store_has_grown(store: Database) -> None:
    before = is_due(store)
    learn(store)
    after = is_due(store)
    with store.write() as session:
        last = newest(session)
        session.execute(
            update(StatementRow).where(StatementRow.position == last).values(position=last + AGAIN_AFTER)
        )

    assert (before, after, is_due(store)) == (True, False, True)


def test_what_is_stored_after_training_takes_a_fraction_and_reads_back_the_same(store: Database) -> None:
    with store.read() as session:
        last = newest(session)
    learn(store)
    some = list(islice(statements(4), 50))

    with store.write() as session:
        store_statements(session, some, authority=AUTHORITY, now=NOON + timedelta(hours=1))
    with store.read() as session:
        told = [entry.raw for entry in statements_after(session, last, limit=100)]
        packed = [kept(session, last + place) for place in range(len(told))]
        plain = [unpack(session.connection(), raw) for raw in packed]

    assert len(told) == 50
    assert plain == told
    assert sum(map(len, packed)) < sum(map(len, told)) / 4


def test_what_was_kept_before_training_reads_back_too(store: Database) -> None:
    with store.read() as session:
        before = [entry.raw for entry in statements_after(session, 0, limit=10)]
    learn(store)

    with store.read() as session:
        after = [entry.raw for entry in statements_after(session, 0, limit=10)]

    assert after == before


def test_the_same_statement_is_recognised_however_it_was_packed(store: Database) -> None:
    learn(store)
    one = next(statements(9))
    with store.write() as session:
        store_statements(session, [one], authority=AUTHORITY, now=NOON)
    learn(store)

    with store.write() as session:
        again = store_statements(session, [one], authority=AUTHORITY, now=NOON)

    assert [str(statement_id) for statement_id in again] == [one["id"]]


def test_a_damaged_statement_is_not_read_as_another(store: Database) -> None:
    learn(store)
    with store.write() as session:
        last = newest(session)
        store_statements(session, [next(statements(9))], authority=AUTHORITY, now=NOON)
        packed = bytearray(kept(session, last))
        packed[-1] ^= 1

        with pytest.raises(Exception, match=r"(?i)checksum|corrupt|decompress"):
            unpack(session.connection(), bytes(packed))


def test_threads_read_at_the_same_time(store: Database) -> None:
    learn(store)
    with store.write() as session:
        store_statements(session, list(islice(statements(5), 200)), authority=AUTHORITY, now=NOON)
    with store.read() as session:
        expected = [entry.raw for entry in statements_after(session, 0, limit=5000)]
    wrong: list[int] = []

    def read() -> None:
        for _ in range(5):
            with store.read() as session:
                if [entry.raw for entry in statements_after(session, 0, limit=5000)] != expected:
                    wrong.append(1)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not wrong
