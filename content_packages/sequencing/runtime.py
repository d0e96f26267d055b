"""Between the run-time data model and tracking (RTE 4.1.6, 4.2; SN 4.2.1): what content says and finds.

``record_result`` writes what a content object reported into the tracking of its activity; ``initial_values``
says what a content object finds in its data model because of sequencing.
"""

from __future__ import annotations

from content_packages.sequencing.event import ObjectiveResult, RunTimeResult
from content_packages.sequencing.tracking import State, Tracking
from content_packages.sequencing.tree import Activity, ActivityTree, TrackedObjective

_SATISFIED = {"passed": True, "failed": False}
_COMPLETED = {"completed": True, "incomplete": False, "not attempted": False}


def record_result(tracking: Tracking, activity: Activity, result: RunTimeResult) -> None:
    """Record what the content object of the activity has reported so far; the rest stays as it is."""
    if not activity.is_tracked:
        return
    for reported in result.objectives:
        objective = activity.objectives.get(reported.objective_id)
        if objective is not None:
            _record(tracking, activity, objective, reported)
    _record(tracking, activity, activity.primary, result)
    tracking.set_left_open(activity, left_open=result.completion_status == "unknown")


def initial_values(tree: ActivityTree, state: State, identifier: str) -> dict[str, str]:
    """Return the data model elements that sequencing sets before content begins a new attempt.

    A resumed attempt gets its own values back instead. Elements absent here are not set.
    """
    tracking, activity = Tracking(tree, state), tree[identifier]
    definition = activity.definition
    values = _status_values(tracking, activity, activity.primary, "cmi")
    named = [objective for key, objective in activity.objectives.items() if key]
    for n, objective in enumerate(named):
        values[f"cmi.objectives.{n}.id"] = objective.key
        values |= _status_values(tracking, activity, objective, f"cmi.objectives.{n}")
    if activity.primary.definition.satisfied_by_measure:
        values["cmi.scaled_passing_score"] = _text(activity.primary.definition.min_normalized_measure)
    if definition.completion_threshold.completed_by_measure:
        values["cmi.completion_threshold"] = _text(definition.completion_threshold.min_progress_measure)
    if definition.limits.attempt_absolute_duration_limit is not None:
        values["cmi.max_time_allowed"] = definition.limits.attempt_absolute_duration_limit
    return values


def _record(
    tracking: Tracking,
    activity: Activity,
    objective: TrackedObjective,
    reported: ObjectiveResult | RunTimeResult,
) -> None:
    numbers = {
        "measure": reported.score_scaled,
        "raw": reported.score_raw,
        "min": reported.score_min,
        "max": reported.score_max,
        "progress": reported.progress_measure,
    }
    for name, number in numbers.items():
        if number is not None:
            tracking.set_value(activity, objective, name, number)
    if reported.success_status is not None:
        satisfied = _SATISFIED.get(reported.success_status)
        tracking.set_value(activity, objective, "satisfied", satisfied)
    if reported.completion_status is not None:
        completed = _COMPLETED.get(reported.completion_status)
        tracking.set_value(activity, objective, "completed", completed)


def _status_values(
    tracking: Tracking, activity: Activity, objective: TrackedObjective, prefix: str
) -> dict[str, str]:
    values: dict[str, str] = {}
    satisfied = tracking.satisfied(activity, objective)
    if satisfied is not None:
        values[f"{prefix}.success_status"] = "passed" if satisfied else "failed"
    completed = tracking.completed(activity, objective)
    if completed is not None:
        values[f"{prefix}.completion_status"] = "completed" if completed else "incomplete"
    for name, element in _NUMBERS.items():
        number = tracking.value(activity, objective, name)
        if number is not None:
            values[f"{prefix}.{element}"] = _text(number)
    return values


_NUMBERS = {
    "measure": "score.scaled",
    "raw": "score.raw",
    "min": "score.min",
    "max": "score.max",
    "progress": "progress_measure",
}


def _text(number: float) -> str:
    """Write a number as the data model does: at most seven decimals, none that say nothing.

    >>> _text(0.5), _text(-1.0), _text(1)
    ('0.5', '-1.0', '1.0')
    """
    return str(round(float(number), 7))
