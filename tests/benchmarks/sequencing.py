"""What sequencing costs on courses of 2,000 activities, beside a plain walk over the same tree.

``make bench`` runs it. CPU time, the least of many turns: what else a machine has to do only ever adds. The walk looks
each activity up in one dictionary and does nothing else; a step may cost five of those, and less where nothing needs
visiting. So may ``controls``, which every commit asks for; the outline, which is 2,000 lines, may cost ten. A course
is wide (20 modules of lessons), flat (one of 2,000 lessons), branched (five levels, three modules in each module) or
deep (40 modules, each inside the one before: more than anybody nests), and its lessons have no rules, those that
authoring tools write, or odd ones. With a word of the title as its argument it measures only what has that word in
its name.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

from content_packages.sequencing.controls import controls, outline
from content_packages.sequencing.definition import (
    ActivityNode,
    ChildActivitySet,
    Combination,
    Condition,
    ControlModes,
    Objective,
    ObjectiveMap,
    Operator,
    RequiredFor,
    RollupAction,
    RollupCondition,
    RollupConsiderations,
    RollupRule,
    RuleAction,
    RuleCondition,
    SequencingDefinition,
    SequencingRule,
)
from content_packages.sequencing.event import Event, Request, RunTime, RunTimeResult
from content_packages.sequencing.step import step
from content_packages.sequencing.tracking import ObjectiveRecord, State, new_state
from content_packages.sequencing.tree import Activity, ActivityTree

#: What a lesson of this name is like.
Lesson = Callable[[str], SequencingDefinition]

TURNS = 300
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
SKIP_PASSED = SequencingRule(
    action=RuleAction.SKIP, conditions=(RuleCondition(condition=Condition.SATISFIED),)
)


def main() -> None:
    """Measure each beside the walk of its own tree, in turns, and print the least of either."""
    for title, tree, act in everything():
        if sys.argv[1:] and sys.argv[1] not in title:
            continue
        records = dict.fromkeys((activity.identifier for activity in tree.activities), 1)
        floor, took = in_turns(partial(walk, tree.root, records), act)
        print(f"{title:52} {floor:6.0f} µs floor {took:8.0f} µs CPU {took / floor:6.1f} ×")


def everything() -> Iterator[tuple[str, ActivityTree, Callable[[], object]]]:
    """Yield what is measured."""
    for shape, build in {"wide": wide, "flat": flat, "branched": branched, "deep": deep}.items():
        yield from without_rules(shape, build(without_any, FLOWING))
        yield from skipping(shape, build(skipped_once_passed, RULED))
        yield from skipping(f"{shape}, by score", build(passed_by_score, RULED))
        yield from skipping(f"{shape}, own names", build(with_an_objective_of_its_own, RULED))
        yield from skipping(f"{shape}, own shared", build(with_a_shared_objective_of_its_own, RULED))
        yield from ruled(f"{shape}, two things asked", build(without_any, asking_two_things()))
        yield from ruled(f"{shape}, so many asked", build(without_any, asking_for_so_many()))
        yield from ruled(f"{shape}, some required", build(required_at_times, RULED))
    yield from ruled("wide, every lesson disabled once tried twice", wide(disabled_or_tried, RULED))
    yield from ruled("wide, every lesson reads one objective of all", wide(reading_what_all_read, FLOWING))


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


def skipping(shape: str, tree: ActivityTree) -> Iterator[tuple[str, ActivityTree, Callable[[], object]]]:
    """Yield the events on a course whose lessons are skipped once they are passed, all but two of them."""
    lessons = [activity.identifier for activity in tree.activities if activity.is_leaf]
    first = with_passed(tree, lessons[1:-1])
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


def ruled(name: str, tree: ActivityTree) -> Iterator[tuple[str, ActivityTree, Callable[[], object]]]:
    """Yield the events on a course with some rules."""
    lessons = [activity.identifier for activity in tree.activities if activity.is_leaf]
    half = with_passed(tree, lessons[1:1000])
    last = played(tree, Event(kind=Request.CHOICE, target=lessons[-1]), state=half)
    yield f"{name}: continue", tree, partial(step, tree, half, Event(kind=Request.CONTINUE, result=PASSED))
    yield f"{name}: previous", tree, partial(step, tree, last, Event(kind=Request.PREVIOUS, result=PASSED))
    yield f"{name}: exit all", tree, partial(step, tree, half, Event(kind=Request.EXIT_ALL, result=PASSED))
    reported = played(tree, Event(kind=RunTime.COMMIT, result=PASSED), state=half)
    yield f"{name}: controls", tree, partial(controls, tree, reported)


def without_any(_name: str) -> SequencingDefinition:
    """Return a lesson without rules."""
    return SequencingDefinition()


def skipped_once_passed(_name: str) -> SequencingDefinition:
    """Return a lesson that is skipped once it is passed."""
    return SequencingDefinition(pre_condition_rules=(SKIP_PASSED,))


def passed_by_score(_name: str) -> SequencingDefinition:
    """Return a lesson that is passed from a score on, and is skipped then."""
    score = Objective(objective_id="score", satisfied_by_measure=True, min_normalized_measure=0.8)
    return SequencingDefinition(pre_condition_rules=(SKIP_PASSED,), primary_objective=score)


def with_an_objective_of_its_own(name: str) -> SequencingDefinition:
    """Return a lesson whose objective has a name that no other has, and which is skipped once it is passed."""
    return SequencingDefinition(
        pre_condition_rules=(SKIP_PASSED,), primary_objective=Objective(objective_id=f"objective-{name}")
    )


def with_a_shared_objective_of_its_own(name: str) -> SequencingDefinition:
    """Return a lesson that a test before the course may have passed already, as authors write pre-tests."""
    shared = ObjectiveMap(
        target_objective_id=f"g-{name}", write_satisfied_status=True, write_normalized_measure=True
    )
    return SequencingDefinition(
        pre_condition_rules=(SKIP_PASSED,),
        primary_objective=Objective(objective_id=f"objective-{name}", maps=(shared,)),
    )


def required_at_times(_name: str) -> SequencingDefinition:
    """Return a lesson that counts for its module only once it was tried, or while it is not suspended."""
    return SequencingDefinition(
        rollup_considerations=RollupConsiderations(
            required_for_satisfied=RequiredFor.IF_ATTEMPTED,
            required_for_not_satisfied=RequiredFor.IF_ATTEMPTED,
            required_for_completed=RequiredFor.IF_NOT_SUSPENDED,
            required_for_incomplete=RequiredFor.IF_NOT_SUSPENDED,
        )
    )


def disabled_or_tried(_name: str) -> SequencingDefinition:
    """Return a lesson that is closed once it was tried and is not failed, with two conditions."""
    tried, passed = (RuleCondition(condition=one) for one in (Condition.ATTEMPTED, Condition.SATISFIED))
    rule = SequencingRule(action=RuleAction.DISABLED, conditions=(tried, passed))
    return SequencingDefinition(pre_condition_rules=(rule,))


def reading_what_all_read(_name: str) -> SequencingDefinition:
    """Return a lesson that reads and writes the shared objective of all others."""
    shared = ObjectiveMap(target_objective_id="everywhere", write_satisfied_status=True)
    return SequencingDefinition(primary_objective=Objective(objective_id="own", maps=(shared,)))


def asking_two_things() -> SequencingDefinition:
    """Return a module that asks each of its lessons for two things at once."""
    passed, done = (RollupCondition(condition=one) for one in (Condition.SATISFIED, Condition.COMPLETED))
    not_tried = RollupCondition(condition=Condition.ATTEMPTED, operator=Operator.NOT)
    return SequencingDefinition(
        control=ControlModes(flow=True),
        rollup_rules=(
            RollupRule(
                action=RollupAction.SATISFIED,
                conditions=(passed, done),
                condition_combination=Combination.ALL,
            ),
            RollupRule(action=RollupAction.COMPLETED, conditions=(passed, done)),
            RollupRule(
                action=RollupAction.INCOMPLETE,
                conditions=(not_tried, RollupCondition(condition=Condition.COMPLETED, operator=Operator.NOT)),
                child_activity_set=ChildActivitySet.ANY,
            ),
        ),
    )


def asking_for_so_many() -> SequencingDefinition:
    """Return a module that is passed and completed with some of its lessons."""
    return SequencingDefinition(
        control=ControlModes(flow=True),
        rollup_rules=(
            RollupRule(
                action=RollupAction.SATISFIED,
                conditions=(RollupCondition(condition=Condition.SATISFIED),),
                child_activity_set=ChildActivitySet.AT_LEAST_PERCENT,
                minimum_percent=0.8,
            ),
            RollupRule(
                action=RollupAction.COMPLETED,
                conditions=(RollupCondition(condition=Condition.COMPLETED),),
                child_activity_set=ChildActivitySet.AT_LEAST_COUNT,
                minimum_count=40,
            ),
        ),
    )


def wide(lesson: Lesson, cluster: SequencingDefinition) -> ActivityTree:
    """Return 20 modules of 99 lessons."""
    modules = tuple(
        ActivityNode(identifier=f"{module}", definition=cluster, children=lessons(f"{module}-", 99, lesson))
        for module in range(20)
    )
    return ActivityTree(ActivityNode(identifier="course", definition=cluster, children=modules))


def flat(lesson: Lesson, cluster: SequencingDefinition) -> ActivityTree:
    """Return a course of 2,000 lessons without modules."""
    return ActivityTree(
        ActivityNode(identifier="course", definition=cluster, children=lessons("", 2_000, lesson))
    )


def branched(lesson: Lesson, cluster: SequencingDefinition) -> ActivityTree:
    """Return three modules of three modules, and so on to the fifth level, whose 81 modules have 23 lessons each."""

    def inside(prefix: str, level: int) -> tuple[ActivityNode, ...]:
        if level == 5:
            return lessons(prefix, 23, lesson)
        names = [f"{prefix}{n}-" for n in range(3)]
        return tuple(
            ActivityNode(identifier=name, definition=cluster, children=inside(name, level + 1))
            for name in names
        )

    return ActivityTree(ActivityNode(identifier="course", definition=cluster, children=inside("", 1)))


def deep(lesson: Lesson, cluster: SequencingDefinition) -> ActivityTree:
    """Return 40 modules of 49 lessons, each with the next module behind its lessons."""
    inside: tuple[ActivityNode, ...] = ()
    for level in range(40, 0, -1):
        children = (*lessons(f"{level}-", 49, lesson), *inside)
        inside = (ActivityNode(identifier=f"{level}", definition=cluster, children=children),)
    return ActivityTree(inside[0])


def lessons(prefix: str, count: int, lesson: Lesson) -> tuple[ActivityNode, ...]:
    """Return so many lessons."""
    names = [f"{prefix}{n}" for n in range(count)]
    return tuple(ActivityNode(identifier=name, definition=lesson(name)) for name in names)


def played(tree: ActivityTree, *events: Event, state: State | None = None) -> State:
    """Return where some events lead."""
    state = state or new_state()
    for event in events:
        state, _ = step(tree, state, event)
    return state


def with_passed(tree: ActivityTree, lessons: list[str]) -> State:
    """Return the state of a learner in the first lesson who has passed some others before."""
    state = played(tree, Event(kind=Request.START))
    for lesson in lessons:
        passed: ObjectiveRecord = {"satisfied": True, "measure": 0.9}
        primary = tree[lesson].primary
        state["activities"][lesson] = {
            "attempts": 1,
            "era": 1,
            "completed": True,
            "objectives": {primary.key: passed},
        }
        for target in primary.writes.get("measure", ()):
            state["globals"][target] = passed
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
