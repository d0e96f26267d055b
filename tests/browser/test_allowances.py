"""What older courses need and the fence keeps from them, until an administrator allows it to one course."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from lms.demo import packages
from tests.browser.conftest import Sitting
from tests.browser.visitor import PASSWORD, Visitor
from tests.package_builders import a_manifest_12, a_zip
from tests.servers import NodeUnderTest

pytestmark = pytest.mark.browser

FRAMES = {
    "index.html": "<frameset cols='200,*'><frame src=menu.html><frame name=page src=first.html></frameset>",
    "menu.html": "<a id=link target=page href=second.html>Two</a>"
    "<a id=script href=\"javascript:void(parent.page.location.href = 'third.html')\">Three</a>",
    "first.html": "<h1>One</h1>",
    "second.html": "<h1>Two</h1>",
    "third.html": "<h1>Three</h1>",
}
WINDOWS = {
    "index.html": "<button onclick=\"held = window.open('lesson.html'); held.wanted = 'held'\">Start</button>",
    "lesson.html": "<h1>Lesson</h1><script>onload = () => document.title = window.wanted + ' by ' + !!opener</script>",
}


@pytest.fixture(scope="module")
def administered(laptop: NodeUnderTest) -> NodeUnderTest:
    laptop.people({"H-1": "hub_admin"}, password=PASSWORD)
    return laptop


def given(laptop: NodeUnderTest, folder: Path, pages: dict[str, str]) -> str:
    files = {name: text.encode() for name, text in pages.items()}
    package = a_zip(folder / "course.zip", {"imsmanifest.xml": a_manifest_12().encode(), **files})
    return laptop.give(package, "A-1")


def allow(sit_down: Sitting, laptop: NodeUnderTest, course: str, label: str) -> None:
    administrator = sit_down(laptop)
    administrator.sign_in("H-1")
    administrator.go(f"/courses/{course}/allowed")
    administrator.page.get_by_label(label).check()
    administrator.page.get_by_role("button", name="Save").click()
    expect(administrator.page.get_by_text("Saved. It holds from the next time")).to_be_visible()


def test_a_lesson_in_a_window_of_its_own_lets_nobody_go_before_all_is_saved(
    sit_down: Sitting, administered: NodeUnderTest, tmp_path: Path
) -> None:
    package = tmp_path / "course.zip"
    package.write_bytes(packages.scorm2004_single_sco())
    course = administered.give(package, "A-1")
    allow(sit_down, administered, course, "It is opened in a window of its own")
    officer = sit_down(administered)
    officer.sign_in("A-1")
    officer.go(f"/learn/{course}")
    lesson, word = officer.page.frame_locator("iframe"), officer.page.get_by_role("status")
    back = officer.page.get_by_role("link", name="Back")

    lesson.locator("#next").click()
    expect(word).to_have_text("Saved")
    administered.kill()
    lesson.locator("#next").click()
    expect(word).to_have_text("Server out of reach. Keep this page open: your work is only here.")
    back.click()
    expect(word).to_have_text("Not everything is saved yet. Press again to leave anyway.")
    administered.start()

    officer.page.wait_for_url(lambda url: "/after" in url)
    officer.go(f"/learn/{course}")
    expect(officer.page.frame_locator("iframe").locator("#page-number")).to_contain_text("Page 3 of")


def test_frames_lead_each_other_where_they_may(
    sit_down: Sitting, administered: NodeUnderTest, tmp_path: Path
) -> None:
    course = given(administered, tmp_path, FRAMES)
    officer = sit_down(administered)
    officer.sign_in("A-1")
    menu, page = (officer.lesson.frame_locator(f"frame >> nth={number}") for number in (0, 1))

    officer.go(f"/learn/{course}")
    expect(page.locator("h1")).to_have_text("One")
    menu.locator("#link").click()
    officer.page.wait_for_timeout(500)
    expect(page.locator("h1")).to_have_text("One")  # browsers say so in the console only
    allow(sit_down, administered, course, "Its frames may lead each other")

    officer.go(f"/learn/{course}")
    menu.locator("#link").click()
    expect(page.locator("h1")).to_have_text("Two")
    menu.locator("#script").click()
    expect(page.locator("h1")).to_have_text("Three")


@pytest.mark.parametrize("label", ["It may open windows", "Its frames may lead each other"])
def test_a_lesson_holds_the_window_that_it_may_open(
    sit_down: Sitting, administered: NodeUnderTest, tmp_path: Path, label: str
) -> None:
    course = given(administered, tmp_path, WINDOWS)
    allow(sit_down, administered, course, label)
    officer: Visitor = sit_down(administered)
    officer.sign_in("A-1")
    officer.go(f"/learn/{course}")

    with officer.context.expect_page() as opened:
        officer.lesson.get_by_role("button", name="Start").click()

    expect(opened.value.locator("h1")).to_have_text("Lesson")
    assert opened.value.evaluate("!!window.opener")
