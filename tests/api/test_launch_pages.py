"""The player page, driven as a browser without JavaScript would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from content_packages.package import Standard
from lms.courses.tables import Course, Edition
from lms.database import Database
from lms.enrolment.actions import withdraw
from lms.launch.actions import apply_commit
from lms.launch.tables import Launch
from lms.people.policy import Right
from lms.web.site import Chip
from lms.web.viewer import Viewer
from tests.launch_builders import COURSE, NOON, PERSON, a_commit, a_desk, statements
from tests.launch_pages import ALONE, pages_of_a_course, press

VIEWER = Viewer(
    public_id=PERSON, name="Learner", roles=frozenset({"officer"}), rights=frozenset({Right.TAKE_COURSES}), locale="en"
)  # fmt: skip


@pytest.fixture
def standard() -> Standard:
    return "scorm12"


@pytest.fixture
def locale() -> str:
    return "en"


@pytest.fixture
def line() -> Chip:
    return ALONE


@pytest.fixture
def browser(
    database: Database, tmp_path: Path, standard: Standard, locale: str, line: Chip
) -> Iterator[TestClient]:
    viewer = replace(VIEWER, locale=locale)
    with pages_of_a_course(
        database, a_desk(tmp_path), tmp_path, standard=standard, viewer=viewer, line=line
    ) as client:
        yield client


def commit_to(browser: TestClient, database: Database, values: dict[str, str]) -> dict[str, object]:
    """Commit to the launch that is open."""
    with database.write() as session:
        launch = session.scalars(select(Launch)).one()
        return apply_commit(session, browser.app.state.desk, launch, *a_commit(1, values), now=NOON)


def test_the_page_frames_the_first_lesson_and_offers_next_only(browser: TestClient) -> None:
    page = browser.get(f"/learn/{COURSE}")

    assert page.status_code == 200
    assert re.search(r'src="http://k[0-9a-f]{20}\.localhost:8001/rt/token-1/"', page.text)
    assert 'data-testid="nav-continue"' in page.text
    assert 'data-testid="nav-previous"' not in page.text
    assert page.text.count('data-testid="toc-item"') == 2


def test_next_leads_to_the_second_lesson_and_previous_back(browser: TestClient) -> None:
    second = press(browser, browser.get(f"/learn/{COURSE}").text, request="continue")
    first = press(browser, second.text, request="previous")

    assert 'title="Lesson 2"' in second.text
    assert 'title="Lesson 1"' in first.text


def test_a_lesson_is_chosen_from_the_outline(browser: TestClient) -> None:
    page = press(browser, browser.get(f"/learn/{COURSE}").text, choice="lesson-2")

    assert 'title="Lesson 2"' in page.text


@pytest.mark.parametrize("standard", ["scorm2004"])
def test_the_course_itself_is_a_line_that_leads_to_its_beginning(browser: TestClient) -> None:
    second = press(browser, browser.get(f"/learn/{COURSE}").text, request="continue")

    first = press(browser, second.text, choice="course")

    assert second.text.count('data-testid="toc-item"') == 3
    assert 'data-title="Border posts"' in second.text
    assert 'title="Lesson 1"' in first.text


@pytest.mark.parametrize("standard", ["scorm12", "scorm2004"])
def test_a_lesson_that_was_passed_by_before_it_spoke_is_not_shown_as_completed(browser: TestClient) -> None:
    second = press(browser, browser.get(f"/learn/{COURSE}").text, request="continue")
    result = press(browser, second.text, request="exit")
    why = browser.get(f"/learn/{COURSE}/why")

    for page in (second, result):
        assert 'data-title="Lesson 1" data-state="in progress"' in page.text
    for page in (result, why):
        assert "The lesson has not said that it is complete." in page.text
        assert "Completed" not in page.text


@pytest.mark.parametrize(
    ("standard", "values"),
    [
        ("scorm12", {"cmi.core.lesson_status": "failed"}),
        ("scorm2004", {"cmi.completion_status": "completed", "cmi.success_status": "failed"}),
        ("scorm2004", {"cmi.success_status": "failed"}),
    ],
)
def test_a_lesson_that_is_open_and_has_failed_its_learner_is_shown_so(
    browser: TestClient, database: Database, values: dict[str, str]
) -> None:
    browser.get(f"/learn/{COURSE}")
    with database.write() as session:
        launch = session.scalars(select(Launch)).one()
        apply_commit(session, browser.app.state.desk, launch, *a_commit(1, values), now=NOON)

    bar = browser.get(f"/learn/{COURSE}/bar")

    assert 'data-title="Lesson 1" data-state="failed"' in bar.text


def test_the_bar_is_shown_anew_without_delivering_anything(browser: TestClient, database: Database) -> None:
    browser.get(f"/learn/{COURSE}")

    bar = browser.get(f"/learn/{COURSE}/bar")

    assert 'data-testid="nav-continue"' in bar.text
    assert bar.text.count('data-testid="toc-item"') == 2
    assert "<html" not in bar.text
    with database.read() as session:
        assert [launch.ended for launch in session.scalars(select(Launch))] == [None]


def test_stopping_shows_the_result_and_resumes_where_it_was(browser: TestClient) -> None:
    second = press(browser, browser.get(f"/learn/{COURSE}").text, request="continue")
    result = press(browser, second.text, request="suspend")

    assert 'data-testid="session-ended"' in result.text
    assert 'title="Lesson 2"' in browser.get(f"/learn/{COURSE}").text


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (ALONE, "Your work is saved, only on this computer."),
        (Chip(state="delivered", goal="here"), "Your work is saved."),
        (Chip(state="delivered", goal="hub"), "Your work is saved, and delivered to the hub."),
        (Chip(state="delivered"), "Your work is saved, and delivered to the centre."),
        (Chip(state="waiting", goal="hub"), "Your work is saved here and waits to be delivered to the hub."),
        (Chip(state="waiting"), "Your work is saved here and waits to be delivered to the centre."),
    ],
)
def test_the_result_names_the_node_that_work_is_delivered_to(browser: TestClient, sentence: str) -> None:
    result = press(browser, browser.get(f"/learn/{COURSE}").text, request="suspend").text

    assert f'data-testid="session-ended">{sentence}</p>' in result


def test_home_knows_at_once_where_she_stopped(browser: TestClient) -> None:
    second = press(browser, browser.get(f"/learn/{COURSE}").text, request="continue")
    press(browser, second.text, request="suspend")

    home = browser.get("/").text

    assert 'data-testid="continue"' in home
    assert "Unit 2 of 2: <bdi>Lesson 2</bdi>" in home
    assert "In progress" in home


def test_a_request_without_the_token_of_the_visit_is_refused(browser: TestClient) -> None:
    browser.get(f"/learn/{COURSE}")

    assert browser.post(f"/learn/{COURSE}/go", data={"request": "continue"}).status_code == 403


@pytest.mark.parametrize("standard", ["cmi5", "xapi"])
def test_units_with_a_record_store_of_their_own_are_left_to_their_own_page(
    browser: TestClient, database: Database
) -> None:
    page = browser.get(f"/learn/{COURSE}", follow_redirects=False)

    assert (page.status_code, page.headers["location"]) == (303, f"/learn/{COURSE}/units")
    assert browser.get(f"/learn/{COURSE}/after").status_code == 409
    with database.read() as session:
        assert session.scalars(select(Launch)).all() == []


def test_a_course_without_an_edition_here_says_so_and_what_to_do(
    browser: TestClient, database: Database
) -> None:
    with database.write() as session:
        session.execute(update(Course).where(Course.public_id == COURSE).values(current_edition=None))

    page = browser.get(f"/learn/{COURSE}")

    assert page.status_code == 409
    assert "This course cannot be opened on this node yet." in page.text
    assert "Its files come with the next sync" in page.text


def test_a_course_of_which_nothing_is_given_any_more_is_said_to_be_withdrawn(
    browser: TestClient, database: Database
) -> None:
    with database.write() as session:
        edition = session.scalars(select(Edition)).one()
        edition.withdrawn = NOON
        session.execute(update(Course).where(Course.public_id == COURSE).values(current_edition=None))

    player, course = browser.get(f"/learn/{COURSE}"), browser.get(f"/courses/{COURSE}")

    assert player.status_code == 409
    for page in (player, course):
        assert "This course was withdrawn. What you did in it is kept." in page.text
        assert "next sync" not in page.text


def test_who_is_withdrawn_in_mid_lesson_is_told_so_and_what_she_does_is_kept(
    browser: TestClient, database: Database
) -> None:
    page = browser.get(f"/learn/{COURSE}").text
    with database.write() as session:
        withdraw(session, COURSE, PERSON, now=NOON)

    saved = commit_to(browser, database, {"cmi.core.lesson_status": "completed"})

    pressed = press(browser, page, request="continue")
    assert saved["refused"] == []
    assert pressed.status_code == 403
    assert "You do not take this course any more" in pressed.text
    assert "What you did in it is kept." in pressed.text
    assert browser.get(f"/learn/{COURSE}/bar").status_code == 403


def test_a_course_whose_last_lesson_has_ended_is_told_as_completed_though_nobody_left_it(
    browser: TestClient, database: Database
) -> None:
    desk, page = browser.app.state.desk, browser.get(f"/learn/{COURSE}").text
    for lesson in (1, 2):
        with database.write() as session:
            launch = session.scalars(select(Launch).order_by(Launch.id.desc())).first()
            assert launch is not None
            ended = a_commit(
                1, {"cmi.core.lesson_status": "completed"}, phase="terminated", reason="terminate"
            )
            apply_commit(session, desk, launch, *ended, now=NOON)
        if lesson == 1:
            page = press(browser, page, request="continue").text

    result = browser.get(f"/learn/{COURSE}/after").text

    assert result.count("In progress") == 0
    assert "Still missing" not in result


@pytest.mark.parametrize("standard", ["scorm2004"])
def test_a_course_that_was_passed_and_is_opened_again_says_that_the_pass_stands(
    browser: TestClient, database: Database
) -> None:
    desk, page = browser.app.state.desk, browser.get(f"/learn/{COURSE}").text
    passed = {"cmi.completion_status": "completed", "cmi.success_status": "passed"}
    for request in ("continue", "exit"):
        with database.write() as session:
            launch = session.scalars(select(Launch).order_by(Launch.id.desc())).first()
            assert launch is not None
            ended = a_commit(1, passed, phase="terminated", reason="terminate")
            apply_commit(session, desk, launch, *ended, now=NOON)
        page = press(browser, page, request=request).text

    result = press(browser, browser.get(f"/learn/{COURSE}").text, request="suspend").text
    why = browser.get(f"/learn/{COURSE}/why").text

    for one in (result, why):
        assert "This course was passed before. That stands" in one
        assert "Why is this not complete?" not in one
    assert "Still missing" not in result
    assert "Open in the present attempt" in result


@pytest.mark.parametrize(("locale", "shown"), [("ar", "مراكز الحدود"), ("en", "Border posts")])
def test_the_player_and_the_result_call_the_course_as_the_catalogue_does(
    browser: TestClient, database: Database, shown: str
) -> None:
    with database.write() as session:
        session.execute(update(Course).values(titles={"ar": "مراكز الحدود", "fr": "Postes-frontière"}))
    page = browser.get(f"/learn/{COURSE}").text
    result = press(browser, page, request="suspend").text

    assert f'<h1 class="player-title" dir="auto">{shown}</h1>' in page
    assert f"<bdi>{shown}</bdi></h1>" in result
    with database.read() as session:
        told = [one["object"]["definition"]["name"] for one in statements(session)]
    assert {"und": "Border posts"} in told
