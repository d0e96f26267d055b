"""What a learner is told where her course refuses what was asked for, and the way on that she is offered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from content_packages.sequencing.definition import (
    ChildActivitySet,
    Combination,
    Condition,
    ControlModes,
    DeliveryControls,
    LimitConditions,
    Objective,
    ObjectiveMap,
    Operator,
    RollupAction,
    RollupCondition,
    RollupRule,
    RuleAction,
    RuleCondition,
    SequencingDefinition,
    SequencingRule,
)
from lms.database import Database
from lms.launch.actions import Desk, apply_commit
from lms.launch.queries import launch_of
from lms.launch.tables import Launch
from lms.people.policy import Right
from lms.web.viewer import Viewer
from tests.launch_builders import COURSE, NEVER, NOON, PERSON, a_commit, a_desk
from tests.launch_pages import pages_of_a_course, press

pytestmark = pytest.mark.one_database

VIEWER = Viewer(
    public_id=PERSON, name="Learner", roles=frozenset({"officer"}), rights=frozenset({Right.TAKE_COURSES}), locale="en"
)  # fmt: skip
FLOW_ONLY = SequencingDefinition(control=ControlModes(choice=False, flow=True))
CHOICE = SequencingDefinition(control=ControlModes(choice=True, flow=True))

FIRST = SequencingDefinition(
    primary_objective=Objective(
        objective_id="passed",
        maps=(ObjectiveMap(target_objective_id="first-passed", write_satisfied_status=True),),
    )
)
AFTER_THE_FIRST = SequencingDefinition(
    primary_objective=Objective(
        objective_id="before", maps=(ObjectiveMap(target_objective_id="first-passed"),)
    ),
    pre_condition_rules=(
        SequencingRule(
            action=RuleAction.DISABLED,
            conditions=(
                RuleCondition(condition=Condition.SATISFIED, operator=Operator.NOT),
                RuleCondition(condition=Condition.OBJECTIVE_STATUS_KNOWN, operator=Operator.NOT),
            ),
            condition_combination=Combination.ANY,
        ),
    ),
)
SHUT = "It is closed: the package keeps it shut as long as this holds of it:"
UNKNOWN = "not judged"
OPENED = "What was reached in these lessons can open it:"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return a_desk(tmp_path)


@pytest.fixture
def course() -> SequencingDefinition:
    return FLOW_ONLY


@pytest.fixture
def lessons() -> list[SequencingDefinition]:
    return [FIRST, AFTER_THE_FIRST]


@pytest.fixture
def browser(
    database: Database,
    desk: Desk,
    tmp_path: Path,
    course: SequencingDefinition,
    lessons: list[SequencingDefinition],
) -> Iterator[TestClient]:
    with pages_of_a_course(
        database, desk, tmp_path, standard="scorm2004", viewer=VIEWER, definition=course, definitions=lessons
    ) as client:
        yield client


def end_asking_for(browser: TestClient, database: Database, desk: Desk, request: str, **values: str) -> str:
    """Open the course; its lesson ends and asks for something. Return the page that comes after."""
    browser.get(f"/learn/{COURSE}")
    with database.write() as session:
        launch = launch_of(session, "token-1", now=NOON)
        said = {**values, "adl.nav.request": request}
        apply_commit(session, desk, launch, *a_commit(1, said, phase="terminated"), now=NOON)
    page: str = browser.get(f"/learn/{COURSE}/after").text
    return page


@pytest.mark.parametrize(
    ("course", "lessons", "request_of_lesson", "rule"),
    [
        (
            FLOW_ONLY,
            [FIRST, AFTER_THE_FIRST],
            "continue",
            f"{SHUT} not marked as passed or {UNKNOWN}. {OPENED} Lesson 1.",
        ),
        (FLOW_ONLY, [SequencingDefinition(), NEVER], "continue", f"{SHUT} (always)."),
        (CHOICE, [SequencingDefinition(), NEVER], "{target=lesson-2}choice", f"{SHUT} (always)."),
    ],
    ids=["until the first is passed", "never", "a choice"],
)
def test_a_refused_request_is_told_with_its_rule_and_a_way_on(
    browser: TestClient, database: Database, desk: Desk, request_of_lesson: str, rule: str
) -> None:
    failed = {"cmi.success_status": "failed"}

    result = end_asking_for(browser, database, desk, request_of_lesson, **failed)
    choosing = browser.get(f"/learn/{COURSE}").text

    for page in (result, choosing):
        assert 'data-testid="refused"' in page
        assert f"Lesson 2 could not be opened. {rule}" in re.sub("[\u2068\u2069]", "", page)
        (choice,) = re.findall(r'name="choice" value="([^"]+)" data-testid="way-on"', page)
    assert 'title="Lesson 1"' in press(browser, choosing, choice=choice).text
    assert 'data-testid="refused"' not in browser.get(f"/learn/{COURSE}/after").text


@pytest.mark.parametrize("course", [CHOICE])
def test_a_lesson_that_is_not_of_the_course_is_not_told_by_its_identifier(
    browser: TestClient, database: Database, desk: Desk
) -> None:
    result = end_asking_for(browser, database, desk, "{target=NOPE}choice")

    assert "The lesson that was asked for is not part of this course." in result
    assert "NOPE" not in result


@pytest.mark.parametrize(("course", "lessons"), [(CHOICE, [SequencingDefinition(), NEVER])])
def test_a_closed_lesson_is_called_closed_in_the_outline(browser: TestClient) -> None:
    outline = browser.get(f"/learn/{COURSE}/bar").text
    lines = re.findall(r'data-title="([^"]+)".*?</button>', outline, re.DOTALL)
    closed = re.findall(
        r'data-title="([^"]+)"[^>]*><span><bdi>[^<]+</bdi> <svg class="icon icon-lock"', outline
    )

    assert lines == ["Border posts", "Lesson 1", "Lesson 2"]
    assert closed == ["Lesson 2"]
    assert outline.count('<span class="unseen">Closed</span>') == 1


ONCE = SequencingDefinition(limits=LimitConditions(attempt_limit=1))
BY_CONTENT = SequencingDefinition(delivery=DeliveryControls(completion_set_by_content=True))
PASSED = {"cmi.completion_status": "completed", "cmi.success_status": "passed"}
NOTHING_OPENS = "No lesson of this course can be opened now."


def send(database: Database, desk: Desk, **values: str) -> None:
    """Let the lesson on the screen send something, and end."""
    with database.write() as session:
        launch = session.scalars(select(Launch).order_by(Launch.id.desc())).first()
        assert launch is not None
        apply_commit(session, desk, launch, *a_commit(1, values, phase="terminated"), now=NOON)


@pytest.mark.parametrize(("course", "lessons"), [(CHOICE, [ONCE, ONCE])])
def test_a_course_without_an_attempt_left_says_so_and_leads_back(browser: TestClient) -> None:
    second = press(browser, browser.get(f"/learn/{COURSE}").text, request="continue")

    result = press(browser, second.text, request="exit").text

    player = re.sub("[\u2068\u2069]", "", browser.get(f"/learn/{COURSE}").text)
    assert NOTHING_OPENS in player
    assert (
        "<strong>Lesson 1 · Lesson 2:</strong> "
        "It is closed: no attempt is left, of 1 that the package allows." in player
    )
    assert f'href="/courses/{COURSE}"' in player
    assert "Choose a lesson from the outline." not in player
    for page in (result, browser.get(f"/learn/{COURSE}/why").text, browser.get(f"/courses/{COURSE}").text):
        assert NOTHING_OPENS in page
        assert f'href="/learn/{COURSE}"' not in page


@pytest.mark.parametrize("lessons", [[BY_CONTENT, BY_CONTENT]])
def test_a_course_that_begins_anew_says_so_and_why_it_is_not_complete(
    browser: TestClient, database: Database, desk: Desk
) -> None:
    pages: list[str] = []
    for skipped in ("", "continue"):
        page = browser.get(f"/learn/{COURSE}").text
        if skipped:
            page = press(browser, page, request=skipped).text
        send(database, desk, **PASSED)
        result = press(browser, page, request="exit").text
        pages += [result, browser.get(f"/learn/{COURSE}/why").text, browser.get(f"/courses/{COURSE}").text]

    for one in pages:
        assert "Begin this course anew" in one
        assert "in which lessons done before do not count" in one
        assert "Go on with this course" not in one
    assert pages[-1].count("Passed") == 2
    assert 'data-testid="why"' in pages[-1]


ONE_IS_ENOUGH = SequencingDefinition(
    control=ControlModes(flow=True),
    rollup_rules=tuple(
        RollupRule(
            action=action,
            conditions=(RollupCondition(condition=condition),),
            child_activity_set=ChildActivitySet.ANY,
        )
        for action, condition in (
            (RollupAction.COMPLETED, Condition.COMPLETED),
            (RollupAction.SATISFIED, Condition.SATISFIED),
        )
    ),
)


@pytest.mark.parametrize("course", [ONE_IS_ENOUGH])
def test_a_course_that_was_passed_is_not_asked_why_it_is_not_complete(
    browser: TestClient, database: Database, desk: Desk
) -> None:
    page = browser.get(f"/learn/{COURSE}").text
    send(database, desk, **PASSED)
    press(browser, page, request="exit")

    press(browser, browser.get(f"/learn/{COURSE}").text, request="suspend")

    course = browser.get(f"/courses/{COURSE}").text
    assert "Not started" in course  # of its second lesson
    assert 'data-testid="continue">Continue</a>' in course
    assert 'data-testid="why"' not in course
