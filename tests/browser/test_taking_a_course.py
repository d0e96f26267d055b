"""An instructor imports a course by its page; an officer stops half-way, comes back, and passes."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from lms.demo import packages
from tests.browser.conftest import IN_EACH, Sitting
from tests.browser.visitor import Visitor
from tests.servers import NodeUnderTest

pytestmark = pytest.mark.browser


def a_file(folder: Path, package: bytes) -> Path:
    path = folder / "course.zip"
    path.write_bytes(package)
    return path


def given_course(sit_down: Sitting, laptop: NodeUnderTest, path: Path) -> str:
    """Import, publish and enrol by the instructor's pages; return the course's id."""
    instructor = sit_down(laptop)
    instructor.sign_in("I-1")
    course = instructor.import_course(path)
    instructor.enrol(course, "A-1")
    return course


def officer_in(sit_down: Sitting, laptop: NodeUnderTest, course: str) -> Visitor:
    officer = sit_down(laptop)
    officer.sign_in("A-1")
    officer.page.locator(f"main a[href='/courses/{course}']").first.click()
    officer.page.get_by_test_id("continue").click()
    return officer


@IN_EACH
@pytest.mark.parametrize("package", [packages.scorm12_single_sco, packages.scorm2004_single_sco])
def test_an_officer_stops_half_way_comes_back_and_passes(
    sit_down: Sitting, laptop: NodeUnderTest, package: Callable[[], bytes], tmp_path: Path
) -> None:
    course = given_course(sit_down, laptop, a_file(tmp_path, package()))
    officer = officer_in(sit_down, laptop, course)
    officer.expect_page(1, 5)
    officer.turn_pages(2)
    officer.expect_page(3, 5)
    officer.close_tab()

    officer.go("/")
    officer.page.get_by_test_id("continue").click()
    officer.page.get_by_test_id("continue").click()
    officer.expect_page(3, 5)
    officer.turn_pages(2)
    officer.answer_and_finish()
    officer.expect_saved()
    officer.press("nav-exit")

    expect(officer.page.get_by_test_id("session-ended")).to_be_visible()
    expect(officer.page.locator("main")).to_contain_text("Passed")
    expect(officer.page.locator("main")).to_contain_text("100")

    instructor = sit_down(laptop)
    instructor.sign_in("I-1")
    instructor.go(f"/courses/{course}/people")
    expect(instructor.roster_row("A-1")).to_contain_text("Passed")
    expect(instructor.roster_row("A-1")).to_contain_text("Post 4")


def test_a_press_on_next_before_the_unit_has_its_script_waits_for_it(
    sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path
) -> None:
    course = laptop.give(a_file(tmp_path, packages.scorm2004_single_sco()), "A-1")
    officer = sit_down(laptop)
    officer.sign_in("A-1")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    officer.context.route("**/shared/course.js", hold)
    officer.go(f"/courses/{course}")
    officer.page.get_by_test_id("continue").click()
    next_page = officer.lesson.locator("#next")
    expect(next_page).to_be_disabled()
    held.pop().continue_()
    officer.turn_pages(1)

    officer.expect_page(2, 5)


@pytest.mark.parametrize("package", [packages.scorm12_many_scos, packages.scorm2004_many_scos])
def test_many_units_are_taken_by_next_previous_and_outline(
    sit_down: Sitting, laptop: NodeUnderTest, package: Callable[[int], bytes], tmp_path: Path
) -> None:
    course = laptop.give(a_file(tmp_path, package(2)), "A-1")
    officer = officer_in(sit_down, laptop, course)
    frame = officer.page.get_by_test_id("player-frame")
    expect(frame).to_have_attribute("title", "Before you begin")
    expect(officer.page.get_by_test_id("nav-previous")).to_have_count(0)
    officer.turn_pages(1)
    officer.press("nav-continue")
    expect(frame).to_have_attribute("title", "Around the vehicle")
    officer.expect_page(1, 3)
    officer.press("nav-previous")
    expect(frame).to_have_attribute("title", "Before you begin")
    officer.expect_page(2, 3)
    officer.turn_pages(1)
    officer.answer_and_finish()
    officer.expect_saved()

    officer.page.get_by_role("button", name="Outline").click()
    officer.page.locator("[data-testid=toc-item][data-title='Around the vehicle']").click()
    expect(frame).to_have_attribute("title", "Around the vehicle")
    officer.expect_page(1, 3)
    officer.turn_pages(2)
    officer.answer_and_finish()
    officer.expect_saved()
    officer.press("nav-exit")

    expect(officer.page.get_by_test_id("session-ended")).to_be_visible()
    states = officer.page.get_by_test_id("toc-item")
    expect(states.nth(0)).to_have_attribute("data-state", "passed")
    expect(states.nth(1)).to_have_attribute("data-state", "passed")


SECOND_ONLY_AFTER_FIRST = """<manifest identifier="m" xmlns="http://www.imsglobal.org/xsd/imscp_v1p1"
  xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_v1p3" xmlns:imsss="http://www.imsglobal.org/xsd/imsss">
<metadata><schema>ADL SCORM</schema><schemaversion>2004 4th Edition</schemaversion></metadata>
<organizations default="o"><organization identifier="o"><title>Step by step</title>
<item identifier="first" identifierref="r"><title>First</title><imsss:sequencing><imsss:objectives>
<imsss:primaryObjective objectiveID="done"><imsss:mapInfo targetObjectiveID="first-done" writeSatisfiedStatus="true"/>
</imsss:primaryObjective></imsss:objectives><imsss:deliveryControls objectiveSetByContent="true"/>
</imsss:sequencing></item>
<item identifier="second" identifierref="r"><title>Second</title><imsss:sequencing><imsss:sequencingRules>
<imsss:preConditionRule><imsss:ruleConditions>
<imsss:ruleCondition referencedObjective="before" operator="not" condition="objectiveStatusKnown"/>
</imsss:ruleConditions><imsss:ruleAction action="disabled"/></imsss:preConditionRule></imsss:sequencingRules>
<imsss:objectives><imsss:primaryObjective/><imsss:objective objectiveID="before">
<imsss:mapInfo targetObjectiveID="first-done" readSatisfiedStatus="true"/></imsss:objective></imsss:objectives>
</imsss:sequencing></item>
<imsss:sequencing><imsss:controlMode choice="true" flow="true"/></imsss:sequencing></organization></organizations>
<resources><resource identifier="r" type="webcontent" adlcp:scormType="sco" href="page.html"><file href="page.html"/>
</resource></resources></manifest>"""
PASSES_WHEN_PRESSED = """<!doctype html><title>Page</title><button id="pass">Pass</button><script>
const api = parent.API_1484_11;
api.Initialize("");
document.getElementById("pass").onclick = () => {
  api.SetValue("cmi.success_status", "passed");
  api.Commit("");
};
</script>"""


def test_what_a_unit_reports_opens_the_next_one_without_loading_the_page_again(
    sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path
) -> None:
    package = BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("imsmanifest.xml", SECOND_ONLY_AFTER_FIRST)
        archive.writestr("page.html", PASSES_WHEN_PRESSED)
    course = laptop.give(a_file(tmp_path, package.getvalue()), "A-1")
    officer = officer_in(sit_down, laptop, course)
    expect(officer.page.get_by_test_id("nav-exit")).to_be_visible()
    expect(officer.page.get_by_test_id("nav-continue")).to_have_count(0)

    officer.lesson.locator("#pass").click()
    officer.press("nav-continue")

    expect(officer.page.get_by_test_id("player-frame")).to_have_attribute("title", "Second")


@pytest.fixture
def between_two_units(sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path) -> Visitor:
    """An officer in the first unit of two, half through it."""
    course = laptop.give(a_file(tmp_path, packages.scorm2004_many_scos(2)), "A-1")
    officer = officer_in(sit_down, laptop, course)
    officer.turn_pages(1)
    officer.expect_saved()
    return officer


def hold(officer: Visitor, requests: str = "**/commit") -> list[Route]:
    """Keep requests from the server from now on, those that save if no others are named; return where they wait."""
    held: list[Route] = []
    officer.page.route(requests, lambda route: held.append(route))  # noqa: PLW0108 - Playwright asks for its arguments
    return held


def test_next_needs_no_second_press_however_slowly_the_server_keeps_the_rest(
    between_two_units: Visitor,
) -> None:
    officer = between_two_units
    held = hold(officer)

    officer.press("nav-continue")
    expect(officer.page.get_by_test_id("save-state")).to_have_attribute("data-state", "leave-anyway")
    for commit in held:
        commit.continue_()

    expect(officer.page.get_by_test_id("player-frame")).to_have_attribute("title", "Around the vehicle")


def test_what_the_learner_asks_for_comes_before_what_the_unit_asks_for_meanwhile(
    between_two_units: Visitor,
) -> None:
    officer = between_two_units
    held = hold(officer, "**/visit")
    officer.press("nav-continue")

    officer.lesson.locator("body").evaluate(
        "() => { const api = parent.API_1484_11; api.SetValue('adl.nav.request', 'exit'); api.Terminate(''); }"
    )
    officer.page.wait_for_timeout(500)
    for route in held:
        route.continue_()

    expect(officer.page.get_by_test_id("player-frame")).to_have_attribute("title", "Around the vehicle")


@pytest.mark.parametrize("apart_ms", [20, 100, 300])
def test_a_double_click_on_next_is_one_press(
    sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path, apart_ms: int
) -> None:
    course = given_course(sit_down, laptop, a_file(tmp_path, packages.scorm2004_many_scos(3)))
    officer = officer_in(sit_down, laptop, course)
    officer.expect_page(1, 3)
    button = officer.page.get_by_test_id("nav-continue").bounding_box()
    assert button is not None

    mouse = officer.page.mouse
    mouse.move(button["x"] + 5, button["y"] + 5)
    for click in (1, 2):
        mouse.down(click_count=click)
        mouse.up(click_count=click)
        officer.page.wait_for_timeout(apart_ms)

    officer.page.wait_for_timeout(1_000)
    expect(officer.page.locator(".player-place")).to_have_text("2 of 3")


def test_a_second_press_leaves_what_cannot_be_saved(between_two_units: Visitor) -> None:
    officer = between_two_units
    hold(officer)
    officer.press("nav-continue")
    expect(officer.page.get_by_test_id("save-state")).to_have_attribute("data-state", "leave-anyway")

    officer.press("nav-continue")

    expect(officer.page.get_by_test_id("player-frame")).to_have_attribute("title", "Around the vehicle")


def test_the_browsers_back_button_leads_to_a_lesson_that_works(between_two_units: Visitor) -> None:
    officer = between_two_units
    officer.press("nav-continue")
    expect(officer.page.get_by_test_id("player-frame")).to_have_attribute("title", "Around the vehicle")
    officer.expect_page(1, 3)

    officer.page.go_back()

    officer.expect_page(1, 3)
    officer.turn_pages(1)
    officer.expect_page(2, 3)
    officer.expect_saved()


@pytest.mark.parametrize("control", ["nav-continue", "leave"])
def test_who_asks_for_something_else_while_the_server_is_away_stays_in_the_lesson(
    between_two_units: Visitor, laptop: NodeUnderTest, control: str
) -> None:
    officer = between_two_units
    way = officer.page.locator(f".player-bar [data-testid={control}], .player-bar a[data-player={control}]")
    away = officer.page.get_by_test_id("away")
    laptop.kill()

    way.click()
    expect(away).to_contain_text("This lesson stays open")
    officer.turn_pages(1)
    officer.expect_page(3, 3)
    laptop.start()
    expect(away).to_be_hidden()
    officer.expect_saved()
    way.click()

    if control == "leave":
        expect(officer.page).to_have_url(f"{laptop.url}/")
    else:
        expect(officer.page.get_by_test_id("player-frame")).to_have_attribute("title", "Around the vehicle")


def test_a_lesson_that_ended_itself_says_so(between_two_units: Visitor) -> None:
    officer = between_two_units
    officer.turn_pages(1)
    officer.answer_and_finish()

    expect(officer.page.get_by_test_id("save-state")).to_have_text("Ended and saved")
