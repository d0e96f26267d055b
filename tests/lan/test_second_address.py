"""A hub with two addresses: its pages at one, courses at the other."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.lan.conftest import Hub, Sitting, open_course
from tests.lan.lab import COURSES_ADDRESS, HUB_ADDRESS

pytestmark = pytest.mark.browser


def test_a_second_address_takes_courses_out_of_reach_of_the_hubs_cookies(
    hub_apart: Hub, sit_down: Sitting
) -> None:
    officer = sit_down(hub_apart, "laptop1")
    open_course(officer, hub_apart, 1, course=hub_apart.school.prying)
    officer.lesson.locator("#here").wait_for()
    unit = officer.page.frames[-1]
    assert urlsplit(unit.url).hostname == COURSES_ADDRESS
    before = {(one["name"], one["value"]) for one in officer.context.cookies(hub_apart.at(HUB_ADDRESS))}

    unit.evaluate("document.cookie = 'outpost-planted=1; path=/'")

    after = {(one["name"], one["value"]) for one in officer.context.cookies(hub_apart.at(HUB_ADDRESS))}
    assert after == before
    assert not [
        one for one in officer.context.cookies(f"http://{COURSES_ADDRESS}:8002") if "session" in one["name"]
    ]
