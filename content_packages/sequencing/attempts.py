"""Utility processes that end attempts (UP.3, UP.4)."""

from __future__ import annotations

from content_packages.sequencing.randomization import prepare_next_attempt
from content_packages.sequencing.rollup import overall_rollup
from content_packages.sequencing.tracking import Tracking
from content_packages.sequencing.tree import Activity, common_ancestor, path_up


def terminate_descendent_attempts(tracking: Tracking, activity: Activity) -> None:
    """Terminate Descendent Attempts Process (UP.3): end what is under way below the activity.

    The current activity itself has been ended before; the clusters between it and the ancestor it shares
    with ``activity`` are ended here, from the bottom up.
    """
    if tracking.current is None:
        return
    ancestor = common_ancestor(tracking.current, activity)
    for cluster in path_up(tracking.current, ancestor)[1:]:
        end_attempt(tracking, cluster)


def end_attempt(tracking: Tracking, activity: Activity) -> None:
    """End Attempt Process (UP.4): close the attempt, fill in what the content left unsaid, roll up."""
    if activity.is_leaf:
        if activity.is_tracked and not tracking.is_suspended(activity):
            _conclude(tracking, activity)
    else:
        suspended = tracking.any_suspended(activity.children)
        tracking.set_suspended(activity, suspended=suspended)
    tracking.set_active(activity, active=False)
    overall_rollup(tracking, activity)
    if activity.children and not tracking.is_suspended(activity):
        prepare_next_attempt(tracking, activity)


def _conclude(tracking: Tracking, leaf: Activity) -> None:
    """Take an ended attempt for completed and satisfied where the content never said otherwise."""
    delivery, primary = leaf.definition.delivery, leaf.primary
    if (
        not delivery.completion_set_by_content
        and not leaf.definition.completion_threshold.completed_by_measure
        and not tracking.is_left_open(leaf, "completed")
        and tracking.own_value(leaf, primary, "completed") is None
    ):
        tracking.set_value(leaf, primary, "completed", True)
    if (
        not delivery.objective_set_by_content
        and not primary.definition.satisfied_by_measure
        and not tracking.is_left_open(leaf, "satisfied")
        and tracking.own_value(leaf, primary, "satisfied") is None
    ):
        tracking.set_value(leaf, primary, "satisfied", True)
