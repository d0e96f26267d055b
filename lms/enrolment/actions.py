"""Enrol people and withdraw them. What is done here travels to the other nodes; what arrived does not go back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.enrolment.tables import Enrolment
from lms.people.changes import record_change
from lms.people.queries import group as find_group
from lms.people.queries import members, people_with_numbers

KIND: Final = "enrolment"


class NotEnrolledError(Exception):
    """The person does not take this course."""

    def __init__(self, person: UUID, course: UUID) -> None:
        self.person = person
        self.course = course
        super().__init__(f"Person {person} does not take course {course}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Enrolled:
    """What an enrolment of several people came to."""

    new: int
    again: int  # had been withdrawn; their records count on
    already: int


def enrol(
    session: Session,
    course: UUID,
    persons: Iterable[UUID],
    *,
    by: UUID | None,
    now: datetime,
    new_id: Callable[[], UUID],
    due: date | None = None,
    provisional: bool = True,
) -> Enrolled:
    """Let these people take a course.

    Who takes it already keeps her enrolment, with the new day it is due, if one is given. Who was withdrawn
    gets her old enrolment back, and with it her registration and everything recorded under it.

    Everywhere but at the centre an enrolment is ``provisional``: this node proposes it.
    """
    held: dict[UUID, Enrolment] = {}
    for row in session.scalars(
        select(Enrolment).where(Enrolment.course == course).order_by(Enrolment.made, Enrolment.public_id)
    ):
        known = held.get(row.person)
        if known is None or (known.withdrawn is not None and row.withdrawn is None):
            held[row.person] = row
    new = again = already = 0
    changed = []
    for person in dict.fromkeys(persons):
        known = held.get(person)
        if known is None:
            row = Enrolment(
                public_id=new_id(),
                person=person,
                course=course,
                registration=new_id(),
                due=due,
                made=now,
                made_by=by,
                provisional=provisional,
            )
            session.add(row)
            changed.append(row.public_id)
            new += 1
        elif known.withdrawn is not None:
            known.withdrawn, known.due, known.changed = None, due, now
            changed.append(known.public_id)
            again += 1
        else:
            if due is not None and known.due != due:
                known.due, known.changed = due, now
                changed.append(known.public_id)
            already += 1
    session.flush()
    for public_id in changed:
        record_change(session, KIND, public_id)
    return Enrolled(new=new, again=again, already=already)


def people_to_enrol(session: Session, *, numbers: Iterable[str], group: UUID | None) -> list[UUID]:
    """Return the people with these personnel numbers, and those of a group.

    Raises:
        NumbersUnknownError: some number belongs to nobody here.
        GroupNotFoundError: the group is not known here.
    """
    people = list(people_with_numbers(session, numbers))
    if group is not None:
        people += [person.public_id for person in members(session, find_group(session, group).public_id)]
    return people


def withdraw(session: Session, course: UUID, person: UUID, *, now: datetime) -> None:
    """Take a person out of a course; what was recorded stays recorded.

    Raises:
        NotEnrolledError: she does not take it.
    """
    rows = session.scalars(
        select(Enrolment).where(
            Enrolment.course == course, Enrolment.person == person, Enrolment.withdrawn.is_(None)
        )
    ).all()
    if not rows:
        raise NotEnrolledError(person, course)
    for row in rows:
        row.withdrawn = row.changed = now
    session.flush()
    for row in rows:
        record_change(session, KIND, row.public_id)


def apply_enrolment(session: Session, public_id: UUID, described: Mapping[str, Any]) -> None:
    """Take over an enrolment from another node, as ``describe_enrolment`` wrote it there."""
    row = session.scalars(select(Enrolment).where(Enrolment.public_id == public_id)).one_or_none()
    if row is None:
        row = Enrolment(
            public_id=public_id,
            person=UUID(described["person"]),
            course=UUID(described["course"]),
            registration=UUID(described["registration"]),
            made=datetime.fromisoformat(described["made"]),
            made_by=UUID(described["made_by"]) if described["made_by"] else None,
        )
        session.add(row)
    row.due = date.fromisoformat(described["due"]) if described["due"] else None
    row.withdrawn = datetime.fromisoformat(described["withdrawn"]) if described["withdrawn"] else None
    row.provisional = bool(described["provisional"])
    row.changed = datetime.fromisoformat(described["changed"])
    session.flush()
