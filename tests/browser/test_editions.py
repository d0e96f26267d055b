"""An edition replaced under an officer in mid-course: she stays, she moves, all is rolled back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from lms.demo import packages
from tests.browser.conftest import Sitting
from tests.browser.visitor import Visitor
from tests.servers import NodeUnderTest

pytestmark = pytest.mark.browser


def import_edition(instructor: Visitor, course: str, package: Path) -> None:
    """Upload a package into a course, and go to the page that asks what becomes of whom."""
    instructor.go(f"/courses/import?into={course}")
    instructor.page.set_input_files("[name=file]", package)
    instructor.page.click("main button[type=submit]:has-text('Import')")
    instructor.page.get_by_role("link", name="Publish edition 2").click()
    expect(instructor.page.locator("main")).to_contain_text("1 officer in mid-course")


def choose(instructor: Visitor, edition: int, choice: str, button: str) -> None:
    instructor.page.get_by_label(f"Officers in mid-course in edition {edition}").select_option(choice)
    instructor.page.get_by_role("button", name=button).click()
    expect(instructor.page.locator("h1")).to_have_text("Officers in mid-course")


def expect_units(officer: Visitor, course: str, count: int) -> None:
    """Open the course: the officer is where she was, in an outline of so many units."""
    officer.go(f"/learn/{course}")
    officer.expect_page(2, 3)
    expect(officer.page.locator(".player-place")).to_have_text(f"1 of {count}")


def test_an_edition_is_replaced_under_an_officer_and_rolled_back(
    sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path
) -> None:
    two, three = tmp_path / "two.zip", tmp_path / "three.zip"
    two.write_bytes(packages.scorm2004_many_scos(2))
    three.write_bytes(packages.scorm2004_many_scos(3))
    instructor, officer = sit_down(laptop), sit_down(laptop)
    instructor.sign_in("I-1")
    officer.sign_in("A-1")
    course = instructor.import_course(two)
    instructor.enrol(course, "A-1")
    officer.go(f"/learn/{course}")
    officer.turn_pages(1)
    officer.expect_page(2, 3)
    officer.expect_saved()

    import_edition(instructor, course, three)
    choose(instructor, 1, "Stay on edition 1", "Publish edition 2")
    expect_units(officer, course, 2)

    choose(instructor, 1, "Move to edition 2", "Move them as chosen")
    expect_units(officer, course, 3)

    instructor.go(f"/courses/{course}/editions")
    instructor.page.get_by_role("link", name="Publish edition 1").click()
    expect(instructor.page.locator("main")).to_contain_text(re.compile(r"1 officer in mid-course"))
    choose(instructor, 2, "Move to edition 1", "Publish edition 1")
    expect_units(officer, course, 2)
