"""``lms demo``: people, a group, courses and enrolments to look around with, made by this project."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID, uuid4

import typer
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.cli.console import Data, Json, fail, print_json, show_rows
from lms.cli.opening import opened
from lms.courses.tables import Course, CourseImport
from lms.demo import packages
from lms.enrolment.actions import enrol
from lms.node import Node, utc_now
from lms.people.actions import create_group, create_person, set_membership
from lms.people.policy import PersonRole
from lms.people.queries import person_signing_in
from lms.people.tables import Group

app = typer.Typer()

PASSWORD = "outpost-demo"  # noqa: S105 - printed for everybody to see; a demo holds nobody's records
PEOPLE = (
    ("officer", "Amina Diallo", "en", (PersonRole.OFFICER,)),
    ("officer-ar", "ليلى حداد", "ar", (PersonRole.OFFICER,)),
    ("instructor", "Daniel Okoro", "en", (PersonRole.OFFICER, PersonRole.INSTRUCTOR)),
    ("hub", "Sofia Petrova", "en", (PersonRole.OFFICER, PersonRole.HUB_ADMIN)),
    ("centre", "Chann Sok", "en", (PersonRole.OFFICER, PersonRole.CENTRAL_ADMIN)),
)
COURSES = {
    "human-rights": packages.scorm2004_single_sco,
    "human-rights-ar": lambda: packages.scorm2004_single_sco("ar"),
    "vehicle-search": packages.scorm12_many_scos,
}
ENROLLED = {
    "officer": ("human-rights", "vehicle-search"),
    "officer-ar": ("human-rights-ar", "vehicle-search"),
}
_GROUP = "First shift"


@app.command()
def demo(data: Data = None, as_json: Json = False) -> None:
    """Fill the node with people, courses and enrolments to look around with. Safe to repeat."""
    with opened(data) as node:
        people = _make_people(node)
        courses = {name: _import(node, name) for name in COURSES}
        with node.database.write() as session:
            _enrol(session, node, {name: course.public_id for name, course in courses.items()})
    made = [{"id": str(course.public_id), "title": course.title} for course in courses.values()]
    if as_json:
        print_json({"people": people, "courses": made})
        return
    show_rows(people, as_json=False, empty="")
    show_rows(made, as_json=False, empty="")


def _make_people(node: Node) -> list[dict[str, str]]:
    kept = node.passwords.hash(PASSWORD)
    with node.database.write() as session:
        for number, name, locale, roles in PEOPLE:
            if person_signing_in(session, number) is None:
                create_person(
                    session,
                    public_id=uuid4(),
                    personnel_number=number,
                    name=name,
                    roles=roles,
                    password_hash=kept,
                    locale=locale,
                    now=utc_now(),
                    grants_travel=node.duties.grants_travel,
                )
    return [{"user": number, "password": PASSWORD, "role": roles[-1].value} for number, _, _, roles in PEOPLE]


def _import(node: Node, name: str) -> Course:
    """Return a demo course, imported unless it is there already."""
    file_name = f"outpost-demo-{name}.zip"
    found = _imported(node, file_name)
    if found is None:
        with tempfile.TemporaryDirectory() as folder:
            package = Path(folder) / file_name
            package.write_bytes(COURSES[name]())
            node.importer.import_file(package, by=None, publish_it=True)
        found = _imported(node, file_name)
    if found is None:
        fail(f"The demo course {name} was refused; `lms import` on its package says why.")
    return found


def _imported(node: Node, file_name: str) -> Course | None:
    made = select(Course).join(CourseImport, CourseImport.course == Course.public_id)
    with node.database.read() as session:
        query = made.where(CourseImport.file_name == file_name, Course.deleted.is_(None)).limit(1)
        return session.scalars(query).first()


def _enrol(session: Session, node: Node, courses: Mapping[str, UUID]) -> None:
    now = utc_now()
    group = session.scalars(select(Group).where(Group.name == _GROUP)).first()
    if group is None:
        group = create_group(session, public_id=uuid4(), name=_GROUP, now=now)
    for number, names in ENROLLED.items():
        person = person_signing_in(session, number)
        if person is None:
            continue
        set_membership(session, group_id=group.public_id, person_id=person.public_id, active=True, now=now)
        for name in names:
            enrol(
                session,
                courses[name],
                [person.public_id],
                by=None,
                now=now,
                new_id=uuid4,
                provisional=not node.duties.grants_travel,
            )
