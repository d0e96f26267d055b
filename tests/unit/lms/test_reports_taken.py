"""What somebody takes, in the order in which her home page lists it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from lms.courses.tables import Course
from lms.enrolment.actions import enrol
from lms.reports.queries import courses_taken

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANNA = uuid4()


def takes(session: Session, title: str, *, due: date | None = None) -> UUID:
    course = Course(public_id=uuid4(), identifier=title, title=title, languages=[], created=NOON)
    session.add(course)
    enrol(session, course.public_id, [ANNA], by=None, now=NOON, new_id=uuid4, due=due)
    return course.public_id


def test_what_is_due_comes_first(session: Session) -> None:
    takes(session, "whenever")
    takes(session, "in May", due=date(2026, 5, 1))
    takes(session, "in April", due=date(2026, 4, 1))

    taken = courses_taken(session, ANNA)

    assert [one.course.title for one in taken] == ["in April", "in May", "whenever"]


def test_a_course_that_was_deleted_or_never_came_is_left_out(session: Session) -> None:
    deleted = takes(session, "deleted")
    takes(session, "here")
    enrol(session, uuid4(), [ANNA], by=None, now=NOON, new_id=uuid4)
    session.query(Course).filter_by(public_id=deleted).update({"deleted": NOON})

    taken = courses_taken(session, ANNA)

    assert [one.course.title for one in taken] == ["here"]
