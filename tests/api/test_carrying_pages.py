"""The pages on which courses are assigned to nodes, removed from this one, and had again."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from lms.carrying.lacks import LackTold, NoRoom, take_lack
from lms.carrying.queries import find_assignment
from lms.courses.errors import TROUBLES as COURSE_TROUBLES
from lms.nodes.carrying_pages import TROUBLES, router
from lms.nodes.pages import TROUBLES as NODE_TROUBLES
from lms.nodes.pages import router as node_router
from lms.nodes.queries import chip
from lms.people.sessions import open_session, recognise
from lms.people.troubles import TROUBLES as PEOPLE_TROUBLES
from lms.web.cookies import SESSION, cookie_name
from lms.web.frame import frame
from lms.web.site import Site
from tests.nodes_builders import Place, answering, meet, pair


def client(place: Place, *roles: str) -> TestClient:
    """Return a browser of somebody with these roles on this node."""
    app = FastAPI()
    app.state.sync = place.node
    app.routes.extend([*router.routes, *node_router.routes])
    site = Site(
        database=place.database,
        now=lambda: datetime.now(UTC),
        public_url="http://localhost:8000",
        content_url="http://localhost:8001",
        secret=b"s" * 32,
        node_name="Post 4",
        shelf=place.shelf,
        uploads=place.folder,
        assets={"app.css": "/static/app.css", "site.js": "/static/site.js"},
        chip=lambda session, _now: chip(session, place.node),
        recognise=recognise,
    )
    troubles = [PEOPLE_TROUBLES, COURSE_TROUBLES, NODE_TROUBLES, TROUBLES]
    frame(app, site, host_names=["localhost"], troubles=troubles)
    person = place.person(f"P-{uuid4()}", roles=roles)
    with place.database.write() as session:
        cookie = open_session(session, person, now=site.now())
    return TestClient(app, base_url="http://localhost:8000", cookies={cookie_name(site, SESSION): cookie})


def send(browser: TestClient, path: str, **fields: str | list[str]) -> tuple[int, str]:
    token = re.search(r'name="csrf_token" value="(\w+)"', browser.get("/sync-status").text)
    assert token is not None
    answer = browser.post(path, data={"csrf_token": token[1], **fields})
    return answer.status_code, answer.text


@pytest.fixture
def course(laptop: Place, centre: Place) -> UUID:
    """A course of the centre that is on the laptop."""
    course = centre.course("Passports", text="Long" * 500, language="en")
    with answering(centre) as address:
        pair(laptop, centre, address)
        meet(laptop, address)
    return course


def test_the_centre_says_what_comes_to_a_node_and_reads_it_again(
    laptop: Place, centre: Place, course: UUID
) -> None:
    browser, path = client(centre, "central_admin"), f"/sync-status/nodes/{laptop.node.id}/courses"

    status, chosen = send(browser, path, mode="chosen", courses=[str(course)])
    wrong, said = send(browser, path, mode="languages")
    listed = browser.get("/courses/assigned").text

    with centre.database.read() as session:
        row = find_assignment(session, laptop.node.id)
    assert status == 200
    assert re.search(rf'value="{course}" checked', chosen)
    assert (wrong, "Choose at least one language." in said) == (422, True)
    assert row is not None
    assert (row.mode, row.courses) == ("chosen", [str(course)])
    assert "1 course" in listed
    assert path in listed


def test_a_node_below_only_says_who_decides(laptop: Place, course: UUID, centre: Place) -> None:
    browser = client(laptop, "hub_admin")

    page = browser.get("/courses/assigned").text
    status, said = send(
        browser, f"/sync-status/nodes/{centre.node.id}/courses", mode="chosen", courses=[str(course)]
    )

    assert "The centre decides that." in page
    assert 'name="mode"' not in page
    assert status == 409
    assert "does not decide which courses go where" in said


@pytest.mark.parametrize("path", ["/courses/here", "/courses/assigned"])
def test_only_who_manages_nodes_may_look(laptop: Place, path: str) -> None:
    assert client(laptop, "instructor").get(path).status_code == 403


def test_a_course_is_removed_with_one_press_and_had_again_with_another(laptop: Place, course: UUID) -> None:
    browser = client(laptop, "hub_admin")
    before = browser.get("/courses/here").text

    _, removed = send(browser, "/courses/here/remove", course=str(course))
    _, back = send(browser, "/courses/here/fetch", course=str(course))

    assert "Nobody here takes it" in before
    assert "“Passports” is no longer on this computer." in removed
    assert "are freed within a day" in removed  # it came a moment ago
    assert "Removed here" in removed
    assert "“Passports” is on this computer." in back


def test_what_was_made_here_and_is_nowhere_else_cannot_be_removed(laptop: Place) -> None:
    course = laptop.course("Walk-ins")
    browser = client(laptop, "hub_admin")

    page = browser.get("/courses/here").text
    status, said = send(browser, "/courses/here/remove", course=str(course))

    assert "Made here and not at the centre yet; it stays" in page
    assert "/courses/here/remove" not in page
    assert (status, "may be nowhere else" in said) == (409, True)


def test_the_centre_sees_for_which_course_a_node_has_no_room(
    laptop: Place, centre: Place, course: UUID
) -> None:
    told = LackTold(
        needed=[], no_room=[NoRoom(course=course, bytes=3_000_000)], room=2_000_000, told=datetime.now(UTC)
    )
    with centre.database.write() as session:
        take_lack(session, laptop.node.id, told)
    browser = client(centre, "central_admin")

    node = browser.get(f"/sync-status/nodes/{laptop.node.id}").text
    page = browser.get(f"/sync-status/nodes/{laptop.node.id}/courses").text

    assert "No room for all courses" in node
    assert "needs 3 MB" in page
    assert "room for 2 MB" in page
    assert "Passports" in page
