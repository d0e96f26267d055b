"""Many programs send the centre the same statements at the same time, in every order: nobody waits in a circle."""

from __future__ import annotations

import json
import random
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.postgres import Postgres
from tests.servers import NodeUnderTest, node

PROGRAMS = 8
POOL = 60  # statements that all programs send at about the same time; each batch has some of them
STEP = 8  # how far they have moved on with the next batch
BATCH = 30
BASE = "https://courses.example.org"


@pytest.fixture
def centre(tmp_path: Path, postgres: Postgres) -> Iterator[NodeUnderTest]:
    with node(tmp_path / "centre", role="central", database_url=postgres.create_migrated()) as centre:
        centre.start("--workers", "2")
        yield centre


@pytest.mark.parametrize("batches", [240, pytest.param(10_000, marks=pytest.mark.soak)])
def test_batches_that_overlap_do_not_deadlock(centre: NodeUnderTest, batches: int) -> None:
    made = centre.facts("lrs-key", "create", "programs", "--scope", "all")
    key = b64encode(f"{made['key']}:{made['secret']}".encode()).decode()
    sent: set[str] = set()
    answers: Counter[int] = Counter()
    guard = threading.Lock()

    def program(number: int) -> None:
        dice = random.Random(number)
        with closing(HTTPConnection("localhost", centre.port, timeout=60)) as connection:
            for done in range(batches // PROGRAMS):
                window = range(done * STEP, done * STEP + POOL)
                batch = [statement(one) for one in dice.sample(window, BATCH)]
                batch += [statement(dice.getrandbits(64), told=dice.randrange(10**6)) for _ in range(3)]
                dice.shuffle(batch)
                connection.request("POST", "/xapi/statements", json.dumps(batch), headers(key))
                answer = connection.getresponse()
                answer.read()
                with guard:
                    answers[answer.status] += 1
                    sent.update(one["id"] for one in batch)

    with ThreadPoolExecutor(PROGRAMS) as threads:
        list(threads.map(program, range(PROGRAMS)))

    assert answers == {200: batches // PROGRAMS * PROGRAMS}
    assert sorted(stored(centre)) == sorted(sent)
    assert deadlocks(centre) == 0


def statement(number: int, *, told: int = 0) -> dict[str, Any]:
    """Return the statement of a number: always the same, but for what it tells of what many others mention too."""
    words = {"name": {"en": f"Unit {number % 7}, as {told} has it"}} if told else {"name": {"en": "Unit"}}
    who = {"objectType": "Agent", "account": {"homePage": BASE, "name": f"officer-{number % 11}"}}
    return {
        "id": str(UUID(int=random.Random(number).getrandbits(128), version=4)),
        "actor": who | ({"name": f"Name {told}"} if told else {}),
        "verb": {"id": f"{BASE}/verbs/{number % 5}"},
        "object": {"id": f"{BASE}/units/{number % 7}", "definition": words},
        "context": {
            "contextActivities": {"parent": [{"id": f"{BASE}/{number % 3}"}, {"id": f"{BASE}/new/{told}"}]}
        },
        "timestamp": "2026-11-01T12:00:00Z",
    }


def headers(key: str) -> dict[str, str]:
    return {
        "Authorization": f"Basic {key}",
        "X-Experience-API-Version": "1.0.3",
        "Content-Type": "application/json",
    }


def stored(centre: NodeUnderTest) -> list[str]:
    return [str(row[0]) for row in ask(centre, "SELECT id FROM xapi_statement")]


def deadlocks(centre: NodeUnderTest) -> int:
    ((count,),) = ask(centre, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    return int(count)


def ask(centre: NodeUnderTest, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(centre.database_url.replace("+psycopg", "")) as connection:
        return connection.execute(query).fetchall()
