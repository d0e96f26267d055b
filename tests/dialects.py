"""One dialect of SQLAlchemy for all engines of a process, so that what one test had compiled serves the next.

Nearly every test has a database and thus an engine of its own. Left to itself each of them compiles every query anew,
works out anew how values of each type are converted, and asks PostgreSQL for its version and settings first.
"""

from __future__ import annotations

from typing import Any, Self

from sqlalchemy import Connection, Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache

_COMPILED = 2_000  # of all that a file of tests asks; an engine of its own keeps 500


class _Lasting(DefaultDialect):
    """One object for each set of options, and in it what is known of the server and compiled."""

    _made: dict[frozenset[tuple[str, Any]], Self]
    _compiled: LRUCache[Any, Any]
    _introduced = False

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        cls._made, cls._compiled = {}, LRUCache(_COMPILED)

    def __new__(cls, **options: Any) -> Self:
        key = frozenset(options.items())
        if key not in cls._made:
            made = cls._made[key] = super().__new__(cls)
            super().__init__(made, **options)
        return cls._made[key]

    def __init__(self, **options: Any) -> None:
        """Leave what was made before as it is."""

    def initialize(self, connection: Connection) -> None:
        if not self._introduced:
            super().initialize(connection)
            self._introduced = True

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=cls._compiled)


class Sqlite(_Lasting, SQLiteDialect_pysqlite):
    supports_statement_cache = True


class Postgresql(_Lasting, PGDialect_psycopg):
    supports_statement_cache = True


def make_dialects_last() -> None:
    """Let every engine that is made in this process from now on use these dialects."""
    registry.register("sqlite", __name__, Sqlite.__name__)
    registry.register("postgresql.psycopg", __name__, Postgresql.__name__)
