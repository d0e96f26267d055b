"""What an officer and her instructor are told of an attempt: what is missing, what was done, and each decision."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from sqlalchemy import delete
from starlette.testclient import TestClient

from content_packages.package import Standard
from lms.database import Database
from lms.enrolment.tables import Enrolment
from lms.launch.actions import Desk, apply_commit
from lms.launch.queries import open_launches
from lms.launch.tables import LateWork, Launch, LaunchStep
from lms.people.actions import create_person
from lms.people.policy import Right
from lms.progress.actions import advance
from lms.reports.attempt_pages import router as attempt_pages
from lms.reports.pages import router as report_pages
from lms.web.viewer import Viewer
from tests.launch_builders import COURSE, NOON, PERSON, REGISTRATION, a_commit, a_desk
from tests.launch_pages import pages_of_a_course, press

BOTH = frozenset({Right.TAKE_COURSES, Right.SEE_PROGRESS})
VIEWER = Viewer(public_id=PERSON, name="Ann", roles=frozenset({"officer"}), rights=BOTH, locale="en")
ATTEMPT = f"/courses/{COURSE}/people/{PERSON}"
INCOMPLETE = {"cmi.completion_status": "incomplete", "cmi.score.scaled": "0.5"}


@pytest.fixture
def standard() -> Standard:
    return "scorm2004"


@pytest.fixture
def locale() -> str:
    return "en"


@pytest.fixture
def rights() -> frozenset[Right]:
    return BOTH


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return a_desk(tmp_path)


@pytest.fixture
def viewer(locale: str, rights: frozenset[Right]) -> Viewer:
    return replace(VIEWER, locale=locale, rights=rights)


@pytest.fixture
def browser(
    database: Database, desk: Desk, tmp_path: Path, standard: Standard, viewer: Viewer
) -> Iterator[TestClient]:
    with database.write() as session:
        create_person(
            session, public_id=PERSON, personnel_number="4711", name="Ann Example", roles=("officer",),
            password_hash=None, now=NOON, grants_travel=False,
        )  # fmt: skip
    with pages_of_a_course(
        database, desk, tmp_path, standard=standard, viewer=viewer,
        now=NOON + timedelta(minutes=9), routers=[attempt_pages, report_pages],
    ) as client:  # fmt: skip
        yield client


def sit(browser: TestClient, database: Database, desk: Desk, values: dict[str, str], **fields: str) -> str:
    """Open what is next, let it save and end after a minute of which half a minute was learning; then press."""
    page = browser.get(f"/learn/{COURSE}").text
    with database.write() as session:
        (launch,) = open_launches(session, REGISTRATION)
        commit, body = a_commit(6, values, phase="terminated", reason="terminate", learning_time_s=30)
        apply_commit(session, desk, launch, commit, body, now=NOON + timedelta(minutes=11))
    return str(press(browser, page, **fields).text)


def said(page: str) -> str:
    """Return a page as it is read: without markup, and without the marks that keep scripts apart."""
    return " ".join(re.sub(r"<[^>]+>|[\u2066-\u2069]", " ", page).split())


def test_leaving_tells_what_was_done_what_is_saved_and_what_is_missing(
    browser: TestClient, database: Database, desk: Desk
) -> None:
    sit(browser, database, desk, {"cmi.completion_status": "completed"}, request="continue")

    result = said(sit(browser, database, desk, INCOMPLETE, request="exit"))

    assert "Learning time less than a minute 2 min with pauses" in result
    assert "This time Lesson 1 less than a minute Completed Lesson 2 less than a minute In progress" in result
    assert "Your work is saved, only on this computer." in result
    assert (
        "Still missing Lesson 2 : The lesson says that it is not finished ( incomplete ), "
        "and has not said otherwise since."
    ) in result


def test_who_comes_from_a_lesson_reads_what_she_has_just_done(
    browser: TestClient, database: Database, desk: Desk
) -> None:
    sit(browser, database, desk, {"cmi.completion_status": "completed"}, request="suspend")

    assert "In progress" in said(browser.get("/").text)
    assert "Lesson 1 Completed" in said(browser.get(f"/courses/{COURSE}").text)


def test_a_break_begins_another_sitting(browser: TestClient, database: Database, desk: Desk) -> None:
    sit(browser, database, desk, {"cmi.completion_status": "completed"}, request="suspend")
    with database.write() as session:
        for launch in session.query(Launch):
            launch.created -= timedelta(hours=2)
            launch.last_seen -= timedelta(hours=2)

    result = said(sit(browser, database, desk, INCOMPLETE, request="exit"))

    assert result.count("less than a minute In progress") == 1
    assert "Completed Lesson" not in result


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_the_explanation_is_reached_from_outline_result_and_course_page(
    browser: TestClient, database: Database, desk: Desk, locale: str
) -> None:
    player = browser.get(f"/learn/{COURSE}").text
    bar = browser.get(f"/learn/{COURSE}/bar").text
    result = sit(browser, database, desk, INCOMPLETE, request="exit")
    course = browser.get(f"/courses/{COURSE}").text

    for page in (player, bar, result, course):
        assert f'href="/learn/{COURSE}/why"' in page
    why = browser.get(f"/learn/{COURSE}/why").text
    assert why.count('data-testid="why-line"') == 3
    assert "cmi.completion_status = incomplete" in why
    wanted = {
        "en": ("Why is this not complete?", "Still missing: Lesson 1 · Lesson 2 .", "It has not been opened yet."),
        "ar": ("لماذا لم تكتمل هذه الدورة؟", "الناقص: Lesson 1 · Lesson 2 .", "لم يُفتح بعد."),
    }  # fmt: skip
    for sentence in wanted[locale]:
        assert sentence in said(why)


def test_of_a_complete_course_nothing_is_missing(browser: TestClient, database: Database, desk: Desk) -> None:
    done = {"cmi.completion_status": "completed", "cmi.success_status": "passed"}
    sit(browser, database, desk, done, request="continue")

    result = sit(browser, database, desk, done, request="exit")
    why = browser.get(f"/learn/{COURSE}/why").text

    assert 'data-testid="missing"' not in result
    assert "Nothing is missing: this course is complete." in why
    assert said(why).count("Border posts") == 2  # where one comes from, and the line of the course
    assert 'data-testid="why-missing"' not in why


def test_the_instructor_sees_the_same_explanation_with_both_times(
    browser: TestClient, database: Database, desk: Desk
) -> None:
    sit(browser, database, desk, INCOMPLETE, request="exit")
    with database.write() as session:
        advance(session)

    page = browser.get(ATTEMPT).text
    people = browser.get(f"/courses/{COURSE}/people").text

    assert "Ann Example" in page
    assert "Learning time less than a minute" in said(page)
    lines = re.search(r'<ol class="why".*?</ol>', browser.get(f"/learn/{COURSE}/why").text, re.DOTALL)
    assert lines is not None
    assert lines[0] in page
    assert f'href="people/{PERSON}"' in people


def test_the_log_lists_every_decision_and_replays_to_the_same(
    browser: TestClient, database: Database, desk: Desk
) -> None:
    sit(browser, database, desk, {"cmi.completion_status": "completed"}, request="continue")
    sit(browser, database, desk, INCOMPLETE, request="exit")

    log = browser.get(f"{ATTEMPT}/log").text

    read = said(log)
    assert "Replayed: same. Every step on this page was decided again just now" in read
    steps = re.findall(rf'href="{ATTEMPT}/log/(\d+)"', log)
    assert steps == [str(n) for n in range(len(steps), 0, -1)]
    assert "The course is started. Opened: Lesson 1 , attempt 1." in read
    assert "Next is asked for. Opened: Lesson 2 , attempt 1." in read
    assert "The course is to be left. The course has ended." in read


def test_a_step_tells_the_change_the_decision_and_the_rule(
    browser: TestClient, database: Database, desk: Desk
) -> None:
    sit(browser, database, desk, {"cmi.completion_status": "completed"}, request="continue")

    first, last = (browser.get(f"{ATTEMPT}/log/{n}").text for n in (1, 3))

    assert 'data-testid="step-previous"' not in first
    assert f'data-testid="step-next" href="{ATTEMPT}/log/2"' in first
    assert f'data-testid="step-previous" href="{ATTEMPT}/log/2"' in last
    read = said(last)
    assert "Step 3 of 3" in read
    assert "Replayed: same" in read
    assert "TB.2.3 Termination Request Process exit" in read
    assert "SB.2.12 Sequencing Request Process continue Lesson 2" in read
    assert "The whole course current lesson Lesson 1 Lesson 2" in read
    assert "Lesson 1 complete nothing yes" in read


@pytest.mark.parametrize("locale", ["ar"])
def test_the_log_is_in_the_reader_s_language(browser: TestClient, database: Database, desk: Desk) -> None:
    sit(browser, database, desk, INCOMPLETE, request="exit")

    assert "سجل هذه المحاولة" in browser.get(f"{ATTEMPT}/log").text
    assert "القاعدة التي حسمت" in browser.get(f"{ATTEMPT}/log/1").text


def test_steps_that_came_out_otherwise_are_named(browser: TestClient, database: Database, desk: Desk) -> None:
    sit(browser, database, desk, INCOMPLETE, request="exit")
    with database.write() as session:
        row = session.query(LaunchStep).filter_by(number=2).one()
        row.after = b"\0" * 16

    log, step = browser.get(f"{ATTEMPT}/log").text, browser.get(f"{ATTEMPT}/log/2").text

    assert "some steps came out otherwise: 2." in said(log)
    assert "Replayed: otherwise" in step


def test_an_attempt_without_a_log_says_so(browser: TestClient, database: Database, desk: Desk) -> None:
    sit(browser, database, desk, INCOMPLETE, request="exit")
    with database.write() as session:
        session.execute(delete(LaunchStep))

    page = browser.get(f"{ATTEMPT}/log").text

    assert "There is no log of this attempt here." in page
    assert browser.get(f"{ATTEMPT}/log/1").status_code == 404


@pytest.mark.parametrize("rights", [frozenset({Right.TAKE_COURSES})])
def test_an_officer_sees_nobody_s_log(browser: TestClient) -> None:
    for page in (ATTEMPT, f"{ATTEMPT}/log", f"{ATTEMPT}/log/1"):
        assert browser.get(page).status_code == 403


def test_who_does_not_take_the_course_has_no_attempt(browser: TestClient, database: Database) -> None:
    with database.write() as session:
        session.execute(delete(Enrolment))

    assert browser.get(ATTEMPT).status_code == 404


def put_aside(browser: TestClient, database: Database, values: dict[str, str]) -> None:
    """Open the course, and have work of that lesson put aside that ends it."""
    browser.get(f"/learn/{COURSE}")
    body = orjson.dumps(
        {"sequence": 1, "values": values, "reason": "terminate", "phase": "terminated", "session_time_s": 60}
    )
    with database.write() as session:
        (launch,) = open_launches(session, REGISTRATION)
        session.add(
            LateWork(
                launch=launch.public_id, person=PERSON, course=COURSE, unit=launch.unit, title="Unit 1",
                begun=NOON, arrived=NOON, body=body, body_digest=b"1",
            )
        )  # fmt: skip


def use(browser: TestClient, page: str) -> str:
    """Press the button of the newest work that was put aside."""
    where = re.search(rf'action="({ATTEMPT}/late/\d+)"', page)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert where
    assert token
    return browser.post(where[1], data={"csrf_token": token[1]}).text


MANAGES = BOTH | {Right.MANAGE_ENROLMENT}
COMPLETED = {"cmi.completion_status": "completed", "cmi.success_status": "passed", "cmi.score.scaled": "0.9"}


@pytest.mark.parametrize("rights", [MANAGES])
def test_an_instructor_lets_late_work_count_and_takes_it_back(
    browser: TestClient, database: Database, desk: Desk
) -> None:
    put_aside(browser, database, COMPLETED)
    attempt = browser.get(ATTEMPT).text

    used = use(browser, browser.get(f"{ATTEMPT}/late").text)
    after = said(browser.get(ATTEMPT).text)
    back = use(browser, used)

    assert f'href="{ATTEMPT}/late"' in attempt
    assert "What the lesson had until other work was used in its place" in used
    assert "completion_status = completed" in after
    assert "What the lesson had until other work was used in its place" in back
    assert "completion_status = completed" not in said(browser.get(ATTEMPT).text)


def test_who_may_only_look_is_shown_late_work_without_a_button(
    browser: TestClient, database: Database
) -> None:
    put_aside(browser, database, COMPLETED)

    page = browser.get(f"{ATTEMPT}/late").text

    assert "cmi.score.scaled" in page
    assert f'action="{ATTEMPT}/late' not in page
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    assert browser.post(f"{ATTEMPT}/late/1", data={"csrf_token": token[1]}).status_code == 403
