"""Commits of one learner that arrive together at several processes: one after the other, none half."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lms.database import Database
from lms.launch.actions import Desk, StaleCommitError, apply_commit, boot_values, deliver
from lms.launch.queries import launch_of, launch_to_write
from lms.people.tables import Person
from tests.conftest import fresh_schema
from tests.launch_builders import NOON, PERSON, a_commit, a_course, a_desk, said, taken
from tests.postgres import Postgres

LAST = 24


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    """PostgreSQL whatever was asked for: SQLite has one writer and nothing to show here."""
    database = Database(postgres.create())
    fresh_schema(database)
    yield database
    database.close()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return a_desk(tmp_path)


def test_of_commits_that_arrive_together_the_last_one_stands(database: Database, desk: Desk) -> None:
    token = a_learner_in_a_course(database, desk)

    def commit(sequence: int) -> bool:
        values = {"cmi.core.lesson_location": f"page-{sequence}"}
        values |= {f"cmi.interactions.{n}.student_response": "t" for n in range(sequence)}
        values |= {f"cmi.interactions.{n}.type": "true-false" for n in range(sequence)}
        values |= {f"cmi.interactions.{n}.id": f"q{n}" for n in range(sequence)}
        try:
            with database.write() as session:
                launch = launch_to_write(session, token)
                apply_commit(session, desk, launch, *a_commit(sequence, values), now=NOON)
        except StaleCommitError:
            return False
        return True

    with ThreadPoolExecutor(8) as at_once:
        taken_ones = list(at_once.map(commit, range(1, LAST + 1)))

    with database.read() as session:
        launch = launch_of(session, token, now=NOON)
        kept = boot_values(session, taken(session, desk), launch)
        told = said(session)
    assert taken_ones[-1]
    assert launch.sequence == LAST
    assert kept["cmi.core.lesson_location"] == f"page-{LAST}"
    assert told.count("initialized unit") == 1
    assert told.count("responded unit") == LAST


def a_learner_in_a_course(database: Database, desk: Desk) -> str:
    with database.write() as session:
        session.add(
            Person(
                public_id=PERSON, personnel_number="A-1", display_name="A", sort_key="a", search_key="a",
                roles=["officer"], created=NOON, changed=NOON,
            )
        )  # fmt: skip
        a_course(session, desk.shelf)
        delivered = deliver(session, desk, taken(session, desk), now=NOON)
    assert delivered is not None
    return delivered.token
