"""Bundles in real processes: killed at any moment, on a stick that fills up, between SQLite and PostgreSQL."""

from __future__ import annotations

import logging
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bundle_builders import pair_data, record
from tests.faults.conftest import integrity
from tests.postgres import Postgres
from tests.servers import LMS, NodeUnderTest, node
from tests.warm import WarmProcess

log = logging.getLogger(__name__)  # `--log-cli-level=INFO` shows what was hit

STATEMENTS, LETTERS = 60, 150_000  # half a second of writing, and a segment for each statement


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A laptop with much to tell, and its centre."""

    centre: NodeUnderTest
    laptop: NodeUnderTest


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    dice = random.Random(1)
    with (
        node(folder / "centre", role="central", name="The centre") as centre,
        node(folder / "laptop", name="Post 4") as laptop,
    ):
        pair_data(centre.data, laptop.data)
        for _ in range(STATEMENTS):
            record(laptop.data, 1, text=dice.randbytes(LETTERS // 2).hex())
        yield Pair(centre=centre, laptop=laptop)


@pytest.fixture
def nodes(made: Pair, tmp_path: Path) -> Pair:
    """A copy of both for one test."""
    return Pair(
        centre=NodeUnderTest(data=Path(shutil.copytree(made.centre.data, tmp_path / "centre"))),
        laptop=NodeUnderTest(data=Path(shutil.copytree(made.laptop.data, tmp_path / "laptop"))),
    )


def statements_in(data: Path) -> int:
    with closing(sqlite3.connect(data / "outpost.db")) as file:
        return int(file.execute("SELECT count(*) FROM xapi_statement").fetchone()[0])


@pytest.mark.parametrize("kills", [3, pytest.param(60, marks=pytest.mark.soak)])
def test_an_export_that_is_killed_leaves_nothing_that_looks_whole(
    nodes: Pair, tmp_path: Path, kills: int
) -> None:
    dice, hit = random.Random(kills), 0
    stick = tmp_path / "stick"
    stick.mkdir()
    target = stick / "post.outpost"

    def begun() -> subprocess.Popen[bytes] | WarmProcess:
        export = nodes.laptop.begin("bundle", "export", str(target))
        while export.poll() is None and not list(stick.iterdir()):
            time.sleep(0.001)
        return export

    export, began = begun(), time.monotonic()
    export.wait()
    writing_s = time.monotonic() - began  # a fixed time would mostly be too long on a quick machine
    target.unlink()
    for _ in range(kills):
        export = begun()
        time.sleep(dice.uniform(0, writing_s))
        export.kill()
        hit += export.wait() != 0
        if target.exists():
            found = nodes.centre.facts("bundle", "inspect", str(target))
            assert found["records"] == STATEMENTS
            target.unlink()

    nodes.laptop.facts("bundle", "export", str(target))

    assert [path.name for path in stick.iterdir()] == ["post.outpost"]  # what the dead left is gone
    assert integrity(nodes.laptop.data) == "ok"
    log.info("%d of %d exports were killed at work", hit, kills)
    assert hit >= kills // 2


@pytest.mark.parametrize("kills", [3, pytest.param(60, marks=pytest.mark.soak)])
def test_an_import_that_is_killed_goes_on_where_it_stopped(nodes: Pair, tmp_path: Path, kills: int) -> None:
    dice, hit, seen = random.Random(kills), 0, 0
    target = tmp_path / "post.outpost"
    nodes.laptop.facts("bundle", "export", str(target))
    fresh = shutil.copytree(nodes.centre.data, tmp_path / "fresh")
    for _ in range(kills):
        before = statements_in(nodes.centre.data)
        taking = nodes.centre.begin("bundle", "import", str(target))
        while taking.poll() is None and statements_in(nodes.centre.data) == before:
            time.sleep(0.001)
        time.sleep(dice.uniform(0, 0.3))
        taking.kill()
        hit += taking.wait() != 0
        now = statements_in(nodes.centre.data)
        assert now >= before
        assert integrity(nodes.centre.data) == "ok"
        if now == STATEMENTS:  # it was all in: once more from the beginning
            nodes.centre.data = shutil.copytree(fresh, tmp_path / f"centre {hit} {seen}")
            seen += 1

    whole = nodes.centre.facts("bundle", "import", str(target))
    nodes.centre.facts("bundle", "receipt", str(tmp_path / "back.outpost"), "--to", "Post 4")
    nodes.laptop.facts("bundle", "import", str(tmp_path / "back.outpost"))

    assert whole["accepted"] + whole["duplicate"] == STATEMENTS
    assert whole["refused"] == 0
    assert statements_in(nodes.centre.data) == STATEMENTS
    assert nodes.laptop.facts("status")["waiting"].get("statement", 0) == 0
    log.info("%d of %d imports were killed at work", hit, kills)
    assert hit >= kills // 2


def on_a_small_stick(laptop: NodeUnderTest, folder: Path, *, size: str, beside: str) -> tuple[int, str]:
    """Run an export to a stick of a size, and something beside it; return its status and what both said."""
    folder.mkdir()
    command = " ".join([*LMS, "bundle", "export", str(folder / "post.outpost")])
    script = (
        f"mount -t tmpfs -o size={size} none {folder} || exit 77\n({beside}) &\n{command} 2>&1\nstatus=$?\n"
        f"wait\necho left: $(ls -A {folder})\nexit $status"
    )
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script],
        env=laptop.environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    return done.returncode, done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux mounts a small stick for one process")
def test_a_stick_without_room_is_said_before_anything_is_written(nodes: Pair, tmp_path: Path) -> None:
    status, said = on_a_small_stick(nodes.laptop, tmp_path / "stick", size="2m", beside="true")

    assert status == 1, said
    assert "MB are needed. Nothing was written" in said
    assert said.rstrip().endswith("left:")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux mounts a small stick for one process")
def test_a_stick_that_fills_up_on_the_way_keeps_nothing(nodes: Pair, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    waits = f"while set -- {stick}/*new* {stick}/.*new*; ! [ -e $1 ] && ! [ -e $2 ]; do :; done"
    fills = f"dd if=/dev/zero of={stick}/film bs=4M 2>/dev/null"

    status, said = on_a_small_stick(nodes.laptop, stick, size="12m", beside=f"{waits}; {fills}")

    assert status == 1, said
    assert "is full. Nothing was left there" in said
    assert said.rstrip().endswith("left: film")
    assert nodes.laptop.facts("status")["waiting"]["statement"] == STATEMENTS


def test_a_laptop_and_a_centre_on_postgresql_meet_by_file(
    made: Pair, tmp_path: Path, postgres: Postgres
) -> None:
    laptop = NodeUnderTest(data=Path(shutil.copytree(made.laptop.data, tmp_path / "laptop")))
    up, back = str(tmp_path / "up.outpost"), str(tmp_path / "back.outpost")
    url = postgres.create_migrated()
    with node(tmp_path / "second centre", role="central", name="On PostgreSQL", database_url=url) as centre:
        pair_data(centre.data, laptop.data, above_url=url)

        written = laptop.facts("bundle", "export", up)
        taken = centre.facts("bundle", "import", up)
        again = centre.facts("bundle", "import", up)
        centre.facts("bundle", "receipt", back)
        laptop.facts("bundle", "import", back)

        assert written["records"] == taken["accepted"] == again["duplicate"] == STATEMENTS
        assert (again["accepted"], taken["refused"]) == (0, 0)
        assert laptop.facts("status")["waiting"].get("statement", 0) == 0
        assert laptop.facts("status")["delivered"]["statement"] == STATEMENTS
