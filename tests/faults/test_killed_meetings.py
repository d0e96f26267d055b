"""Meetings of real processes: killed at either end in mid-sync, and a thousand in a row."""

from __future__ import annotations

import itertools
import logging
import random
import sqlite3
import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from lms.nodes.meter import KEPT_PER_PEER
from tests.benchmarks.traffic import of_a_post
from tests.course_builders import a_scorm_file
from tests.faults.conftest import integrity
from tests.poor_link import Link
from tests.servers import NodeUnderTest
from tests.sites import Site, site

log = logging.getLogger(__name__)  # `--log-cli-level=INFO` shows what was hit

A_ROUND, LETTERS = 40, 400  # statements, and of each what cannot be made shorter: half a second of the link
SLOW = Link(bits_per_s=128_000, round_trip_s=0.05)
FILE_BYTES = 20_000  # of a course, a round: longer than a round lasts
SETTLED, MOST_TRIES = 5, 20
SEED = 24  # with it a head that is written before what it counts is noticed within two kills


@pytest.mark.parametrize("kills", [6, pytest.param(200, marks=pytest.mark.soak)])
def test_meetings_that_are_killed_at_either_end_lose_and_double_nothing(tmp_path: Path, kills: int) -> None:
    dice, told, hit = random.Random(SEED), statements(SEED), 0
    with site(tmp_path, SLOW, list(itertools.islice(told, A_ROUND))) as here:
        a_course(here.centre, tmp_path, dice, size=kills * FILE_BYTES)
        here.laptop.start()
        for number in range(kills):
            here.tell(list(itertools.islice(told, A_ROUND)))
            seen = count(here.centre)
            meeting = begin_meeting(here)
            time.sleep(dice.uniform(0, 1.5))
            hit += meeting.poll() is None
            if number % 2:
                here.centre.kill()
                assert integrity(here.centre.data) == "ok"
                here.centre.start()
            meeting.kill()
            meeting.wait()
            assert count(here.centre) >= seen
            assert delivered(here.laptop) <= count(here.centre)
        for _ in range(MOST_TRIES):
            if (report := here.meet())["state"] == "done":
                break

        assert (report["state"], report["waiting"]) == ("done", 0)
        recorded, arrived = records_of(here.laptop), records_of(here.centre)
        assert len(recorded) == (kills + 1) * A_ROUND
        assert arrived == recorded
        assert here.laptop.facts("status")["waiting"].get("statement", 0) == 0
        for place in (here.laptop, here.centre):
            assert integrity(place.data) == "ok"
            assert rows(place, "SELECT count(*) FROM sync_quarantine") == [(0,)]
            assert rows(place, "SELECT count(*) FROM sync_refused") == [(0,)]
            assert rows(place, "SELECT count(*) FROM sync_wanted_blob") == [(0,)]
        taken, given = files_of(here.laptop), files_of(here.centre)
        assert taken.items() <= given.items()
        assert max(taken.values()) == max(given.values()) > kills * FILE_BYTES
        assert rows(here.laptop, "SELECT title FROM course WHERE current_edition IS NOT NULL") == [
            ("Precursors",)
        ]
    log.info("%d of %d meetings were under way", hit, kills)
    assert hit >= kills // 2


@pytest.mark.parametrize("meetings", [12, pytest.param(1_000, marks=pytest.mark.soak)])
def test_meetings_in_a_row_grow_in_nothing(tmp_path: Path, meetings: int) -> None:
    with site(tmp_path, Link(), list(itertools.islice(statements(1), A_ROUND))) as here:
        for _ in range(SETTLED):
            meet(here)
        here.link.up = here.link.down = 0
        meet(here)
        once, kept = here.link.up + here.link.down, sizes(here)
        times_s = []
        for _ in range(meetings):
            began, before = time.perf_counter(), here.link.up + here.link.down
            meet(here)
            times_s.append(time.perf_counter() - began)
            assert abs(here.link.up + here.link.down - before - once) <= 8  # a time may be a digit longer
        after = sizes(here)
    a_tenth = max(1, meetings // 10)
    first, last = (statistics.median(some) for some in (times_s[:a_tenth], times_s[-a_tenth:]))
    log.info("%d bytes a meeting; medians of %.0f ms first, %.0f ms last", once, first * 1e3, last * 1e3)
    log.info("kept: %s, then %s", kept, after)
    history = "laptop meeting"  # grows by a line for each, up to its bound
    assert after.pop(history) == min(kept.pop(history) + meetings, KEPT_PER_PEER)
    assert after == kept


def statements(seed: int) -> Iterator[dict[str, Any]]:
    """Yield what a post records, each statement with something that cannot be made shorter."""
    dice = random.Random(seed)
    for made in of_a_post(seed):
        made["context"].setdefault("extensions", {})["https://example.org/noise"] = dice.randbytes(
            LETTERS // 2
        ).hex()
        yield made


def a_course(place: NodeUnderTest, folder: Path, dice: random.Random, *, size: int) -> None:
    """Import and publish a course of so many bytes."""
    place.facts(
        "import", str(a_scorm_file(folder, units=["One"], text=dice.randbytes(size // 2).hex())), "--publish"
    )


def begin_meeting(here: Site) -> Any:
    """Begin a meeting, and wait until something of it has passed."""
    before = here.link.up + here.link.down
    meeting = here.laptop.begin("sync")
    while meeting.poll() is None and here.link.up + here.link.down == before:
        time.sleep(0.001)
    return meeting


def meet(here: Site) -> None:
    """Meet once, to the end."""
    assert here.laptop.run("sync", "--json").returncode == 0


def delivered(place: NodeUnderTest) -> int:
    """Return how many of its statements a node says are at the centre."""
    return count(place) - int(place.facts("status")["waiting"].get("statement", 0))


def count(place: NodeUnderTest) -> int:
    """Return how many statements a node has."""
    return int(rows(place, "SELECT count(*) FROM xapi_statement")[0][0])


def rows(place: NodeUnderTest, query: str) -> list[tuple[Any, ...]]:
    """Ask the database of a node, beside the server if there is one."""
    with closing(sqlite3.connect(place.data / "outpost.db", timeout=60)) as file:
        return file.execute(query).fetchall()


def records_of(place: NodeUnderTest) -> dict[str, dict[str, Any]]:
    """Return the statements that a node's record store gives, by id, without when it took them."""
    key = place.facts("lrs-key", "create", "reader", "--scope", "all/read")
    found: dict[str, dict[str, Any]] = {}
    auth, headers = (key["key"], key["secret"]), {"X-Experience-API-Version": "1.0.3"}
    with httpx.Client(base_url=place.url, auth=auth, headers=headers, timeout=60) as client:
        more = "/xapi/statements?limit=500"
        while more:
            page = client.get(more).raise_for_status().json()
            for one in page["statements"]:
                assert one["id"] not in found
                found[one["id"]] = {name: value for name, value in one.items() if name != "stored"}
            more = page["more"]
    return found


def files_of(place: NodeUnderTest) -> dict[str, int]:
    """Return the files on a node's shelf with their sizes."""
    return {path.name: path.stat().st_size for path in (place.data / "shelf").rglob("*") if path.is_file()}


def sizes(here: Site) -> dict[str, int]:
    """Return how many rows each table of either node has, and how many files its folder."""
    found: dict[str, int] = {}
    for name, place in {"laptop": here.laptop, "centre": here.centre}.items():
        for (table,) in rows(place, "SELECT name FROM sqlite_master WHERE type = 'table'"):
            found[f"{name} {table}"] = int(rows(place, f'SELECT count(*) FROM "{table}"')[0][0])
        found[f"{name} files"] = sum(1 for path in place.data.rglob("*") if path.is_file())
    return found
