"""Queries rendered once, and run by the driver itself.

SQLAlchemy describes every query and converts every value; on the paths that each request takes it does not run
them. To find one row by its key takes the driver of SQLite 3 µs, and SQLAlchemy 38 µs around it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    Connection,
    Dialect,
    Executable,
    LargeBinary,
    Select,
    Table,
    any_,
    bindparam,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeDecorator, TypeEngine

Values = tuple[Any, ...]
#: A query, or what makes it from the name of a dialect where the databases differ.
Description = Executable | Callable[[str], Executable]

_Convert = Callable[[Any], Any]
_AS_THEY_ARE = (Boolean, LargeBinary)  # both drivers take truth values and bytes without a word

#: How many values a list in a query has; shorter lists repeat their last value, so that few queries serve all.
SIZES = (1, 4, 16, 64, 500)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rendered:
    """A query as text, and what to do with the values that go in and come out."""

    text: str
    names: tuple[str, ...]
    constants: dict[str, Any]
    bind: tuple[tuple[int, _Convert], ...]
    read: tuple[tuple[int, _Convert], ...]
    driver_error: type[Exception]


class Prepared:
    """One query, or one change for many rows.

    It goes past the session: objects of the ORM that were changed are flushed before, or it does not see them.

    Args:
        description: the query, its values as `bindparam`.
        columns: for a change, what each row brings: first columns in the order of their table, then other values.
    """

    def __init__(self, description: Description, *, columns: Sequence[str] | None = None) -> None:
        self._description = description
        self._columns = None if columns is None else tuple(columns)
        self._rendered: dict[str, _Rendered] = {}

    def rows(self, connection: Connection, /, **values: Any) -> Sequence[Values]:
        """Run the query and return its rows."""
        rendered = self._for(connection.dialect)
        return _converted(self._execute(connection, rendered, values).fetchall(), rendered.read)

    def first(self, connection: Connection, /, **values: Any) -> Values | None:
        """Run a query of at most one row."""
        rendered = self._for(connection.dialect)
        found = self._execute(connection, rendered, values).fetchall()
        if not found:
            return None
        row = list(found[0])
        for place, convert in rendered.read:
            row[place] = convert(row[place])
        return tuple(row)

    def run(self, connection: Connection, /, **values: Any) -> None:
        """Run a change."""
        self._execute(connection, self._for(connection.dialect), values)

    def change(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Run an insert or update once for each row of values, given in the order of the columns."""
        if not rows:
            return
        rendered = self._for(connection.dialect)
        bound = _converted(rows, rendered.bind)
        driver: Any = connection.connection.dbapi_connection
        try:
            driver.cursor().executemany(rendered.text, bound)
        except rendered.driver_error as error:
            raise _told(error, rendered, ()) from error

    def _execute(self, connection: Connection, rendered: _Rendered, values: dict[str, Any]) -> Any:
        given = rendered.constants | values
        bound = [given[name] for name in rendered.names]
        for place, convert in rendered.bind:
            bound[place] = convert(bound[place])
        driver: Any = connection.connection.dbapi_connection
        try:
            return driver.execute(rendered.text, bound)
        except rendered.driver_error as error:
            raise _told(error, rendered, bound) from error

    def _for(self, dialect: Dialect) -> _Rendered:
        rendered = self._rendered.get(dialect.name)
        if rendered is None:
            rendered = self._rendered[dialect.name] = self._render(dialect)
        return rendered

    def _render(self, dialect: Dialect) -> _Rendered:
        query = self._description
        if not isinstance(query, Executable):
            query = query(dialect.name)
        # Values by their place, on both databases.
        positional = type(dialect)(paramstyle="qmark" if dialect.name == "sqlite" else "format")  # type: ignore[call-arg]
        compiled: Any = query.compile(dialect=positional, column_keys=self._columns and list(self._columns))  # type: ignore[attr-defined]
        if compiled.post_compile_params:
            raise ValueError(f"a query with a list needs a place for each value: {compiled}")
        names = tuple(compiled.positiontup)
        assert dialect.loaded_dbapi is not None  # noqa: S101 - a connection made with it is here
        if self._columns is not None and names != self._columns:
            raise ValueError(f"the driver takes the columns as {names}, not as {self._columns}")
        return _Rendered(
            text=str(compiled),
            names=names,
            constants={name: bind.value for name, bind in compiled.binds.items() if not bind.required},
            bind=_conversions(_bind(compiled.binds[name].type, dialect) for name in names),
            read=_conversions(_read(kind, dialect) for kind in _types_read(compiled)),
            driver_error=dialect.loaded_dbapi.Error,
        )


class Copied:
    """Rows of some columns copied into a table of PostgreSQL, in its binary format; none of them may be there.

    A row costs it two thirds of what it costs out of a list, and Python half of what it takes to write one.
    """

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        self._kinds: list[TypeEngine[Any]] = [table.c[name].type for name in columns]
        self._text = f"COPY {table.name} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
        self._rendered: tuple[list[str], tuple[tuple[int, _Convert], ...]] | None = None

    def change(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Copy rows of values, given in the order of the columns."""
        if not rows:
            return
        dialect = connection.dialect
        if self._rendered is None:
            types = [kind.dialect_impl(dialect).compile(dialect).lower() for kind in self._kinds]
            self._rendered = types, _conversions(_bind(kind, dialect) for kind in self._kinds)
        types, bind = self._rendered
        driver: Any = connection.connection.dbapi_connection
        assert dialect.loaded_dbapi is not None  # noqa: S101 - a connection made with it is here
        try:
            with driver.cursor() as cursor, cursor.copy(self._text) as copy:
                copy.set_types(types)
                for row in _converted(rows, bind):
                    copy.write_row(row)
        except dialect.loaded_dbapi.Error as error:
            raise DBAPIError.instance(self._text, (), error, dialect.loaded_dbapi.Error) from error


class PreparedForList:
    """A query for the rows in which a column has one of some values, however many.

    PostgreSQL takes the values as one array. SQLite wants a place for each.

    Args:
        query: without that condition.
        column: the column.
    """

    def __init__(self, query: Select[*tuple[Any, ...]], column: InstrumentedAttribute[Any]) -> None:
        self._query = query
        self._column = column
        self._at_once = Prepared(
            lambda _dialect: query.where(column == any_(bindparam("listed", type_=ARRAY(column.type))))
        )
        # Described when they are run: 586 places for each list are a tenth of what it takes to load the record store.
        self._by_size = {size: Prepared(partial(self._with_places, size)) for size in SIZES}

    def rows(self, connection: Connection, listed: Sequence[Any]) -> Sequence[Values]:
        """Run the query, in several parts if the list is long, and return all rows in no order."""
        if connection.dialect.name != "sqlite":
            return self._at_once.rows(connection, listed=list(listed)) if listed else ()
        found: list[Values] = []
        for start in range(0, len(listed), SIZES[-1]):
            part = listed[start : start + SIZES[-1]]
            size = next(size for size in SIZES if size >= len(part))
            padded = [*part, *[part[-1]] * (size - len(part))]
            values = {f"listed_{place}": value for place, value in enumerate(padded)}
            found += self._by_size[size].rows(connection, **values)
        return found

    def _with_places(self, size: int, _dialect: str) -> Executable:
        places = [bindparam(f"listed_{place}", type_=self._column.type) for place in range(size)]
        return self._query.where(self._column.in_(places))


def _types_read(compiled: SQLCompiler) -> list[TypeEngine[Any]]:
    return [column.type for column in getattr(compiled.statement, "selected_columns", ())]


def _bind(kind: TypeEngine[Any], dialect: Dialect) -> _Convert | None:
    if isinstance(kind, _AS_THEY_ARE):
        return None
    if isinstance(kind, TypeDecorator) and _below(kind, dialect).bind_processor(dialect) is None:
        return partial(kind.process_bind_param, dialect=dialect)  # a call less for each value
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _read(kind: TypeEngine[Any], dialect: Dialect) -> _Convert | None:
    if isinstance(kind, LargeBinary):
        return None
    if isinstance(kind, TypeDecorator) and _below(kind, dialect).result_processor(dialect, None) is None:
        return partial(kind.process_result_value, dialect=dialect)
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _below(kind: TypeDecorator[Any], dialect: Dialect) -> TypeEngine[Any]:
    """Return the type that a decorated one stands on, as the database has it."""
    return kind.load_dialect_impl(dialect).dialect_impl(dialect)


def _conversions(convert: Iterable[_Convert | None]) -> tuple[tuple[int, _Convert], ...]:
    return tuple((place, one) for place, one in enumerate(convert) if one is not None)


def _converted(rows: Sequence[Values], conversions: tuple[tuple[int, _Convert], ...]) -> Sequence[Values]:
    if not conversions or not rows:
        return rows
    columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
    for place, convert in conversions:
        columns[place] = map(convert, columns[place])
    return list(zip(*columns, strict=True))


def _told(error: Exception, rendered: _Rendered, bound: Sequence[Any]) -> BaseException:
    """Return an error of the driver in the family that SQLAlchemy's callers expect."""
    return DBAPIError.instance(rendered.text, tuple(bound), error, rendered.driver_error)
