"""The pages of a node with people signed in, without a server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from fastapi import FastAPI
from sqlalchemy import event
from starlette.testclient import TestClient

from content_packages.shelf import Shelf
from lms.courses.api import router as courses_api
from lms.courses.errors import TROUBLES as COURSE_TROUBLES
from lms.courses.importing import Importer
from lms.courses.pages import router as courses_pages
from lms.courses.pages import uploading
from lms.courses.subjects import load_subjects
from lms.courses.uploads_api import router as uploads_api
from lms.database import Database
from lms.editions.api import router as editions_api
from lms.editions.pages import router as edition_pages
from lms.enrolment.errors import TROUBLES as ENROLMENT_TROUBLES
from lms.enrolment.pages import router as enrolment_pages
from lms.forwarding.errors import TROUBLES as FORWARDING_TROUBLES
from lms.forwarding.pages import router as forwarding_pages
from lms.people.actions import create_person
from lms.people.sessions import open_session, recognise
from lms.people.troubles import TROUBLES as PEOPLE_TROUBLES
from lms.reports.pages import router as reports_pages
from lms.web.cookies import SESSION, cookie_name
from lms.web.frame import frame
from lms.web.site import Chip, Site


@dataclass
class School:
    """A node with courses, enrolments and their pages."""

    database: Database
    site: Site
    importer: Importer
    app: FastAPI

    def person(self, number: str, *, role: str = "officer", name: str = "") -> UUID:
        public_id = uuid4()
        with self.database.write() as session:
            create_person(
                session,
                public_id=public_id,
                personnel_number=number,
                name=name or number,
                roles=[role],
                password_hash=None,
                now=self.site.now(),
                grants_travel=True,
            )
        return public_id

    def signed_in(self, person: UUID) -> TestClient:
        with self.database.write() as session:
            cookie = open_session(session, person, now=self.site.now())
        return TestClient(
            self.app,
            base_url="http://localhost:8000",
            follow_redirects=False,
            cookies={cookie_name(self.site, SESSION): cookie},
        )

    def client(self, role: str) -> TestClient:
        return self.signed_in(self.person(f"{role}-{uuid4()}", role=role))


def a_school(database: Database, folder: Path) -> School:
    def now() -> datetime:
        return datetime.now(UTC)

    (folder / "uploads").mkdir()
    shelf = Shelf(folder / "shelf")
    site = Site(
        database=database,
        now=now,
        public_url="http://localhost:8000",
        content_url="http://localhost:8001",
        secret=b"s" * 32,
        node_name="Post 4",
        shelf=shelf,
        uploads=folder / "uploads",
        assets={"app.css": "/static/app.css", "site.js": "/static/site.js"},
        chip=lambda _session, _now: Chip(state="alone"),
        recognise=recognise,
    )
    importer = Importer(database=database, shelf=shelf, uploads=site.uploads, now=now, new_id=uuid4)
    app = FastAPI()
    app.state.importer = importer
    app.state.subjects = load_subjects(importer.uploads)  # which brings no words of its own
    for router in (
        courses_api,
        uploads_api,
        uploading,
        courses_pages,
        editions_api,
        edition_pages,
        enrolment_pages,
        reports_pages,
        forwarding_pages,
    ):
        app.routes.extend(router.routes)
    troubles = [PEOPLE_TROUBLES, COURSE_TROUBLES, ENROLMENT_TROUBLES, FORWARDING_TROUBLES]
    frame(app, site, host_names=["localhost"], troubles=troubles)
    return School(database=database, site=site, importer=importer, app=app)


def token(client: TestClient, path: str) -> dict[str, str]:
    """Return the CSRF field of a form on a page."""
    found = re.search(r'name="csrf_token" value="(\w+)"', client.get(path).text)
    assert found is not None
    return {"csrf_token": found[1]}


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Collect the queries made inside the block on connections it opens, as the driver sees them.

    So those that go past SQLAlchemy are among them (``xapi_store.tables.prepared``). What belongs to the connection
    itself is left out: ``BEGIN``, ``PRAGMA`` and the like.
    """
    made: list[str] = []
    watched: list[Any] = []
    is_over = False

    def note(statement: str) -> None:
        if not is_over and statement.lstrip().startswith(_QUERIES):
            made.append(statement)

    class Noting(psycopg.Cursor[Any]):
        def execute(self, query: Any, *given: Any, **more: Any) -> Any:
            note(query)
            return super().execute(query, *given, **more)

        def executemany(self, query: Any, *given: Any, **more: Any) -> None:
            note(query)
            super().executemany(query, *given, **more)

    def watch(driver: Any, *_rest: object) -> None:
        watched.append(driver)
        if database.is_sqlite:
            driver.set_trace_callback(note)
        else:
            driver.cursor_factory = Noting

    event.listen(database.engine, "checkout", watch)
    try:
        yield made
    finally:
        is_over = True
        event.remove(database.engine, "checkout", watch)
        for driver in watched:
            # SQLite keeps its callback: to take it away from a connection at which another thread is at work would wait
            # for that, with the interpreter in hand, and the callback there waits for the interpreter.
            if not database.is_sqlite:
                driver.cursor_factory = psycopg.Cursor


_QUERIES = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
