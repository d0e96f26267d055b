"""``lms forward``: targets are added, listed, paused and removed; secrets are never shown nor kept readable."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import Result
from sqlalchemy import select
from typer.testing import CliRunner

from lms.cli import app
from lms.database import Database
from lms.forwarding.sealing import unseal
from lms.forwarding.tables import DeadLetter, Target
from tests.migrated import a_data_folder
from tests.xapi_builders import COURSE, NOON, PASSED

ROOT = Path(__file__).parents[3]
ENDPOINT = "https://lrs.example.org/xapi"
SECRET = "a secret, with words"
STATEMENT = "39e24cc4-69af-4b01-a824-1fdc6ea8a3af"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = a_data_folder(tmp_path_factory.mktemp("made") / "node")
    assert CliRunner().invoke(app, ["init", "--role", "laptop", "--data", str(folder)]).exit_code == 0
    return folder


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "node"))


def forward(data: Path, *arguments: str, stdin: str = SECRET) -> Result:
    return CliRunner().invoke(app, ["forward", *arguments, "--data", str(data)], input=f"{stdin}\n")


def as_a_program(data: Path, *arguments: str) -> subprocess.Popen[str]:
    """Begin the command in a process of its own, that has no terminal."""
    command = [sys.executable, "-m", "lms", "forward", *arguments, "--data", str(data)]
    return subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def add(data: Path, *options: str, endpoint: str = ENDPOINT) -> Result:
    return forward(data, "add", "ministry", endpoint, "--key", "k1", "--secret-stdin", *options)


def facts(data: Path, *arguments: str) -> Any:
    done = forward(data, *arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def refuse(data: Path) -> None:
    """Keep a statement as refused by the target."""
    with closing(database(data)) as kept, kept.write() as session:
        target = session.scalars(select(Target)).one()
        session.add(
            DeadLetter(
                target_id=target.id,
                position=7,
                statement_id=UUID(STATEMENT),
                status=400,
                problem="400 No such verb.",
                refused=NOON,
            )
        )


def database(data: Path) -> Database:
    return Database(f"sqlite:///{(data / 'outpost.db').as_posix()}")


def secret_kept(data: Path, *, key: str) -> str:
    """Return the secret of the only target, as it is sent with a key."""
    with closing(database(data)) as opened, opened.read() as session:
        target = session.scalars(select(Target)).one()
    return unseal((data / "secret.key").read_bytes(), target.secret, endpoint=ENDPOINT, key=key)


def test_a_target_is_added_and_listed_with_what_it_wants(data: Path) -> None:
    added = add(data, "--verb", PASSED, "--activity", COURSE, "--made-here", "--since", "2026-11-24")

    (listed,) = facts(data, "list")
    assert added.exit_code == 0
    assert (listed["name"], listed["endpoint"], listed["state"]) == ("ministry", ENDPOINT, "running")
    assert (listed["verbs"], listed["activity"], listed["made_here"]) == ([PASSED], COURSE, True)
    assert (listed["lag"], listed["forwarded"], listed["refused"]) == (0, 0, 0)
    assert "ministry" in forward(data, "list").output


def test_the_secret_is_neither_shown_nor_readable_in_the_folder(data: Path) -> None:
    added = add(data, "--json")
    listed = forward(data, "list", "--json")

    kept = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    assert SECRET not in added.output + listed.output
    assert SECRET.encode() not in kept
    assert secret_kept(data, key="k1") == SECRET


@pytest.mark.parametrize(
    ("options", "endpoint", "said"),
    [
        ((), "lrs.example.org/xapi", "no address of a record store"),
        ((), "ftp://lrs.example.org", "no address of a record store"),
        ((), "https://u:p@lrs.example.org/xapi", "no address of a record store"),
        ((), "https://lrs.example.org/xapi?a=b", "no address of a record store"),
        ((), "https://lrs.example.org/xapi#x", "no address of a record store"),
        ((), "https://lrs.example.org:port/xapi", "no address of a record store"),
        ((), "http://lrs.example.org/xapi", "everybody on the way"),
        (("--verb", "passed"), ENDPOINT, "passed is no verb"),
        (("--activity", "a course"), ENDPOINT, "its whole address"),
        (("--agent", "{}"), ENDPOINT, "Write the agent as JSON"),
        (("--since", "yesterday"), ENDPOINT, "Write the day"),
    ],
)
def test_what_cannot_be_taken_is_said_in_a_sentence(
    data: Path, options: tuple[str, ...], endpoint: str, said: str
) -> None:
    done = add(data, *options, endpoint=endpoint)

    assert done.exit_code == 1
    assert said in done.output
    assert facts(data, "list") == []


@pytest.mark.parametrize(
    ("endpoint", "options"),
    [
        ("http://localhost:8080/xapi", ()),
        ("http://127.0.0.1/xapi", ()),
        ("http://192.168.1.20:8000/xapi", ()),
        ("http://[fd00::1]/xapi", ()),
        ("http://lrs.example.org/xapi", ("--allow-http",)),
        ("https://lrs.example.org/xapi/", ()),
    ],
)
def test_without_tls_only_what_is_near_or_meant(data: Path, endpoint: str, options: tuple[str, ...]) -> None:
    done = add(data, *options, endpoint=endpoint)

    assert done.exit_code == 0
    assert facts(data, "list")[0]["endpoint"] == endpoint.rstrip("/")


def test_without_a_terminal_the_secret_is_a_line_of_standard_input_and_nothing_warns(data: Path) -> None:
    with as_a_program(data, "add", "ministry", ENDPOINT, "--key", "k1") as program:
        _, said = program.communicate(f"{SECRET}\n", timeout=30)

    assert (program.returncode, said) == (0, "")
    assert secret_kept(data, key="k1") == SECRET


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "ministry", "lrs.example.org", "--key", "k1"), "no address of a record store"),
        (("credentials", "ministry", "--key", "k1"), "no target called ministry"),
    ],
)
def test_nobody_is_asked_for_a_secret_in_vain(data: Path, arguments: tuple[str, ...], sentence: str) -> None:
    with as_a_program(data, *arguments) as program:
        program.wait(timeout=30)  # nothing is typed: one that asks waits for ever
        _, said = program.communicate()

    assert program.returncode == 1
    assert sentence in said


def test_a_name_is_given_once(data: Path) -> None:
    add(data)

    again = add(data)

    assert again.exit_code == 1
    assert "already" in again.output


def test_a_target_is_paused_resumed_and_removed(data: Path) -> None:
    add(data)

    paused = facts(data, "pause", "ministry")["state"]
    resumed = facts(data, "resume", "ministry")["state"]
    removed = forward(data, "remove", "ministry")

    assert (paused, resumed) == ("paused", "running")
    assert removed.exit_code == 0
    assert facts(data, "list") == []
    assert "no target called ministry" in forward(data, "pause", "ministry").output


def test_another_key_is_given_without_losing_the_place(data: Path) -> None:
    add(data)

    done = forward(data, "credentials", "ministry", "--key", "k2", "--secret-stdin", stdin="another")

    assert done.exit_code == 0
    assert secret_kept(data, key="k2") == "another"


def test_another_version_is_spoken_without_losing_the_place_or_the_secret(data: Path) -> None:
    add(data)

    changed = facts(data, "credentials", "ministry", "--version", "2.0.0")
    with_a_key = facts(data, "credentials", "ministry", "--key", "k2", "--version", "1.0.3")

    assert (changed["version"], changed["key"]) == ("2.0.0", "k1")
    assert (with_a_key["version"], with_a_key["key"]) == ("1.0.3", "k2")
    assert secret_kept(data, key="k2") == SECRET


@pytest.mark.parametrize("options", [(), ("--secret-stdin",), ("--secret-stdin", "--version", "2.0.0")])
def test_a_change_of_nothing_and_a_secret_without_a_key_are_refused(
    data: Path, options: tuple[str, ...]
) -> None:
    add(data)

    done = forward(data, "credentials", "ministry", *options, stdin="another")

    assert done.exit_code == 2
    assert "--key" in done.stderr
    assert facts(data, "list")[0]["version"] == "1.0.3"
    assert secret_kept(data, key="k1") == SECRET


def test_refused_statements_are_listed_and_asked_for_once_more(data: Path) -> None:
    add(data)
    refuse(data)

    before = facts(data, "dead", "ministry")
    replayed = facts(data, "replay", "ministry", STATEMENT)
    everything = facts(data, "replay", "ministry")
    unknown = forward(data, "replay", "ministry", STATEMENT.replace("3", "4"))
    after = facts(data, "dead")

    assert before[0] | {"refused": ""} == {
        "target": "ministry",
        "statement": STATEMENT,
        "position": 7,
        "status": 400,
        "problem": "400 No such verb.",
        "refused": "",
        "tries": 1,
        "replay_asked": False,
    }
    assert replayed["sent_once_more"] == everything["sent_once_more"] == 1
    assert unknown.exit_code == 1
    assert after[0]["replay_asked"]
