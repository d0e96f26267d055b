"""``lms import`` says what it found, to people and to programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from lms.cli import app
from tests.course_builders import a_scorm_file


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "node"
    assert lms("init", "--role", "laptop", "--data", str(folder)).exit_code == 0
    return folder


def lms(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def a_file_without_a_manifest(folder: Path) -> Path:
    file = folder / "holiday.zip"
    file.write_bytes(b"PK\5\6" + bytes(18))
    return file


def test_a_refused_package_says_why_and_what_to_do(data: Path, tmp_path: Path) -> None:
    done = lms("import", str(a_file_without_a_manifest(tmp_path)), "--data", str(data))

    assert done.exit_code == 1
    assert "holiday.zip: refused" in done.output
    assert "error package.no_manifest:" in done.output


def test_programs_are_told_the_same(data: Path, tmp_path: Path) -> None:
    refused = lms("import", str(a_file_without_a_manifest(tmp_path)), "--data", str(data), "--json")
    taken = lms("import", str(a_scorm_file(tmp_path)), "--data", str(data), "--json")

    (error,) = json.loads(refused.stdout)["errors"]
    assert (refused.exit_code, error["code"]) == (1, "package.no_manifest")
    assert {"code", "requirement", "detail", "location", "remedy"} <= error.keys()
    assert taken.exit_code == 0
    assert json.loads(taken.stdout)["errors"] == []
