"""What the record store costs, beside the floor of the machine and a bare route under the same server.

``make bench`` runs it: a laptop's server on SQLite, keys and all. The floor is parsing and inserting the same
statements with four indexes and nothing else. CPU is summed over all threads of the server.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import json
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import psutil

from lms.app import ServingNode
from lms.records.export import ExportFormat
from lms.records.queries import find_export
from lms.settings import load_settings
from tests.benchmarks.cpu import costs_side_by_side as side_by_side
from tests.benchmarks.cpu import cpu_ns, family
from tests.benchmarks.pages import bare_server, machine
from tests.benchmarks.syncs import counting_syncs
from tests.benchmarks.traffic import about, course, person, statements, verb
from tests.servers import NodeUnderTest, node
from xapi_store.query import StatementFilter

AT_ONCE = 32
FEW = 10_000
BATCH = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One kind of request: what it costs, what it is held against, and how far it may go."""

    name: str
    cost_us: float
    against: str
    base_us: float
    reach: float

    def __str__(self) -> str:
        ratio = self.cost_us / self.base_us
        return (
            f"{self.name:<44}{self.cost_us:>10.0f} µs{self.base_us:>9.0f} µs {self.against:<6}"
            f"{ratio:>7.1f} ×   reach {self.reach:g} ×"
        )


class Client:
    """One connection to a server, with credentials."""

    def __init__(self, port: int, key: str) -> None:
        self._connection = HTTPConnection("localhost", port)
        self._headers = {
            "Authorization": f"Basic {base64.b64encode(key.encode()).decode()}",
            "X-Experience-API-Version": "1.0.3",
            "Content-Type": "application/json",
        }

    def ask(
        self, method: str, path: str, body: bytes | None = None, *, expect: Sequence[int] = (200, 204)
    ) -> bytes:
        """Make a request and return the answer's body."""
        self._connection.request(method, path, body, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        assert answer.status in expect, (answer.status, content[:300])
        return content


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="requests of each kind (1000)")
    parser.add_argument(
        "--stored", type=int, default=1_000_000, help="statements stored for the queries (1000000)"
    )
    given = parser.parse_args()
    began = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        laptop = stack.enter_context(node(folder / "laptop"))
        made = laptop.facts("lrs-key", "create", "benchmark", "--scope", "all")
        key = f"{made['key']}:{made['secret']}"
        _count_syncs(laptop, key, folder)
        laptop.start()
        bare = stack.enter_context(bare_server())
        floor_us = _floor(folder)
        print(
            f"floor: {floor_us:.0f} µs of CPU for each statement parsed and inserted, {BATCH} in a transaction"
        )
        for measure in (_batches, _singles, _small_requests):
            for line in measure(laptop, key, bare, floor_us, given.count):
                print(line, flush=True)
        _forget_peak(laptop)
        _fill(laptop, key, _few(), FEW)
        _until_idle(laptop)
        small = _queries(laptop, key, bare, given.count)
        _fill(laptop, key, _many(given.stored), given.stored - FEW)
        _until_idle(laptop)
        for before, after in zip(small, _queries(laptop, key, bare, given.count), strict=True):
            print(f"{after}   {after.cost_us / before.cost_us:.2f} × of itself with {FEW:,}", flush=True)
        print(
            f"memory of the server, {given.stored:,} stored: at most {_peak_mb(laptop):.0f} MB so far",
            flush=True,
        )
        _export(laptop)
        print(f"after an export of all: at most {_peak_mb(laptop):.0f} MB; reach 200 MB")
        print(
            f"on the disk: {_bytes_kept(laptop) / given.stored:.0f} bytes a statement, all indexes included"
        )
    print(f"\n{machine()}; {time.monotonic() - began:.0f} s in all")


# ---------------------------------------------------------------- what is measured


def _floor(folder: Path) -> float:
    """Return the CPU that the machine needs for a statement: parse, insert with an id and four indexes, commit."""
    bodies = [orjson.dumps(one) for one in itertools.islice(statements(7), 10_000)]
    with sqlite3.connect(folder / "floor.db", isolation_level=None) as file:
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = FULL")
        file.execute(
            "CREATE TABLE kept (position INTEGER PRIMARY KEY, id TEXT UNIQUE, stored TEXT, verb TEXT, agent TEXT,"
            " activity TEXT, registration TEXT, raw BLOB)"
        )
        for column in ("verb", "agent", "activity", "registration"):
            file.execute(f"CREATE INDEX kept_{column} ON kept ({column}, position)")
        started = time.process_time()
        for first in range(0, len(bodies), BATCH):
            file.execute("BEGIN IMMEDIATE")
            file.executemany(
                "INSERT INTO kept VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",
                map(floor_row, bodies[first : first + BATCH]),
            )
            file.execute("COMMIT")
        spent = time.process_time() - started
    return spent / len(bodies) * 1e6


def floor_row(body: bytes) -> tuple[Any, ...]:
    """Return what a row of the floor has of a statement."""
    one = orjson.loads(body)
    return (
        one["id"],
        datetime.now(UTC).isoformat(),
        one["verb"]["id"],
        one["actor"]["account"]["name"],
        one["object"]["id"],
        one["context"]["registration"],
        body,
    )


def _batches(
    laptop: NodeUnderTest, key: str, _bare: tuple[int, int], floor_us: float, _count: int
) -> Iterator[Line]:
    """POST of 500: the server's CPU for each statement, against the floor."""
    client, traffic = Client(laptop.port, key), statements(1)
    batches = [orjson.dumps(list(itertools.islice(traffic, BATCH))) for _ in range(24)]
    pids, costs = _pids(laptop), []
    for place, batch in enumerate(batches):
        before = cpu_ns(pids)
        client.ask("POST", "/xapi/statements", batch)
        if place >= 4:
            costs.append((cpu_ns(pids) - before) / BATCH / 1000)
    cost = statistics.median(costs)
    yield Line(
        name=f"POST of {BATCH}, each statement", cost_us=cost, against="floor", base_us=floor_us, reach=8
    )


def _singles(
    laptop: NodeUnderTest, key: str, bare: tuple[int, int], _floor_us: float, count: int
) -> Iterator[Line]:
    """POST of 1 by 32 clients at once, against the bare route asked likewise."""
    traffic = statements(2)
    bodies = [orjson.dumps(next(traffic)) for _ in range(2 * count)]
    spent = _at_once(_pids(laptop), laptop.port, key, bodies)
    base = _at_once([bare[0]], bare[1], key, bodies)
    yield Line(name=f"POST of 1, {AT_ONCE} at once", cost_us=spent, against="bare", base_us=base, reach=10)


def _at_once(pids: Sequence[int], port: int, key: str, bodies: list[bytes]) -> float:
    clients = [Client(port, key) for _ in range(AT_ONCE)]

    def send(place: int) -> None:
        for body in bodies[place::AT_ONCE]:
            clients[place].ask("POST", "/xapi/statements", body)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        before = cpu_ns(pids)
        list(threads.map(send, range(AT_ONCE)))
        return (cpu_ns(pids) - before) / len(bodies) / 1000


def _small_requests(
    laptop: NodeUnderTest, key: str, bare: tuple[int, int], _floor_us: float, count: int
) -> Iterator[Line]:
    client, traffic = Client(laptop.port, key), statements(3)
    known = [next(traffic) for _ in range(200)]
    client.ask("POST", "/xapi/statements", orjson.dumps(known))
    ids = itertools.cycle(one["id"] for one in known)
    places = itertools.count()

    def state(name: object) -> str:
        asked = {"activityId": course(1), "agent": json.dumps(person(1)), "stateId": f"state-{name}"}
        return f"/xapi/activities/state?{urlencode(asked)}"

    content = orjson.dumps({"suspend_data": "x" * 2000})
    client.ask("PUT", state("kept"), content)
    for name, reach, request in (
        ("GET of one by its id", 4, lambda: client.ask("GET", f"/xapi/statements?statementId={next(ids)}")),
        ("GET of a state", 4, lambda: client.ask("GET", state("kept"))),
        ("PUT of a state, 2 kB", 10, lambda: client.ask("PUT", state(next(places) % 50), content)),
    ):
        yield _beside_bare(name, request, laptop, bare, key, count=count, reach=reach)


# Of these people, with this verb, pages are asked for; they have enough of them from the beginning.
SUBJECTS = range(1_000, 1_005)
# Somebody with a tenth of all statements, and a verb of another tenth: they share the three oldest.
BUSY, RARE = 2_000, "witnessed"


def _few() -> Iterator[dict[str, Any]]:
    """The first statements: what the queries ask for, and other people's."""
    others = statements(9)
    yield from itertools.islice(about(others, who=BUSY, said=RARE), 3)
    for who in SUBJECTS:
        yield from itertools.islice(about(others, who=who, said="passed"), 100)
    yield from others


def _many(stored: int) -> Iterator[dict[str, Any]]:
    others = statements(10)
    yield from itertools.islice(about(others, who=BUSY), stored // 10)
    yield from itertools.islice(about(others, said=RARE), stored // 10)
    yield from others


def _queries(laptop: NodeUnderTest, key: str, bare: tuple[int, int], count: int) -> list[Line]:
    client = Client(laptop.port, key)
    known = list(itertools.islice(_few(), FEW))
    since = known[0]["timestamp"]
    registrations = itertools.cycle({one["context"]["registration"] for one in known})
    subjects = itertools.cycle(SUBJECTS)

    def ask(**asked: str) -> bytes:
        return client.ask("GET", f"/xapi/statements?{urlencode({**asked, 'limit': '50'})}")

    def by_agent() -> bytes:
        return ask(agent=json.dumps(person(next(subjects))), verb=verb("passed"), since=since)

    def worst() -> bytes:
        return ask(agent=json.dumps(person(BUSY)), verb=verb(RARE))

    return [
        _beside_bare(name, request, laptop, bare, key, count=count, reach=20)
        for name, request in (
            ("GET of 50 by agent, verb, since", by_agent),
            ("GET of 50 by activity, related", lambda: ask(activity=course(2), related_activities="true")),
            ("GET of 50 by registration", lambda: ask(registration=next(registrations))),
            ("GET of 50 by verb", lambda: ask(verb=verb("passed"))),
            ("GET of 3 shared by a busy agent and verb", worst),
        )
    ]


def _beside_bare(
    name: str,
    request: Callable[[], object],
    laptop: NodeUnderTest,
    bare: tuple[int, int],
    key: str,
    *,
    count: int,
    reach: float,
) -> Line:
    other = Client(bare[1], key)
    assert laptop.process is not None
    base, cost = side_by_side(
        [(lambda: other.ask("GET", "/"), bare[0]), (request, laptop.process.pid)], count=count
    )
    return Line(name=name, cost_us=cost.median_us, against="bare", base_us=base.median_us, reach=reach)


def _fill(laptop: NodeUnderTest, key: str, traffic: Iterator[dict[str, Any]], stored: int) -> None:
    """Send many statements, as programs do."""
    client = Client(laptop.port, key)
    for done in range(0, stored, BATCH):
        client.ask("POST", "/xapi/statements", orjson.dumps(list(itertools.islice(traffic, BATCH))))
        if done % 100_000 == 0:
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def _until_idle(laptop: NodeUnderTest) -> None:
    """Wait until the worker has read what was sent: progress, and numbers for sync."""
    pids, quiet = _pids(laptop), 0
    while quiet < 3:
        before = cpu_ns(pids)
        time.sleep(1)
        quiet = quiet + 1 if cpu_ns(pids) - before < 50_000_000 else 0


def _export(laptop: NodeUnderTest) -> None:
    """Have the server write all statements to a file."""
    node = ServingNode(load_settings(data=str(laptop.data)))
    export_id = node.exporter.queue(StatementFilter(), ExportFormat.JSONL, by=None)
    while True:
        time.sleep(1)
        with node.database.read() as session:
            export = find_export(session, export_id)
        if export is not None and export.finished is not None:
            break
    node.close()


def _forget_peak(laptop: NodeUnderTest) -> None:
    """Begin to measure memory anew: setting the cost of passwords at the start takes 64 MiB once."""
    assert laptop.process is not None
    peak = Path(f"/proc/{laptop.process.pid}/clear_refs")
    if peak.exists():
        peak.write_text("5", encoding="ascii")


def _peak_mb(laptop: NodeUnderTest) -> float:
    """Return the most memory the server has ever had (Linux), or has now."""
    assert laptop.process is not None
    status = Path(f"/proc/{laptop.process.pid}/status")
    if not status.exists():
        return float(psutil.Process(laptop.process.pid).memory_info().rss / 1e6)
    peak = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) * 1024 / 1e6


def _bytes_kept(laptop: NodeUnderTest) -> int:
    return (laptop.data / "outpost.db").stat().st_size


def _count_syncs(laptop: NodeUnderTest, key: str, folder: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        return
    traffic = statements(4)
    bodies = [orjson.dumps(next(traffic)) for _ in range(1000)]
    with counting_syncs(laptop, strace=strace, trace=folder / "trace") as syncs:
        _at_once([], laptop.port, key, bodies[:200])
        before = syncs()
        _at_once([], laptop.port, key, bodies[200:])
        made = syncs() - before
    print(
        f"syncs of the disk, POST of 1, {AT_ONCE} at once: {made} for 800 requests, one for {800 / made:.1f}; reach 8"
    )


def _pids(laptop: NodeUnderTest) -> list[int]:
    assert laptop.process is not None
    return family(laptop.process.pid)


if __name__ == "__main__":
    main()
