"""What a learner could do next, and the outline of the course: told by asking the engine itself (SN 5.6).

Nothing here knows a rule. Each request is carried out on a working copy that is thrown away, so a control is
offered exactly when the engine would follow it with what the content has reported so far. Ask again after
each commit: what the content reports may open or close a way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import repeat
from typing import NamedTuple

from content_packages.sequencing.delivery import delivery_request
from content_packages.sequencing.errors import EndOfTreeError, ProcessError
from content_packages.sequencing.event import Request
from content_packages.sequencing.navigation import Sequencing, navigation_request
from content_packages.sequencing.reach import Reach
from content_packages.sequencing.request import sequencing_request
from content_packages.sequencing.rules import HIDDEN_FROM_CHOICE, pre_condition
from content_packages.sequencing.runtime import record_pending
from content_packages.sequencing.step import overall_sequencing
from content_packages.sequencing.termination import termination_request
from content_packages.sequencing.tracking import (
    NO_RECORD,
    State,
    Tracking,
)
from content_packages.sequencing.tree import Activity, ActivityTree


class OutlineEntry(NamedTuple):
    """One line of the table of contents, in the order of this attempt: a tuple, for there may be thousands.

    Args:
        depth: 0 for the course itself.
        listed: whether the package lets it be seen now.
        choosable: whether choosing it would deliver it, or something inside it.
        completed, satisfied, measure, progress: ``None`` while unknown.
    """

    identifier: str
    title: str
    depth: int
    listed: bool
    choosable: bool
    current: bool
    active: bool
    suspended: bool
    attempts: int
    completed: bool | None
    satisfied: bool | None
    measure: float | None
    progress: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Controls:
    """Which requests the engine would follow now.

    Args:
        requests: those without a target.
        choices: activities a choice would reach.
        jumps: activities a jump would reach.
    """

    requests: frozenset[Request]
    choices: frozenset[str]
    jumps: frozenset[str]


class Ahead:
    """What could happen next from a state.

    Every way begins by ending the current attempt, so that is carried out once for all of them.
    """

    def __init__(self, tree: ActivityTree, state: State) -> None:
        self._tree = tree
        self._state = state
        self._before, self._after = Tracking(tree, state), Tracking(tree, state)
        record_pending(self._before)
        record_pending(self._after)
        self._instead = _end_current(self._after)
        self._reach: Reach | None = None

    def followed(self, requests: Iterable[Request]) -> frozenset[Request]:
        """Return those of some requests without a target that the engine would follow."""
        return frozenset(request for request in requests if self._leads_somewhere(request))

    def reachable(self, request: Request) -> frozenset[str]:
        """Return the targets that a choice or a jump would reach.

        A rule that sends the learner elsewhere as she leaves closes no way: ADL's test suite wants her to be
        able to ask, and the rule to decide then (CM-08, CM-09ca).
        """
        if self._tree.takes_shortcuts:
            reach = self._reach = self._reach or Reach(self._before, self._after)
            return reach.by_choice() if request is Request.CHOICE else reach.by_jump()
        sequencing = Sequencing.CHOICE if request is Request.CHOICE else Sequencing.JUMP
        if self._after.current is None and request is Request.JUMP:
            return frozenset()
        reachable = []
        for target in self._tree.activities:
            try:
                navigation_request(self._before, request, target.identifier)
                found = self._sequence(sequencing, target)
            except (ProcessError, EndOfTreeError):
                continue
            if found is not None and target.contains(found):
                reachable.append(target.identifier)
        return frozenset(reachable)

    def outline(self) -> list[OutlineEntry]:
        """Return the table of contents; nothing for a course of a single lesson, which needs none."""
        if len(self._tree.activities) - len(self._tree.clusters) == 1:
            return []
        return _list(self._before, self.reachable(Request.CHOICE))

    def _leads_somewhere(self, request: Request) -> bool:
        if request is Request.EXIT and self._ends_without_more:
            return True
        exception = self._refusal(request)
        # ADL's test suite wants Continue wherever the cluster flows, even into one that does not (CM-07d).
        return exception is None or (request is Request.CONTINUE and exception == "SB.2.2-1")

    @property
    def _ends_without_more(self) -> bool:
        """Whether what is under way ends and no rule asks for another way: then nothing can be refused (SB.2.11)."""
        return self._tree.takes_shortcuts and _is_under_way(self._before) and self._instead is None

    def _refusal(self, request: Request) -> str | None:
        """Return the code with which the engine would refuse a request."""
        try:
            navigation = navigation_request(self._before, request, None)
            if request in _WAYS_OUT and _is_under_way(self._before):
                return None
            if request not in _MOVES or not _is_under_way(self._before):
                return overall_sequencing(Tracking(self._tree, self._state), request, None).exception
            self._sequence(self._instead or navigation.sequencing, None)
        except EndOfTreeError:
            return None
        except ProcessError as refused:
            return refused.code
        return None

    def _sequence(self, sequencing: Sequencing, target: Activity | None) -> Activity | None:
        found = sequencing_request(self._after, sequencing, target)
        if found is not None:
            delivery_request(self._after, found)
        return found


def controls(tree: ActivityTree, state: State) -> Controls:
    """Return what the engine would follow from this state."""
    ahead = Ahead(tree, state)
    return Controls(
        requests=ahead.followed(_WITHOUT_TARGET),
        choices=ahead.reachable(Request.CHOICE),
        jumps=ahead.reachable(Request.JUMP),
    )


def outline(tree: ActivityTree, state: State) -> list[OutlineEntry]:
    """Return the table of contents; nothing for a course of a single lesson, which needs none."""
    return Ahead(tree, state).outline()


_WITHOUT_TARGET = tuple(request for request in Request if request not in {Request.CHOICE, Request.JUMP})
_MOVES = frozenset({Request.CONTINUE, Request.PREVIOUS})
_WAYS_OUT = frozenset(
    {Request.EXIT_ALL, Request.SUSPEND_ALL}
)  # from what is under way nothing bars them (TB.2.3)


def _is_under_way(tracking: Tracking) -> bool:
    return tracking.current is not None and tracking.is_active(tracking.current)


def _end_current(tracking: Tracking) -> Sequencing | None:
    """End the current attempt as any request for another activity does; a rule may ask for another way."""
    navigation = None
    if _is_under_way(tracking):
        navigation = navigation_request(tracking, Request.EXIT, None)
    if navigation is None or navigation.termination is None:
        return None
    try:
        return termination_request(tracking, navigation.termination)
    except ProcessError:
        return Sequencing.EXIT


def _list(tracking: Tracking, choices: frozenset[str]) -> list[OutlineEntry]:
    lines, records, current = [], tracking.records, tracking.current
    some_hide, shared = bool(tracking.tree.hideable), tracking.shared_objectives
    hidden: Activity | None = None  # the last that was: all inside of it is, too
    waiting = [tracking.tree.root]
    while waiting:
        activity = waiting.pop()
        if activity.children:
            waiting += tracking.available_children(activity)[::-1]
        is_hidden = False
        if some_hide:
            is_hidden = hidden is not None and hidden.contains(activity)
            if not is_hidden and pre_condition(tracking, activity, HIDDEN_FROM_CHOICE):
                hidden, is_hidden = activity, True
        identifier = activity.identifier
        record = records.get(identifier, NO_RECORD)
        is_untouched = not record and not activity.reading.reads
        satisfied, measure, completed, progress = (
            _NOTHING_KNOWN if is_untouched else activity.reading.said(record, shared)
        )
        line = (
            identifier,
            activity.title,
            activity.depth,
            activity.visible and not is_hidden,
            identifier in choices,
            activity is current,
            "active" in record and record["active"],
            "suspended" in record and record["suspended"],
            record.get("attempts", 0),
            completed,
            satisfied,
            measure,
            progress,
        )
        lines.append(line)
    # Made one by one they would take half as long again.
    return list(map(tuple.__new__, repeat(OutlineEntry), lines))


_NOTHING_KNOWN = (None, None, None, None)
