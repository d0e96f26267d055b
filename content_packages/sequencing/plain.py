"""Sequencing rules that ask an activity's own record and nothing else, each as one question to that record.

Most rules of most courses are such. Asked beforehand what they look at (UP.2.1), they need no walk through objectives,
maps and controls for each of the thousands of activities a flow may pass. What is not plain, a measure that decides
or a shared objective that answers, has no question here, and is asked of ``conditions``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from content_packages.sequencing.definition import (
    Combination,
    Condition,
    Operator,
    RuleCondition,
    SequencingDefinition,
    SequencingRule,
)
from content_packages.sequencing.objectives import TrackedObjective

#: Says of a record whether something holds; unknown is ``False``, for an unknown condition makes no rule act.
Test = Callable[[Mapping[str, Any]], bool]


class Subject(NamedTuple):
    """The activity that is asked, as the package has it."""

    definition: SequencingDefinition
    primary: TrackedObjective
    objectives: Mapping[str, TrackedObjective]


def plain_test(activity: Subject, rules: tuple[SequencingRule, ...]) -> Test | None:
    """Return what says whether one of the rules acts (UP.2); ``None`` where the record alone cannot."""
    tests = []
    for rule in rules:
        test = _of_rule(activity, rule)
        if test is None:
            return None
        tests.append(test)
    return _any_of(tests)


def _of_rule(activity: Subject, rule: SequencingRule) -> Test | None:
    """Sequencing Rule Check Subprocess (UP.2.1), asked beforehand."""
    tests = []
    for asked in rule.conditions:
        test = _of_condition(activity, asked)
        if test is None:
            return None
        tests.append(test)
    if rule.condition_combination is Combination.ANY or not tests:
        return _any_of(tests)
    return _all_of(tests)


def _of_condition(activity: Subject, asked: RuleCondition) -> Test | None:
    wanted = asked.operator is not Operator.NOT
    condition = asked.condition
    if condition in _FIELDS:
        return _of_objective(activity, asked, wanted=wanted)
    if condition is Condition.ATTEMPTED:
        return lambda record: (record.get("attempts", 0) > 0) is wanted
    if condition is Condition.ATTEMPT_LIMIT_EXCEEDED:
        limit = activity.definition.limits.attempt_limit
        if limit is None:
            return _constant(not wanted)
        return lambda record: (record.get("attempts", 0) >= limit) is wanted
    return _constant((condition is Condition.ALWAYS) is wanted)  # of the clock nothing is ever true (SN 3.5)


def _of_objective(activity: Subject, asked: RuleCondition, *, wanted: bool) -> Test | None:
    reference = asked.referenced_objective
    objective = activity.primary if reference is None else activity.objectives.get(reference)
    if objective is None:
        return _constant(False)
    field, asks_if_known = _FIELDS[asked.condition]
    if not activity.definition.delivery.tracked:
        return _constant(asks_if_known and not wanted)
    if not is_plain(activity, objective, field):
        return None
    key = None if objective.is_primary and field == "completed" else objective.key
    if asks_if_known:
        return lambda record: (_held(record, key).get(field) is not None) is wanted
    return (
        _of_measure(key, asked, wanted=wanted) if field == "measure" else _status(key, field, wanted=wanted)
    )


def is_plain(activity: Subject, objective: TrackedObjective, field: str) -> bool:
    """Say whether a field of an objective is what the activity's own record says of it, and no more."""
    if field in objective.reads:
        return False
    if field == "satisfied":
        return not objective.definition.satisfied_by_measure
    if field == "completed":
        return not (objective.is_primary and activity.definition.completion_threshold.completed_by_measure)
    return True


def _status(key: str | None, field: str, *, wanted: bool) -> Test:
    if key is None:
        return lambda record: record.get(field) is wanted

    def test(record: Mapping[str, Any]) -> bool:
        try:
            return "objectives" in record and record["objectives"][key][field] is wanted
        except KeyError:  # so rare that to look before each step would cost more
            return False

    return test


def _of_measure(key: str | None, asked: RuleCondition, *, wanted: bool) -> Test:
    threshold, greater = asked.measure_threshold, asked.condition is Condition.OBJECTIVE_MEASURE_GREATER_THAN

    def test(record: Mapping[str, Any]) -> bool:
        measure = _held(record, key).get("measure")
        if measure is None:
            return False
        return (measure > threshold if greater else measure < threshold) is wanted

    return test


def _held(record: Mapping[str, Any], key: str | None) -> Mapping[str, Any]:
    if key is None:
        return record
    held: Mapping[str, Any] = record.get("objectives", _NOTHING).get(key, _NOTHING)
    return held


def _any_of(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    return lambda record: any(test(record) for test in tests)


def _all_of(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    first, *others = tests
    if len(others) == 1:
        second = others[0]
        return lambda record: first(record) and second(record)
    return lambda record: all(test(record) for test in tests)


def _constant(answer: bool) -> Test:
    return lambda _record: answer


_NOTHING: Mapping[str, Any] = {}

# Which field of tracking a condition looks at, and whether it asks only if the field is known.
_FIELDS: dict[Condition, tuple[str, bool]] = {
    Condition.SATISFIED: ("satisfied", False),
    Condition.OBJECTIVE_STATUS_KNOWN: ("satisfied", True),
    Condition.OBJECTIVE_MEASURE_KNOWN: ("measure", True),
    Condition.OBJECTIVE_MEASURE_GREATER_THAN: ("measure", False),
    Condition.OBJECTIVE_MEASURE_LESS_THAN: ("measure", False),
    Condition.COMPLETED: ("completed", False),
    Condition.ACTIVITY_PROGRESS_KNOWN: ("completed", True),
}
