"""What stands where: the bar of the player at several widths, and the page that follows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from lms.demo import packages
from tests.browser.closing.place import unit_of
from tests.browser.conftest import Sitting
from tests.browser.visitor import Visitor
from tests.servers import NodeUnderTest

pytestmark = pytest.mark.browser

KEEP = "(_, n) => parent.API_1484_11.SetValue('cmi.suspend_data', 'x'.repeat(n))"
OUTLINE = {"en": "Outline", "ar": "المحتويات"}


@pytest.fixture
def in_the_second_lesson(sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path) -> Visitor:
    """An officer in the second lesson of two."""
    package = tmp_path / "course.zip"
    package.write_bytes(packages.scorm2004_many_scos(2))
    course = laptop.give(package, "A-1")
    officer = sit_down(laptop)
    officer.sign_in("A-1")
    officer.go(f"/learn/{course}")
    officer.press("nav-continue")
    expect(officer.page.get_by_test_id("player-frame")).to_have_attribute("title", "Around the vehicle")
    return officer


def test_rows_of_the_outline_end_where_the_page_does(in_the_second_lesson: Visitor) -> None:
    officer = in_the_second_lesson
    officer.press("nav-suspend")
    expect(officer.page.get_by_test_id("session-ended")).to_be_visible()

    rows, card = (officer.page.locator(part).bounding_box() for part in (".toc", ".card"))

    assert rows is not None
    assert card is not None
    assert (rows["x"], rows["width"]) == (card["x"], card["width"])


def test_the_outline_tells_how_the_open_lesson_stands_by_what_was_saved_last(
    in_the_second_lesson: Visitor,
) -> None:
    page = in_the_second_lesson.page
    unit = unit_of(page).locator("body")
    say = """(_, [score, verdict]) => {
      const api = parent.API_1484_11;
      api.SetValue("cmi.score.scaled", score);
      api.SetValue("cmi.success_status", verdict);
      api.Commit("");
    }"""
    unit.evaluate(say, ["0.1", "failed"])
    page.locator("[data-player=outline-toggle]").click()
    line = page.locator("[data-testid=toc-item][data-title='Around the vehicle']")
    expect(line).to_have_attribute("data-state", "failed")

    unit.evaluate(say, ["1", "passed"])

    expect(line).to_have_attribute("data-state", "passed")


def test_a_lesson_that_has_more_to_keep_than_fits_does_not_read_saved(
    in_the_second_lesson: Visitor,
) -> None:
    officer = in_the_second_lesson
    unit, state = unit_of(officer.page).locator("body"), officer.page.get_by_test_id("save-state")

    assert unit.evaluate(KEEP, 64_001) == "false"
    expect(state).to_have_attribute("data-state", "full")
    assert unit.evaluate("() => parent.API_1484_11.Commit('')") == "true"  # it goes with what is sent next
    officer.page.goto(f"{officer.page.url}/why")
    expect(officer.page.get_by_test_id("why-refused")).to_contain_text("64,001")


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_bar_keeps_to_one_row_where_not_all_is_saved(
    in_the_second_lesson: Visitor, language: str
) -> None:
    officer = in_the_second_lesson
    officer.press("nav-suspend")
    officer.page.get_by_test_id("language-menu").click()
    officer.page.locator(f".menu button[lang={language}]").click()
    expect(officer.page.locator("html")).to_have_attribute("lang", language)
    officer.page.locator(".card .button-primary").click()
    officer.expect_page(1, 3)
    officer.page.route("**/commit", lambda route: route.abort())
    officer.turn_pages(1)
    state, bar = officer.page.get_by_test_id("save-state"), officer.page.locator(".player-bar")
    expect(state).to_have_attribute("data-state", "unreachable")

    for width in (1366, 1200, 1100, 1000, 900):
        officer.page.set_viewport_size({"width": width, "height": 700})

        assert bar.evaluate("one => [one.offsetHeight, one.scrollWidth]") == [45, width]
        assert officer.page.get_by_role("button", name=OUTLINE[language]).is_visible()
    officer.page.unroute("**/commit")
    unit_of(officer.page).locator("body").evaluate(KEEP, 64_001)
    expect(state).to_have_attribute("data-state", "full")
    assert bar.evaluate("one => one.offsetHeight") == 45
    unit_of(officer.page).locator("body").evaluate(KEEP, 9)
    officer.expect_saved()  # or the browser asks whether to leave
