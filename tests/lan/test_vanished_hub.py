"""A hub that loses its power: nobody says so, and what is sent to it goes nowhere."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.lan.conftest import Hub, School, Sitting, open_course, serve
from tests.lan.lab import Room, ip

pytestmark = [pytest.mark.browser, pytest.mark.soak]
SAVE = """(_, place) => {
  parent.API.LMSSetValue("cmi.core.lesson_location", place);
  return parent.API.LMSCommit("");
}"""
LONGEST_STILL_S = 10  # three, on a machine that has nothing else to do


@pytest.fixture
def plain_hub(room: Room, school: School) -> Iterator[Hub]:
    yield from serve(room, school, "http")


def test_a_lesson_goes_on_when_the_hub_vanishes_and_its_work_arrives_when_it_is_back(
    plain_hub: Hub, sit_down: Sitting, request: pytest.FixtureRequest
) -> None:
    officer = sit_down(plain_hub, "laptop2")
    open_course(officer, plain_hub, 2)
    officer.lesson.locator("#page-number").wait_for()
    officer.expect_saved()

    switch, end = plain_hub.room.namespace("switch"), "to-hub"
    ip("-n", switch, "link", "set", end, "down")
    try:
        answers, still_s = [], []
        for place in ("1", "2"):  # the first commit into the void, and one when it is known
            began = time.monotonic()
            answers.append(officer.lesson.locator("body").evaluate(SAVE, place))
            still_s.append(time.monotonic() - began)
        expect(officer.page.get_by_test_id("save-state")).to_have_attribute("data-state", "unreachable")
    finally:
        ip("-n", switch, "link", "set", end, "up")
    request.node.user_properties.append(("still_s", still_s))

    assert answers == ["false", "false"]
    assert max(still_s) < LONGEST_STILL_S
    officer.expect_saved()
