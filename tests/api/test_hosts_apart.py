"""Pages and courses keep apart on every pair of hosts, so that nobody takes one host for enough.

Measured in a browser: cookies ignore ports. So a session comes along to a course's port where both are at one
address, and a course there asks for changes with it. Here is what the servers make of such requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from lms.app import ServingNode, build_front
from lms.content.app import ContentSite, OwnHosts
from lms.node import utc_now
from lms.nodes.local import make_identity
from lms.people.actions import create_person
from lms.people.policy import PersonRole
from lms.settings import Settings

pytestmark = pytest.mark.one_database

OWN = "10.0.0.5"


class ArrivesAt:
    """The front as a socket at an address gives it requests: the port is that of the Host."""

    def __init__(self, front: ASGIApp, address: str, port: int) -> None:
        self.front, self.server = front, (address, port)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.front({**scope, "server": self.server}, receive, send)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServingNode]:
    data = tmp_path_factory.mktemp("hub")
    made = ServingNode(Settings(data=data, role="hub", host="0.0.0.0", content_ports=4))
    made.database.upgrade()
    hashed = made.passwords.hash("nine-words-for-tests")
    with made.database.write() as session:
        make_identity(session, data, name="Room 2", role="hub")
        create_person(
            session, public_id=uuid4(), personnel_number="4711", name="4711", roles=[PersonRole.HUB_ADMIN],
            password_hash=hashed, now=utc_now(),
        )  # fmt: skip
    yield made
    made.close()


@pytest.fixture(scope="module")
def front(node: ServingNode) -> ASGIApp:
    return build_front(node)


def at(front: ASGIApp, host: str, port: int, *, arrives: str = OWN) -> TestClient:
    return TestClient(
        ArrivesAt(front, arrives, port), base_url=f"http://{host}:{port}", follow_redirects=False
    )


def form(browser: TestClient) -> dict[str, str]:
    page = browser.get("/sign-in")
    assert page.status_code == 200
    return {"csrf_token": page.text.partition('name="csrf_token" value="')[2].partition('"')[0]}


def signed_in(front: ASGIApp) -> TestClient:
    browser = at(front, OWN, 8000)
    said = {"personnel_number": "4711", "password": "nine-words-for-tests", **form(browser)}
    assert browser.post("/sign-in", data=said, headers={"origin": f"http://{OWN}:8000"}).status_code == 303
    return browser


@pytest.mark.parametrize(
    "host", ["10.0.0.6", "evil.example", "127.0.0.1", "k1.localhost", "hub.local.evil.example"]
)
def test_no_listener_answers_to_a_strange_name(front: ASGIApp, host: str) -> None:
    for port in (8000, 8001, 8002):
        answer = at(front, host, port).get("/rt/token/" if port != 8000 else "/sign-in")
        expected = 410 if (host, port) == ("k1.localhost", 8001) else 421  # a name of courses, on their port
        assert answer.status_code == expected, (host, port)
        assert port == 8000 or "set-cookie" not in answer.headers


def test_pages_are_not_answered_on_ports_of_courses_nor_courses_on_that_of_pages(front: ASGIApp) -> None:
    assert at(front, OWN, 8002).get("/sign-in").status_code == 404
    assert at(front, OWN, 8001).get("/sign-in").status_code == 421
    assert at(front, OWN, 8000).get("/rt/token/").status_code == 404
    assert at(front, OWN, 8002).get("/rt/token/").status_code == 410


def test_a_course_is_not_answered_at_a_port_that_its_host_does_not_name(front: ASGIApp) -> None:
    browser = at(front, OWN, 8002)

    assert browser.get("/rt/token/", headers={"host": f"{OWN}:8003"}).status_code == 421
    assert browser.get("/rt/token/", headers={"host": OWN}).status_code == 421


def test_nothing_on_a_port_of_courses_sees_or_sets_a_cookie(front: ASGIApp, node: ServingNode) -> None:
    browser = signed_in(front)
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    assert "session" in cookie

    answer = at(front, OWN, 8002).get("/rt/token/", headers={"cookie": cookie})

    assert answer.status_code == 410
    assert "set-cookie" not in answer.headers


def test_the_session_does_not_pass_the_gate_of_courses(node: ServingNode) -> None:
    seen: list[Any] = []

    async def behind(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(Request(scope).cookies)
        await Response()(scope, receive, send)

    site = ContentSite(
        database=node.database, desk=node.desk, checked=node.checked, now=utc_now, secret=node.secret, public_url="http://localhost:8000",
        content_url="http://localhost:8001", build=Path(), assets={}, reach=node.reach,
    )  # fmt: skip
    at(OwnHosts(behind, site=site), OWN, 8002).get("/", headers={"cookie": "outpost-session=x"})

    assert seen == [{}]


@pytest.mark.parametrize(
    "origin",
    [f"http://{OWN}:8002", "null", "http://evil.example", f"http://{OWN}", "http://k1.localhost:8001"],
)
def test_a_change_that_a_course_asks_for_is_refused_though_the_session_comes_along(
    front: ASGIApp, origin: str
) -> None:
    browser = signed_in(front)
    token = form(browser)

    answer = browser.post("/sign-out", data=token, headers={"origin": origin})

    assert answer.status_code == 403
    assert browser.get("/reached").status_code == 200  # still signed in


def test_a_change_without_the_token_is_refused_whatever_its_origin(front: ASGIApp) -> None:
    browser = signed_in(front)

    answer = browser.post("/sign-out", data={}, headers={"origin": f"http://{OWN}:8000"})

    assert answer.status_code == 403
    assert browser.get("/reached").status_code == 200


def test_by_plain_http_at_an_address_the_cookie_has_a_name_that_browsers_take(front: ASGIApp) -> None:
    browser = at(front, OWN, 8000)

    cookie = browser.get("/sign-in").headers["set-cookie"]

    assert cookie.startswith("outpost-")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie


def test_pages_frame_courses_at_the_address_by_which_they_were_asked_for_and_nothing_else(
    front: ASGIApp,
) -> None:
    policy = at(front, OWN, 8000).get("/sign-in").headers["content-security-policy"]
    local = (
        at(front, "localhost", 8000, arrives="127.0.0.1").get("/sign-in").headers["content-security-policy"]
    )

    assert f"frame-src http://{OWN}:*;" in policy
    assert "frame-src http://*.localhost:8001;" in local


def test_a_course_lets_itself_be_framed_by_the_pages_of_its_own_address_only(front: ASGIApp) -> None:
    policy = at(front, OWN, 8002).get("/rt/token/").headers["content-security-policy"]

    assert f"; frame-ancestors 'self' http://{OWN}:8000; " in policy
