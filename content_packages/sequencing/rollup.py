"""Rollup (RB.1): what the children of a cluster amount to, from a leaf up to the root.

A cluster is either measured or ruled: satisfied by measure or by rollup rules (RB.1.2), completed by measure
or by rollup rules (RB.1.3). Only available children that are tracked take part.
"""

from __future__ import annotations

from heapq import heappop, heappush
from math import fsum
from typing import Literal

from content_packages.sequencing.definition import RequiredFor, RollupAction, RollupRule
from content_packages.sequencing.known import Tally
from content_packages.sequencing.rollup_rules import acts, meets, takes_part
from content_packages.sequencing.rules import SKIP, pre_condition
from content_packages.sequencing.tally import mean, tally
from content_packages.sequencing.tracking import Tracking
from content_packages.sequencing.tree import Activity


def overall_rollup(tracking: Tracking, activity: Activity) -> None:
    """Overall Rollup Process (RB.1.5): roll up every cluster from the activity to the root.

    Where a global objective has changed, the clusters above the activities that read it are rolled up as
    well, each of them once and the deepest first.
    """
    if tracking.is_settled_from(activity):
        return
    at: Activity | None = activity
    all_settled = True
    while at is not None:
        if at.children and at.is_tracked and at.order not in tracking.settled:
            all_settled &= _roll_up(tracking, at)
        if tracking.changed_globals:
            _roll_up_readers(tracking, activity, at)
            return
        at = at.parent
    if all_settled:
        tracking.settled_from = activity


def _roll_up_readers(tracking: Tracking, activity: Activity, reached: Activity) -> None:
    """RB.1.5 from where a global objective changed, with the clusters above what reads it."""
    waiting = [(-at.depth, at.order, at) for at in reached.up()][1:]  # in the order of a heap already
    met = {at.order for at in activity.up()}
    while True:
        for target in tracking.take_changed_globals():
            for parent in tracking.tree.concerned[target].parents:
                above: Activity | None = parent
                # What is above one that was met was met, too.
                while above is not None and above.order not in met:
                    met.add(above.order)
                    heappush(waiting, (-above.depth, above.order, above))
                    above = above.parent
        if not waiting:
            return
        _, _, cluster = heappop(waiting)
        if cluster.is_tracked and cluster.order not in tracking.settled:
            _roll_up(tracking, cluster)


def _roll_up(tracking: Tracking, cluster: Activity) -> bool:
    """RB.1.5 step 3 for one cluster.

    Returns:
        Whether the same again would change nothing as long as nothing that it looks at does.
    """
    decided = len(tracking.decisions)
    tracking.rolling_up = True  # rules may look at earlier attempts, rollup only where it is told to
    tallied = tally(tracking, cluster) if cluster.can_be_tallied else None
    if tallied is not None and cluster.is_all_counted:
        _roll_up_at_once(tracking, cluster, tallied)
    else:
        measure_rollup(tracking, cluster, tallied)
        completion_measure_rollup(tracking, cluster, tallied)
        objective_rollup(tracking, cluster, tallied)
        activity_progress_rollup(tracking, cluster, tallied)
    tracking.rolling_up = False
    settled = (
        tracking.tree.takes_shortcuts and not tracking.changed_globals and len(tracking.decisions) == decided
    )
    if settled:
        tracking.settled[cluster.order] = tallied
    return settled


def _roll_up_at_once(tracking: Tracking, cluster: Activity, tallied: Tally) -> None:
    """RB.1.1 to RB.1.3 of a cluster of which what was counted decides everything; all they find is recorded at once."""
    acting = cluster.rollup_rules.acting(tallied.children)
    satisfied = completed = None
    if _SATISFIED in acting:
        satisfied = True
    elif _NOT_SATISFIED in acting:
        satisfied = False
    if _COMPLETED in acting:
        completed = True
    elif _INCOMPLETE in acting:
        completed = False
    tracking.set_rolled_up(
        cluster,
        mean(tallied.measures, tallied.measure_weight),
        mean(tallied.progresses, tallied.progress_weight),
        satisfied,
        completed,
    )


def measure_rollup(tracking: Tracking, cluster: Activity, tallied: Tally | None = None) -> None:
    """Measure Rollup Process (RB.1.1 a): the children's weighted mean, the unknown counting 0."""
    if tallied is not None:
        measure = mean(tallied.measures, tallied.measure_weight)
        tracking.set_value(cluster, cluster.primary, "measure", measure)
        return
    weighed, weights = [], []
    for child in _tracked_children(tracking, cluster):
        weight = child.definition.rollup.objective_measure_weight
        weights.append(weight)
        measure = tracking.measure(child, child.primary)
        if measure is not None:
            weighed.append(weight * measure)
    tracking.set_value(cluster, cluster.primary, "measure", mean(weighed, fsum(weights)))


def completion_measure_rollup(tracking: Tracking, cluster: Activity, tallied: Tally | None = None) -> None:
    """Completion Measure Rollup Process (RB.1.1 b): the weighted mean of the children's progress."""
    if tallied is not None:
        progress = mean(tallied.progresses, tallied.progress_weight)
        tracking.set_value(cluster, cluster.primary, "progress", progress)
        return
    weighed, weights = [], []
    for child in _tracked_children(tracking, cluster):
        weight = child.definition.completion_threshold.progress_weight
        weights.append(weight)
        progress = tracking.progress(child, child.primary)
        if progress is not None:
            weighed.append(weight * progress)
    tracking.set_value(cluster, cluster.primary, "progress", mean(weighed, fsum(weights)))


def objective_rollup(tracking: Tracking, cluster: Activity, tallied: Tally | None = None) -> None:
    """Objective Rollup Process (RB.1.2): using measure (a) or using rules (b)."""
    if cluster.primary.definition.satisfied_by_measure:
        satisfied = tracking.satisfied(cluster, cluster.primary)
        tracking.set_value(cluster, cluster.primary, "satisfied", satisfied)
        return
    _record_by_rules(tracking, cluster, "satisfied", tallied)


def activity_progress_rollup(tracking: Tracking, cluster: Activity, tallied: Tally | None = None) -> None:
    """Activity Progress Rollup Process (RB.1.3): using measure (a) or using rules (b)."""
    if cluster.definition.completion_threshold.completed_by_measure:
        completed = tracking.completed(cluster, cluster.primary)
        tracking.set_value(cluster, cluster.primary, "completed", completed)
        return
    _record_by_rules(tracking, cluster, "completed", tallied)


def _record_by_rules(
    tracking: Tracking, cluster: Activity, name: Literal["satisfied", "completed"], tallied: Tally | None
) -> None:
    """Check the rules of both actions, and record the outcome: the positive one is last and has its way."""
    negative, positive = _PAIRS[name]
    is_not = rollup_rule_check(tracking, cluster, negative, tallied)
    if is_not and name in cluster.primary.writes:
        tracking.set_value(
            cluster, cluster.primary, name, False
        )  # children may read it as they are asked again
    if rollup_rule_check(tracking, cluster, positive, tallied):
        tracking.set_value(cluster, cluster.primary, name, True)
    elif is_not:
        tracking.set_value(cluster, cluster.primary, name, False)


def rollup_rule_check(
    tracking: Tracking, cluster: Activity, action: RollupAction, tallied: Tally | None = None
) -> bool:
    """Rollup Rule Check Subprocess (RB.1.4): say whether a rule with this action acts on the cluster."""
    if tallied is not None:
        return action in cluster.rollup_rules.acting(tallied.children)
    for rule in cluster.rollup_rules.by_action[action]:
        results = (
            (evaluate_rollup_conditions(tracking, child, rule), 1)
            for child in _tracked_children(tracking, cluster)
            if check_child_for_rollup(tracking, child, action)
        )
        if acts(rule, results):
            return True
    return False


def evaluate_rollup_conditions(tracking: Tracking, child: Activity, rule: RollupRule) -> bool | None:
    """Evaluate Rollup Conditions Subprocess (RB.1.4.1) for one child."""
    return meets(tracking.known(child, child.primary), rule)


def check_child_for_rollup(tracking: Tracking, child: Activity, action: RollupAction) -> bool:
    """Check Child for Rollup Subprocess (RB.1.4.2): say whether the child takes part in this action."""
    if child.terms.required[action] is RequiredFor.IF_NOT_SKIPPED:
        return not pre_condition(tracking, child, SKIP)
    return takes_part(tracking.known(child, child.primary), action)


def _tracked_children(tracking: Tracking, cluster: Activity) -> list[Activity]:
    return [child for child in tracking.available_children(cluster) if child.is_tracked]


# To look a member up in its class takes ten times as long (Python 3.11).
_SATISFIED, _NOT_SATISFIED = RollupAction.SATISFIED, RollupAction.NOT_SATISFIED
_COMPLETED, _INCOMPLETE = RollupAction.COMPLETED, RollupAction.INCOMPLETE

_PAIRS = {
    "satisfied": (_NOT_SATISFIED, _SATISFIED),
    "completed": (_INCOMPLETE, _COMPLETED),
}
