"""Positions: the order in which rows became visible. The one place where the two databases differ.

SQLite has one writer, so positions appear in order. On PostgreSQL a transaction may take position 7, stay
open, and become visible after position 8: a reader who went on from 8 would never see it. Every row
therefore keeps the number of the newest transaction that was open once it had its position: whoever has a lower
position began no later. Who reads in order stops before rows of which such a one is still open. The number of the
row's own transaction would not do, for it may have begun before the other and asked for its position after it.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Executable,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.orm import Session

from xapi_store.tables.prepared import Prepared
from xapi_store.tables.rows import DocumentRow, StatementRow

_Positioned = type[StatementRow] | type[DocumentRow]
_ALL = 2**63 - 1


def next_positions(connection: Connection, row: _Positioned, count: int) -> Sequence[int]:
    """Reserve positions above all that the table ever had, in rising order."""
    reserved = _RESERVED[row].rows(connection, count=count)
    if connection.dialect.name == "sqlite":
        (highest,) = reserved[0]
        return range(highest + 1, highest + 1 + count)
    return sorted(position for (position,) in reserved)


def transaction_number(connection: Connection) -> int:
    """Return the number to keep with rows that have got their positions: of the newest transaction that is open now."""
    if connection.dialect.name == "sqlite":
        return 0
    ((number,),) = _TRANSACTION.rows(connection)
    return int(number)


def add_in_order(session: Session, rows: Sequence[Any]) -> None:
    """Write rows that get their positions as they are written, and keep with them what `settled_to` asks."""
    session.add_all(rows)
    session.flush()
    number = transaction_number(session.connection())  # once they have their positions
    for row in rows:
        row.transaction = number


def settled_to(connection: Connection, row: Any) -> int:
    """Return the position up to which rows may be read in order: none with a lower one can still appear.

    The table has a `position`, and a `transaction` that `transaction_number` gave. All rows up to there may be read,
    also one that knows of newer transactions than a row that got a higher position after it.
    """
    if connection.dialect.name == "sqlite":
        return _ALL
    found = _last_settled(row).first(connection)
    return 0 if found is None else int(found[0])


def newest_ended(connection: Connection) -> int:
    """Return the number up to which all transactions have ended: what they wrote can be seen, or never will."""
    if connection.dialect.name == "sqlite":
        return _ALL
    ((oldest_open,),) = _OLDEST_OPEN.rows(connection)
    return int(oldest_open) - 1


@cache
def _last_settled(row: Any) -> Prepared:
    settled = select(row.position).where(row.transaction < _XMIN.scalar_subquery())
    return Prepared(settled.order_by(row.position.desc()).limit(1))


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
# Each transaction that has a number holds a lock on it, which everybody may see. Locks name it by its lower half.
_TRANSACTION = Prepared(
    text(
        "SELECT own + max(((transactionid::text::bigint - own + 2147483648) & 4294967295) - 2147483648)"
        " FROM pg_locks, (SELECT pg_current_xact_id()::text::bigint AS own) AS this"
        " WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND granted GROUP BY own"
    )
)
_XMIN: Any = select(cast(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text), BigInteger))
_OLDEST_OPEN = Prepared(_XMIN)
