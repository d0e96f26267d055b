"""A session lasts as long as it is used, and no longer than a working day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from lms.database import Database
from lms.people.actions import change_person, create_person, set_password
from lms.people.queries import person
from lms.people.sessions import ABSOLUTE, IDLE, close_session, open_session, recognise
from lms.people.tables import LoginSession

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
A_LITTLE = timedelta(seconds=1)


@pytest.fixture
def ada(database: Database) -> UUID:
    public_id = uuid4()
    with database.write() as session:
        create_person(
            session,
            public_id=public_id,
            personnel_number="A-1",
            name="Ada",
            roles=["officer"],
            password_hash="kept",
            now=NOON,
        )
    return public_id


def opened(database: Database, person_id: UUID, *, now: datetime = NOON) -> str:
    with database.write() as session:
        return open_session(session, person_id, now=now)


def test_the_cookie_opens_the_session_of_its_person(database: Database, ada: UUID) -> None:
    viewer = recognise(database, opened(database, ada), NOON)

    assert viewer is not None
    assert (viewer.public_id, viewer.name, viewer.roles) == (ada, "Ada", {"officer"})


def test_what_is_kept_of_a_cookie_does_not_open_anything(database: Database, ada: UUID) -> None:
    token = opened(database, ada)

    with database.read() as session:
        digest = session.scalars(select(LoginSession.digest)).one()
    assert token.encode() not in digest
    assert recognise(database, digest.hex(), NOON) is None


def test_a_session_that_rests_too_long_ends(database: Database, ada: UUID) -> None:
    token = opened(database, ada)

    assert recognise(database, token, NOON + IDLE + A_LITTLE) is None


def test_a_session_that_is_used_goes_on_but_not_for_ever(database: Database, ada: UUID) -> None:
    token = opened(database, ada)
    steps = [NOON + timedelta(minutes=90) * step for step in range(1, 9)]  # up to midnight

    seen = [recognise(database, token, at) is not None for at in steps]

    assert seen == [at < NOON + ABSOLUTE for at in steps]
    assert seen.count(True) == 7


def test_sessions_that_ended_are_swept_when_another_begins(database: Database, ada: UUID) -> None:
    opened(database, ada)

    opened(database, ada, now=NOON + ABSOLUTE + A_LITTLE)

    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(LoginSession)) == 1


def test_signing_out_ends_this_session_only(database: Database, ada: UUID) -> None:
    here, elsewhere = opened(database, ada), opened(database, ada)

    with database.write() as session:
        close_session(session, here)

    assert recognise(database, here, NOON) is None
    assert recognise(database, elsewhere, NOON) is not None


def test_a_new_password_ends_every_session_but_the_one_in_use(database: Database, ada: UUID) -> None:
    here, elsewhere = opened(database, ada), opened(database, ada)
    viewer = recognise(database, here, NOON)
    assert viewer is not None

    with database.write() as session:
        set_password(
            session, person(session, ada), "new", temporary=False, now=NOON, keep_session=viewer.session_id
        )

    assert recognise(database, here, NOON) is not None
    assert recognise(database, elsewhere, NOON) is None


def test_who_is_disabled_is_signed_out(database: Database, ada: UUID) -> None:
    token = opened(database, ada)

    with database.write() as session:
        change_person(
            session,
            person(session, ada),
            personnel_number="A-1",
            name="Ada",
            roles=["officer"],
            disabled=True,
            now=NOON,
        )

    assert recognise(database, token, NOON) is None
