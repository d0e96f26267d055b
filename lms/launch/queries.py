"""Find launches by what a browser shows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session, aliased

from lms.enrolment.tables import Enrolment
from lms.launch.tables import LateWork, Launch, LaunchStep
from lms.people.tables import Person
from xapi_store.tables.prepared import Prepared

SLEEPS_AFTER = timedelta(hours=12)
MOST_OF_A_SITTING = 100


class LaunchOverError(Exception):
    """The token opens nothing, or no longer."""

    def __init__(self) -> None:
        super().__init__("This launch is over.")


def digest(token: str) -> bytes:
    """Return what is kept of a token, which is 256 random bits and so needs no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def launch_of(session: Session, token: str, *, now: datetime) -> Launch:
    """Return the open launch of a token.

    Raises:
        LaunchOverError: there is none, or it is over.
    """
    row = session.scalars(_BY_TOKEN, {"digest": digest(token)}).one_or_none()
    if row is None or is_over(row, now=now):
        raise LaunchOverError
    return row


def launch_to_write(session: Session, token: str) -> Launch:
    """Return the launch of a token, over or not, and let nobody else write to its learner's courses meanwhile.

    Every commit asks, and the ORM would take longer to find one row and to write it back than all the rest takes. So
    it belongs to no session: what a commit changes of it, :func:`keep_launch` writes.

    Raises:
        LaunchOverError: there is none.
    """
    connection, wanted = session.connection(), digest(token)
    _HELD.run(connection, digest=wanted)
    row = _TO_WRITE.first(connection, digest=wanted)  # only then: whoever held her may have changed it
    if row is None:
        raise LaunchOverError
    return Launch(**dict(zip(_COLUMNS, row, strict=True)))


def keep_launch(session: Session, launch: Launch) -> None:
    """Write what a commit has changed of a launch."""
    if launch in session:
        session.flush()
        return
    changed = tuple(getattr(launch, name) for name in _CHANGING)
    _CHANGED.change(session.connection(), [(*changed, launch.id)])


_BY_TOKEN = select(Launch).where(Launch.token_digest == bindparam("digest"))
_COLUMNS = tuple(column.key for column in Launch.__table__.columns)
_TO_WRITE = Prepared(_BY_TOKEN.with_only_columns(*Launch.__table__.columns))
_HELD = Prepared(
    select(Person.public_id)
    .where(Person.public_id == _BY_TOKEN.with_only_columns(Launch.person).scalar_subquery())
    .with_for_update()
)
_CHANGING = (
    "last_seen", "phase", "sequence", "body_digest", "answer", "session_time_s", "learning_time_s", "said",
)  # fmt: skip
_CHANGED = Prepared(
    update(Launch).where(Launch.id == bindparam("row_id")).inline(), columns=(*_CHANGING, "row_id")
)


def is_over(launch: Launch, *, now: datetime) -> bool:
    """Say whether a launch has ended, or nothing was heard of it for twelve hours."""
    return launch.ended is not None or launch.last_seen + SLEEPS_AFTER < now


def open_launches(session: Session, registration: UUID) -> Sequence[Launch]:
    """Return the launches of a registration that have not ended; there is at most one."""
    return session.scalars(_OPEN, {"registration": registration}).all()


_OPEN = (
    select(Launch)
    .where(Launch.registration == bindparam("registration"), Launch.ended.is_(None))
    .order_by(Launch.id)
)


def launches_back(session: Session, registration: UUID) -> Sequence[Launch]:
    """Return the launches of a registration, the newest first, as far back as a sitting may go."""
    return session.scalars(_BACK, {"registration": registration}).all()


def former_attempts_ended(session: Session, registration: UUID, *, attempt: int) -> datetime | None:
    """Return when the last step was taken in an attempt at the course before this one, as far as its log goes back."""
    asked = {"registration": registration, "attempt": attempt}
    ended: datetime | None = session.scalar(_FORMER, asked)
    return ended


_FORMER = select(func.max(LaunchStep.at)).where(
    LaunchStep.registration == bindparam("registration"), LaunchStep.attempt < bindparam("attempt")
)
_BACK = (
    select(Launch)
    .where(Launch.registration == bindparam("registration"))
    .order_by(Launch.id.desc())
    .limit(MOST_OF_A_SITTING)
)


class Heard(NamedTuple):
    """What a launch was told of, in verbs; its unit by identifier."""

    identifier: str
    attempt: int
    said: list[str]


def heard_in_launches(session: Session, registration: UUID) -> Sequence[Heard]:
    """Return what was said in all launches of a registration on this node, the oldest first."""
    rows = session.connection().execute(_HEARD, {"registration": registration})
    return [Heard(*row) for row in rows]


_HEARD = (
    select(Launch.identifier, Launch.attempt, Launch.said)
    .where(Launch.registration == bindparam("registration"))
    .order_by(Launch.id)
)


def running_elsewhere(session: Session, registration: UUID) -> Launch | None:
    """Return the launch in which a unit runs, as far as is known: not ended, and its page has not said good-bye."""
    return session.scalars(_RUNNING, {"registration": registration}).first()


_RUNNING = _OPEN.where(Launch.phase == "running", Launch.left.is_(None))


def launch_with(session: Session, public_id: UUID) -> Launch | None:
    """Return a launch by its public id, over or not."""
    return session.scalars(_BY_ID, {"public_id": public_id}).one_or_none()


_BY_ID = select(Launch).where(Launch.public_id == bindparam("public_id"))


def newer_launch(session: Session, launch: Launch) -> UUID | None:
    """Return the latest launch of the registration that was made after this one."""
    asked = {"registration": launch.registration, "id": launch.id}
    return session.connection().scalar(_NEWER, asked)


_NEWER = (
    select(Launch.public_id)
    .where(Launch.registration == bindparam("registration"), Launch.id > bindparam("id"))
    .order_by(Launch.id.desc())
    .limit(1)
)


def late_work(session: Session, *, person: UUID, course: UUID) -> Sequence[LateWork]:
    """Return what of a person's work in a course was put aside, newest first."""
    return session.scalars(
        select(LateWork)
        .where(LateWork.person == person, LateWork.course == course)
        .order_by(LateWork.id.desc())
    ).all()


_other = aliased(Launch)


class LastLaunch(NamedTuple):
    """The latest launch of a registration: of which unit, and when something was heard of it."""

    registration: UUID
    course: UUID
    unit: UUID
    last_seen: datetime


def last_launches(session: Session, person: UUID) -> Mapping[UUID, LastLaunch]:
    """Return the latest launch on this node of all that a person takes or took, by registration."""
    rows = session.connection().execute(_LATEST, {"person": person})
    return {one.registration: one for one in (LastLaunch(*row) for row in rows)}


# A launch keeps its last answer, which lists need not read.
_LATEST = (
    select(Launch.registration, Launch.course, Launch.unit, Launch.last_seen)
    .join(
        Enrolment,
        Launch.id
        == select(_other.id)
        .where(_other.registration == Enrolment.registration)
        .order_by(_other.id.desc())
        .limit(1)
        .scalar_subquery(),
    )
    .where(Enrolment.person == bindparam("person"))
)
