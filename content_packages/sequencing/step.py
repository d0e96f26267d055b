"""Overall Sequencing Process (OP.1): one event in, the next state and what came of it out.

``step`` is pure: the same tree, state and event always give the same state and outcome, and the state passed
in is left as it was. What a learner could do next is a question of its own: see ``controls``.
"""

from __future__ import annotations

from dataclasses import replace

from content_packages.sequencing.attempts import end_attempt, terminate_descendent_attempts
from content_packages.sequencing.delivery import content_delivery_environment, delivery_request
from content_packages.sequencing.errors import EndOfTreeError, ProcessError
from content_packages.sequencing.event import Event, Outcome, Request, RunTime, RunTimeResult
from content_packages.sequencing.navigation import Navigation, Sequencing, navigation_request
from content_packages.sequencing.randomization import prepare_first_attempts
from content_packages.sequencing.request import sequencing_request
from content_packages.sequencing.runtime import keep_result, record_pending
from content_packages.sequencing.termination import termination_request
from content_packages.sequencing.tracking import State, Tracking
from content_packages.sequencing.tree import ActivityTree


def step(tree: ActivityTree, state: State, event: Event) -> tuple[State, Outcome]:
    """Carry out one event.

    An event the standard refuses is no error: the outcome holds its exception code, and the state has moved
    only as far as the processes before that point moved it.

    Raises:
        ValueError: the state is of a version this engine does not know.
    """
    tracking = Tracking(tree, state)
    outcome = _carry_out(tracking, event)
    return tracking.state(), replace(outcome, decisions=tuple(tracking.decisions))


def overall_sequencing(tracking: Tracking, request: Request, target: str | None) -> Outcome:
    """Overall Sequencing Process (OP.1) for one navigation request."""
    if request in {Request.ABANDON, Request.ABANDON_ALL}:
        tracking.pending = None
    else:
        record_pending(tracking)
    try:
        navigation = navigation_request(tracking, request, target)
    except ProcessError as refused:
        return Outcome(exception=refused.code)
    try:
        return _sequence(tracking, navigation)
    except EndOfTreeError:
        end_session(tracking)
        return Outcome(unload=True, session_ended=True)
    except ProcessError as refused:
        return Outcome(unload=True, exception=refused.code)


def end_session(tracking: Tracking) -> None:
    """End the sequencing session: nothing below the root stays under way, and no activity is current."""
    root = tracking.tree.root
    terminate_descendent_attempts(tracking, root)
    if tracking.is_active(root):
        end_attempt(tracking, root)
    tracking.current = None


def _sequence(tracking: Tracking, navigation: Navigation) -> Outcome:
    """OP.1 steps 3 to 6."""
    sequencing = navigation.sequencing
    if navigation.termination is not None:
        sequencing = termination_request(tracking, navigation.termination) or sequencing
    root = tracking.tree.root
    if not (
        tracking.tree.objectives_global_to_system or tracking.is_active(root) or tracking.is_suspended(root)
    ):
        tracking.forget_globals()  # they live no longer than an attempt on the root (SN 3.10.1)
    if sequencing is Sequencing.START:
        prepare_first_attempts(tracking)
    activity = sequencing_request(tracking, sequencing, navigation.target)
    if activity is None:
        return Outcome(unload=True)
    delivery_request(tracking, activity)
    return Outcome(unload=True, delivery=content_delivery_environment(tracking, activity))


def _carry_out(tracking: Tracking, event: Event) -> Outcome:
    result = event.result
    if result is not None and tracking.current is not None and tracking.is_active(tracking.current):
        keep_result(tracking, result)
        if event.kind is not RunTime.COMMIT:
            tracking.set_suspended(tracking.current, suspended=result.exit == "suspend")
    if isinstance(event.kind, Request):
        return overall_sequencing(tracking, event.kind, event.target)
    if event.kind is RunTime.TERMINATE and result is not None:
        request, target = _request_of_content(result)
        if request is not None:
            return overall_sequencing(tracking, request, target)
    return Outcome()


def _request_of_content(result: RunTimeResult) -> tuple[Request | None, str | None]:
    """Return what a content object that has terminated asks for; a time-out leaves the course (RTE 4.2.8)."""
    if result.exit in {"time-out", "logout"}:
        return Request.EXIT_ALL, None
    return result.request, result.request_target
