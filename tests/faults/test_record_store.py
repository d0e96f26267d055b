"""The server dies while many programs write to its record store, again and again."""

from __future__ import annotations

import hashlib
import json
import logging
import random
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from lms.database import Database
from tests.faults.conftest import Furnished, integrity
from tests.faults.ledger import NO_FAULTS, find_faults
from tests.faults.programs import STATE, VERB, Programs, state_parameters
from tests.faults.records import Reader
from tests.servers import NodeUnderTest
from xapi_store.feed import statements_after

log = logging.getLogger(__name__)  # `--log-cli-level=INFO` shows what was hit

MOST_ANSWERS = 150  # between two kills
LONGEST_COMMIT_S = 0.02


@pytest.fixture
def reader(laptop: NodeUnderTest, furnished: Furnished) -> Iterator[Reader]:
    with closing(Reader(laptop, furnished.whole_key)) as reader:
        yield reader


@pytest.mark.parametrize(
    ("seed", "cuts"), [(0, 3), *(pytest.param(seed, 25, marks=pytest.mark.soak) for seed in range(1, 5))]
)
def test_what_was_acknowledged_is_there_once_and_unchanged_after_a_kill(
    laptop: NodeUnderTest, furnished: Furnished, reader: Reader, seed: int, cuts: int
) -> None:
    programs = Programs(laptop, furnished.whole_key, seed=seed)
    dice = random.Random(seed)
    seen: dict[str, dict[str, Any]] = {}
    for _ in kills(laptop, programs, dice, cuts):
        stored = list(reader.find(verb=VERB))

        assert find_faults(programs.sent, stored, documents(reader)) == NO_FAULTS
        assert [one["id"] for one in stored] == fed(laptop.data)
        now = {one["id"]: one for one in stored}
        assert [told for told, before in seen.items() if now.get(told) != before] == []
        assert integrity(laptop.data) == "ok"
        seen = now


def kills(laptop: NodeUnderTest, programs: Programs, dice: random.Random, count: int) -> Iterator[None]:
    """Let the programs write, kill the server under them and start it again."""
    for _ in range(count):
        with programs.at_work():
            programs.wait_for(dice.randrange(MOST_ANSWERS))
            time.sleep(dice.uniform(0, LONGEST_COMMIT_S))
            laptop.kill()
        laptop.start()
        log.info("%d acknowledged of %d, then a kill", programs.acknowledged, len(programs.sent))
        yield


def documents(reader: Reader) -> dict[str, Any]:
    """Return all state documents of the programs, and see that each has the entity tag of its content."""
    parameters = state_parameters("")
    del parameters["stateId"]
    found = {}
    for name in reader.get(STATE, **parameters).json():
        answer = reader.get(STATE, **state_parameters(name))
        assert answer.headers["ETag"] == f'"{hashlib.sha1(answer.content).hexdigest()}"'
        found[name] = answer.json()
    return found


def fed(data: Path) -> list[str]:
    """Return the ids of the programs' statements in the order in which sync is given them."""
    with (
        closing(Database(f"sqlite:///{(data / 'outpost.db').as_posix()}")) as database,
        database.read() as session,
    ):
        entries = statements_after(session, 0, limit=1_000_000)
    told = {entry.statement_id: json.loads(entry.raw) for entry in entries}
    assert len(told) == len(entries), "the feed tells a statement twice"
    return [str(UUID(one["id"])) for one in told.values() if one["verb"]["id"] == VERB]
