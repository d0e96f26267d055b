"""``lms records export`` and ``lms lrs-key``: files and credentials from the command line."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from lms.cli import app
from lms.database import Database
from lms.keys.scopes import LRS_SCOPES, TOKEN_RIGHTS
from tests.migrated import a_data_folder
from tests.xapi_builders import AUTHORITY, NOON, a_statement
from xapi_store.ingest import store_statements


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = a_data_folder(tmp_path / "node")
    assert lms("init", "--role", "laptop", "--data", str(folder)).exit_code == 0
    database = Database(f"sqlite:///{(folder / 'outpost.db').as_posix()}")
    with database.write() as session:
        store_statements(
            session,
            [a_statement(), a_statement(verb={"id": "urn:x:other"})],
            authority=AUTHORITY,
            now=NOON,
        )
    database.close()
    return folder


def lms(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_statements_become_a_file(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"

    done = lms(
        "records", "export", str(file), "--format", "jsonl", "--verb", "passed", "--data", str(data), "--json"
    )

    lines = file.read_bytes().splitlines()
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {"file": str(file), "statements": 1, "bytes": file.stat().st_size}
    assert [json.loads(line)["verb"]["id"].rpartition("/")[2] for line in lines] == ["passed"]
    assert {path.name for path in tmp_path.iterdir()} == {"node", "out.jsonl"}


def test_a_table_is_what_is_written_unless_said(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "out.csv"

    done = lms("records", "export", str(file), "--since", "2026-01-01", "--data", str(data))

    assert done.exit_code == 0
    assert len(file.read_text(encoding="utf-8-sig").splitlines()) == 3


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--verb", "no iri", "Write a verb as its IRI"),
        ("--user", "4711", "Nobody on this node"),
        ("--since", "yesterday", "Write a day as 2026-05-12."),
    ],
)
def test_a_filter_that_cannot_be_read_leaves_no_file(
    data: Path, tmp_path: Path, option: str, value: str, told: str
) -> None:
    file = tmp_path / "out.csv"

    done = lms("records", "export", str(file), option, value, "--data", str(data))

    assert done.exit_code == 1
    assert told in done.output
    assert not file.exists()


def test_a_place_that_cannot_be_written_is_told(data: Path, tmp_path: Path) -> None:
    done = lms("records", "export", str(tmp_path / "nowhere" / "out.csv"), "--data", str(data))

    assert done.exit_code == 1
    assert "could not be written" in done.output


def test_a_key_opens_only_what_there_is(data: Path) -> None:
    refused = lms("lrs-key", "create", "Simulator", "--scope", "statements/wirte", "--data", str(data))
    made = lms("lrs-key", "create", "Simulator", "--scope", "statements/write", "--data", str(data), "--json")

    assert refused.exit_code == 1
    assert "There is no scope statements/wirte. There are: statements/write," in refused.output
    assert json.loads(made.stdout)["scopes"] == ["statements/write"]


@pytest.mark.parametrize(("command", "scopes"), [("lrs-key", LRS_SCOPES), ("token", TOKEN_RIGHTS)])
def test_the_help_tells_every_scope_and_which_is_given_unless_said(
    command: str, scopes: Collection[str]
) -> None:
    told = lms(command, "create", "--help").stdout

    assert all(f"  {scope}" in told for scope in scopes)
    assert "all unless said" in " ".join(told.split())


def test_the_help_of_keys_names_both_ways_to_show_one() -> None:
    told = lms("lrs-key", "--help").stdout

    assert "Basic" in told
    assert "Bearer KEY.SECRET" in told


def test_a_key_for_which_no_scope_was_named_says_that_it_opens_everything(data: Path) -> None:
    unsaid = lms("lrs-key", "create", "Simulator", "--data", str(data))
    said = lms("lrs-key", "create", "Simulator", "--scope", "statements/write", "--data", str(data))
    as_json = lms("lrs-key", "create", "Simulator", "--data", str(data), "--json")

    assert "No --scope was given, so it opens everything." in unsaid.stdout
    assert "No --scope" not in said.stdout
    assert "statements/write" in said.stdout
    assert json.loads(as_json.stdout)["scopes"] == ["all"]
