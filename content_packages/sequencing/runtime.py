"""Between the run-time data model and tracking (RTE 4.1.6, 4.2; SN 4.2.1): what content says and finds.

``record_result`` writes what a content object reported into the tracking of its activity; ``initial_values``
and ``resumed_values`` say what a content object finds in its data model because of sequencing.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from pydantic import TypeAdapter

from content_packages.sequencing.event import ObjectiveResult, RunTimeResult
from content_packages.sequencing.objectives import TrackedObjective
from content_packages.sequencing.tracking import State, Tracking
from content_packages.sequencing.tree import Activity, ActivityTree

_RESULT = TypeAdapter(RunTimeResult)
_SATISFIED = {"passed": True, "failed": False}
_COMPLETED = {"completed": True, "incomplete": False, "not attempted": False}


def keep_result(tracking: Tracking, result: RunTimeResult) -> None:
    """Keep what the current content object has reported, until a request makes it count."""
    tracking.pending = _RESULT.dump_python(result, mode="json", exclude_defaults=True)


def record_pending(tracking: Tracking) -> None:
    """Let what the current content object has reported count."""
    if tracking.pending is not None and tracking.current is not None:
        record_result(tracking, tracking.current, _RESULT.validate_python(tracking.pending))
    tracking.pending = None


def record_result(tracking: Tracking, activity: Activity, result: RunTimeResult) -> None:
    """Record what the content object of the activity has reported so far; the rest stays as it is."""
    if not activity.is_tracked:
        return
    for reported in result.objectives:
        objective = activity.objectives.get(reported.objective_id)
        if objective is not None:
            _record(tracking, activity, objective, reported)
    _record(tracking, activity, activity.primary, result)
    tracking.leave_open(activity, _left_open(activity, result))


def _left_open(activity: Activity, result: RunTimeResult) -> list[str]:
    """Return which statuses the content itself has set to unknown, by either of their two names (OB-17b)."""
    key = activity.primary.key
    same = next((one for one in result.objectives if key and one.objective_id == key), None)
    completion, success = result.completion_status, result.success_status
    if same is not None:
        completion, success = completion or same.completion_status, success or same.success_status
    return [
        name for name, status in (("completed", completion), ("satisfied", success)) if status == "unknown"
    ]


def initial_values(tree: ActivityTree, state: State, identifier: str) -> dict[str, str]:
    """Return the data model elements that sequencing sets before content begins a new attempt.

    A resumed attempt gets ``resumed_values`` instead. Elements absent here are not set.
    """
    tracking, activity = Tracking(tree, state), tree[identifier]
    definition = activity.definition
    values: dict[str, str] = {}  # the statuses of the content object itself begin unknown (CO-10, OB-17)
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


def resumed_values(
    tree: ActivityTree, state: State, identifier: str, kept: Mapping[str, str]
) -> dict[str, str]:
    """Return what content finds when its attempt is resumed.

    Its own values, and of objectives it shares with other activities what is known by now (RTE 4.2.17; CO-10).
    """
    tracking, activity = Tracking(tree, state), tree[identifier]
    values = dict(kept)
    for n in itertools.takewhile(lambda n: f"cmi.objectives.{n}.id" in kept, itertools.count()):
        objective = activity.objectives.get(kept[f"cmi.objectives.{n}.id"])
        if objective is None:
            continue
        known = _status_values(tracking, activity, objective, f"cmi.objectives.{n}")
        for name in _shared_fields(objective):
            element = f"cmi.objectives.{n}.{_ELEMENTS[name]}"
            if element in known:
                values[element] = known[element]
            elif activity.is_tracked:  # of one that is not, only the content itself knows what it has said
                values.pop(element, None)
    return values


def _shared_fields(objective: TrackedObjective) -> set[str]:
    by_measure = objective.definition.satisfied_by_measure and "measure" in objective.reads
    return {*objective.reads, *(["satisfied"] if by_measure else [])}


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
    by_measure = objective.definition.satisfied_by_measure
    if by_measure:
        measure = tracking.own_value(activity, objective, "measure")
        satisfied = None if measure is None else measure >= objective.definition.min_normalized_measure
    else:
        satisfied = _SATISFIED.get(reported.success_status or "")
    if by_measure or reported.success_status is not None:
        _record_status(tracking, activity, objective, "satisfied", satisfied)
    threshold = activity.definition.completion_threshold
    by_progress = objective.is_primary and threshold.completed_by_measure
    if by_progress:
        progress = tracking.own_value(activity, objective, "progress")
        completed = None if progress is None else progress >= threshold.min_progress_measure
    else:
        completed = _COMPLETED.get(reported.completion_status or "")
    if by_progress or reported.completion_status is not None:
        _record_status(tracking, activity, objective, "completed", completed)


def _record_status(
    tracking: Tracking, activity: Activity, objective: TrackedObjective, name: str, status: bool | None
) -> None:
    if status is None:
        tracking.clear_value(activity, objective, name)
    else:
        tracking.set_value(activity, objective, name, status)


def _status_values(
    tracking: Tracking, activity: Activity, objective: TrackedObjective, prefix: str
) -> dict[str, str]:
    values: dict[str, str] = {}
    satisfied = tracking.satisfied(activity, objective)
    if satisfied is not None:
        values[f"{prefix}.success_status"] = "passed" if satisfied else "failed"
    completed = tracking.value(activity, objective, "completed")
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


_ELEMENTS = {"satisfied": "success_status", "completed": "completion_status", **_NUMBERS}


def _text(number: float) -> str:
    """Write a number as the data model does: at most seven decimals, none that say nothing.

    >>> _text(0.5), _text(-1.0), _text(1)
    ('0.5', '-1.0', '1.0')
    """
    return str(round(float(number), 7))
