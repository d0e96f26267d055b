"""Hold statements as somebody else tells them against those kept here, and look through these in their order.

For whoever verifies that nothing was changed behind the store's back: a log of what was taken in says for each
statement what its bytes were, and the store says what they are. Reads only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from xapi_store import archive
from xapi_store.equality import differing
from xapi_store.ingest.ids import ERASED, SAME_PLACE
from xapi_store.packing import unpack
from xapi_store.tables import Prepared, StatementId, StatementRow, settled_to
from xapi_store.tables.partitions import part_of


class Likeness(Enum):
    """How a statement is kept here."""

    SAME = "same"  # byte for byte
    ALIKE = "alike"  # the same by xAPI equality, in other words
    DIFFERENT = "different"
    ABSENT = "absent"
    ERASED = "erased"
    ARCHIVED = "archived"


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """How one statement is kept here, and where; ``differing`` names the properties that are not the same."""

    likeness: Likeness
    position: int | None = None
    copied: bool = False
    differing: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """One statement in the order in which statements are kept."""

    position: int
    statement_id: UUID
    stored: datetime
    copied: bool


def compare(session: Session, told: Sequence[tuple[UUID, bytes]]) -> list[Comparison]:
    """Return how each statement is kept here, in the order given.

    Args:
        session: one consistent view.
        told: ids and JSON, as a feed tells them.
    """
    columns = (
        StatementId.id,
        StatementId.position,
        StatementRow.id.label("row_id"),
        StatementRow.copied,
        StatementRow.raw,
    )
    query = select(*columns).outerjoin(StatementRow, SAME_PLACE)
    found = session.execute(query.where(StatementId.id.in_({one for one, _ in told})))
    kept = {row.id: row for row in found}
    lacks_rows = any(row.raw is None and row.position > ERASED for row in kept.values())
    away = _archived(session) if lacks_rows else frozenset[int]()
    return [_compared(session, kept.get(statement_id), statement_id, raw, away) for statement_id, raw in told]


def places_after(session: Session, position: int, *, limit: int) -> list[Place]:
    """Return where the next statements behind a position stand, oldest first."""
    connection = session.connection()
    last = settled_to(connection, StatementRow)
    rows = _PLACES.rows(connection, position=position, last=last, limit=limit)
    return [
        Place(position=place, statement_id=statement_id, stored=stored, copied=copied)
        for place, statement_id, stored, copied in rows
    ]


def stored_at(session: Session, position: int) -> datetime | None:
    """Return when the newest statement up to a position was stored."""
    row = StatementRow
    query = select(row.stored).where(row.position <= position).order_by(row.position.desc()).limit(1)
    return session.scalar(query)


_PLACES = Prepared(
    select(StatementRow.position, StatementRow.id, StatementRow.stored, StatementRow.copied)
    .where(StatementRow.position > bindparam("position"), StatementRow.position <= bindparam("last"))
    .order_by(StatementRow.position)
    .limit(bindparam("limit"))
)


def _compared(session: Session, row: Any, statement_id: UUID, raw: bytes, away: frozenset[int]) -> Comparison:
    if row is None:
        return Comparison(likeness=Likeness.ABSENT)
    if row.position < ERASED:
        return Comparison(likeness=Likeness.ERASED)
    if row.raw is None:
        is_away = part_of(row.position) in away
        return Comparison(likeness=Likeness.ARCHIVED if is_away else Likeness.ABSENT)
    different = (
        ("id",) if row.row_id != statement_id else _differing(unpack(session.connection(), row.raw), raw)
    )
    likeness = Likeness.DIFFERENT if different else Likeness.SAME if different is None else Likeness.ALIKE
    return Comparison(
        likeness=likeness, position=row.position, copied=bool(row.copied), differing=different or ()
    )


def _differing(ours: bytes, theirs: bytes) -> tuple[str, ...] | None:
    """Return the names of the properties that are not the same, ``None`` where the bytes are."""
    if ours in {theirs, _without_stored(theirs)}:
        return None
    try:
        return differing(orjson.loads(ours), orjson.loads(theirs))
    except (KeyError, TypeError, AttributeError, ValueError):
        return ("form",)


def _without_stored(raw: bytes) -> bytes:
    """Return a copy as it is kept (`ingest.store_copies`)."""
    if b'"stored"' not in raw:
        return raw.strip()
    try:
        statement = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw
    if not isinstance(statement, dict) or statement.pop("stored", None) is None:
        return raw.strip()
    return orjson.dumps(statement)


def _archived(session: Session) -> frozenset[int]:
    if session.get_bind().dialect.name == "sqlite":
        return frozenset()
    return frozenset(part.number for part in archive.list_parts(session) if part.is_archived)
