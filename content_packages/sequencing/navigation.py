"""Navigation Request Process (NB.2.1): what a wish to navigate means for the sequencer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from content_packages.sequencing.errors import ProcessError
from content_packages.sequencing.event import Request
from content_packages.sequencing.tracking import Tracking
from content_packages.sequencing.tree import Activity, common_ancestor, path_up


class Termination(Enum):
    """Termination requests (SN 4.5.1)."""

    EXIT = auto()
    EXIT_ALL = auto()
    SUSPEND_ALL = auto()
    ABANDON = auto()
    ABANDON_ALL = auto()


class Sequencing(Enum):
    """Sequencing requests (SN 4.8.1)."""

    START = auto()
    RESUME_ALL = auto()
    CONTINUE = auto()
    PREVIOUS = auto()
    CHOICE = auto()
    RETRY = auto()
    EXIT = auto()
    JUMP = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Navigation:
    """A valid navigation request, taken apart: what to end, then what to look for."""

    termination: Termination | None = None
    sequencing: Sequencing
    target: Activity | None = None


def navigation_request(tracking: Tracking, request: Request, target: str | None) -> Navigation:
    """Navigation Request Process (NB.2.1).

    Raises:
        ProcessError: the request is not valid now.
    """
    return _CASES[request](tracking, target)


def _start(tracking: Tracking, _target: str | None) -> Navigation:
    if tracking.current is not None:
        raise ProcessError("NB.2.1-1")
    return Navigation(sequencing=Sequencing.START)


def _resume_all(tracking: Tracking, _target: str | None) -> Navigation:
    if tracking.current is not None:
        raise ProcessError("NB.2.1-1")
    if tracking.suspended is None:
        raise ProcessError("NB.2.1-3")
    return Navigation(sequencing=Sequencing.RESUME_ALL)


def _continue(tracking: Tracking, _target: str | None) -> Navigation:
    current = _begun(tracking)
    if current.parent is None or not current.parent.definition.control.flow:
        raise ProcessError("NB.2.1-4")
    return Navigation(termination=_exit_if_active(tracking), sequencing=Sequencing.CONTINUE)


def _previous(tracking: Tracking, _target: str | None) -> Navigation:
    current = _begun(tracking)
    if current.parent is None:
        raise ProcessError("NB.2.1-6")
    control = current.parent.definition.control
    if not control.flow or control.forward_only:
        raise ProcessError("NB.2.1-5")
    return Navigation(termination=_exit_if_active(tracking), sequencing=Sequencing.PREVIOUS)


def _choice(tracking: Tracking, identifier: str | None) -> Navigation:
    target = tracking.tree.find(identifier)
    if target is None:
        raise ProcessError("NB.2.1-11")
    if target.parent is not None and not target.parent.definition.control.choice:
        raise ProcessError("NB.2.1-10")
    if tracking.current is not None:
        _check_choice_exit(tracking, tracking.current, target)
    return Navigation(termination=_exit_if_active(tracking), sequencing=Sequencing.CHOICE, target=target)


def _jump(tracking: Tracking, identifier: str | None) -> Navigation:
    _begun(tracking)
    target = tracking.tree.find(identifier)
    if target is None or not tracking.is_available(target):
        raise ProcessError("NB.2.1-11")
    return Navigation(termination=_exit_if_active(tracking), sequencing=Sequencing.JUMP, target=target)


def _exit(tracking: Tracking, _target: str | None) -> Navigation:
    if not tracking.is_active(_begun(tracking)):
        raise ProcessError("NB.2.1-12")
    return Navigation(termination=Termination.EXIT, sequencing=Sequencing.EXIT)


def _abandon(tracking: Tracking, _target: str | None) -> Navigation:
    if not tracking.is_active(_begun(tracking)):
        raise ProcessError("NB.2.1-12")
    return Navigation(termination=Termination.ABANDON, sequencing=Sequencing.EXIT)


def _whole_session(termination: Termination) -> Callable[[Tracking, str | None], Navigation]:
    def case(tracking: Tracking, _target: str | None) -> Navigation:
        _begun(tracking)
        return Navigation(termination=termination, sequencing=Sequencing.EXIT)

    return case


_CASES: dict[Request, Callable[[Tracking, str | None], Navigation]] = {
    Request.START: _start,
    Request.RESUME_ALL: _resume_all,
    Request.CONTINUE: _continue,
    Request.PREVIOUS: _previous,
    Request.CHOICE: _choice,
    Request.JUMP: _jump,
    Request.EXIT: _exit,
    Request.EXIT_ALL: _whole_session(Termination.EXIT_ALL),
    Request.ABANDON: _abandon,
    Request.ABANDON_ALL: _whole_session(Termination.ABANDON_ALL),
    Request.SUSPEND_ALL: _whole_session(Termination.SUSPEND_ALL),
}


def _begun(tracking: Tracking) -> Activity:
    if tracking.current is None:
        raise ProcessError("NB.2.1-2")
    return tracking.current


def _exit_if_active(tracking: Tracking) -> Termination | None:
    current = tracking.current
    return Termination.EXIT if current is not None and tracking.is_active(current) else None


def _check_choice_exit(tracking: Tracking, current: Activity, target: Activity) -> None:
    """Refuse to leave an active activity whose package forbids it (NB.2.1, 7.1.1).

    The pseudo-code exempts siblings of the current activity; ADL's test suite does not (CM-07a): content with
    choice exit off is never left by choice, not even for itself.
    """
    ancestor = common_ancestor(current, target)
    for activity in path_up(current, ancestor) or [current]:
        if tracking.is_active(activity) and not activity.definition.control.choice_exit:
            raise ProcessError("NB.2.1-8")
