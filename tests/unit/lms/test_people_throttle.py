"""Guessing gets slow; mistyping does not; nobody learns who exists."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms.database import Database
from lms.people.actions import create_person
from lms.people.errors import SignInRefusedError, SignInTooOftenError
from lms.people.passwords import Cost, Passwords
from lms.people.queries import person_signing_in
from lms.people.signing_in import sign_in
from lms.people.tables import LoginThrottle
from lms.people.throttle import FREE_TRIES, LONGEST_WAIT_S, count_try, forget_tries

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PASSWORDS = Passwords(Cost(1024, 1))


def tried(session: Session, times: int, *, name: str = "a-1", now: datetime = NOON) -> list[int]:
    return [count_try(session, name, now=now) for _ in range(times)]


# ---------------------------------------------------------------- counting


def test_the_first_tries_are_free_and_then_one_waits(session: Session) -> None:
    assert tried(session, FREE_TRIES + 2) == [0] * (FREE_TRIES + 1) + [5]


def test_after_the_wait_one_more_try_makes_it_twice_as_long(session: Session) -> None:
    tried(session, FREE_TRIES + 1)

    later = NOON + timedelta(seconds=5)

    assert tried(session, 2, now=later) == [0, 10]


def test_a_thousand_guesses_take_more_than_a_day_and_honest_people_two_minutes(session: Session) -> None:
    now, longest = NOON, 0
    for _ in range(1000):
        wait = count_try(session, "a-1", now=now)
        if wait:
            longest = max(longest, wait)
            now += timedelta(seconds=wait)
            count_try(session, "a-1", now=now)

    assert now - NOON > timedelta(hours=24)
    assert longest == LONGEST_WAIT_S


def test_a_refused_try_does_not_prolong_the_wait(session: Session) -> None:
    tried(session, FREE_TRIES + 1)

    assert tried(session, 3, now=NOON + timedelta(seconds=2)) == [3, 3, 3]


def test_another_name_is_free(session: Session) -> None:
    tried(session, FREE_TRIES + 1)

    assert tried(session, 1, name="b-2") == [0]


def test_a_clock_set_back_makes_nobody_wait_longer_than_the_wait(session: Session) -> None:
    tried(session, FREE_TRIES + 1)

    assert tried(session, 1, now=NOON - timedelta(days=30)) == [5]


def test_the_right_password_begins_afresh(session: Session) -> None:
    tried(session, FREE_TRIES + 1)

    forget_tries(session, "a-1")

    assert tried(session, FREE_TRIES) == [0] * FREE_TRIES


def test_names_tried_long_ago_are_forgotten(session: Session) -> None:
    tried(session, 1)

    tried(session, 1, name="b-2", now=NOON + timedelta(days=31))

    assert session.scalar(select(func.count()).select_from(LoginThrottle)) == 1


# ---------------------------------------------------------------- signing in


def ada(database: Database, *, kept: str | None = None) -> None:
    with database.write() as session:
        create_person(
            session,
            public_id=uuid4(),
            personnel_number="A-1",
            name="Ada",
            roles=["officer"],
            password_hash=kept or PASSWORDS.hash("long enough"),
            now=NOON,
        )


def answers(database: Database, number: str, password: str, *, times: int) -> list[type[Exception] | None]:
    given: list[type[Exception] | None] = []
    for _ in range(times):
        try:
            sign_in(database, PASSWORDS, personnel_number=number, password=password, now=NOON)
        except (SignInRefusedError, SignInTooOftenError) as error:
            given.append(type(error))
        else:
            given.append(None)
    return given


def test_a_name_nobody_has_is_answered_like_one_somebody_has(database: Database) -> None:
    ada(database)

    nobodys = answers(database, "Q-9", "wrong password", times=FREE_TRIES + 3)

    assert nobodys == answers(database, "a-1", "wrong password", times=FREE_TRIES + 3)
    assert set(nobodys) == {SignInRefusedError, SignInTooOftenError}


def test_while_waiting_the_right_password_does_not_help_either(database: Database) -> None:
    ada(database)
    answers(database, "a-1", "wrong password", times=FREE_TRIES + 1)

    assert answers(database, "a-1", "long enough", times=1) == [SignInTooOftenError]


def test_signing_in_forgets_wrong_tries(database: Database) -> None:
    ada(database)

    for _ in range(3):
        tries = answers(database, "a-1", "wrong password", times=FREE_TRIES)
        assert tries == [SignInRefusedError] * FREE_TRIES
        assert answers(database, "a-1", "long enough", times=1) == [None]


@pytest.mark.parametrize(
    ("cost", "anew"), [(Cost(256, 1), True), (Cost(1024, 1), False), (Cost(2048, 2), False)]
)
def test_a_weak_hash_is_made_anew_at_sign_in_and_a_strong_one_stays(
    database: Database, cost: Cost, anew: bool
) -> None:
    before = Passwords(cost).hash("long enough")
    ada(database, kept=before)

    sign_in(database, PASSWORDS, personnel_number="a-1", password="long enough", now=NOON)

    with database.read() as session:
        found = person_signing_in(session, "A-1")
    assert found is not None
    assert (found.password_hash != before) is anew
    assert PASSWORDS.matches(found.password_hash, "long enough")
    assert found.password_temporary is False
