"""Launch logs go a while after their last step, and never while a lesson of their attempt is open."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from content_packages.sequencing.event import Request
from lms.database import Database
from lms.launch.actions import Desk, apply_commit, carry_out, deliver
from lms.launch.old_logs import LOOKED_AT, OldLogs
from lms.launch.tables import LaunchStep
from tests.launch_builders import EDITION, NOON, REGISTRATION, a_commit, a_course, a_desk, taken

DAYS = 100
LONG_AFTER = NOON + timedelta(days=DAYS + 1)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return a_desk(tmp_path)


def begin(database: Database, desk: Desk) -> None:
    with database.write() as session:
        a_course(session, desk.shelf, standard="scorm2004", units=2)
        delivered = deliver(session, desk, taken(session, desk), now=NOON)
        assert delivered is not None
        commit = a_commit(1, {"cmi.completion_status": "incomplete"})
        apply_commit(session, desk, delivered.launch, *commit, now=NOON)


def leave(database: Database, desk: Desk) -> None:
    with database.write() as session:
        carry_out(session, desk, taken(session, desk), Request.EXIT_ALL, now=NOON)


def a_log(database: Database, *, days_ago: int, steps: int = 2) -> None:
    """Keep the log of somebody else."""
    whose = uuid4()
    with database.write() as session:
        session.add_all(
            LaunchStep(
                registration=whose, number=number, at=LONG_AFTER - timedelta(days=days_ago - number), edition=EDITION,
                attempt=1, event={"kind": "start"}, outcome={}, base=None, before=b"", after=b"",
            )
            for number in range(1, steps + 1)
        )  # fmt: skip


def logs(database: Database) -> int:
    with database.read() as session:
        return len(session.scalars(select(LaunchStep.registration).distinct()).all())


def drop(database: Database, *, days: int = DAYS) -> int:
    """Drop what is old; return in how many turns."""
    old = OldLogs(database, days=lambda: days, now=lambda: LONG_AFTER)
    turns = 1
    while old.drop_some():
        turns += 1
    return turns


def test_the_log_of_an_attempt_that_was_left_long_ago_goes(database: Database, desk: Desk) -> None:
    begin(database, desk)
    leave(database, desk)

    drop(database)

    assert logs(database) == 0


def test_the_log_of_a_lesson_that_is_open_stays_however_old_it_is(database: Database, desk: Desk) -> None:
    begin(database, desk)

    drop(database)

    with database.read() as session:
        assert session.scalars(select(LaunchStep.registration).distinct()).all() == [REGISTRATION]


def test_a_log_stays_whole_while_its_last_step_is_young(database: Database) -> None:
    a_log(database, days_ago=DAYS + 1, steps=2)  # the first step is older than that

    drop(database)

    with database.read() as session:
        assert len(session.scalars(select(LaunchStep.id)).all()) == 2


def test_of_many_logs_only_the_old_ones_go(database: Database) -> None:
    for number in range(LOOKED_AT + 3):
        a_log(database, days_ago=DAYS + 30 if number % 40 == 0 else 9, steps=1)

    drop(database)

    assert logs(database) == LOOKED_AT + 3 - 6


def test_where_logs_are_kept_for_good_none_goes(database: Database) -> None:
    a_log(database, days_ago=10_000)

    turns = drop(database, days=0)

    assert (turns, logs(database)) == (1, 1)
