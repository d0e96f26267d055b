"""Positions: the order in which rows became visible. The one place where the two databases differ.

SQLite has one writer, so positions appear in order. On PostgreSQL a transaction may take position 7, stay
open, and become visible after position 8: a reader who went on from 8 would never see it. Every row
therefore keeps the number of its transaction, and who reads in order stops before the oldest transaction
that is still open.
"""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Text, cast, func, select, text, true
from sqlalchemy.orm import Session

from xapi_store.tables.rows import DocumentRow, StatementRow

_Positioned = type[StatementRow] | type[DocumentRow]


def next_positions(session: Session, row: _Positioned, count: int) -> list[int]:
    """Reserve positions above all that the table ever had, in rising order."""
    table = row.__tablename__
    if session.get_bind().dialect.name == "sqlite":
        # Row numbers once given are never given again, even if the newest rows are taken out.
        highest = session.execute(
            text(
                f"SELECT max(coalesce((SELECT max(position) FROM {table}), 0),"  # noqa: S608 - our own table names
                " coalesce((SELECT seq FROM sqlite_sequence WHERE name = :table), 0))"
            ),
            {"table": table},
        ).scalar_one()
        return list(range(highest + 1, highest + 1 + count))
    key = "position" if row is StatementRow else "id"  # a document's id and positions come from one sequence
    sequence = func.pg_get_serial_sequence(table, key)
    taken = session.scalars(select(func.nextval(sequence)).select_from(func.generate_series(1, count)))
    return sorted(taken)


def transaction_number(session: Session) -> int:
    """Return the number to keep with rows written in this transaction."""
    if session.get_bind().dialect.name == "sqlite":
        return 0
    return int(session.execute(text("SELECT pg_current_xact_id()::text")).scalar_one())


def settled(session: Session, row: _Positioned) -> ColumnElement[bool]:
    """Return the condition that no row with a lower position can still appear."""
    if session.get_bind().dialect.name == "sqlite":
        return true()
    oldest_open: Any = select(
        cast(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text), BigInteger)
    ).scalar_subquery()
    condition: ColumnElement[bool] = row.transaction < oldest_open
    return condition
