"""What somebody takes, in the order in which her home page lists it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from content_packages.shelf import Shelf
from lms.courses.actions import publish, withdraw_edition
from lms.courses.tables import Course
from lms.enrolment.actions import enrol
from lms.reports.queries import courses_taken
from tests.course_builders import a_scorm_file, an_edition

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


def test_a_course_that_was_withdrawn_is_told_from_one_that_has_not_come(
    session: Session, tmp_path: Path
) -> None:
    shelf = Shelf(tmp_path / "shelf")
    coming = takes(session, "coming")
    course, edition = an_edition(session, shelf, a_scorm_file(tmp_path))
    publish(session, shelf, edition.public_id, now=NOON)
    enrol(session, course.public_id, [ANNA], by=None, now=NOON, new_id=uuid4)
    given = {one.course.public_id: one.course.withdrawn for one in courses_taken(session, ANNA)}

    withdraw_edition(session, edition.public_id, now=NOON)
    taken = {one.course.public_id: one.course.withdrawn for one in courses_taken(session, ANNA)}

    assert given == {coming: False, course.public_id: False}
    assert taken == {coming: False, course.public_id: True}
