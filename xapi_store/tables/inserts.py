"""Rows in bulk: all of a table's columns, or some; and rows that may be there already."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, Connection, Table, bindparam, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from xapi_store.tables.prepared import Copied, Prepared, Values
from xapi_store.tables.rows import Base


class Inserted:
    """The insert of rows into a table.

    SQLite takes row after row. To PostgreSQL every statement is a message of its own, and costs more than the row in
    it: rows that are new are copied, and of those that may be there it takes a list for each column.
    """

    def __init__(
        self, row: type[Base], columns: Sequence[str], *, or_ignore: bool, telling: Sequence[str] = ()
    ) -> None:
        table = row.__table__
        assert isinstance(table, Table)  # noqa: S101 - SQLAlchemy types it as any FROM clause
        self._columns = columns
        self._row_by_row = Prepared(lambda _dialect: _row_by_row(table, or_ignore=or_ignore), columns=columns)
        self._copied = None if or_ignore else Copied(table, columns)
        self._or_ignored = Prepared(lambda _dialect: _or_ignored(table, columns, telling))

    def change(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Insert rows, their values in the order of the columns."""
        if connection.dialect.name == "sqlite":
            self._row_by_row.change(connection, rows)
        elif self._copied is not None:
            self._copied.change(connection, rows)
        elif rows:
            self._or_ignored.run(connection, **self._lists(rows))

    def changed(self, connection: Connection, rows: Sequence[Values]) -> Sequence[Values]:
        """Insert rows on PostgreSQL, and return of each that was not there the columns it is to tell."""
        return self._or_ignored.rows(connection, **self._lists(rows)) if rows else ()

    def _lists(self, rows: Sequence[Values]) -> dict[str, list[Any]]:
        return dict(zip(self._columns, map(list, zip(*rows, strict=True)), strict=True))


def insert_all(row: type[Base], *, columns: Sequence[str]) -> Inserted:
    """Return the insert of rows none of which may be there."""
    return Inserted(row, columns, or_ignore=False)


def insert_or_ignore(row: type[Base], *, columns: Sequence[str], telling: Sequence[str] = ()) -> Inserted:
    """Return the insert of rows that changes nothing about those that are there.

    `telling` names the columns of new rows that `Inserted.changed` returns.
    """
    return Inserted(row, columns, or_ignore=True, telling=telling)


def _row_by_row(table: Table, *, or_ignore: bool) -> Any:
    if or_ignore:
        return sqlite.insert(table).on_conflict_do_nothing().inline()
    return insert(table).inline()


def _or_ignored(table: Table, columns: Sequence[str], telling: Sequence[str]) -> Any:
    lists = [bindparam(name, type_=ARRAY(table.c[name].type)) for name in columns]
    brought = func.unnest(*lists).table_valued(*columns).render_derived()
    change = (
        postgresql.insert(table)
        .from_select(list(columns), select(*(brought.c[name] for name in columns)))
        .on_conflict_do_nothing()
    )
    return change.returning(*(table.c[name] for name in telling)) if telling else change
