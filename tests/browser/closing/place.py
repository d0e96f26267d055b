"""Who sits where as a lesson ends: learners, browsers and tabs of their own, and the ways out of a lesson."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil
from playwright.sync_api import Browser, BrowserContext, Error, FrameLocator, Page, expect
from sqlalchemy import delete, select, update

from lms.app import ServingNode
from lms.courses.iris import unit_iri
from lms.enrolment.tables import Enrolment
from lms.launch.documents import UNIT_STATE, read, state_key
from lms.launch.tables import Launch
from lms.people.actions import create_person
from lms.people.passwords import Cost, Passwords
from lms.people.policy import PersonRole
from lms.people.tables import LoginSession
from lms.settings import Settings
from tests.browser.conftest import QUIET
from tests.closing_packages import OLD_STYLES, restless
from tests.large_school import signed_in
from tests.servers import NodeUnderTest
from xapi_store.tables import DocumentRow

NO_UNLOAD = (*QUIET, "--enable-features=DeprecateUnload")
PASSWORD = "nine-words-for-tests"
MOST_LOST_MS = 2000
ALL_SAVED_S = 15.0
STILL_S = 4.0  # by then nothing that was under way is still to come


@dataclass
class Officer:
    """Somebody who takes one course, and what the server has of her."""

    post: Post
    person: UUID
    course: UUID
    registration: UUID

    @property
    def launch(self) -> Launch:
        with self.post.inside.database.read() as session:
            found = session.scalars(
                select(Launch).where(Launch.registration == self.registration).order_by(Launch.id)
            ).all()
        return found[-1]

    @property
    def values(self) -> dict[str, str]:
        """What the server keeps of her unit."""
        launch = self.launch
        with self.post.inside.database.read() as session:
            key = state_key(unit_iri(self.course, launch.unit), self.person, self.registration, UNIT_STATE)
            return dict((read(session, key) or {"values": {}})["values"])

    def let_in(self, context: BrowserContext) -> None:
        """Give a browser the cookie of a session of hers."""
        name, value = signed_in(self.post.inside, self.person)
        context.add_cookies([{"name": name, "value": value, "url": self.post.server.url}])

    def expect(self, holds: Callable[[dict[str, str]], bool], within_s: float = ALL_SAVED_S) -> None:
        """See that the server keeps something before long."""
        deadline = time.monotonic() + within_s
        while not holds(self.values):
            assert time.monotonic() < deadline, f"{self.launch.phase}: {self.values}"
            time.sleep(0.1)

    def lost_ms(self, written: int) -> int:
        """Return how much older what the server has is than what was written last, once it has come to rest."""
        seen, still_since = -1, time.monotonic()
        while seen < written and time.monotonic() - still_since < STILL_S:
            now = int(self.values.get("cmi.location") or 0)
            if now != seen:
                seen, still_since = now, time.monotonic()
            time.sleep(0.1)
        return written - seen


class Post:
    """A laptop with the courses of this module."""

    def __init__(self, server: NodeUnderTest, folder: Path) -> None:
        self.server = server
        packages = {"restless": restless(), **OLD_STYLES}
        paths = [folder / f"{number}.zip" for number in range(len(packages))]
        for path, package in zip(paths, packages.values(), strict=True):
            path.write_bytes(package)
        done = server.facts("import", *map(str, paths), "--publish")
        self.courses = {name: UUID(one["course_id"]) for name, one in zip(packages, done, strict=True)}
        self.inside = ServingNode(
            Settings(data=server.data, port=server.port, content_port=server.content_port, allowed_hosts=())
        )
        self._hash = Passwords(Cost(memory_kib=8, time=1)).hash(PASSWORD)

    def officer(self, course: str) -> Officer:
        """Return somebody new who takes a course."""
        person, registration, now = uuid4(), uuid4(), datetime.now(UTC)
        with self.inside.database.write() as session:
            create_person(
                session, public_id=person, personnel_number=f"C-{person.hex[:8]}", name="Amina Wanjiru",
                roles=[PersonRole.OFFICER], password_hash=self._hash, now=now,
            )  # fmt: skip
            session.add(
                Enrolment(
                    public_id=registration,
                    person=person,
                    course=self.courses[course],
                    registration=registration,
                    made=now,
                )
            )
        return Officer(self, person, self.courses[course], registration)


class OwnBrowser:
    """A browser with a folder and a process of its own, so that it can be killed and started again."""

    def __init__(self, browser: Browser, folder: Path, url: str) -> None:
        self._type = browser.browser_type
        self._path = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
        self._folder = folder
        self._url = url
        self.context: BrowserContext
        self.page: Page

    def start(self) -> None:
        self.context = self._type.launch_persistent_context(
            str(self._folder), executable_path=self._path, args=NO_UNLOAD, locale="en"
        )
        self.context.set_default_timeout(30_000)
        self.page = self.context.new_page()

    @property
    def process(self) -> psutil.Process:
        told = f"--user-data-dir={self._folder}"
        for one in psutil.process_iter(["cmdline"]):
            line = one.info["cmdline"] or []
            if told in line and not any(part.startswith("--type=") for part in line):
                return one
        raise AssertionError("the browser does not run")

    def kill(self) -> None:
        """End it as a power cut would."""
        process = self.process
        process.send_signal(signal.SIGKILL)
        psutil.wait_procs([process], timeout=10)
        with suppress(Exception):
            self.context.close()

    def go(self, path: str) -> None:
        self.page.goto(self._url + path)


class Tab:
    """A tab in a browser that others use as well."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.context = browser.new_context(locale="en")
        self.context.set_default_timeout(30_000)
        self.page = self.context.new_page()
        self._url = url

    def go(self, path: str) -> None:
        self.page.goto(self._url + path)


def unit_of(page: Page) -> FrameLocator:
    return page.frame_locator("[data-testid=player-frame]").frame_locator("iframe")


def in_unit(page: Page, script: str) -> Any:
    return unit_of(page).locator("#page").evaluate(f"() => {script}")


def sit(own: OwnBrowser | Tab, officer: Officer) -> None:
    """Open the lesson and let it write for a while."""
    officer.let_in(own.context)
    own.go(f"/learn/{officer.course}")
    expect(unit_of(own.page).locator("#page")).to_be_visible()
    officer.expect(lambda values: "cmi.location" in values)


def bar_says(page: Page, state: str) -> None:
    expect(page.get_by_test_id("save-state")).to_have_attribute("data-state", state)


def close_tab(own: OwnBrowser | Tab, officer: Officer) -> None:
    own.page.close(run_before_unload=True)


def close_browser(own: OwnBrowser, officer: Officer) -> None:
    """Close the window: its tab is closed, and a few seconds later the browser ends."""
    with own.page.expect_event("close"):
        own.page.close(run_before_unload=True)
    time.sleep(3)
    own.context.close()


def quit_browser(own: OwnBrowser, officer: Officer) -> None:
    """Quit, as when the person signs out of the machine: the browser does not wait for what its pages still send."""
    own.context.close()


def go_elsewhere(own: OwnBrowser | Tab, officer: Officer) -> None:
    own.page.goto("about:blank")


def go_back(own: OwnBrowser | Tab, officer: Officer) -> None:
    own.page.locator("a[data-player=leave]").click()
    expect(own.page).to_have_url(f"{officer.post.server.url}/")


def load_again(own: OwnBrowser | Tab, officer: Officer) -> None:
    own.page.reload()


def press_exit(own: OwnBrowser | Tab, officer: Officer) -> None:
    own.page.get_by_test_id("nav-exit").click()
    expect(own.page.get_by_test_id("session-ended")).to_be_visible()


def crash_page(place: OwnBrowser | Tab) -> None:
    with suppress(Error):  # who crashes does not answer
        place.page.goto("chrome://crash")


def sleep_past_the_token(officer: Officer, *, signs_out: bool) -> None:
    """Let twelve hours and more have passed since the launch was heard of."""
    long_ago = datetime.now(UTC) - timedelta(hours=13)
    with officer.post.inside.database.write() as session:
        session.execute(
            update(Launch).where(Launch.registration == officer.registration).values(last_seen=long_ago)
        )
        session.execute(
            update(DocumentRow)
            .where(DocumentRow.registration == officer.registration)
            .values(updated=long_ago - timedelta(seconds=1))
        )
        if signs_out:
            session.execute(delete(LoginSession).where(LoginSession.person_id == officer.person))
