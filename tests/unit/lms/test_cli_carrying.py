"""``lms course assign`` and the like say what they did, to people and to programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from lms.cli import app
from tests.course_builders import a_scorm_file
from tests.migrated import a_data_folder


def lms(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--data", str(folder)])


def facts(folder: Path, *arguments: str) -> Any:
    done = lms(folder, *arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture
def centre(tmp_path: Path) -> Path:
    folder = a_data_folder(tmp_path / "centre")
    assert lms(folder, "init", "--role", "central", "--name", "The centre").exit_code == 0
    return folder


@pytest.fixture
def course(centre: Path, tmp_path: Path) -> str:
    file = a_scorm_file(tmp_path, language="en")
    return str(facts(centre, "import", str(file), "--publish")["course_id"])


def test_courses_that_are_named_are_added_to_those_chosen_and_taken_out_again(
    centre: Path, course: str
) -> None:
    chosen = facts(centre, "course", "assign", course, "--node", "The centre")
    again = facts(centre, "course", "assign", course, "--all-nodes")
    emptied = facts(centre, "course", "unassign", course, "--all-nodes")
    (listed,) = facts(centre, "course", "assigned")

    assert (chosen["mode"], chosen["courses"]) == ("chosen", [course])
    assert again == chosen  # the node that decides stands for all
    assert (emptied["mode"], emptied["courses"]) == ("chosen", [])
    assert listed == emptied


def test_a_language_replaces_what_was_chosen(centre: Path, course: str) -> None:
    facts(centre, "course", "assign", course, "--all-nodes")

    said = facts(centre, "course", "assign", "--language", "ar", "--language", "en", "--all-nodes")

    assert (said["mode"], said["courses"], said["languages"]) == ("languages", [], ["ar", "en"])


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["--all"], 2, "Say for which node"),
        (["--node", "The centre", "--all-nodes", "--all"], 2, "Say for which node"),
        (["--all-nodes"], 2, "Say which"),
        (["--all", "--none", "--all-nodes"], 2, "Say which"),
        (["--all", "--node", "Nowhere"], 1, "Nowhere"),
    ],
)
def test_what_is_not_said_clearly_changes_nothing(
    centre: Path, arguments: list[str], status: int, sentence: str
) -> None:
    done = lms(centre, "course", "assign", *arguments)

    assert done.exit_code == status
    assert sentence in done.output
    assert facts(centre, "course", "assigned") == []


def test_the_centre_lists_its_courses_and_gives_none_away(centre: Path, course: str) -> None:
    (listed,) = facts(centre, "course", "here")

    refused = lms(centre, "course", "remove", course)

    assert (listed["course"], listed["use"], listed["may_go"]) == (course, "nobody", False)
    assert refused.exit_code == 1
    assert "Its files stay" in refused.output


def test_a_laptop_alone_decides_nothing(tmp_path: Path) -> None:
    folder = a_data_folder(tmp_path / "laptop")
    lms(folder, "init", "--role", "laptop")

    done = lms(folder, "course", "assign", "--all", "--all-nodes")

    assert done.exit_code == 1
    assert "does not decide" in done.output
