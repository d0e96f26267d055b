"""How learners stand, read from statements in whatever order they arrive."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from lms.courses.iris import course_iri, unit_iri
from lms.database import Database
from lms.launch.actions import Desk, apply_commit, deliver
from lms.launch.statements import Subject, unit_statement
from lms.progress.actions import advance, rebuild
from lms.progress.queries import progress_of, status
from lms.progress.tables import Progress
from tests.launch_builders import COURSE, NOON, PERSON, REGISTRATION, a_commit, a_course, a_desk, taken
from xapi_store.ingest import store_statements

UNIT = unit_iri(COURSE, REGISTRATION)
CAME = NOON + timedelta(hours=1)
SUBJECT = Subject(
    person=PERSON,
    registration=REGISTRATION,
    launch=REGISTRATION,
    node="laptop-7",
    course=course_iri(COURSE),
    course_title="Border posts",
    unit=UNIT,
    unit_title="Lesson",
    attempt=1,
)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return a_desk(tmp_path)


def kept(database: Database, desk: Desk, made: list[dict[str, Any]]) -> None:
    """Store in a transaction of its own: a feed shows only what is settled."""
    with database.write() as session:
        store_statements(session, made, authority=desk.authority, now=CAME, new_id=desk.new_id)


def read(database: Database, activity: str = UNIT, *, limit: int = 200) -> Progress:
    more = True
    while more:
        with database.write() as session:
            more = advance(session, limit=limit)
    with database.read() as session:
        return progress_of(session, [REGISTRATION])[REGISTRATION][activity]


def test_a_lesson_passed_here_shows_with_score_time_and_laptop(database: Database, desk: Desk) -> None:
    values = {"cmi.core.lesson_status": "passed", "cmi.core.score.raw": "80"}
    with database.write() as session:
        a_course(session, desk.shelf, units=1)
        delivered = deliver(session, desk, taken(session, desk), now=NOON)
        assert delivered is not None
        last_words = a_commit(3, values, phase="terminated", learning_time_s=20)
        apply_commit(session, desk, delivered.launch, *last_words, now=NOON + timedelta(minutes=1))

    row = read(database, unit_iri(COURSE, delivered.launch.unit))

    assert (status(row), row.score, row.node) == ("passed", 0.8, "laptop-7")
    assert (row.seconds, row.learning_seconds) == (30, 20)


@pytest.mark.parametrize(
    "timestamp",
    ["2026-11-24T09:30:00", "20261124T093000Z", "2016-12-31T23:59:60Z", "2026-11-24T09:30:00.123456789Z"],
)
def test_any_timestamp_that_the_store_takes_is_read(database: Database, desk: Desk, timestamp: str) -> None:
    first = unit_statement(SUBJECT, "initialized", now=NOON)
    kept(database, desk, [first, unit_statement(SUBJECT, "passed", now=NOON) | {"timestamp": timestamp}])

    assert status(read(database)) == "passed"


def test_a_clock_that_runs_ahead_is_not_believed(database: Database, desk: Desk) -> None:
    ahead = {"timestamp": "2031-01-01T00:00:00Z"}
    kept(database, desk, [unit_statement(SUBJECT, "completed", now=NOON) | ahead])

    row = read(database)

    assert row.last == CAME


@pytest.mark.parametrize("seed", range(10))
def test_the_order_of_arrival_does_not_matter(database: Database, desk: Desk, seed: int) -> None:
    made = [
        unit_statement(
            SUBJECT,
            verb,
            now=NOON + timedelta(minutes=place),
            result={"score": {"scaled": 0.1 * place}, "duration": "PT60S"},
        )
        for place, verb in enumerate(["passed", "failed", "completed", "terminated", "passed"])
    ]
    random.Random(seed).shuffle(made)
    kept(database, desk, made)

    row = read(database, limit=2)

    assert (status(row), row.score, row.seconds) == ("passed", 0.4, 60)
    assert row.last == NOON + timedelta(minutes=4)
    with database.read() as session:
        assert session.scalar(select(Progress.first)) == NOON


def test_a_pass_is_not_taken_away_by_a_later_failure(database: Database, desk: Desk) -> None:
    verdicts = [("passed", 0.8), ("failed", 0.2)]
    made = [
        unit_statement(
            SUBJECT, verb, now=NOON + timedelta(minutes=place), result={"score": {"scaled": score}}
        )
        for place, (verb, score) in enumerate(verdicts)
    ]
    kept(database, desk, made)

    row = read(database)

    assert (status(row), row.score) == ("passed", 0.8)


def test_reading_twice_counts_once_and_a_rebuild_gives_the_same(database: Database, desk: Desk) -> None:
    kept(database, desk, [unit_statement(SUBJECT, "terminated", now=NOON, result={"duration": "PT60S"})])
    read(database)
    assert read(database).seconds == 60

    with database.write() as session:
        rebuild(session)

    again = read(database)
    assert (again.seconds, again.learning_seconds) == (60, 60)  # a node of before says nothing of pauses


def test_who_has_not_begun_has_no_row() -> None:
    assert status(None) == "not started"
