"""Sequencing Request Process (SB.2.12): which activity, if any, a sequencing request leads to.

Looking for it changes nothing; only delivery does. ``choice`` has a module of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from content_packages.sequencing.choice import choice_sequencing_request
from content_packages.sequencing.errors import EndOfTreeError, ProcessError
from content_packages.sequencing.navigation import Sequencing
from content_packages.sequencing.tracking import Tracking
from content_packages.sequencing.traversal import BACKWARD, FORWARD, flow
from content_packages.sequencing.tree import Activity


def sequencing_request(tracking: Tracking, request: Sequencing, target: Activity | None) -> Activity | None:
    """Sequencing Request Process (SB.2.12).

    Returns:
        The activity to deliver, or ``None`` when the request leads nowhere and the session goes on.

    Raises:
        ProcessError: the request cannot be carried out.
        EndOfTreeError: the request ends the sequencing session.
    """
    return _CASES[request](tracking, target)


def start_sequencing_request(tracking: Tracking, _target: Activity | None) -> Activity:
    """Start Sequencing Request Process (SB.2.5)."""
    root = tracking.tree.root
    if tracking.current is not None:
        raise ProcessError("SB.2.5-1")
    if root.is_leaf:
        return root
    if not root.definition.control.flow:
        # The pseudo-code would wait for a choice; a course of one lesson leaves nothing to choose.
        leaves = [activity for activity in tracking.tree.activities if activity.is_leaf]
        if len(leaves) == 1:
            return leaves[0]
    return flow(tracking, root, FORWARD, into_children=True)


def resume_all_sequencing_request(tracking: Tracking, _target: Activity | None) -> Activity:
    """Resume All Sequencing Request Process (SB.2.6)."""
    if tracking.current is not None:
        raise ProcessError("SB.2.6-1")
    if tracking.suspended is None:
        raise ProcessError("SB.2.6-2")
    return tracking.suspended


def continue_sequencing_request(tracking: Tracking, _target: Activity | None) -> Activity:
    """Continue Sequencing Request Process (SB.2.7)."""
    current = _begun(tracking, "SB.2.7-1")
    if current.parent is not None and not current.parent.definition.control.flow:
        raise ProcessError("SB.2.7-2")
    return flow(tracking, current, FORWARD, into_children=False)


def previous_sequencing_request(tracking: Tracking, _target: Activity | None) -> Activity:
    """Previous Sequencing Request Process (SB.2.8)."""
    current = _begun(tracking, "SB.2.8-1")
    if current.parent is not None and not current.parent.definition.control.flow:
        raise ProcessError("SB.2.8-2")
    return flow(tracking, current, BACKWARD, into_children=False)


def retry_sequencing_request(tracking: Tracking, _target: Activity | None) -> Activity:
    """Retry Sequencing Request Process (SB.2.10)."""
    current = _begun(tracking, "SB.2.10-1")
    if tracking.is_active(current) or tracking.is_suspended(current):
        raise ProcessError("SB.2.10-2")
    if current.is_leaf:
        return current
    try:
        return flow(tracking, current, FORWARD, into_children=True)
    except ProcessError as nothing:
        raise ProcessError("SB.2.10-3") from nothing


def exit_sequencing_request(tracking: Tracking, _target: Activity | None) -> None:
    """Exit Sequencing Request Process (SB.2.11)."""
    current = _begun(tracking, "SB.2.11-1")
    if tracking.is_active(current):
        raise ProcessError("SB.2.11-2")
    if current.parent is None:
        raise EndOfTreeError


def jump_sequencing_request(tracking: Tracking, target: Activity | None) -> Activity | None:
    """Jump Sequencing Request Process (SB.2.13)."""
    _begun(tracking, "SB.2.13-1")
    return target


_CASES: dict[Sequencing, Callable[[Tracking, Activity | None], Activity | None]] = {
    Sequencing.START: start_sequencing_request,
    Sequencing.RESUME_ALL: resume_all_sequencing_request,
    Sequencing.CONTINUE: continue_sequencing_request,
    Sequencing.PREVIOUS: previous_sequencing_request,
    Sequencing.CHOICE: choice_sequencing_request,
    Sequencing.RETRY: retry_sequencing_request,
    Sequencing.EXIT: exit_sequencing_request,
    Sequencing.JUMP: jump_sequencing_request,
}


def _begun(tracking: Tracking, code: str) -> Activity:
    if tracking.current is None:
        raise ProcessError(code)
    return tracking.current
