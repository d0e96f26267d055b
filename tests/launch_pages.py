"""The pages of one learner in one course, driven as a browser without JavaScript would."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.testclient import TestClient

from content_packages.package import Standard
from lms.database import Database
from lms.enrolment.errors import TROUBLES as ENROLMENT_TROUBLES
from lms.enrolment.tables import Enrolment
from lms.launch.actions import Desk
from lms.launch.errors import TROUBLES
from lms.launch.pages import router as launch_pages
from lms.reports.pages import router as reports_pages
from lms.web.cookies import SESSION, cookie_name
from lms.web.frame import frame
from lms.web.site import Chip, Site
from lms.web.viewer import Viewer
from tests.launch_builders import COURSE, NOON, PERSON, REGISTRATION, a_course

ALONE = Chip(state="alone")
ASSETS = dict.fromkeys(("app.css", "player.css", "page.js", "site.js"), "/static/x")


@contextmanager
def pages_of_a_course(
    database: Database,
    desk: Desk,
    uploads: Path,
    *,
    standard: Standard,
    viewer: Viewer,
    now: datetime = NOON,
    routers: Sequence[APIRouter] = (),
    line: Chip = ALONE,
    **course: Any,
) -> Iterator[TestClient]:
    """Publish a course, enrol the learner, and serve its pages to *viewer*, who is signed in.

    *course* is what :func:`tests.launch_builders.a_course` may be told besides.
    """
    site = Site(
        database=database, now=lambda: now, public_url="http://localhost:8000", content_url="http://localhost:8001",
        secret=b"s" * 32, node_name="Post 7", shelf=desk.shelf, uploads=uploads, assets=ASSETS,
        chip=lambda _session, _now: line, recognise=lambda _database, _session, _now: viewer,
    )  # fmt: skip
    with database.write() as session:
        a_course(session, desk.shelf, standard=standard, **course)
        session.add(
            Enrolment(
                public_id=REGISTRATION, person=PERSON, course=COURSE, registration=REGISTRATION, made=NOON
            )
        )
    app = FastAPI()
    for router in (launch_pages, reports_pages, *routers):
        app.routes.extend(router.routes)
    app.state.desk = desk
    frame(app, site, host_names=["localhost"], troubles=[TROUBLES, ENROLMENT_TROUBLES])
    with TestClient(app, base_url="http://localhost:8000") as client:
        client.cookies.set(cookie_name(site, SESSION), "open")
        yield client


def press(browser: TestClient, page: str, **fields: str) -> Any:
    """Use a control of a player page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return browser.post(f"/learn/{COURSE}/go", data={"csrf_token": found[1], **fields})
