"""What keeps a learner out of a lesson, on courses small enough to see why."""

from __future__ import annotations

import pytest

from content_packages.sequencing.closed import Closed, Ways, resumed
from content_packages.sequencing.definition import (
    ActivityNode,
    Condition,
    ControlModes,
    LimitConditions,
    Objective,
    ObjectiveMap,
    RuleAction,
    RuleCondition,
    SequencingDefinition,
    SequencingRule,
)
from content_packages.sequencing.event import Event, Request
from content_packages.sequencing.step import step
from content_packages.sequencing.tracking import State, new_state
from content_packages.sequencing.tree import ActivityTree

PLAIN = SequencingDefinition()
BY_CHOICE = ControlModes(choice=True, flow=False)
BY_FLOW = ControlModes(choice=False, flow=True)
BOTH = ControlModes(choice=True, flow=True)


def ruled(
    action: RuleAction, control: ControlModes = BOTH, *, condition: Condition = Condition.ALWAYS
) -> SequencingDefinition:
    rule = SequencingRule(action=action, conditions=(RuleCondition(condition=condition),))
    return SequencingDefinition(pre_condition_rules=(rule,), control=control)


def course(
    control: ControlModes,
    *,
    module: SequencingDefinition | None = None,
    a: SequencingDefinition = PLAIN,
    b: SequencingDefinition = PLAIN,
) -> ActivityTree:
    """Return a course of the lesson ``a`` and a module with the lessons ``b`` and ``c``."""
    inside = (ActivityNode(identifier="b", definition=b), ActivityNode(identifier="c", definition=PLAIN))
    module = module or SequencingDefinition(control=control)
    children = (
        ActivityNode(identifier="a", definition=a),
        ActivityNode(identifier="module", definition=module, children=inside),
    )
    root = SequencingDefinition(control=control)
    return ActivityTree(ActivityNode(identifier="course", definition=root, children=children))


def closed(tree: ActivityTree, lesson: str, state: State | None = None) -> Closed | None:
    return Ways(tree, state or new_state()).closed(tree[lesson])


@pytest.mark.parametrize(
    ("tree", "lesson", "by", "at"),
    [
        (course(BY_FLOW, a=ruled(RuleAction.DISABLED)), "a", "disabled", "a"),
        (course(BOTH, module=ruled(RuleAction.DISABLED)), "c", "disabled", "module"),
        (course(BOTH, a=SequencingDefinition(limits=LimitConditions(attempt_limit=0))), "a", "attempts", "a"),
        (course(BY_FLOW, a=ruled(RuleAction.STOP_FORWARD_TRAVERSAL)), "c", "stopForwardTraversal", "a"),
        (course(BY_FLOW, b=ruled(RuleAction.STOP_FORWARD_TRAVERSAL)), "c", "stopForwardTraversal", "b"),
        (course(BY_FLOW, module=ruled(RuleAction.SKIP, BY_FLOW)), "b", "skip", "module"),
        (course(BY_FLOW), "b", "order", "a"),
        (course(BY_FLOW), "c", "order", "b"),
        (course(BY_CHOICE, b=ruled(RuleAction.HIDDEN_FROM_CHOICE)), "b", "hiddenFromChoice", "b"),
        (course(BY_CHOICE, module=ruled(RuleAction.HIDDEN_FROM_CHOICE)), "b", "hiddenFromChoice", "module"),
        (course(ControlModes(choice=False)), "a", "no-way", "a"),
    ],
)
def test_what_closes_a_lesson(tree: ActivityTree, lesson: str, by: str, at: str) -> None:
    found = closed(tree, lesson)

    assert found is not None
    assert (found.by, found.at.identifier) == (by, at)


def test_a_limit_that_is_used_up_goes_before_a_rule_that_may_change() -> None:
    (rule,) = ruled(RuleAction.DISABLED, condition=Condition.ATTEMPT_LIMIT_EXCEEDED).pre_condition_rules
    limited = SequencingDefinition(pre_condition_rules=(rule,), limits=LimitConditions(attempt_limit=0))

    found = closed(course(BOTH, a=limited), "a")

    assert found is not None
    assert (found.by, found.rule, found.attempts) == ("attempts", None, 0)


def test_a_suspended_lesson_is_closed_where_a_rule_looks_at_its_limit() -> None:
    (rule,) = ruled(RuleAction.DISABLED, condition=Condition.ATTEMPT_LIMIT_EXCEEDED).pre_condition_rules
    once = SequencingDefinition(pre_condition_rules=(rule,), limits=LimitConditions(attempt_limit=1))
    tree = course(BOTH, a=once)
    state, _ = step(tree, new_state(), Event(kind=Request.START))
    state, _ = step(tree, state, Event(kind=Request.SUSPEND_ALL))

    found = closed(tree, "a", state)

    assert step(tree, state, Event(kind=Request.RESUME_ALL))[1].delivery is None
    assert resumed(tree, state) is None
    assert found is not None
    assert (found.by, found.attempts) == ("attempts", 1)


@pytest.mark.parametrize(
    ("tree", "are_none"),
    [
        (course(ControlModes(choice=False)), True),
        (course(BOTH, a=ruled(RuleAction.DISABLED), module=ruled(RuleAction.DISABLED)), True),
        (course(BOTH, a=ruled(RuleAction.DISABLED)), False),
        (course(BY_FLOW), False),
        (course(BY_CHOICE), False),
    ],
)
def test_a_course_in_which_no_way_is_left(tree: ActivityTree, are_none: bool) -> None:
    assert Ways(tree, new_state()).are_none is are_none


@pytest.mark.parametrize(
    ("tree", "lesson"),
    [
        (course(BY_FLOW), "a"),
        (course(BY_CHOICE), "c"),
        (course(BY_CHOICE, a=ruled(RuleAction.SKIP)), "a"),
        (course(BY_FLOW, a=ruled(RuleAction.SKIP)), "b"),
        (course(BY_CHOICE, module=SequencingDefinition(control=BY_FLOW)), "b"),
        (course(BOTH, b=ruled(RuleAction.HIDDEN_FROM_CHOICE)), "b"),
        (course(BOTH, a=ruled(RuleAction.DISABLED, condition=Condition.SATISFIED)), "a"),
    ],
)
def test_what_can_be_opened_is_not_closed(tree: ActivityTree, lesson: str) -> None:
    assert closed(tree, lesson) is None


def test_a_suspended_lesson_is_not_closed() -> None:
    tree = course(BY_FLOW)
    state, _ = step(tree, new_state(), Event(kind=Request.START))
    state, _ = step(tree, state, Event(kind=Request.CONTINUE))
    state, _ = step(tree, state, Event(kind=Request.SUSPEND_ALL))

    assert closed(tree, "b", state) is None


def test_who_writes_the_shared_objective_that_a_rule_looks_at() -> None:
    written = ObjectiveMap(target_objective_id="everywhere", write_satisfied_status=True)
    read = ObjectiveMap(target_objective_id="everywhere")
    (rule,) = ruled(RuleAction.DISABLED, condition=Condition.SATISFIED).pre_condition_rules
    a = SequencingDefinition(primary_objective=Objective(objective_id="own", maps=(written,)))
    b = SequencingDefinition(
        pre_condition_rules=(rule,), primary_objective=Objective(objective_id="own", maps=(read,))
    )
    passed: State = {**new_state(), "globals": {"everywhere": {"satisfied": True}}}

    of_a_lesson = closed(course(BOTH, a=a, b=b), "b", passed)
    of_another_course = closed(course(BOTH, b=b), "b", passed)

    assert of_a_lesson is not None
    assert [one.identifier for one in of_a_lesson.writers] == ["a"]
    assert of_a_lesson.shared == ()
    assert of_another_course is not None
    assert (of_another_course.writers, of_another_course.shared) == ((), ("everywhere",))
