"""All targets that a choice or a jump would reach, found together (SB.2.9, SB.2.13, DB.1.1).

A page wants to know of every activity whether choosing it would lead there. Asked of each alone, the engine would walk
the same ways to the same modules a thousand times. Here a way is walked once for all children of a cluster that lie
on the same side of the current activity: none of the processes can tell them apart. The processes themselves are
asked, of one for all; what is put together here is only who stands where.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import or_

from content_packages.sequencing.choice import check_reachable
from content_packages.sequencing.definition import RuleAction
from content_packages.sequencing.errors import ProcessError
from content_packages.sequencing.event import Request
from content_packages.sequencing.navigation import navigation_request
from content_packages.sequencing.rules import check_activity, pre_condition
from content_packages.sequencing.tracking import Tracking
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
        self._closed: set[int] = set()  # disabled, or out of attempts (UP.5); by order
        self._barred = bytearray(count)  # such, or below such
        self._hidden = bytearray(count)  # hidden from choice, or below such
        self._first: dict[int, Activity | str] = {}
        for at in self._tree.closable:
            test = at.close_test
            if test(after.record(at)) if test is not None else check_activity(after, at):
                self._closed.add(at.order)
                self._barred[at.order : at.last + 1] = b"\1" * (at.last + 1 - at.order)
        for at in self._tree.hideable:
            if pre_condition(after, at, RuleAction.HIDDEN_FROM_CHOICE):
                self._hidden[at.order : at.last + 1] = b"\1" * (at.last + 1 - at.order)

    def by_jump(self) -> list[str]:
        """Return the targets a jump would reach (SB.2.13): leaves that are available and open."""
        if self._before.current is None or self._after.current is None:
            return []
        reached: list[str] = []
        root = self._tree.root
        if root.is_leaf and not self._barred[root.order]:
            reached.append(root.identifier)
        for cluster in self._tree.clusters:
            reached += self._open_leaves(cluster, self._available(self._before, cluster), self._barred)
        return reached

    def by_choice(self) -> list[str]:
        """Return the targets a choice would reach (SB.2.9)."""
        closed = self._barred
        if self._tree.hideable:
            closed = bytearray(map(or_, self._barred, self._hidden))
        reached: list[str] = []
        root = self._tree.root
        if not closed[root.order] and self._may_go(root) and self._delivers(root):
            reached.append(root.identifier)
        for cluster in self._tree.clusters:
            if not cluster.definition.control.choice or closed[cluster.order]:
                continue
            available = self._available(self._after, cluster)
            for group in self._groups(cluster):
                within = group if available is None else tuple(at for at in group if at in available)
                if within and self._may_go(within[0]):
                    reached += self._chosen(cluster, within, closed)
        return reached

    def _chosen(self, cluster: Activity, group: tuple[Activity, ...], closed: bytearray) -> Iterable[str]:
        family = cluster.family
        if (
            family is None
            or group is not cluster.children
            or closed.find(1, cluster.order, cluster.last + 1) >= 0
        ):
            return [
                at.identifier
                for at in group
                if not closed[at.order] and (not at.children or self._delivers(at))
            ]
        return [*family.leaves, *(at.identifier for at in family.clusters if self._delivers(at))]

    def _may_go(self, target: Activity) -> bool:
        """Say whether nothing on the way forbids to go there (NB.2.1, SB.2.9 steps 5 to 11)."""
        try:
            navigation_request(self._before, Request.CHOICE, target.identifier)
            check_reachable(self._after, target)
        except ProcessError:
            return False
        return True

    def _groups(self, cluster: Activity) -> Iterator[tuple[Activity, ...]]:
        """Yield the children of a cluster in groups of which the way to one is the way to all."""
        left, current = self._before.current, self._after.current
        if left is None or not cluster.contains(left):
            yield cluster.children
            return
        inside = next((child for child in cluster.children if child.contains(left)), None)
        if inside is None:  # she is in the cluster itself
            yield cluster.children
            return
        yield (inside,)
        others = tuple(child for child in cluster.children if child is not inside)
        if current is inside:
            yield from self._siblings(cluster, current)
        elif current is None or not inside.contains(current):
            yield others
        elif self._is_constrained(current, cluster):
            yield from ((child,) for child in others)
        else:
            yield cluster.children[: inside.place]
            yield cluster.children[inside.place + 1 :]

    def _siblings(self, cluster: Activity, current: Activity) -> Iterator[tuple[Activity, ...]]:
        """Yield the siblings of the current activity; no more of them than one that forbids to be passed (SB.2.9 8)."""
        siblings = self._after.available_children(cluster)
        if current not in siblings:
            yield tuple(child for child in cluster.children if child is not current)
            return
        here = current.place if siblings is cluster.children else siblings.index(current)
        yield siblings[:here]
        stop = RuleAction.STOP_FORWARD_TRAVERSAL
        end = len(siblings)
        for place in range(here, len(siblings)):
            at = siblings[place]
            if stop in at.pre_rules and pre_condition(self._after, at, stop):
                end = place + 1
                break
        yield siblings[here + 1 : end]

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
        children = self._after.available_children(cluster)
        if not children or not cluster.definition.control.flow:
            return _REFUSED
        record = self._after.record
        for at in children:
            test = at.skip_test
            skipped = (
                test(record(at)) if test is not None else pre_condition(self._after, at, RuleAction.SKIP)
            )
            if skipped:
                continue
            if at.order in self._closed:
                return _REFUSED
            found = at if at.is_leaf else self._first_inside(at)
            if found != _PAST:
                return found
        return _PAST

    def _open_leaves(
        self, cluster: Activity, available: frozenset[Activity] | None, closed: bytearray
    ) -> Iterable[str]:
        if available is None and cluster.family and closed.find(1, cluster.order, cluster.last + 1) < 0:
            return cluster.family.leaves
        return [
            at.identifier
            for at in cluster.children
            if not at.children and not closed[at.order] and (available is None or at in available)
        ]

    def _available(self, tracking: Tracking, cluster: Activity) -> frozenset[Activity] | None:
        children = tracking.available_children(cluster)
        return None if children is cluster.children else frozenset(children)
