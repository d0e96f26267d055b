"""Why an activity is completed or satisfied, or is not: the part of the standard that decides, laid open.

Facts, no words: which of measure, rollup rules (RB.1.2, RB.1.3) and the content itself decides, and what each child
of a cluster answers to each rule. The rules are those of ``rollup``, asked again, so this cannot say otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from content_packages.sequencing.definition import RollupAction, RollupRule
from content_packages.sequencing.rollup import (
    check_child_for_rollup,
    evaluate_rollup_conditions,
)
from content_packages.sequencing.tracking import State, Tracking
from content_packages.sequencing.tree import Activity, ActivityTree

Question = Literal["completed", "satisfied"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """A measure decides: the progress (SN 3.14) or the score (SN 3.10), each from 0, or -1, to 1."""

    least: float
    reached: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What one child answers to a rule; ``None`` is unknown. One that takes no part is not asked (RB.1.4.2)."""

    activity: str
    takes_part: bool
    meets: bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ruled:
    """A rollup rule of the cluster that would make it so; ``is_default`` where the package has none of the kind."""

    rule: RollupRule
    is_default: bool
    asked: tuple[Asked, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """The answer to a question about one activity, and what decides it.

    Attributes:
        answer: ``None`` while it is unknown.
        by: a measure; rollup rules, of which any may act (none at all: the package sets nothing of the kind); or
            ``None``, the content itself.
        silence_counts: the content may say nothing, and then an attempt that was ended counts (UP.4).
        shared: the shared global objective that answers, where it says otherwise than what was recorded here (SN 3.10).
    """

    question: Question
    answer: bool | None
    by: Measured | tuple[Ruled, ...] | None
    silence_counts: bool = False
    shared: str | None = None

    @property
    def process(self) -> str:
        """The process of the pseudo-code in which it is decided."""
        if self.by is None and self.shared is not None:
            return "SN 3.10"
        if self.by is None:
            return "UP.4" if self.silence_counts else "RTE 4.2"
        part = "RB.1.3" if self.question == "completed" else "RB.1.2"
        return part + (" a" if isinstance(self.by, Measured) else " b")


def reason(tree: ActivityTree, state: State, identifier: str, question: Question) -> Reason:
    """Say what decides whether an activity is completed, or satisfied, and how it stands with it."""
    tracking, activity = Tracking(tree, state), tree[identifier]
    primary, delivery = activity.primary, activity.definition.delivery
    threshold = activity.definition.completion_threshold
    by: Measured | tuple[Ruled, ...] | None = None
    if question == "completed":
        answer = tracking.completed(activity, primary)
        by_measure, silence = threshold.completed_by_measure, not delivery.completion_set_by_content
        least, reached = threshold.min_progress_measure, tracking.progress(activity, primary)
    else:
        answer = tracking.satisfied(activity, primary)
        by_measure, silence = primary.definition.satisfied_by_measure, not delivery.objective_set_by_content
        least, reached = primary.definition.min_normalized_measure, tracking.measure(activity, primary)
    if by_measure:
        by = Measured(least=least, reached=reached)
    elif not activity.is_leaf:
        by = _ruled(tracking, activity, question)
    return Reason(
        question=question,
        answer=answer,
        by=by,
        silence_counts=by is None and silence,
        shared=_answering(tracking, activity, question, by_measure=by_measure),
    )


def _answering(tracking: Tracking, activity: Activity, question: Question, *, by_measure: bool) -> str | None:
    """Return the shared objective that says otherwise than what was recorded of the activity itself."""
    primary = activity.primary
    measured = "progress" if question == "completed" else "measure"
    name = measured if by_measure else question
    target = primary.reads.get(name)
    known = tracking.value(activity, primary, name)
    if target is None or known is None or known == tracking.own_value(activity, primary, name):
        return None
    return target


def _ruled(tracking: Tracking, cluster: Activity, question: Question) -> tuple[Ruled, ...]:
    action = RollupAction.COMPLETED if question == "completed" else RollupAction.SATISFIED
    children = [child for child in tracking.available_children(cluster) if child.is_tracked]
    tracking.rolling_up = True  # the children are asked as rollup asks them
    return tuple(
        Ruled(
            rule=rule,
            is_default=rule not in cluster.definition.rollup_rules,
            asked=tuple(
                Asked(
                    activity=child.identifier,
                    takes_part=check_child_for_rollup(tracking, child, action),
                    meets=evaluate_rollup_conditions(tracking, child, rule),
                )
                for child in children
            ),
        )
        for rule in cluster.rollup_rules.by_action[action]
    )
