"""What happens to a learner's course, and what comes of it: the values that go into and out of ``step``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from content_packages.sequencing.tree import Decision


class Request(StrEnum):
    """The navigation requests of the standard, spelled as in ``adl.nav.request`` (SN 5.6.4)."""

    START = "start"
    RESUME_ALL = "resumeAll"
    CONTINUE = "continue"
    PREVIOUS = "previous"
    CHOICE = "choice"
    JUMP = "jump"
    EXIT = "exit"
    EXIT_ALL = "exitAll"
    ABANDON = "abandon"
    ABANDON_ALL = "abandonAll"
    SUSPEND_ALL = "suspendAll"


class RunTime(StrEnum):
    """What a content object does to its own record, which by itself navigates nowhere."""

    COMMIT = "commit"
    TERMINATE = "terminate"


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectiveResult:
    """One entry of ``cmi.objectives``; ``None`` is a value the content never set."""

    objective_id: str
    success_status: str | None = None
    completion_status: str | None = None
    progress_measure: float | None = None
    score_scaled: float | None = None
    score_raw: float | None = None
    score_min: float | None = None
    score_max: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunTimeResult:
    """What the current content object has reported so far, in the words of the SCORM 2004 data model.

    ``None`` is a value the content never set, which differs from its having set ``unknown``.

    Args:
        exit: ``cmi.exit`` as of now: ``suspend``, ``normal``, ``time-out``, ``logout`` or empty.
        request: the navigation the content asked for (``adl.nav.request``), with its target.
    """

    completion_status: str | None = None
    success_status: str | None = None
    progress_measure: float | None = None
    score_scaled: float | None = None
    score_raw: float | None = None
    score_min: float | None = None
    score_max: float | None = None
    objectives: tuple[ObjectiveResult, ...] = ()
    exit: str = ""
    request: Request | None = None
    request_target: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One thing that happened.

    Args:
        kind: a learner's request, or what the content object did to its record.
        target: the activity of a choice or a jump.
        result: the content's last word, where there is one. With a learner's request it is recorded first,
            and the content's own request is not looked at: the learner's comes before it (SN 5.4).
    """

    kind: Request | RunTime
    target: str | None = None
    result: RunTimeResult | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """The content object to launch.

    Args:
        activity: its identifier.
        resumed: a suspended attempt goes on: its run-time values are given back, and ``entry`` is
            ``resume``; otherwise the attempt is new and ``entry`` is ``ab-initio``.
        attempt: number of the attempt from 1; 0 when the activity is not tracked.
    """

    activity: str
    resumed: bool
    attempt: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of an event.

    Args:
        delivery: what to launch now, if anything.
        unload: the content object on the screen is to be taken away, even if nothing follows it.
        session_ended: the sequencing session is over.
        exception: the standard's code where a process stopped, such as ``SB.2.9-5``.
        decisions: the rules that decided on the way, in order.
    """

    delivery: Delivery | None = None
    unload: bool = False
    session_ended: bool = False
    exception: str | None = None
    decisions: tuple[Decision, ...] = ()


_EVENT = TypeAdapter(Event)
_OUTCOME = TypeAdapter(Outcome)


def event_to_json(event: Event) -> dict[str, Any]:
    """Return the event as plain data, for the log of an attempt."""
    plain: dict[str, Any] = _EVENT.dump_python(event, mode="json", exclude_defaults=True)
    return plain


def event_from_json(plain: dict[str, Any]) -> Event:
    """Read back what ``event_to_json`` wrote.

    Raises:
        pydantic.ValidationError: this is not an event.
    """
    return _EVENT.validate_python(plain)


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    """Return the outcome as plain data, for the log of an attempt."""
    plain: dict[str, Any] = _OUTCOME.dump_python(outcome, mode="json", exclude_defaults=True)
    return plain
