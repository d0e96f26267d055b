"""The power of the whole machine goes while programs write to the record store: only what was synced stays.

A killed process loses nothing that it had written, because the kernel lives on and writes it later; so a
store that never synced would pass every test that kills it. Here strace records what the server writes,
syncs and answers, and the database is built anew as a disk may hold it at moments of that record.
"""

from __future__ import annotations

import json
import logging
import random
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from lms.database import Database
from tests.faults.conftest import Furnished, integrity
from tests.faults.disk import TRACED, Disk, Luck
from tests.faults.ledger import NO_FAULTS, Faults, Request, find_faults
from tests.faults.programs import ACTIVITY, VERB, Programs
from tests.servers import LMS
from tests.strace import Call, read_calls, under_strace, wait_for_end
from xapi_store.feed import documents_after, statements_after

log = logging.getLogger(__name__)  # `--log-cli-level=INFO` shows what was hit

DATABASE = "outpost.db"
FILES = (DATABASE, f"{DATABASE}-wal")
ALL = 1_000_000
LUCK = [
    Luck(arrives=0, torn=0),
    Luck(arrives=0.5, torn=0.3),
    Luck(arrives=0.9, torn=0.1),
    Luck(arrives=1, torn=0.02),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut:
    """One power cut: what had been acknowledged before it, and what was found after it."""

    acknowledged: int
    faults: Faults
    integrity: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What a server was sent, what it answered and when, and its disk."""

    sent: list[Request]
    answers: dict[tuple[int, int], int]  # the line of a client and the place on it → the moment
    disk: Disk
    end: int

    def cuts(self, count: int, data: Path) -> Iterator[Cut]:
        """Cut the power at many moments, every second time just after an answer."""
        dice = random.Random(count)
        for number in range(count):
            moments = list(self.answers.values())
            moment = dice.choice(moments) + 1 if number % 2 else dice.randrange(min(moments), self.end)
            yield self._cut(moment, dice, data / f"cut {number}")

    def _cut(self, moment: int, dice: random.Random, data: Path) -> Cut:
        data.mkdir()
        for name, content in self.disk.after_cut(moment, dice, dice.choice(LUCK)).items():
            (data / name).write_bytes(content)

        def answered(request: Request) -> bool:
            return request.acknowledged and self.answers[request.line, request.place] < moment

        whole = integrity(data)
        faults = find_faults(self.sent, *stored(data), answered=answered)
        return Cut(acknowledged=sum(map(answered, self.sent)), faults=faults, integrity=whole)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorder:
    """Takes records of servers."""

    furnished: Furnished
    strace: str
    folder: Path

    def record(self, name: str, *, program: tuple[str, ...], answers: int) -> Record:
        """Let many programs write to a server until it has acknowledged enough."""
        data, trace = self.folder / name, self.folder / f"{name}.trace"
        first = {name: content_of(self.furnished.data / name) for name in FILES}
        traced = (*under_strace(self.strace, trace, *TRACED), *program)
        with self.furnished.copied(data, program=traced) as laptop:
            assert laptop.process is not None
            pid = laptop.process.pid
            programs = Programs(laptop, self.furnished.whole_key, seed=answers)
            with programs.at_work():
                programs.wait_for(answers)
                laptop.kill()
        wait_for_end(trace, pid)
        calls = list(read_calls(trace))
        trace.unlink()
        return Record(
            sent=programs.sent,
            answers=moments_of_answers(calls),
            disk=Disk(data, first, calls),
            end=max(call.entered for call in calls),
        )


@pytest.fixture
def recorder(furnished: Furnished, strace: str, tmp_path: Path) -> Recorder:
    return Recorder(furnished=furnished, strace=strace, folder=tmp_path)


@pytest.mark.parametrize(("cuts", "answers"), [(25, 150), pytest.param(200, 1500, marks=pytest.mark.soak)])
def test_what_was_acknowledged_is_on_the_disk(
    recorder: Recorder, tmp_path: Path, cuts: int, answers: int
) -> None:
    record = recorder.record("laptop", program=LMS, answers=answers)

    acknowledged = 0
    for cut in record.cuts(cuts, tmp_path):
        assert cut.faults == NO_FAULTS
        assert cut.integrity == "ok"
        acknowledged += cut.acknowledged
    assert acknowledged > 0
    log.info(
        "%d cuts, %d acknowledged before them, %d pages of checkpoints",
        cuts,
        acknowledged,
        record.disk.written(DATABASE),
    )


@pytest.mark.parametrize(("cuts", "answers"), [(25, 150), pytest.param(200, 1500, marks=pytest.mark.soak)])
def test_a_store_that_syncs_only_now_and_then_is_seen_to_lose(
    recorder: Recorder, tmp_path: Path, cuts: int, answers: int
) -> None:
    program = (sys.executable, "-m", "tests.faults.forgetful")
    record = recorder.record("forgetful", program=program, answers=answers)

    found = list(record.cuts(cuts, tmp_path))

    assert [cut for cut in found if cut.faults.lost] != []
    for cut in found:  # but SQLite promises that what is there is whole
        assert replace(cut.faults, lost=[]) == NO_FAULTS
        assert cut.integrity == "ok"
    log.info(
        "%d of %d cuts lost something, at most %d statements and documents",
        sum(bool(cut.faults.lost) for cut in found),
        cuts,
        max(len(cut.faults.lost) for cut in found),
    )


def moments_of_answers(calls: list[Call]) -> dict[tuple[int, int], int]:
    """Return when the server began to send each answer, by the client's port and the place among its answers."""
    counted: Counter[int] = Counter()
    moments = {}
    for call in calls:
        if call.target.startswith("TCP") and call.buffers.startswith(b"HTTP/1.1 "):
            port = int(call.target.rstrip("]").rpartition(":")[2])
            moments[port, counted[port]] = call.entered
            counted[port] += 1
    return moments


def stored(data: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Open a database as the product does; return the programs' statements and documents."""
    url = f"sqlite:///{(data / 'outpost.db').as_posix()}"
    with closing(Database(url)) as database, database.read() as session:
        statements = [json.loads(entry.raw) for entry in statements_after(session, 0, limit=ALL)]
        documents = {
            entry.key.name: json.loads(entry.content)
            for entry in documents_after(session, 0, limit=ALL)
            if entry.key.activity == ACTIVITY and entry.content is not None
        }
    return [one for one in statements if one["verb"]["id"] == VERB], documents


def content_of(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
