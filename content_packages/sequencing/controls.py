"""What a learner could do next, and the outline of the course: told by asking the engine itself (SN 5.6).

Nothing here knows a rule. Each request is carried out on a working copy that is thrown away, so a control is
offered exactly when the engine would follow it with what the content has reported so far. Ask again after
each commit: what the content reports may open or close a way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from content_packages.sequencing.definition import RuleAction
from content_packages.sequencing.delivery import delivery_request
from content_packages.sequencing.errors import EndOfTreeError, ProcessError
from content_packages.sequencing.event import Request
from content_packages.sequencing.navigation import Sequencing, navigation_request
from content_packages.sequencing.request import sequencing_request
from content_packages.sequencing.rules import pre_condition
from content_packages.sequencing.runtime import record_pending
from content_packages.sequencing.step import overall_sequencing
from content_packages.sequencing.termination import termination_request
from content_packages.sequencing.tracking import State, Tracking
from content_packages.sequencing.tree import Activity, ActivityTree


@dataclass(frozen=True, kw_only=True, slots=True)
class OutlineEntry:
    """One line of the table of contents, in the order of this attempt.

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


def controls(tree: ActivityTree, state: State) -> Controls:
    """Return what the engine would follow from this state."""
    return Controls(
        requests=followed(tree, state, _WITHOUT_TARGET),
        choices=_reachable(tree, state, Request.CHOICE),
        jumps=_reachable(tree, state, Request.JUMP),
    )


def followed(tree: ActivityTree, state: State, requests: Iterable[Request]) -> frozenset[Request]:
    """Return those of some requests without a target that the engine would follow from this state."""
    return frozenset(request for request in requests if _leads_somewhere(tree, state, request))


def outline(tree: ActivityTree, state: State) -> list[OutlineEntry]:
    """Return the table of contents; nothing for a course of a single lesson, which needs none."""
    if sum(activity.is_leaf for activity in tree.activities) == 1:
        return []
    tracking = Tracking(tree, state)
    record_pending(tracking)
    choices = _reachable(tree, state, Request.CHOICE)
    entries: list[OutlineEntry] = []
    _list(tracking, tree.root, choices, entries, hidden=False)
    return entries


_WITHOUT_TARGET = tuple(request for request in Request if request not in {Request.CHOICE, Request.JUMP})


def _leads_somewhere(tree: ActivityTree, state: State, request: Request) -> bool:
    exception = overall_sequencing(Tracking(tree, state), request, None).exception
    # ADL's test suite wants Continue wherever the cluster flows, even into one that does not (CM-07d).
    return exception is None or (request is Request.CONTINUE and exception == "SB.2.2-1")


def _reachable(tree: ActivityTree, state: State, request: Request) -> frozenset[str]:
    """Return the targets such a request would reach.

    All of them begin by ending the current attempt in the same way, so that is carried out once.
    """
    before, after = Tracking(tree, state), Tracking(tree, state)
    record_pending(before)
    record_pending(after)
    sequencing = Sequencing.CHOICE if request is Request.CHOICE else Sequencing.JUMP
    if after.current is None and request is Request.JUMP:
        return frozenset()
    instead = _end_current(after)
    reachable = []
    for target in tree.activities:
        try:
            navigation_request(before, request, target.identifier)
            found = sequencing_request(after, instead or sequencing, target)
            if found is not None:
                delivery_request(after, found)
        except (ProcessError, EndOfTreeError):
            continue
        if found is not None and target.contains(found):
            reachable.append(target.identifier)
    return frozenset(reachable)


def _end_current(tracking: Tracking) -> Sequencing | None:
    """End the current attempt as any request for another activity does; a rule may ask for another way."""
    navigation = None
    if tracking.current is not None and tracking.is_active(tracking.current):
        navigation = navigation_request(tracking, Request.EXIT, None)
    if navigation is None or navigation.termination is None:
        return None
    try:
        return termination_request(tracking, navigation.termination)
    except ProcessError:
        return Sequencing.EXIT


def _list(
    tracking: Tracking,
    activity: Activity,
    choices: frozenset[str],
    entries: list[OutlineEntry],
    *,
    hidden: bool,
) -> None:
    hidden = hidden or pre_condition(tracking, activity, RuleAction.HIDDEN_FROM_CHOICE)
    primary = activity.primary
    entries.append(
        OutlineEntry(
            identifier=activity.identifier,
            title=activity.title,
            depth=activity.depth,
            listed=activity.visible and not hidden,
            choosable=activity.identifier in choices,
            current=activity is tracking.current,
            active=tracking.is_active(activity),
            suspended=tracking.is_suspended(activity),
            attempts=tracking.attempts(activity),
            completed=tracking.completed(activity, primary),
            satisfied=tracking.satisfied(activity, primary),
            measure=tracking.measure(activity, primary),
            progress=tracking.progress(activity, primary),
        )
    )
    for child in tracking.available_children(activity):
        _list(tracking, child, choices, entries, hidden=hidden)
