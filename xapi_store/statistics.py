"""What PostgreSQL knows of the store when it plans a query.

It analyses the parts of a table by itself, and never the table they are parts of, which is the one that queries name:
without a word from us it takes every agent to be mentioned by a few statements only.
"""

from sqlalchemy import bindparam, column, select, table, text
from sqlalchemy.orm import Session

from xapi_store.counts import first_position, last_position, positions_taken
from xapi_store.tables import Prepared, StatementRow
from xapi_store.tables.partitions import IN_PARTS

#: Below this many statements any plan will do.
FEW = 1000
GROWN = 1.5  # times as many as when it was asked last

_CLASS = table("pg_class", column("relname"), column("reltuples"))
_COUNTED = Prepared(select(_CLASS.c.reltuples).where(_CLASS.c.relname == bindparam("name")))


def statistics_due(session: Session) -> bool:
    """Say whether the store has outgrown what was found out about it; on SQLite plans need no statistics."""
    connection = session.connection()
    first = first_position(session)
    if connection.dialect.name == "sqlite" or first is None:
        return False
    counted = max(float(row[0]) for row in _COUNTED.rows(connection, name=StatementRow.__tablename__))
    return positions_taken(session, first, last_position(session)) > max(FEW, GROWN * counted)


def refresh_statistics(session: Session) -> None:
    """Have PostgreSQL look at a sample of every table that lies in parts: about a second, whatever their size."""
    for row in IN_PARTS:
        session.execute(text(f"ANALYZE {row.__tablename__}"))
