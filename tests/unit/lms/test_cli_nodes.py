"""``lms node revoke``: which records of a stolen laptop are trusted, and what becomes of those that come later."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from lms.cli import app
from tests.bundle_builders import pair_data, record


def lms(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--data", str(data)])


def facts(data: Path, *arguments: str) -> Any:
    done = lms(data, *arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def carry(laptop: Path, centre: Path, stick: Path) -> None:
    facts(laptop, "bundle", "export", str(stick))
    facts(centre, "bundle", "import", str(stick))


def figures(told: dict[str, Any]) -> tuple[int, int, int]:
    return told["trusted"], told["kept_aside"], told["taken_before"]


@pytest.fixture
def nodes(tmp_path: Path) -> tuple[Path, Path]:
    """Give a laptop and the centre that has its first two records."""
    laptop, centre = tmp_path / "laptop", tmp_path / "centre"
    facts(laptop, "init", "--name", "Post 4")
    facts(centre, "init", "--role", "central")
    pair_data(centre, laptop)
    record(laptop, 2)
    carry(laptop, centre, tmp_path / "early.outpost")
    return laptop, centre


def test_later_records_are_kept_aside_until_they_are_trusted_too(
    nodes: tuple[Path, Path], tmp_path: Path
) -> None:
    laptop, centre = nodes
    first = facts(centre, "node", "revoke", "Post 4", "--reason", "stolen")
    record(laptop, 3)
    carry(laptop, centre, tmp_path / "late.outpost")
    again = facts(centre, "node", "revoke", "Post 4")
    aside = facts(centre, "status")["kept_aside"]

    trusted = facts(centre, "node", "revoke", "Post 4", "--held")

    assert figures(first) == (2, 0, 0)
    assert figures(again) == (2, 3, 0)
    assert figures(trusted) == (5, 0, 0)
    assert (aside, facts(centre, "status")["kept_aside"]) == (3, 0)


def test_a_moment_may_be_named_and_what_was_taken_after_it_is_told(nodes: tuple[Path, Path]) -> None:
    _, centre = nodes

    told = facts(centre, "node", "revoke", "Post 4", "--recorded-before", "2020-01-01T08:00")

    assert figures(told) == (0, 0, 2)
    assert "2 that are not trusted had been taken before" in lms(centre, "node", "revoke", "Post 4").output


def test_two_answers_to_the_one_question_are_refused(nodes: tuple[Path, Path]) -> None:
    _, centre = nodes

    done = lms(centre, "node", "revoke", "Post 4", "--held", "--recorded-before", "2020-01-01")

    assert done.exit_code == 2
    assert facts(centre, "status")["peers"][0]["revoked"] is False


def test_a_laptop_revokes_nobody(nodes: tuple[Path, Path]) -> None:
    laptop, _ = nodes

    done = lms(laptop, "node", "revoke", facts(laptop, "node", "list")[0]["name"])

    assert done.exit_code == 1
    assert "Only the centre" in done.output
