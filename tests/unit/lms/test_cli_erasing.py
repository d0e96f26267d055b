"""``lms people``: what would go is told, nothing goes before it is ordered, and who has not confirmed is listed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from lms.cli import app
from tests.bundle_builders import pair_data


def lms(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--data", str(data)])


def facts(data: Path, *arguments: str) -> Any:
    done = lms(data, *arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture
def nodes(tmp_path: Path) -> tuple[Path, Path]:
    """Give a laptop and the centre, on which an officer is known."""
    laptop, centre = tmp_path / "laptop", tmp_path / "centre"
    facts(laptop, "init", "--name", "Post 4")
    facts(centre, "init", "--role", "central", "--name", "Centre")
    pair_data(centre, laptop)
    facts(centre, "user", "create", "A-17", "--name", "Zenobia")
    return laptop, centre


def test_nothing_goes_before_it_is_ordered(nodes: tuple[Path, Path]) -> None:
    _, centre = nodes

    told = facts(centre, "people", "erase", "A-17")

    assert told == {
        "order": None, "statements": 0, "in_passing": 0, "documents": 0, "enrolments": 0, "targets": [],
    }  # fmt: skip
    assert facts(centre, "people", "erasures") == []
    assert lms(centre, "people", "erase", "A-17", "--order").exit_code == 2
    assert lms(centre, "people", "erase", "A-18", "--order", "--reason", "x").exit_code == 1


def test_who_has_not_confirmed_is_listed_by_name(nodes: tuple[Path, Path], tmp_path: Path) -> None:
    laptop, centre = nodes
    facts(centre, "bundle", "export", str(tmp_path / "before.outpost"), "--to", "Post 4")
    facts(laptop, "bundle", "import", str(tmp_path / "before.outpost"))

    made = facts(centre, "people", "erase", "A-17", "--order", "--reason", "asked for it")

    (order,) = facts(centre, "people", "erasures")
    assert (order["id"], order["reason"], order["confirmed"]) == (made["order"], "asked for it", ["Centre"])
    assert [one["name"] for one in order["outstanding"]] == ["Post 4"]
    assert "Post 4" in lms(centre, "people", "erasures").output
    assert lms(centre, "people", "erase", "A-17").exit_code == 1
    assert b"Zenobia" not in b"".join(one.read_bytes() for one in centre.rglob("*") if one.is_file())


def test_a_laptop_orders_nothing(nodes: tuple[Path, Path]) -> None:
    laptop, _ = nodes
    facts(laptop, "user", "create", "A-19")

    done = lms(laptop, "people", "erase", "A-19", "--order", "--reason", "asked for it")

    assert done.exit_code == 1
    assert "centre" in done.output
