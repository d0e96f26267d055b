"""What the children of a cluster say to its rollup, counted in one pass (RB.1.1, RB.1.4).

The processes of rollup ask every child six times over: for its measure, its progress, and for each of four actions.
Here each field is read once, of all children that are read in one manner together; what a shared objective says of
them is read once for all. A rule that asks for more than one thing, or children of which not all always take part
(``requiredForCompleted`` and the like), is left to the processes themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from math import fsum
from typing import Any

from content_packages.sequencing.counted import Tally
from content_packages.sequencing.tracking import (
    NO_OBJECTIVE,
    NO_OBJECTIVES,
    NO_RECORD,
    ActivityRecord,
    ObjectiveRecord,
    Tracking,
)
from content_packages.sequencing.tree import Activity, Alike, Family, Manner


def tally(tracking: Tracking, cluster: Activity) -> Tally:
    """Count what the tracked available children of a cluster say of themselves to its rollup."""
    family = tracking.family(cluster)
    if len(family.alike) == 1 and not family.apart:
        found = _read(tracking, cluster, family.alike[0])
    else:
        parts = [_read(tracking, cluster, alike) for alike in family.alike]
        parts += [_ask(tracking, child) for child in family.apart]
        found = _together(family, parts)
    if cluster.asks_attempts:
        attempted = sum(tracking.attempts(child) > 0 for child in family.children if child.is_tracked)
        return found._replace(attempted=attempted)
    return found


def mean(weighed: list[float], weights: float) -> float | None:
    """Return a weighted mean; of nothing, or with no weight, nothing is known.

    The sum is exact, so that the order of children does not count, and ten times 0.6 is on average not less than 0.6.

    Args:
        weighed: what is known, each times its weight.
        weights: the sum of all weights, those of the unknown as well.
    """
    return fsum(weighed) / weights if weighed and weights > 0 else None


def _together(family: Family, parts: list[Tally]) -> Tally:
    satisfied = not_satisfied = completed = not_completed = 0
    measures, progresses = list[float](), list[float]()
    for part in parts:
        satisfied += part.satisfied
        not_satisfied += part.not_satisfied
        completed += part.completed
        not_completed += part.not_completed
        measures += part.measures
        progresses += part.progresses
    return Tally(
        family.tracked,
        satisfied,
        not_satisfied,
        completed,
        not_completed,
        measures,
        family.measure_weight,
        progresses,
        family.progress_weight,
    )


def _read(tracking: Tracking, cluster: Activity, alike: Alike) -> Tally:
    """Read children of one manner: as ``Tracking.value`` and ``own_value`` do of one."""
    if alike.key is None and not alike.is_shared:
        found = _read_apart(tracking, cluster, alike)
    else:
        found = _read_together(tracking, cluster, alike, alike.key or "")
    if alike.reads:
        found = _with_shared(tracking, alike, found)
    return found if alike.is_simple else _judged(alike.manner, found)


def _read_together(tracking: Tracking, cluster: Activity, alike: Alike, key: str) -> Tally:
    """Read children whose primary objectives have one key, or none of them anything to say."""
    has_own, attempts = not alike.is_shared, tracking.attempts(cluster)
    try:  # to take all at once is half the work, where each has a record
        records = alike.records(tracking.records)
    except KeyError:
        records = tuple(filter(None, map(tracking.records.get, alike.identifiers)))
    not_satisfied = not_completed = 0
    measures, progresses, partly = list[float](), list[float](), list[ActivityRecord]()
    for record in records:
        try:  # of most all is known: to look before each step would cost half as much again
            held = record["objectives"][key] if has_own else _NO_STATUS
            success, completion = held["satisfied"], record["completed"]
            if record["era"] != attempts:
                partly.append(record)
                continue
        except KeyError:
            partly.append(record)
            continue
        if not success:
            not_satisfied += 1
        if not completion:
            not_completed += 1
        if "measure" in held:
            measures.append(held["measure"])
        if "progress" in record:
            progresses.append(record["progress"])
    known = len(records) - len(partly)
    found = Tally(
        len(alike.identifiers),
        known - not_satisfied,
        not_satisfied,
        known - not_completed,
        not_completed,
        measures,
        alike.measure_weight,
        progresses,
        alike.progress_weight,
    )
    return _with_more(cluster, attempts, zip(repeat(key), partly), found) if partly else found


#: What stands for objectives of which shared ones say it all.
_NO_STATUS: ObjectiveRecord = {"satisfied": False}


def _read_apart(tracking: Tracking, cluster: Activity, alike: Alike) -> Tally:
    """Read children whose primary objectives have each a key of its own."""
    nothing = Tally(len(alike.keys), 0, 0, 0, 0, [], alike.measure_weight, [], alike.progress_weight)
    records = map(tracking.records.get, alike.identifiers, repeat(NO_RECORD))
    return _with_more(cluster, tracking.attempts(cluster), zip(alike.keys, records, strict=True), nothing)


def _with_more(
    cluster: Activity, attempts: int, records: Iterable[tuple[str, ActivityRecord]], found: Tally
) -> Tally:
    """Add children of whom anything may be unknown, or of an earlier attempt on the cluster, each with its key."""
    control = cluster.definition.control
    successes, completions = list[bool](), list[bool]()
    for key, record in records:
        is_present = record.get("era", 0) == attempts
        if is_present or not control.use_current_attempt_progress_info:
            if "completed" in record:
                completions.append(record["completed"])
            if "progress" in record:
                found.progresses.append(record["progress"])
        if is_present or not control.use_current_attempt_objective_info:
            held = record.get("objectives", NO_OBJECTIVES).get(key, NO_OBJECTIVE)
            if "satisfied" in held:
                successes.append(held["satisfied"])
            if "measure" in held:
                found.measures.append(held["measure"])
    satisfied, completed = successes.count(True), completions.count(True)
    return found._replace(
        satisfied=found.satisfied + satisfied,
        not_satisfied=found.not_satisfied + len(successes) - satisfied,
        completed=found.completed + completed,
        not_completed=found.not_completed + len(completions) - completed,
    )


def _with_shared(tracking: Tracking, alike: Alike, own: Tally) -> Tally:
    """Let shared objectives say what they say of all of these children; completion and progress may be their own."""
    found = own
    for name, target in alike.reads.items():
        shared: Any = tracking.shared(target).get(name)
        every = 0 if shared is None else len(alike.identifiers)
        match name:
            case "satisfied":
                found = found._replace(satisfied=every if shared else 0, not_satisfied=0 if shared else every)
            case "measure":
                found = found._replace(measures=[shared] * every)
            case "completed" if every:
                found = found._replace(completed=every if shared else 0, not_completed=0 if shared else every)
            case "progress" if every:
                found = found._replace(progresses=[shared] * every)
    return found


def _judged(manner: Manner, found: Tally) -> Tally:
    """Let measures decide where they do, and weigh them."""
    _, satisfied, not_satisfied, completed, not_completed, measures, _, progresses, *_ = found
    if manner.passing is not None:
        satisfied = len([measure for measure in measures if measure >= manner.passing])
        not_satisfied = len(measures) - satisfied
    if manner.enough is not None:
        completed = len([progress for progress in progresses if progress >= manner.enough])
        not_completed = len(progresses) - completed
    return Tally(
        found.asked,
        satisfied,
        not_satisfied,
        completed,
        not_completed,
        _weighed(measures, manner.measure_weight),
        found.measure_weight,
        _weighed(progresses, manner.progress_weight),
        found.progress_weight,
    )


def _weighed(numbers: list[float], weight: float) -> list[float]:
    return numbers if weight == 1.0 else [weight * number for number in numbers]


def _ask(tracking: Tracking, child: Activity) -> Tally:
    """Ask one child as the processes do."""
    primary, definition = child.primary, child.definition
    success, completion = tracking.satisfied(child, primary), tracking.completed(child, primary)
    measure, progress = tracking.measure(child, primary), tracking.progress(child, primary)
    measure_weight = definition.rollup.objective_measure_weight
    progress_weight = definition.completion_threshold.progress_weight
    return Tally(
        1,
        int(success is True),
        int(success is False),
        int(completion is True),
        int(completion is False),
        [] if measure is None else [measure_weight * measure],
        measure_weight,
        [] if progress is None else [progress_weight * progress],
        progress_weight,
    )
