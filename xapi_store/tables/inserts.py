"""Rows in bulk: all of a table's columns, or some; and rows that may be there already."""

from collections.abc import Sequence

from sqlalchemy import Executable, insert
from sqlalchemy.dialects import postgresql, sqlite

from xapi_store.tables.prepared import Prepared
from xapi_store.tables.rows import Base


def insert_all(row: type[Base], *, columns: Sequence[str] | None = None) -> Prepared:
    """Return the insert of rows none of which may be there."""
    return Prepared(insert(row).inline(), columns=columns)


def insert_or_ignore(row: type[Base], *, columns: Sequence[str] | None = None) -> Prepared:
    """Return the insert of rows that changes nothing about those that are there."""

    def describe(dialect: str) -> Executable:
        special = sqlite.insert if dialect == "sqlite" else postgresql.insert
        return special(row).on_conflict_do_nothing().inline()

    return Prepared(describe, columns=columns)
