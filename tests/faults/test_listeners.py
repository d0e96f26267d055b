"""Listeners of a real server: told by every process, and no reason for it to end late."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.programs import posted
from tests.listening import PATH, listening
from tests.postgres import Postgres
from tests.servers import NodeUnderTest, node
from tests.xapi_builders import a_statement

LISTENERS = 50
ENDS_WITHIN_S = 4  # of the ten that a server has


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[NodeUnderTest]:
    with node(tmp_path / "laptop") as laptop:
        laptop.start()
        yield laptop


@pytest.fixture
def centre(tmp_path: Path, postgres: Postgres) -> Iterator[NodeUnderTest]:
    with node(tmp_path / "centre", role="central", database_url=postgres.create_migrated()) as centre:
        centre.start("--workers", "2")
        yield centre


def token(place: NodeUnderTest) -> str:
    made: str = place.facts("token", "create", "dashboard", "--scope", "progress.see")["token"]
    return made


def post(place: NodeUnderTest, key: dict[str, Any], count: int) -> list[str]:
    """Store statements, each by a request and a connection of its own."""
    told = []
    for _ in range(count):
        answer = httpx.post(
            f"{place.url}/xapi/statements",
            content=posted([a_statement()]).body,
            auth=(key["key"], key["secret"]),
            headers={"X-Experience-API-Version": "1.0.3", "Content-Type": "application/json"},
        )
        assert answer.status_code == 200, answer.text
        told += answer.json()
    return told


def test_every_process_of_the_server_tells_what_any_of_them_stored(centre: NodeUnderTest) -> None:
    key = centre.facts("lrs-key", "create", "programs", "--scope", "all")
    opens = token(centre)
    with ExitStack() as stack, ThreadPoolExecutor(max_workers=12) as apart:
        lines = [stack.enter_context(listening(centre.url, opens)) for _ in range(12)]
        heard = [apart.submit(line.take, 30) for line in lines]
        recorded = post(centre, key, 30)
        told = [[one["id"] for one in taken.result()] for taken in heard]

    assert [sorted(ids) for ids in told] == [sorted(recorded)] * len(lines)
    assert all(ids == told[0] for ids in told)


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot ask another process to end, only end it")
def test_listeners_even_one_that_does_not_read_do_not_keep_the_server_from_ending(
    laptop: NodeUnderTest,
) -> None:
    opens = token(laptop)
    key = laptop.facts("lrs-key", "create", "programs", "--scope", "all")
    with ExitStack() as stack, ThreadPoolExecutor(max_workers=LISTENERS) as apart:
        slow = stack.enter_context(closing(socket.create_connection(("localhost", laptop.port))))
        slow.sendall(
            f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {opens}\r\n\r\n".encode()
        )
        lines = [stack.enter_context(listening(laptop.url, opens)) for _ in range(LISTENERS)]
        heard = [apart.submit(line.take, 5) for line in lines]
        recorded = post(laptop, key, 5)
        told = [[one["id"] for one in taken.result()] for taken in heard]
        asked = time.monotonic()

        status = laptop.stop()

        took_s = time.monotonic() - asked
        endings = [line.ends() for line in lines]
    assert told == [recorded] * LISTENERS
    assert status == 0
    assert took_s < ENDS_WITHIN_S
    assert endings == [True] * LISTENERS
    assert "Traceback" not in laptop.log()


def test_who_comes_back_to_a_server_that_was_killed_misses_nothing(laptop: NodeUnderTest) -> None:
    opens = token(laptop)
    key = laptop.facts("lrs-key", "create", "programs", "--scope", "all")
    recorded: list[str] = []
    told: list[str] = []
    last_id = None
    for _ in range(3):
        with listening(laptop.url, opens, last_id=last_id, after="0") as line:
            recorded += post(laptop, key, 7)
            told += [one["id"] for one in line.take(4)]
            last_id = line.last_id
            laptop.kill()
        laptop.start()
    with listening(laptop.url, opens, last_id=last_id) as line:
        told += [one["id"] for one in line.take(len(recorded) - len(told))]

    assert told == recorded
