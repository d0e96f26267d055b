"""Put courses, people and enrolments together for pages; the number of queries never grows with the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, exists, func, select
from sqlalchemy.orm import Session

from lms.cmi5.registrations import edition_begun as edition_registered
from lms.courses.iris import unit_iri
from lms.courses.queries import (
    LINES,
    CourseLine,
    current_edition,
    find_edition,
    line_of,
    units_in,
    withdrawn_editions,
)
from lms.courses.tables import Course, Edition
from lms.enrolment.queries import in_force
from lms.enrolment.tables import Enrolment
from lms.launch.course import edition_begun
from lms.launch.queries import LastLaunch, last_launches
from lms.people.names import plain
from lms.people.tables import Membership, Person
from lms.progress.queries import KNOWN, Known, Status, progress_of, progress_of_person, status
from lms.progress.tables import Progress
from lms.reports.standing import Standing, standing_of
from lms.web.paging import ROWS, Page, first_row
from sync.node import names_of

_AT_ONCE = 5000  # registrations asked for in one query; databases bound the number of values


@dataclass(frozen=True, kw_only=True, slots=True)
class CourseTaken:
    """A course somebody takes."""

    course: CourseLine
    registration: UUID
    due: date | None
    standing: Standing


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where somebody is in a course of several units: which of them, and what it is called."""

    number: int
    count: int
    title: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RosterLine:
    """Somebody who takes a course; what she reached in an edition that was withdrawn is under review."""

    person: UUID
    name: str
    personnel_number: str
    registration: UUID
    due: date | None
    standing: Standing
    under_review: bool


def courses_taken(session: Session, person: UUID) -> Sequence[CourseTaken]:
    """Return what a person takes, first what is due; deleted courses are left out.

    What she did on this node a moment ago counts already, though progress has not read it yet.
    """
    known = progress_of_person(session, person)
    launches = last_launches(session, person)
    return [
        CourseTaken(
            course=line_of(row),
            registration=row.registration,
            due=row.due,
            standing=_with_launch(
                standing_of(known.get(row.registration, {}), row.public_id), launches.get(row.registration)
            ),
        )
        for row in session.connection().execute(_TAKEN, {"person": person})
    ]


_TAKEN = (
    LINES.join(Enrolment, Enrolment.course == Course.public_id)
    .add_columns(Enrolment.registration, Enrolment.due)
    .where(Enrolment.person == bindparam("person"), in_force())
    .order_by(Enrolment.due.is_(None), Enrolment.due, Enrolment.made.desc(), Enrolment.id)
)


def edition_of(session: Session, course: Course, *, person: UUID, registration: UUID) -> Edition | None:
    """Return the edition somebody takes: the one she began with, or else the one learners are given now."""
    given = current_edition(session, course)
    begun = _begun(session, person, registration, course.public_id) if given else None
    return (find_edition(session, begun) if begun else None) or given


def _begun(session: Session, person: UUID, registration: UUID, course: UUID) -> UUID | None:
    return edition_begun(
        session, person=person, registration=registration, course=course
    ) or edition_registered(session, registration)


def place_in(session: Session, person: UUID, taken: CourseTaken) -> Place | None:
    """Return where somebody is in a course she has begun; ``None`` where the course is one unit."""
    edition = _begun(session, person, taken.registration, taken.course.public_id)
    units = units_in(session, edition) if edition else ()
    for number, (unit, title) in enumerate(units, 1):
        if len(units) > 1 and unit_iri(taken.course.public_id, unit) == taken.standing.unit:
            return Place(number=number, count=len(units), title=title)
    return None


def unit_standings(session: Session, registration: UUID) -> Mapping[str, Standing]:
    """Return how the units of a registration stand, by their IRI."""
    known = progress_of(session, [registration]).get(registration, {})
    return {
        iri: Standing(
            status=status(row),
            score=row.score,
            seconds=row.seconds,
            learning_seconds=row.learning_seconds,
            last=row.last,
            node=row.node,
        )
        for iri, row in known.items()
    }


def roster_page(
    session: Session, course: UUID, *, group: UUID | None = None, search: str = "", number: int = 1
) -> Page[RosterLine]:
    """Return one page of those who take a course, by name."""
    people = _WHO_TAKES
    if search:
        people = people.where(Person.search_key.contains(plain(search), autoescape=True))
    if group is not None:
        members = select(Membership.person_id).where(Membership.group_id == group, Membership.active)
        people = people.where(Person.public_id.in_(members))
    counted, paged = _EVERYBODY if people is _WHO_TAKES else _roster(people)
    rows = session.connection()
    asked = {"course": course, "first": first_row(number)}
    total = rows.scalar(counted, asked) or 0
    people_found: dict[UUID, tuple[UUID, str, str, date | None]] = {}
    known: dict[UUID, dict[str, Known]] = {}
    for person, name, personnel_number, registration, due, *progress in rows.execute(paged, asked):
        people_found[registration] = person, name, personnel_number, due
        about = known.setdefault(registration, {})
        if progress[0] is not None:
            row = Known(*progress)
            about[row.activity] = row
    reviewed = _reviewed(session, course)
    names = names_of(session, {row.node for units in known.values() for row in units.values() if row.node})
    lines = [
        RosterLine(
            person=person,
            name=name,
            personnel_number=personnel_number,
            registration=registration,
            due=due,
            standing=_with_name(standing_of(known[registration], course), names),
            under_review=bool(known[registration]) and reviewed(person, registration),
        )
        for registration, (person, name, personnel_number, due) in people_found.items()
    ]
    return Page(rows=lines, number=max(number, 1), total=total)


def is_under_review(session: Session, course: UUID, *, person: UUID, registration: UUID) -> bool:
    """Say whether somebody's results come from an edition that was withdrawn."""
    return _reviewed(session, course)(person, registration)


def _reviewed(session: Session, course: UUID) -> Callable[[UUID, UUID], bool]:
    """Return what says so of somebody. An edition that is not known, of another node, may be a withdrawn one."""
    withdrawn = set(session.scalars(withdrawn_editions(course)))
    if not withdrawn:
        return lambda _person, _registration: False
    return lambda person, registration: _begun(session, person, registration, course) in {*withdrawn, None}


def _roster(people: Select[UUID]) -> tuple[Select[int], Any]:
    """Return the statements that count these people and read one page of them, with what is known of each.

    Whose page it is is found first, by as little as that takes: a course may have thousands.
    """
    counted = (
        select(func.count(Enrolment.person.distinct())).where(
            Enrolment.course == bindparam("course"), Enrolment.withdrawn.is_(None)
        )
        if people is _WHO_TAKES  # without a look at each of them
        else select(func.count()).select_from(people.subquery())
    )
    by_name = (Person.sort_key, Person.public_id)
    shown = people.order_by(*by_name).offset(bindparam("first")).limit(ROWS)
    paged = (
        select(
            Person.public_id,
            Person.display_name,
            Person.personnel_number,
            Enrolment.registration,
            Enrolment.due,
            *KNOWN,
        )
        .join(Enrolment, Enrolment.person == Person.public_id)
        .outerjoin(Progress, Progress.registration == Enrolment.registration)
        .where(Person.public_id.in_(shown), Enrolment.course == bindparam("course"), in_force())
        .order_by(*by_name)
    )
    return counted, paged


_WHO_TAKES = select(Person.public_id).where(
    exists().where(
        Enrolment.person == Person.public_id,
        Enrolment.course == bindparam("course"),
        Enrolment.withdrawn.is_(None),
    )
)
_EVERYBODY = _roster(_WHO_TAKES)


def progress_report(session: Session) -> list[dict[str, str | float | int | None]]:
    """Return how everybody stands in everything, as plain rows for CSV or JSON: by course, then by name."""
    query = select(Enrolment, Person, Course).join(Person, Person.public_id == Enrolment.person)
    query = query.join(Course, Course.public_id == Enrolment.course).where(
        in_force(), Course.deleted.is_(None)
    )
    found = session.execute(query.order_by(Course.title, Course.id, Person.sort_key, Person.public_id)).all()
    known: dict[UUID, Mapping[str, Known]] = {}
    for start in range(0, len(found), _AT_ONCE):
        asked = [enrolment.registration for enrolment, _person, _course in found[start : start + _AT_ONCE]]
        known |= progress_of(session, asked)
    return [
        _report_row(
            enrolment, person, course, standing_of(known.get(enrolment.registration, {}), course.public_id)
        )
        for enrolment, person, course in found
    ]


def _with_launch(standing: Standing, launch: LastLaunch | None) -> Standing:
    if launch is None or (standing.last is not None and launch.last_seen < standing.last):
        return standing
    status: Status = "in progress" if standing.status == "not started" else standing.status
    return replace(standing, status=status, last=launch.last_seen, unit=unit_iri(launch.course, launch.unit))


def _with_name(standing: Standing, names: Mapping[str, str]) -> Standing:
    """Name the node people know by name; one whose certificate never came here stays an identifier."""
    name = names.get(standing.node or "")
    return standing if name is None else replace(standing, node=name)


def _report_row(
    enrolment: Enrolment, person: Person, course: Course, standing: Standing
) -> dict[str, str | float | int | None]:
    return {
        "course": course.title,
        "course_id": str(course.public_id),
        "personnel_number": person.personnel_number,
        "name": person.display_name,
        "status": standing.status,
        "score": standing.score,
        "seconds": standing.seconds,
        "learning_seconds": standing.learning_seconds,
        "last": standing.last.isoformat() if standing.last else None,
        "node": standing.node,
        "due": enrolment.due.isoformat() if enrolment.due else None,
        "registration": str(enrolment.registration),
    }
