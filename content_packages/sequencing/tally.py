"""What the children of a cluster say to its rollup, counted in one pass (RB.1.1, RB.1.4).

The processes of rollup ask every child six times over: for its measure, its progress, and for each of four actions.
Here each field is read once, of all children that are read in one manner together; what a shared objective says of
them is read once for all. A rule that asks for more than one thing, or children of which not all always take part
(``requiredForCompleted`` and the like), is left to the processes themselves.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from math import fsum
from operator import itemgetter
from typing import Any, NamedTuple

from content_packages.sequencing.definition import (
    Condition,
    Operator,
    RollupAction,
    RollupRule,
)
from content_packages.sequencing.tracking import Tracking
from content_packages.sequencing.tree import Activity, Family, Manner


@dataclass(frozen=True, slots=True)
class Counted:
    """How many children were asked, and of how many a condition is true, and false; of the rest it is unknown."""

    asked: int
    true: int
    false: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """What is known of the tracked children; ``measure`` and ``progress`` are weighted means, if any is known."""

    family: Family
    measure: float | None
    progress: float | None
    measures: int
    satisfied: int
    not_satisfied: int
    completed: int
    not_completed: int

    def results(self, action: RollupAction, rule: RollupRule) -> Counted | None:
        """Return what the rule's condition is for all children; ``None`` where each of them has to be asked."""
        if len(rule.conditions) != 1 or action not in self.family.takes_part_always:
            return None
        asked, every = rule.conditions[0], self.family.tracked
        match asked.condition:
            case Condition.SATISFIED:
                true, false = self.satisfied, self.not_satisfied
            case Condition.COMPLETED:
                true, false = self.completed, self.not_completed
            case Condition.OBJECTIVE_STATUS_KNOWN:
                true = self.satisfied + self.not_satisfied
                false = every - true
            case Condition.ACTIVITY_PROGRESS_KNOWN:
                true = self.completed + self.not_completed
                false = every - true
            case Condition.OBJECTIVE_MEASURE_KNOWN:
                true, false = self.measures, every - self.measures
            case _:
                return None
        return Counted(every, *((false, true) if asked.operator is Operator.NOT else (true, false)))


def tally(tracking: Tracking, cluster: Activity) -> Tally:
    """Count what the tracked available children of a cluster say of themselves to its rollup."""
    family = tracking.family(cluster)
    found = _Found([], [], [], [])
    for manner, identifiers in family.alike.items():
        _read(tracking, cluster, manner, identifiers, found)
    for child in family.apart:
        _ask(tracking, child, found)
    satisfied, completed = found.successes.count(True), found.completions.count(True)
    return Tally(
        family=family,
        measure=mean(found.measures, family.measure_weight),
        progress=mean(found.progresses, family.progress_weight),
        measures=len(found.measures),
        satisfied=satisfied,
        not_satisfied=len(found.successes) - satisfied,
        completed=completed,
        not_completed=len(found.completions) - completed,
    )


def mean(weighed: list[float], weights: float) -> float | None:
    """Return a weighted mean; of nothing, or with no weight, nothing is known.

    The sum is exact, so that the order of children does not count, and ten times 0.6 is on average not less than 0.6.

    Args:
        weighed: what is known, each times its weight.
        weights: the sum of all weights, those of the unknown as well.
    """
    return fsum(weighed) / weights if weighed and weights > 0 else None


class _Found(NamedTuple):
    """What children are known to be; numbers are weighed already."""

    successes: list[bool]
    measures: list[float]
    completions: list[bool]
    progresses: list[float]


def _read(
    tracking: Tracking, cluster: Activity, manner: Manner, identifiers: tuple[str, ...], found: _Found
) -> None:
    """Read children of one manner, field by field: as ``Tracking.value`` and ``own_value`` do of one."""
    records: list[Any] = list(filter(None, map(tracking.records.get, identifiers)))
    if not records and not manner.reads:
        return
    control, reads = cluster.definition.control, dict(manner.reads)
    attempts = tracking.attempts(cluster)
    eras = _column("era", records)
    present = records
    if len(eras) != len(records) or eras.count(attempts) != len(records):
        present = [record for record in records if record.get("era", 0) == attempts]
    of_progress = present if control.use_current_attempt_progress_info else records
    of_objectives = present if control.use_current_attempt_objective_info else records
    held: list[Any] = []
    if not {"satisfied", "measure"} <= reads.keys():
        held = _column(manner.key, _column("objectives", of_objectives))

    def column(name: str, own: list[Any]) -> list[Any]:
        if name in reads:
            shared = tracking.shared(reads[name]).get(name)
            if shared is not None:
                return [shared] * len(identifiers)
            if name in {"satisfied", "measure"}:
                return []
        return _column(name, own)

    measures, progresses = column("measure", held), column("progress", of_progress)
    if manner.passing is None:
        found.successes.extend(column("satisfied", held))
    else:
        found.successes.extend(measure >= manner.passing for measure in measures)
    if manner.enough is None:
        found.completions.extend(column("completed", of_progress))
    else:
        found.completions.extend(progress >= manner.enough for progress in progresses)
    found.measures.extend(_weighed(measures, manner.measure_weight))
    found.progresses.extend(_weighed(progresses, manner.progress_weight))


def _column(name: str, records: list[Any]) -> list[Any]:
    """Return one field of those that have it: mostly all do, or none."""
    if records and name in records[0]:
        with suppress(KeyError):
            return list(map(itemgetter(name), records))
    return [record[name] for record in records if name in record]


def _weighed(numbers: list[float], weight: float) -> list[float]:
    return numbers if weight == 1.0 else [weight * number for number in numbers]


def _ask(tracking: Tracking, child: Activity, found: _Found) -> None:
    """Ask one child as the processes do."""
    primary, definition = child.primary, child.definition
    success, completion = tracking.satisfied(child, primary), tracking.completed(child, primary)
    if success is not None:
        found.successes.append(success)
    if completion is not None:
        found.completions.append(completion)
    measure, progress = tracking.measure(child, primary), tracking.progress(child, primary)
    if measure is not None:
        found.measures.append(definition.rollup.objective_measure_weight * measure)
    if progress is not None:
        found.progresses.append(definition.completion_threshold.progress_weight * progress)
