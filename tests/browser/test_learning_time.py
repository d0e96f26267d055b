"""Learning time against a stopwatch, with a learner who does nothing in between; both times on the pages."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import expect

from lms.demo import packages
from tests.browser.conftest import Sitting
from tests.browser.visitor import PASSWORD, Visitor
from tests.media_builders import an_mp3
from tests.servers import NodeUnderTest, node

pytestmark = pytest.mark.browser

SLACK_S = 2.5  # begun seconds are counted, and this machine does more than this


@pytest.fixture
def idle_after_s() -> int:
    return 3


@pytest.fixture
def laptop(tmp_path: Path, idle_after_s: int) -> Iterator[NodeUnderTest]:
    with node(tmp_path / "laptop", name="Post 4") as laptop:
        with (laptop.data / "lms.toml").open("a", encoding="utf-8") as settings:
            settings.write(f"idle_after_s = {idle_after_s}\n")
        laptop.people({"I-1": "instructor", "A-1": "officer"}, password=PASSWORD)
        laptop.start()
        yield laptop


def in_course(sit_down: Sitting, laptop: NodeUnderTest, package: Path) -> tuple[Visitor, str]:
    """Return the officer in front of the lesson, and the course's id."""
    course, officer = laptop.give(package, "A-1"), sit_down(laptop)
    officer.sign_in("A-1")
    officer.go(f"/courses/{course}")
    officer.page.get_by_test_id("continue").click()
    return officer, course


def busy(officer: Visitor, seconds: float) -> None:
    """Move the pointer over the lesson for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        officer.page.mouse.move(400 + 100 * (time.monotonic() % 1), 400)
        officer.page.wait_for_timeout(250)


def times(laptop: NodeUnderTest) -> tuple[int, int]:
    """Return the session's time, and the part of it that was learning, as the node has kept them."""
    with closing(sqlite3.connect(laptop.data / "outpost.db")) as database:
        row: tuple[int, int] = database.execute(
            "SELECT session_time_s, learning_time_s FROM launch"
        ).fetchone()
        return row


@pytest.mark.parametrize(
    ("idle_after_s", "spent_s"), [(3, (2, 7)), pytest.param(60, (90, 240), marks=pytest.mark.soak)]
)
def test_learning_time_is_what_a_stopwatch_says_without_the_pause(
    sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path, idle_after_s: int, spent_s: tuple[int, int]
) -> None:
    busy_s, idle_s = spent_s
    package = tmp_path / "course.zip"
    package.write_bytes(packages.scorm2004_single_sco())
    officer, course = in_course(sit_down, laptop, package)
    officer.expect_page(1, 5)

    began = time.monotonic()
    busy(officer, busy_s)
    officer.page.wait_for_timeout(idle_s * 1000)  # nobody touches anything
    busy(officer, busy_s)
    officer.press("nav-suspend")
    expect(officer.page.get_by_test_id("session-ended")).to_be_visible()
    lasted = time.monotonic() - began

    session_s, learning_s = times(laptop)
    assert session_s == pytest.approx(lasted, abs=SLACK_S)
    assert learning_s == pytest.approx(lasted - (idle_s - idle_after_s), abs=SLACK_S)
    expect(officer.page.get_by_test_id("learning-time").first).to_contain_text("Learning time")
    instructor = sit_down(laptop)
    instructor.sign_in("I-1")
    instructor.go(f"/courses/{course}/people")
    instructor.page.get_by_role("link", name="A-1").click()
    expect(instructor.page.get_by_test_id("learning-time")).to_be_visible()
    instructor.page.get_by_test_id("attempt-log").click()
    expect(instructor.page.get_by_test_id("steps")).to_contain_text("The course is started.")
    expect(instructor.page.locator("main")).to_contain_text("Replayed: same.")


def test_listening_without_touching_anything_is_learning(
    sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path
) -> None:
    recording = tmp_path / "recording.mp3"
    recording.write_bytes(an_mp3(20))
    officer, _ = in_course(sit_down, laptop, recording)
    medium = officer.lesson.locator("#medium, audio, video").first
    medium.wait_for()

    began = time.monotonic()
    medium.evaluate("(medium) => medium.play()")
    officer.page.wait_for_timeout(7000)
    officer.press("nav-suspend")
    expect(officer.page.get_by_test_id("session-ended")).to_be_visible()
    lasted = time.monotonic() - began

    session_s, learning_s = times(laptop)
    assert session_s == pytest.approx(lasted, abs=SLACK_S)
    assert learning_s == pytest.approx(lasted, abs=SLACK_S)
