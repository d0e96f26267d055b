"""An instructor tries a course: she sees what it calls and what would be recorded, and nothing of it is left."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect
from sqlalchemy import func, select

from lms.database import Database
from lms.demo import packages
from migrations import all_metadata
from tests.browser.conftest import Sitting
from tests.browser.visitor import PASSWORD, Visitor
from tests.media_builders import a_pdf
from tests.postgres import Postgres
from tests.servers import NodeUnderTest, node

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeUnderTest]:
    with node(tmp_path_factory.mktemp("laptop"), name="Post 4") as laptop:
        laptop.run("user", "create", "I-1", "--role", "instructor", "--password-stdin", stdin=PASSWORD)
        laptop.start()
        yield laptop


def a_trial(
    sit_down: Sitting, laptop: NodeUnderTest, package: bytes, folder: Path, *, name: str = "course.zip"
) -> Visitor:
    """Import a course as an instructor, and press "Try it" before anybody is given it."""
    path = folder / name
    path.write_bytes(package)
    instructor = sit_down(laptop)
    instructor.sign_in("I-1")
    instructor.go("/courses/import")
    instructor.page.set_input_files("[name=file]", path)
    instructor.page.click("main button[type=submit]:has-text('Import')")
    instructor.page.get_by_role("button", name="Try it").click()
    expect(instructor.page.get_by_test_id("trial-mark")).to_contain_text("Nothing of this is kept")
    return instructor


def rows(node: NodeUnderTest) -> dict[str, int]:
    """Return how many rows each table of the node has, but for those of sync, which counts the course itself."""
    database = Database(node.database_url or f"sqlite:///{(node.data / 'outpost.db').as_posix()}")
    with database.read() as session:
        counts = {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for metadata in all_metadata()
            for table in metadata.sorted_tables
            if not table.name.startswith("sync")
        }
    database.close()
    return counts


def lines(instructor: Visitor) -> Locator:
    return instructor.page.get_by_test_id("trial-lines").locator("> li:not([hidden])")


@pytest.mark.parametrize(
    ("package", "call", "code"),
    [
        (packages.scorm2004_single_sco, "API_1484_11.SetValue", "401"),
        (packages.scorm12_single_sco, "API.LMSSetValue", "201"),
    ],
)
def test_a_trial_shows_its_calls_and_leaves_nothing(
    sit_down: Sitting,
    laptop: NodeUnderTest,
    tmp_path: Path,
    *,
    package: Callable[[], bytes],
    call: str,
    code: str,
) -> None:
    instructor = a_trial(sit_down, laptop, package(), tmp_path)
    page = instructor.page
    trial = page.url.rsplit("/", 1)[1]
    database = laptop.data / "trials" / f"{trial.replace('-', '')}.db"
    before = rows(laptop)
    assert database.exists()

    instructor.expect_page(1, 5)
    instructor.turn_pages(4)
    element = "cmi.<img src=x onerror=alert(1)>"
    instructor.lesson.locator("body").evaluate(f"(_, element) => parent.{call}(element, 'x')", element)
    refused = lines(instructor).filter(has_text=f'{call.partition(".")[2]}("{element}", "x")')
    expect(refused).to_have_attribute("data-error", code)
    expect(refused).to_contain_text(code)
    expect(lines(instructor).filter(has_text="Opened: ")).to_have_count(1)

    page.get_by_label("Errors only").check()
    expect(refused).to_be_visible()
    expect(lines(instructor).filter(has_text="Opened: ")).to_have_count(0)
    page.get_by_label("Errors only").uncheck()
    page.get_by_label("Search in the log").fill("initialize(")
    expect(lines(instructor).first).to_contain_text("Initialize")
    page.get_by_label("Search in the log").fill("")

    instructor.answer_and_finish()
    instructor.expect_saved()
    expect(lines(instructor).filter(has_text="commit").last).to_contain_text("terminated")
    instructor.press("nav-exit")

    expect(page.get_by_test_id("trial-result")).to_contain_text("Passed")
    expect(page.get_by_test_id("trial-result")).to_contain_text("100")
    expect(page.get_by_test_id("trial-statements")).to_contain_text("The trial learner · passed")
    expect(page.get_by_role("table").last).to_contain_text("cmi.interactions.0.id")
    expect(lines(instructor).last).to_contain_text("No unit is next")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download").click()
    told = [json.loads(line) for line in waiting.value.path().read_text(encoding="utf-8").splitlines()]
    assert [one["code"] for one in told if one["arguments"][:1] == [element]] == [code]
    assert {one["kind"] for one in told} == {"call", "commit", "decision"}

    page.get_by_role("button", name="End the trial").click()

    page.wait_for_url(re.compile(r"/courses/[0-9a-f-]{36}/editions$"))
    assert list((laptop.data / "trials").iterdir()) == []
    assert rows(laptop) == before
    instructor.go(f"/trials/{trial}")
    expect(page.locator("h1")).to_have_text("This trial has ended")


def test_a_trial_of_many_units_keeps_its_log_from_one_to_the_next(
    sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path
) -> None:
    instructor = a_trial(sit_down, laptop, packages.scorm2004_many_scos(2), tmp_path)
    instructor.turn_pages(1)
    instructor.expect_saved()

    instructor.press("nav-continue")

    instructor.expect_page(1, 3)
    expect(lines(instructor).filter(has_text="Opened: ")).to_have_count(2)
    expect(lines(instructor).filter(has_text='Initialize("")')).to_have_count(2)
    units = instructor.page.locator(".trial-unit:visible")
    expect(units).to_have_text(["Before you begin", "Around the vehicle"])
    instructor.page.get_by_test_id("trial-end").click()
    instructor.page.wait_for_url(re.compile(r"/editions$"))
    assert list((laptop.data / "trials").iterdir()) == []


def test_a_file_is_tried_like_a_package(sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path) -> None:
    instructor = a_trial(sit_down, laptop, a_pdf(pages=1), tmp_path, name="Handbook.pdf")

    expect(lines(instructor).filter(has_text='Initialize("")')).to_have_count(1)
    expect(lines(instructor).filter(has_text='SetValue("cmi.progress_measure", "1")')).not_to_have_count(0)
    instructor.expect_saved()
    instructor.page.get_by_role("link", name="What would be recorded").click()

    expect(instructor.page.get_by_test_id("trial-result")).to_contain_text("Completed")
    instructor.page.get_by_role("button", name="End the trial").click()
    instructor.page.wait_for_url(re.compile(r"/editions$"))


def test_several_processes_on_postgresql_serve_one_trial(
    sit_down: Sitting, postgres: Postgres, tmp_path: Path
) -> None:
    with node(tmp_path / "hub", role="hub", database_url=postgres.create()) as hub:
        hub.run("user", "create", "I-1", "--role", "instructor", "--password-stdin", stdin=PASSWORD)
        hub.start("--workers", "3")
        instructor = a_trial(sit_down, hub, packages.scorm2004_single_sco(), tmp_path)
        before = rows(hub)
        instructor.turn_pages(4)
        instructor.answer_and_finish()
        instructor.expect_saved()
        instructor.press("nav-exit")
        expect(instructor.page.get_by_test_id("trial-result")).to_contain_text("Passed")

        instructor.page.get_by_role("button", name="End the trial").click()

        instructor.page.wait_for_url(re.compile(r"/editions$"))
        assert list((hub.data / "trials").iterdir()) == []
        assert rows(hub) == before


def test_the_log_follows_until_one_reads_further_up_and_says_what_it_dropped(
    sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path
) -> None:
    instructor = a_trial(sit_down, laptop, packages.scorm2004_single_sco(), tmp_path)
    instructor.expect_page(1, 5)
    page = instructor.page
    call = "(_, calls) => { for (let n = 0; n < calls; n += 1) parent.API_1484_11.GetValue(`cmi.call${n}`); }"
    calls = lines(instructor).filter(has_text="GetValue")
    newest = page.get_by_role("button", name="To the newest line")

    instructor.lesson.locator("body").evaluate(call, 6_000)

    expect(lines(instructor)).to_have_count(5_000)
    expect(page.get_by_test_id("trial-dropped")).to_be_visible()
    expect(calls.last).to_contain_text("cmi.call5999")
    expect(calls.last).to_be_in_viewport()
    expect(lines(instructor).first).not_to_contain_text('"cmi.call0"')
    expect(newest).to_be_hidden()

    page.get_by_role("log").focus()
    page.keyboard.press("Home")
    expect(newest).to_be_visible()
    instructor.lesson.locator("body").evaluate(call, 1)
    expect(calls.last).to_contain_text('"cmi.call0"')
    expect(calls.last).not_to_be_in_viewport()

    newest.click()
    expect(calls.last).to_be_in_viewport()
    expect(newest).to_be_hidden()
    page.get_by_test_id("trial-end").click()
    page.wait_for_url(re.compile(r"/editions$"))
