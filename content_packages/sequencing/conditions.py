"""What a condition says of an activity: true, false or unknown (SN 3.4.2, tables of UP.2.1 and RB.1.4.1).

``None`` is unknown. A rule acts only on true: an unknown condition never makes one act, turned round or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from content_packages.sequencing.definition import Combination, Condition, Operator
from content_packages.sequencing.objectives import TrackedObjective
from content_packages.sequencing.tracking import Tracking
from content_packages.sequencing.tree import Activity


def holds(
    tracking: Tracking,
    activity: Activity,
    condition: Condition,
    *,
    operator: Operator = Operator.NO_OP,
    objective_id: str | None = None,
    threshold: float = 0.0,
) -> bool | None:
    """Evaluate one condition with its operator; of an objective that does not exist, nothing is known."""
    if condition in _OF_OBJECTIVES:
        objective = tracking.objective(activity, objective_id)
        if objective is None:
            return None
        result = _OF_OBJECTIVES[condition](_Known(tracking, activity, objective), threshold)
    else:
        result = _OF_ATTEMPTS[condition](tracking, activity)
    return _turned(result, operator)


def combine(values: Iterable[bool | None], combination: Combination) -> bool | None:
    """Combine three-valued results; of nothing, nothing is known.

    >>> combine([True, None], Combination.ANY), combine([True, None], Combination.ALL)
    (True, None)
    """
    found = set(values)
    decisive = combination is Combination.ANY
    if decisive in found:
        return decisive
    return None if None in found or not found else not decisive


def _turned(result: bool | None, operator: Operator) -> bool | None:
    return (not result) if operator is Operator.NOT and result is not None else result


class _Known:
    """What is known of one objective; of an activity that is not tracked nothing is, whatever it reads."""

    __slots__ = ("_activity", "_objective", "_tracking")

    def __init__(self, tracking: Tracking, activity: Activity, objective: TrackedObjective) -> None:
        self._tracking, self._activity, self._objective = tracking, activity, objective

    def satisfied(self) -> bool | None:
        tracked = self._activity.is_tracked
        return self._tracking.satisfied(self._activity, self._objective) if tracked else None

    def measure(self) -> float | None:
        tracked = self._activity.is_tracked
        return self._tracking.measure(self._activity, self._objective) if tracked else None

    def completed(self) -> bool | None:
        tracked = self._activity.is_tracked
        return self._tracking.completed(self._activity, self._objective) if tracked else None


def _measure_greater(known: _Known, threshold: float) -> bool | None:
    measure = known.measure()
    return None if measure is None else measure > threshold


def _measure_less(known: _Known, threshold: float) -> bool | None:
    measure = known.measure()
    return None if measure is None else measure < threshold


_OF_OBJECTIVES: dict[Condition, Callable[[_Known, float], bool | None]] = {
    Condition.SATISFIED: lambda known, _t: known.satisfied(),
    Condition.OBJECTIVE_STATUS_KNOWN: lambda known, _t: known.satisfied() is not None,
    Condition.OBJECTIVE_MEASURE_KNOWN: lambda known, _t: known.measure() is not None,
    Condition.OBJECTIVE_MEASURE_GREATER_THAN: _measure_greater,
    Condition.OBJECTIVE_MEASURE_LESS_THAN: _measure_less,
    Condition.COMPLETED: lambda known, _t: known.completed(),
    Condition.ACTIVITY_PROGRESS_KNOWN: lambda known, _t: known.completed() is not None,
}


def _attempt_limit_exceeded(tracking: Tracking, activity: Activity) -> bool:
    limit = activity.definition.limits.attempt_limit
    return limit is not None and tracking.attempts(activity) >= limit


# SCORM asks no LMS to evaluate the clock (SN 3.5); such conditions never hold.
_OF_ATTEMPTS: dict[Condition, Callable[[Tracking, Activity], bool | None]] = {
    Condition.ATTEMPTED: lambda tracking, activity: tracking.attempts(activity) > 0,
    Condition.ATTEMPT_LIMIT_EXCEEDED: _attempt_limit_exceeded,
    Condition.TIME_LIMIT_EXCEEDED: lambda _t, _a: False,
    Condition.OUTSIDE_AVAILABLE_TIME_RANGE: lambda _t, _a: False,
    Condition.ALWAYS: lambda _t, _a: True,
    Condition.NEVER: lambda _t, _a: False,
}
