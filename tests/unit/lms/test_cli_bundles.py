"""``lms bundle``: a laptop and a centre that meet by file only."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lms.cli import app
from tests.bundle_builders import pair_data, record
from tests.migrated import a_data_folder


class Machine:
    """A node of one data folder, and its commands."""

    def __init__(self, folder: Path, role: str, name: str) -> None:
        self.data = a_data_folder(folder)
        self.run("init", "--role", role, "--name", name)

    def run(self, *arguments: str, status: int = 0) -> str:
        done = CliRunner().invoke(app, [*arguments, "--data", str(self.data)])
        assert done.exit_code == status, done.output
        return done.output

    def facts(self, *arguments: str, status: int = 0) -> Any:
        done = CliRunner().invoke(app, [*arguments, "--data", str(self.data), "--json"])
        assert done.exit_code == status, done.output
        return json.loads(done.stdout)

    def waiting(self) -> int:
        return int(self.facts("status")["waiting"].get("statement", 0))


@pytest.fixture
def centre(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "centre", "central", "The centre")


@pytest.fixture
def laptop(tmp_path: Path, centre: Machine) -> Machine:
    made = Machine(tmp_path / "laptop", "laptop", "Post 4")
    pair_data(centre.data, made.data)
    return made


def test_a_stick_goes_up_and_its_receipt_comes_down(tmp_path: Path, centre: Machine, laptop: Machine) -> None:
    record(laptop.data, 7)
    stick, back = str(tmp_path / "stick.outpost"), str(tmp_path / "back.outpost")

    written = laptop.facts("bundle", "export", stick)
    before = laptop.waiting()
    taken = centre.facts("bundle", "import", stick)
    again = centre.facts("bundle", "import", stick)
    receipt = centre.facts("bundle", "receipt", back)
    laptop.facts("bundle", "import", back)

    assert (written["records"], written["files"]) == (7, [stick])
    assert (taken["state"], taken["accepted"], taken["name"]) == ("done", 7, "Post 4")
    assert (again["accepted"], again["duplicate"]) == (0, 7)
    assert receipt["records"] == 0
    assert (before, laptop.waiting()) == (7, 0)


def test_inspect_tells_anybody_the_outside_and_recipients_the_inside(
    tmp_path: Path, centre: Machine, laptop: Machine
) -> None:
    record(laptop.data, 3)
    stick = str(tmp_path / "stick.outpost")
    laptop.facts("bundle", "export", stick)

    outside, inside = laptop.facts("bundle", "inspect", stick), centre.facts("bundle", "inspect", stick)

    assert (outside["opens_here"], "records" in outside) == (False, False)
    assert (inside["from"], inside["to"], inside["records"]) == ("Post 4", ["The centre"], 3)


def test_parts_are_named_and_a_missing_one_is_said(tmp_path: Path, centre: Machine, laptop: Machine) -> None:
    noise = random.Random(1)  # no encoding makes it smaller
    for _ in range(3):
        record(laptop.data, 1, text=noise.randbytes(150_000).hex())
    stick = str(tmp_path / "stick.outpost")

    written = laptop.facts("bundle", "export", stick, "--split", "256KiB")
    files = [Path(path) for path in written["files"]]
    assert len(files) > 1, written
    files[1].rename(tmp_path / "lost")
    without = centre.run("bundle", "import", str(files[0]), status=1)
    (tmp_path / "lost").rename(files[1])
    whole = centre.facts("bundle", "import", str(files[-1]))

    assert files[0].name == f"stick.part1of{len(files)}.outpost"
    assert "these are missing: 2" in without
    assert (whole["state"], whole["missing"]) == ("done", [])
    assert whole["accepted"] + whole["duplicate"] == 3


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (("bundle", "export", "a.outpost", "--to", "Nobody"), 1, "No trusted node is called 'Nobody'"),
        (("bundle", "export", "a.outpost", "--split", "much"), 2, "is no size"),
        (("bundle", "export", "a.outpost", "--split", "1KB"), 1, "A part has 256 kB at least"),
        (("bundle", "export", "nowhere/a.outpost"), 1, "There is no folder"),
        (("bundle", "receipt", "a.outpost"), 1, "No bundle was taken since the last receipt"),
        (("bundle", "import", "a.outpost"), 1, "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    tmp_path: Path,
    *,
    laptop: Machine,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    status: int,
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)

    assert sentence in laptop.run(*arguments, status=status)


def test_a_centre_is_asked_for_whom(tmp_path: Path, centre: Machine, laptop: Machine) -> None:
    said = centre.run("bundle", "export", str(tmp_path / "a.outpost"), status=1)

    assert "Say whom it is for with --to: Post 4" in said
