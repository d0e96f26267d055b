"""The worker: jobs are done, failures are kept with their reason, chores come round."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from lms.database import Database
from lms.queue import Job, claim, enqueue
from lms.worker import Chore, Worker

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_a_job_is_done_once(database: Database) -> None:
    done: list[dict[str, Any]] = []
    worker = Worker(database, now=lambda: NOON, jobs={"import": done.append}, chores=[])
    with database.write() as session:
        enqueue(session, "import", {"upload": "a"}, now=NOON)

    assert worker.run_job("import")
    assert not worker.run_job("import")

    assert done == [{"upload": "a"}]


def test_a_job_that_fails_keeps_its_reason_and_waits(database: Database) -> None:
    def fail(payload: dict[str, Any]) -> None:
        raise OSError("No space left on device")

    clock = [NOON]
    worker = Worker(database, now=lambda: clock[0], jobs={"import": fail}, chores=[])
    with database.write() as session:
        enqueue(session, "import", {}, now=NOON)

    assert worker.run_job("import")
    assert not worker.run_job("import")
    clock[0] += timedelta(minutes=1)
    assert worker.run_job("import")

    with database.read() as session:
        job = session.scalars(select(Job)).one()
    assert (job.tries, job.problem) == (2, "OSError: No space left on device")


def test_a_chore_runs_again_at_once_while_it_has_more_and_rests_afterwards(database: Database) -> None:
    waiting = [3, 2, 1]

    def take_one() -> bool:
        waiting.pop()
        return bool(waiting)

    worker = Worker(database, now=lambda: NOON, jobs={}, chores=[Chore(name="read", every_s=60, do=take_one)])

    ran = [worker.run_chores(clock_s) for clock_s in (100.0, 100.1, 100.2, 101.0)]

    assert ran == [True, True, False, False]
    assert waiting == []


def test_a_chore_in_trouble_does_not_stop_the_next(database: Database) -> None:
    done = []

    def fail() -> bool:
        raise OSError("No route to host")

    def succeed() -> bool:
        done.append("done")
        return False

    chores = [Chore(name="sync", every_s=1, do=fail), Chore(name="read", every_s=1, do=succeed)]
    Worker(database, now=lambda: NOON, jobs={}, chores=chores).run_chores(1.0)

    assert done == ["done"]


def test_what_was_just_written_is_followed_at_once(database: Database) -> None:
    seen = threading.Event()

    def read() -> bool:
        with database.read() as session:
            if session.scalars(select(Job)).first() is not None:
                seen.set()
        return False

    chores = [Chore(name="read", every_s=3600, do=read, follows_writing=True)]
    worker = Worker(database, now=lambda: NOON, jobs={}, chores=chores)
    worker.run_chores(time.monotonic())
    worker.start()
    with database.write() as session:
        enqueue(session, "later", {}, now=NOON, due=NOON + timedelta(days=1))

    followed = seen.wait(timeout=20)

    assert followed
    assert worker.stop(within_s=20)


def test_a_long_job_holds_up_neither_other_kinds_nor_chores(database: Database) -> None:
    link_is_up, imported, read = threading.Event(), threading.Event(), threading.Event()
    jobs = {
        "sync": lambda _payload: link_is_up.wait(20),
        "import": lambda _payload: imported.set(),
    }

    def look() -> bool:
        read.set()
        return False

    chores = [Chore(name="read", every_s=0.01, do=look)]
    worker = Worker(database, now=lambda: NOON, jobs=jobs, chores=chores)
    with database.write() as session:
        enqueue(session, "sync", {}, now=NOON)
    worker.start()
    time.sleep(0.1)  # the meeting has begun
    read.clear()

    with database.write() as session:
        enqueue(session, "import", {}, now=NOON)

    assert imported.wait(timeout=20)
    assert read.wait(timeout=20)
    assert not link_is_up.is_set()
    link_is_up.set()
    assert worker.stop(within_s=20)


def test_what_a_chore_has_set_to_work_ends_with_the_worker(database: Database) -> None:
    class Slow:
        asked = joined = False

        def ask_to_stop(self) -> None:
            self.asked = True

        def join(self, *, within_s: float) -> bool:
            self.joined = self.asked and within_s <= 5
            return False

    slow = Slow()
    worker = Worker(database, now=lambda: NOON, jobs={}, chores=[], helpers=[slow])
    worker.start()

    ended = worker.stop(within_s=5)

    assert slow.joined
    assert not ended


def test_a_job_that_died_with_its_server_is_begun_anew_when_the_next_starts(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("beside other servers a job is left to its lease")
    done = threading.Event()
    with database.write() as session:
        enqueue(session, "import", {}, now=NOON)
    with database.write() as session:
        claim(session, "import", now=NOON)  # and here the power goes

    worker = Worker(database, now=lambda: NOON, jobs={"import": lambda _payload: done.set()}, chores=[])
    worker.start()
    begun = done.wait(10)
    worker.stop(within_s=10)

    assert begun


def test_chores_leave_half_of_a_processor_to_those_who_wait_for_an_answer(database: Database) -> None:
    times = 0

    def never_done() -> bool:
        nonlocal times
        times += 1
        time.sleep(0.05)
        return True

    chore = Chore(name="number", every_s=60, do=never_done)
    worker = Worker(database, now=lambda: NOON, jobs={}, chores=[chore])
    worker.start()
    time.sleep(0.5)
    assert worker.stop(within_s=10)

    assert 1 <= times <= 6  # each time takes 50 ms and is followed by as much rest
