"""A laptop that serves meets its hub by itself: within its budget, not in quiet hours, and killed in between."""

from __future__ import annotations

import itertools
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.benchmarks.traffic import of_a_post
from tests.poor_link import Link
from tests.servers import NodeUnderTest
from tests.sites import Site, site

COUNT = 1_000  # in two segments, some 40 kB on the wire
BUDGET = 28_000  # one segment of two, and a part of the other
ENOUGH_S = 60
TWO_LOOKS_S = 4.5


def until(told: Callable[[], object]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + ENOUGH_S
    while not told():
        assert time.monotonic() < deadline, f"this did not happen in {ENOUGH_S} s"
        time.sleep(0.1)


def ask(node: NodeUnderTest, query: str) -> list[Any]:
    with closing(sqlite3.connect(node.data / "outpost.db")) as file:
        return file.execute(query).fetchall()


def statements(node: NodeUnderTest) -> list[Any]:
    return ask(node, "SELECT id FROM xapi_statement_id ORDER BY id")


def endings(here: Site) -> list[str | None]:
    return [ending for (ending,) in ask(here.laptop, "SELECT ending FROM meeting ORDER BY id")]


def terms(here: Site, *options: str) -> dict[str, Any]:
    (hub,) = here.laptop.facts("node", "list")
    told: dict[str, Any] = here.laptop.facts("node", "terms", hub["name"], *options)
    return told


def passed(here: Site) -> int:
    return here.link.up + here.link.down


def around_now() -> str:
    now = datetime.now().astimezone()
    return f"{now - timedelta(hours=2):%H:%M}-{now + timedelta(hours=2):%H:%M}"


def test_a_laptop_keeps_its_budget_and_its_quiet_hours_and_all_arrives(tmp_path: Path) -> None:
    recorded = list(itertools.islice(of_a_post(7), COUNT))
    with site(tmp_path, Link(), recorded, role="hub") as here:
        terms(here, "--bytes-per-day", f"{BUDGET}B")
        here.laptop.start()
        until(lambda: endings(here) == ["budget"])
        of_the_day, at_the_hub = passed(here), len(statements(here.centre))
        told = terms(here)

        terms(here, "--bytes-per-day", "none", "--quiet", around_now())
        by_hand = here.laptop.run("sync", "--json", check=False)
        time.sleep(TWO_LOOKS_S)
        in_quiet_hours = passed(here) - of_the_day

        terms(here, "--quiet", "none")
        until(lambda: endings(here) == ["budget", "done"])
        until(lambda: not here.laptop.facts("status")["waiting"].get("statement"))
        sizes = ask(here.laptop, "SELECT sum(bytes_up + bytes_down), sum(sent), sum(receipts) FROM meeting")

        assert BUDGET / 2 < of_the_day <= BUDGET
        assert told["waits_for"] == "budget"
        assert 0 < at_the_hub < COUNT
        assert by_hand.returncode == 1
        assert '"state": "quiet"' in by_hand.stdout
        assert in_quiet_hours == 0
        assert len(statements(here.centre)) == COUNT
        assert statements(here.centre) == statements(here.laptop)
        ((counted, sent, receipts),) = sizes
        assert abs(counted - passed(here)) < passed(here) * 0.01
        assert sent == COUNT
        assert receipts > 0


def test_what_a_killed_laptop_has_sent_is_counted_and_the_next_meeting_goes_on(tmp_path: Path) -> None:
    recorded = list(itertools.islice(of_a_post(8), COUNT))
    with site(tmp_path, Link(bits_per_s=128_000), recorded, role="hub") as here:
        here.laptop.start()
        until(lambda: here.link.up > 20_000)  # in the second or third push; the first has 8 kB
        here.laptop.kill()
        counted, under_way = terms(here)["bytes_today"], endings(here)

        here.laptop.start()
        until(lambda: endings(here)[-1] == "done")

        assert under_way == [None]
        assert counted > 8_192
        assert endings(here)[0] == "interrupted"
        assert terms(here)["bytes_today"] > counted
        assert statements(here.centre) == statements(here.laptop)
