"""How learners stand, read from statements in whatever order they arrive."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.courses.iris import course_iri, unit_iri
from lms.launch.actions import Desk, apply_commit, deliver
from lms.launch.statements import Subject, unit_statement
from lms.progress.actions import advance, rebuild
from lms.progress.queries import progress_of, status
from lms.progress.tables import Progress
from tests.launch_builders import COURSE, NOON, PERSON, REGISTRATION, a_commit, a_course, a_desk, taken
from xapi_store.ingest import store_statements

UNIT = unit_iri(COURSE, REGISTRATION)
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


def test_a_lesson_passed_here_shows_with_score_time_and_laptop(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf, units=1)
    delivered = deliver(session, desk, taken(session, desk), now=NOON)
    assert delivered is not None
    values = {"cmi.core.lesson_status": "passed", "cmi.core.score.raw": "80"}
    apply_commit(session, desk, delivered.launch, *a_commit(3, values, phase="terminated"), now=NOON)

    advance(session)

    row = progress_of(session, [REGISTRATION])[REGISTRATION][unit_iri(COURSE, delivered.launch.unit)]
    assert (status(row), row.score, row.seconds, row.node) == ("passed", 0.8, 30, "laptop-7")


@pytest.mark.parametrize("seed", range(10))
def test_the_order_of_arrival_does_not_matter(session: Session, desk: Desk, seed: int) -> None:
    verdicts = ["passed", "failed", "completed", "terminated", "passed"]
    minutes = itertools.count()
    made = [
        unit_statement(
            SUBJECT, verb, now=NOON + timedelta(minutes=next(minutes)),
            result={"score": {"scaled": 0.1 * place}, "duration": "PT60S"},
        )
        for place, verb in enumerate(verdicts)
    ]  # fmt: skip
    random.Random(seed).shuffle(made)
    store_statements(session, made, authority=desk.authority, now=NOON, new_id=desk.new_id)

    while advance(session, limit=2):
        pass

    row = progress_of(session, [REGISTRATION])[REGISTRATION][UNIT]
    assert (status(row), row.score, row.seconds) == ("passed", 0.4, 60)
    assert (row.first, row.last) == (NOON, NOON + timedelta(minutes=4))


def test_reading_twice_counts_once_and_a_rebuild_gives_the_same(session: Session, desk: Desk) -> None:
    made = unit_statement(SUBJECT, "terminated", now=NOON, result={"duration": "PT60S"})
    store_statements(session, [made], authority=desk.authority, now=NOON, new_id=desk.new_id)
    advance(session)
    advance(session)
    assert session.scalars(select(Progress)).one().seconds == 60

    rebuild(session)
    session.expire_all()
    advance(session)

    assert session.scalars(select(Progress)).one().seconds == 60


def test_who_has_not_begun_has_no_row() -> None:
    assert status(None) == "not started"
