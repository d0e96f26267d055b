"""Walking through the tree (SB.2.1 to SB.2.4, SB.2.9.1, SB.2.9.2).

The pseudo-code hands exceptions back as values; here a walk that cannot go on raises ``ProcessError`` with
the standard's code, and one that leaves the tree at its end raises ``EndOfTreeError``. No walk changes
the state.
"""

from __future__ import annotations

from enum import Enum
from itertools import repeat

from content_packages.sequencing.definition import RuleAction
from content_packages.sequencing.errors import EndOfTreeError, ProcessError
from content_packages.sequencing.rules import check_activity, pre_condition
from content_packages.sequencing.tracking import NO_RECORD, Tracking
from content_packages.sequencing.tree import Activity


class Direction(Enum):
    """Which way a walk goes."""

    FORWARD = 1
    BACKWARD = -1


def flow(tracking: Tracking, start: Activity, direction: Direction, *, into_children: bool) -> Activity:
    """Flow Subprocess (SB.2.3): return the activity to deliver when flowing on from ``start``.

    Raises:
        ProcessError: nothing in that direction can be delivered.
        EndOfTreeError: the walk went past the last activity.
    """
    candidate, direction = flow_tree_traversal(tracking, start, direction, into_children=into_children)
    return flow_activity_traversal(tracking, candidate, direction)


def flow_tree_traversal(
    tracking: Tracking,
    activity: Activity,
    direction: Direction,
    *,
    into_children: bool,
    previous: Direction | None = None,
) -> tuple[Activity, Direction]:
    """Flow Tree Traversal Subprocess (SB.2.1): return the next activity, and the direction from there on."""
    turned_round = False
    if (
        previous is Direction.BACKWARD
        and activity.parent is not None
        and tracking.available_children(activity.parent)[-1] is activity
    ):
        # Entered backward, yet forward only: the cluster was played from its first child and is used up.
        direction, turned_round = Direction.BACKWARD, True
        activity = tracking.available_children(activity.parent)[0]
    if into_children and activity.children:
        return _first_inside(tracking, activity, direction)
    if direction is Direction.FORWARD:
        return _next_beside(tracking, activity)
    return _previous_beside(tracking, activity, may_go_back=turned_round)


def flow_activity_traversal(
    tracking: Tracking, activity: Activity, direction: Direction, previous: Direction | None = None
) -> Activity:
    """Flow Activity Traversal Subprocess (SB.2.2): return this activity, or where it leads."""
    # A loop where the pseudo-code calls itself last: many skipped activities must not exhaust the stack.
    while True:
        if activity.parent is not None and not activity.parent.definition.control.flow:
            raise ProcessError("SB.2.2-1")
        if pre_condition(tracking, activity, RuleAction.SKIP):
            if previous is None:
                activity = _last_skipped_beside(tracking, activity, direction)
            activity, onward = flow_tree_traversal(
                tracking, activity, direction, into_children=False, previous=previous
            )
            if previous is Direction.BACKWARD and onward is Direction.BACKWARD:
                previous = None
            direction = onward
            continue
        if check_activity(tracking, activity):
            raise ProcessError("SB.2.2-2")
        if activity.is_leaf:
            return activity
        activity, onward = flow_tree_traversal(tracking, activity, direction, into_children=True)
        turned = direction is Direction.BACKWARD and onward is Direction.FORWARD
        direction, previous = onward, Direction.BACKWARD if turned else None


def choice_activity_traversal(tracking: Tracking, activity: Activity, direction: Direction) -> None:
    """Choice Activity Traversal Subprocess (SB.2.4): refuse a choice that would pass this activity."""
    if direction is Direction.FORWARD:
        if pre_condition(tracking, activity, RuleAction.STOP_FORWARD_TRAVERSAL):
            raise ProcessError("SB.2.4-1")
    elif activity.parent is None:
        raise ProcessError("SB.2.4-3")
    elif activity.parent.definition.control.forward_only:
        raise ProcessError("SB.2.4-2")


def choice_flow(tracking: Tracking, activity: Activity, direction: Direction) -> Activity:
    """Choice Flow Subprocess (SB.2.9.1): return the neighbour a constrained choice may reach at most."""
    return choice_flow_tree_traversal(tracking, activity, direction) or activity


def choice_flow_tree_traversal(
    tracking: Tracking, activity: Activity, direction: Direction
) -> Activity | None:
    """Choice Flow Tree Traversal Subprocess (SB.2.9.2): return the next activity beside or above, if any."""
    for at in activity.up():
        neighbour = _sibling(tracking, at, direction)
        if neighbour is not None:
            return neighbour
    return None


def _first_inside(tracking: Tracking, cluster: Activity, direction: Direction) -> tuple[Activity, Direction]:
    children = tracking.available_children(cluster)
    if not children:
        raise ProcessError("SB.2.1-2")
    if direction is Direction.BACKWARD and not cluster.definition.control.forward_only:
        return children[-1], Direction.BACKWARD
    return children[0], Direction.FORWARD


def _next_beside(tracking: Tracking, activity: Activity) -> tuple[Activity, Direction]:
    for at in activity.up():
        following = _sibling(tracking, at, Direction.FORWARD)
        if following is not None:
            return following, Direction.FORWARD
    raise EndOfTreeError


def _previous_beside(
    tracking: Tracking, activity: Activity, *, may_go_back: bool
) -> tuple[Activity, Direction]:
    for at in activity.up():
        if at.parent is None:
            break
        if at.parent.definition.control.forward_only and not may_go_back:
            raise ProcessError("SB.2.1-4")
        may_go_back = False
        before = _sibling(tracking, at, Direction.BACKWARD)
        if before is not None:
            return before, Direction.BACKWARD
    raise ProcessError("SB.2.1-3")


def _last_skipped_beside(tracking: Tracking, activity: Activity, direction: Direction) -> Activity:
    """Return the last of the neighbours that are skipped one after the other, beginning with this activity.

    Step by step the walk would come to each of them (SB.2.1), find the same parent that lets it flow, and skip it
    (SB.2.2); thousands may be skipped at once.
    """
    parent, found = activity.parent, _among_siblings(tracking, activity)
    if parent is None or found is None:
        return activity
    if direction is Direction.BACKWARD and parent.definition.control.forward_only:
        return activity
    siblings, place = found
    if direction is Direction.FORWARD:
        ahead = slice(place + 1, None)
    elif place:
        ahead = slice(place - 1, None, -1)
    else:
        return activity
    family = tracking.family(parent)
    records = map(tracking.records.get, family.identifiers[ahead], repeat(NO_RECORD))
    passed = 0
    for test, record in zip(family.skip_tests[ahead], records, strict=True):
        if test is None or not test(record):
            break
        passed += 1
    tracking.decisions.extend(family.skipped[ahead][:passed])
    return siblings[ahead][passed - 1] if passed else activity


def _sibling(tracking: Tracking, activity: Activity, direction: Direction) -> Activity | None:
    """Return the neighbour among the available children; ``None`` at the edge and beside the root."""
    found = _among_siblings(tracking, activity)
    if found is None:
        return None
    siblings, place = found[0], found[1] + direction.value
    return siblings[place] if 0 <= place < len(siblings) else None


def _among_siblings(tracking: Tracking, activity: Activity) -> tuple[tuple[Activity, ...], int] | None:
    """Return the available children that an activity is one of, and its place; ``None``: it is none, or the root."""
    if activity.parent is None:
        return None
    siblings = tracking.available_children(activity.parent)
    if siblings is activity.parent.children:
        return siblings, activity.place
    return (siblings, siblings.index(activity)) if activity in siblings else None
