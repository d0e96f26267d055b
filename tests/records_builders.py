"""A whole node whose record store holds something, and the people who look at it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from starlette.testclient import TestClient

from lms.app import ServingNode, build_front, build_worker
from lms.database import Database
from lms.launch.statements import learner
from lms.node import utc_now
from lms.nodes.local import make_identity
from lms.people.actions import create_person
from lms.people.sessions import open_session
from lms.people.tables import PasswordCost
from lms.records.export import JOB
from lms.settings import Settings
from lms.web.cookies import SESSION, cookie_name
from tests.xapi_builders import AUTHORITY, a_statement
from xapi_store.attachments import Part
from xapi_store.ingest import store_statements


@dataclass
class Records:
    """A node, and its pages and record store as somebody sees them."""

    node: ServingNode
    app: Any

    @property
    def database(self) -> Database:
        return self.node.database

    def person(
        self, number: str, *, name: str = "", role: str = "officer", locale: str | None = None
    ) -> UUID:
        public_id = uuid4()
        with self.database.write() as session:
            create_person(
                session,
                public_id=public_id,
                personnel_number=number,
                name=name or f"Name of {number}",
                roles=[role],
                password_hash=None,
                locale=locale,
                now=utc_now(),
                grants_travel=True,
            )
        return public_id

    def client(self, role: str = "hub_admin", *, locale: str | None = None) -> TestClient:
        person = self.person(str(uuid4()), role=role, locale=locale)
        with self.database.write() as session:
            cookie = open_session(session, person, now=utc_now())
        cookies = {cookie_name(self.node.site, SESSION): cookie}
        return TestClient(self.app, base_url="http://localhost:8000", follow_redirects=False, cookies=cookies)

    def store(
        self, *statements: dict[str, Any], parts: Sequence[Part] = (), now: datetime | None = None
    ) -> list[UUID]:
        with self.database.write() as session:
            return store_statements(
                session, statements, authority=AUTHORITY, now=now or utc_now(), parts=parts
            )

    def run_exports(self) -> None:
        """Do what the worker would do, until nothing is left."""
        worker = build_worker(self.node)
        while worker.run_job(JOB):
            pass


@contextmanager
def some_records(database: Database, folder: Path) -> Iterator[Records]:
    """Give a node on a database that has its tables."""
    folder.mkdir(exist_ok=True)
    url = database.url.render_as_string(hide_password=False)
    node = ServingNode(Settings(data=folder, database_url=url))
    with node.database.write() as session:
        make_identity(session, folder, name="Post 4", role="hub")
        session.add(PasswordCost(id=1, memory_kib=8, time=1))  # nobody signs in by a password here
    yield Records(node=node, app=build_front(node))
    node.close()


def by_officer(person: UUID, **changes: Any) -> dict[str, Any]:
    return a_statement(actor=learner(person), **changes)
