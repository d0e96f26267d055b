"""A step that is watched comes to the same, and says by which processes."""

from __future__ import annotations

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from content_packages.sequencing.definition import (
    ActivityNode,
    ControlModes,
    RuleAction,
    SequencingDefinition,
)
from content_packages.sequencing.event import Event, Request, RunTime, RunTimeResult
from content_packages.sequencing.step import step
from content_packages.sequencing.trace import MOST_PROCESSES, Change, changes, processes, watch
from content_packages.sequencing.tracking import new_state
from content_packages.sequencing.tree import ActivityTree
from tests.random_courses import RandomCourse
from tests.unit.content_packages.test_sequencing_step import (
    CONTINUE,
    START,
    a_course,
    a_lesson,
    a_rule,
    play,
)


def test_every_process_that_decides_is_found_by_its_number() -> None:
    numbers = {process.number for process in processes().values()}

    assert numbers >= {"OP.1", "NB.2.1", "TB.2.1", "TB.2.2", "TB.2.3", "RB.1.2", "RB.1.3", "RB.1.4", "RB.1.5"}
    assert numbers >= {f"SB.2.{n}" for n in range(1, 14)} | {"DB.1.1", "DB.2", "DB.2.1", "SR.1", "SR.2"}
    assert numbers >= {"UP.1", "UP.2", "UP.2.1", "UP.3", "UP.4", "UP.5"}


def test_a_rule_that_skips_is_told_with_its_activity() -> None:
    skipped = SequencingDefinition(pre_condition_rules=(a_rule(RuleAction.SKIP),))
    flowing = SequencingDefinition(control=ControlModes(flow=True))
    course = ActivityNode(
        identifier="course", definition=flowing, children=(a_lesson("a", skipped), a_lesson("b"))
    )

    # By the book: of many that are skipped one after the other, the short-cuts ask none by itself.
    seen = watch(ActivityTree(course, takes_shortcuts=False), new_state(), START)

    decided = [(one.process.number, one.activity, one.answer) for one in seen.ran if one.has_decided]
    assert decided == [("SB.2.12", "", "b"), ("UP.2", "a", "skip"), ("DB.2", "b", "")]
    assert seen.ran[0].depth == 0
    assert seen.ran[1].depth == 1


def test_an_exception_stands_with_the_process_that_raised_it() -> None:
    tree = a_course(a_lesson("a"), a_lesson("b"))
    state, _ = play(tree, START)

    seen = watch(tree, state, Event(kind=Request.PREVIOUS))

    assert seen.outcome.exception == "SB.2.1-3"
    assert [(one.process.number, one.exception) for one in seen.ran if one.exception] == [
        ("SB.2.1", "SB.2.1-3")
    ]


def test_what_changed_is_told_value_by_value() -> None:
    tree = a_course(a_lesson("a"))
    state, _ = play(tree, START)
    after, _ = step(tree, state, Event(kind=RunTime.COMMIT, result=RunTimeResult(score_scaled=0.5)))

    assert list(changes(state, after)) == [Change("", "pending.score_scaled", None, 0.5)]
    begun = set(changes(new_state(), state))
    assert Change("", "current", None, "a") in begun
    assert Change("a", "attempts", None, 1) in begun


@settings(deadline=None)
@given(seed=st.integers(0, 2**40))
def test_watching_changes_nothing(seed: int) -> None:
    source = RandomCourse(seed)
    tree, state = ActivityTree(source.course()), new_state(seed=seed)

    for event in [START, *(source.event() for _ in range(8)), CONTINUE]:
        kept = copy.deepcopy(state)
        after, outcome = step(tree, state, event)

        seen = watch(tree, state, event)

        assert (seen.state, seen.outcome) == (after, outcome)
        assert state == kept
        assert len(seen.ran) <= MOST_PROCESSES
        assert list(changes(state, state)) == []
        assert state != after or not list(changes(state, after))
        state = after
