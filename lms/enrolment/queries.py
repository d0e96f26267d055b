"""Look at enrolments. Persons and courses appear as public ids; other features add their names."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from lms.enrolment.tables import Enrolment


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
