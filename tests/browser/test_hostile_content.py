"""A hostile lesson attacks the pages, other courses, other learners and the outside; each attack is a test.

All are made in one visit, then judged one by one: what it read by what it says, what it changed by what people see
afterwards, what it brought out by the attacker's own server. The attacks that bring something out are made once more
where nothing stops them, so that none of them fails for another reason.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Frame, Page

from tests.browser.hostile.raid import CLICKED, Outside, a_course, attacks_of, hostile_page, outside
from tests.browser.visitor import PASSWORD, Visitor
from tests.servers import NodeUnderTest, node

pytestmark = pytest.mark.browser

QUIET_COURSE = """<!doctype html><title>Quiet</title><p id="quiet">Quiet</p><script>
localStorage.setItem("smuggled", "a secret");
indexedDB.open("smuggled");
const channel = new BroadcastChannel("smuggle");
channel.onmessage = () => channel.postMessage("a secret");
</script>"""
PASSED = json.dumps(
    {
        "sequence": 999,
        "values": {"cmi.core.lesson_status": "passed"},
        "reason": "commit",
        "phase": "running",
        "session_time_s": 1,
    }
)


@dataclass
class Raid:
    """What was seen of a visit by the hostile lesson."""

    said: dict[str, dict[str, str]] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)
    cookies_before: list[tuple[str, str]] = field(default_factory=list)
    cookies_after: list[tuple[str, str]] = field(default_factory=list)
    signed_in: bool = False
    player_title: str = ""
    victim: str = ""
    statements: int = 0
    forged: int = 0
    service_workers: int = 0
    ended: bool = False
    windows: list[str] = field(default_factory=list)


def in_course(browser: BrowserContext, laptop: NodeUnderTest, course: str) -> Visitor:
    """Open a course in a tab of its own."""
    visitor = Visitor(browser, laptop)
    visitor.go(f"/courses/{course}")
    visitor.page.get_by_test_id("continue").click()
    visitor.page.get_by_test_id("player-frame").wait_for()
    return visitor


def launch_of(visitor: Visitor) -> tuple[str, str]:
    """Return the content origin and the token of the lesson on a page."""
    source = visitor.page.get_by_test_id("player-frame").get_attribute("src") or ""
    parts = urlsplit(source)
    return f"{parts.scheme}://{parts.netloc}", parts.path.split("/")[2]


def lesson_frame(visitor: Visitor) -> Frame:
    """Return the frame of the unit."""
    visitor.lesson.locator("#hostile").wait_for()
    (found,) = [frame for frame in visitor.page.frames if urlsplit(frame.url).path.endswith("/index.html")]
    return found


@pytest.fixture(scope="module")
def raid(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raid]:
    folder = tmp_path_factory.mktemp("hostile")
    with node(folder / "laptop") as laptop, outside() as evil:
        laptop.people({"A-1": "officer", "A-2": "officer"}, password=PASSWORD)
        laptop.start()
        yield _raid(browser, laptop, evil, folder)


def _raid(browser: Browser, laptop: NodeUnderTest, evil: Outside, folder: Path) -> Raid:
    seen = Raid()
    quiet = _given(laptop, a_course(folder / "quiet.zip", QUIET_COURSE, title="Quiet"))
    victims, attackers = browser.new_context(locale="en"), browser.new_context(locale="en")
    victim = Visitor(victims, laptop)
    victim.sign_in("A-2")
    victim = in_course(victims, laptop, quiet)
    victim.lesson.locator("#quiet").wait_for()
    other, other_token = launch_of(victim)
    officer = Visitor(attackers, laptop)
    officer.sign_in("A-1")
    beside = in_course(attackers, laptop, quiet)  # she has the other course open as well, in another tab
    beside.lesson.locator("#quiet").wait_for()
    seen.cookies_before = _cookies(attackers)
    target = {
        "evil": evil.address, "stun": evil.stun, "lms": laptop.url, "other": other, "otherToken": other_token,
        "passed": PASSED, "cookie": seen.cookies_before[0][0],
    }  # fmt: skip
    hostile = _given(laptop, a_course(folder / "hostile.zip", hostile_page(target), title="Hostile"))

    officer = in_course(attackers, laptop, hostile)

    def note(page: Page) -> None:
        seen.windows.append(page.url)

    attackers.on("page", note)
    seen.said = lesson_frame(officer).evaluate("raid()")
    attackers.remove_listener("page", note)
    for name, how in CLICKED.items():
        lesson_frame(officer).locator(f"#{name}").click(**how)
    officer.page.wait_for_timeout(500)
    assert officer.page.title() == "A course · Outpost"
    seen.player_title = officer.page.title()
    officer.page.close()  # tabs of one course share a process, which calls out may end
    for attack in attacks_of("leaving"):
        again = in_course(attackers, laptop, hostile)
        with suppress(Error):  # refused, or gone
            lesson_frame(again).evaluate(f"leaving.{attack}()")
        # The driver takes a page for lost when the process of a frame in it ends, as calls out may end it.
        time.sleep(1)
        if not attack.startswith("web_rtc"):
            seen.player_title = again.page.title()
        again.page.close()
    officer = in_course(attackers, laptop, hostile)
    officer.press("nav-exit")
    officer.page.get_by_test_id("session-ended").wait_for()
    seen.ended = True
    officer.go("/")
    seen.signed_in = officer.page.url == f"{laptop.url}/"
    seen.cookies_after = _cookies(attackers)
    seen.service_workers = len(attackers.service_workers)
    victim.go(f"/courses/{quiet}")
    seen.victim = victim.page.locator("main").inner_text()
    victims.close()
    attackers.close()
    exported = folder / "statements.jsonl"
    laptop.run("records", "export", str(exported), "--format", "jsonl")
    lines = exported.read_text(encoding="utf-8").splitlines()
    seen.statements, seen.forged = len(lines), sum("forged" in line for line in lines)
    seen.outside = evil.reached_by
    return seen


def _given(laptop: NodeUnderTest, package: Path) -> str:
    course: str = laptop.facts("import", str(package), "--publish")["course_id"]
    laptop.run("enrol", course, "--user", "A-1", "--user", "A-2")
    return course


def _cookies(context: BrowserContext) -> list[tuple[str, str]]:
    return sorted((one["name"], one["value"]) for one in context.cookies())


@pytest.fixture(scope="module")
def unstopped(browser: Browser) -> set[str]:
    """The attacks that bring something out where no policy stops them."""
    with outside(hostile_page({"evil": "EVIL", "stun": "STUN"})) as evil:
        context = browser.new_context()
        page = context.new_page()
        page.goto(evil.address)
        page.evaluate("raid()")
        page.goto(evil.address)
        for name, how in CLICKED.items():
            page.locator(f"#{name}").click(**how)
        for attack in attacks_of("leaving"):
            page.goto(evil.address)
            with suppress(Error):  # the page is gone
                page.evaluate(f"leaving.{attack}()")
            page.wait_for_timeout(500)
        context.close()
        return evil.reached_by


@pytest.mark.parametrize("attack", attacks_of("reading"))
def test_it_reads_nothing_that_is_not_its_own(raid: Raid, attack: str) -> None:
    assert "got" not in raid.said[f"reading.{attack}"], raid.said[f"reading.{attack}"]


def test_it_plants_no_cookie_and_takes_none(raid: Raid) -> None:
    assert raid.cookies_before == raid.cookies_after != []


def test_it_signs_nobody_out(raid: Raid) -> None:
    assert {"changing.sign_her_out_by_form", "changing.sign_her_out_by_request"} <= raid.said.keys()
    assert raid.signed_in


def test_it_stores_no_statement_in_her_name(raid: Raid) -> None:
    assert raid.statements > 0
    assert raid.forged == 0


def test_it_changes_no_attempt_of_another_learner(raid: Raid) -> None:
    assert raid.said["changing.another_learners_attempt_here"] == {"got": '"410"'}
    assert "Passed" not in raid.victim
    assert "Continue" in raid.victim


def test_its_scripts_open_no_window(raid: Raid) -> None:
    assert raid.windows == []


def test_it_leaves_no_service_worker(raid: Raid) -> None:
    assert "refused" in raid.said["changing.a_service_worker"]
    assert raid.service_workers == 0


def test_the_player_lives_through_its_messages_and_what_it_does_to_the_shim(raid: Raid) -> None:
    assert {
        "changing.a_flood_of_messages",
        "changing.a_forged_message",
        "changing.the_shim",
    } <= raid.said.keys()
    assert raid.player_title == "A course · Outpost"
    assert raid.ended


@pytest.mark.parametrize("attack", [*attacks_of("leaking"), *CLICKED, *attacks_of("leaving")])
def test_it_brings_nothing_out(raid: Raid, unstopped: set[str], attack: str) -> None:
    assert attack in unstopped, "made where nothing stops it, it must arrive"
    assert attack not in raid.outside
