"""A hub in a room of network namespaces, over HTTP and over HTTPS, and laptops with a Chromium each."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Playwright, expect

from lms.certificates.authority import Authority, open_authority
from lms.certificates.machine import own_names
from lms.demo import packages
from lms.enrolment.actions import enrol
from lms.node import Node, utc_now
from lms.people.actions import create_person
from lms.people.policy import PersonRole
from lms.settings import Settings
from tests.browser.visitor import FLAGS, PASSWORD, Visitor
from tests.lan.lab import COURSES_ADDRESS, HUB_ADDRESS, Room, a_room, why_not
from tests.package_builders import demo_showing
from tests.servers import LMS, NodeUnderTest

expect.set_options(timeout=30_000)

NAME = own_names()[0]  # as a laptop that knows .local finds the hub
Way = Literal["http", "https", "apart"]
SETTINGS: dict[Way, dict[str, str]] = {
    "http": {},
    "https": {"LMS_HTTPS": "true"},
    "apart": {
        "LMS_PUBLIC_URL": f"http://{HUB_ADDRESS}:8000",
        "LMS_CONTENT_URL": f"http://{COURSES_ADDRESS}:8001",
    },
}


@pytest.fixture(scope="session")
def room() -> Iterator[Room]:
    """The room: a hub and two laptops."""
    reason = why_not()
    if reason is not None:
        pytest.fail(reason) if os.environ.get("REQUIRE_LAN") == "1" else pytest.skip(reason)
    names = f"{HUB_ADDRESS} {NAME} evil.example"
    with a_room() as room:
        room.add("hub", HUB_ADDRESS, COURSES_ADDRESS)
        room.add("laptop1", "10.77.0.11", names=names)
        room.add("laptop2", "10.77.0.12", names=names)
        yield room


@dataclass
class School:
    """The hub's data: a course and a prying one, and two officers for each way to reach it."""

    node: NodeUnderTest
    course: str
    prying: str


@dataclass
class Hub:
    """A hub that serves the room in one way."""

    school: School
    room: Room
    way: Way

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""
        return "https" if self.way == "https" else "http"

    @property
    def course(self) -> str:
        """The course that officers take."""
        return self.school.course

    def at(self, host: str) -> str:
        """Return the address of its pages under a name."""
        return f"{self.scheme}://{host}:{self.school.node.port}"

    def officer(self, number: int) -> str:
        """Return somebody who is there for this way to reach the hub."""
        return f"{self.way}-{number}"

    def root(self) -> Authority | None:
        """Its root, where it serves HTTPS."""
        return open_authority(self.school.node.data) if self.way == "https" else None

    def log(self) -> str:
        """What it said."""
        return (self.school.node.data / f"{self.way}.log").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def school(room: Room, tmp_path_factory: pytest.TempPathFactory) -> School:
    folder = tmp_path_factory.mktemp("hub")
    node = NodeUnderTest(data=folder, port=8000, content_port=8001)
    node.run("init", "--role", "hub", "--name", "Room 2")
    courses = []
    for name, package in (
        ("course", packages.scorm12_single_sco()),
        ("prying", demo_showing(b"<!doctype html><p id=here>Here")),
    ):
        (folder / f"{name}.zip").write_bytes(package)
        courses.append(node.facts("import", str(folder / f"{name}.zip"), "--publish")["course_id"])
    with closing(Node(Settings(data=folder))) as opened:
        hashed = opened.passwords.hash(PASSWORD)
        with opened.database.write() as session:
            people = [
                create_person(
                    session, public_id=uuid4(), personnel_number=f"{way}-{number}", name=f"{way}-{number}",
                    roles=[PersonRole.OFFICER], password_hash=hashed, now=utc_now(),
                ).public_id
                for way in SETTINGS
                for number in (1, 2)
            ]  # fmt: skip
            for course in courses:
                enrol(session, UUID(course), people, by=None, now=utc_now(), new_id=uuid4)
    return School(node=node, course=courses[0], prying=courses[1])


@pytest.fixture(scope="module", params=["http", "https"])
def hub(request: pytest.FixtureRequest, room: Room, school: School) -> Iterator[Hub]:
    """The hub, set up with as little as can be."""
    yield from serve(room, school, request.param)


@pytest.fixture
def hub_apart(room: Room, school: School) -> Iterator[Hub]:
    """The hub over HTTP, with courses at a second address."""
    yield from serve(room, school, "apart")


def serve(room: Room, school: School, way: Way) -> Iterator[Hub]:
    hub = Hub(school=school, room=room, way=way)
    environment = {**school.node.environment, **SETTINGS[way]}
    with (school.node.data / f"{way}.log").open("wb") as log:
        command = room.inside("hub", *LMS, "serve", "--host", "0.0.0.0")
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        try:
            room.wait_for("laptop1", HUB_ADDRESS, 8000)
        except AssertionError as error:
            raise AssertionError(hub.log()) from error
        yield hub
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0, hub.log()


class Sitting(Protocol):
    """Gives somebody a laptop in the room, by an address or a name of the hub."""

    def __call__(self, hub: Hub, place: str, *, host: str = HUB_ADDRESS, trusts: bool = True) -> Visitor: ...


@dataclass
class Seat:
    """The hub, by one of its addresses."""

    url: str


@pytest.fixture
def sit_down(chromium: str, room: Room, driver: Playwright, tmp_path: Path) -> Iterator[Sitting]:
    with ExitStack() as opened:

        def sit(hub: Hub, place: str, *, host: str = HUB_ADDRESS, trusts: bool = True) -> Visitor:
            root = hub.root() if trusts else None
            program = room.chromium(place, chromium, tmp_path, root=root.root_der if root else None)
            browser = driver.chromium.launch(executable_path=program, args=FLAGS)
            opened.callback(browser.close)
            context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="en")
            context.set_default_timeout(20_000)
            return Visitor(context, Seat(hub.at(host)))

        yield sit


def open_course(officer: Visitor, hub: Hub, number: int, *, course: str = "") -> None:
    """Sign in, and begin or go on with a course."""
    officer.sign_in(hub.officer(number))
    officer.go(f"/courses/{course or hub.course}")
    officer.page.get_by_test_id("continue").click()
