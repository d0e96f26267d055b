"""An instructor tries a course: she sees what it calls and what would be recorded, and nothing of it is left."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect
from sqlalchemy import func, select

from lms.database import Database
from lms.demo import packages
from migrations import all_metadata
from tests.browser.conftest import Sitting
from tests.browser.visitor import PASSWORD, Visitor
from tests.cmi5_builders import a_block, a_cmi5_package, a_structure, a_tincan, an_au
from tests.media_builders import a_pdf
from tests.package_builders import zipped
from tests.postgres import Postgres
from tests.servers import NodeUnderTest, node

pytestmark = pytest.mark.browser

UNIT = (Path(__file__).parents[1] / "cmi5_unit.html").read_bytes()
JUDGED = 'moveOn="CompletedAndPassed" masteryScore="0.9"'


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
    with node(tmp_path / "hub", role="hub", database_url=postgres.create_migrated()) as hub:
        hub.people({"I-1": "instructor"}, password=PASSWORD)
        hub.start("--workers", "2")
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

        instructor = a_trial(sit_down, hub, units(), tmp_path)
        before = rows(hub)
        unit = instructor.page.frame_locator("[data-testid=player-frame]")
        expect(unit.locator("#state")).to_have_text(re.compile("Ready"))
        unit.locator("#finish").click()
        expect(instructor.page.get_by_test_id("trial-units")).to_contain_text("Passed")
        expect(lines(instructor).filter(has_text="PUT statements (terminated)")).to_have_count(1)
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
    shown = page.get_by_test_id("trial-lines")
    last = shown.locator("> [data-kind=call]").last  # of five thousand, to look into each takes seconds
    newest = page.locator(
        "[data-trial=newest]"
    )  # to look for a button by its name goes through them all, too

    instructor.lesson.locator("body").evaluate(call, 6_000)

    expect(shown).to_have_js_property("childElementCount", 5_000)
    expect(page.get_by_test_id("trial-dropped")).to_be_visible()
    expect(last).to_contain_text("cmi.call5999")
    expect(last).to_be_in_viewport()
    expect(shown.locator("> :first-child")).not_to_contain_text('"cmi.call0"')
    expect(newest).to_be_hidden()

    page.get_by_role("log").focus()
    page.keyboard.press("Home")
    expect(newest).to_be_visible()
    instructor.lesson.locator("body").evaluate(call, 1)
    expect(last).to_contain_text('"cmi.call0"')
    expect(last).not_to_be_in_viewport()

    newest.click()
    expect(last).to_be_in_viewport()
    expect(newest).to_be_hidden()
    page.get_by_test_id("trial-end").click()
    page.wait_for_url(re.compile(r"/editions$"))


def units(*, attributes: str = JUDGED) -> bytes:
    """Return a cmi5 course of two units."""
    both = (an_au(f"https://example.org/au/{number}", attributes=attributes) for number in (1, 2))
    return zipped(a_cmi5_package(a_structure(a_block("".join(both))), **{"index.html": UNIT}))


def test_units_are_tried_beside_a_live_log_and_leave_nothing(
    sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path
) -> None:
    instructor = a_trial(sit_down, laptop, units(), tmp_path)
    page = instructor.page
    before = rows(laptop)
    unit = page.frame_locator("[data-testid=player-frame]")
    expect(unit.locator("#state")).to_have_text("Ready, the LMS is out of reach")
    expect(lines(instructor).filter(has_text="POST fetch")).to_have_count(1)
    expect(lines(instructor).filter(has_text="GET activities/state (LMS.LaunchData)")).to_have_count(1)
    credential = unit.locator("body").evaluate("() => headers.Authorization.split(' ')[1]")

    unit.locator("body").evaluate("() => say('passed', { success: true }).catch(() => {})")

    refused = lines(instructor).filter(has_text="PUT statements (passed)")
    expect(refused).to_have_attribute("data-error", "403")
    expect(refused).to_contain_text("cmi5 9.")
    refused.get_by_text("Request and answer").click()
    expect(refused).to_contain_text('"verb":{"id":"http://adlnet.gov/expapi/verbs/passed"}')

    unit.locator("#finish").click()
    expect(page.get_by_test_id("trial-result")).to_contain_text("In progress")
    expect(page.get_by_test_id("trial-units").get_by_role("row").nth(1)).to_contain_text("Passed")
    page.get_by_role("link", name="Go on with this trial").click()
    expect(unit.locator("#state")).to_have_text(re.compile("Ready"))
    unit.locator("#finish").click()
    expect(page.get_by_test_id("trial-result")).to_contain_text("Passed")
    expect(page.get_by_test_id("trial-statements")).to_contain_text("A block")
    expect(lines(instructor).filter(has_text="The whole course: Satisfied")).to_have_count(1)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download").click()
    told = waiting.value.path().read_text(encoding="utf-8")
    assert told.count("POST fetch") == 2
    assert credential not in told
    assert credential not in page.evaluate("JSON.stringify(sessionStorage)")

    page.get_by_role("button", name="End the trial").click()
    page.wait_for_url(re.compile(r"/editions$"))
    assert list((laptop.data / "trials").iterdir()) == []
    assert not any((laptop.data / "attachments").rglob("*.*"))
    assert rows(laptop) == before


def test_a_unit_in_a_window_of_its_own_is_watched_from_the_trial(
    sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path
) -> None:
    package = units(attributes=f'{JUDGED} launchMethod="OwnWindow"')
    instructor = a_trial(sit_down, laptop, package, tmp_path)
    with instructor.context.expect_page() as waiting:
        instructor.page.get_by_test_id("own-window").click()
    window = waiting.value

    expect(window.locator("#state")).to_have_text("Ready, the LMS is out of reach")
    instructor.page.bring_to_front()
    expect(lines(instructor).filter(has_text="PUT statements (initialized)")).to_have_count(1)
    window.locator("#finish").click()

    expect(window.get_by_test_id("trial-result")).to_contain_text("In progress")
    expect(lines(instructor).filter(has_text="PUT statements (terminated)")).to_have_count(1)
    instructor.page.get_by_test_id("trial-end").click()
    instructor.page.wait_for_url(re.compile(r"/editions$"))


def test_an_xapi_package_is_tried(sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path) -> None:
    package = zipped({"tincan.xml": a_tincan().encode(), "index.html": UNIT})
    instructor = a_trial(sit_down, laptop, package, tmp_path)
    unit = instructor.page.frame_locator("[data-testid=player-frame]")
    expect(unit.locator("#state")).to_have_text("Ready, the LMS is out of reach")

    unit.locator("#finish").click()

    expect(lines(instructor).filter(has_text="PUT statements (passed)")).to_have_count(1)
    instructor.press("nav-suspend")
    expect(instructor.page.get_by_test_id("trial-result")).to_contain_text("Passed")
    instructor.page.get_by_role("button", name="End the trial").click()
    instructor.page.wait_for_url(re.compile(r"/editions$"))


@pytest.mark.parametrize("package", [packages.scorm2004_single_sco, packages.scorm12_single_sco])
def test_what_a_lesson_does_as_its_page_closes_is_in_the_log(
    sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path, *, package: Callable[[], bytes]
) -> None:
    instructor = a_trial(sit_down, laptop, package(), tmp_path)
    instructor.expect_page(1, 5)
    instructor.turn_pages(2)
    instructor.expect_saved()
    trial = instructor.page.url

    instructor.go("/courses")  # as the address bar would: nobody asks the lesson first
    instructor.page.goto(trial)

    ended = lines(instructor).filter(has_text=re.compile(r"(Terminate|LMSFinish)\(\"\"\)"))
    expect(ended).to_have_count(1)
    expect(lines(instructor).filter(has_text="Sent as the page closed")).not_to_have_count(0)
    expect(lines(instructor).filter(has_text=re.compile(r"Initialize\(\"\"\)"))).to_have_count(2)
    times = instructor.page.locator(".trial-at").all_inner_texts()
    assert times == sorted(times, key=lambda at: [float(part) for part in at.split(":")])
    instructor.page.get_by_test_id("trial-end").click()
    instructor.page.wait_for_url(re.compile(r"/editions$"))
