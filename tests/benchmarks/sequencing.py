"""What a step of sequencing costs on a course of 2,000 activities, beside a plain walk over the same tree.

``make bench`` runs it. CPU time. The walk looks each activity up in one dictionary and does nothing else; a step
may cost five of those, and less where nothing needs visiting. The last line is beyond that: the engine asks a rule
of every lesson before it finds the one that is left, some 4 µs each.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from content_packages.sequencing.definition import (
    ActivityNode,
    Condition,
    ControlModes,
    RuleAction,
    RuleCondition,
    SequencingDefinition,
    SequencingRule,
)
from content_packages.sequencing.event import Event, Request, RunTime, RunTimeResult
from content_packages.sequencing.step import step
from content_packages.sequencing.tracking import State, new_state
from content_packages.sequencing.tree import Activity, ActivityTree

MODULES, LESSONS = 20, 99
ROUNDS, TIMES = 9, 20
PASSED = RunTimeResult(completion_status="completed", success_status="passed", score_scaled=0.9)


def main() -> None:
    """Measure each in turns and print the least."""
    plain, skipping = a_course(skips=False), a_course(skips=True)
    records = dict.fromkeys((activity.identifier for activity in plain.activities), 1)
    floor = _cpu_us(lambda: walk(plain.root, records))
    print(f"{len(plain.activities)} activities, a plain walk {floor:8.0f} µs CPU")
    first = played(plain, Event(kind=Request.START))
    last = f"{MODULES - 1}-{LESSONS - 1}"
    steps: dict[str, tuple[ActivityTree, State, Event]] = {
        "start": (plain, new_state(), Event(kind=Request.START)),
        "commit": (plain, first, Event(kind=RunTime.COMMIT, result=PASSED)),
        "terminate": (plain, first, Event(kind=RunTime.TERMINATE, result=PASSED)),
        "continue": (plain, first, Event(kind=Request.CONTINUE, result=PASSED)),
        "choice of the last lesson": (plain, first, Event(kind=Request.CHOICE, target=last)),
        "exit all": (plain, first, Event(kind=Request.EXIT_ALL, result=PASSED)),
        "continue past 1,979 skipped lessons": (
            skipping,
            all_passed_but_the_last(skipping),
            Event(kind=Request.CONTINUE, result=PASSED),
        ),
    }
    for name, (tree, state, event) in steps.items():
        took = _cpu_us(lambda tree=tree, state=state, event=event: step(tree, state, event))  # type: ignore[misc]
        print(f"  {name:36} {took:8.0f} µs CPU {took / floor:5.1f} ×")


def a_course(*, skips: bool) -> ActivityTree:
    """Return a course of modules and lessons that flows; each lesson is skipped once it is passed, or not."""
    rule = SequencingRule(action=RuleAction.SKIP, conditions=(RuleCondition(condition=Condition.SATISFIED),))
    lesson = SequencingDefinition(pre_condition_rules=(rule,) if skips else ())
    flowing = SequencingDefinition(control=ControlModes(flow=True))
    modules = tuple(
        ActivityNode(
            identifier=f"{module}",
            definition=flowing,
            children=tuple(
                ActivityNode(identifier=f"{module}-{n}", definition=lesson) for n in range(LESSONS)
            ),
        )
        for module in range(MODULES)
    )
    return ActivityTree(ActivityNode(identifier="course", definition=flowing, children=modules))


def played(tree: ActivityTree, *events: Event, state: State | None = None) -> State:
    """Return where some events lead."""
    state = state or new_state()
    for event in events:
        state, _ = step(tree, state, event)
    return state


def all_passed_but_the_last(tree: ActivityTree) -> State:
    """Return the state of a learner in the first lesson who has passed every other one but the last."""
    state = new_state()
    lessons = [activity for activity in tree.activities if activity.is_leaf]
    for lesson in lessons[1:-1]:
        state["activities"][lesson.identifier] = {"attempts": 1, "objectives": {"": {"satisfied": True}}}
    return played(tree, Event(kind=Request.START), state=state)


def walk(activity: Activity, records: dict[str, int]) -> None:
    """Visit everything and look each up."""
    records.get(activity.identifier)
    for child in activity.children:
        walk(child, records)


def _cpu_us(act: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time_ns()
        for _ in range(TIMES):
            act()
        best = min(best, (time.process_time_ns() - began) / TIMES / 1_000)
    return best


if __name__ == "__main__":
    main()
