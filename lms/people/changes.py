"""The directory's feed: which people, groups, memberships, enrolments and courses changed here, in order.

A change that arrived from another node is not recorded: it is not ours to send. On PostgreSQL positions
are given before their transactions commit, so the feed ends before the oldest transaction still open;
a reader can never pass a position that becomes visible later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, bindparam, func, insert, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

from lms.people.tables import DirectoryChange

Kind = Literal["person", "group", "membership", "enrolment", "course", "withdrawal"]


def record_change(session: Session, kind: Kind, public_id: UUID) -> None:
    """Put a change made on this node into the feed, in the caller's transaction."""
    session.execute(
        insert(DirectoryChange).values(kind=kind, public_id=public_id, transaction_id=_current_transaction())
    )


def changes_after(session: Session, position: int, *, limit: int) -> Sequence[DirectoryChange]:
    """Return the changes behind *position*, oldest first; the same thing may stand there more than once."""
    query = select(DirectoryChange).where(DirectoryChange.position > position, _settled())
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


class _current_transaction(FunctionElement[int]):  # noqa: N801 - stands in SQL like a function
    type = BigInteger()
    inherit_cache = True


class _settled(FunctionElement[bool]):  # noqa: N801 - stands in SQL like a function
    type = Boolean()
    inherit_cache = True


@compiles(_current_transaction)
def _one_writer(_element: _current_transaction, _compiler: Any, **_options: Any) -> str:
    return "NULL"  # SQLite has one writer: positions become visible in their order


@compiles(_current_transaction, "postgresql")
def _postgresql_transaction(_element: _current_transaction, _compiler: Any, **_options: Any) -> str:
    return "txid_current()"


@compiles(_settled)
def _always(_element: _settled, _compiler: Any, **_options: Any) -> str:
    return "1 = 1"


@compiles(_settled, "postgresql")
def _before_the_oldest_open(_element: _settled, _compiler: Any, **_options: Any) -> str:
    return "directory_change.transaction_id < txid_snapshot_xmin(txid_current_snapshot())"
