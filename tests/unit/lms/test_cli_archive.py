"""``lms archive``: parts of a centre's store are listed, put away and brought back, for people and for programs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from lms.cli import app
from lms.database import Database
from lms.progress.actions import advance
from tests.migrated import a_data_folder
from tests.postgres import Postgres
from tests.xapi_builders import AUTHORITY, a_statement
from xapi_store.archive import begin_part, prepare_part
from xapi_store.ingest import store_statements

OCTOBER = datetime(2026, 10, 20, 12, tzinfo=UTC)


def lms(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--data", str(data)])


@pytest.fixture
def centre(postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A centre on PostgreSQL with a part that is closed and one that is open."""
    url = postgres.create_migrated()
    monkeypatch.setenv("LMS_DATABASE_URL", url)
    assert lms(tmp_path, "init", "--role", "central").exit_code == 0
    database = Database(url)
    with database.write() as session:
        store_statements(session, [a_statement()], authority=AUTHORITY, now=OCTOBER)
        prepare_part(session, 1)
    with database.write() as session:
        begin_part(session, 1)
        while advance(session):
            pass
    database.close()
    return tmp_path


def told(data: Path, *arguments: str) -> Any:
    done = lms(data, "archive", *arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_program_is_told_what_became_of_a_part(centre: Path) -> None:
    before = told(centre, "list")

    away = told(centre, "put-away", "0")
    back = told(centre, "bring-back", "0")

    assert [(part["part"], part["state"]) for part in before] == [(0, "closed"), (1, "open")]
    assert away == before[0] | {"state": "archived"}
    assert back == before[0]


def test_a_person_is_told_what_comes_next(centre: Path) -> None:
    away = lms(centre, "archive", "put-away", "0")
    back = lms(centre, "archive", "bring-back", "0")

    assert "`lms archive bring-back 0` returns it" in away.stdout
    assert "part 0 are found again" in back.stdout


@pytest.mark.parametrize("command", ["put-away", "bring-back"])
def test_a_part_that_cannot_be_moved_is_said_in_a_sentence(centre: Path, command: str) -> None:
    done = lms(centre, "archive", command, "1", "--json")

    assert (done.exit_code, done.stdout) == (1, "")
    assert "art 1" in done.stderr


@pytest.mark.parametrize("arguments", [("list",), ("put-away", "0"), ("bring-back", "0")])
def test_a_laptop_has_no_parts(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert lms(a_data_folder(tmp_path), "init", "--role", "laptop").exit_code == 0

    done = lms(tmp_path, "archive", *arguments)

    assert done.exit_code == 1
    assert "has no parts" in done.stderr
