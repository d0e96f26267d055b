"""A school after a good year: many officers, many courses, and the records that came of them.

Everything is made by the program's own actions, so that pages find what they would find in the field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import orjson
from sqlalchemy.orm import Session

from content_packages.intake import read_package
from content_packages.sequencing.event import Request
from lms.app import ServingNode
from lms.courses.actions import add_edition, publish
from lms.demo.packages import scorm12_many_scos, scorm2004_many_scos
from lms.enrolment.actions import enrol
from lms.enrolment.queries import find_enrolment
from lms.launch.actions import Commit, apply_commit, carry_out, deliver
from lms.launch.course import Taking, open_course
from lms.nodes.actions import invite, join, sync_with
from lms.people.actions import create_group, create_person, set_membership
from lms.people.sessions import open_session
from lms.progress.actions import advance
from lms.web.cookies import SESSION, cookie_name
from sync.engine import SyncReport
from tests.nodes_builders import a_small_node, answering
from xapi_store.feed import statements_after

GIVEN = ("Amina", "Tomás", "Chann", "Sofia", "Grace", "Kwame", "Leila", "Nuru", "Zoe", "Farid", "Ama", "Ivo")
FAMILY = ("Diallo", "Okoro", "Sok", "Petrova", "Mwangi", "Haddad", "Banda", "Ruiz", "Osei", "Nguyen", "Juma")
DUE = date(2026, 12, 1)
YEAR_BEGAN = datetime(2026, 1, 12, 8, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """How much there is.

    Attributes:
        people: officers; all of them take the first course.
        begun: how many of them have worked through a unit of it.
        courses: the first has as many units as *units* says, the others four.
        taken: how many of the courses the first officer takes.
    """

    people: int
    begun: int
    courses: int
    taken: int
    groups: int = 2
    units: int = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class LargeSchool:
    """Whom and what to ask for; the first officer is half through the first course."""

    officers: Sequence[UUID]
    instructor: UUID
    group: UUID
    courses: Sequence[UUID]
    edition: UUID  # of the first course
    statement: UUID  # the first one that was stored


def fill(node: ServingNode, folder: Path, size: Size) -> LargeSchool:
    """Fill an empty node; packages are written to *folder* on their way in."""
    courses, edition = _make_courses(node, folder, size)
    with node.database.write() as session:
        officers = [_make_person(session, n) for n in range(size.people)]
        instructor = _make_person(
            session, size.people, "instructor", "hub_admin"
        )  # looks after the node, too
        for n in range(size.groups):
            group = create_group(session, public_id=uuid4(), name=f"Shift {n + 1}", now=YEAR_BEGAN).public_id
            for officer in officers[n :: size.groups]:
                set_membership(session, group_id=group, person_id=officer, active=True, now=YEAR_BEGAN)
        for place, course in enumerate(courses):
            people = officers if place == 0 else officers[: place < size.taken]
            due = DUE + timedelta(days=place) if place % 3 == 0 else None
            enrol(session, course, people, by=instructor, now=YEAR_BEGAN, new_id=uuid4, due=due)
    for officer in officers[1 : size.begun]:
        learn(node, officer, courses[0], units=1)
    learn(node, officers[0], courses[0], units=size.units // 2)
    stop(node, officers[0], courses[0])
    for course in courses[1 : size.taken : 2]:
        learn(node, officers[0], course, units=2)
    read_feed(node)
    with node.database.read() as session:
        (first,) = statements_after(session, 0, limit=1)
    return LargeSchool(
        officers=officers,
        instructor=instructor,
        group=group,
        courses=courses,
        edition=edition,
        statement=first.statement_id,
    )


def learn(node: ServingNode, officer: UUID, course: UUID, *, units: int) -> None:
    """Have an officer pass the next units of a course, one transaction for each."""
    for _ in range(units):
        with node.database.write() as session:
            taking, now = _taking(session, node, officer, course), datetime.now(UTC)
            delivered = deliver(session, node.desk, taking, now=now)
            assert delivered is not None
            values = _PASSED_12 if taking.opened.is_scorm12 else _PASSED_2004
            commit = Commit(
                sequence=1, values=values, reason="terminate", phase="terminated", session_time_s=600
            )
            apply_commit(session, node.desk, delivered.launch, commit, orjson.dumps(values), now=now)
            further = _taking(session, node, officer, course)
            carry_out(session, node.desk, further, Request.CONTINUE, now=now)


def stop(node: ServingNode, officer: UUID, course: UUID) -> None:
    """Have an officer stop for now."""
    with node.database.write() as session:
        taking = _taking(session, node, officer, course)
        carry_out(session, node.desk, taking, Request.SUSPEND_ALL, now=datetime.now(UTC))


def read_feed(node: ServingNode) -> None:
    """Bring the read model of progress up to date, as the worker does."""
    more = True
    while more:
        with node.database.write() as session:
            more = advance(session)


@contextmanager
def joined(node: ServingNode, folder: Path) -> Iterator[Callable[[], SyncReport]]:
    """Pair a node with a centre of its own; gives a function by which the two meet, until the block ends."""
    with a_small_node(folder, "central", "central") as centre, answering(centre) as address:
        with centre.database.write() as session:
            code = invite(session, centre.node, role="laptop")
        peer = join(node.sync, address, code).peer
        yield lambda: sync_with(node.sync, peer, address)


def pages(school: LargeSchool) -> dict[str, tuple[str, UUID]]:
    """Return pages by what they are called: the address, and who asks."""
    large, small = school.courses[0], school.courses[1]
    by_officer = {
        "home": "/",
        "outline": f"/courses/{large}",
        "player": f"/learn/{large}",
        "player, 4 units": f"/learn/{small}",
        "result": f"/learn/{large}/after",
        "account": "/account",
        "sync": "/sync-status",
    }
    by_instructor = {
        "courses": "/courses",
        "import": "/courses/import",
        "editions": f"/courses/{large}/editions",
        "report": f"/courses/{large}/editions/{school.edition}/report",
        "roster": f"/courses/{large}/people",
        "people": "/people",
        "a person": f"/people/{school.officers[0]}",
        "groups": "/groups",
        "a group": f"/groups/{school.group}",
        "records": "/records",
        "a statement": f"/records/{school.statement}",
        "validator": "/records/validate",
        "keys": "/records/keys",
    }
    return {name: (path, school.officers[0]) for name, path in by_officer.items()} | {
        name: (path, school.instructor) for name, path in by_instructor.items()
    }


def signed_in(node: ServingNode, person: UUID) -> tuple[str, str]:
    """Open a session; return name and value of its cookie."""
    with node.database.write() as session:
        return cookie_name(node.site, SESSION), open_session(session, person, now=datetime.now(UTC))


_PASSED_12 = {"cmi.core.lesson_status": "passed", "cmi.core.score.raw": "80", "cmi.core.lesson_location": "3"}
_PASSED_2004 = {
    "cmi.completion_status": "completed",
    "cmi.success_status": "passed",
    "cmi.score.scaled": "0.8",
    "cmi.location": "3",
}


def _taking(session: Session, node: ServingNode, officer: UUID, course: UUID) -> Taking:
    enrolment = find_enrolment(session, person=officer, course=course)
    assert enrolment is not None
    return open_course(
        session, node.shelf, person=officer, registration=enrolment.registration, course=course
    )


def _make_courses(node: ServingNode, folder: Path, size: Size) -> tuple[list[UUID], UUID]:
    large, small = folder / "large.zip", folder / "small.zip"
    large.write_bytes(scorm2004_many_scos(size.units))
    small.write_bytes(scorm12_many_scos(4))
    first = node.importer.import_file(large, by=None, publish_it=True)
    assert first.course is not None
    assert first.edition is not None
    courses = [first.course]
    report = read_package(small, node.shelf)
    assert report.package is not None
    assert report.digest is not None
    for n in range(1, size.courses):
        package = replace(report.package, title=f"{report.package.title}, part {n}")
        with node.database.write() as session:
            course, edition = add_edition(
                session, package, report.digest, report.to_json(), into=None, by=None, now=YEAR_BEGAN, new_id=uuid4
            )  # fmt: skip
            publish(session, node.shelf, edition.public_id, now=YEAR_BEGAN)
            courses.append(course.public_id)
    return courses, first.edition


def _make_person(session: Session, n: int, *roles: str) -> UUID:
    public_id = uuid4()
    name = f"{GIVEN[n % len(GIVEN)]} {FAMILY[n % len(FAMILY)]}"
    create_person(
        session, public_id=public_id, personnel_number=str(40_000 + n), name=name, roles=roles or ["officer"],
        password_hash=None, now=YEAR_BEGAN,
    )  # fmt: skip
    return public_id
