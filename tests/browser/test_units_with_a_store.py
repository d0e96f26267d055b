"""Courses whose units speak to the record store themselves, taken in a browser: cmi5, and an xAPI package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import IN_EACH, Sitting
from tests.browser.visitor import Visitor
from tests.cmi5_builders import a_block, a_cmi5_package, a_structure, a_tincan, an_au
from tests.package_builders import zipped
from tests.servers import NodeUnderTest

pytestmark = pytest.mark.browser

UNIT = (Path(__file__).parents[1] / "cmi5_unit.html").read_bytes()
JUDGED = 'moveOn="CompletedAndPassed" masteryScore="0.9"'
OWN_WINDOW = f'{JUDGED} launchMethod="OwnWindow"'


def given_course(
    sit_down: Sitting, laptop: NodeUnderTest, files: dict[str, bytes], folder: Path
) -> tuple[str, Visitor]:
    """Return the id of a course of these files, and the officer in front of its player."""
    path = folder / "course.zip"
    path.write_bytes(zipped(files))
    course = laptop.give(path, "A-1")
    officer = sit_down(laptop)
    officer.sign_in("A-1")
    officer.page.locator(f"main a[href='/courses/{course}']").first.click()
    officer.page.get_by_test_id("continue").click()
    return course, officer


@IN_EACH
def test_an_officer_takes_two_units_to_satisfied(
    sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path
) -> None:
    units = a_block(
        an_au("https://example.org/au/1", attributes=JUDGED)
        + an_au("https://example.org/au/2", attributes=JUDGED)
    )
    files = a_cmi5_package(a_structure(units), **{"index.html": UNIT})
    course, officer = given_course(sit_down, laptop, files, tmp_path)
    unit = officer.page.frame_locator("[data-testid=player-frame]")
    expect(unit.locator("#state")).to_have_text("Ready, the LMS is out of reach")
    unit.locator("#finish").click()

    expect(officer.page.get_by_test_id("session-ended")).to_be_visible()
    states = officer.page.get_by_test_id("toc-item")
    expect(states.nth(1)).to_have_attribute("data-state", "passed")
    expect(states.nth(2)).to_have_attribute("data-state", "not started")

    officer.page.get_by_role("link", name="Go on with this course").click()
    expect(unit.locator("#state")).to_have_text(re.compile("Ready"))
    unit.locator("#finish").click()
    expect(officer.page.get_by_test_id("session-ended")).to_be_visible()
    expect(officer.page.locator(".result")).to_contain_text("Passed")
    expect(officer.page.locator(".result")).to_contain_text("95")

    officer.page.locator("[data-testid=toc-item]").nth(1).click()
    expect(unit.locator("#mode")).to_have_text("Review")

    instructor = sit_down(laptop)
    instructor.sign_in("I-1")
    instructor.go(f"/courses/{course}/people")
    expect(instructor.roster_row("A-1")).to_contain_text("Passed")
    expect(instructor.roster_row("A-1")).to_contain_text("Post 4")


def test_a_unit_in_a_window_of_its_own_is_never_framed_and_comes_back(
    sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path
) -> None:
    structure = a_structure(an_au(attributes=OWN_WINDOW))
    _, officer = given_course(sit_down, laptop, a_cmi5_package(structure, **{"index.html": UNIT}), tmp_path)

    expect(officer.page.locator("#state")).to_have_text("Ready, the LMS is out of reach")
    assert officer.page.evaluate("window === top")
    officer.page.locator("#fail").click()

    expect(officer.page.get_by_test_id("session-ended")).to_be_visible()
    expect(officer.page.locator(".result")).to_contain_text("Not passed")


@pytest.mark.parametrize(
    "files",
    [
        a_cmi5_package(a_structure(an_au(attributes=JUDGED)), **{"index.html": UNIT}),
        {"tincan.xml": a_tincan().encode(), "index.html": UNIT},
    ],
    ids=["cmi5", "xapi"],
)
def test_two_tabs_of_a_course_say_in_which_it_goes_on(
    sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path, files: dict[str, bytes]
) -> None:
    course, officer = given_course(sit_down, laptop, files, tmp_path)
    unit = officer.page.frame_locator("[data-testid=player-frame]")
    expect(unit.locator("#state")).to_have_text("Ready, the LMS is out of reach")
    second = officer.context.new_page()
    second.goto(f"{laptop.url}/learn/{course}/units")

    expect(second.get_by_test_id("moved-here")).to_contain_text("was open in another tab")
    told = officer.page.get_by_test_id("goes-on-elsewhere")
    expect(told).to_contain_text("This lesson goes on in another tab or on another device")
    expect(officer.page.get_by_test_id("player-frame")).to_have_count(0)

    told.get_by_role("link", name="Go on here").click()
    expect(unit.locator("#state")).to_have_text("Ready, the LMS is out of reach")
    expect(second.get_by_test_id("goes-on-elsewhere")).to_be_visible()


def test_a_lesson_opened_on_another_device_says_so_on_the_first(
    sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path
) -> None:
    files = a_cmi5_package(a_structure(an_au(attributes=JUDGED)), **{"index.html": UNIT})
    course, officer = given_course(sit_down, laptop, files, tmp_path)
    unit = officer.page.frame_locator("[data-testid=player-frame]")
    expect(unit.locator("#state")).to_have_text("Ready, the LMS is out of reach")
    look = "document.dispatchEvent(new Event('visibilitychange'))"
    with officer.page.expect_response("**/unit-sessions/*"):
        officer.page.evaluate(look)
    expect(officer.page.get_by_test_id("goes-on-elsewhere")).to_be_hidden()

    other = sit_down(laptop)
    other.sign_in("A-1")
    other.go(f"/learn/{course}/units")
    officer.page.evaluate(look)

    told = officer.page.get_by_test_id("goes-on-elsewhere")
    expect(told).to_contain_text("goes on in another tab or on another device")
    expect(officer.page.get_by_test_id("player-frame")).to_have_count(0)


def test_an_xapi_package_completes_its_course(
    sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path
) -> None:
    files = {"tincan.xml": a_tincan().encode(), "index.html": UNIT}
    course, officer = given_course(sit_down, laptop, files, tmp_path)
    unit = officer.page.frame_locator("[data-testid=player-frame]")
    expect(unit.locator("#state")).to_have_text("Ready, the LMS is out of reach")
    unit.locator("#finish").click()
    expect(unit.locator("#state")).to_have_text("Ended")

    officer.press("nav-suspend")
    expect(officer.page.locator(".result")).to_contain_text("Passed")

    instructor = sit_down(laptop)
    instructor.sign_in("I-1")
    instructor.go(f"/courses/{course}/people")
    expect(instructor.roster_row("A-1")).to_contain_text("Passed")
