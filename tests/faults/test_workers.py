"""The centre's server is several processes, which begin and end together."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.postgres import Postgres
from tests.servers import NodeUnderTest, node

ENOUGH_S = 30


@pytest.fixture
def centre(tmp_path: Path, postgres: Postgres) -> Iterator[NodeUnderTest]:
    with node(tmp_path / "centre", role="central", database_url=postgres.create_migrated()) as centre:
        centre.start("--workers", "2")
        yield centre


def test_the_processes_of_a_server_that_was_killed_end_too(centre: NodeUnderTest) -> None:
    centre.kill()

    assert comes_true(lambda: not answers(centre))


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot ask another process to end, only end it")
def test_the_processes_of_a_server_that_was_asked_to_end_do_so_with_it(centre: NodeUnderTest) -> None:
    status = centre.stop()

    assert status == 0
    assert not answers(centre)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the processes are begun in another way")
def test_processes_of_a_server_that_died_are_replaced(centre: NodeUnderTest) -> None:
    assert centre.process is not None
    died = serving(centre.process.pid)
    for one in died:
        one.kill()
    psutil.wait_procs(died)

    assert len(died) == 2
    assert comes_true(lambda: answers(centre))


def serving(server: int) -> list[psutil.Process]:
    """Return the processes that answer: they come out of the one that has loaded the program, a child of the server."""
    below = psutil.Process(server).children(recursive=True)
    return [one for one in below if one.ppid() != server]


def comes_true(condition: Callable[[], bool]) -> bool:
    """Look again and again, for nobody tells of processes that begin and end; say whether it came true in time."""
    deadline = time.monotonic() + ENOUGH_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def answers(centre: NodeUnderTest) -> bool:
    try:
        return httpx.get(f"{centre.url}/healthz").status_code == 200
    except httpx.TransportError:
        return False
