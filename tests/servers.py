"""Real nodes for tests: the ``lms`` command in processes of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

from typer.testing import CliRunner

from lms.cli import app
from lms.node import Node
from lms.people.actions import create_person
from lms.people.passwords import Cost, Passwords
from lms.people.tables import PasswordCost
from lms.settings import Settings
from tests.migrated import a_data_folder
from tests.warm import CAN_FORK, WarmProcess

START_TIMEOUT_S = 180  # on a machine with much else to do
LITTLE = Cost(memory_kib=8, time=1)
LMS = (sys.executable, "-m", "lms")


# Above what browsers forbid and below what systems give to whoever calls out; each once, and from another place in each
# process: a server that is killed and started again finds its port as it was, and not another test's server on it.
_PORTS = (10_100 + (os.getpid() * 997 + number) % 20_000 for number in count())


def free_port() -> int:
    """Return a port of this machine on which nothing listens now, and which nobody here was given before."""
    while True:
        port = next(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass
class NodeUnderTest:
    """A data folder, the commands on it, and the server when it runs."""

    data: Path
    database_url: str = ""
    port: int = field(default_factory=free_port)
    content_port: int = field(default_factory=free_port)
    program: tuple[str, ...] = ()  # what serves; if nothing is said, a process that has loaded it already
    process: subprocess.Popen[bytes] | WarmProcess | None = None

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://localhost:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What its processes are told."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LMS_")}
        told = {
            "LMS_DATA": str(self.data),
            "LMS_PORT": str(self.port),
            "LMS_CONTENT_PORT": str(self.content_port),
        }
        if self.database_url:
            told["LMS_DATABASE_URL"] = self.database_url
        return {**clean, **told, "PYTHONUNBUFFERED": "1"}

    def run(
        self, *arguments: str, check: bool = True, stdin: str = "", timeout_s: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run ``lms …`` to its end."""
        done = (self._run_warm if CAN_FORK else self._run_cold)(arguments, stdin, timeout_s)
        if check and done.returncode != 0:
            raise AssertionError(f"lms {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
        return done

    def _run_warm(
        self, arguments: Sequence[str], stdin: str, timeout_s: float
    ) -> subprocess.CompletedProcess[str]:
        with TemporaryDirectory(prefix="outpost-command-") as folder:
            given, out, err = (Path(folder) / name for name in ("in", "out", "err"))
            given.write_text(stdin, encoding="utf-8")
            process = WarmProcess(arguments, self.environment, out=out, err=err, stdin=given)
            try:
                status = process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            said = (out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))
        return subprocess.CompletedProcess(["lms", *arguments], status, *said)

    def _run_cold(
        self, arguments: Sequence[str], stdin: str, timeout_s: float
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*LMS, *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=timeout_s,
            check=False,
        )

    def run_here(self, *arguments: str) -> str:
        """Run ``lms …`` in this process and return what it printed."""
        told = {name: value for name, value in self.environment.items() if name.startswith("LMS_")}
        done = CliRunner(env=told).invoke(app, list(arguments))
        assert done.exit_code == 0, done.output
        return done.stdout

    def give(self, package: Path, *officers: str) -> str:
        """Import and publish a course, and let officers take it; return its id."""
        said = json.loads(self.run_here("import", str(package), "--publish", "--json"))
        course: str = said["course_id"]
        self.run_here("enrol", course, *(part for officer in officers for part in ("--user", officer)))
        return course

    def facts(self, *arguments: str) -> Any:
        """Run ``lms … --json`` in this process and return what it printed."""
        return json.loads(self.run_here(*arguments, "--json"))

    def begin(self, *arguments: str) -> subprocess.Popen[bytes] | WarmProcess:
        """Begin ``lms …`` in a process of its own, to be killed; what it says is in the log."""
        log = self.data / "server.log"
        if CAN_FORK and not self.program:
            return WarmProcess(arguments, self.environment, out=log, err=log)
        with log.open("ab") as told:
            command = [*(self.program or LMS), *arguments]
            return subprocess.Popen(command, env=self.environment, stdout=told, stderr=told)

    def people(self, roles: Mapping[str, str], *, password: str) -> None:
        """Make people by their numbers, with one password."""
        hashed = Passwords(LITTLE).hash(password)
        with closing(self._opened()) as inside, inside.database.write() as session:
            for number, role in roles.items():
                create_person(
                    session,
                    public_id=uuid4(),
                    personnel_number=number,
                    name=number,
                    roles=[role],
                    password_hash=hashed,
                    now=datetime.now(UTC),
                    grants_travel=inside.duties.grants_travel,
                )

    def spare_passwords(self) -> None:
        """Let passwords cost little to check, and the first server not measure what this machine can bear."""
        with closing(self._opened()) as inside, inside.database.write() as session:
            session.add(PasswordCost(id=1, memory_kib=LITTLE.memory_kib, time=LITTLE.time))

    def _opened(self) -> Node:
        where = {"database_url": self.database_url} if self.database_url else {}
        return Node(Settings(data=self.data, **where))

    def start(self, *options: str) -> None:
        """Start the server and wait until it answers."""
        self.process = self.begin("serve", *options)
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended:\n{self.log()}")
            with suppress(OSError), urlopen(f"{self.url}/healthz", timeout=2):
                return
            time.sleep(0.05)
        raise AssertionError(f"the server did not answer in {START_TIMEOUT_S} s:\n{self.log()}")

    def kill(self) -> None:
        """End the server as a power cut would: at once, without a word (SIGKILL, TerminateProcess)."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask the server to end; return its exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        status = self.process.wait(timeout=30)
        self.process = None
        return status

    def log(self) -> str:
        """Return what the server wrote."""
        return (self.data / "server.log").read_text(encoding="utf-8", errors="replace")


@contextmanager
def node(
    data: Path, *, role: str = "laptop", database_url: str = "", name: str = ""
) -> Iterator[NodeUnderTest]:
    """Make a node in *data*; its server is killed at the end if it still runs."""
    if database_url:
        data.mkdir(parents=True, exist_ok=True)
    else:
        a_data_folder(data)
    made = NodeUnderTest(data=data, database_url=database_url)
    made.run_here("init", "--role", role, *(["--name", name] if name else []))
    made.spare_passwords()
    try:
        yield made
    finally:
        if made.process is not None:
            made.kill()
