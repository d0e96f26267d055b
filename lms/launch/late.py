"""Work that arrives without its launch token, because that has expired or its page has closed meanwhile.

It is a commit like any other and goes through the same door. What makes it late is only who brings it: the page on
the LMS host, with the session of the same learner. Nothing that was written since is written over: what meets newer
work is put aside whole (``lms/player/README.md``, "What the page asks for on the LMS host").
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.courses.iris import course_iri, unit_iri
from lms.launch.actions import Commit, Desk, apply_commit, taking_of
from lms.launch.course import Taking
from lms.launch.documents import COURSE_STATE, UNIT_STATE, state_key
from lms.launch.queries import is_over, newer_launch
from lms.launch.tables import LateWork, Launch
from lms.launch.unit import read_unit
from xapi_store.documents import get_document

Outcome = Literal["saved", "already", "aside"]
State = Literal["open", "asleep", "taken", "over"]
_ORDER = {"launched": 0, "running": 1, "terminated": 2}


def state_of(session: Session, launch: Launch, *, now: datetime) -> State:
    """Return how a launch stands: asleep is one that only lay still for too long."""
    if launch.ended is None:
        return "asleep" if is_over(launch, now=now) else "open"
    return "over" if newer_launch(session, launch) is None else "taken"


def wake(session: Session, launch: Launch, *, now: datetime) -> State:
    """Let the token of a launch that lay still for too long open it again; return how the launch stands."""
    if launch.ended is None:
        launch.last_seen = now
        session.flush()
    return state_of(session, launch, now=now)


def take_late(
    session: Session,
    desk: Desk,
    launch: Launch,
    commit: Commit,
    body: bytes,
    *,
    restarted: bool,
    now: datetime,
) -> Outcome:
    """Take a commit that was kept while the server was out of reach.

    The caller has made sure whose it is, and holds that person. ``body`` is the commit as it was kept, byte for byte
    as the shim would have sent it; ``restarted`` says that the shim was loaded again under this launch since, and
    numbered anew.

    Raises:
        CourseNotReadyError: the course is not on this node; the commit may come again.
    """
    body_digest = hashlib.sha256(body).digest()
    if commit.sequence == launch.sequence and body_digest == launch.body_digest:
        return "already"
    if commit.sequence <= launch.sequence and not restarted:
        return "already"  # a later request of the same shim contains it
    taking = taking_of(session, desk, launch)
    if _is_kept(session, taking, launch, commit):
        return "already"
    if commit.sequence <= launch.sequence or _has_newer(session, taking, launch):
        _put_aside(session, taking, launch, body, body_digest, now=now)
        return "aside"
    ended, launch.ended, launch.last_seen = launch.ended, None, now
    apply_commit(session, desk, launch, commit, body, now=now)
    launch.ended = ended
    session.flush()
    return "saved"


def _is_kept(session: Session, taking: Taking, launch: Launch, commit: Commit) -> bool:
    """Say whether the commit says nothing that is not kept as it says it."""
    unit = read_unit(session, taking, launch.unit)
    kept, refused = (unit.values, unit.refused) if unit else ({}, {})
    told = all(kept.get(element) == value for element, value in commit.values.items())
    told = told and all(refused.get(element) == one for element, one in commit.refused.items())
    return told and _ORDER[commit.phase] <= _ORDER[launch.phase]


def _has_newer(session: Session, taking: Taking, launch: Launch) -> bool:
    """Say whether anybody has written to the unit or the course since this launch did: here, or on another node."""
    if newer_launch(session, launch) is not None:
        return True
    keys = (
        state_key(unit_iri(launch.course, launch.unit), launch.person, launch.registration, UNIT_STATE),
        state_key(course_iri(taking.course), launch.person, launch.registration, COURSE_STATE),
    )
    found = (get_document(session, key) for key in keys)
    return any(document is not None and document.updated > launch.last_seen for document in found)


def _put_aside(
    session: Session, taking: Taking, launch: Launch, body: bytes, body_digest: bytes, *, now: datetime
) -> None:
    known = select(LateWork.id).where(
        LateWork.launch == launch.public_id, LateWork.body_digest == body_digest
    )
    if session.scalar(known) is not None:
        return
    activity = taking.opened.activities.get(launch.identifier)
    session.add(
        LateWork(
            launch=launch.public_id,
            person=launch.person,
            course=launch.course,
            unit=launch.unit,
            title=activity.title if activity else taking.title,
            begun=launch.created,
            arrived=now,
            body=body,
            body_digest=body_digest,
        )
    )
    session.flush()
