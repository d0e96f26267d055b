"""What the children of a cluster say to its rollup, counted in one pass (RB.1.1, RB.1.4).

The processes of rollup ask every child six times over: for its measure, its progress, and for each of four actions.
Here every child is looked at once. A rule that asks for more than one thing, or children of which not all always
take part (``requiredForCompleted`` and the like), is left to the processes themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import NamedTuple

from content_packages.sequencing.definition import (
    Condition,
    Operator,
    RollupAction,
    RollupRule,
)
from content_packages.sequencing.tracking import Tracking
from content_packages.sequencing.tree import Activity, Family


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
        asked, every = rule.conditions[0], len(self.family.tracked)
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


def tally(tracking: Tracking, cluster: Activity) -> Tally:  # noqa: C901 - one pass, for 2,000 children at a time
    """Count what the tracked available children of a cluster say of themselves to its rollup."""
    family = tracking.family(cluster)
    get, attempts, control = tracking.records.get, tracking.attempts(cluster), cluster.definition.control
    old_progress_counts = not control.use_current_attempt_progress_info
    old_objectives_count = not control.use_current_attempt_objective_info
    found = _Found([], [], [], [])
    successes, measures, completions, progresses = found
    add_success, add_measure, add_completion = successes.append, measures.append, completions.append
    for child in family.tracked:
        if not child.is_plain:
            _ask(tracking, child, found)
            continue
        record = get(child.identifier)
        if record is None:
            continue
        is_present = record.get("era", 0) == attempts  # as in Tracking.own_value, for all fields at once
        if is_present or old_progress_counts:
            if "completed" in record:
                add_completion(record["completed"])
            if "progress" in record:
                progresses.append(child.progress_weight * record["progress"])
        if "objectives" in record and (is_present or old_objectives_count):
            held = record["objectives"].get(child.key)
            if held is not None:
                if "satisfied" in held:
                    add_success(held["satisfied"])
                if "measure" in held:
                    add_measure(child.measure_weight * held["measure"])
    return Tally(
        family=family,
        measure=_mean(measures, family.measure_weight),
        progress=_mean(progresses, family.progress_weight),
        measures=len(measures),
        satisfied=successes.count(True),
        not_satisfied=successes.count(False),
        completed=completions.count(True),
        not_completed=completions.count(False),
    )


class _Found(NamedTuple):
    """What children are known to be; numbers are weighed already."""

    successes: list[bool]
    measures: list[float]
    completions: list[bool]
    progresses: list[float]


def _ask(tracking: Tracking, child: Activity, found: _Found) -> None:
    """Ask one child as the processes do: a measure decides of it, or a shared objective answers."""
    primary = child.primary
    success, completion = tracking.satisfied(child, primary), tracking.completed(child, primary)
    if success is not None:
        found.successes.append(success)
    if completion is not None:
        found.completions.append(completion)
    measure, progress = tracking.measure(child, primary), tracking.progress(child, primary)
    if measure is not None:
        found.measures.append(child.measure_weight * measure)
    if progress is not None:
        found.progresses.append(child.progress_weight * progress)


def _mean(weighed: list[float], weights: float) -> float | None:
    # One after the other: the sum of newer Pythons rounds otherwise, and two nodes have to agree.
    return reduce(add, weighed, 0.0) / weights if weighed and weights > 0 else None
