"""What meetings cost on poor links: the table of figures that sync has to reach.

``make bench-sync`` runs it, with a centre on SQLite and with one on PostgreSQL: both ends are processes of their own
with databases of their own, over plain HTTP, with ``tests.poor_link`` between them. A laptop that was alone joins a
centre and delivers what it has recorded. The clock runs from the command to the receipt, so the program's start is in.
Bytes are those that come out of the link, both ways together.

The statements are a generator's, whose words and names the encoding's dictionary never saw (``--statements FILE``:
others, one a line). Kolibri's figures are those of 0.19.5 with records of that size, on a machine of its own.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Engine, create_engine, func, select

from tests.benchmarks.cpu import cpu_ns, family
from tests.benchmarks.pages import machine
from tests.benchmarks.traffic import of_a_post
from tests.poor_link import Link
from tests.postgres import Postgres, start_postgres
from tests.sites import Site, Statements, site
from xapi_store.tables.rows import StatementRow

COUNT, MORE, SEGMENT = 10_000, 10, 500
SATELLITE = Link(bits_per_s=64_000, round_trip_s=0.6)
CUT_S = 2.0
LOOK_EVERY_S = 0.05  # a look is a query beside the centre; without a pause they would be its load


class Met(NamedTuple):
    """What one meeting took.

    Args:
        state: how it ended, in the report's word.
        seconds: from the command to its end.
        talk_s: of these, what the report says; the rest is the program's start.
        size: bytes that came out of the link, both ways together.
        turns: requests.
        cuts: of the link.
        cpu_s: of the centre and its processes.
        behind: how many statements had come, by their share of the bytes, and were not to be seen yet, at most.
    """

    state: str
    seconds: float
    talk_s: float
    size: int
    turns: int
    cuts: int
    cpu_s: float
    behind: int


class Figure(NamedTuple):
    """What was measured, what Kolibri takes, and what is to be reached, at most: first, and then."""

    what: str
    unit: str
    seen: float
    kolibri: str
    reach: float
    then: float | None = None

    @property
    def is_reached(self) -> bool:
        """Whether it is no more than it may be."""
        return self.seen <= self.reach

    def __str__(self) -> str:
        reach = f"{self.reach:g}" if self.then is None else f"{self.reach:g}, then {self.then:g}"
        word = "" if self.is_reached else "   NOT REACHED"
        return (
            f"  {self.what:<62}{self.seen:>8.1f} {self.unit:<6} Kolibri {self.kolibri:<8} reach {reach}{word}"
        )


def main() -> None:
    """Measure and print; the exit status says whether all is reached."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=COUNT, help=f"statements of a first meeting ({COUNT:,})")
    parser.add_argument("--statements", type=Path, help="a file of statements, one a line, in place of ours")
    parser.add_argument("--centre", choices=("sqlite", "postgresql"), help="one kind of centre only")
    asked = parser.parse_args()
    given = _given(asked.statements) if asked.statements else of_a_post(7)
    first, more = list(itertools.islice(given, asked.count)), list(itertools.islice(given, MORE))
    reached = []
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="outpost-sync-")))
        for kind in [asked.centre] if asked.centre else ["sqlite", "postgresql"]:
            print(f"a laptop on SQLite, a centre on {kind}", flush=True)
            for figure in figures(kind, folder / kind, first, more):
                print(figure, flush=True)
                reached.append(figure.is_reached)
    print(f"\n{machine()}")
    raise SystemExit(0 if all(reached) else 1)


def figures(kind: str, folder: Path, first: Statements, more: Statements) -> Iterator[Figure]:
    """Yield each figure as it is known."""
    folder.mkdir()
    with ExitStack() as opened:
        postgres = None
        if kind == "postgresql":
            kept = opened.enter_context(tempfile.TemporaryDirectory(prefix="outpost-postgres-"))
            postgres = opened.enter_context(start_postgres(Path(kept)))
        yield from _clear(folder / "clear", postgres, first)
        yield from _slow(folder / "slow", postgres, first, more)
        yield from _cut(folder, postgres, first)


def _clear(folder: Path, postgres: Postgres | None, first: Statements) -> Iterator[Figure]:
    count = len(first)
    with measured(folder, postgres, Link(), first) as (_, meet):
        met = meet()
    yield Figure(f"first {count:,}: bytes a statement, both ways", "bytes", met.size / count, "133", 45, 36)
    yield Figure("CPU of the centre for 10,000", "s", met.cpu_s / count * 10_000, "24 s", 5, 2)


def _cut(folder: Path, postgres: Postgres | None, first: Statements) -> Iterator[Figure]:
    def met_over(cut_every: int) -> Met:
        link = Link(cut_every=cut_every, cut_s=CUT_S)
        with measured(folder / f"cut-{cut_every}", postgres, link, first) as (_, meet):
            return meet()

    whole = met_over(0).size
    for cut_every, kolibri, reach in ((50_000, "+9 %", 10), (20_000, "never", 100), (5_000, "never", 100)):
        met = met_over(cut_every)
        beyond = (met.size / whole - 1) * 100 if met.state == "done" else float("inf")
        what = f"cut every {cut_every // 1_000} kB, {met.cuts} times, {met.seconds:.0f} s: bytes beyond those of none"
        yield Figure(what, "%", beyond, kolibri, reach)


def _slow(folder: Path, postgres: Postgres | None, first: Statements, more: Statements) -> Iterator[Figure]:
    with measured(folder, postgres, SATELLITE, first) as (here, meet):
        met = meet()
        yield Figure(
            f"first {len(first):,}, 64 kbit/s and 600 ms{_start(met)}", "s", met.seconds, "304 s", 60, 50
        )
        yield Figure("statements there that cannot be seen yet, at most", "", met.behind, "all", SEGMENT)
        met = meet()
        yield Figure(f"nothing new, {met.turns} turns{_start(met)}", "s", met.seconds, "35 s", 3, 2.2)
        yield Figure("nothing new", "kB", met.size / 1_000, "46 kB", 4)
        here.record(more)
        met = meet()
        yield Figure(f"{len(more)} more, {met.turns} turns{_start(met)}", "s", met.seconds, "37 s", 4, 3)


def _given(file: Path) -> Iterator[dict[str, Any]]:
    with file.open("rb") as lines:
        yield from map(orjson.loads, lines)


def _start(met: Met) -> str:
    return f" ({met.seconds - met.talk_s:.1f} to start)"


@contextmanager
def measured(
    folder: Path, postgres: Postgres | None, link: Link, recorded: Statements
) -> Iterator[tuple[Site, Callable[[], Met]]]:
    """Give a site, and what lets its laptop deliver and says what that took."""
    url = postgres.create() if postgres else ""
    with site(folder, link, recorded, database_url=url) as here:
        engine = create_engine(url or f"sqlite:///{here.centre.data / 'outpost.db'}")
        try:
            yield here, lambda: _meet(here, engine)
        finally:
            engine.dispose()


def _meet(here: Site, engine: Engine) -> Met:
    assert here.centre.process is not None
    pids, link = family(here.centre.process.pid), here.link
    cpu, size, cuts, there = cpu_ns(pids), link.up + link.down, link.cuts, _there(engine)
    looks: list[tuple[int, int]] = []
    began = time.monotonic()
    with ThreadPoolExecutor(1) as beside:
        meeting = beside.submit(here.meet)
        while not meeting.done():
            looks.append((link.up, _there(engine) - there))
            time.sleep(LOOK_EVERY_S)
    seconds, report = time.monotonic() - began, meeting.result()
    return Met(
        report["state"],
        seconds,
        report["seconds"],
        link.up + link.down - size,
        report["turns"],
        link.cuts - cuts,
        (cpu_ns(family(here.centre.process.pid)) - cpu) / 1e9,
        _behind(looks),
    )


def _there(engine: Engine) -> int:
    """Return how many statements a database shows to whoever asks."""
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(StatementRow)) or 0


def _behind(looks: Sequence[tuple[int, int]]) -> int:
    """Return how far what is seen was behind the bytes that had come, in statements, at most."""
    began, (all_bytes, all_seen) = looks[0][0], looks[-1]
    if all_bytes == began:
        return 0
    return round(max((up - began) / (all_bytes - began) * all_seen - seen for up, seen in looks))


if __name__ == "__main__":
    main()
