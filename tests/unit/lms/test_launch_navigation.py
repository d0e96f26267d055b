"""What a unit is told of the requests that are valid: all of it as its page opens, then what has changed."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy.orm import Session

from content_packages.sequencing.definition import (
    Condition,
    ControlModes,
    DeliveryControls,
    Objective,
    ObjectiveMap,
    Operator,
    RuleAction,
    RuleCondition,
    SequencingDefinition,
    SequencingRule,
)
from lms.launch.actions import Delivered, Desk, apply_commit, boot_values, deliver
from lms.launch.course import read_standing
from lms.launch.unit import navigation_values
from tests.launch_builders import NOON, a_commit, a_course, a_desk, taken

VALID = "adl.nav.request_valid"
SECOND = "{target=lesson-2}"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return a_desk(tmp_path)


def a_gated_course(session: Session, desk: Desk) -> Delivered:
    """Open the first of three lessons; the second is disabled unless the first is passed."""
    writes = ObjectiveMap(target_objective_id="passed-first", write_satisfied_status=True)
    reads = ObjectiveMap(target_objective_id="passed-first")
    known = RuleCondition(condition=Condition.OBJECTIVE_STATUS_KNOWN, operator=Operator.NOT)
    failed = RuleCondition(condition=Condition.SATISFIED, operator=Operator.NOT)
    rules = tuple(SequencingRule(action=RuleAction.DISABLED, conditions=(one,)) for one in (known, failed))
    first = SequencingDefinition(
        primary_objective=Objective(objective_id="own", maps=(writes,)),
        delivery=DeliveryControls(objective_set_by_content=True),
    )
    second = SequencingDefinition(
        primary_objective=Objective(objective_id="own", maps=(reads,)), pre_condition_rules=rules
    )
    course = SequencingDefinition(control=ControlModes(flow=True))
    definitions = (first, second, SequencingDefinition())
    a_course(session, desk.shelf, standard="scorm2004", units=3, definitions=definitions, definition=course)
    delivered = deliver(session, desk, taken(session, desk), now=NOON)
    assert delivered is not None
    return delivered


def commit(
    session: Session, desk: Desk, opened: Delivered, sequence: int, values: dict[str, str]
) -> dict[str, Any]:
    return apply_commit(session, desk, opened.launch, *a_commit(sequence, values), now=NOON)


def test_a_commit_that_opens_no_way_says_nothing_of_ways(session: Session, desk: Desk) -> None:
    opened = a_gated_course(session, desk)

    answer = commit(session, desk, opened, 1, {"cmi.location": "page-2"})

    assert answer["values"] == {}


def test_a_way_that_opens_is_told_and_told_again_in_case_that_was_lost(session: Session, desk: Desk) -> None:
    opened = a_gated_course(session, desk)

    first = commit(session, desk, opened, 1, {"cmi.success_status": "passed"})
    second = commit(session, desk, opened, 2, {"cmi.location": "page-2"})

    expected = {
        f"{VALID}.continue": "true",
        f"{VALID}.choice.{SECOND}": "true",
        f"{VALID}.jump.{SECOND}": "true",
    }
    assert first["values"] == second["values"] == expected


def test_a_way_that_closes_again_is_told(session: Session, desk: Desk) -> None:
    opened = a_gated_course(session, desk)
    commit(session, desk, opened, 1, {"cmi.success_status": "passed"})

    answer = commit(session, desk, opened, 2, {"cmi.success_status": "failed"})

    assert set(answer["values"].values()) == {"false"}


@pytest.mark.parametrize("seed", range(5))
def test_what_was_told_comes_to_all_that_is_valid_whichever_answers_were_lost(
    session: Session, desk: Desk, seed: int
) -> None:
    opened, random = a_gated_course(session, desk), Random(seed)
    known = boot_values(session, taken(session, desk), opened.launch)

    for sequence in range(1, 8):
        said = {"cmi.success_status": random.choice(["passed", "failed", "unknown"])}
        answer = commit(session, desk, opened, sequence, random.choice([said, {"cmi.location": "2"}]))
        if random.random() < 0.5 and sequence < 7:
            continue  # the answer was lost
        known |= answer["values"]

        taking = taken(session, desk)
        valid = navigation_values(taking.opened, read_standing(session, taking).state)
        assert {element: known[element] for element in valid} == valid
