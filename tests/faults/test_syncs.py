"""An answer to a writer has cost a sync; a reader costs none."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.benchmarks.syncs import counting_syncs
from tests.faults.conftest import Furnished
from tests.faults.programs import AGENT, STATE, STATEMENTS, VERB, state_parameters
from tests.servers import NodeUnderTest

Syncs = Callable[[], int]
REST_S, ENOUGH_S = 0.5, 30


@pytest.fixture(scope="module")
def laptop(furnished: Furnished, tmp_path_factory: pytest.TempPathFactory) -> NodeUnderTest:
    return furnished.copy(tmp_path_factory.mktemp("syncs") / "laptop")


@pytest.fixture(scope="module")
def syncs(laptop: NodeUnderTest, strace: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Syncs]:
    trace = tmp_path_factory.mktemp("syncs") / "trace"
    with counting_syncs(laptop, strace=strace, trace=trace) as syncs:
        yield syncs


@pytest.fixture(scope="module")
def client(laptop: NodeUnderTest, furnished: Furnished, syncs: Syncs) -> Iterator[httpx.Client]:
    key, headers = furnished.whole_key, {"X-Experience-API-Version": "1.0.3"}
    with httpx.Client(base_url=laptop.url, auth=(key["key"], key["secret"]), headers=headers) as client:
        yield client


def test_a_statement_is_answered_after_a_sync(client: httpx.Client, syncs: Syncs) -> None:
    statement = {"actor": AGENT, "verb": {"id": VERB}, "object": {"id": VERB}}
    for _ in range(5):
        before = syncs()

        answer = client.post(STATEMENTS, json=statement)

        assert answer.status_code == 200
        assert syncs() > before


def test_a_document_is_answered_after_a_sync(client: httpx.Client, syncs: Syncs) -> None:
    for number in range(5):
        before = syncs()

        answer = client.put(STATE, params=state_parameters("place"), json={"page": number})

        assert answer.status_code == 204
        assert syncs() > before


def test_a_reader_costs_no_sync(client: httpx.Client, syncs: Syncs) -> None:
    before = at_rest(syncs)

    answers = [client.get(STATEMENTS, params={"agent": json.dumps(AGENT)}) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200] * 5
    assert syncs() == before


def at_rest(syncs: Syncs) -> int:
    """Wait until the chores that follow a write are done; return the number of syncs so far."""
    deadline = time.monotonic() + ENOUGH_S
    while time.monotonic() < deadline:
        before = syncs()
        time.sleep(REST_S)
        if syncs() == before:
            return before
    raise AssertionError(f"the server did not come to rest in {ENOUGH_S} s")
