"""How what an activity says of itself is read: its status, measure, completion and progress (SN 4.2.1).

What the package says of it is looked at once, as the tree is indexed, so that thousands can be read in one loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

from content_packages.sequencing.definition import SequencingDefinition
from content_packages.sequencing.known import Known, Terms
from content_packages.sequencing.objectives import TrackedObjective

_Record = Mapping[str, Any]
_NOTHING: _Record = {}
_FIELDS = ("satisfied", "measure", "completed", "progress")


class Reading(NamedTuple):
    """How what a child says of itself to the rollup of its parent is read.

    Args:
        key: of its primary objective.
        passing: the least measure with which it is satisfied, if a measure decides.
        waits: whether that decides nothing while it is active.
        enough: the least progress with which it is completed, if progress decides.
        reads: global objectives that answer, each with the place of what it answers for in what is ``said``.
        measure_weight, progress_weight: with which it counts.
    """

    terms: Terms
    key: str
    passing: float | None
    waits: bool
    enough: float | None
    reads: tuple[tuple[int, str], ...]
    measure_weight: float
    progress_weight: float

    @classmethod
    def of(cls, definition: SequencingDefinition, primary: TrackedObjective, terms: Terms) -> Reading:
        """Return how an activity is read."""
        by_measure, threshold = primary.definition.satisfied_by_measure, definition.completion_threshold
        reads = [(place, primary.reads[name]) for place, name in enumerate(_FIELDS) if name in primary.reads]
        return cls(
            terms,
            primary.key,
            primary.definition.min_normalized_measure if by_measure else None,
            by_measure and not definition.rollup_considerations.measure_satisfaction_if_active,
            threshold.min_progress_measure if threshold.completed_by_measure else None,
            tuple(reads),
            definition.rollup.objective_measure_weight,
            threshold.progress_weight,
        )

    def said(
        self,
        record: _Record,
        shared: Mapping[str, _Record],
        *,
        of_objective: bool = True,
        of_progress: bool = True,
    ) -> tuple[bool | None, float | None, bool | None, float | None]:
        """Return status, measure, completion and progress: what ``Tracking`` tells of each by itself.

        Args:
            record: of the activity.
            shared: what global objectives hold.
            of_objective: whether what the record says of status and measure counts.
            of_progress: the same of completion and progress.
        """
        _, key, passing, waits, enough, reads, _, _ = self
        satisfied = measure = completed = progress = None
        if of_objective and "objectives" in record:
            held = record["objectives"].get(key, _NOTHING)
            satisfied, measure = held.get("satisfied"), held.get("measure")
        if of_progress:
            completed, progress = record.get("completed"), record.get("progress")
        if reads:
            values = [satisfied, measure, completed, progress]
            for place, target in reads:
                told = shared.get(target, _NOTHING).get(_FIELDS[place])
                if told is not None or place < 2:  # for completion and progress a record may answer as well
                    values[place] = told
            satisfied, measure, completed, progress = values
        if passing is not None:
            is_open = waits and record.get("active", False)
            satisfied = None if measure is None or is_open else measure >= passing
        if enough is not None:
            completed = None if progress is None else progress >= enough
        return satisfied, measure, completed, progress

    @property
    def manner(self) -> Manner | None:
        """How it is read together with others; ``None``: it is read by itself."""
        target = self.reads[0][1] if self.reads else None
        from_one_place = self.reads == (() if target is None else ((0, target), (1, target)))
        if self.waits or not from_one_place:
            return None
        weights = self.measure_weight, self.progress_weight
        return Manner(self.terms, self.passing, self.enough, target is not None, *weights)


class Manner(NamedTuple):
    """How children are read together: none waits, and status and measure stand in one place.

    Args:
        is_shared: whether that is a shared objective, or their own.
    """

    terms: Terms
    passing: float | None
    enough: float | None
    is_shared: bool
    measure_weight: float
    progress_weight: float


@dataclass(frozen=True, slots=True)
class Alike:
    """Children of one manner.

    Args:
        keys: of their objectives, shared or their own.
        take: gives their records from all, if each of them has one.
        readings: by key.
        done, unbegun: what is known of one that is completed and satisfied, and of one that is not begun.
    """

    manner: Manner
    names: tuple[str, ...]
    keys: tuple[str, ...]
    readings: Mapping[str, Reading]
    done: Known
    unbegun: Known
    take: Callable[[Mapping[str, Any]], tuple[Any, ...]]

    @classmethod
    def of(cls, manner: Manner, readings: Mapping[str, Reading]) -> Alike:
        """Put children of one manner together."""
        names = tuple(readings)
        keys = [one.reads[0][1] if manner.is_shared else one.key for one in readings.values()]
        return cls(
            manner,
            names,
            tuple(keys),
            readings=dict(zip(keys, readings.values(), strict=True)),
            done=Known(manner.terms, True, True, attempts=1),
            unbegun=Known(manner.terms, None, None),
            take=itemgetter(*names) if len(names) > 1 else lambda records: (records[names[0]],),
        )

    def recorded(self, records: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return what is recorded of each, ``None`` for nothing."""
        try:  # to take all at once is half the work, where each has a record
            return self.take(records)
        except KeyError:
            return tuple(map(records.get, self.names))
