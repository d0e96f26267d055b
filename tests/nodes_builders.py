"""Nodes with a directory, each with a database and a shelf, that meet over HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from fastapi import FastAPI
from sqlalchemy.orm import Session

from content_packages.shelf import Shelf
from lms.courses.actions import publish
from lms.courses.tables import Course, Edition
from lms.database import Database
from lms.enrolment.actions import enrol
from lms.enrolment.queries import registration_of
from lms.erasure.actions import PersonErasure
from lms.evidence.kept import StatementsKept
from lms.launch.actions import Delivered, apply_commit, deliver
from lms.launch.course import open_course
from lms.nodes.actions import invite, join, sync_with
from lms.nodes.local import make_identity, sync_node
from lms.people.actions import change_person, create_group, create_person, set_membership
from lms.people.tables import Person
from lms.retention.stream import RetentionStream
from lms.streams.attachments import AttachmentStream
from lms.streams.blobs import AllBlobs
from lms.streams.directory import DirectoryStream
from lms.streams.documents import DocumentStream
from lms.streams.lacks import LackStream
from lms.streams.presence import PeopleStream, PresenceStream
from lms.streams.statements import StatementStream
from sync.days import Days
from sync.engine import SyncReport
from sync.erasures import Confirmations, Erasures
from sync.identity import read_certificate, sign_paper
from sync.losses import Losses
from sync.messages import Role
from sync.node import Node, certificate_of, keep_certificate
from sync.renewal import DAY_MS, LIFE_MS
from sync.revocations import Revocations
from sync.server import create_app
from tests.conftest import fresh_schema
from tests.course_builders import a_scorm_file, an_edition
from tests.launch_builders import a_commit, a_desk
from tests.serving import serving


@dataclass
class Place:
    """One node of a test."""

    database: Database
    node: Node
    shelf: Shelf
    folder: Path
    attachments: Shelf
    peer: str = ""

    def person(self, number: str, *, name: str = "", roles: Sequence[str] = ("officer",)) -> UUID:
        public_id = uuid4()
        with self.database.write() as session:
            create_person(
                session,
                public_id=public_id,
                personnel_number=number,
                name=name or f"Name of {number}",
                roles=roles,
                password_hash=None,
                now=datetime.now(UTC),
                grants_travel=self.is_central,
            )
        return public_id

    def rename(self, session: Session, person: UUID, name: str) -> None:
        row = session.get_one(Person, person)
        change_person(
            session,
            row,
            personnel_number=row.personnel_number,
            name=name,
            roles=row.roles,
            disabled=False,
            now=datetime.now(UTC) + timedelta(milliseconds=1),
        )

    def course(self, title: str, *, text: str = "Hello", language: str = "") -> UUID:
        """Import and publish a course."""
        package = a_scorm_file(self.folder, name=f"{uuid4()}.zip", title=title, text=text, language=language)
        with self.database.write() as session:
            course, edition = an_edition(session, self.shelf, package)
            publish(session, self.shelf, edition.public_id, now=datetime.now(UTC))
            return course.public_id

    def enrol(self, person: UUID, course: UUID) -> None:
        with self.database.write() as session:
            enrol(session, course, [person], by=None, now=datetime.now(UTC), new_id=uuid4)

    def group(self, name: str, *members: UUID) -> UUID:
        public_id = uuid4()
        with self.database.write() as session:
            create_group(session, public_id=public_id, name=name, now=datetime.now(UTC))
            for member in members:
                set_membership(
                    session, group_id=public_id, person_id=member, active=True, now=datetime.now(UTC)
                )
        return public_id

    @property
    def is_central(self) -> bool:
        return self.folder.name.startswith("central")

    def find_person(self, public_id: UUID) -> Person | None:
        with self.database.read() as session:
            return session.get(Person, public_id)

    def find_course(self, public_id: UUID) -> tuple[Course | None, list[Edition]]:
        with self.database.read() as session:
            course = session.query(Course).filter_by(public_id=public_id).one_or_none()
            if course is None:
                return None, []
            return course, session.query(Edition).filter_by(course_id=course.id).all()


def a_place(database: Database, folder: Path, role: Role) -> Place:
    folder.mkdir()
    return a_place_again(database, folder, role)


def a_place_again(database: Database, folder: Path, role: Role) -> Place:
    """Open a node that may be there already: its folder, and its database."""
    with database.write() as session:
        key = make_identity(session, folder, name=f"The {role}", role=role)
    shelf, attachments = Shelf(folder / "shelf"), Shelf(folder / "attachments")
    directory = DirectoryStream(shelf, new_id=uuid4)
    streams = [
        Revocations(),
        Erasures(),
        Confirmations(),
        Days(),
        Losses(),
        PresenceStream(),
        StatementStream(),
        DocumentStream(),
        PeopleStream(),
        directory,
        LackStream(directory.wishes),
        AttachmentStream(attachments, shelf),
        RetentionStream(),
    ]
    erasure = PersonErasure(database, attachments=attachments, exports=folder / "exports")
    node = sync_node(
        database,
        key,
        folder,
        streams=streams,
        blobs=AllBlobs(shelf, attachments, leave_free=0, read=database.read),
        erasure=erasure,
        kept=StatementsKept(),
        wishes=directory.wishes,
    )
    return Place(database, node, shelf, folder, attachments)


@contextmanager
def a_small_node(folder: Path, name: str, role: Role) -> Iterator[Place]:
    """Give a laptop or a hub, on SQLite whatever the tests run on."""
    database = Database(f"sqlite:///{(folder / f'{name}.db').as_posix()}")
    fresh_schema(database)
    yield a_place(database, folder / name, role)
    database.close()


@contextmanager
def answering(place: Place) -> Iterator[str]:
    """Serve a node's sync until the block ends; gives its address."""
    app = FastAPI()
    app.mount("/sync", create_app(place.node))
    with serving(app) as address:
        yield address


def pair(below: Place, above: Place, address: str, *, role: Role = "laptop") -> None:
    with above.database.write() as session:
        code = invite(session, above.node, role=role)
    below.peer = join(below.node, address, code).peer


def meet(below: Place, address: str) -> SyncReport:
    return sync_with(below.node, below.peer, address)


def long_ago(*places: Place, node: str, admitted_by: Place) -> None:
    """Have a node been admitted fourteen months ago, as these places know it."""
    with admitted_by.database.read() as session:
        signed = certificate_of(session, node)
    assert signed is not None
    known = read_certificate(signed)
    past = known.issued_ms - 425 * DAY_MS
    aged = known.model_copy(update={"issued_ms": past, "expires_ms": past + LIFE_MS})
    for place in places:
        with place.database.write() as session:
            keep_certificate(session, sign_paper(admitted_by.node.key, aged))


def opens(place: Place, officer: UUID, course: UUID, *, status: str = "") -> Delivered:
    """Open the course on a node, and let the unit say something if *status* is given."""
    desk = replace(a_desk(place.folder), node=place.node.id, new_id=uuid4, new_token=lambda: str(uuid4()))
    now = datetime.now(UTC)
    with place.database.write() as session:
        registration = registration_of(session, person=officer, course=course)
        assert registration is not None
        taking = open_course(session, place.shelf, person=officer, registration=registration, course=course)
        delivered = deliver(session, desk, taking, now=now)
        assert delivered is not None
        if status:
            values = {"cmi.core.lesson_status": status, "cmi.core.exit": "suspend"}
            apply_commit(
                session,
                desk,
                delivered.launch,
                *a_commit(1, values, phase="terminated", reason="terminate"),
                now=now,
            )
        return delivered
