"""Choice Sequencing Request Process (SB.2.9): may the learner go there from here, and what is there."""

from __future__ import annotations

from content_packages.sequencing.errors import EndOfTreeError, ProcessError
from content_packages.sequencing.rules import HIDDEN_FROM_CHOICE, pre_condition
from content_packages.sequencing.tracking import Tracking
from content_packages.sequencing.traversal import (
    BACKWARD,
    FORWARD,
    choice_activity_traversal,
    choice_flow,
    flow,
    may_stop,
    place_among,
)
from content_packages.sequencing.tree import Activity, common_ancestor, path_up


def choice_sequencing_request(tracking: Tracking, target: Activity | None) -> Activity:
    """Choice Sequencing Request Process (SB.2.9).

    Returns:
        The target, or the first activity to deliver inside it.

    Raises:
        ProcessError: the target cannot be reached, or has nothing to deliver.
    """
    if target is None:
        raise ProcessError("SB.2.9-1")
    check_choosable(tracking, target)
    check_reachable(tracking, target)
    if target.is_leaf:
        return target
    try:
        return flow(tracking, target, FORWARD, into_children=True)
    except (ProcessError, EndOfTreeError) as nothing:
        raise ProcessError("SB.2.9-9") from nothing


def check_choosable(tracking: Tracking, target: Activity) -> None:
    """SB.2.9 steps 2 to 4: the target is available, not hidden, and its parent allows choice."""
    if not tracking.is_available(target):
        raise ProcessError("SB.2.9-2")
    at: Activity | None = target
    while at is not None:
        if at.pre_rules and pre_condition(tracking, at, HIDDEN_FROM_CHOICE):
            raise ProcessError("SB.2.9-3")
        at = at.parent
    if target.parent is not None and not target.parent.definition.control.choice:
        raise ProcessError("SB.2.9-4")


def check_reachable(tracking: Tracking, target: Activity) -> None:
    """SB.2.9 steps 5 to 11: nothing between the current activity and the target forbids the way."""
    current = tracking.current
    if current is target:
        return
    if current is not None and current.parent is not None and current.parent is target.parent:
        _among_siblings(tracking, current, target)
        return
    ancestor = tracking.tree.root if current is None else common_ancestor(current, target)
    if current is None or current is ancestor:
        _downward(tracking, ancestor, target, forward=True)
    elif target is ancestor:
        _upward(current, target)
    else:
        _across(tracking, current, target, ancestor)


def _among_siblings(tracking: Tracking, current: Activity, target: Activity) -> None:
    """SB.2.9 step 8: every sibling from the current one on, the target left out, lets one pass."""
    assert target.parent is not None  # noqa: S101 - siblings have a parent
    siblings = tracking.available_children(target.parent)
    here, there = place_among(siblings, current), place_among(siblings, target)
    if here is None or there is None:
        return
    if there > here:
        for place in may_stop(tracking, target.parent, here, there):
            choice_activity_traversal(tracking, siblings[place], FORWARD)
    elif there < here:  # all have the parent that is looked at
        choice_activity_traversal(tracking, current, BACKWARD)


def _downward(tracking: Tracking, ancestor: Activity, target: Activity, *, forward: bool) -> None:
    """SB.2.9 step 9, and the last part of step 11: from an ancestor down to the target, which is left out."""
    if target is ancestor:
        return
    if forward and ancestor.pre_rules:
        choice_activity_traversal(tracking, ancestor, FORWARD)
    for cluster in path_up(target, ancestor)[:0:-1]:
        pass_through(tracking, cluster, forward=forward)


def pass_through(tracking: Tracking, cluster: Activity, *, forward: bool) -> None:
    """Refuse a choice of something inside of a cluster if the way down to it may not lead there (SB.2.9 step 9)."""
    if forward and cluster.pre_rules:
        choice_activity_traversal(tracking, cluster, FORWARD)
    if cluster.definition.constrain_choice.prevent_activation and not tracking.is_active(cluster):
        raise ProcessError("SB.2.9-6")


def _upward(current: Activity, target: Activity) -> None:
    """SB.2.9 step 10: every cluster left on the way up to the target may be left by choice."""
    for activity in path_up(current, target):
        if not activity.definition.control.choice_exit:
            raise ProcessError("SB.2.9-7")


def _across(tracking: Tracking, current: Activity, target: Activity, ancestor: Activity) -> None:
    """SB.2.9 step 11: up from the current activity, then down to the target."""
    constrained: Activity | None = None
    for activity in path_up(current, ancestor):
        if not activity.definition.control.choice_exit:
            raise ProcessError("SB.2.9-7")
        if (
            constrained is None
            and activity.children
            and activity.definition.constrain_choice.constrain_choice
        ):
            constrained = activity
    if constrained is not None:
        _check_constraint(tracking, constrained, target)
    _downward(tracking, ancestor, target, forward=target.order > current.order)


def _check_constraint(tracking: Tracking, constrained: Activity, target: Activity) -> None:
    """SB.2.9 step 11.5: a constrained cluster lets choice reach itself and its neighbours only."""
    direction = FORWARD if target.order > constrained.order else BACKWARD
    consider = choice_flow(tracking, constrained, direction)
    if not consider.contains(target) and target is not constrained:
        raise ProcessError("SB.2.9-8")
