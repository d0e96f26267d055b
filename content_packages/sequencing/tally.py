"""What the children of a cluster say to its rollup, read in one pass (RB.1.1, RB.1.4).

The processes of rollup ask every child six times over: for its measure, its progress, and for each of four actions.
Here each is read once. Most are read in one manner, say in their own record all that is asked, and are not begun, or
completed and satisfied: so many of them are only counted, and the others are read with all that may be the case.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress, repeat
from math import fsum
from operator import is_, is_not
from typing import Any

from content_packages.sequencing.known import Known, Tally
from content_packages.sequencing.reading import Alike, Manner, Reading
from content_packages.sequencing.tracking import NO_RECORD, ActivityRecord, Tracking
from content_packages.sequencing.tree import Activity


def tally(tracking: Tracking, cluster: Activity) -> Tally:
    """Read what the tracked available children of a cluster say of themselves to its rollup."""
    family, rules, get = tracking.family(cluster), cluster.rollup_rules, tracking.records.get
    found = Tally({}, [], family.measure_weight, [], family.progress_weight)
    apart: list[_Child] = [(get(name), reading) for name, reading in family.others]
    if family.alike is not None:
        if rules.asks_measures:
            readings = map(family.alike.readings.__getitem__, family.alike.keys)
            apart += zip(map(get, family.alike.names), readings, strict=True)
        else:
            is_asked = rules.asks_attempts or family.asks_attempts
            left = _read_together(tracking, cluster, family.alike, found, asks_attempts=is_asked)
            if left:
                apart += left
            else:
                found = found._replace(alike=tuple(found.children))
    if apart:
        _read_apart(tracking, cluster, apart, found)
    return found


def mean(weighed: list[float], weights: float) -> float | None:
    """Return a weighted mean; of nothing, or with no weight, nothing is known.

    The sum is exact, so that the order of children does not count, and ten times 0.6 is on average not less than 0.6.

    Args:
        weighed: what is known, each times its weight.
        weights: the sum of all weights, those of the unknown as well.
    """
    return fsum(weighed) / weights if weighed and weights > 0 else None


#: What is recorded of a child, if anything is, and how it is read.
_Child = tuple[ActivityRecord | None, Reading]


def _read_together(
    tracking: Tracking, cluster: Activity, alike: Alike, found: Tally, *, asks_attempts: bool
) -> list[_Child]:
    """Read children of one manner; return those of whom something is unknown, or out of the ordinary."""
    terms, passing, enough, is_shared, measure_weight, progress_weight = alike.manner
    attempts, shared = tracking.attempts(cluster), tracking.shared_objectives if is_shared else None
    wants_objective, wants_progress = _wants_current(cluster)
    keeps = not (wants_objective or wants_progress)
    forgets = wants_objective and wants_progress and not asks_attempts
    measures: list[float] = []
    progresses: list[float] = []
    apart: list[tuple[Any, str]] = []
    stale: list[tuple[Any, str]] = []
    children, not_done = found.children, 0
    records, keys = alike.recorded(tracking.records), alike.keys
    unbegun = records.count(None)
    pairs = zip(records, keys, strict=True)
    for record, key in compress(pairs, map(is_not, records, repeat(None))) if unbegun else pairs:
        try:  # of most all is known: to look before each step would cost half as much again
            if record["era"] != attempts and not keeps:
                (stale if forgets else apart).append((record, key))
                continue
            held = (record["objectives"] if shared is None else shared)[key]
            satisfied = held.get("satisfied") if passing is None else held["measure"] >= passing
            completed = record.get("completed") if enough is None else record["progress"] >= enough
            is_ordinary = not asks_attempts or (record["attempts"] == 1 and "suspended" not in record)
        except KeyError:
            is_ordinary = False
        if not is_ordinary:
            apart.append((record, key))
            continue
        if not (satisfied and completed):
            not_done += 1
            _add(children, _new(Known, (terms, satisfied, completed, None, 1, False)), 1)
        if "measure" in held:
            measures.append(held["measure"])
        if "progress" in record:
            progresses.append(record["progress"])
    found.measures.extend(_weighed(measures, measure_weight))
    found.progresses.extend(_weighed(progresses, progress_weight))
    _add(children, alike.done, len(keys) - unbegun - len(stale) - len(apart) - not_done)
    if is_shared:
        unknown = [key for _, key in stale] + [*compress(keys, map(is_, records, repeat(None)))]
        _read_shared(tracking, alike.manner, unknown, found)
    else:
        _add(children, alike.unbegun, unbegun + len(stale))
    return [(record, alike.readings[key]) for record, key in apart] if apart else []


def _read_shared(tracking: Tracking, manner: Manner, keys: Sequence[str], found: Tally) -> None:
    """Read children of one manner of whom nothing is known but what shared objectives say."""
    held = [tracking.shared(key) for key in keys]
    measures = [one.get("measure") for one in held]
    if manner.passing is None:
        statuses = [one.get("satisfied") for one in held]
    else:
        statuses = [None if measure is None else measure >= manner.passing for measure in measures]
    told = [measure for measure in measures if measure is not None]
    found.measures.extend(_weighed(told, manner.measure_weight))
    for satisfied in {*statuses}:
        _add(found.children, Known(manner.terms, satisfied, None), statuses.count(satisfied))


def _weighed(numbers: list[float], weight: float) -> list[float]:
    return numbers if weight == 1.0 else [weight * number for number in numbers]


def _read_apart(tracking: Tracking, cluster: Activity, apart: Iterable[_Child], found: Tally) -> None:
    """Read children one by one."""
    attempts, shared, children = tracking.attempts(cluster), tracking.shared_objectives, found.children
    asks_measures = cluster.rollup_rules.asks_measures
    wants_objective, wants_progress = _wants_current(cluster)
    for recorded, reading in apart:
        record = NO_RECORD if recorded is None else recorded
        is_present = record.get("era", 0) == attempts
        satisfied, measure, completed, progress = reading.said(
            record,
            shared,
            of_objective=is_present or not wants_objective,
            of_progress=is_present or not wants_progress,
        )
        if measure is not None:
            found.measures.append(reading.measure_weight * measure)
        if progress is not None:
            found.progresses.append(reading.progress_weight * progress)
        side = (measure > 0) - (measure < 0) if asks_measures and measure is not None else None
        attempted, is_suspended = record.get("attempts", 0), record.get("suspended", False)
        _add(children, _new(Known, (reading.terms, satisfied, completed, side, attempted, is_suspended)), 1)


def _wants_current(cluster: Activity) -> tuple[bool, bool]:
    """Say of objectives and of progress whether only those of the current attempt count (SN 3.2.5, 3.2.6)."""
    control = cluster.definition.control
    return control.use_current_attempt_objective_info, control.use_current_attempt_progress_info


#: To call the class itself would take twice as long.
_new = tuple.__new__


def _add(children: dict[Known, int], known: Known, count: int) -> None:
    if count:
        children[known] = children.get(known, 0) + count
