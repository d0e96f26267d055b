"""What a centre on PostgreSQL stores in a second, beside what PostgreSQL itself takes from ``executemany``.

``make bench`` runs it: two workers, each POST brings 500 statements, eight programs at once. The floor is one program
that parses such statements and inserts them, with an id and four indexes and nothing else, while the centre is halted:
what it still numbers for sync would slow the floor down.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import orjson
import psutil
import psycopg

from tests.benchmarks.cpu import family
from tests.benchmarks.pages import machine
from tests.benchmarks.store import BATCH, Client, floor_row
from tests.benchmarks.traffic import statements
from tests.postgres import start_postgres
from tests.servers import NodeUnderTest, node

PROGRAMS = 8
REACH = 0.3
TURNS = 10


def main() -> None:
    """Measure both in turns, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="batches sent in all (1000)")
    count = parser.parse_args().count
    with (
        tempfile.TemporaryDirectory(prefix="outpost-postgres-", ignore_cleanup_errors=True) as server_folder,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        start_postgres(Path(server_folder)) as postgres,
        node(Path(folder) / "centre", role="central", database_url=postgres.create()) as centre,
    ):
        made = centre.facts("lrs-key", "create", "benchmark", "--scope", "all")
        key = f"{made['key']}:{made['secret']}"
        centre.start("--workers", "2")
        url = postgres.create().replace("+psycopg", "")
        floors, rates = [], []
        for turn in range(TURNS):  # in turns, so that a busy machine slows both alike
            with _halted(centre):
                floors += _floor(url, seed=turn)
            rates.append(_rate(centre, key, seed=turn, batches=max(PROGRAMS, count // TURNS)))
        deadlocks = _deadlocks(centre)
    # The disk halts a batch now and then: of the floor's those are left out, of the centre's they count.
    floor, rate = BATCH / statistics.median(floors), statistics.median(rates)
    print(f"PostgreSQL, executemany of {BATCH}: {floor:,.0f} statements a second")
    print(
        f"POST of {BATCH}, {PROGRAMS} programs, 2 workers: {rate:,.0f} statements a second, {rate / floor:.2f} × that;"
        f" reach {REACH} ×; deadlocks: {deadlocks}"
    )
    print(f"\n{machine()}")


@contextmanager
def _halted(centre: NodeUnderTest) -> Iterator[None]:
    """Let the server and its processes do nothing for a while."""
    assert centre.process is not None
    processes = [psutil.Process(pid) for pid in family(centre.process.pid)]
    for one in processes:
        one.suspend()
    try:
        yield
    finally:
        for one in processes:
            one.resume()


def _floor(url: str, *, seed: int) -> list[float]:
    """Return the seconds that each of twenty batches took."""
    seconds = []
    bodies = [orjson.dumps(one) for one in itertools.islice(statements(100 + seed), 20 * BATCH)]
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute("DROP TABLE IF EXISTS kept")
        connection.execute(
            "CREATE TABLE kept (position bigserial PRIMARY KEY, id text UNIQUE, stored text, verb text, agent text,"
            " activity text, registration text, raw text)"
        )
        for column in ("verb", "agent", "activity", "registration"):
            connection.execute(f"CREATE INDEX ON kept ({column}, position)")
        for first in range(0, len(bodies), BATCH):
            started = time.perf_counter()
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO kept (id, stored, verb, agent, activity, registration, raw)"
                    " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                    [(*row[:-1], row[-1].decode()) for row in map(floor_row, bodies[first : first + BATCH])],
                )
            seconds.append(time.perf_counter() - started)
    return seconds


def _rate(centre: NodeUnderTest, key: str, *, seed: int, batches: int) -> float:
    traffic = statements(200 + seed)
    bodies = [orjson.dumps(list(itertools.islice(traffic, BATCH))) for _ in range(batches)]

    def send(number: int) -> None:
        client = Client(centre.port, key)
        for body in bodies[number::PROGRAMS]:
            client.ask("POST", "/xapi/statements", body)

    started = time.perf_counter()
    with ThreadPoolExecutor(PROGRAMS) as threads:
        list(threads.map(send, range(PROGRAMS)))
    return batches * BATCH / (time.perf_counter() - started)


def _deadlocks(centre: NodeUnderTest) -> int:
    with closing(psycopg.connect(centre.database_url.replace("+psycopg", ""))) as connection:
        ((count,),) = connection.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ).fetchall()
    return int(count)


if __name__ == "__main__":
    main()
