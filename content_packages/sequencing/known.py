"""What rules ask of an activity, whoever tells it: tracking of one, or the one pass of rollup of many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from content_packages.sequencing.definition import RequiredFor, RollupAction, SequencingDefinition


@dataclass(frozen=True, eq=False, slots=True)
class Terms:
    """What the package says of an activity that rules ask for; in one tree, terms that are alike are one.

    Args:
        required: when it takes part in an action of its parent's rollup (SN 3.8, 3.9); ``None``: never.
    """

    required: Mapping[RollupAction, RequiredFor | None]
    attempt_limit: int | None

    @classmethod
    def of(cls, definition: SequencingDefinition) -> Terms:
        """Return the terms of an activity."""
        controls, considerations = definition.rollup, definition.rollup_considerations
        satisfied, completed = controls.rollup_objective_satisfied, controls.rollup_progress_completion
        return cls(
            {
                RollupAction.SATISFIED: considerations.required_for_satisfied if satisfied else None,
                RollupAction.NOT_SATISFIED: considerations.required_for_not_satisfied if satisfied else None,
                RollupAction.COMPLETED: considerations.required_for_completed if completed else None,
                RollupAction.INCOMPLETE: considerations.required_for_incomplete if completed else None,
            },
            definition.limits.attempt_limit,
        )


class Known(NamedTuple):
    """What is known of an activity and the one of its objectives that is asked; ``None`` is unknown.

    The same value stands for all children of whom the same is known. Then ``attempts`` and ``is_suspended`` are told
    where rollup asks for them, and of a measure whether it is above, at or below 0: 1, 0 or -1.
    """

    terms: Terms
    satisfied: bool | None
    completed: bool | None
    measure: float | None = None
    attempts: int = 0
    is_suspended: bool = False


class Tally(NamedTuple):
    """What the tracked children of a cluster say to its rollup.

    Args:
        children: how many of them the same is known of.
        alike: what of these is known of children of one manner (``tree.Family.alike``), if that was told apart.
        measures, progresses: those that are known, each times its weight.
        measure_weight, progress_weight: the sum of all weights, those of the unknown as well.
    """

    children: dict[Known, int]
    measures: list[float]
    measure_weight: float
    progresses: list[float]
    progress_weight: float
    alike: tuple[Known, ...] | None = None
