"""Find launches by what a browser shows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.launch.tables import Launch

SLEEPS_AFTER = timedelta(hours=12)


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
        LaunchOverError: there is none, it has ended, or nothing was heard of it for twelve hours.
    """
    row = session.scalars(select(Launch).where(Launch.token_digest == digest(token))).one_or_none()
    if row is None or row.ended is not None or row.last_seen + SLEEPS_AFTER < now:
        raise LaunchOverError
    return row


def open_launches(session: Session, registration: UUID) -> Sequence[Launch]:
    """Return the launches of a registration that have not ended; there is at most one."""
    query = select(Launch).where(Launch.registration == registration, Launch.ended.is_(None))
    return session.scalars(query.order_by(Launch.id)).all()
