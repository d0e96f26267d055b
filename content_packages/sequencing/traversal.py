"""Walking through the tree (SB.2.1 to SB.2.4, SB.2.9.1, SB.2.9.2).

The pseudo-code hands exceptions back as values; here a walk that cannot go on raises ``ProcessError`` with
the standard's code, and one that leaves the tree at its end raises ``EndOfTreeError``. No walk changes
the state.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from enum import Enum

from content_packages.sequencing.errors import EndOfTreeError, ProcessError
from content_packages.sequencing.known import Known, Tally
from content_packages.sequencing.rules import SKIP, STOP_FORWARD_TRAVERSAL, check_activity, pre_condition
from content_packages.sequencing.tracking import NO_RECORD, Tracking
from content_packages.sequencing.tree import Activity, Family, Stretch


class Direction(Enum):
    """Which way a walk goes."""

    FORWARD = 1
    BACKWARD = -1


# To look a member up in its class takes ten times as long (Python 3.11).
FORWARD, BACKWARD = Direction


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
        previous is BACKWARD
        and activity.parent is not None
        and tracking.available_children(activity.parent)[-1] is activity
    ):
        # Entered backward, yet forward only: the cluster was played from its first child and is used up.
        direction, turned_round = BACKWARD, True
        activity = tracking.available_children(activity.parent)[0]
    if into_children and activity.children:
        return _first_inside(tracking, activity, direction)
    if direction is FORWARD:
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
        last = _last_skipped(tracking, activity, direction, previous)
        if last is not None:
            activity, onward = flow_tree_traversal(
                tracking, last, direction, into_children=False, previous=previous
            )
            if previous is BACKWARD and onward is BACKWARD:
                previous = None
            direction = onward
            continue
        if check_activity(tracking, activity):
            raise ProcessError("SB.2.2-2")
        if activity.is_leaf:
            return activity
        activity, onward = flow_tree_traversal(tracking, activity, direction, into_children=True)
        turned = direction is BACKWARD and onward is FORWARD
        direction, previous = onward, BACKWARD if turned else None


def choice_activity_traversal(tracking: Tracking, activity: Activity, direction: Direction) -> None:
    """Choice Activity Traversal Subprocess (SB.2.4): refuse a choice that would pass this activity."""
    if direction is FORWARD:
        if pre_condition(tracking, activity, STOP_FORWARD_TRAVERSAL):
            raise ProcessError("SB.2.4-1")
    elif activity.parent is None:
        raise ProcessError("SB.2.4-3")
    elif activity.parent.definition.control.forward_only:
        raise ProcessError("SB.2.4-2")


def may_stop(tracking: Tracking, cluster: Activity, begin: int, end: int) -> Iterator[int]:
    """Yield where, among the available children between two places, one stands that may stop a choice (SB.2.4)."""
    if not tracking.tree.takes_shortcuts:
        siblings = tracking.available_children(cluster)
        yield from (place for place in range(begin, end) if siblings[place].pre_rules)
        return
    family, get = tracking.family(cluster), tracking.records.get
    for place in family.stops[bisect_left(family.stops, begin) : bisect_left(family.stops, end)]:
        activity = family.children[place]
        test = activity.tests.get(STOP_FORWARD_TRAVERSAL)
        if test is None or test.acts(get(activity.identifier, NO_RECORD), tracking.shared_objectives):
            yield place


def choice_flow(tracking: Tracking, activity: Activity, direction: Direction) -> Activity:
    """Choice Flow Subprocess (SB.2.9.1): return the neighbour a constrained choice may reach at most."""
    return choice_flow_tree_traversal(tracking, activity, direction) or activity


def choice_flow_tree_traversal(
    tracking: Tracking, activity: Activity, direction: Direction
) -> Activity | None:
    """Choice Flow Tree Traversal Subprocess (SB.2.9.2): return the next activity beside or above, if any."""
    at: Activity | None = activity
    while at is not None:
        neighbour = _sibling(tracking, at, direction)
        if neighbour is not None:
            return neighbour
        at = at.parent
    return None


def _first_inside(tracking: Tracking, cluster: Activity, direction: Direction) -> tuple[Activity, Direction]:
    children = tracking.available_children(cluster)
    if not children:
        raise ProcessError("SB.2.1-2")
    if direction is BACKWARD and not cluster.definition.control.forward_only:
        return children[-1], BACKWARD
    return children[0], FORWARD


def _next_beside(tracking: Tracking, activity: Activity) -> tuple[Activity, Direction]:
    at: Activity | None = activity
    while at is not None:
        following = _sibling(tracking, at, FORWARD)
        if following is not None:
            return following, FORWARD
        at = at.parent
    raise EndOfTreeError


def _previous_beside(
    tracking: Tracking, activity: Activity, *, may_go_back: bool
) -> tuple[Activity, Direction]:
    at, parent = activity, activity.parent
    while parent is not None:
        if parent.definition.control.forward_only and not may_go_back:
            raise ProcessError("SB.2.1-4")
        may_go_back = False
        before = _sibling(tracking, at, BACKWARD)
        if before is not None:
            return before, BACKWARD
        at, parent = parent, parent.parent
    raise ProcessError("SB.2.1-3")


def past_skipped(tracking: Tracking, cluster: Activity, family: Family, place: int, onward: int) -> int:
    """Return where among the available children the first stands that is not plainly skipped, from a place on.

    Thousands may be skipped at once. What rollup has just counted is not asked again, and nothing is asked twice while
    nothing is recorded. ``family`` are the available children, ``onward`` is 1 or -1.
    """
    stretches, records, begin = family.stretches, tracking.records, place
    counted = tracking.settled.get(cluster.order) if family.tracked == len(stretches) else None
    known = tracking.passed.get((cluster.order, onward), _NOWHERE)
    while 0 <= place < len(stretches):
        stretch = stretches[place]
        if stretch is None:
            break
        if place in known:
            place = known.stop
            break
        first = place - stretch.begin
        left = len(stretch.asked) - first if onward > 0 else first + 1
        if known and (known.start - place) * onward > 0:
            left = min(left, (known.start - place) * onward)
        if (
            counted is not None
            and stretch.of_all is not None
            and all(map(stretch.of_all, _known(counted, stretch)))
        ):
            passed = left
        else:
            rest = slice(first, None, onward)
            asked, names = stretch.asked[rest][:left], stretch.identifiers[rest]
            passed = stretch.in_a_row(asked, names, records, tracking.shared_objectives)
        place += onward * passed
        if passed < left:
            break
    tracking.passed[cluster.order, onward] = range(begin, place, onward)
    return place


def _known(counted: Tally, stretch: Stretch) -> Iterable[Known]:
    """Return all that may be known of one of a stretch."""
    return counted.alike if stretch.is_alike and counted.alike is not None else counted.children


_NOWHERE = range(0)


def _last_skipped(
    tracking: Tracking, activity: Activity, direction: Direction, previous: Direction | None
) -> Activity | None:
    """Return the last of the neighbours that are skipped one after the other from here on; ``None``: this one is not.

    Step by step the walk would come to each of them (SB.2.1), find the same parent that lets it flow, and skip it
    (SB.2.2).
    """
    parent = activity.parent
    is_asked_alone = previous is not None or activity.skip_test is None
    if (
        parent is not None
        and not is_asked_alone
        and (direction is FORWARD or not parent.definition.control.forward_only)
    ):
        family = tracking.family(parent)
        here = place_among(family.children, activity)
        if here is not None:
            return _last_in_a_row(tracking, parent, family, here, direction)
    return activity if pre_condition(tracking, activity, SKIP) else None


def _last_in_a_row(
    tracking: Tracking, cluster: Activity, family: Family, here: int, direction: Direction
) -> Activity | None:
    onward = 1 if direction is FORWARD else -1
    end = past_skipped(tracking, cluster, family, here, onward)
    if end == here:
        return None
    tracking.decisions += (
        family.skipped[here:end] if onward == 1 else family.skipped[end + 1 : here + 1][::-1]
    )
    return family.children[end - onward]


def _sibling(tracking: Tracking, activity: Activity, direction: Direction) -> Activity | None:
    """Return the neighbour among the available children; ``None`` at the edge and beside the root."""
    parent = activity.parent
    if parent is None:
        return None
    siblings = tracking.available_children(parent)
    place = place_among(siblings, activity)
    if place is None:
        return None
    place += 1 if direction is FORWARD else -1
    return siblings[place] if 0 <= place < len(siblings) else None


def place_among(siblings: tuple[Activity, ...], activity: Activity) -> int | None:
    """Return where an activity is among the available children of its parent; ``None`` where it is none of them."""
    if activity.parent is not None and siblings is activity.parent.children:
        return activity.place
    return siblings.index(activity) if activity in siblings else None
