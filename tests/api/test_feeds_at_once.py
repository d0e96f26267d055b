"""Several write at once on PostgreSQL, and who reads a feed in order misses nothing, whoever ended first."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lms.database import Database
from lms.people.changes import changes_after, record_change
from tests.xapi_builders import AUTHORITY, a_statement
from xapi_store.documents import put_document
from xapi_store.feed import documents_after, statements_after
from xapi_store.ingest import store_statements
from xapi_store.model.document import DocumentKey, DocumentKind

Feed = tuple[Callable[[Session, UUID], object], Callable[[Session, int], Sequence[tuple[int, UUID]]]]


def a_statement_in(session: Session, name: UUID) -> None:
    store_statements(session, [a_statement(id=str(name))], authority=AUTHORITY, now=datetime.now(UTC))


def statements_in(session: Session, position: int) -> Sequence[tuple[int, UUID]]:
    return [(one.position, one.statement_id) for one in statements_after(session, position, limit=10)]


def a_document_in(session: Session, name: UUID) -> None:
    key = DocumentKey(
        kind=DocumentKind.ACTIVITY_PROFILE, name=str(name), activity="https://example.org/course"
    )
    put_document(session, key, b"{}", "application/json", now=datetime.now(UTC))


def documents_in(session: Session, position: int) -> Sequence[tuple[int, UUID]]:
    return [(one.position, UUID(one.key.name)) for one in documents_after(session, position, limit=10)]


def a_change_in(session: Session, name: UUID) -> None:
    record_change(session, "person", name)


def changes_in(session: Session, position: int) -> Sequence[tuple[int, UUID]]:
    return [(row.position, row.public_id) for row in changes_after(session, position, limit=10)]


FEEDS: dict[str, Feed] = {
    "statements": (a_statement_in, statements_in),
    "documents": (a_document_in, documents_in),
    "directory": (a_change_in, changes_in),
}


@pytest.mark.parametrize("feed", FEEDS)
def test_who_began_first_and_takes_a_later_position_is_not_read_before_the_other(
    database: Database, feed: str
) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has one write at a time")
    write, read = FEEDS[feed]
    known, slow, quick = uuid4(), uuid4(), uuid4()
    with database.write() as session:
        write(session, known)  # what all of them mention has its number
    seen: list[UUID] = []
    position = 0

    def read_on() -> None:
        nonlocal position
        with database.read() as session:
            entries = read(session, position)
        seen.extend(name for _, name in entries)
        position = max((place for place, _ in entries), default=position)

    with ExitStack() as stays_open:
        with database.write() as began_first:
            began_second = stays_open.enter_context(database.write())
            write(began_second, slow)  # takes the earlier position
            write(began_first, quick)
        read_on()
    read_on()

    assert seen == [known, slow, quick]


def test_who_waits_after_taking_a_position_is_not_passed_by_who_did_not(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has one write at a time")
    target, waited, quick = uuid4(), uuid4(), uuid4()
    with database.write() as session:
        a_statement_in(session, uuid4())  # what all of them mention has its number
    refers = a_statement(id=str(waited), object={"objectType": "StatementRef", "id": str(target)})

    def refer() -> None:
        with database.write() as session:
            store_statements(session, [refers], authority=AUTHORITY, now=datetime.now(UTC))

    with ThreadPoolExecutor(1) as threads, ExitStack() as stays_open:
        with database.write() as holds_target:
            a_statement_in(holds_target, target)
            referring = threads.submit(refer)  # has its position, and waits for the statement it refers to
            until(lambda: waiting(database) == 1)
            with database.write() as session:
                a_statement_in(session, quick)
            began_late = stays_open.enter_context(database.write())
            a_statement_in(began_late, uuid4())
        referring.result(20)
        with database.read() as session:
            read = statements_in(session, 0)
        with database.read() as session:
            later = statements_in(session, max(place for place, _ in read))

    assert {name for _, name in [*read, *later]} >= {target, waited, quick}


def waiting(database: Database) -> int:
    with database.read() as session:
        asked = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'")
        return int(session.execute(asked).scalar_one())


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
