"""What a condition says of an activity: true, false or unknown (SN 3.4.2, tables of UP.2.1 and RB.1.4.1).

``None`` is unknown. A rule acts only on true: an unknown condition never makes one act, turned round or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from content_packages.sequencing.definition import Combination, Condition, Operator
from content_packages.sequencing.known import Known


def holds(
    known: Known, condition: Condition, *, operator: Operator = Operator.NO_OP, threshold: float = 0.0
) -> bool | None:
    """Evaluate one condition with its operator."""
    result = _CONDITIONS[condition](known, threshold)
    return (not result) if operator is Operator.NOT and result is not None else result


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


def _measure_greater(known: Known, threshold: float) -> bool | None:
    measure = known.measure
    return None if measure is None else measure > threshold


def _measure_less(known: Known, threshold: float) -> bool | None:
    measure = known.measure
    return None if measure is None else measure < threshold


def _attempt_limit_exceeded(known: Known, _threshold: float) -> bool:
    limit = known.terms.attempt_limit
    return limit is not None and known.attempts >= limit


_Answer = Callable[[Known, float], bool | None]

OF_OBJECTIVES: dict[Condition, _Answer] = {
    Condition.SATISFIED: lambda known, _t: known.satisfied,
    Condition.OBJECTIVE_STATUS_KNOWN: lambda known, _t: known.satisfied is not None,
    Condition.OBJECTIVE_MEASURE_KNOWN: lambda known, _t: known.measure is not None,
    Condition.OBJECTIVE_MEASURE_GREATER_THAN: _measure_greater,
    Condition.OBJECTIVE_MEASURE_LESS_THAN: _measure_less,
    Condition.COMPLETED: lambda known, _t: known.completed,
    Condition.ACTIVITY_PROGRESS_KNOWN: lambda known, _t: known.completed is not None,
}

# SCORM asks no LMS to evaluate the clock (SN 3.5); such conditions never hold.
_CONDITIONS: dict[Condition, _Answer] = {
    **OF_OBJECTIVES,
    Condition.ATTEMPTED: lambda known, _t: known.attempts > 0,
    Condition.ATTEMPT_LIMIT_EXCEEDED: _attempt_limit_exceeded,
    Condition.TIME_LIMIT_EXCEEDED: lambda _k, _t: False,
    Condition.OUTSIDE_AVAILABLE_TIME_RANGE: lambda _k, _t: False,
    Condition.ALWAYS: lambda _k, _t: True,
    Condition.NEVER: lambda _k, _t: False,
}
