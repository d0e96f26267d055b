"""Enrolling people, withdrawing them, and taking over enrolments made elsewhere."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from lms.enrolment.actions import Enrolled, NotEnrolledError, apply_enrolment, enrol, withdraw
from lms.enrolment.queries import count_enrolled, describe_enrolment, find_enrolment

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
COURSE, ANNA, BADR = uuid4(), uuid4(), uuid4()


def enrolled(session: Session, *persons: UUID, course: UUID = COURSE, due: date | None = None) -> Enrolled:
    return enrol(session, course, persons, by=None, now=NOON, new_id=uuid4, due=due)


def test_each_person_gets_a_registration_of_her_own(session: Session) -> None:
    result = enrolled(session, ANNA, BADR, ANNA)

    anna = find_enrolment(session, person=ANNA, course=COURSE)
    badr = find_enrolment(session, person=BADR, course=COURSE)
    assert result == Enrolled(new=2, again=0, already=0)
    assert anna is not None
    assert badr is not None
    assert anna.registration != badr.registration


def test_enrolling_again_changes_only_the_day_it_is_due(session: Session) -> None:
    enrolled(session, ANNA)
    before = find_enrolment(session, person=ANNA, course=COURSE)
    assert before is not None
    registration = before.registration

    result = enrolled(session, ANNA, due=date(2026, 4, 1))

    after = find_enrolment(session, person=ANNA, course=COURSE)
    assert after is not None
    assert result == Enrolled(new=0, again=0, already=1)
    assert (after.registration, after.due) == (registration, date(2026, 4, 1))


def test_who_was_withdrawn_comes_back_to_her_own_records(session: Session) -> None:
    enrolled(session, ANNA)
    before = find_enrolment(session, person=ANNA, course=COURSE)
    assert before is not None
    withdraw(session, COURSE, ANNA, now=NOON)
    gone = find_enrolment(session, person=ANNA, course=COURSE)

    result = enrolled(session, ANNA)

    after = find_enrolment(session, person=ANNA, course=COURSE)
    assert gone is None
    assert result == Enrolled(new=0, again=1, already=0)
    assert after is not None
    assert after.registration == before.registration


def test_nobody_can_be_withdrawn_from_what_she_does_not_take(session: Session) -> None:
    with pytest.raises(NotEnrolledError):
        withdraw(session, COURSE, ANNA, now=NOON)


def test_two_nodes_that_enrolled_the_same_person_agree_on_one_enrolment(session: Session) -> None:
    enrolled(session, ANNA)
    mine = find_enrolment(session, person=ANNA, course=COURSE)
    assert mine is not None
    described = describe_enrolment(session, mine.public_id)
    assert described is not None
    theirs = described | {"registration": str(uuid4()), "made": (NOON - timedelta(days=1)).isoformat()}

    apply_enrolment(session, uuid4(), theirs)

    chosen = find_enrolment(session, person=ANNA, course=COURSE)
    assert chosen is not None
    assert str(chosen.registration) == theirs["registration"]
    assert count_enrolled(session, [COURSE]) == {COURSE: 1}


def test_an_enrolment_from_elsewhere_reads_as_it_was_written(session: Session) -> None:
    enrolled(session, ANNA, due=date(2026, 4, 1))
    here = find_enrolment(session, person=ANNA, course=COURSE)
    assert here is not None
    described = describe_enrolment(session, here.public_id)
    assert described is not None
    changed = described | {"provisional": False, "withdrawn": NOON.isoformat()}

    apply_enrolment(session, here.public_id, changed)

    assert describe_enrolment(session, here.public_id) == changed
    assert find_enrolment(session, person=ANNA, course=COURSE) is None
