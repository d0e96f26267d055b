"""What a unit may say, and when (cmi5 6.3, 7.1.3, 9.1 to 9.7): tables, and one function that holds a statement to them.

Pure: what is known of the session goes in, what is known after the statement comes out. A session is a value, so a
batch is judged to its end before anything of it is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from content_packages.cmi5.move_on import UnitState
from content_packages.cmi5.vocabulary import (
    CMI5,
    MASTERY_SCORE,
    MOVE_ON,
    SESSION_ID,
    VOIDED,
    LaunchMode,
    Verb,
)


class State(StrEnum):
    """How far a session is (9.3.1, 9.3.2, 9.3.6, 9.3.8)."""

    LAUNCHED = "launched"
    INITIALIZED = "initialized"
    TERMINATED = "terminated"
    ABANDONED = "abandoned"


#: What a statement of the unit or of the LMS makes of a session; what is not here is refused.
TRANSITIONS: Final[Mapping[State, Mapping[Verb, State]]] = {  # 9.3, order within a session
    State.LAUNCHED: {Verb.INITIALIZED: State.INITIALIZED, Verb.ABANDONED: State.ABANDONED},
    State.INITIALIZED: {
        Verb.COMPLETED: State.INITIALIZED,
        Verb.PASSED: State.INITIALIZED,
        Verb.FAILED: State.INITIALIZED,
        Verb.TERMINATED: State.TERMINATED,
        Verb.ABANDONED: State.ABANDONED,
    },
    State.TERMINATED: {},
    State.ABANDONED: {},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class VerbRule:
    """What stands in a statement of one verb.

    Args:
        success: what ``result.success`` must be; ``None`` where it must not be there (9.5.2).
        completion: the same of ``result.completion`` (9.5.3).
        has_score: whether ``result.score`` may be there (9.5.1).
        has_duration: whether ``result.duration`` must be there (9.5.4.1).
        modes: in which launch modes it is taken (10.2.2).
    """

    success: bool | None = None
    completion: bool | None = None
    has_score: bool = False
    has_duration: bool = False
    modes: frozenset[LaunchMode] = frozenset({"Normal"})

    @property
    def has_move_on(self) -> bool:
        """Whether the moveOn category must be there: wherever success or completion is (9.6.2.2)."""
        return self.success is not None or self.completion is not None


_ALL_MODES: Final[frozenset[LaunchMode]] = frozenset({"Normal", "Browse", "Review"})

#: The verbs a unit may use in statements of the cmi5 category; the others of 9.3 are the LMS's.
RULES: Final[Mapping[Verb, VerbRule]] = {
    Verb.INITIALIZED: VerbRule(modes=_ALL_MODES),
    Verb.COMPLETED: VerbRule(completion=True, has_duration=True),
    Verb.PASSED: VerbRule(success=True, has_score=True, has_duration=True),
    Verb.FAILED: VerbRule(success=False, has_score=True, has_duration=True),
    Verb.TERMINATED: VerbRule(has_duration=True, modes=_ALL_MODES),
}


class RuleBrokenError(Exception):
    """A statement breaks a rule; ``section`` is where the rule stands in cmi5."""

    def __init__(self, section: str, problem: str) -> None:
        self.section = section
        self.problem = problem
        super().__init__(f"{problem} (cmi5 {section})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """What is known of a session, and of its unit in its registration.

    Args:
        account: home page and name of the actor.
        said: the verbs of the cmi5 category it has used.
        preferences_read: whether the learner's preferences were asked for (11).
    """

    session_id: str
    registration: str
    account: tuple[str, str]
    activity_id: str
    publisher_id: str
    launch_mode: LaunchMode = "Normal"
    mastery_score: Decimal | None = None
    state: State = State.LAUNCHED
    said: frozenset[str] = frozenset()
    preferences_read: bool = True
    unit: UnitState = field(default_factory=UnitState)


def accept(session: Session, statement: Mapping[str, Any], *, added: Collection[str] = ()) -> Session:
    """Return the session after a statement of its unit.

    The *statement* is valid as xAPI, its context activities in lists; *added* are the names of properties that were
    missing and that the record store put in.

    Raises:
        RuleBrokenError: it is not to be stored.
    """
    verb = statement["verb"]["id"]
    context = statement.get("context", {})
    categories = _listed(context, "category")
    if verb == VOIDED:
        raise RuleBrokenError("6.3", "A unit may not void statements.")
    _check_form(session, statement, context, added)
    if CMI5 not in categories:
        _check_allowed(session, categories)
        return session
    if verb not in RULES:
        raise RuleBrokenError("9.3", f"A unit has no statement of the cmi5 category with the verb {verb}.")
    return _defined(session, statement, Verb(verb), context, categories)


def _check_form(
    session: Session, statement: Mapping[str, Any], context: Mapping[str, Any], added: Collection[str]
) -> None:
    """Hold a statement to what all statements of a session have in common."""
    if "id" in added:
        raise RuleBrokenError("9.1", "The statement has no id.")
    timestamp = statement.get("timestamp", "")
    if "timestamp" in added or not timestamp:
        raise RuleBrokenError("9.7", "The statement has no timestamp.")
    if not timestamp.endswith(("Z", "+00:00", "+0000", "+00")):
        raise RuleBrokenError("9.7", "The timestamp is not in UTC.")
    actor = statement["actor"]
    if actor.get("objectType", "Agent") != "Agent" or _account(actor) != session.account:
        raise RuleBrokenError("9.2", "The actor is not the one of the launch.")
    if str(context.get("registration", "")).lower() != session.registration:
        raise RuleBrokenError("9.6.1", "The registration is not the one of the launch.")
    if context.get("extensions", {}).get(SESSION_ID) != session.session_id:
        raise RuleBrokenError("9.6.3.1", "The session id is not the one of the launch.")


def _check_allowed(session: Session, categories: Collection[str]) -> None:
    """Hold a "cmi5 allowed" statement to the little there is: it counts for nothing (7.1.3)."""
    if session.state is not State.INITIALIZED:
        raise RuleBrokenError("7.1.3", "Statements come between initialized and terminated.")
    if MOVE_ON in categories:
        raise RuleBrokenError("9.6.2.2", "Only completed, passed and failed have the moveOn category.")


def _defined(
    session: Session,
    statement: Mapping[str, Any],
    verb: Verb,
    context: Mapping[str, Any],
    categories: Collection[str],
) -> Session:
    rule = RULES[verb]
    thing = statement["object"]
    if thing.get("objectType", "Activity") != "Activity" or thing.get("id") != session.activity_id:
        raise RuleBrokenError("9.4", "The object is not the activity of the launch.")
    if session.publisher_id not in _listed(context, "grouping"):
        raise RuleBrokenError("9.6.2", "The grouping of the context template is missing.")
    _check_order(session, verb)
    if session.launch_mode not in rule.modes:
        raise RuleBrokenError(
            "10.2.2", f"Nothing that counts is recorded in the launch mode {session.launch_mode}."
        )
    if (MOVE_ON in categories) != rule.has_move_on:
        needed = "is missing" if rule.has_move_on else "does not belong here"
        raise RuleBrokenError("9.6.2.2", f"The moveOn category {needed}.")
    _check_result(rule, statement.get("result", {}))
    _check_mastery(session, verb, statement.get("result", {}), context.get("extensions", {}))
    return replace(
        session,
        state=TRANSITIONS[session.state][verb],
        said=session.said | {verb},
        unit=unit_after(session.unit, verb),
    )


def unit_after(unit: UnitState, verb: str) -> UnitState:
    """Return what is known of a unit after a statement about it that counts."""
    match verb:
        case Verb.COMPLETED:
            return replace(unit, completed=True)
        case Verb.PASSED:
            return replace(unit, passed=True)
        case Verb.FAILED:
            return replace(unit, failed=True)
        case Verb.WAIVED:
            return replace(unit, waived=True)
        case _:
            return unit


def _check_order(session: Session, verb: Verb) -> None:
    if verb in session.said:
        raise RuleBrokenError("9.3", "Each verb comes once in a session.")
    if verb not in TRANSITIONS[session.state]:
        raise RuleBrokenError("9.3", f"Nothing of the kind comes while a session is {session.state}.")
    if verb is Verb.INITIALIZED and not session.preferences_read:
        raise RuleBrokenError("11", "The learner preferences are read before a unit says initialized.")
    if {verb, *session.said} >= {Verb.PASSED, Verb.FAILED}:
        raise RuleBrokenError("9.3", "A session has one verdict, passed or failed.")
    if verb is Verb.COMPLETED and session.unit.completed:
        raise RuleBrokenError("9.3.3", "The unit was completed before, in this registration.")
    if verb in {Verb.PASSED, Verb.FAILED} and session.unit.passed:
        raise RuleBrokenError("9.3", "The unit was passed before, in this registration.")


def _check_result(rule: VerbRule, result: Mapping[str, Any]) -> None:
    for name, section, wanted in (
        ("success", "9.5.2", rule.success),
        ("completion", "9.5.3", rule.completion),
    ):
        if result.get(name) is not wanted:
            said = "must not be there" if wanted is None else f"must be {str(wanted).lower()}"
            raise RuleBrokenError(section, f"result.{name} {said}.")
    if rule.has_duration and "duration" not in result:
        raise RuleBrokenError("9.5.4.1", "result.duration is missing.")
    score = result.get("score")
    if score is None:
        return
    if not rule.has_score:
        raise RuleBrokenError("9.5.1", "Only passed and failed have a score.")
    if "raw" in score and not {"min", "max"} <= score.keys():
        raise RuleBrokenError("9.5.1", "A raw score needs its min and max.")
    if score.get("scaled", 0) < 0:
        raise RuleBrokenError("9.5.1", "A scaled score is from 0 to 1.")


def _check_mastery(
    session: Session, verb: Verb, result: Mapping[str, Any], extensions: Mapping[str, Any]
) -> None:
    """Hold a verdict against the mastery score (9.3.4, 9.3.5), which it must name if it has a score (9.6.3.2)."""
    mastery = session.mastery_score
    if mastery is None or verb not in {Verb.PASSED, Verb.FAILED}:
        return
    score = result.get("score", {})
    named = extensions.get(MASTERY_SCORE)
    if named is None and score:
        raise RuleBrokenError("9.6.3.2", "The mastery score is missing among the extensions.")
    if named is not None and decimal_of(named) != mastery:
        raise RuleBrokenError("9.6.3.2", "The mastery score is not the one of the launch.")
    scaled = decimal_of(score.get("scaled"))
    if scaled is None:
        return
    if verb is Verb.PASSED and scaled < mastery:
        raise RuleBrokenError("9.3.4", "Passed with a score below the mastery score.")
    if verb is Verb.FAILED and scaled >= mastery:
        raise RuleBrokenError("9.3.5", "Failed with a score that reaches the mastery score.")


def decimal_of(number: object) -> Decimal | None:
    """Return a number of JSON as it was written: 0.9 is nine tenths, as it is in the course structure."""
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    return Decimal(str(number)) if is_number else None


def _account(actor: Mapping[str, Any]) -> tuple[str, str] | None:
    account = actor.get("account")
    return None if account is None else (account["homePage"], account["name"])


def _listed(context: Mapping[str, Any], name: str) -> frozenset[str]:
    return frozenset(one["id"] for one in context.get("contextActivities", {}).get(name, ()))
