"""Jobs: claimed once, tried again, gone when done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from lms.database import Database
from lms.queue import LEASE, claim, enqueue, finish, put_off

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_a_job_is_claimed_by_one_worker_until_its_lease_ends(session: Session) -> None:
    number = enqueue(session, "import", {"upload": "a"}, now=NOON)

    first = claim(session, "import", now=NOON)
    second = claim(session, "import", now=NOON + LEASE - timedelta(seconds=1))
    after_a_crash = claim(session, "import", now=NOON + LEASE)

    assert first is not None
    assert first.id == number
    assert second is None
    assert after_a_crash is not None
    assert after_a_crash.tries == 2


def test_a_job_that_failed_waits_longer_each_time(session: Session) -> None:
    number = enqueue(session, "import", {}, now=NOON)
    pauses = []
    now = NOON
    for _ in range(3):
        job = claim(session, "import", now=now)
        assert job is not None
        put_off(session, number, "disk full", now=now)
        pauses.append(job.due - now)
        now = job.due

    assert pauses == [timedelta(seconds=10), timedelta(seconds=20), timedelta(seconds=40)]


def test_a_finished_job_is_not_claimed_again(session: Session) -> None:
    number = enqueue(session, "import", {}, now=NOON)

    finish(session, number)

    assert claim(session, "import", now=NOON + timedelta(days=1)) is None


def test_a_job_of_a_transaction_that_failed_never_was(database: Database) -> None:
    class PowerCutError(Exception):
        pass

    try:
        with database.write() as session:
            enqueue(session, "import", {}, now=NOON)
            raise PowerCutError
    except PowerCutError:
        pass

    with database.write() as session:
        assert claim(session, "import", now=NOON) is None
