"""Parts of the store on PostgreSQL begin with the months, go to the archive whole, and come back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import orjson
import pytest

from lms.database import Database
from lms.progress.actions import advance, is_behind
from tests.conftest import fresh_schema
from tests.postgres import Postgres
from tests.xapi_builders import AUTHORITY, COURSE, LEARNER, a_statement
from xapi_store.archive import (
    PartError,
    begin_part,
    bring_back,
    list_parts,
    part_due,
    prepare_part,
    put_away,
)
from xapi_store.errors import ArchivedStatementError
from xapi_store.feed import statements_after
from xapi_store.ingest import Outcome, store_copies, store_statements
from xapi_store.model.actor import actor_key
from xapi_store.query import StatementFilter, find_statement, find_statements

OCTOBER = datetime(2026, 10, 20, 12, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    """PostgreSQL whatever was asked for: only there a store has parts."""
    database = Database(postgres.create())
    fresh_schema(database)
    yield database
    database.close()


def store(database: Database, *, now: datetime, **changes: object) -> UUID:
    with database.write() as session:
        (stored,) = store_statements(session, [a_statement(**changes)], authority=AUTHORITY, now=now)
    return stored


def begin(database: Database, *, now: datetime) -> None:
    with database.read() as session:
        due = part_due(session, now=now)
    assert due is not None
    with database.write() as session:
        prepare_part(session, due)
    with database.write() as session:
        begin_part(session, due)


def found(database: Database, **wanted: object) -> list[UUID]:
    with database.read() as session:
        page = find_statements(session, StatementFilter(**wanted), limit=10)  # type: ignore[arg-type]
    return [one.id for one in page.statements]


def test_a_part_is_due_once_the_month_has_changed(database: Database) -> None:
    with database.read() as session:
        assert part_due(session, now=NOVEMBER) is None
    store(database, now=OCTOBER)

    with database.read() as session:
        same_month, next_month = part_due(session, now=OCTOBER), part_due(session, now=NOVEMBER)

    assert (same_month, next_month) == (None, 1)


def test_queries_and_the_feed_go_on_across_parts(database: Database) -> None:
    old = store(database, now=OCTOBER)
    begin(database, now=NOVEMBER)
    new = store(database, now=NOVEMBER)

    with database.read() as session:
        told = [entry.statement_id for entry in statements_after(session, 0, limit=10)]
        parts = [(part.number, part.is_open) for part in list_parts(session)]

    assert found(database) == found(database, activity=COURSE) == [new, old]
    assert found(database, agent=actor_key(LEARNER), ascending=True) == [old, new]
    assert found(database, until=OCTOBER) == [old]
    assert told == [old, new]
    assert parts == [(0, False), (1, True)]


def test_beginning_a_part_twice_takes_no_position_twice(database: Database) -> None:
    store(database, now=OCTOBER)
    begin(database, now=NOVEMBER)
    store(database, now=NOVEMBER)

    with database.write() as session:
        prepare_part(session, 1)
        begin_part(session, 1)
    store(database, now=NOVEMBER)

    assert len(found(database)) == 3


def test_an_archived_part_is_found_no_more_but_its_ids_stay_taken(database: Database) -> None:
    old = store(database, now=OCTOBER)
    begin(database, now=NOVEMBER)
    new = store(database, now=NOVEMBER)

    with database.write() as session:
        put_away(session, 0)
    with database.write() as session:
        with pytest.raises(ArchivedStatementError):
            store_statements(session, [a_statement(id=str(old))], authority=AUTHORITY, now=NOVEMBER)
        sent = a_statement(id=str(old), timestamp="2026-10-20T12:00:00Z", version="1.0.3")
        (copy,) = store_copies(session, [orjson.dumps(sent)], now=NOVEMBER)

    assert copy.outcome is Outcome.PRESENT
    assert found(database) == [new]
    with database.read() as session:
        assert find_statement(session, old) is None
        assert [part.is_archived for part in list_parts(session)] == [True, False]


def test_an_archived_part_comes_back_whole(database: Database) -> None:
    old = store(database, now=OCTOBER)
    begin(database, now=NOVEMBER)
    new = store(database, now=NOVEMBER)
    with database.write() as session:
        put_away(session, 0)

    with database.write() as session:
        bring_back(session, 0)

    assert found(database, activity=COURSE) == [new, old]
    with database.read() as session:
        assert find_statement(session, old) is not None


def test_the_open_part_and_one_that_is_not_there_are_not_put_away(database: Database) -> None:
    store(database, now=OCTOBER)

    for number in (0, 7):
        with pytest.raises(PartError), database.write() as session:
            put_away(session, number)
    with pytest.raises(PartError), database.write() as session:
        bring_back(session, 0)


def test_progress_is_read_on_in_the_next_part(database: Database) -> None:
    store(database, now=OCTOBER)
    begin(database, now=NOVEMBER)
    store(database, now=NOVEMBER)

    more = True
    while more:
        with database.write() as session:
            more = advance(session)
    with database.read() as session:
        assert not is_behind(session)


def test_a_reference_into_the_archive_changes_nothing_there(database: Database) -> None:
    old = store(database, now=OCTOBER)
    begin(database, now=NOVEMBER)
    store(database, now=NOVEMBER)
    with database.write() as session:
        put_away(session, 0)

    void = store(
        database,
        now=NOVEMBER,
        id=str(uuid4()),
        verb={"id": "http://adlnet.gov/expapi/verbs/voided"},
        object={"objectType": "StatementRef", "id": str(old)},
    )

    assert void in found(database)
