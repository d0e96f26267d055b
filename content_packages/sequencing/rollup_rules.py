"""The rollup rules of a cluster, and whether they act (RB.1.4), by what is known of its children.

Rollup asks of a child a handful of things with two or three answers each. So of thousands of children a few different
things are known, and what rules make of these is the same whenever a cluster is rolled up: it is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import repeat

from content_packages.sequencing.conditions import combine, holds
from content_packages.sequencing.definition import (
    ChildActivitySet,
    Condition,
    RequiredFor,
    RollupAction,
    RollupCondition,
    RollupRule,
)
from content_packages.sequencing.known import Known


class RollupRules:
    """Those of a cluster: of its package, or the default ones (RB.1.2 b, RB.1.3 b) if it has none of a kind.

    Args:
        given: of its package.

    Attributes:
        by_action: the rules for each action.
        asks_attempts, asks_measures: whether one of them asks for these.
    """

    __slots__ = ("_are_counted", "_find", "asks_attempts", "asks_measures", "by_action")

    def __init__(self, given: tuple[RollupRule, ...]) -> None:
        self.by_action: dict[RollupAction, tuple[RollupRule, ...]] = {}
        for action in RollupAction:
            has_own = any(rule.action in _PAIRS[action] for rule in given)
            own = tuple(rule for rule in given if rule.action is action)
            self.by_action[action] = own if has_own else (_DEFAULT_RULES[action],)
        asked = {asked.condition for rule in given for asked in rule.conditions}
        self.asks_attempts = not _OF_ATTEMPTS.isdisjoint(asked)
        self.asks_measures = not _OF_MEASURES.isdisjoint(asked)
        self._are_counted = any(rule.child_activity_set in _COUNTING for rule in given)
        self._find = lru_cache(maxsize=1024)(self._acting)

    def acting(self, children: Mapping[Known, int]) -> frozenset[RollupAction]:
        """Return the actions with a rule that acts (RB.1.4) where so much is known of so many children."""
        counts = children.values() if self._are_counted else repeat(1)
        return self._find(frozenset(zip(children, counts, strict=False)))

    def _acting(self, children: frozenset[tuple[Known, int]]) -> frozenset[RollupAction]:
        return frozenset(
            action
            for action, rules in self.by_action.items()
            if any(
                acts(rule, ((meets(one, rule), count) for one, count in children if takes_part(one, action)))
                for rule in rules
            )
        )


def acts(rule: RollupRule, results: Iterable[tuple[bool | None, int]]) -> bool:
    """Say whether a rule acts, by what so many children each answer; no more are asked than it takes to be sure."""
    return _CHILD_SETS[rule.child_activity_set](results, rule)


def takes_part(child: Known, action: RollupAction) -> bool:
    """Say whether a child takes part in an action (RB.1.4.2), unless that hangs on whether its rules skip it."""
    match child.terms.required[action]:
        case None:
            return False
        case RequiredFor.IF_NOT_SUSPENDED:
            return child.attempts > 0 and not child.is_suspended
        case RequiredFor.IF_ATTEMPTED:
            return child.attempts > 0
    return True


def meets(child: Known, rule: RollupRule) -> bool | None:
    """Say whether a child meets the conditions of a rule (RB.1.4.1)."""
    results = [holds(child, asked.condition, operator=asked.operator) for asked in rule.conditions]
    return results[0] if len(results) == 1 else combine(results, rule.condition_combination)


def _at_least_percent(results: Iterable[tuple[bool | None, int]], rule: RollupRule) -> bool:
    found = list(results)
    asked = sum(count for _, count in found)
    return asked > 0 and sum(count for result, count in found if result) / asked >= rule.minimum_percent


_CHILD_SETS: dict[ChildActivitySet, Callable[[Iterable[tuple[bool | None, int]], RollupRule], bool]] = {
    ChildActivitySet.ALL: lambda results, _rule: all(result for result, _ in results),
    ChildActivitySet.ANY: lambda results, _rule: any(result for result, _ in results),
    ChildActivitySet.NONE: lambda results, _rule: all(result is False for result, _ in results),
    ChildActivitySet.AT_LEAST_COUNT: lambda results, rule: (
        sum(count for result, count in results if result) >= rule.minimum_count
    ),
    ChildActivitySet.AT_LEAST_PERCENT: _at_least_percent,
}

_COUNTING = frozenset({ChildActivitySet.AT_LEAST_COUNT, ChildActivitySet.AT_LEAST_PERCENT})
_OF_ATTEMPTS = frozenset({Condition.ATTEMPTED, Condition.ATTEMPT_LIMIT_EXCEEDED})
_OF_MEASURES = frozenset(
    {
        Condition.OBJECTIVE_MEASURE_KNOWN,
        Condition.OBJECTIVE_MEASURE_GREATER_THAN,
        Condition.OBJECTIVE_MEASURE_LESS_THAN,
    }
)

_PAIRS = {
    action: pair
    for pair in (
        {RollupAction.SATISFIED, RollupAction.NOT_SATISFIED},
        {RollupAction.COMPLETED, RollupAction.INCOMPLETE},
    )
    for action in pair
}

# RB.1.2 b step 1 and RB.1.3 b step 1: the negative is checked first, so "all known" means "not all positive".
_DEFAULT_RULES = {
    action: RollupRule(action=action, conditions=(RollupCondition(condition=condition),))
    for action, condition in {
        RollupAction.SATISFIED: Condition.SATISFIED,
        RollupAction.NOT_SATISFIED: Condition.OBJECTIVE_STATUS_KNOWN,
        RollupAction.COMPLETED: Condition.COMPLETED,
        RollupAction.INCOMPLETE: Condition.ACTIVITY_PROGRESS_KNOWN,
    }.items()
}
