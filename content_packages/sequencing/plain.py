"""Pre-condition rules and limits, each as one question to what is recorded of an activity and of shared objectives.

Asked beforehand what they look at (UP.2.1), they need no walk through objectives, maps and controls for each of the
thousands of activities a flow may pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
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

_Record = Mapping[str, Any]
_Records = Mapping[str, _Record]
_Shared = Mapping[str, Mapping[str, Any]]
#: Whether rules act, by what is recorded of an activity and of shared objectives.
Acts = Callable[[_Record, _Shared], bool]


#: Says of how many activities, whose identifiers are given beside what is asked of each, rules act before the first
#: of which they do not.
InARow = Callable[[Iterable[Any], Iterable[str], _Records, _Shared], int]


def _ask_each(each: Iterable[Any], names: Iterable[str], records: _Records, shared: _Shared) -> int:
    count = 0
    for acts, name in zip(each, names, strict=False):
        if not acts(records.get(name, _NOTHING), shared):
            break
        count += 1
    return count


class Test(NamedTuple):
    """Whether rules act; unknown is ``False``, for an unknown condition makes no rule act.

    Args:
        acts: says so of one activity.
        in_a_row: says it of several whose tests have this in common,
        asked: given of each test this.
        of_all: says whether they act for all of whom rollup knows the same; not always can it be said.
    """

    acts: Acts
    in_a_row: InARow
    asked: Any
    of_all: Callable[[Known], bool] | None = None

    @classmethod
    def of(cls, acts: Acts) -> Test:
        """Return the test that asks each record in turn."""
        return cls(acts, _ask_each, acts)


class Subject(NamedTuple):
    """The activity that is asked, as the package has it."""

    definition: SequencingDefinition
    primary: TrackedObjective
    objectives: Mapping[str, TrackedObjective]


class PlainTests(NamedTuple):
    """What can be asked of an activity.

    Args:
        by_action: pre-condition rules.
        closes: whether it may not be delivered (UP.5).
    """

    by_action: Mapping[RuleAction, Test]
    closes: Test | None


NO_TESTS = PlainTests({}, None)


def plain_tests(activity: Subject, pre_rules: Mapping[RuleAction, tuple[SequencingRule, ...]]) -> PlainTests:
    """Return what can be asked of an activity with these pre-condition rules."""
    tests = {
        action: _any_of([_of_rule(activity, rule) for rule in rules]) for action, rules in pre_rules.items()
    }
    closes = [_of_limit(activity), tests.get(RuleAction.DISABLED)]
    return PlainTests(tests, _any_of([test for test in closes if test is not None]))


def _of_limit(activity: Subject) -> Test | None:
    """Limit Conditions Check Process (UP.1), asked beforehand, if there is a limit."""
    limit = activity.definition.limits.attempt_limit
    if limit is None or not activity.definition.delivery.tracked:
        return None

    def acts(record: _Record, _shared: _Shared) -> bool:
        is_open = record.get("active", False) or record.get("suspended", False)
        return not is_open and record.get("attempts", 0) >= limit

    return Test.of(acts)


def _of_rule(activity: Subject, rule: SequencingRule) -> Test:
    """Sequencing Rule Check Subprocess (UP.2.1), asked beforehand."""
    tests = [_of_condition(activity, asked) for asked in rule.conditions]
    if rule.condition_combination is Combination.ANY or not tests:
        return _any_of(tests)
    return _all_of(tests)


def _of_condition(activity: Subject, asked: RuleCondition) -> Test:
    wanted = asked.operator is not Operator.NOT
    condition = asked.condition
    if condition in _FIELDS:
        return _of_objective(activity, asked, wanted=wanted)
    if condition is Condition.ATTEMPTED:
        return Test.of(lambda record, _s: (record.get("attempts", 0) > 0) is wanted)
    if condition is Condition.ATTEMPT_LIMIT_EXCEEDED:
        limit = activity.definition.limits.attempt_limit
        if limit is None:
            return _constant(not wanted)
        return Test.of(lambda record, _s: (record.get("attempts", 0) >= limit) is wanted)
    return _constant((condition is Condition.ALWAYS) is wanted)  # of the clock nothing is ever true (SN 3.5)


def _of_objective(activity: Subject, asked: RuleCondition, *, wanted: bool) -> Test:
    reference = asked.referenced_objective
    objective = activity.primary if reference is None else activity.objectives.get(reference)
    if objective is None:
        return _constant(False)
    field, asks_if_known = _FIELDS[asked.condition]
    if not activity.definition.delivery.tracked:
        return _constant(asks_if_known and not wanted)
    number = _deciding(activity, objective, field)
    source, least = number or (field, None)
    waits = field == "satisfied" and number is not None and _waits_for_the_end(activity)
    target = objective.reads.get(source) if source in {"satisfied", "measure"} else None
    if target is not None and not (asks_if_known or field == "measure" or waits):
        test = _of_place(target, source, least, wanted=wanted, is_shared=True)
    elif asks_if_known or field == "measure" or waits or source in objective.reads:
        look, says = _look(objective, source, waits=waits), _says(asked, least, wanted=wanted)
        test = Test.of(lambda record, shared: says(look(record, shared)))
    elif objective.is_primary and source in {"completed", "progress"}:
        test = _of_progress(source, least, wanted=wanted)
    else:
        test = _of_place(objective.key, source, least, wanted=wanted, is_shared=False)
    if not objective.is_primary or asks_if_known:
        return test
    return test._replace(of_all=_OF_ALL.get((field, wanted)))


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


def _look(objective: TrackedObjective, field: str, *, waits: bool) -> Callable[[_Record, _Shared], Any]:
    """Return what finds a field, as ``Tracking.value`` does; what ``waits`` is unknown while the activity is active."""
    target = objective.reads.get(field)
    key = None if objective.is_primary and field in {"completed", "progress"} else objective.key
    is_shared = target is not None and field in {"satisfied", "measure"}

    def look(record: _Record, shared: _Shared) -> Any:
        if waits and record.get("active", False):
            return None
        told = None if target is None else shared.get(target, _NOTHING).get(field)
        return told if told is not None or is_shared else _held(record, key).get(field)

    return look


def _says(asked: RuleCondition, least: float | None, *, wanted: bool) -> Callable[[Any], bool]:
    """Return what says whether a rule acts on a value; what is unknown makes none act, unless it asks whether it is."""
    if _FIELDS[asked.condition][1]:
        return lambda value: (value is not None) is wanted
    threshold = asked.measure_threshold
    if asked.condition is Condition.OBJECTIVE_MEASURE_GREATER_THAN:
        return lambda value: value is not None and (value > threshold) is wanted
    if asked.condition is Condition.OBJECTIVE_MEASURE_LESS_THAN:
        return lambda value: value is not None and (value < threshold) is wanted
    if least is None:
        return lambda value: value is wanted
    return lambda value: value is not None and (value >= least) is wanted


def _of_progress(field: str, least: float | None, *, wanted: bool) -> Test:
    if least is None:
        return Test.of(lambda record, _s: record.get(field) is wanted)
    return Test.of(lambda record, _s: field in record and (record[field] >= least) is wanted)


def _of_place(key: str, field: str, least: float | None, *, wanted: bool, is_shared: bool) -> Test:
    """Return the test of a field that stands in one place: in a shared objective, or in one of the record."""

    def acts(record: _Record, shared: _Shared) -> bool:
        if not is_shared and "objectives" not in record:
            return False
        try:
            value = (shared if is_shared else record["objectives"])[key][field]
        except KeyError:  # so rare that to look before each step would cost more
            return False
        return (value if least is None else value >= least) is wanted

    if least is None:
        return Test(acts, _row_of_statuses(field, wanted=wanted, is_shared=is_shared), key)
    return Test(acts, _row_of_numbers(field, least, wanted=wanted, is_shared=is_shared), key)


# Nothing stands in these four loops that does not change from one to the next: thousands may be asked in a row.


@lru_cache(maxsize=256)
def _row_of_statuses(field: str, *, wanted: bool, is_shared: bool) -> InARow:
    def in_records(keys: Iterable[Any], names: Iterable[str], records: _Records, _shared: _Shared) -> int:
        count = 0
        try:
            for key, name in zip(keys, names, strict=False):
                if records[name]["objectives"][key][field] is not wanted:
                    break
                count += 1
        except KeyError:  # nothing is known of this one
            pass
        return count

    def in_shared(keys: Iterable[Any], _names: Iterable[str], _records: _Records, shared: _Shared) -> int:
        count = 0
        try:
            for key in keys:
                if shared[key][field] is not wanted:
                    break
                count += 1
        except KeyError:
            pass
        return count

    return in_shared if is_shared else in_records


@lru_cache(maxsize=256)
def _row_of_numbers(field: str, least: float, *, wanted: bool, is_shared: bool) -> InARow:
    def in_records(keys: Iterable[Any], names: Iterable[str], records: _Records, _shared: _Shared) -> int:
        count = 0
        try:
            for key, name in zip(keys, names, strict=False):
                if (records[name]["objectives"][key][field] >= least) is not wanted:
                    break
                count += 1
        except KeyError:
            pass
        return count

    def in_shared(keys: Iterable[Any], _names: Iterable[str], _records: _Records, shared: _Shared) -> int:
        count = 0
        try:
            for key in keys:
                if (shared[key][field] >= least) is not wanted:
                    break
                count += 1
        except KeyError:
            pass
        return count

    return in_shared if is_shared else in_records


def _held(record: _Record, key: str | None) -> _Record:
    if key is None:
        return record
    held: _Record = record.get("objectives", _NOTHING).get(key, _NOTHING)
    return held


def _any_of(tests: list[Test]) -> Test:
    if len(tests) < 2:
        return tests[0] if tests else _constant(False)
    each = [test.acts for test in tests]
    return Test.of(lambda record, shared: any(acts(record, shared) for acts in each))


def _all_of(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    first, *others = [test.acts for test in tests]
    if len(others) == 1:
        second = others[0]
        return Test.of(lambda record, shared: first(record, shared) and second(record, shared))
    return Test.of(
        lambda record, shared: first(record, shared) and all(acts(record, shared) for acts in others)
    )


def _constant(answer: bool) -> Test:
    return Test.of(lambda _record, _shared: answer)


_NOTHING: _Record = {}

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
