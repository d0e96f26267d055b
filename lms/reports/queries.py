"""Put courses, people and enrolments together for pages; the number of queries never grows with the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms.courses.queries import CourseLine, courses_by_id
from lms.enrolment.queries import enrolments_of, in_force
from lms.enrolment.tables import Enrolment
from lms.people.names import plain
from lms.people.tables import Membership, Person
from lms.progress.queries import progress_of, status
from lms.reports.standing import Standing, standing_of
from lms.web.paging import ROWS, Page, first_row


@dataclass(frozen=True, kw_only=True, slots=True)
class CourseTaken:
    """A course somebody takes."""

    course: CourseLine
    due: date | None
    standing: Standing


@dataclass(frozen=True, kw_only=True, slots=True)
class RosterLine:
    """Somebody who takes a course."""

    person: UUID
    name: str
    personnel_number: str
    registration: UUID
    due: date | None
    standing: Standing


def courses_taken(session: Session, person: UUID) -> Sequence[CourseTaken]:
    """Return what a person takes, first what is due; deleted courses are left out."""
    taken = enrolments_of(session, person)
    courses = courses_by_id(session, [row.course for row in taken])
    known = progress_of(session, [row.registration for row in taken])
    return [
        CourseTaken(
            course=courses[row.course],
            due=row.due,
            standing=standing_of(known.get(row.registration, {}), row.course),
        )
        for row in taken
        if row.course in courses
    ]


def unit_standings(session: Session, registration: UUID) -> Mapping[str, Standing]:
    """Return how the units of a registration stand, by their IRI."""
    known = progress_of(session, [registration]).get(registration, {})
    return {
        iri: Standing(status=status(row), score=row.score, seconds=row.seconds, last=row.last, node=row.node)
        for iri, row in known.items()
    }


def roster_page(
    session: Session, course: UUID, *, group: UUID | None = None, search: str = "", number: int = 1
) -> Page[RosterLine]:
    """Return one page of those who take a course, by name."""
    query = select(Enrolment, Person).join(Person, Person.public_id == Enrolment.person)
    query = query.where(Enrolment.course == course, in_force())
    if search:
        query = query.where(Person.search_key.contains(plain(search), autoescape=True))
    if group is not None:
        members = select(Membership.person_id).where(Membership.group_id == group, Membership.active)
        query = query.where(Person.public_id.in_(members))
    total = session.scalar(query.with_only_columns(func.count(), maintain_column_froms=True)) or 0
    ordered = query.order_by(Person.sort_key, Person.public_id).offset(first_row(number)).limit(ROWS)
    found = session.execute(ordered).all()
    known = progress_of(session, [enrolment.registration for enrolment, _person in found])
    rows = [
        RosterLine(
            person=person.public_id,
            name=person.display_name,
            personnel_number=person.personnel_number,
            registration=enrolment.registration,
            due=enrolment.due,
            standing=standing_of(known.get(enrolment.registration, {}), course),
        )
        for enrolment, person in found
    ]
    return Page(rows=rows, number=max(number, 1), total=total)
