"""A hub that loses its power: nobody says so, and what is sent to it goes nowhere."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Error as PlaywrightError

from tests.lan.conftest import Hub, School, Sitting, open_course, serve
from tests.lan.lab import Room, ip

pytestmark = [pytest.mark.browser, pytest.mark.soak]
WAITED_S = 60


@pytest.fixture
def plain_hub(room: Room, school: School) -> Iterator[Hub]:
    yield from serve(room, school, "http")


# Measured: more than 400 s. Commit waits by a synchronous request, which a window may give no time limit.
@pytest.mark.xfail(reason="a Commit into the void stops the unit until the system gives the connection up")
def test_a_lesson_goes_on_when_the_hub_vanishes(plain_hub: Hub, sit_down: Sitting) -> None:
    assert stood_still_s(plain_hub, sit_down) < 20


def stood_still_s(hub: Hub, sit_down: Sitting) -> float:
    """Return for how many seconds the unit answers nothing after its first commit into the void, up to a minute."""
    officer = sit_down(hub, "laptop2")
    open_course(officer, hub, 2)
    officer.expect_saved()
    ip("-n", hub.room.namespace("switch"), "link", "set", "to-hub", "down")
    began = time.monotonic()
    try:
        while time.monotonic() - began < WAITED_S:
            try:
                officer.lesson.locator("#next").click(timeout=5_000)
                officer.lesson.locator("#page-number").inner_text(timeout=5_000)
                break
            except PlaywrightError:
                continue
        return time.monotonic() - began
    finally:
        ip("-n", hub.room.namespace("switch"), "link", "set", "to-hub", "up")
