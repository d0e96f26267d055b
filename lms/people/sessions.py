"""Sessions: an opaque cookie value, kept here as a digest, with an idle and an absolute end.

Signing in always makes a new session, so a value known before cannot become a signed-in one.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from lms.database import Database
from lms.people.policy import rights_of
from lms.people.tables import LoginSession, Person
from lms.web.viewer import Viewer

IDLE = timedelta(hours=2)  # longer than any lesson, which does not touch the session
ABSOLUTE = timedelta(hours=12)
_NOTED_EVERY = timedelta(minutes=5)  # a page view is a read; only now and then it writes when it was


def open_session(session: Session, person_id: UUID, *, now: datetime) -> str:
    """Return the cookie value of a new session; what ended long ago is swept on the way."""
    session.execute(delete(LoginSession).where(LoginSession.expires < now))
    token = secrets.token_urlsafe(32)
    session.add(
        LoginSession(
            digest=_digest(token), person_id=person_id, created=now, last_seen=now, expires=now + ABSOLUTE
        )
    )
    session.flush()
    return token


def recognise(database: Database, token: str, now: datetime) -> Viewer | None:
    """Return whose open session this is, in one query; ``None`` when it ended or never was."""
    query = (
        select(LoginSession.id, LoginSession.last_seen, Person)
        .join(Person, Person.public_id == LoginSession.person_id)
        .where(
            LoginSession.digest == _digest(token),
            LoginSession.expires > now,
            LoginSession.last_seen > now - IDLE,
            ~Person.disabled,
        )
    )
    with database.read() as session:
        row = session.execute(query).one_or_none()
    if row is None:
        return None
    session_id, last_seen, person = row
    if now - last_seen > _NOTED_EVERY:
        with database.write() as session:
            session.execute(update(LoginSession).where(LoginSession.id == session_id).values(last_seen=now))
    return viewer_for(person, session_id=session_id)


def viewer_for(person: Person, *, session_id: int | None = None) -> Viewer:
    """Return a person as pages see her."""
    return Viewer(
        public_id=person.public_id,
        name=person.display_name,
        roles=person.all_roles,
        rights=rights_of(person.all_roles),
        locale=person.locale,
        session_id=session_id,
        password_temporary=person.password_temporary,
    )


def close_session(session: Session, token: str) -> None:
    """End the session of this cookie value."""
    session.execute(delete(LoginSession).where(LoginSession.digest == _digest(token)))


def close_sessions_of(session: Session, person_id: UUID, *, but: int | None = None) -> None:
    """End every session of a person, except perhaps the one she is using."""
    query = delete(LoginSession).where(LoginSession.person_id == person_id)
    session.execute(query if but is None else query.where(LoginSession.id != but))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
