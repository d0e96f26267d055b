"""A file of a course rots while a node runs: the officer is told in the player, and an import mends it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import FrameLocator, expect

from lms.demo import packages
from tests.browser.conftest import Sitting
from tests.browser.visitor import Visitor
from tests.servers import NodeUnderTest

pytestmark = pytest.mark.browser

STYLES = b":root {\n  --paper"


def flip_a_bit(laptop: NodeUnderTest, begins: bytes) -> None:
    """Change one bit of the file on the shelf that begins so."""
    files = (laptop.data / "shelf" / "files").glob("*/*")
    (path,) = [one for one in files if one.read_bytes().startswith(begins)]
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def told(officer: Visitor) -> FrameLocator:
    return officer.page.frame_locator("[data-testid=player-frame]")


def test_an_officer_is_told_of_a_damaged_file_until_an_import_mends_it(
    sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path
) -> None:
    package = tmp_path / "course.zip"
    package.write_bytes(packages.scorm2004_many_scos(2))
    instructor, officer = sit_down(laptop), sit_down(laptop)
    instructor.sign_in("I-1")
    officer.sign_in("A-1")
    course = instructor.import_course(package)
    instructor.enrol(course, "A-1")
    officer.go(f"/learn/{course}")
    officer.expect_page(1, 3)
    flip_a_bit(laptop, STYLES)

    officer.go(f"/learn/{course}")
    expect(told(officer).locator("h1")).to_have_text("A file of this course is damaged or missing here")
    told(officer).get_by_role("link", name="Open it all the same").click()
    officer.expect_page(1, 3)
    instructor.go(f"/courses/{course}/editions")
    expect(instructor.page.get_by_text("A file of edition 1 is damaged or missing here")).to_be_visible()

    instructor.go(f"/courses/import?into={course}")
    instructor.page.set_input_files("[name=file]", package)
    instructor.page.click("main button[type=submit]:has-text('Import')")
    expect(instructor.page.get_by_text("came back with it (number: 1)")).to_be_visible()
    officer.go(f"/learn/{course}")
    officer.expect_page(1, 3)
