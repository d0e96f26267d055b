"""The centre's server is several processes, which begin and end together."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
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

    assert falls_silent(centre)


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot ask another process to end, only end it")
def test_the_processes_of_a_server_that_was_asked_to_end_do_so_with_it(centre: NodeUnderTest) -> None:
    status = centre.stop()

    assert status == 0
    assert not answers(centre)


def falls_silent(centre: NodeUnderTest) -> bool:
    """Wait until nobody answers under the server's address; say whether it came to that."""
    deadline = time.monotonic() + ENOUGH_S
    while answers(centre):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def answers(centre: NodeUnderTest) -> bool:
    try:
        return httpx.get(f"{centre.url}/healthz").status_code == 200
    except httpx.TransportError:
        return False
