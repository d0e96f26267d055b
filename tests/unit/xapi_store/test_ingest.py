"""Statements are stored once, whole batches or nothing; copies one by one."""

from datetime import timedelta
from uuid import uuid4

import orjson
import pytest
from sqlalchemy.orm import Session

from lms.database import Database
from tests.xapi_builders import AUTHORITY, COURSE, LEARNER, NOON, PASSED, a_statement, a_voiding
from xapi_store import feed
from xapi_store.errors import InvalidStatementError, RequestError, StatementConflictError
from xapi_store.ingest import Outcome, store_copies, store_statements
from xapi_store.model.actor import actor_key
from xapi_store.query import StatementFilter, find_statement, find_statements


def count(session: Session, **wanted: object) -> int:
    return len(find_statements(session, StatementFilter(**wanted), limit=100).statements)  # type: ignore[arg-type]


def a_copy(**changes: object) -> bytes:
    return orjson.dumps(
        a_statement(
            id=str(uuid4()),
            timestamp="2026-01-02T03:04:05.678Z",
            authority=AUTHORITY,
            version="1.0.0",
        )
        | changes
    )


def test_the_store_sets_what_is_its_own(session: Session) -> None:
    (statement_id,) = store_statements(
        session, [a_statement(stored="2001-01-01T00:00:00Z")], authority=AUTHORITY, now=NOON
    )

    found = find_statement(session, statement_id)
    assert found is not None
    assert found.stored == NOON
    kept = orjson.loads(found.raw)
    assert "stored" not in kept
    assert kept["authority"] == AUTHORITY
    assert kept["timestamp"] == "2026-11-24T12:00:00.000000Z"
    assert kept["version"] == "1.0.0"


def test_sending_a_batch_again_changes_nothing(session: Session) -> None:
    batch = [a_statement(id=str(uuid4())), a_statement(id=str(uuid4()))]
    first = store_statements(session, batch, authority=AUTHORITY, now=NOON)

    again = store_statements(session, batch, authority=AUTHORITY, now=NOON + timedelta(hours=1))

    assert again == first
    assert count(session) == 2


def test_a_different_statement_under_a_taken_id_is_refused(session: Session) -> None:
    statement = a_statement(id=str(uuid4()))
    store_statements(session, [statement], authority=AUTHORITY, now=NOON)

    with pytest.raises(StatementConflictError) as caught:
        store_statements(
            session,
            [a_statement(), statement | {"result": {"success": True}}],
            authority=AUTHORITY,
            now=NOON,
        )

    assert caught.value.differing == ("result",)
    assert count(session) == 1


def test_one_bad_statement_stores_none_and_says_where(session: Session) -> None:
    bad = a_statement(actor={"mbox": "not-an-address"})

    with pytest.raises(InvalidStatementError) as caught:
        store_statements(session, [a_statement(), bad], authority=AUTHORITY, now=NOON)

    assert caught.value.path == "$[1].actor.mbox"
    assert count(session) == 0


def test_an_id_twice_in_a_batch_is_refused(session: Session) -> None:
    statement = a_statement(id=str(uuid4()))

    with pytest.raises(RequestError):
        store_statements(session, [statement, statement], authority=AUTHORITY, now=NOON)


@pytest.mark.parametrize("voiding_first", [True, False])
def test_voiding_works_whichever_arrives_first(session: Session, voiding_first: bool) -> None:
    target = uuid4()
    pair = [a_statement(id=str(target)), a_voiding(target)]
    for statement in reversed(pair) if voiding_first else pair:
        store_statements(session, [statement], authority=AUTHORITY, now=NOON)

    assert find_statement(session, target) is None
    assert find_statement(session, target, voided=True) is not None
    assert count(session) == 1


def test_a_voiding_statement_cannot_be_voided(session: Session) -> None:
    (voiding,) = store_statements(session, [a_voiding(uuid4())], authority=AUTHORITY, now=NOON)

    store_statements(session, [a_voiding(voiding)], authority=AUTHORITY, now=NOON)

    assert find_statement(session, voiding) is not None


@pytest.mark.parametrize("target_first", [True, False])
def test_a_reference_is_found_where_its_target_is(session: Session, target_first: bool) -> None:
    target = uuid4()
    reference = a_statement(
        actor={"mbox": "mailto:teacher@example.org"},
        verb={"id": "http://example.org/confirmed"},
        object={"objectType": "StatementRef", "id": str(target)},
    )
    pair = [a_statement(id=str(target)), reference]
    for statement in pair if target_first else reversed(pair):
        store_statements(session, [statement], authority=AUTHORITY, now=NOON)

    assert count(session, activity=COURSE) == 2
    assert count(session, agent=actor_key(LEARNER), verb=PASSED) == 2


def test_stored_never_runs_backwards(session: Session) -> None:
    store_statements(session, [a_statement()], authority=AUTHORITY, now=NOON)

    (later,) = store_statements(session, [a_statement()], authority=AUTHORITY, now=NOON - timedelta(days=9))

    found = find_statement(session, later)
    assert found is not None
    assert found.stored == NOON


def test_a_copy_keeps_its_bytes_and_is_marked(database: Database) -> None:
    copy = a_copy()

    with database.write() as session:
        (outcome,) = store_copies(session, [copy], now=NOON)

    assert outcome.outcome is Outcome.STORED
    with database.read() as session:  # the feed shows what is committed
        (entry,) = feed.statements_after(session, 0, limit=10)
    assert (entry.raw, entry.copied, entry.position) == (copy, True, outcome.position)


def test_a_bad_copy_holds_up_no_other(session: Session) -> None:
    good, other = a_copy(), a_copy()
    conflicting = orjson.dumps(orjson.loads(good) | {"result": {"success": False}})

    outcomes = store_copies(session, [good, b"{", conflicting, good, other], now=NOON)

    assert [one.outcome for one in outcomes] == [
        Outcome.STORED,
        Outcome.REFUSED,
        Outcome.CONFLICT,
        Outcome.PRESENT,
        Outcome.STORED,
    ]
    assert outcomes[2].differing == ("result",)
    assert count(session) == 2


def test_pages_reach_every_statement_once_while_others_arrive(session: Session) -> None:
    for _ in range(7):
        store_statements(session, [a_statement()], authority=AUTHORITY, now=NOON)
    seen, before = [], None
    while True:
        page = find_statements(session, StatementFilter(verb=PASSED, before=before), limit=3)
        seen += [one.position for one in page.statements]
        if not page.has_more:
            break
        before = seen[-1]
        store_statements(session, [a_statement()], authority=AUTHORITY, now=NOON)

    assert len(seen) == 7
    assert seen == sorted(set(seen), reverse=True)


def test_since_and_until_look_at_stored(session: Session) -> None:
    for hour in range(4):
        store_statements(session, [a_statement()], authority=AUTHORITY, now=NOON + timedelta(hours=hour))

    assert count(session, since=NOON + timedelta(hours=1)) == 2
    assert count(session, until=NOON + timedelta(hours=1)) == 2


def test_who_may_read_her_own_only_finds_no_statement_of_another(session: Session) -> None:
    other = {"objectType": "Agent", "account": {"homePage": "https://example.org/keys", "name": "other"}}
    (mine,) = store_statements(session, [a_statement()], authority=AUTHORITY, now=NOON)
    (theirs,) = store_statements(session, [a_statement()], authority=other, now=NOON)

    own = actor_key(AUTHORITY)

    assert find_statement(session, mine, authority=own) is not None
    assert find_statement(session, theirs, authority=own) is None
    assert find_statement(session, theirs, authority=None) is not None
