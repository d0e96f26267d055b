"""Look at enrolments. Persons and courses appear as public ids; other features add their names."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from lms.enrolment.tables import Enrolment
from lms.web.errors import NotFoundError


class EnrolmentOverError(Exception):
    """A person was withdrawn from the course that she asks for."""

    def __init__(self, course: UUID) -> None:
        self.course = course
        super().__init__(f"Course {course} is taken no longer.")


def own_enrolment(session: Session, *, person: UUID, course: UUID) -> Enrolment:
    """Return the enrolment in force by which a person takes the course that she asks for herself.

    Raises:
        EnrolmentOverError: she took it, and was withdrawn.
        NotFoundError: she never took it, and need not know whether it exists.
    """
    found = find_enrolment(session, person=person, course=course)
    if found is None:
        raise _not_taken(session, person, course)
    return found


def own_registration(session: Session, *, person: UUID, course: UUID) -> UUID:
    """Return the registration of a person's own enrolment, and raise as ``own_enrolment`` does."""
    found = registration_of(session, person=person, course=course)
    if found is None:
        raise _not_taken(session, person, course)
    return found


def _not_taken(session: Session, person: UUID, course: UUID) -> Exception:
    taken = select(Enrolment.id).where(Enrolment.person == person, Enrolment.course == course).limit(1)
    return NotFoundError() if session.scalar(taken) is None else EnrolmentOverError(course)


def find_enrolment(session: Session, *, person: UUID, course: UUID) -> Enrolment | None:
    """Return the enrolment in force by which this person takes this course."""
    return session.scalars(_HELD, {"person": person, "course": course}).one_or_none()


def registration_of(session: Session, *, person: UUID, course: UUID) -> UUID | None:
    """Return the registration under which this person takes this course."""
    found: UUID | None = session.connection().scalar(_REGISTRATION, {"person": person, "course": course})
    return found


def count_enrolled(session: Session, courses: Collection[UUID]) -> dict[UUID, int]:
    """Return how many people take each of these courses; a course nobody takes is absent."""
    query = select(Enrolment.course, func.count()).where(Enrolment.course.in_(courses), in_force())
    return {course: count for course, count in session.execute(query.group_by(Enrolment.course))}  # noqa: C416 - rows are not pairs to the type checker


@cache  # a condition without values is the same for all queries
def in_force() -> ColumnElement[bool]:
    """Return the condition that picks one enrolment per person and course: the first not withdrawn.

    Two nodes may have enrolled the same person before they met; all nodes then pick the same one.
    """
    other = aliased(Enrolment)
    earlier = (
        select(other.id)
        .where(
            other.person == Enrolment.person,
            other.course == Enrolment.course,
            other.withdrawn.is_(None),
            (other.made < Enrolment.made)
            | ((other.made == Enrolment.made) & (other.public_id < Enrolment.public_id)),
        )
        .exists()
    )
    return Enrolment.withdrawn.is_(None) & ~earlier


_HELD = select(Enrolment).where(
    Enrolment.person == bindparam("person"), Enrolment.course == bindparam("course"), in_force()
)
_REGISTRATION = _HELD.with_only_columns(Enrolment.registration)


def describe_enrolment(session: Session, public_id: UUID) -> dict[str, Any] | None:
    """Return an enrolment as it travels to other nodes; ``None`` if there is no such one."""
    row = session.scalars(select(Enrolment).where(Enrolment.public_id == public_id)).one_or_none()
    if row is None:
        return None
    return {
        "person": str(row.person),
        "course": str(row.course),
        "registration": str(row.registration),
        "due": row.due.isoformat() if row.due else None,
        "made": row.made.isoformat(),
        "made_by": str(row.made_by) if row.made_by else None,
        "withdrawn": row.withdrawn.isoformat() if row.withdrawn else None,
        "changed": row.changed.isoformat(),
        "provisional": row.provisional,
    }
