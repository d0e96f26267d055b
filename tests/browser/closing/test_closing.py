"""What is lost when a lesson ends in a way nobody chose: the closing matrix (lms/player/README.md).

A unit writes the instant into its location ten times a second. After each closing, what the server has is held
against what the unit had last written: at most two seconds, and nothing that a Commit had answered "true" for.
The browser drops ``unload`` as those in the field will, from who does not ask for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from playwright.sync_api import expect

from tests.browser.closing.place import (
    MOST_LOST_MS,
    Officer,
    OwnBrowser,
    Tab,
    bar_says,
    close_browser,
    crash_page,
    in_unit,
    quit_browser,
    unit_of,
)
from tests.servers import NodeUnderTest

pytestmark = pytest.mark.browser


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
    time.sleep(2)  # in which the unit writes on
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
    time.sleep(5)  # as long as anything here waits for anything
    for one in reversed(asleep):
        one.resume()

    written = in_unit(own.page, "rest()")
    bar_says(own.page, "saved")
    lost = own_lesson.lost_ms(written)
    measured(lost)
    assert lost == 0
    assert (committed[0], own_lesson.values["cmi.suspend_data"]) == ("true", committed[1])
