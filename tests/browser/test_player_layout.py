"""What stands where: the bar of the player at several widths, and the page that follows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from lms.demo import packages
from tests.browser.conftest import Sitting
from tests.browser.visitor import Visitor
from tests.servers import NodeUnderTest

pytestmark = pytest.mark.browser


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
