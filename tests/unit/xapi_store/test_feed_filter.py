"""A reader of the feed wants some of it: by verb, activity, agent, registration, time, and where it was made."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from sqlalchemy.orm import Session

from lms.database import Database
from tests.xapi_builders import AUTHORITY, COURSE, LEARNER, NOON, PASSED, a_statement, a_voiding
from xapi_store.feed import FeedFilter, newest_position, statements_after, wanted_among
from xapi_store.ingest import store_copies, store_statements
from xapi_store.model.actor import actor_key

REGISTRATION = uuid4()
FAILED = "https://example.org/failed"
LATER = NOON + timedelta(hours=1)
ELSEWHERE = {"objectType": "Agent", "mbox": "mailto:b@example.org"}


@pytest.fixture
def names(database: Database) -> dict[int, str]:
    """What stands at which position."""
    aside = {"contextActivities": {"parent": [{"id": COURSE}]}, "instructor": ELSEWHERE}
    copy = a_statement(
        id=str(uuid4()),
        actor={"mbox": "mailto:c@example.org"},
        object={"id": "https://example.org/elsewhere"},
        timestamp="2026-11-24T12:00:00Z",
        version="1.0.0",
    )
    with database.write() as session:
        ids = store_statements(
            session,
            [
                a_statement(),
                a_statement(verb={"id": FAILED}, context={"registration": str(REGISTRATION)}),
                a_statement(object={"id": "https://example.org/other"}, context=aside),
            ],
            authority=AUTHORITY,
            now=NOON,
        )
        store_statements(session, [a_voiding(ids[1])], authority=AUTHORITY, now=LATER)
        store_copies(session, [orjson.dumps(copy)], now=LATER)
    with database.read() as session:
        positions = [entry.position for entry in statements_after(session, 0, limit=10)]
    return dict(zip(positions, ("passed", "failed", "inside", "voiding", "copy"), strict=True))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, {"passed", "failed", "inside", "voiding", "copy"}),
        ({"verbs": [PASSED]}, {"passed", "inside", "copy"}),
        ({"verbs": [FAILED]}, {"failed", "voiding"}),
        ({"verbs": [FAILED], "voided": False}, {"voiding"}),
        ({"verbs": ["https://example.org/none", PASSED]}, {"passed", "inside", "copy"}),
        ({"verbs": ["https://example.org/none"]}, set()),
        ({"activity": COURSE}, {"passed", "failed", "inside", "voiding"}),
        ({"activity": "https://example.org/none"}, set()),
        ({"agent": actor_key(LEARNER)}, {"passed", "failed", "inside", "voiding"}),
        ({"agent": actor_key(ELSEWHERE)}, {"inside"}),
        ({"agent": actor_key({"mbox": "mailto:nobody@example.org"})}, set()),
        ({"registration": REGISTRATION}, {"failed", "voiding"}),
        ({"registration": uuid4()}, set()),
        ({"since": NOON}, {"voiding", "copy"}),
        ({"made_here": True}, {"passed", "failed", "inside", "voiding"}),
        ({"verbs": [PASSED], "activity": COURSE, "made_here": True}, {"passed", "inside"}),
    ],
)
def test_a_reader_gets_what_it_wants(
    database: Database, names: dict[int, str], wanted: dict[str, Any], found: set[str]
) -> None:
    with database.read() as session:
        stored = wanted_among(session, list(names), FeedFilter(**wanted))

    assert {names[position] for position in stored} == found
    assert set(stored.values()) <= {NOON, LATER}


def test_the_newest_position_is_that_of_the_last_statement(database: Database, names: dict[int, str]) -> None:
    with database.read() as session:
        assert newest_position(session) == max(names)


def test_there_is_no_newest_position_before_the_first_statement(session: Session) -> None:
    assert newest_position(session) == 0


def test_a_statement_of_an_open_transaction_is_the_newest_only_where_the_feed_has_it(
    session: Session,
) -> None:
    store_statements(session, [a_statement()], authority=AUTHORITY, now=NOON)

    fed = statements_after(session, 0, limit=10)

    assert newest_position(session) == (fed[-1].position if fed else 0)
