"""What was stored, in the order in which it became visible, from a position on.

A reader keeps the last position it has seen and asks for what follows. A statement is in the feed once; a
document is in it once, at its latest change, deletions included.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from xapi_store.model.document import DocumentKey
from xapi_store.packing import unpack
from xapi_store.tables import DocumentRow, Prepared, StatementRow, settled


@dataclass(frozen=True, kw_only=True, slots=True)
class StatementEntry:
    """A statement in the feed; `raw` is the same on every node, `copied` says that it was made elsewhere."""

    position: int
    statement_id: UUID
    raw: bytes
    copied: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentEntry:
    """A document in the feed; `content` is `None` where it was deleted."""

    position: int
    key: DocumentKey
    content: bytes | None
    content_type: str
    updated: datetime
    copied: bool


def statements_after(session: Session, position: int, *, limit: int) -> Sequence[StatementEntry]:
    """Return the next statements behind a position (0 for the beginning), oldest first."""
    connection = session.connection()
    return [
        StatementEntry(position=place, statement_id=statement_id, raw=unpack(connection, raw), copied=copied)
        for place, statement_id, raw, copied in _STATEMENTS.rows(connection, position=position, limit=limit)
    ]


_STATEMENTS = Prepared(
    lambda dialect: (
        select(StatementRow.position, StatementRow.id, StatementRow.raw, StatementRow.copied)
        .where(StatementRow.position > bindparam("position"), settled(dialect, StatementRow))
        .order_by(StatementRow.position)
        .limit(bindparam("limit"))
    )
)


def documents_after(session: Session, position: int, *, limit: int) -> Sequence[DocumentEntry]:
    """Return the next documents whose latest change is behind a position, oldest change first."""
    rows = session.scalars(
        select(DocumentRow)
        .where(DocumentRow.position > position, settled(session.get_bind().dialect.name, DocumentRow))
        .order_by(DocumentRow.position)
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    return [
        DocumentEntry(
            position=row.position,
            key=row.key,
            content=row.content,
            content_type=row.content_type,
            updated=row.updated,
            copied=row.copied,
        )
        for row in rows
    ]


def statements_made_here(session: Session, position: int) -> int:
    """Count the statements behind a position that were made on this node."""
    ((count,),) = _STATEMENTS_MADE_HERE.rows(session.connection(), position=position)
    return int(count)


def documents_made_here(session: Session, position: int) -> int:
    """Count the documents whose latest change is behind a position and was made on this node."""
    ((count,),) = _DOCUMENTS_MADE_HERE.rows(session.connection(), position=position)
    return int(count)


# Every page of the LMS asks.
_STATEMENTS_MADE_HERE = Prepared(
    select(func.count()).where(StatementRow.position > bindparam("position"), ~StatementRow.copied)
)
_DOCUMENTS_MADE_HERE = Prepared(
    select(func.count()).where(DocumentRow.position > bindparam("position"), ~DocumentRow.copied)
)
