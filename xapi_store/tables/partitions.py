"""How statements and their links are cut into parts on PostgreSQL, so that old ones can be archived whole.

A part is a range of positions. Positions rise with time, and every query works with positions: so it touches the
parts it needs and no other, and a part is also a span of time. A new part begins by letting the positions jump to
its first one; no row is ever moved, and no writer waits for it. On SQLite there are no parts.
"""

from collections.abc import Sequence

from sqlalchemy import DDL, Table, event

from xapi_store.tables.rows import (
    ActivityLink,
    AgentLink,
    Base,
    RegistrationLink,
    StatementRow,
    VerbLink,
)

#: How many positions one part has.
SPAN = 2**32

IN_PARTS: Sequence[type[Base]] = (StatementRow, AgentLink, ActivityLink, VerbLink, RegistrationLink)


def part_of(position: int) -> int:
    """Return the number of the part in which a position is."""
    return position // SPAN


def part_name(table: str, number: int) -> str:
    """Return the name of one table's part."""
    return f"{table}_part_{number}"


def bounds(number: int) -> str:
    """Return the range of a part as PostgreSQL wants it said."""
    return f"FOR VALUES FROM ({number * SPAN}) TO ({(number + 1) * SPAN})"


def create_part(table: str, number: int) -> str:
    """Return the statement that makes one table's part."""
    return f"CREATE TABLE {part_name(table, number)} PARTITION OF {table} {bounds(number)}"


for _row in IN_PARTS:
    _table = _row.__table__
    assert isinstance(_table, Table)  # noqa: S101 - SQLAlchemy types it as any FROM clause
    _first = DDL(create_part(_table.name, 0))  # type: ignore[no-untyped-call]
    event.listen(_table, "after_create", _first.execute_if(dialect="postgresql"))
