"""Delivery (DB): may the activity be delivered, and what its delivery does to the tree."""

from __future__ import annotations

from content_packages.sequencing.attempts import terminate_descendent_attempts
from content_packages.sequencing.errors import ProcessError
from content_packages.sequencing.event import Delivery
from content_packages.sequencing.rules import check_activity
from content_packages.sequencing.tracking import Tracking
from content_packages.sequencing.tree import Activity, common_ancestor, path_up


def delivery_request(tracking: Tracking, activity: Activity) -> None:
    """Delivery Request Process (DB.1.1).

    Raises:
        ProcessError: the activity is a cluster, or it or one above it is disabled or out of attempts.
    """
    if not activity.is_leaf:
        raise ProcessError("DB.1.1-1")
    for at in activity.path():
        if check_activity(tracking, at):
            raise ProcessError("DB.1.1-3")


def content_delivery_environment(tracking: Tracking, activity: Activity) -> Delivery:
    """Content Delivery Environment Process (DB.2): begin or resume the attempts from the root down.

    Raises:
        ProcessError: the activity is already active.
    """
    if tracking.is_active(activity):
        raise ProcessError("DB.2-1")
    if tracking.suspended is not None and tracking.suspended is not activity:
        clear_suspended_activity(tracking, tracking.suspended, activity)
    terminate_descendent_attempts(tracking, activity)
    resumed = tracking.is_suspended(activity)
    for at in activity.path():
        if tracking.is_active(at):
            continue
        if at.is_tracked and not tracking.is_suspended(at):
            tracking.begin_attempt(at)
        tracking.set_suspended(at, suspended=False)
        tracking.set_active(at, active=True)
    tracking.current, tracking.suspended = activity, None
    return Delivery(activity=activity.identifier, resumed=resumed, attempt=tracking.attempts(activity))


def clear_suspended_activity(tracking: Tracking, suspended: Activity, activity: Activity) -> None:
    """Clear Suspended Activity Subprocess (DB.2.1): something else is delivered than was left suspended."""
    ancestor = common_ancestor(suspended, activity)
    for at in [*path_up(suspended, ancestor), ancestor]:
        if not tracking.any_suspended(at.children):
            tracking.set_suspended(at, suspended=False)
    tracking.suspended = None
