"""What a learner is told where her course refuses what was asked for, and the way on that she is offered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from content_packages.sequencing.definition import (
    Combination,
    Condition,
    ControlModes,
    Objective,
    ObjectiveMap,
    Operator,
    RuleAction,
    RuleCondition,
    SequencingDefinition,
    SequencingRule,
)
from lms.database import Database
from lms.launch.actions import Desk, apply_commit
from lms.launch.queries import launch_of
from lms.people.policy import Right
from lms.web.viewer import Viewer
from tests.launch_builders import COURSE, NEVER, NOON, PERSON, a_commit, a_desk
from tests.launch_pages import pages_of_a_course, press

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
