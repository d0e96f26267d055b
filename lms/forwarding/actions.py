"""Set up targets, and keep how far each of them is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from lms.forwarding.endpoints import checked_endpoint
from lms.forwarding.errors import (
    ActivityError,
    AgentError,
    DeadLetterNotFoundError,
    KeyMissingError,
    NameMissingError,
    NameTakenError,
    SecretMissingError,
    SinceError,
    VerbError,
    VersionError,
)
from lms.forwarding.problems import Problem
from lms.forwarding.sealing import seal
from lms.forwarding.tables import DeadLetter, Target, TargetState
from xapi_store.errors import LrsError
from xapi_store.model.actor import actor_key
from xapi_store.model.iri import Iri
from xapi_store.model.statement import check_actor
from xapi_store.model.strict_json import load_object
from xapi_store.model.timestamps import parse_timestamp
from xapi_store.model.version import Version

MOST_CHARS_OF_A_NAME = 80
_IRI: TypeAdapter[str] = TypeAdapter(Iri)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTarget:
    """A target as people write it down; ``agent`` is JSON, ``since`` a day or an instant, empty is nothing."""

    name: str
    endpoint: str
    key: str
    version: str = Version.V1
    verbs: Collection[str] = ()
    activity: str = ""
    agent: str = ""
    made_here: bool = False
    since: str = ""
    unprotected_allowed: bool = False


def checked_target(session: Session, wanted: NewTarget) -> Target:
    """Return a target as it would be added, but for its secret: nobody is asked for that in vain.

    Raises:
        FieldError: something in it cannot be taken.
    """
    name = wanted.name.strip()
    if not name or len(name) > MOST_CHARS_OF_A_NAME or not name.isprintable():
        raise NameMissingError
    if session.scalar(select(Target.id).where(Target.name == name)) is not None:
        raise NameTakenError(name=name)
    return Target(
        name=name,
        endpoint=checked_endpoint(wanted.endpoint, unprotected_allowed=wanted.unprotected_allowed),
        key=checked_key(wanted.key),
        version=_version(wanted.version),
        verbs=_verbs(wanted.verbs),
        activity=_activity(wanted.activity),
        agent=_agent(wanted.agent),
        made_here=wanted.made_here,
        since=_since(wanted.since),
    )


def add_target(
    session: Session, wanted: NewTarget, *, secret: str, node_secret: bytes, now: datetime
) -> Target:
    """Add a target; it is given what it wants from the beginning of the feed on.

    Raises:
        FieldError: something in it cannot be taken.
    """
    target = checked_target(session, wanted)
    target.secret = _sealed(secret, target, node_secret)
    target.created = now
    session.add(target)
    session.flush()
    return target


def change_credentials(target: Target, *, key: str, secret: str, node_secret: bytes) -> None:
    """Give a target another key and secret; how far it is stays.

    Raises:
        FieldError: one of them cannot be taken.
    """
    target.key = checked_key(key)
    target.secret = _sealed(secret, target, node_secret)


def change_version(target: Target, version: str) -> None:
    """Speak another version of xAPI to a target; how far it is stays, and its key and secret.

    Raises:
        VersionError: it is none that is spoken here.
    """
    target.version = _version(version)


def checked_key(key: str) -> str:
    """Return a key as it is sent.

    Raises:
        KeyMissingError: it is none.
    """
    key = key.strip()
    if not key or ":" in key or not key.isprintable():
        raise KeyMissingError
    return key


def pause(target: Target) -> None:
    """Send nothing more to a target; what is under way is finished."""
    target.state = TargetState.PAUSED
    target.retry_at = None


def resume(target: Target) -> None:
    """Send to a target again, at once."""
    target.state = TargetState.RUNNING
    target.retry_at, target.tries, target.refused_in_a_row = None, 0, 0
    target.problem, target.detail = None, ""


def remove(session: Session, target: Target) -> None:
    """Forget a target, how far it is and what it refused."""
    session.execute(delete(DeadLetter).where(DeadLetter.target_id == target.id))
    session.delete(target)
    session.flush()


def replay(session: Session, target: Target, statements: Collection[UUID] | None = None) -> int:
    """Ask for refused statements to be sent once more, all or those named; return how many.

    Raises:
        DeadLetterNotFoundError: one of those named was not refused.
    """
    letters = {
        letter.statement_id: letter
        for letter in session.scalars(select(DeadLetter).where(DeadLetter.target_id == target.id))
    }
    for statement in letters if statements is None else statements:
        if statement not in letters:
            raise DeadLetterNotFoundError(statement=statement)
        letters[statement].replay_asked = True
    session.flush()
    return len(letters if statements is None else set(statements))


# ---------------------------------------------------------------- how far a target is


def take_off(session: Session, target_id: int, through: int) -> bool:
    """Note that statements up to a position are about to be sent; say whether they still may be."""
    target = session.get(Target, target_id, with_for_update=True)
    if target is None or target.state != TargetState.RUNNING:
        return False
    target.in_flight = through
    return True


def settle(session: Session, target_id: int, through: int, *, delivered: int, now: datetime) -> bool:
    """Move the cursor behind what was taken, or was not wanted; say whether the target is still there."""
    target = session.get(Target, target_id, with_for_update=True)
    if target is None:
        return False
    target.cursor = max(target.cursor, through)
    if target.in_flight is not None and target.in_flight <= target.cursor:
        target.in_flight = None
    if delivered:
        _succeeded(target, delivered, now)
    return True


def bury(
    session: Session,
    target_id: int,
    *,
    position: int,
    statement_id: UUID,
    status: int,
    problem: str,
    now: datetime,
) -> int:
    """Keep a statement that was refused, with the cursor behind it; return how many were refused in a row."""
    target = session.get(Target, target_id, with_for_update=True)
    if target is None:
        return 0
    known = session.scalars(
        select(DeadLetter).where(DeadLetter.target_id == target_id, DeadLetter.position == position)
    ).one_or_none()
    if known is None:
        target.refused_in_a_row += 1  # what is refused once more says nothing about what comes
        session.add(
            DeadLetter(
                target_id=target_id,
                position=position,
                statement_id=statement_id,
                status=status,
                problem=problem,
                refused=now,
            )
        )
    else:
        known.status, known.problem, known.refused = status, problem, now
        known.tries += 1
        known.replay_asked = known.in_flight = False
    target.tries, target.retry_at = 0, None
    settle(session, target_id, position, delivered=0, now=now)
    return target.refused_in_a_row


def lift(session: Session, letter_id: int) -> bool:
    """Note that a refused statement is about to be sent once more; say whether it still may be."""
    letter = session.get(DeadLetter, letter_id)
    target = session.get(Target, letter.target_id, with_for_update=True) if letter is not None else None
    if letter is None or target is None or target.state != TargetState.RUNNING:
        return False
    letter.in_flight = True
    return True


def lay_to_rest(session: Session, letter_id: int, *, now: datetime) -> None:
    """Strike a refused statement that was taken after all."""
    letter = session.get(DeadLetter, letter_id)
    if letter is None:
        return
    target = session.get(Target, letter.target_id, with_for_update=True)
    if target is not None:
        _succeeded(target, 1, now)
    session.delete(letter)


def put_off(session: Session, target_id: int, problem: Problem, detail: str, *, until: datetime) -> None:
    """Try a target again later; the cursor stays."""
    target = session.get(Target, target_id, with_for_update=True)
    if target is None:
        return
    target.tries += 1
    target.problem, target.detail = problem, detail
    if target.state == TargetState.RUNNING:
        target.retry_at = until


def stop_at(session: Session, target_id: int, problem: Problem, detail: str) -> None:
    """Pause a target until somebody has mended what is wrong."""
    target = session.get(Target, target_id, with_for_update=True)
    if target is not None:
        pause(target)
        target.problem, target.detail = problem, detail


def take_back(session: Session, target_id: int, letter_id: int | None = None) -> None:
    """Note that what was about to be sent, the next statements or a letter, has certainly not been taken."""
    if letter_id is None:
        session.execute(update(Target).where(Target.id == target_id).values(in_flight=None))
    else:
        session.execute(update(DeadLetter).where(DeadLetter.id == letter_id).values(in_flight=False))


def _succeeded(target: Target, delivered: int, now: datetime) -> None:
    target.forwarded += delivered
    target.last_delivered = now
    target.tries, target.refused_in_a_row, target.retry_at = 0, 0, None
    if target.state == TargetState.RUNNING:
        target.problem, target.detail = None, ""


# ---------------------------------------------------------------- what people write


def _sealed(secret: str, target: Target, node_secret: bytes) -> bytes:
    if not secret or not secret.isprintable():
        raise SecretMissingError
    return seal(node_secret, secret, endpoint=target.endpoint, key=target.key)


def _version(written: str) -> str:
    if written not in set(Version):
        raise VersionError
    return written


def _verbs(written: Collection[str]) -> list[str]:
    verbs = sorted({verb.strip() for verb in written if verb.strip()})
    for verb in verbs:
        if not _is_iri(verb):
            raise VerbError(verb=verb[:200])
    return verbs


def _activity(written: str) -> str | None:
    activity = written.strip()
    if activity and not _is_iri(activity):
        raise ActivityError
    return activity or None


def _agent(written: str) -> str | None:
    if not written.strip():
        return None
    try:
        agent: dict[str, Any] = load_object(written.strip().encode())
        check_actor(agent)
    except (LrsError, UnicodeEncodeError) as error:
        raise AgentError from error
    key = actor_key(agent)
    if key is None:
        raise AgentError
    return key


def _since(written: str) -> datetime | None:
    text = written.strip()
    if not text:
        return None
    try:
        return parse_timestamp(text if "T" in text else f"{text}T00:00:00Z")
    except (ValueError, OverflowError) as error:
        raise SinceError from error


def _is_iri(text: str) -> bool:
    try:
        _IRI.validate_python(text)
    except ValidationError:
        return False
    return True
