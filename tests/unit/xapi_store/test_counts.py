"""The store knows how much it holds without counting it."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from lms.database import Database
from tests.school_builders import counted
from tests.xapi_builders import AUTHORITY, COURSE, LEARNER, NOON, a_statement
from xapi_store.attachments import Part, keep_parts
from xapi_store.counts import SAMPLE, counts
from xapi_store.documents import delete_document, put_document
from xapi_store.ingest import store_statements
from xapi_store.model.document import DocumentKey


def store(session: Session, count: int, *, ago: timedelta) -> None:
    store_statements(session, [a_statement() for _ in range(count)], authority=AUTHORITY, now=NOON - ago)


def a_document(name: str, course: str = COURSE) -> DocumentKey:
    return DocumentKey.state(activity=course, agent=LEARNER, name=name)


def attachments(count: int, size: int) -> list[Part]:
    contents = [str(place).encode().rjust(size) for place in range(count)]
    return [
        Part(sha2=hashlib.sha256(one).hexdigest(), content=one, content_type="text/plain") for one in contents
    ]


def test_an_empty_store_holds_nothing(session: Session) -> None:
    found = counts(session, now=NOON)

    assert (found.statements.number, found.last_day.number, found.documents.number) == (0, 0, 0)
    assert (found.attachments.number, found.attachment_bytes.number, found.newest) == (0, 0, None)


def test_statements_are_counted_by_how_long_ago_they_came(session: Session) -> None:
    for count, ago in ((7, timedelta(days=2)), (5, timedelta(hours=3)), (3, timedelta(minutes=9))):
        store(session, count, ago=ago)
    store(session, 2, ago=timedelta(seconds=1))

    found = counts(session, now=NOON)

    assert [one.number for one in (found.statements, found.last_day, found.last_hour, found.last_minute)] == [
        17,
        10,
        5,
        2,
    ]
    assert found.newest == NOON - timedelta(seconds=1)


def test_few_documents_and_attachments_are_counted_exactly(session: Session) -> None:
    for name in ("a", "b", "c"):
        put_document(session, a_document(name), b"{}", content_type="application/json", now=NOON)
    delete_document(session, a_document("b"), now=NOON)
    keep_parts(session, None, attachments(4, 100), AUTHORITY)

    found = counts(session, now=NOON)

    assert (found.documents.number, found.documents.is_estimate) == (2, False)
    assert (found.attachments.number, found.attachment_bytes.number) == (4, 400)


@pytest.mark.parametrize("times", [2, 10])
def test_of_many_it_is_said_how_many_there_are_about(session: Session, times: int) -> None:
    keep_parts(session, None, attachments(times * SAMPLE, 50), AUTHORITY)

    found = counts(session, now=NOON)

    assert found.attachments.is_estimate
    assert found.attachments.number == pytest.approx(times * SAMPLE, rel=0.1)
    assert found.attachment_bytes.number == pytest.approx(times * SAMPLE * 50, rel=0.1)


def test_documents_of_many_are_estimated_likewise(session: Session) -> None:
    for place in range(SAMPLE * 2):
        key = a_document("s", f"{COURSE}/{place}")
        put_document(session, key, b"{}", content_type="application/json", now=NOON)

    found = counts(session, now=NOON)

    assert found.documents.is_estimate
    assert found.documents.number == pytest.approx(SAMPLE * 2, rel=0.1)


def test_nothing_is_counted_or_sorted(database: Database) -> None:
    with counted(database) as made, database.read() as session:
        counts(session, now=NOON)

    assert len(made) == 7
    assert not any("count(" in query for query in made)
    if database.is_sqlite:
        with database.read() as session:
            plans = [
                session.connection()
                .exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", (1,) * query.count("?"))
                .all()
                for query in made
            ]
        assert not any("TEMP B-TREE" in str(plan) for plan in plans)
