"""``lms node``: which records of a stolen laptop are trusted; on which terms a peer is met, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from fastapi import FastAPI
from typer.testing import CliRunner

from lms.cli import app
from lms.node import Node
from lms.settings import Settings
from sync.server import create_app
from tests.bundle_builders import pair_data, record
from tests.serving import serving


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


# ---------------------------------------------------------------- terms and meetings


@dataclass
class Joined:
    """A laptop's data folder, and what the centre is called that answers it."""

    laptop: Path
    centre: str

    def terms(self, *options: str) -> dict[str, Any]:
        told: dict[str, Any] = facts(self.laptop, "node", "terms", self.centre, *options)
        return told

    def meetings(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = facts(self.laptop, "node", "meetings")
        return listed


@pytest.fixture
def joined(nodes: tuple[Path, Path]) -> Iterator[Joined]:
    laptop, centre = nodes
    name = facts(laptop, "node", "list")[0]["name"]
    answers = FastAPI()
    with closing(Node(Settings(data=centre))) as node:
        answers.mount("/sync", create_app(node.sync))
        with serving(answers) as address:
            facts(laptop, "node", "address", name, address)
            yield Joined(laptop, name)


def quiet_now() -> str:
    now = datetime.now().astimezone()
    return f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=1):%H:%M}"


def test_terms_are_set_one_by_one_and_told(joined: Joined) -> None:
    first = joined.terms()
    joined.terms("--by-hand", "--quiet", "22:00-06:30")
    second = joined.terms("--bytes-per-day", "5MB")
    third = joined.terms("--by-itself", "--quiet", "none")

    assert (first["by_hand"], first["quiet"], first["bytes_per_day"]) == (False, None, None)
    assert (second["by_hand"], second["quiet"], second["bytes_per_day"]) == (True, "22:00-06:30", 5_000_000)
    assert (second["next"], second["waits_for"]) == (None, "by_hand")
    assert (third["by_hand"], third["quiet"], third["bytes_per_day"]) == (False, None, 5_000_000)


@pytest.mark.parametrize(
    "wrong",
    [
        ["--quiet", "late"],
        ["--quiet", "22:00-22:00"],
        ["--bytes-per-day", "much"],
        ["--bytes-per-day", "9kB"],
    ],
)
def test_terms_that_cannot_be_are_refused_with_a_sentence(joined: Joined, wrong: list[str]) -> None:
    done = lms(joined.laptop, "node", "terms", joined.centre, *wrong)

    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
    assert (joined.terms()["quiet"], joined.terms()["bytes_per_day"]) == (None, None)


def test_in_quiet_hours_a_sync_wants_to_be_told_all_the_same(joined: Joined) -> None:
    joined.terms("--quiet", quiet_now())

    kept = lms(joined.laptop, "sync", "--json")
    before = joined.meetings()
    done = facts(joined.laptop, "sync", "--all-the-same")

    assert kept.exit_code == 1
    assert (json.loads(kept.stdout)["state"], json.loads(kept.stdout)["turns"]) == ("quiet", 0)
    assert before == []
    assert done["state"] == "done"


def test_a_sync_is_counted_and_listed_with_all_that_passed(joined: Joined) -> None:
    record(joined.laptop, 3)

    report = facts(joined.laptop, "sync")
    (meeting,) = joined.meetings()

    assert (report["state"], report["sent"]) == ("done", 3)
    assert report["receipts"] == 2  # the first is for what came by stick
    assert meeting["by_hand"]
    for name in ("state", "sent", "received", "receipts", "bytes_up", "bytes_down"):
        assert meeting[name] == report[name]
    assert joined.terms()["bytes_today"] == report["bytes_up"] + report["bytes_down"]
