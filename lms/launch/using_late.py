"""Use work that was put aside: the lesson takes it over, and what it had until then is put aside in its turn.

It is a visit like any other: the lesson is delivered, saves what was put aside, and is left. So sequencing and
statements make of it what they would have made of it in time. Taking it back lays down the documents as they were, as
long as nothing has happened since; else the lesson gets its old values in another visit. What statements have said
stays said, and so do objectives that courses share.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from content_packages.sequencing.event import Request
from lms.courses.iris import course_iri, unit_iri
from lms.launch.actions import Commit, Delivered, Desk, apply_commit, carry_out, deliver, taking_of
from lms.launch.bodies import CommitBody
from lms.launch.course import CourseNotPlayedError, CourseNotReadyError, Taking, read_standing
from lms.launch.documents import COURSE_STATE, UNIT_STATE, read, state_key, write
from lms.launch.queries import late_work, launch_with, open_launches
from lms.launch.tables import LateWork
from lms.launch.unit import UnitState, keep_unit, read_unit
from lms.web.errors import NotFoundError
from xapi_store.model.document import DocumentKey

_REPLACED = b'{"replaced":'  # how the body begins of what was replaced; that of a commit has no such member


class LateWorkElsewhereError(Exception):
    """The course stands at another lesson, or has ended; work can be used in the lesson that goes on."""

    def __init__(self, title: str) -> None:
        self.title = title
        super().__init__(
            f"Open “{title}” first: what was put aside can be used while the course stands there."
        )


def find_late(session: Session, number: int, *, person: UUID, course: UUID) -> LateWork:
    """Return one piece of a person's work in a course.

    Raises:
        NotFoundError: it is not there, or was used already.
    """
    for late in late_work(session, person=person, course=course):
        if late.id == number:
            return late
    raise NotFoundError


def is_replaced(late: LateWork) -> bool:
    """Say whether it was put aside because other work was used in its place."""
    return late.body.startswith(_REPLACED)


def values_in(late: LateWork) -> dict[str, str]:
    """Return what the lesson wanted to save, or had."""
    if is_replaced(late):
        return dict(orjson.loads(late.body)["replaced"]["unit"]["values"])
    return dict(CommitBody.model_validate_json(late.body).values)


@dataclass(frozen=True, kw_only=True, slots=True)
class Aside:
    """Work that was put aside, as a page lists it."""

    row: LateWork
    values: dict[str, str]
    is_replaced: bool
    can_be_used: bool


def put_aside(session: Session, desk: Desk, *, person: UUID, course: UUID) -> list[Aside]:
    """Return what of a person's work in a course was put aside, newest first."""
    return [
        Aside(
            row=late,
            values=values_in(late),
            is_replaced=is_replaced(late),
            can_be_used=_can_be_used(session, desk, late),
        )
        for late in late_work(session, person=person, course=course)
    ]


def use_late(session: Session, desk: Desk, late: LateWork, *, now: datetime) -> None:
    """Let work that was put aside count, and put aside what it replaces; a session that is open ends first.

    The caller has made sure who asks, and holds the learner.

    Raises:
        CourseNotReadyError: the course is not on this node.
        CourseWithdrawnError: its edition was withdrawn.
        LateWorkElsewhereError: the course does not stand at the lesson.
    """
    launch = launch_with(session, late.launch)
    if launch is None:
        raise LateWorkElsewhereError(late.title)
    taking = taking_of(session, desk, launch)
    if not _stands_at(session, taking, launch.identifier):
        raise LateWorkElsewhereError(late.title)
    if any(one.phase == "running" for one in open_launches(session, taking.registration)):
        # Before anything is put aside, so that taking it back keeps the time of this session.
        carry_out(session, desk, taking, Request.SUSPEND_ALL, now=now)
    keys = _keys(taking, late)
    was = {name: read(session, key) for name, key in keys.items()}
    back = orjson.loads(late.body)["replaced"] if is_replaced(late) else None
    if back is not None and back["left"] == _digest(was):
        for name, key in keys.items():
            write(session, key, back[name], now=now)
    else:
        delivered = deliver(session, desk, taking, now=now)
        if delivered is None or delivered.launch.unit != late.unit:
            raise LateWorkElsewhereError(late.title)
        _visit(session, desk, delivered, late, back, now=now)
    left = _digest({name: read(session, key) for name, key in keys.items()})
    body = orjson.dumps({"replaced": {**was, "left": left, "at": now.isoformat()}})
    session.add(
        LateWork(
            launch=late.launch,
            person=late.person,
            course=late.course,
            unit=late.unit,
            title=late.title,
            begun=late.begun,
            arrived=now,
            body=body,
            body_digest=hashlib.sha256(body).digest(),
        )
    )
    session.delete(late)
    session.flush()


def _visit(
    session: Session,
    desk: Desk,
    delivered: Delivered,
    late: LateWork,
    back: dict[str, Any] | None,
    *,
    now: datetime,
) -> None:
    """Let the lesson save what was put aside, and leave it."""
    taking, launch = delivered.taking, delivered.launch
    if back is None:
        commit = CommitBody.model_validate_json(late.body).commit()
        values, phase = commit.values, commit.phase
    else:
        # Values that came since have no place among the old ones, and a commit takes none away.
        kept = read_unit(session, taking, launch.unit)
        attempt = kept.attempt if kept else launch.attempt
        old = UnitState(attempt=attempt, values=back["unit"]["values"], told=back["unit"]["told"])
        keep_unit(session, taking, launch.unit, old, now=now)
        values, phase = {}, "running"
    told = Commit(
        sequence=1,
        values=values,
        reason="overruled",  # where the lesson wanted to go then is not where she goes now
        phase="running" if phase == "launched" else phase,
        session_time_s=0,
        learning_time_s=0,
    )
    apply_commit(session, desk, launch, told, late.body, now=now)
    if launch.phase == "running":
        carry_out(session, desk, taking, Request.SUSPEND_ALL, now=now)
    for one in open_launches(session, taking.registration):
        one.ended = now
    session.flush()


def _can_be_used(session: Session, desk: Desk, late: LateWork) -> bool:
    launch = launch_with(session, late.launch)
    try:
        taking = taking_of(session, desk, launch) if launch else None
    except (CourseNotReadyError, CourseNotPlayedError):
        return False
    if launch is None or taking is None or taking.withdrawn:
        return False
    return _stands_at(session, taking, launch.identifier)


def _stands_at(session: Session, taking: Taking, identifier: str) -> bool:
    state = read_standing(session, taking).state
    return (state["current"] or state["suspended"]) == identifier


def _keys(taking: Taking, late: LateWork) -> dict[str, DocumentKey]:
    whose = (taking.person, taking.registration)
    return {
        "unit": state_key(unit_iri(late.course, late.unit), *whose, UNIT_STATE),
        "course": state_key(course_iri(taking.course), *whose, COURSE_STATE),
    }


def _digest(documents: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(documents, option=orjson.OPT_SORT_KEYS)).hexdigest()
