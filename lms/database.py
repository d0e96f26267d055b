"""Two doors to the database: ``write`` commits at its end, ``read`` never does.

The same code runs on SQLite (one file, the default) and PostgreSQL. What differs between the two is said
here and nowhere else.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    CHAR,
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    Uuid,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator, TypeEngine

import migrations
from lms.group_commit import GroupCommit

T = TypeVar("T")

QUEUED = "queued"  # stands in the ``info`` of a session in which a job was put into the queue

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class DatabaseError(Exception):
    """The database cannot be used as it is; the message says what to do."""


class UtcDateTime(TypeDecorator[datetime]):
    """An instant with its zone in Python, UTC in the database.

    SQLite keeps no zone, so a naive value is refused on the way in and UTC is put back on the way out.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an instant into UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Give UTC back its name."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class PublicId(TypeDecorator[UUID]):
    """A UUID, on SQLite as its 32 digits; lists read the same few hundred over and over, so those are kept."""

    impl = Uuid
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return what the database calls it."""
        return dialect.type_descriptor(CHAR(32) if dialect.name == "sqlite" else Uuid())

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Any:
        """Give SQLite the digits."""
        return value.hex if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:
        """Make a UUID of the digits."""
        return _uuid(value) if value is not None and dialect.name == "sqlite" else value


# Of people, courses and what is open, which come again; each new id of an afternoon would be 330 bytes for good.
_uuid = lru_cache(maxsize=8_192)(UUID)


class Base(DeclarativeBase):
    """The tables of the LMS; the record store and sync have their own."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime, UUID: PublicId}  # noqa: RUF012 - SQLAlchemy reads it from the class


class Signal:
    """Tells of commits of this process to whoever waits for the next one."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = threading.Condition()

    def send(self) -> None:
        """Wake everybody who waits."""
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def wait(self, seen: int, timeout_s: float) -> bool:
        """Wait until ``count`` is beyond *seen*; say whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: self.count > seen, timeout_s)


class _Standing(Session):
    """A session that stays open, and therefore need not look its connection up for every query."""

    _opened: Connection | None = None

    def connection(self, *_how: Any, **_more: Any) -> Connection:
        if self._opened is None:
            self._opened = super().connection()
        return self._opened

    def rollback(self) -> None:
        self._opened = None
        super().rollback()

    def close(self) -> None:
        self._opened = None
        super().close()


class Database:
    """One database and how to reach it.

    Args:
        url: ``sqlite:///…`` or ``postgresql+psycopg://…``.
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(url) if self.is_sqlite else _postgresql_engine(url)
        # SQLite has one writer at a time and makes the others poll. Inside this process they queue here.
        self._turn: AbstractContextManager[Any] = threading.Lock() if self.is_sqlite else nullcontext()
        self.written = Signal()
        self.queued = Signal()  # of commits that have put a job into the queue
        self._together = GroupCommit(self._turn, self._begin_writing)
        always_open = self.engine.execution_options(outpost_begin=())
        self._standing = _Standing(always_open, expire_on_commit=False)
        self._always_open = always_open
        self._open_writes: dict[object, datetime] = {}
        self._glances = threading.local()
        self._writing = self.engine.execution_options(outpost_begin=("BEGIN IMMEDIATE",))
        self._reading = self.engine.execution_options(outpost_begin=("BEGIN",), postgresql_readonly=True)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a transaction; at the end of the block it is durable, or nothing of it happened."""
        with (
            self._turn,
            self._noted(),
            Session(self._writing, expire_on_commit=False) as session,
            session.begin(),
        ):
            if not self.is_sqlite:
                session.execute(_BEGUN)
            yield session
        self.written.send()
        if QUEUED in session.info:
            self.queued.send()

    def change(self, work: Callable[[Session], T]) -> T:
        """Do *work* in a writing transaction and return its answer once it is durable.

        On SQLite, works that arrive together share one commit; each still happens whole or not at all.
        """
        if not self.is_sqlite:
            with self.write() as session:
                return work(session)
        queued = False

        def noted(session: Session) -> T:
            nonlocal queued
            answer = work(session)
            queued = QUEUED in session.info
            return answer

        answer = self._together.do(noted)
        self.written.send()
        if queued:
            self.queued.send()
        return answer

    @contextmanager
    def _begin_writing(self) -> Iterator[Session]:
        """Open a transaction on the one session that is kept for writing (SQLite only).

        To SQLAlchemy that is always open; the driver begins and commits. To have SQLAlchemy do so costs more than most
        of what is written.
        """
        session = self._standing
        driver: Any = session.connection().connection.driver_connection
        with self._noted():
            _tell(driver, "BEGIN IMMEDIATE")
            try:
                yield session
                session.flush()
                _tell(driver, "COMMIT")
            except BaseException:
                session.rollback()
                raise
            finally:
                session.expunge_all()
                session.info.clear()

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Keep in mind since when a write is open, until it has committed."""
        token = object()
        self._open_writes[token] = datetime.now(UTC)
        try:
            yield
        finally:
            del self._open_writes[token]

    def oldest_write(self, session: Session) -> datetime | None:
        """Return since when the oldest write that has not committed is open, `None` if there is none.

        On SQLite that is told of the writes of this process; commands beside the server are not seen.
        """
        oldest = min(list(self._open_writes.values()), default=None)
        if self.is_sqlite:
            return oldest
        elsewhere = session.execute(_OLDEST_WRITE).scalar_one()
        return min((one for one in (oldest, elsewhere) if one is not None), default=None)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open one consistent view; on SQLite it does not wait for the writer."""
        with Session(self._reading, expire_on_commit=False, autoflush=False) as session:
            yield session

    def glance(self) -> Session:
        """Return this thread's session for looking at single rows (SQLite only).

        It is always open and begins no transaction: every query sees what has been committed by then, and costs a
        tenth of what it costs to open and close a view. Not for what the ORM loads, which it would remember.
        """
        session: Session | None = getattr(self._glances, "session", None)
        if session is None:
            session = self._glances.session = _Standing(self._always_open)
        return session

    def close(self) -> None:
        """Give all connections back."""
        self._standing.close()
        glance: Session | None = getattr(self._glances, "session", None)
        if glance is not None:
            glance.close()
            del self._glances.session
        self.engine.dispose()

    def rebuild(self) -> None:
        """Write the file of a SQLite database anew: nothing is left of what was deleted. Nobody writes meanwhile."""
        with self._turn, self.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            _tell(driver, "VACUUM")
            _tell(driver, "PRAGMA wal_checkpoint(TRUNCATE)")

    # ------------------------------------------------------------------ schema

    def upgrade(self) -> None:
        """Bring the schema to this program's version.

        A SQLite file is copied first and put back if the upgrade fails.

        Raises:
            DatabaseError: the schema is newer than this program, or the upgrade failed.
        """
        current, known = self.revision(), migrations.revisions()
        if current == known[-1]:
            return
        if current is not None and current not in known:
            raise DatabaseError(
                f"This data was last used by a newer Outpost (schema {current}). Nothing was changed; "
                "install that version again, or restore an older backup."
            )
        keep = self._copy_aside() if current is not None else None
        try:
            self._run()
        except Exception as error:
            if keep is not None:
                self._put_back(keep)
            raise DatabaseError(f"The upgrade failed and the data is as it was before: {error}") from error

    def revision(self) -> str | None:
        """Return the version of the schema, `None` where there is none yet."""
        with self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            revision: str | None = connection.execute(
                text("SELECT version_num FROM alembic_version")
            ).scalar()
        return revision

    def _run(self) -> None:
        # Loading Alembic takes a fifth of a second, and nearly every start finds the schema as it is to be.
        from migrations.running import run_migrations  # noqa: PLC0415

        # Batch mode rebuilds tables on SQLite; with foreign keys on, dropping the old one would cascade.
        begin = ("PRAGMA foreign_keys = OFF", "BEGIN IMMEDIATE")
        with self.engine.execution_options(outpost_begin=begin).begin() as connection:
            if not self.is_sqlite:  # several workers may start at once: one upgrades, the others wait
                connection.execute(text("SELECT pg_advisory_xact_lock(7269746)"))
            run_migrations(connection)
            if self.is_sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise DatabaseError("a row would point to nothing")
        self.close()  # no connection without foreign keys stays behind in the pool

    def _copy_aside(self) -> Path | None:
        if not self.is_sqlite or not self.url.database:
            return None
        kept = Path(self.url.database).with_suffix(".before-upgrade")
        with sqlite3.connect(self.url.database) as source, sqlite3.connect(kept) as target:
            source.backup(target)
        source.close()
        target.close()
        return kept

    def _put_back(self, kept: Path) -> None:
        self.close()
        database = Path(str(self.url.database))
        for suffix in ("-wal", "-shm"):
            database.with_name(database.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(kept, database)


#: Of every transaction that has a number of its own, by PostgreSQL's clock; those in other databases of the server
#: too, since they hold back the feed and ascending pages (`xapi_store.tables.positions`).
_OLDEST_WRITE = text("SELECT min(xact_start) FROM pg_stat_activity WHERE backend_xid IS NOT NULL")

# The driver begins with the first query, and PostgreSQL numbers a transaction with the first row it writes. Whoever
# asks for the oldest write must see it before anything is dated in it.
_BEGUN = text("SELECT pg_current_xact_id()")


def remembered(session: Session, name: str, work_out: Callable[[], T]) -> T:
    """Return what *work_out* returns, or returned on this connection while nothing was committed since.

    SQLite tells whether by two numbers: one moves with the commits of others, the other with rows of our own.
    PostgreSQL has none, and there it is worked out each time. For sessions that only read.
    """
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        return work_out()
    driver: Any = connection.connection.driver_connection
    version = (driver.execute("PRAGMA data_version").fetchone()[0], driver.total_changes)
    kept: tuple[object, T] | None = connection.info.get(name)
    if kept is None or kept[0] != version:
        kept = connection.info[name] = (version, work_out())
    return kept[1]


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(
        url, connect_args={"timeout": 10, "check_same_thread": False}, pool_size=8, max_overflow=40
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say so, below
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",  # what was answered survives a power cut, not only a crash
            "foreign_keys = ON",
            "busy_timeout = 10000",  # another process (a command of `lms`) may be writing
            "trusted_schema = OFF",
            "cell_size_check = ON",
            "wal_autocheckpoint = 4000",  # pages: each checkpoint waits for the disk twice
            "temp_store = MEMORY",  # what savepoints keep aside is no more than their transaction
            "journal_size_limit = 67108864",
        ):
            connection.execute(f"PRAGMA {pragma}")

    _begin_as_told(engine)
    return engine


def _begin_as_told(engine: Engine) -> None:
    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes its lock first, so it waits at BEGIN instead of failing midway.
        # Past SQLAlchemy, which would take fifteen times as long to say one word.
        driver: Any = connection.connection.driver_connection
        for statement in connection.get_execution_options().get("outpost_begin", ("BEGIN",)):
            _tell(driver, statement)


def _tell(driver: sqlite3.Connection, statement: str) -> None:
    """Say one word to the driver; its errors belong to the family that everybody above expects."""
    try:
        driver.execute(statement)
    except sqlite3.Error as error:
        raise DBAPIError.instance(statement, None, error, sqlite3.Error) from error


# Every query here reads a page. To compile one, or to begin it in several processes, takes longer than to answer it.
_SHORT_QUERIES = "-c jit=off -c max_parallel_workers_per_gather=0"


def _postgresql_engine(url: str) -> Engine:
    engine = create_engine(
        url, pool_size=8, max_overflow=32, pool_pre_ping=True, connect_args={"options": _SHORT_QUERIES}
    )
    with engine.connect() as connection:
        _refuse_forgetful_server(connection)
    return engine


def _refuse_forgetful_server(connection: Connection) -> None:
    for setting in ("fsync", "synchronous_commit"):
        value = connection.execute(text(f"SHOW {setting}")).scalar_one()
        if value == "off":
            raise DatabaseError(
                f"PostgreSQL runs with {setting} = off: what it acknowledges may be lost. Switch it on."
            )
