"""Sequencing rules that ask an activity's own record and nothing else, each as one question to that record.

Most rules of most courses are such. Asked beforehand what they look at (UP.2.1), they need no walk through objectives,
maps and controls for each of the thousands of activities a flow may pass. What is not plain, a measure that decides
or a shared objective that answers, has no question here, and is asked of ``conditions``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from content_packages.sequencing.definition import (
    Combination,
    Condition,
    Operator,
    RuleAction,
    RuleCondition,
    SequencingDefinition,
    SequencingRule,
)
from content_packages.sequencing.known import Known
from content_packages.sequencing.objectives import TrackedObjective


class Test(NamedTuple):
    """Whether rules act; unknown is ``False``, for an unknown condition makes no rule act.

    Args:
        acts: says so of one record.
        in_a_row: says of how many they act, one after the other, before the first of which they do not.
        of_none: whether they act where nothing is recorded.
        of_all: says whether they act for all of whom rollup knows the same; not always can it be said.
    """

    acts: Callable[[Mapping[str, Any]], bool]
    in_a_row: Callable[[Iterable[Mapping[str, Any]]], int]
    of_none: bool
    of_all: Callable[[Known], bool] | None = None

    @classmethod
    def of(cls, acts: Callable[[Mapping[str, Any]], bool]) -> Test:
        """Return the test that asks each record in turn."""
        return cls(acts, partial(_in_a_row, acts), acts({}))


def _in_a_row(acts: Callable[[Mapping[str, Any]], bool], records: Iterable[Mapping[str, Any]]) -> int:
    count = 0
    for record in records:
        if not acts(record):
            break
        count += 1
    return count


class Subject(NamedTuple):
    """The activity that is asked, as the package has it."""

    definition: SequencingDefinition
    primary: TrackedObjective
    objectives: Mapping[str, TrackedObjective]


class PlainTests(NamedTuple):
    """What can be asked of an activity's record alone.

    Args:
        by_action: pre-condition rules.
        closes: whether the activity may not be delivered (UP.5).
    """

    by_action: Mapping[RuleAction, Test]
    closes: Test | None


NO_TESTS = PlainTests({}, None)


def plain_tests(activity: Subject, pre_rules: Mapping[RuleAction, tuple[SequencingRule, ...]]) -> PlainTests:
    """Return what the record alone can say of an activity with these pre-condition rules."""
    tests = {action: _of_rules(activity, rules) for action, rules in pre_rules.items()}
    closes = [_of_limit(activity), tests.get(RuleAction.DISABLED)]
    is_asked = RuleAction.DISABLED in tests and closes[1] is None
    return PlainTests(
        {action: test for action, test in tests.items() if test is not None},
        None if is_asked else _any_of([test for test in closes if test is not None]),
    )


def _of_rules(activity: Subject, rules: tuple[SequencingRule, ...]) -> Test | None:
    """Return what says whether one of the rules acts (UP.2); ``None`` where the record alone cannot."""
    tests = []
    for rule in rules:
        test = _of_rule(activity, rule)
        if test is None:
            return None
        tests.append(test)
    return _any_of(tests)


def _of_limit(activity: Subject) -> Test | None:
    """Limit Conditions Check Process (UP.1), asked beforehand, if there is a limit."""
    limit = activity.definition.limits.attempt_limit
    if limit is None or not activity.definition.delivery.tracked:
        return None

    def acts(record: Mapping[str, Any]) -> bool:
        is_open = record.get("active", False) or record.get("suspended", False)
        return not is_open and record.get("attempts", 0) >= limit

    return Test.of(acts)


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
        return Test.of(lambda record: (record.get("attempts", 0) > 0) is wanted)
    if condition is Condition.ATTEMPT_LIMIT_EXCEEDED:
        limit = activity.definition.limits.attempt_limit
        if limit is None:
            return _constant(not wanted)
        return Test.of(lambda record: (record.get("attempts", 0) >= limit) is wanted)
    return _constant((condition is Condition.ALWAYS) is wanted)  # of the clock nothing is ever true (SN 3.5)


def _of_objective(activity: Subject, asked: RuleCondition, *, wanted: bool) -> Test | None:
    reference = asked.referenced_objective
    objective = activity.primary if reference is None else activity.objectives.get(reference)
    if objective is None:
        return _constant(False)
    field, asks_if_known = _FIELDS[asked.condition]
    if not activity.definition.delivery.tracked:
        return _constant(asks_if_known and not wanted)
    number = _deciding(activity, objective, field)
    source, least = number or (field, None)
    if source in objective.reads or (number and field == "satisfied" and _waits_for_the_end(activity)):
        return None
    key = None if objective.is_primary and source in {"completed", "progress"} else objective.key
    if asks_if_known:
        return Test.of(lambda record: (_held(record, key).get(source) is not None) is wanted)
    if field == "measure":
        return _of_measure(key, asked, wanted=wanted)
    if least is not None:
        test = _of_number(key, source, least, wanted=wanted)
    else:
        test = _of_completion(wanted=wanted) if key is None else _of_status(key, field, wanted=wanted)
    return test._replace(of_all=_OF_ALL[field, wanted]) if objective.is_primary else test


def _deciding(activity: Subject, objective: TrackedObjective, field: str) -> tuple[str, float] | None:
    """Return the number that decides a status, and how much is enough, where one does."""
    threshold = activity.definition.completion_threshold
    if field == "satisfied" and objective.definition.satisfied_by_measure:
        return "measure", objective.definition.min_normalized_measure
    if field == "completed" and objective.is_primary and threshold.completed_by_measure:
        return "progress", threshold.min_progress_measure
    return None


def _waits_for_the_end(activity: Subject) -> bool:
    """Say whether a measure decides nothing while the activity is active."""
    return not activity.definition.rollup_considerations.measure_satisfaction_if_active


def _of_completion(*, wanted: bool) -> Test:
    return Test.of(lambda record: record.get("completed") is wanted)


def _of_status(key: str, field: str, *, wanted: bool) -> Test:
    def acts(record: Mapping[str, Any]) -> bool:
        try:
            return "objectives" in record and record["objectives"][key][field] is wanted
        except KeyError:  # so rare that to look before each step would cost more
            return False

    def in_a_row(records: Iterable[Mapping[str, Any]]) -> int:
        count = 0
        try:
            for record in records:
                if record["objectives"][key][field] is not wanted:
                    break
                count += 1
        except KeyError:
            pass
        return count

    return Test(acts, in_a_row, of_none=False)


def _of_number(key: str | None, field: str, least: float, *, wanted: bool) -> Test:
    if key is None:
        return Test.of(lambda record: field in record and (record[field] >= least) is wanted)

    def acts(record: Mapping[str, Any]) -> bool:
        try:
            return "objectives" in record and (record["objectives"][key][field] >= least) is wanted
        except KeyError:
            return False

    def in_a_row(records: Iterable[Mapping[str, Any]]) -> int:
        count = 0
        try:
            for record in records:
                if (record["objectives"][key][field] >= least) is not wanted:
                    break
                count += 1
        except KeyError:
            pass
        return count

    return Test(acts, in_a_row, of_none=False)


def _of_measure(key: str | None, asked: RuleCondition, *, wanted: bool) -> Test:
    threshold, greater = asked.measure_threshold, asked.condition is Condition.OBJECTIVE_MEASURE_GREATER_THAN

    def acts(record: Mapping[str, Any]) -> bool:
        measure = _held(record, key).get("measure")
        if measure is None:
            return False
        return (measure > threshold if greater else measure < threshold) is wanted

    return Test.of(acts)


def _held(record: Mapping[str, Any], key: str | None) -> Mapping[str, Any]:
    if key is None:
        return record
    held: Mapping[str, Any] = record.get("objectives", _NOTHING).get(key, _NOTHING)
    return held


def _any_of(tests: list[Test]) -> Test:
    if len(tests) < 2:
        return tests[0] if tests else _constant(False)
    each = [test.acts for test in tests]
    return Test.of(lambda record: any(acts(record) for acts in each))


def _all_of(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    first, *others = [test.acts for test in tests]
    if len(others) == 1:
        second = others[0]
        return Test.of(lambda record: first(record) and second(record))
    return Test.of(lambda record: first(record) and all(acts(record) for acts in others))


def _constant(answer: bool) -> Test:
    return Test.of(lambda _record: answer)


_NOTHING: Mapping[str, Any] = {}

# What is known to rollup stands in a child's record as well.
_OF_ALL: dict[tuple[str, bool], Callable[[Known], bool]] = {
    ("satisfied", True): lambda of: of.satisfied is True,
    ("satisfied", False): lambda of: of.satisfied is False,
    ("completed", True): lambda of: of.completed is True,
    ("completed", False): lambda of: of.completed is False,
}

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
