"""What is remembered of a database is forgotten with the next commit, whoever made it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import create_engine, func, select, text

from lms.database import Database, remembered
from lms.queue import Job, enqueue

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def count_jobs(database: Database, worked_out: list[int]) -> int:
    with database.read() as session:

        def work_out() -> int:
            worked_out.append(session.scalar(select(func.count()).select_from(Job)) or 0)
            return worked_out[-1]

        return remembered(session, "jobs", work_out)


def test_nothing_is_worked_out_again_while_nothing_changes(database: Database) -> None:
    worked_out: list[int] = []

    counted = [count_jobs(database, worked_out) for _ in range(3)]

    assert counted == [0, 0, 0]
    assert len(worked_out) == (1 if database.is_sqlite else 3)


def test_what_this_connection_commits_is_seen(database: Database) -> None:
    worked_out: list[int] = []
    count_jobs(database, worked_out)
    with database.write() as session:  # takes the same connection out of the pool
        enqueue(session, "import", {}, now=NOON)

    assert count_jobs(database, worked_out) == 1


def test_what_another_process_commits_is_seen(database: Database) -> None:
    worked_out: list[int] = []
    with database.write() as session:
        enqueue(session, "import", {}, now=NOON)
    count_jobs(database, worked_out)
    other = create_engine(database.url)
    with other.begin() as connection:
        connection.execute(text("DELETE FROM job"))
    other.dispose()

    assert count_jobs(database, worked_out) == 0
