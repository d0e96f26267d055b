"""Who signs in on this node: those above are told, and answer with what is known of her elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lms.people.tables import Presence
from sync.node import admitted_by
from xapi_store.tables import add_in_order, settled_to


def note_presence(session: Session, person: UUID, *, now: datetime) -> None:
    """Note that somebody has signed in; whoever admitted this node is told once."""
    above = admitted_by(session)
    known = session.scalars(select(Presence).where(Presence.person == person)).one_or_none()
    if known is not None and known.admitted_by == above:
        return
    session.execute(delete(Presence).where(Presence.person == person))
    row = Presence(person=person, since=known.since if known else now, admitted_by=above)
    add_in_order(session, [row])


def note_answer(session: Session, person: UUID, *, now: datetime) -> None:
    """Note that all that is known of somebody above has been told here."""
    known = session.scalars(select(Presence).where(Presence.person == person)).one_or_none()
    if known is not None and known.answered is None:
        known.answered = now


def is_awaited(session: Session, person: UUID) -> bool:
    """Say whether what she did elsewhere is still to come: those above were told of her, and have not answered."""
    asked = select(Presence.position).where(
        Presence.person == person, Presence.answered.is_(None), Presence.admitted_by.is_not(None)
    )
    return session.scalar(asked) is not None


def presences_after(session: Session, position: int, *, limit: int) -> Sequence[Presence]:
    """Return who signed in here first behind a position, oldest first."""
    query = select(Presence).where(
        Presence.position > position, Presence.position <= settled_to(session.connection(), Presence)
    )
    return session.scalars(query.order_by(Presence.position).limit(limit)).all()
