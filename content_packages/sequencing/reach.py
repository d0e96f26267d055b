"""All targets that a choice or a jump would reach, found together (SB.2.9, SB.2.13, DB.1.1).

A page wants to know of every activity whether choosing it would lead there. Asked of each alone, the engine would walk
the same ways to the same modules a thousand times. Here a way is walked once for all children of a cluster that lie
on the same side of the current activity: none of the processes can tell them apart. The processes themselves are
asked, of one for all; what is put together here is only who stands where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import or_

from content_packages.sequencing.choice import check_reachable, pass_through
from content_packages.sequencing.errors import ProcessError
from content_packages.sequencing.event import Request
from content_packages.sequencing.navigation import navigation_request
from content_packages.sequencing.plain import Test
from content_packages.sequencing.rules import (
    HIDDEN_FROM_CHOICE,
    SKIP,
    STOP_FORWARD_TRAVERSAL,
    check_activity,
    pre_condition,
)
from content_packages.sequencing.tracking import NO_RECORD, Tracking
from content_packages.sequencing.traversal import may_stop, past_skipped, place_among
from content_packages.sequencing.tree import Activity, path_up

_PAST = "past"  # a flow through the cluster comes out behind it
_REFUSED = "refused"


class Reach:
    """What can be reached from where the learner stands.

    Args:
        before: the state in which she asks.
        after: the same once what she is in has been ended, in which the request is carried out.
    """

    def __init__(self, before: Tracking, after: Tracking) -> None:
        self._before, self._after, self._tree = before, after, after.tree
        count = len(self._tree.activities)
        self._closed = bytearray(count)  # disabled, or out of attempts (UP.5); by order
        self._barred = bytearray(count)  # such, or below such
        self._hidden = bytearray(count)  # hidden from choice, or below such
        self._first: dict[int, Activity | str] = {}
        #: For each cluster far from the learner, by its order, whether nothing forbids to go to its children.
        self._ways: dict[int, bool] = {}
        left = before.current
        #: For each cluster that the learner is inside of, by its order, the child she is inside of.
        self._inside = {} if left is None else {at.parent.order: at for at in left.up() if at.parent}
        for at in self._that_act(self._tree.closable, check_activity):
            self._closed[at.order] = 1
            _mark(self._barred, at)
        for at in self._that_act(self._tree.hideable, _is_hidden):
            _mark(self._hidden, at)

    def by_jump(self) -> frozenset[str]:
        """Return the targets a jump would reach (SB.2.13): leaves that are available and open."""
        if self._before.current is None or self._after.current is None:
            return frozenset()
        missed = self._shut([self._tree.root], self._barred)
        for cluster in self._tree.clusters:
            missed += self._unavailable(self._before, cluster) + self._shut_inside(cluster, self._barred)
        return self._tree.leaves.difference(missed) if missed else self._tree.leaves

    def by_choice(self) -> frozenset[str]:
        """Return the targets a choice would reach (SB.2.9): all but those that something keeps her from."""
        closed = self._barred
        if self._tree.hideable:
            closed = bytearray(map(or_, self._barred, self._hidden))
        root = self._tree.root
        missed = self._shut([root], closed)
        if not missed and not (self._may_go(root) and self._delivers(root)):
            missed.append(root.identifier)
        for cluster in self._tree.clusters:
            if not cluster.definition.control.choice or closed[cluster.order]:
                missed += [at.identifier for at in cluster.children]
                continue
            missed += self._unavailable(self._after, cluster) + self._shut_inside(cluster, closed)
            for group in self._groups(cluster):
                if group and not self._may_go_to_all(cluster, group):
                    missed += [at.identifier for at in group]
            family = self._after.family(cluster)
            missed += [
                at.identifier for at in family.clusters if not (closed[at.order] or self._delivers(at))
            ]
        return self._tree.identifiers.difference(missed) if missed else self._tree.identifiers

    def _that_act(
        self, groups: Mapping[Test | None, list[Activity]], ask: Callable[[Tracking, Activity], bool]
    ) -> Iterator[Activity]:
        """Yield those of which it is so; of all that have no record and the same rules, one is asked."""
        for test, activities in groups.items():
            if test is None:
                yield from (at for at in activities if ask(self._after, at))
                continue
            acts, shared, get = test.acts, self._after.shared_objectives, self._after.records.get
            unrecorded = acts(NO_RECORD, shared)
            for at in activities:
                record = get(at.identifier)
                if unrecorded if record is None else acts(record, shared):
                    yield at

    def _unavailable(self, tracking: Tracking, cluster: Activity) -> list[str]:
        children = tracking.available_children(cluster)
        if children is cluster.children:
            return []
        available = set(children)
        return [at.identifier for at in cluster.children if at not in available]

    def _shut_inside(self, cluster: Activity, closed: bytearray) -> list[str]:
        if closed.find(1, cluster.order, cluster.last + 1) < 0:
            return []
        return self._shut(cluster.children, closed)

    def _shut(self, activities: Iterable[Activity], closed: bytearray) -> list[str]:
        return [at.identifier for at in activities if closed[at.order]]

    def _may_go_to_all(self, cluster: Activity, group: tuple[Activity, ...]) -> bool:
        """Say whether nothing on the way forbids to go to some children of a cluster.

        Far from the learner the way to a cluster and its siblings goes on to its children, if it may lead through it.
        """
        known = None if cluster.parent is None else self._ways.get(cluster.parent.order)
        may_go = self._may_go(group[0]) if known is None else known and self._leads_through(cluster)
        if cluster.order not in self._inside and cluster is not self._before.current:
            self._ways[cluster.order] = may_go
        return may_go

    def _may_go(self, target: Activity) -> bool:
        """Say whether nothing on the way forbids to go there (NB.2.1, SB.2.9 steps 5 to 11)."""
        try:
            navigation_request(self._before, Request.CHOICE, target.identifier)
            check_reachable(self._after, target)
        except ProcessError:
            return False
        return True

    def _leads_through(self, cluster: Activity) -> bool:
        current = self._after.current
        try:
            pass_through(self._after, cluster, forward=current is None or cluster.order > current.order)
        except ProcessError:
            return False
        return True

    def _groups(self, cluster: Activity) -> Iterator[tuple[Activity, ...]]:
        """Yield the available children of a cluster in groups of which the way to one is the way to all."""
        current, inside = self._after.current, self._inside.get(cluster.order)
        siblings = self._after.available_children(cluster)
        if inside is None:  # she is somewhere else, or in the cluster itself
            yield siblings
            return
        if siblings is cluster.children:
            yield (inside,)
            before, behind = siblings[: inside.place], siblings[inside.place + 1 :]
        else:
            yield tuple(at for at in siblings if at is inside)
            before = tuple(at for at in siblings if at.place < inside.place)
            behind = tuple(at for at in siblings if at.place > inside.place)
        if current is inside:
            yield from self._beside(cluster, current)
        elif current is None or not inside.contains(current):
            yield before + behind
        elif self._is_constrained(current, cluster):
            yield from ((at,) for at in before + behind)
        else:
            yield before
            yield behind

    def _beside(self, cluster: Activity, current: Activity) -> Iterator[tuple[Activity, ...]]:
        """Yield the siblings of the current activity; those behind one that bars the way are apart (SB.2.9 step 8)."""
        family = self._after.family(cluster)
        siblings = family.children
        here = place_among(siblings, current)
        if here is None:
            yield siblings
            return
        yield siblings[:here]
        end = len(siblings)
        for place in may_stop(self._after, cluster, here, len(siblings)):
            if pre_condition(self._after, siblings[place], STOP_FORWARD_TRAVERSAL):
                end = place + 1
                break
        yield siblings[here + 1 : end]
        yield siblings[max(here + 1, end) :]

    def _is_constrained(self, current: Activity, cluster: Activity) -> bool:
        return any(
            at.children and at.definition.constrain_choice.constrain_choice
            for at in path_up(current, cluster)
        )

    def _delivers(self, target: Activity) -> bool:
        return target.is_leaf or isinstance(self._first_inside(target), Activity)

    def _first_inside(self, cluster: Activity) -> Activity | str:
        """Return what a flow into the cluster delivers there (SB.2.3), or what becomes of it else."""
        known = self._first.get(cluster.order)
        if known is None:
            known = self._first[cluster.order] = self._flow_into(cluster)
        return known

    def _flow_into(self, cluster: Activity) -> Activity | str:
        family = self._after.family(cluster)
        if not family.children or not cluster.definition.control.flow:
            return _REFUSED
        place = 0
        while place < len(family.children):
            at = family.children[place]
            place += 1
            if pre_condition(self._after, at, SKIP):
                place = past_skipped(self._after, cluster, family, place, 1)
                continue
            if self._closed[at.order]:
                return _REFUSED
            found = at if at.is_leaf else self._first_inside(at)
            if found != _PAST:
                return found
        return _PAST


def _is_hidden(tracking: Tracking, activity: Activity) -> bool:
    return pre_condition(tracking, activity, HIDDEN_FROM_CHOICE)


def _mark(places: bytearray, activity: Activity) -> None:
    """Mark an activity and all below it."""
    if activity.children:
        places[activity.order : activity.last + 1] = b"\1" * (activity.last + 1 - activity.order)
    else:
        places[activity.order] = 1
