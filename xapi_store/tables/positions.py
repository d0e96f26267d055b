"""Positions: the order in which rows became visible. The one place where the two databases differ.

SQLite has one writer, so positions appear in order. On PostgreSQL a transaction may take position 7, stay
open, and become visible after position 8: a reader who went on from 8 would never see it. Every row
therefore keeps the number of its transaction, and who reads in order stops before the oldest transaction
that is still open.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Executable,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    table,
    true,
)

from xapi_store.tables.prepared import Prepared
from xapi_store.tables.rows import DocumentRow, StatementRow

_Positioned = type[StatementRow] | type[DocumentRow]


def next_positions(connection: Connection, row: _Positioned, count: int) -> Sequence[int]:
    """Reserve positions above all that the table ever had, in rising order."""
    reserved = _RESERVED[row].rows(connection, count=count)
    if connection.dialect.name == "sqlite":
        (highest,) = reserved[0]
        return range(highest + 1, highest + 1 + count)
    return sorted(position for (position,) in reserved)


def transaction_number(connection: Connection) -> int:
    """Return the number to keep with rows written in this transaction."""
    if connection.dialect.name == "sqlite":
        return 0
    ((number,),) = _TRANSACTION.rows(connection)
    return int(number)


def settled(dialect: str, row: _Positioned) -> ColumnElement[bool]:
    """Return the condition that no row with a lower position can still appear."""
    if dialect == "sqlite":
        return true()
    oldest_open: Any = select(
        cast(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text), BigInteger)
    ).scalar_subquery()
    condition: ColumnElement[bool] = row.transaction < oldest_open
    return condition


def _reserve(row: _Positioned) -> Prepared:
    def describe(dialect: str) -> Executable:
        if dialect == "sqlite":
            # Row numbers once given are never given again, even if the newest rows are taken out.
            given: Any = (
                select(literal_column("seq"))
                .select_from(table("sqlite_sequence"))
                .where(literal_column("name") == row.__tablename__)
            )
            highest = select(func.max(row.position))
            return select(
                func.max(
                    func.coalesce(highest.scalar_subquery(), 0), func.coalesce(given.scalar_subquery(), 0)
                )
            )
        key = "position" if row is StatementRow else "id"  # a document's id and positions share a sequence
        sequence = func.pg_get_serial_sequence(row.__tablename__, key)
        count = bindparam("count", type_=BigInteger)
        return select(func.nextval(sequence)).select_from(func.generate_series(1, count))

    return Prepared(describe)


_RESERVED: dict[_Positioned, Prepared] = {row: _reserve(row) for row in (StatementRow, DocumentRow)}
_TRANSACTION = Prepared(select(cast(func.pg_current_xact_id(), Text)))
