"""An upload by the page: over a link that breaks and a browser that is closed, and one that is cancelled."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Sitting
from tests.browser.visitor import Visitor
from tests.course_builders import a_scorm_file
from tests.servers import NodeUnderTest

pytestmark = pytest.mark.browser


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = a_scorm_file(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("film.mp4", random.Random(4).randbytes(3_000_000))
    return path


@pytest.fixture
def instructor(sit_down: Sitting, laptop: NodeUnderTest) -> Visitor:
    instructor = sit_down(laptop)
    instructor.sign_in("I-1")
    return instructor


def choose(instructor: Visitor, package: Path) -> None:
    instructor.go("/courses/import")
    instructor.page.set_input_files("[name=file]", package)
    instructor.page.get_by_role("button", name="Import", exact=True).click()


def parts_here(laptop: NodeUnderTest) -> int:
    return sum(path.stat().st_size for path in (laptop.data / "uploads").glob("*.part"))


def break_the_link(instructor: Visitor, *, after: int) -> list[str]:
    """Let so many parts through, and then no request about uploads; return what was asked."""
    asked: list[str] = []

    def meet(route: Route) -> None:
        asked.append(route.request.method)
        if asked.count("PATCH") > after:
            route.abort("internetdisconnected")
        else:
            route.continue_()

    instructor.page.route("**/api/v1/uploads**", meet)
    instructor.page.route("**/api/v1/uploads/**", meet)
    return asked


def test_an_upload_goes_on_after_a_break_and_after_the_page_was_closed(
    instructor: Visitor, laptop: NodeUnderTest, package: Path
) -> None:
    break_the_link(instructor, after=2)
    choose(instructor, package)
    expect(instructor.page.get_by_text("The link is gone")).to_be_visible()
    came = parts_here(laptop)
    instructor.close_tab()

    asked = break_the_link(instructor, after=1000)
    choose(instructor, package)
    instructor.page.get_by_role("button", name="Publish edition 1").wait_for()

    assert 0 < came < package.stat().st_size
    assert asked[0] == "HEAD"
    assert "POST" not in asked
    assert list((laptop.data / "uploads").iterdir()) == []


def test_an_upload_that_is_cancelled_leaves_nothing(
    instructor: Visitor, laptop: NodeUnderTest, package: Path
) -> None:
    held: list[Route] = []

    def meet(route: Route) -> None:
        """Let one part through, hold the next."""
        if route.request.method == "PATCH" and (held or parts_here(laptop)):
            held.append(route)
        else:
            route.continue_()

    instructor.page.route("**/api/v1/uploads/**", meet)
    choose(instructor, package)
    expect(instructor.page.locator("[data-upload-shown] [role=status]")).to_contain_text("0.3 of 3 MB sent")

    instructor.page.get_by_role("button", name="Cancel the upload").click()

    expect(instructor.page.get_by_text("The upload was cancelled")).to_be_visible()
    expect(instructor.page.get_by_role("button", name="Import", exact=True)).to_be_enabled()
    assert list((laptop.data / "uploads").iterdir()) == []


def test_an_upload_that_was_gone_on_with_and_cancelled_leaves_the_list_of_those_that_stopped(
    instructor: Visitor, laptop: NodeUnderTest, package: Path
) -> None:
    break_the_link(instructor, after=1)
    choose(instructor, package)
    expect(instructor.page.locator("[data-upload-shown] [role=status]")).to_contain_text("The link is gone")
    instructor.go("/courses/import")
    expect(instructor.page.get_by_text("Not arrived whole")).to_be_visible()

    instructor.page.unroute_all()
    break_the_link(instructor, after=1)
    instructor.page.set_input_files("[name=file]", package)
    instructor.page.get_by_role("button", name="Import", exact=True).click()
    expect(instructor.page.locator("[data-upload-shown] [role=status]")).to_contain_text("The link is gone")
    instructor.page.unroute_all()
    instructor.page.get_by_role("button", name="Cancel the upload").click()

    expect(instructor.page.get_by_text("The upload was cancelled")).to_be_visible()
    expect(instructor.page.get_by_text("Not arrived whole")).to_be_hidden()
