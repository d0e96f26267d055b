"""What is lost when a lesson ends in a way nobody chose: the closing matrix (lms/player/README.md).

A unit writes the instant into its location ten times a second. After each closing, what the server has is held
against what the unit had last written: at most two seconds, and nothing that a Commit had answered "true" for.
The browser drops ``unload`` as those in the field will, from who does not ask for it.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar
from uuid import UUID, uuid4

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, FrameLocator, Page, expect
from sqlalchemy import delete, select, update

from lms.app import Node
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
from tests.servers import NodeUnderTest, node
from xapi_store.tables import DocumentRow

pytestmark = pytest.mark.browser

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
        self.inside = Node(
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


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    with node(tmp_path_factory.mktemp("laptop"), name="Post 4") as server:
        made = Post(server, tmp_path_factory.mktemp("packages"))
        server.start()
        yield made
        made.inside.close()


@pytest.fixture
def running(post: Post) -> NodeUnderTest:
    """The server, which a test before this one may have left as it was not."""
    if post.server.process is None:
        post.server.start()
    return post.server


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


@pytest.fixture
def own(browser: Browser, tmp_path: Path, running: NodeUnderTest) -> Iterator[OwnBrowser]:
    made = OwnBrowser(browser, tmp_path / "profile", running.url)
    made.start()
    yield made
    with suppress(Exception):
        made.context.close()


@pytest.fixture(scope="module")
def shared(browser: Browser, chromium: str) -> Iterator[Browser]:
    """One browser, for all that does not end it."""
    made = browser.browser_type.launch(executable_path=chromium, args=NO_UNLOAD)
    yield made
    made.close()


class Tab:
    """A tab in a browser that others use as well."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.context = browser.new_context(locale="en")
        self.context.set_default_timeout(30_000)
        self.page = self.context.new_page()
        self._url = url

    def go(self, path: str) -> None:
        self.page.goto(self._url + path)


@pytest.fixture
def tab(shared: Browser, running: NodeUnderTest) -> Iterator[Tab]:
    made = Tab(shared, running.url)
    yield made
    made.context.close()


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


# ---------------------------------------------------------------- ways a browser announces


def close_tab(own: OwnBrowser | Tab, officer: Officer) -> None:
    own.page.close(run_before_unload=True)


def close_browser(own: OwnBrowser, officer: Officer) -> None:
    """Close the window: its tab is closed, and a few seconds later the browser ends."""
    own.page.close(run_before_unload=True)
    if not own.page.is_closed():
        own.page.wait_for_event("close")
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


ANNOUNCED = [close_tab, go_elsewhere, go_back, load_again, press_exit]
FIRST, *OTHERS = OLD_STYLES
# Each style once and each way once; all thirty, with the browser that is closed, are a soak.
BRIEFLY = [(style, close_tab) for style in OLD_STYLES] + [(FIRST, closing) for closing in ANNOUNCED[1:]]
AT_LENGTH = [
    pytest.param(style, closing, marks=pytest.mark.soak) for style in OTHERS for closing in ANNOUNCED[1:]
]


@pytest.mark.parametrize(("style", "closing"), [*BRIEFLY, *AT_LENGTH])
def test_a_unit_that_saves_only_in_unload_completes(
    tab: Tab, post: Post, style: str, closing: Callable[[Tab, Officer], None]
) -> None:
    completes(tab, post, style, closing)


@pytest.mark.parametrize("style", [FIRST, *(pytest.param(one, marks=pytest.mark.soak) for one in OTHERS)])
def test_a_unit_that_saves_only_in_unload_completes_as_the_browser_is_closed(
    own: OwnBrowser, post: Post, style: str
) -> None:
    completes(own, post, style, close_browser)


def completes(place: Any, post: Post, style: str, closing: Callable[[Any, Officer], None]) -> None:
    """Take a course, end it in one way, and see that it is complete and its session ended."""
    officer = post.officer(style)
    officer.let_in(place.context)
    place.go(f"/learn/{officer.course}")
    unit = unit_of(place.page)
    inside = unit.frame_locator("frame[name=body]") if "frameset" in style else unit
    expect(inside.locator("#page")).to_be_visible()
    bar_says(place.page, "saved")
    first = officer.launch.public_id

    closing(place, officer)

    is_2004 = "Terminate" in style
    status = "cmi.completion_status" if is_2004 else "cmi.core.lesson_status"
    where = "cmi.location" if is_2004 else "cmi.core.lesson_location"

    def is_done(values: dict[str, str]) -> bool:
        with post.inside.database.read() as session:
            ended = session.scalars(select(Launch).where(Launch.public_id == first)).one()
        return (values.get(status), values.get(where), ended.phase) == ("completed", "p7", "terminated")

    officer.expect(is_done)


class SaysGoodBye(BaseHTTPRequestHandler):
    """Serves a page that sends a word in ``unload``; ``/asks`` asks for that event, ``/plain`` does not."""

    heard: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        if self.path == "/asks":
            self.send_header("Permissions-Policy", "unload=*")
        self.end_headers()
        self.wfile.write(b"<!doctype html><body onunload='navigator.sendBeacon(location.pathname)'>Page")

    def do_POST(self) -> None:
        self.heard.append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_this_browser_takes_unload_from_who_does_not_ask_for_it(own: OwnBrowser) -> None:
    """What the tests above rest on: a page without the header of ours never hears of its end."""
    with ThreadingHTTPServer(("127.0.0.1", 0), SaysGoodBye) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        for path in ("/plain", "/asks", "/plain"):
            own.page.goto(f"http://localhost:{server.server_port}{path}")
        own.page.goto("about:blank")
        deadline = time.monotonic() + 10
        while not SaysGoodBye.heard and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1)
        server.shutdown()

    assert SaysGoodBye.heard == ["/asks"]


# ---------------------------------------------------------------- ways nobody chose


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[int], None]:
    """Note how many milliseconds were lost, for the report of a run (``--junitxml``)."""
    return lambda lost_ms: request.node.user_properties.append(("lost_ms", lost_ms))


@pytest.fixture
def lesson(tab: Tab, post: Post) -> Officer:
    officer = post.officer("restless")
    sit(tab, officer)
    return officer


@pytest.fixture
def own_lesson(own: OwnBrowser, post: Post) -> Officer:
    officer = post.officer("restless")
    sit(own, officer)
    return officer


def test_closing_the_tab_loses_nothing(tab: Tab, lesson: Officer, measured: Callable[[int], None]) -> None:
    committed = in_unit(tab.page, "commit()")
    written = in_unit(tab.page, "rest()")

    tab.page.close(run_before_unload=True)

    lost = lesson.lost_ms(written)
    measured(lost)
    assert lost == 0
    assert committed[0] == "true"
    assert lesson.values["cmi.suspend_data"] == committed[1]


@pytest.mark.parametrize(("close", "most_lost_ms"), [(close_browser, 0), (quit_browser, MOST_LOST_MS)])
def test_closing_the_browser_loses_nothing_committed(
    own: OwnBrowser,
    own_lesson: Officer,
    close: Callable[[OwnBrowser, Officer], None],
    most_lost_ms: int,
    measured: Callable[[int], None],
) -> None:
    committed = in_unit(own.page, "commit()")
    written = in_unit(own.page, "rest()")

    close(own, own_lesson)

    lost = own_lesson.lost_ms(written)
    measured(lost)
    assert lost <= most_lost_ms
    assert (committed[0], own_lesson.values["cmi.suspend_data"]) == ("true", committed[1])


def crash_page(place: OwnBrowser | Tab) -> None:
    with suppress(Error):  # who crashes does not answer
        place.page.goto("chrome://crash")


def crash_lesson(place: OwnBrowser | Tab) -> None:
    """End the process of the lesson and its shim alone: the one that holds the memory it was told to take."""
    every = psutil.Process().children(recursive=True)
    renderers = [one for one in every if "--type=renderer" in " ".join(one.cmdline())]
    max(renderers, key=lambda one: one.memory_info().rss).kill()


def loses_two_seconds_at_most(
    place: Any, officer: Officer, end: Callable[[Any], None], moment_s: float
) -> int:
    in_unit(place.page, "void (window.held = new Uint8Array(200_000_000).fill(1))")  # see `crash_lesson`
    committed = in_unit(place.page, "commit()")
    time.sleep(moment_s)  # since all was saved
    written = in_unit(place.page, "last")

    end(place)

    lost = officer.lost_ms(written)
    assert lost <= MOST_LOST_MS
    assert (committed[0], officer.values["cmi.suspend_data"]) == ("true", committed[1])
    return lost


@pytest.mark.parametrize("moment_s", [pytest.param(0.5, marks=pytest.mark.soak), 1.4])
@pytest.mark.parametrize("end", [crash_page, crash_lesson])
def test_a_renderer_that_crashes_loses_two_seconds_at_most(
    tab: Tab, lesson: Officer, end: Callable[[Any], None], moment_s: float, measured: Callable[[int], None]
) -> None:
    measured(loses_two_seconds_at_most(tab, lesson, end, moment_s))


@pytest.mark.parametrize("moment_s", [pytest.param(0.5, marks=pytest.mark.soak), 1.4])
def test_a_browser_that_is_killed_loses_two_seconds_at_most(
    own: OwnBrowser, own_lesson: Officer, moment_s: float, measured: Callable[[int], None]
) -> None:
    measured(loses_two_seconds_at_most(own, own_lesson, OwnBrowser.kill, moment_s))


def test_after_a_crash_the_course_opens_without_a_question(own: OwnBrowser, own_lesson: Officer) -> None:
    own.kill()
    own.start()
    own_lesson.let_in(own.context)
    before = own_lesson.launch.public_id

    own.go(f"/learn/{own_lesson.course}")

    expect(unit_of(own.page).locator("#page")).to_be_visible()
    assert own_lesson.launch.public_id != before


def test_a_server_that_dies_and_comes_back_loses_nothing(
    tab: Tab, lesson: Officer, running: NodeUnderTest, measured: Callable[[int], None]
) -> None:
    committed = in_unit(tab.page, "commit()")
    running.kill()
    bar_says(tab.page, "unreachable")
    time.sleep(2)
    refused = in_unit(tab.page, "commit()")

    running.start()

    written = in_unit(tab.page, "rest()")
    bar_says(tab.page, "saved")
    lost = lesson.lost_ms(written)
    measured(lost)
    assert lost == 0
    assert (committed[0], refused[0]) == ("true", "false")
    assert lesson.values["cmi.suspend_data"] == refused[1]


def processes(own: OwnBrowser, running: NodeUnderTest) -> list[psutil.Process]:
    assert running.process is not None
    server = psutil.Process(running.process.pid)
    return [*own.process.children(recursive=True), own.process, *server.children(recursive=True), server]


def test_a_laptop_that_sleeps_loses_nothing(
    own: OwnBrowser, own_lesson: Officer, running: NodeUnderTest, measured: Callable[[int], None]
) -> None:
    committed = in_unit(own.page, "commit()")
    asleep = processes(own, running)
    for one in asleep:
        one.suspend()
    time.sleep(5)
    for one in reversed(asleep):
        one.resume()

    written = in_unit(own.page, "rest()")
    bar_says(own.page, "saved")
    lost = own_lesson.lost_ms(written)
    measured(lost)
    assert lost == 0
    assert (committed[0], own_lesson.values["cmi.suspend_data"]) == ("true", committed[1])


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


def test_a_token_that_expired_over_night_goes_on_in_place(tab: Tab, lesson: Officer) -> None:
    first = lesson.launch.public_id
    sleep_past_the_token(lesson, signs_out=False)

    time.sleep(3)
    written = in_unit(tab.page, "rest()")

    bar_says(tab.page, "saved")
    assert lesson.lost_ms(written) == 0
    assert lesson.launch.public_id == first


def test_a_sign_in_that_ended_is_asked_for_over_the_lesson(tab: Tab, lesson: Officer) -> None:
    first = lesson.launch.public_id
    sleep_past_the_token(lesson, signs_out=True)
    dialog = tab.page.get_by_test_id("sign-in-again")

    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("Amina Wanjiru")
    expect(dialog.get_by_label("Password")).to_be_focused()
    dialog.get_by_label("Password").fill("wrong")
    tab.page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("This is not your current password.")
    dialog.get_by_label("Password").fill(PASSWORD)
    tab.page.keyboard.press("Enter")

    expect(dialog).to_be_hidden()
    written = in_unit(tab.page, "rest()")
    bar_says(tab.page, "saved")
    assert lesson.lost_ms(written) == 0
    assert lesson.launch.public_id == first
    tab.page.get_by_test_id("nav-exit").click()
    expect(tab.page.get_by_test_id("session-ended")).to_be_visible()


def test_a_control_asks_for_the_sign_in_before_it_leaves(tab: Tab, lesson: Officer) -> None:
    with lesson.post.inside.database.write() as session:
        session.execute(delete(LoginSession).where(LoginSession.person_id == lesson.person))
    tab.page.get_by_test_id("nav-exit").click()
    dialog = tab.page.get_by_test_id("sign-in-again")
    expect(dialog).to_be_visible()
    expect(unit_of(tab.page).locator("#page")).to_have_count(1)

    dialog.get_by_role("button", name="Later").click()
    expect(dialog).to_be_hidden()
    tab.page.get_by_test_id("nav-exit").click()
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()

    expect(tab.page.get_by_test_id("session-ended")).to_be_visible()


# ---------------------------------------------------------------- the hub is out of reach

OUT_OF_REACH = [
    pytest.param(8.0, id="eight seconds"),
    pytest.param(600.0, id="ten minutes", marks=pytest.mark.soak),
]


@contextmanager
def gone_for(running: NodeUnderTest, seconds: float) -> Iterator[None]:
    """Let the server be gone, and back at the end."""
    running.kill()
    began = time.monotonic()
    yield
    time.sleep(max(0.0, seconds - (time.monotonic() - began)))
    running.start()


@pytest.mark.parametrize("seconds", OUT_OF_REACH)
def test_a_hub_that_is_away_finds_all_of_it_when_it_is_back(
    tab: Tab,
    lesson: Officer,
    running: NodeUnderTest,
    seconds: float,
    measured: Callable[[int], None],
) -> None:
    with gone_for(running, seconds):
        bar_says(tab.page, "unreachable")
        expect(tab.page.get_by_test_id("save-state")).to_have_text(
            "Server out of reach, your work is kept here"
        )

    written = in_unit(tab.page, "rest()")
    expect(tab.page.get_by_test_id("save-state")).to_have_attribute("data-state", "saved", timeout=60_000)
    lost = lesson.lost_ms(written)
    measured(lost)
    assert lost == 0


def test_a_hub_that_is_silent_does_not_stop_the_lesson(
    tab: Tab, lesson: Officer, running: NodeUnderTest
) -> None:
    assert running.process is not None
    running.process.send_signal(signal.SIGSTOP)
    try:
        time.sleep(6)
        began = time.monotonic()
        answered = in_unit(tab.page, "commit()")
        took_s = time.monotonic() - began
        bar_says(tab.page, "unreachable")
    finally:
        running.process.send_signal(signal.SIGCONT)

    written = in_unit(tab.page, "rest()")
    expect(tab.page.get_by_test_id("save-state")).to_have_attribute("data-state", "saved", timeout=60_000)
    assert answered[0] == "false"
    assert took_s < 2
    assert lesson.lost_ms(written) == 0


def die(own: OwnBrowser) -> None:
    own.kill()


def crash_and_close(own: OwnBrowser) -> None:
    crash_page(own)
    time.sleep(0.5)
    own.context.close()


def close_for_good(own: OwnBrowser) -> None:
    own.page.on("dialog", lambda dialog: dialog.accept())
    own.page.close(run_before_unload=True)
    time.sleep(1)
    own.context.close()


@pytest.mark.parametrize(
    ("end", "token_expires"),
    [
        (die, False),
        (close_for_good, True),
        *(
            pytest.param(*one, marks=pytest.mark.soak)
            for one in (
                (die, True),
                (close_for_good, False),
                (crash_and_close, False),
                (crash_and_close, True),
            )
        ),
    ],
)
def test_work_kept_while_the_hub_was_away_arrives_on_the_next_visit(
    own: OwnBrowser,
    own_lesson: Officer,
    running: NodeUnderTest,
    end: Callable[[OwnBrowser], None],
    *,
    token_expires: bool,
    measured: Callable[[int], None],
) -> None:
    with gone_for(running, 8):
        bar_says(own.page, "unreachable")
        time.sleep(3)
        written = in_unit(own.page, "last")
        end(own)
        if token_expires:
            sleep_past_the_token(own_lesson, signs_out=True)
    own.start()
    stranger = own_lesson.post.officer("restless")
    stranger.let_in(own.context)
    own.go("/")
    expect(own.page.get_by_test_id("start")).to_be_visible()
    time.sleep(1)
    expect(own.page.get_by_test_id("kept-work")).to_be_hidden()
    assert own_lesson.lost_ms(written) > MOST_LOST_MS  # nothing of it was sent by somebody else

    own_lesson.let_in(own.context)
    own.go("/")

    expect(own.page.get_by_test_id("kept-work")).to_contain_text("has arrived and is saved")
    lost = own_lesson.lost_ms(written)
    measured(lost)
    assert lost <= MOST_LOST_MS
    own.go("/")
    expect(own.page.get_by_test_id("start").or_(own.page.get_by_test_id("continue"))).to_be_visible()
    expect(own.page.get_by_test_id("kept-work")).to_be_hidden()  # once


def test_a_course_opened_straight_after_an_outage_begins_with_the_kept_work(
    own: OwnBrowser, own_lesson: Officer, running: NodeUnderTest
) -> None:
    with gone_for(running, 8):
        bar_says(own.page, "unreachable")
        in_unit(own.page, "api.SetValue('cmi.suspend_data', 'kept')")
        time.sleep(3)
        own.kill()
    own.start()
    own_lesson.let_in(own.context)

    own.go(f"/learn/{own_lesson.course}")

    expect(unit_of(own.page).locator("#page")).to_be_visible()
    assert in_unit(own.page, "api.GetValue('cmi.suspend_data')") == "kept"


# ---------------------------------------------------------------- two tabs, two devices


def test_a_second_tab_says_so_and_the_first_lets_go_of_nothing_unsaved(tab: Tab, lesson: Officer) -> None:
    first = tab.page
    second = tab.context.new_page()
    second.goto(f"{lesson.post.server.url}/learn/{lesson.course}")
    expect(second.get_by_role("heading", level=2)).to_have_text(
        "This course is open in another tab or on another device"
    )
    in_unit(first, "api.SetValue('cmi.suspend_data', 'the last of it')")

    second.get_by_test_id("go-on-here").click()

    expect(unit_of(second).locator("#page")).to_be_visible()
    assert in_unit(second, "api.GetValue('cmi.suspend_data')") == "the last of it"
    expect(first.get_by_test_id("taken")).to_contain_text("Everything you did here is saved.")


def test_a_second_device_says_so_and_what_the_first_had_not_sent_is_put_aside(
    tab: Tab, browser: Browser, lesson: Officer, running: NodeUnderTest
) -> None:
    tab.context.set_offline(True)
    bar_says(tab.page, "unreachable")
    in_unit(tab.page, "api.SetValue('cmi.suspend_data', 'only on the first')")
    time.sleep(2)
    device = browser.new_context()
    lesson.let_in(device)
    there = device.new_page()
    there.goto(f"{running.url}/learn/{lesson.course}")
    there.get_by_test_id("go-on-here").click()
    expect(unit_of(there).locator("#page")).to_be_visible()
    in_unit(there, "api.SetValue('cmi.suspend_data', 'on the second')")
    in_unit(there, "api.Commit('')")

    tab.context.set_offline(False)

    expect(tab.page.get_by_test_id("taken")).to_contain_text("It was put aside and nothing of it is lost.")
    assert lesson.values["cmi.suspend_data"] == "on the second"
    tab.go(f"/learn/{lesson.course}/late")
    tab.page.get_by_text("What the lesson wanted to save").click()
    expect(tab.page.get_by_role("table")).to_contain_text("only on the first")
    device.close()


def test_leaving_and_coming_back_asks_nothing(tab: Tab, lesson: Officer) -> None:
    for way in (go_back, go_elsewhere, load_again):
        way(tab, lesson)
        tab.go(f"/learn/{lesson.course}")
        expect(unit_of(tab.page).locator("#page")).to_be_visible()
