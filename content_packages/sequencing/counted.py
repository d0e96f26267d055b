"""Rollup rules that ask one thing of all children, each as one question to what was counted of them (RB.1.4).

Most rules of most courses are such, the default ones among them. Asked beforehand what they look at, they need none of
the children again for each of the four actions; what they cannot say here is asked of every child (``rollup``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from content_packages.sequencing.definition import ChildActivitySet, Condition, Operator, RollupRule


class Tally(NamedTuple):
    """What is known of some tracked children; of the rest it is unknown.

    Args:
        asked: how many they are.
        attempted: how many of them are; counted only where rules ask for it.
        measures, progresses: those that are known, each times its weight.
        measure_weight, progress_weight: the sum of all weights, those of the unknown as well.
    """

    asked: int
    satisfied: int
    not_satisfied: int
    completed: int
    not_completed: int
    measures: list[float]
    measure_weight: float
    progresses: list[float]
    progress_weight: float
    attempted: int = 0


#: Says whether rules act on a cluster whose children come to this.
CountedTest = Callable[[Tally], bool]


def counted_test(rules: tuple[RollupRule, ...]) -> CountedTest | None:
    """Return what says whether one of the rules acts; ``None`` where each child has to be asked."""
    tests = []
    for rule in rules:
        test = _of_rule(rule)
        if test is None:
            return None
        tests.append(test)
    if len(tests) < 2:
        return tests[0] if tests else lambda _of: False
    return lambda of: any(test(of) for test in tests)


def _of_rule(rule: RollupRule) -> CountedTest | None:
    if len(rule.conditions) != 1 or rule.conditions[0].condition not in _COUNTS:
        return None
    asked = rule.conditions[0]
    counts = _COUNTS[asked.condition]
    if asked.operator is Operator.NOT:
        counts = counts[::-1]
    return _SETS[rule.child_activity_set](rule, *counts)


_Count = Callable[[Tally], int]

# Of how many children a condition is true, and of how many it is false; of the rest it is unknown.
_COUNTS: dict[Condition, tuple[_Count, _Count]] = {
    Condition.SATISFIED: (lambda of: of.satisfied, lambda of: of.not_satisfied),
    Condition.ATTEMPTED: (lambda of: of.attempted, lambda of: of.asked - of.attempted),
    Condition.COMPLETED: (lambda of: of.completed, lambda of: of.not_completed),
    Condition.OBJECTIVE_STATUS_KNOWN: (
        lambda of: of.satisfied + of.not_satisfied,
        lambda of: of.asked - of.satisfied - of.not_satisfied,
    ),
    Condition.ACTIVITY_PROGRESS_KNOWN: (
        lambda of: of.completed + of.not_completed,
        lambda of: of.asked - of.completed - of.not_completed,
    ),
    Condition.OBJECTIVE_MEASURE_KNOWN: (
        lambda of: len(of.measures),
        lambda of: of.asked - len(of.measures),
    ),
}

_SETS: dict[ChildActivitySet, Callable[[RollupRule, _Count, _Count], CountedTest]] = {
    ChildActivitySet.ALL: lambda _rule, true, _false: lambda of: true(of) == of.asked,
    ChildActivitySet.ANY: lambda _rule, true, _false: lambda of: true(of) > 0,
    ChildActivitySet.NONE: lambda _rule, _true, false: lambda of: false(of) == of.asked,
    ChildActivitySet.AT_LEAST_COUNT: lambda rule, true, _false: lambda of: true(of) >= rule.minimum_count,
    ChildActivitySet.AT_LEAST_PERCENT: lambda rule, true, _false: (
        lambda of: of.asked > 0 and true(of) / of.asked >= rule.minimum_percent
    ),
}
