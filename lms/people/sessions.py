"""Sessions: an opaque cookie value, kept here as a digest, with an idle and an absolute end.

Signing in always makes a new session, so a value known before cannot become a signed-in one.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from lms.database import Database
from lms.people.policy import rights_of
from lms.people.presence import note_presence
from lms.people.tables import LoginSession, Person
from lms.web.site import Site
from lms.web.viewer import Viewer

IDLE = timedelta(hours=2)  # longer than any lesson, which does not touch the session
ABSOLUTE = timedelta(hours=12)
_NOTED_EVERY = timedelta(minutes=5)  # a page view is a read; only now and then it writes when it was


def open_session(session: Session, person_id: UUID, *, now: datetime) -> str:
    """Return the cookie value of a new session; what ended long ago is swept on the way.

    From now on she is at home on this node (``presence``).
    """
    session.execute(delete(LoginSession).where(LoginSession.expires < now))
    token = secrets.token_urlsafe(32)
    session.add(
        LoginSession(
            digest=_digest(token), person_id=person_id, created=now, last_seen=now, expires=now + ABSOLUTE
        )
    )
    note_presence(session, person_id, now=now)
    return token


def recognise(database: Database, token: str, now: datetime) -> Viewer | None:
    """Return whose open session this is, in one query; ``None`` when it ended or never was."""
    asked = {"digest": _digest(token), "now": now, "idle_since": now - IDLE}
    with database.read() as session:
        row = session.connection().execute(_OPEN, asked).one_or_none()
    if row is None:
        return None
    if now - row.last_seen > _NOTED_EVERY:
        with database.write() as session:
            session.execute(update(LoginSession).where(LoginSession.id == row.id).values(last_seen=now))
    roles = frozenset(row.roles) | frozenset(row.roles_here)
    return Viewer(
        public_id=row.public_id,
        name=row.display_name,
        roles=roles,
        rights=rights_of(roles),
        locale=row.locale,
        session_id=row.id,
        password_temporary=row.password_temporary,
    )


# Made once, and of columns alone: every page asks.
_OPEN = (
    select(
        LoginSession.id,
        LoginSession.last_seen,
        Person.public_id,
        Person.display_name,
        Person.roles,
        Person.roles_here,
        Person.locale,
        Person.password_temporary,
    )
    .join(Person, Person.public_id == LoginSession.person_id)
    .where(
        LoginSession.digest == bindparam("digest"),
        LoginSession.expires > bindparam("now"),
        LoginSession.last_seen > bindparam("idle_since"),
        ~Person.disabled,
    )
)


def owner_mark(site: Site, viewer: Viewer) -> str:
    """Return what marks as this person's own what a browser keeps of her work; nobody else's pages carry it."""
    return site.sign("kept", str(viewer.public_id))[:32]


def close_session(session: Session, token: str) -> None:
    """End the session of this cookie value."""
    session.execute(delete(LoginSession).where(LoginSession.digest == _digest(token)))


def close_sessions_of(session: Session, person_id: UUID, *, but: int | None = None) -> None:
    """End every session of a person, except perhaps the one she is using."""
    query = delete(LoginSession).where(LoginSession.person_id == person_id)
    session.execute(query if but is None else query.where(LoginSession.id != but))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
