"""What sequencing finds by a short-cut is what its processes find when every one of them asks every activity."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from content_packages.sequencing.controls import controls, outline
from content_packages.sequencing.definition import (
    ActivityNode,
    Condition,
    ControlModes,
    Objective,
    ObjectiveMap,
    RuleAction,
    RuleCondition,
    SequencingDefinition,
    SequencingRule,
)
from content_packages.sequencing.event import Event, Request, RunTimeResult
from content_packages.sequencing.rules import sequencing_rule_check
from content_packages.sequencing.step import step
from content_packages.sequencing.tracking import ActivityRecord, ObjectiveRecord, Tracking, new_state
from content_packages.sequencing.tree import Activity, ActivityTree
from tests.random_courses import RandomCourse

START = Event(kind=Request.START)


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**40), to_system=st.booleans(), alike=st.booleans())
def test_short_cuts_decide_as_the_pseudo_code_does(*, seed: int, to_system: bool, alike: bool) -> None:
    source = RandomCourse(seed)
    node = source.course_of_lessons_alike() if alike else source.course()
    short = ActivityTree(node, objectives_global_to_system=to_system)
    by_the_book = ActivityTree(node, objectives_global_to_system=to_system, takes_shortcuts=False)
    state = new_state(seed=seed)

    for event in [START, *(source.event() for _ in range(8))]:
        after = step(short, state, event)

        assert after == step(by_the_book, state, event)
        state = after[0]
        assert controls(short, state) == controls(by_the_book, state)
        assert outline(short, state) == outline(by_the_book, state)
        ask_every_rule(short, Tracking(short, state))


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**40))
def test_short_cuts_decide_the_same_wherever_a_learner_stands(seed: int) -> None:
    source, random = RandomCourse(seed), Random(seed)
    node = source.course_of_lessons_alike()
    short, by_the_book = ActivityTree(node), ActivityTree(node, takes_shortcuts=False)
    state, _ = step(short, new_state(seed=seed), START)
    for activity in short.activities:
        if random.random() < 0.8 and not state["activities"].get(activity.identifier, {}).get("active"):
            state["activities"][activity.identifier] = a_record(activity, random)
    for target in short.readers:
        if random.random() < 0.7:
            state["globals"][target] = what_is_known(random)

    for event in [source.event() for _ in range(3)]:
        assert controls(short, state) == controls(by_the_book, state)
        assert outline(short, state) == outline(by_the_book, state)
        after = step(short, state, event)
        assert after == step(by_the_book, state, event)
        state = after[0]


def a_record(activity: Activity, random: Random) -> ActivityRecord:
    """Return what may be recorded of an activity, mostly that it was done in an attempt on the course."""
    record: ActivityRecord = {
        "attempts": random.choice([1, 1, 1, 0, 2]),
        "era": random.choice([1, 1, 1, 0, 2]),
    }
    if random.random() < 0.9:
        record["completed"] = random.random() < 0.9
        record["objectives"] = {activity.primary.key: what_is_known(random)}
    if random.random() < 0.2:
        record["progress"] = random.choice([0.5, 1.0])
    if random.random() < 0.1:
        record["suspended"] = True
    return record


def what_is_known(random: Random) -> ObjectiveRecord:
    """Return what may be recorded of an objective."""
    told: ObjectiveRecord = {"satisfied": random.random() < 0.9}
    if random.random() < 0.8:
        told["measure"] = random.choice([0.9, 0.6, 0.2])
    return told


def ask_every_rule(tree: ActivityTree, tracking: Tracking) -> None:
    """Hold the one question to a record against the subprocess (UP.2.1) for each activity and action."""
    for activity in tree.activities:
        for action, test in activity.tests.items():
            acts = [sequencing_rule_check(tracking, activity, rule) for rule in activity.pre_rules[action]]
            assert test.acts(tracking.record(activity), tracking.shared_objectives) == any(acts)


@pytest.mark.parametrize(
    ("event", "arrives"), [(Request.CONTINUE, "d"), (Request.PREVIOUS, None), (Request.EXIT_ALL, None)]
)
def test_lessons_skipped_in_a_row_are_each_told_once(event: Request, arrives: str | None) -> None:
    rule = SequencingRule(action=RuleAction.SKIP, conditions=(RuleCondition(condition=Condition.ATTEMPTED),))
    skipped = SequencingDefinition(pre_condition_rules=(rule,))
    lessons = tuple(ActivityNode(identifier=name, definition=skipped) for name in "abcd")
    flowing = SequencingDefinition(control=ControlModes(flow=True))
    tree = ActivityTree(ActivityNode(identifier="course", definition=flowing, children=lessons))
    state, _ = step(tree, new_state(), START)
    for name in "bc":
        state["activities"][name] = {"attempts": 1}

    _, outcome = step(tree, state, Event(kind=event))

    assert (outcome.delivery.activity if outcome.delivery else None) == arrives
    assert [at.activity for at in outcome.decisions] == (["b", "c"] if arrives else [])


@pytest.mark.parametrize("takes_shortcuts", [True, False])
def test_a_cluster_whose_rollup_is_read_by_its_own_children_asks_them_again(*, takes_shortcuts: bool) -> None:
    writes = ObjectiveMap(target_objective_id="shared", write_normalized_measure=True)
    reads = ObjectiveMap(target_objective_id="shared", read_satisfied_status=False)
    cluster = SequencingDefinition(
        control=ControlModes(flow=True), primary_objective=Objective(objective_id="own", maps=(writes,))
    )
    by_shared_measure = SequencingDefinition(
        primary_objective=Objective(
            objective_id="own", satisfied_by_measure=True, min_normalized_measure=0.3, maps=(reads,)
        )
    )
    lessons = (
        ActivityNode(identifier="a"),
        ActivityNode(identifier="b", definition=by_shared_measure),
    )
    node = ActivityNode(identifier="course", definition=cluster, children=lessons)
    tree = ActivityTree(node, takes_shortcuts=takes_shortcuts)
    state, _ = step(tree, new_state(), START)
    passed = RunTimeResult(success_status="passed", score_scaled=0.8)

    state, _ = step(tree, state, Event(kind=Request.CONTINUE, result=passed))

    assert state["activities"]["course"]["objectives"]["own"] == {"measure": 0.4, "satisfied": True}
