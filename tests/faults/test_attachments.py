"""The server dies while programs send it large files: whatever was acknowledged has its bytes."""

from __future__ import annotations

import hashlib
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.faults.conftest import Furnished
from tests.servers import NodeUnderTest
from tests.xapi_builders import a_statement, an_attachment, an_id, files_in, with_files
from xapi_store.attachments import MAX_BYTES_IN_ROW

PROGRAMS = 3
SIZES = (1000, MAX_BYTES_IN_ROW + 1, 1_000_000)
LONGEST_S = 1.0


def a_client(laptop: NodeUnderTest, furnished: Furnished) -> httpx.Client:
    key = furnished.whole_key
    return httpx.Client(
        base_url=f"{laptop.url}/xapi",
        auth=(key["key"], key["secret"]),
        headers={"X-Experience-API-Version": "2.0.0"},
        timeout=30,
    )


def send_files(laptop: NodeUnderTest, furnished: Furnished, acknowledged: dict[str, bytes]) -> None:
    """Send statements with files until the server dies."""
    with a_client(laptop, furnished) as client:
        while True:
            statement_id, content = an_id(), os.urandom(random.choice(SIZES))
            statement = a_statement(id=statement_id, attachments=[an_attachment(content)])
            try:
                answer: Any = with_files(client, statement, content)  # type: ignore[arg-type]
            except httpx.HTTPError:
                return
            assert answer.status_code == 200
            acknowledged[statement_id] = content


@pytest.mark.parametrize("kills", [3, pytest.param(30, marks=pytest.mark.soak)])
def test_what_was_acknowledged_has_its_bytes_after_a_kill(
    laptop: NodeUnderTest, furnished: Furnished, kills: int
) -> None:
    acknowledged: dict[str, bytes] = {}
    for _ in range(kills):
        with ThreadPoolExecutor(PROGRAMS) as threads:
            sending = [threads.submit(send_files, laptop, furnished, acknowledged) for _ in range(PROGRAMS)]
            time.sleep(random.uniform(0.1, LONGEST_S))
            laptop.kill()
            for program in sending:
                program.result()
        laptop.start()

    assert len(acknowledged) >= kills
    with a_client(laptop, furnished) as client:
        for statement_id, content in acknowledged.items():
            asked = {"statementId": statement_id, "attachments": "true"}
            _, files = files_in(client.get("/statements", params=asked))
            ((_, read),) = files.values()
            assert hashlib.sha256(read).digest() == hashlib.sha256(content).digest()
