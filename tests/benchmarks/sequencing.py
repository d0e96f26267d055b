"""What sequencing costs on courses of 2,000 activities, beside a plain walk over the same tree.

``make bench`` runs it. CPU time, the least of many turns: what else a machine has to do only ever adds. The walk looks
each activity up in one dictionary and does nothing else; a step may cost five of those, and less where nothing needs
visiting. So may ``controls``, which every commit asks for; the outline, which is 2,000 lines, may cost ten. A course
is wide (20 modules of lessons), flat (one of 2,000 lessons) or deep (40 modules, each inside the one before), and
its lessons have no rules, or those that authoring tools write.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

from content_packages.sequencing.controls import controls, outline
from content_packages.sequencing.definition import (
    ActivityNode,
    Condition,
    ControlModes,
    Objective,
    ObjectiveMap,
    RollupAction,
    RollupCondition,
    RollupRule,
    RuleAction,
    RuleCondition,
    SequencingDefinition,
    SequencingRule,
)
from content_packages.sequencing.event import Event, Request, RunTime, RunTimeResult
from content_packages.sequencing.step import step
from content_packages.sequencing.tracking import State, new_state
from content_packages.sequencing.tree import Activity, ActivityTree

TURNS = 60
PASSED = RunTimeResult(completion_status="completed", success_status="passed", score_scaled=0.9)
FLOWING = SequencingDefinition(control=ControlModes(flow=True))
RULED = SequencingDefinition(
    control=ControlModes(flow=True),
    rollup_rules=(
        RollupRule(
            action=RollupAction.COMPLETED, conditions=(RollupCondition(condition=Condition.COMPLETED),)
        ),
        RollupRule(
            action=RollupAction.SATISFIED, conditions=(RollupCondition(condition=Condition.SATISFIED),)
        ),
    ),
)


def main() -> None:
    """Measure each beside the walk of its own tree, in turns, and print the least of either."""
    for title, tree, act in everything():
        records = dict.fromkeys((activity.identifier for activity in tree.activities), 1)
        floor, took = in_turns(partial(walk, tree.root, records), act)
        print(f"{title:52} {floor:6.0f} µs floor {took:8.0f} µs CPU {took / floor:6.1f} ×")


def everything() -> Iterator[tuple[str, ActivityTree, Callable[[], object]]]:
    """Yield what is measured."""
    for shape, build in {"wide": wide, "flat": flat, "deep": deep}.items():
        yield from without_rules(shape, build(SequencingDefinition(), FLOWING))
        yield from skipping(shape, build(a_lesson(RuleAction.SKIP, Condition.SATISFIED), RULED))
        yield from skipping(f"{shape}, by score", build(passed_by_score(), RULED), key="score")
    yield from ruled("wide, every lesson disabled once tried twice", wide(disabled_or_tried(), RULED))
    yield from ruled(
        "wide, every lesson reads one objective of all", wide(reading_what_all_read(), FLOWING), key="own"
    )


def without_rules(shape: str, tree: ActivityTree) -> Iterator[tuple[str, ActivityTree, Callable[[], object]]]:
    """Yield the events on a course that only flows."""
    lessons = [activity.identifier for activity in tree.activities if activity.is_leaf]
    first = played(tree, Event(kind=Request.START))
    last = played(tree, Event(kind=Request.CHOICE, target=lessons[-1], result=PASSED), state=first)
    half = with_passed(tree, lessons[1:1000])
    events = {
        "start": (new_state(), Event(kind=Request.START)),
        "commit": (first, Event(kind=RunTime.COMMIT, result=PASSED)),
        "terminate": (first, Event(kind=RunTime.TERMINATE, result=PASSED)),
        "continue": (first, Event(kind=Request.CONTINUE, result=PASSED)),
        "continue, half of it done": (half, Event(kind=Request.CONTINUE, result=PASSED)),
        "choice of the last": (first, Event(kind=Request.CHOICE, target=lessons[-1])),
        "choice of the first from the last": (last, Event(kind=Request.CHOICE, target=lessons[0])),
        "previous at the end": (last, Event(kind=Request.PREVIOUS, result=PASSED)),
        "exit all": (first, Event(kind=Request.EXIT_ALL, result=PASSED)),
        "exit all, half of it done": (half, Event(kind=Request.EXIT_ALL, result=PASSED)),
        "suspend all at the end": (last, Event(kind=Request.SUSPEND_ALL, result=PASSED)),
    }
    for name, (state, event) in events.items():
        yield f"{shape}: {name}", tree, partial(step, tree, state, event)
    reported = played(tree, Event(kind=RunTime.COMMIT, result=PASSED), state=half)
    yield f"{shape}: controls after a commit", tree, partial(controls, tree, reported)
    yield f"{shape}: outline after a commit", tree, partial(outline, tree, reported)


def skipping(
    shape: str, tree: ActivityTree, *, key: str = ""
) -> Iterator[tuple[str, ActivityTree, Callable[[], object]]]:
    """Yield the events on a course whose lessons are skipped once they are passed, all but two of them."""
    lessons = [activity.identifier for activity in tree.activities if activity.is_leaf]
    first = with_passed(tree, lessons[1:-1], key=key)
    last = played(tree, Event(kind=Request.CHOICE, target=lessons[-1]), state=first)
    events = {
        f"continue past {len(lessons) - 2:,} skipped": (first, Event(kind=Request.CONTINUE, result=PASSED)),
        f"previous past {len(lessons) - 2:,} skipped": (last, Event(kind=Request.PREVIOUS)),
    }
    for name, (state, event) in events.items():
        yield f"{shape}: {name}", tree, partial(step, tree, state, event)
    reported = played(tree, Event(kind=RunTime.COMMIT, result=PASSED), state=first)
    yield f"{shape}: controls, nearly all skipped", tree, partial(controls, tree, reported)
    yield f"{shape}: outline, nearly all skipped", tree, partial(outline, tree, reported)


def ruled(
    name: str, tree: ActivityTree, *, key: str = ""
) -> Iterator[tuple[str, ActivityTree, Callable[[], object]]]:
    """Yield the events on a course with some rules."""
    lessons = [activity.identifier for activity in tree.activities if activity.is_leaf]
    half = with_passed(tree, lessons[1:1000], key=key)
    yield f"{name}: continue", tree, partial(step, tree, half, Event(kind=Request.CONTINUE, result=PASSED))
    yield f"{name}: exit all", tree, partial(step, tree, half, Event(kind=Request.EXIT_ALL, result=PASSED))
    reported = played(tree, Event(kind=RunTime.COMMIT, result=PASSED), state=half)
    yield f"{name}: controls", tree, partial(controls, tree, reported)


def a_lesson(action: RuleAction, condition: Condition) -> SequencingDefinition:
    """Return a lesson with one rule."""
    rule = SequencingRule(action=action, conditions=(RuleCondition(condition=condition),))
    return SequencingDefinition(pre_condition_rules=(rule,))


def passed_by_score() -> SequencingDefinition:
    """Return a lesson that is passed from a score on, and is skipped then."""
    rule = SequencingRule(action=RuleAction.SKIP, conditions=(RuleCondition(condition=Condition.SATISFIED),))
    score = Objective(objective_id="score", satisfied_by_measure=True, min_normalized_measure=0.8)
    return SequencingDefinition(pre_condition_rules=(rule,), primary_objective=score)


def disabled_or_tried() -> SequencingDefinition:
    """Return a lesson that is closed once it was tried and is not failed, with two conditions."""
    tried, passed = (RuleCondition(condition=one) for one in (Condition.ATTEMPTED, Condition.SATISFIED))
    rule = SequencingRule(action=RuleAction.DISABLED, conditions=(tried, passed))
    return SequencingDefinition(pre_condition_rules=(rule,))


def reading_what_all_read() -> SequencingDefinition:
    """Return a lesson that reads and writes the shared objective of all others."""
    shared = ObjectiveMap(target_objective_id="everywhere", write_satisfied_status=True)
    return SequencingDefinition(primary_objective=Objective(objective_id="own", maps=(shared,)))


def wide(lesson: SequencingDefinition, cluster: SequencingDefinition) -> ActivityTree:
    """Return 20 modules of 99 lessons."""
    modules = tuple(
        ActivityNode(identifier=f"{module}", definition=cluster, children=lessons(f"{module}-", 99, lesson))
        for module in range(20)
    )
    return ActivityTree(ActivityNode(identifier="course", definition=cluster, children=modules))


def flat(lesson: SequencingDefinition, cluster: SequencingDefinition) -> ActivityTree:
    """Return a course of 2,000 lessons without modules."""
    return ActivityTree(
        ActivityNode(identifier="course", definition=cluster, children=lessons("", 2_000, lesson))
    )


def deep(lesson: SequencingDefinition, cluster: SequencingDefinition) -> ActivityTree:
    """Return 40 modules of 49 lessons, each with the next module behind its lessons."""
    inside: tuple[ActivityNode, ...] = ()
    for level in range(40, 0, -1):
        children = (*lessons(f"{level}-", 49, lesson), *inside)
        inside = (ActivityNode(identifier=f"{level}", definition=cluster, children=children),)
    return ActivityTree(inside[0])


def lessons(prefix: str, count: int, lesson: SequencingDefinition) -> tuple[ActivityNode, ...]:
    """Return so many lessons."""
    return tuple(ActivityNode(identifier=f"{prefix}{n}", definition=lesson) for n in range(count))


def played(tree: ActivityTree, *events: Event, state: State | None = None) -> State:
    """Return where some events lead."""
    state = state or new_state()
    for event in events:
        state, _ = step(tree, state, event)
    return state


def with_passed(tree: ActivityTree, lessons: list[str], *, key: str = "") -> State:
    """Return the state of a learner in the first lesson who has passed some others before."""
    state = played(tree, Event(kind=Request.START))
    for lesson in lessons:
        state["activities"][lesson] = {
            "attempts": 1,
            "era": 1,
            "completed": True,
            "objectives": {key: {"satisfied": True, "measure": 0.9}},
        }
    return state


def walk(activity: Activity, records: dict[str, int]) -> None:
    """Visit everything and look each up."""
    records.get(activity.identifier)
    for child in activity.children:
        walk(child, records)


def in_turns(floor: Callable[[], object], act: Callable[[], object]) -> tuple[float, float]:
    """Return the least CPU time of either, µs, of turns that each takes after the other."""
    costs: tuple[list[float], list[float]] = ([], [])
    for _ in range(TURNS):
        for one, found in zip((floor, act), costs, strict=True):
            began = time.process_time_ns()
            one()
            found.append((time.process_time_ns() - began) / 1_000)
    return min(costs[0]), min(costs[1])


if __name__ == "__main__":
    main()
