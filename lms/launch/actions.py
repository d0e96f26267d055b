"""Deliver a unit, take its commits, carry out requests: each one transaction of the caller.

A commit's run-time data, its statements and what sequencing makes of it are written together, so what was
acknowledged is found again whole, and what was not has left no trace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from math import ceil
from typing import Any, Literal
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from content_packages.cmi.data_model import apply_delta
from content_packages.cmi.runtime import AttemptResult, end_session, result_of
from content_packages.cmi.tables import Standard
from content_packages.package import Activity
from content_packages.sequencing.event import Delivery, Event, Request, RunTime, RunTimeResult
from content_packages.sequencing.runtime import initial_values, resumed_values
from content_packages.shelf import Shelf
from lms.courses.iris import course_iri, unit_iri
from lms.courses.queries import unit_of
from lms.launch import statements
from lms.launch.course import (
    CourseNotReadyError,
    CourseWithdrawnError,
    Opened,
    Standing,
    Taking,
    advance,
    keep_standing,
    open_course,
    read_standing,
)
from lms.launch.moving import as_if_left, follow_moves
from lms.launch.queries import LaunchOverError, digest, is_over, keep_launch, open_launches
from lms.launch.shared_data import keep_buckets
from lms.launch.tables import Launch
from lms.launch.unit import (
    UnitState,
    given_values,
    keep_unit,
    made_of,
    navigation_news,
    navigation_values,
    own_values,
    read_unit,
    refused_still,
    reported,
)
from lms.launch.verdict import says_verdict, verdict_on
from xapi_store.ingest import store_statements

Phase = Literal["launched", "running", "terminated"]
_ORDER = {"launched": 0, "running": 1, "terminated": 2}
_OVERRULED = "overruled"  # the reason of what a unit says after its learner has asked for something else
_UNFINISHED = frozenset({"autosave", "initialize"})  # reasons at which an answer may be half written


class StaleCommitError(Exception):
    """A commit's sequence was used before, for something else."""

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence
        super().__init__(f"Commit {sequence} was applied already, with another content.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """What launching needs of its node."""

    shelf: Shelf
    node: str  # public id
    new_id: Callable[[], UUID]
    new_token: Callable[[], str]
    new_seed: Callable[[], int]

    @property
    def authority(self) -> dict[str, Any]:
        """The agent who vouches for what this node recorded."""
        account = {"homePage": "https://outpost.invalid/nodes", "name": self.node}
        return {"objectType": "Agent", "account": account}


@dataclass(frozen=True, kw_only=True, slots=True)
class Commit:
    """What a unit has changed since it last knew itself saved."""

    sequence: int
    values: Mapping[str, str]
    # What the shim would not take of the unit.
    refused: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    reason: str
    phase: Phase
    session_time_s: int  # since Initialize, with pauses
    learning_time_s: int | None = None  # without; a shim of before does not measure it


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """A launch just made, in which edition, and where the learner stands; its token is told this once."""

    launch: Launch
    token: str
    taking: Taking
    standing: Standing


def deliver(session: Session, desk: Desk, taking: Taking, *, now: datetime) -> Delivered | None:
    """Start or resume the course, and open a launch for what sequencing delivers.

    An older launch of the registration ends: two tabs cannot both write. Then what was decided on those in
    mid-course is carried out, which may lead her to another edition.

    Returns:
        ``None`` where sequencing delivers nothing by itself and the learner is to choose.

    Raises:
        CourseNotReadyError: not all of her edition is on this node yet.
        CourseWithdrawnError: her edition was withdrawn. What is open may still save.
    """
    standing = read_standing(session, taking, seed=desk.new_seed)
    made: list[dict[str, Any]] = []
    for older in open_launches(session, taking.registration):
        made += _cut(session, desk, taking, standing, older, now=now)
    taking, standing = follow_moves(session, desk.shelf, taking, standing)
    if taking.withdrawn:
        raise CourseWithdrawnError(taking.course)
    if standing.waiting is None:
        _begin(taking, standing)
    delivery, standing.waiting = standing.waiting, None
    if delivery is None:
        _store(session, desk, made, now=now)
        keep_standing(session, taking, standing, now=now)
        return None
    unit = unit_of(session, taking.course, delivery.activity)
    if unit is None:  # its edition came from another node, and is not laid out here yet
        raise CourseNotReadyError(taking.course)
    _prepare(session, taking, standing, delivery, unit, now=now)
    token = desk.new_token()
    launch = Launch(
        public_id=desk.new_id(),
        token_digest=digest(token),
        registration=taking.registration,
        person=taking.person,
        course=taking.course,
        edition=taking.edition,
        unit=unit,
        identifier=delivery.activity,
        attempt=delivery.attempt,
        created=now,
        last_seen=now,
        phase="launched",
        sequence=0,
        session_time_s=0,
        learning_time_s=0,
        said=[],
    )
    session.add(launch)
    session.flush()
    if standing.told.get("attempt") != standing.attempt:
        standing.told = {"attempt": standing.attempt}
        made.append(statements.course_statement(_subject(desk, taking, launch), "attempted", now=now))
    keep_standing(session, taking, standing, now=now)
    _store(session, desk, made, now=now)
    return Delivered(launch=launch, token=token, taking=taking, standing=standing)


def apply_commit(
    session: Session, desk: Desk, launch: Launch, commit: Commit, body: bytes, *, now: datetime
) -> dict[str, Any]:
    """Take a commit and return its answer; the same commit again returns the same and changes nothing.

    The last commit is answered again even when its launch is over: a Terminate whose answer was lost on the
    way is no failure.

    Raises:
        LaunchOverError: the launch has ended, or nothing was heard of it for too long.
        StaleCommitError: the sequence was used for something else.
    """
    body_digest = hashlib.sha256(body).digest()
    if commit.sequence == launch.sequence and body_digest == launch.body_digest and launch.answer:
        return launch.answer
    if is_over(launch, now=now):
        raise LaunchOverError
    if commit.sequence <= launch.sequence:
        raise StaleCommitError(launch.sequence)
    taking = taking_of(session, desk, launch)
    standing = read_standing(session, taking)
    answer: dict[str, Any] = {"sequence": commit.sequence, "refused": [], "navigation": None}
    if launch.phase != "terminated":
        answer |= _record(session, desk, taking, standing, launch, commit=commit, now=now)
    launch.sequence, launch.body_digest, launch.answer = commit.sequence, body_digest, answer
    launch.last_seen = now
    keep_launch(session, launch)
    return answer


def carry_out(
    session: Session,
    desk: Desk,
    taking: Taking,
    wanted: Request,
    target: str | None = None,
    *,
    now: datetime,
) -> Standing:
    """Carry out what the learner asks for on the page; what is open on the screen ends first."""
    standing = read_standing(session, taking, seed=desk.new_seed)
    made: list[dict[str, Any]] = []
    result = None
    for launch in open_launches(session, taking.registration):
        if launch.phase == "running":
            ended, told = _end(session, desk, taking, standing, launch, terminated=False, now=now)
            result, made = ended, made + told
        elif launch.phase == "launched" and _has_spoken_before(taking, standing, launch):
            result = RunTimeResult(exit="suspend")  # she left before it began: what it had kept waits for it
        launch.ended = now
    if result is not None and wanted not in {Request.EXIT_ALL, Request.SUSPEND_ALL}:
        result = replace(result, request=None, request_target=None)
    subject = _course_subject(session, desk, taking, standing)
    advance(taking, standing, Event(kind=wanted, target=target, result=result))
    made += _course_changes(taking, standing, subject, now=now)
    keep_standing(session, taking, standing, now=now)
    _store(session, desk, made, now=now)
    return standing


def _has_spoken_before(taking: Taking, standing: Standing, launch: Launch) -> bool:
    """Say whether a unit is known to speak for itself: one that never has may have a page without a script."""
    activity = taking.opened.activities[launch.identifier]
    return activity.kind == "sco" and launch.identifier not in standing.silent


def taking_of(session: Session, desk: Desk, launch: Launch) -> Taking:
    """Return the course a launch belongs to."""
    return open_course(
        session, desk.shelf, person=launch.person, registration=launch.registration, course=launch.course
    )


def boot_values(session: Session, taking: Taking, launch: Launch) -> dict[str, str]:
    """Return everything the unit may read as its page opens."""
    standing = read_standing(session, taking)
    kept = read_unit(session, taking, launch.unit)
    activity = taking.opened.activities[launch.identifier]
    values = {**(kept.values if kept else {}), **given_values(session, taking, activity, standing)}
    if Standard(taking.opened.package.data_model) is Standard.SCORM_2004:
        values |= navigation_values(taking.opened, standing.state)
    return values


# ---------------------------------------------------------------------- deliver


def _begin(taking: Taking, standing: Standing) -> None:
    if standing.open and standing.state["current"] is not None:
        # The learner went without a word: as if she had closed the book with a mark in it.
        advance(taking, standing, Event(kind=Request.SUSPEND_ALL))
    if standing.state["suspended"] is not None:
        advance(taking, standing, Event(kind=Request.RESUME_ALL))
        return
    if standing.told:
        standing.attempt += 1
    advance(taking, standing, Event(kind=Request.START))


def _prepare(
    session: Session, taking: Taking, standing: Standing, delivery: Delivery, unit: UUID, *, now: datetime
) -> None:
    """Lay out the unit's data: its own again, or what sequencing gives a new attempt."""
    kept = read_unit(session, taking, unit)
    if kept is not None and (delivery.resumed or taking.opened.is_scorm12):
        # SCORM 1.2 packages that never set exit rely on finding their data (pitfall 17).
        kept.attempt = delivery.attempt
        if not taking.opened.is_scorm12:
            kept.values = resumed_values(taking.opened.tree, standing.state, delivery.activity, kept.values)
    else:
        opened = taking.opened
        if opened.is_scorm12:
            first = {"cmi.core.entry": "ab-initio"}
        else:
            first = initial_values(opened.tree, standing.state, delivery.activity) | {
                "cmi.entry": "ab-initio"
            }
        if kept is None and opened.activities[delivery.activity].kind == "sco":
            standing.silent.add(delivery.activity)
        kept = UnitState(attempt=delivery.attempt, values=first)
    keep_unit(session, taking, unit, kept, now=now)


def _cut(
    session: Session, desk: Desk, taking: Taking, standing: Standing, launch: Launch, *, now: datetime
) -> list[dict[str, Any]]:
    """End a launch that went silent: a running session is suspended (pitfall 18)."""
    made: list[dict[str, Any]] = []
    if launch.phase == "running":
        result, made = _end(session, desk, taking, standing, launch, terminated=False, now=now)
        advance(taking, standing, Event(kind=Request.SUSPEND_ALL, result=result))
    launch.ended = now
    return made


# ---------------------------------------------------------------------- commit


def _record(
    session: Session,
    desk: Desk,
    taking: Taking,
    standing: Standing,
    launch: Launch,
    *,
    commit: Commit,
    now: datetime,
) -> dict[str, Any]:
    standard = Standard(taking.opened.package.data_model)
    activity = taking.opened.activities[launch.identifier]
    given = given_values(session, taking, activity, standing)
    kept = read_unit(session, taking, launch.unit) or UnitState(attempt=launch.attempt)
    applied = apply_delta(standard, {**kept.values, **given}, commit.values)
    kept.values = own_values(applied.values, given)
    kept.refused = refused_still(kept.refused, commit.values, commit.refused, applied.refused)
    keep_buckets(session, taking, activity, applied.values, attempt=standing.attempt, now=now)
    _take_times(launch, commit, now=now)
    subject = _subject(desk, taking, launch)
    made: list[dict[str, Any]] = []
    if launch.phase == "launched" and _ORDER[commit.phase] > 0:
        resumed = "resume" in {kept.values.get("cmi.entry"), kept.values.get("cmi.core.entry")}
        made.append(statements.unit_statement(subject, "resumed" if resumed else "initialized", now=now))
        launch.phase = "running"
        standing.silent.discard(launch.identifier)
    result = result_of(standard, applied.values)
    if says_verdict(result):
        standing.judged.add(launch.identifier)
    made += _tell(subject, kept, result, standard, launch, now=now, answers=commit.reason not in _UNFINISHED)
    keep_unit(session, taking, launch.unit, kept, now=now)
    answer: dict[str, Any] = {"refused": [asdict(refusal) for refusal in applied.refused]}
    course = _course_subject(session, desk, taking, standing, launch)
    if commit.phase == "terminated" and launch.phase == "running":
        ended, told = _end(session, desk, taking, standing, launch, terminated=True, now=now)
        if commit.reason == _OVERRULED:
            ended = replace(ended, request=None, request_target=None)  # what she asks for follows (SN 5.4)
        outcome = advance(taking, standing, Event(kind=RunTime.TERMINATE, result=ended))
        made += told
        if outcome.unload or (outcome.exception is not None and ended.request is not None):
            answer["navigation"] = {"delivered": outcome.delivery is not None}
        if not outcome.unload:
            # What a unit has reported counts in sequencing with the next request, and she may never make one.
            made += _course_changes(taking, as_if_left(taking, standing), course, now=now)
    else:
        advance(taking, standing, Event(kind=RunTime.COMMIT, result=reported(result, kept.values)))
    made += _course_changes(taking, standing, course, now=now)
    keep_standing(session, taking, standing, now=now)
    _store(session, desk, made, now=now)
    if standard is Standard.SCORM_2004:
        told = (launch.answer or {}).get("values", {})
        answer["values"] = navigation_news(taking.opened, standing.found, standing.state, told)
    return answer


def _end(
    session: Session,
    desk: Desk,
    taking: Taking,
    standing: Standing,
    launch: Launch,
    *,
    terminated: bool,
    now: datetime,
) -> tuple[RunTimeResult, list[dict[str, Any]]]:
    """Draw up what a session leaves; return what sequencing is told, and the last statements."""
    standard = Standard(taking.opened.package.data_model)
    activity = taking.opened.activities[launch.identifier]
    given = given_values(session, taking, activity, standing)
    kept = read_unit(session, taking, launch.unit) or UnitState(attempt=launch.attempt)
    asset = activity.kind == "asset"
    done = terminated or asset  # what is only shown cannot be cut short
    ended = end_session(standard, {**kept.values, **given}, terminated=done)
    told = ended.result
    if says_verdict(told):
        standing.judged.add(launch.identifier)
    silent = not told.completion_reported and told.completion == "unknown"
    if silent and not ended.suspended and _is_done_by_ending(taking.opened, activity):
        told = replace(told, completion="completed")
    kept.made = made_of(kept, ended.values)
    kept.values = own_values(ended.values, given)
    subject = _subject(desk, taking, launch)
    made = _tell(subject, kept, told, standard, launch, now=now, answers=True)
    lasted = statements.lasted(launch.session_time_s, learning_s=launch.learning_time_s)
    if ended.suspended:
        made.append(statements.unit_statement(subject, "suspended", now=now, result=lasted))
    made.append(statements.unit_statement(subject, "terminated", now=now, result=lasted))
    keep_unit(session, taking, launch.unit, kept, now=now)
    launch.phase = "terminated"
    standing.seconds += launch.session_time_s
    standing.learning_seconds += launch.learning_time_s
    leave = "suspend" if ended.suspended and not terminated else None
    # What was only shown is done, however it was left; what speaks says so itself, or sequencing does (SN UP.4).
    outcome = told if asset and not ended.suspended else ended.result
    return reported(outcome, {**kept.values, **given}, leave=leave), made


def _is_done_by_ending(opened: Opened, unit: Activity) -> bool:
    """Say whether a unit that ends without a word on it is complete (SN UP.4)."""
    definition = opened.tree[unit.identifier].definition
    by_measure = definition.completion_threshold.completed_by_measure
    return opened.is_scorm12 or not (definition.delivery.completion_set_by_content or by_measure)


def _tell(
    subject: statements.Subject,
    kept: UnitState,
    result: AttemptResult,
    standard: Standard,
    launch: Launch,
    *,
    now: datetime,
    answers: bool,
) -> list[dict[str, Any]]:
    """Return what the unit says that it had not said, and note in *kept* that it has."""
    made = list(statements.changes(subject, kept.told, result, now=now, seconds=launch.session_time_s))
    heard: dict[str, str] = dict(kept.told.get("answers", {}))
    for place, interaction in enumerate(result.interactions if answers else ()):
        if not {"learner_response", "student_response", "result"} & interaction.keys():
            continue
        content = hashlib.sha256(orjson.dumps(dict(interaction), option=orjson.OPT_SORT_KEYS)).hexdigest()[
            :16
        ]
        if heard.get(str(place)) != content:
            heard[str(place)] = content
            scorm12 = standard is Standard.SCORM_12
            made.append(statements.response(subject, place, interaction, now=now, scorm12=scorm12))
    kept.told = {**statements.told(result), "answers": heard}
    said = [one["verb"]["display"]["en"] for one in made]
    launch.said = list(dict.fromkeys((*launch.said, *(verb for verb in said if verb != "responded"))))
    return made


def _take_times(launch: Launch, commit: Commit, *, now: datetime) -> None:
    """Take over how long the session has lasted, as the browser measured it: never longer than it can have been.

    The shim is not trusted. Where the node's own clock was put back since, nothing is known of how long that is.
    """
    lasted = commit.session_time_s
    if now >= launch.created:
        lasted = min(lasted, ceil((now - launch.created).total_seconds()) + 1)
    launch.session_time_s = max(launch.session_time_s, lasted)
    learning = lasted if commit.learning_time_s is None else commit.learning_time_s
    launch.learning_time_s = min(max(launch.learning_time_s, learning), launch.session_time_s)


# ---------------------------------------------------------------------- the course as a whole


def _course_changes(
    taking: Taking, standing: Standing, subject: statements.Subject | None, *, now: datetime
) -> list[dict[str, Any]]:
    if subject is None:
        return []
    reached = verdict_on(taking.opened, standing)
    made = []
    if reached.completed and not standing.told.get("completed"):
        standing.told["completed"] = True
        made.append(statements.course_statement(subject, "completed", now=now, result={"completion": True}))
    if reached.satisfied is not None and reached.satisfied != standing.told.get("satisfied"):
        standing.told["satisfied"] = reached.satisfied
        score = {} if reached.score is None else {"score": {"scaled": round(reached.score, 7)}}
        verb = "passed" if reached.satisfied else "failed"
        result = {"success": reached.satisfied, **score}
        made.append(statements.course_statement(subject, verb, now=now, result=result))
    return made


def _course_subject(
    session: Session, desk: Desk, taking: Taking, standing: Standing, launch: Launch | None = None
) -> statements.Subject | None:
    """Return the course as statements are about it, with the unit that is current: mostly that of the launch."""
    identifier = standing.state["current"]
    if identifier is None or identifier not in taking.opened.activities:
        return None
    if launch is not None and launch.identifier == identifier:
        unit: UUID | None = launch.unit
    else:
        unit = unit_of(session, taking.course, identifier)
    if unit is None:
        return None
    return statements.Subject(
        person=taking.person,
        registration=taking.registration,
        launch=taking.registration,
        node=desk.node,
        course=course_iri(taking.course),
        course_title=taking.title,
        unit=unit_iri(taking.course, unit),
        unit_title=taking.opened.activities[identifier].title,
        attempt=standing.attempt,
    )


def _subject(desk: Desk, taking: Taking, launch: Launch) -> statements.Subject:
    return statements.Subject(
        person=launch.person,
        registration=launch.registration,
        launch=launch.public_id,
        node=desk.node,
        course=course_iri(launch.course),
        course_title=taking.title,
        unit=unit_iri(launch.course, launch.unit),
        unit_title=taking.opened.activities[launch.identifier].title,
        attempt=launch.attempt,
    )


def _store(session: Session, desk: Desk, made: list[dict[str, Any]], *, now: datetime) -> None:
    if made:
        store_statements(session, made, authority=desk.authority, now=now, new_id=desk.new_id)
