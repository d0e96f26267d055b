"""Look at what is lined up to be told."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.following.tables import Tell
from xapi_store.feed import DocumentEntry, StatementEntry, documents_at, statements_at
from xapi_store.tables import settled_to

Told = tuple[Tell, StatementEntry | DocumentEntry | None]


def lined_up_after(session: Session, position: int, *, limit: int) -> Sequence[Told]:
    """Return what is lined up behind a position, in order, with what each row tells of, if that is still here."""
    rows = session.scalars(
        select(Tell)
        .where(
            ~Tell.came_from_there,
            Tell.position > position,
            Tell.position <= settled_to(session.connection(), Tell),
        )
        .order_by(Tell.position)
        .limit(limit)
    ).all()
    statements = statements_at(session, [row.statement for row in rows if row.statement is not None])
    documents = documents_at(session, [row.document for row in rows if row.document is not None])
    return [
        (
            row,
            statements.get(row.statement) if row.statement is not None else documents.get(row.document or 0),
        )
        for row in rows
    ]
