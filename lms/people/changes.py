"""The directory's feed: which people, groups, memberships, enrolments and courses changed here, in order.

A change that arrived from another node is not recorded: it is not ours to send. On PostgreSQL positions
are given before their transactions commit, so the feed ends where one with a lower position may still be open;
a reader can never pass a position that becomes visible later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from lms.people.tables import DirectoryChange
from xapi_store.tables import add_in_order, settled_to

Kind = Literal["person", "group", "membership", "enrolment", "course", "withdrawal", "assignment"]


def record_change(session: Session, kind: Kind, public_id: UUID) -> None:
    """Put a change made on this node into the feed, in the caller's transaction."""
    add_in_order(session, [DirectoryChange(kind=kind, public_id=public_id)])


def changes_after(session: Session, position: int, *, limit: int) -> Sequence[DirectoryChange]:
    """Return the changes behind *position*, oldest first; the same thing may stand there more than once."""
    query = select(DirectoryChange).where(
        DirectoryChange.position > position,
        DirectoryChange.position <= settled_to(session.connection(), DirectoryChange),
    )
    return session.scalars(query.order_by(DirectoryChange.position).limit(limit)).all()


def count_changed(session: Session, position: int) -> dict[str, int]:
    """Count, per kind, the things that changed behind *position*."""
    rows = session.connection().execute(_CHANGED, {"position": position})
    return {kind: count for kind, count in rows}  # noqa: C416 - rows are not pairs to the type checker


def was_changed_here(session: Session, kind: Kind, public_id: UUID) -> bool:
    """Say whether this thing was ever made or changed on this node."""
    mine = (DirectoryChange.kind == kind) & (DirectoryChange.public_id == public_id)
    return session.scalar(select(DirectoryChange.position).where(mine).limit(1)) is not None


_CHANGED = (  # made once, because every page asks
    select(DirectoryChange.kind, func.count(DirectoryChange.public_id.distinct()))
    .where(DirectoryChange.position > bindparam("position"))
    .group_by(DirectoryChange.kind)
)
