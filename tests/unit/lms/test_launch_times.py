"""How long a session was, with pauses and without: what the browser measured, within what can have been."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from content_packages.sequencing.event import Request
from lms.launch.actions import Desk, apply_commit, carry_out, deliver
from lms.launch.course import read_standing, standing_from
from lms.launch.statements import LEARNING_TIME
from tests.launch_builders import NOON, a_commit, a_course, a_desk, statements, taken


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return a_desk(tmp_path)


@pytest.mark.parametrize(
    ("after_s", "learning_s", "times"),
    [
        (600, 12, (30, 12)),  # commit 3 says that the session has lasted 30 s
        (600, None, (30, 30)),  # a shim of before
        (600, 500, (30, 30)),  # it cannot have been longer than the session
        (10, 25, (11, 11)),  # nor the session than the time since its launch; a begun second is counted
        (-3600, 12, (30, 12)),  # the node's clock was put back: of that nothing follows
    ],
)
def test_times_are_kept_within_what_can_have_been(
    session: Session, desk: Desk, after_s: int, learning_s: int | None, times: tuple[int, int]
) -> None:
    a_course(session, desk.shelf, units=1)
    delivered = deliver(session, desk, taken(session, desk), now=NOON)
    assert delivered is not None

    last_words = a_commit(3, {}, phase="terminated", learning_time_s=learning_s)
    apply_commit(session, desk, delivered.launch, *last_words, now=NOON + timedelta(seconds=after_s))

    launch = delivered.launch
    assert (launch.session_time_s, launch.learning_time_s) == times
    standing = read_standing(session, taken(session, desk))
    assert (standing.seconds, standing.learning_seconds) == times
    (ended,) = (one for one in statements(session) if one["verb"]["display"]["en"] == "terminated")
    assert ended["result"] == {
        "duration": f"PT{times[0]}S", "extensions": {LEARNING_TIME: f"PT{times[1]}S"},
    }  # fmt: skip


def test_neither_time_goes_back_within_a_session_and_sessions_add_up(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf, units=1)
    for _ in range(2):
        delivered = deliver(session, desk, taken(session, desk), now=NOON)
        assert delivered is not None
        for sequence, learning_s in ((2, 15), (3, 9)):  # the second says less than the first
            commit = a_commit(sequence, {"cmi.core.exit": "suspend"}, learning_time_s=learning_s)
            apply_commit(session, desk, delivered.launch, *commit, now=NOON + timedelta(minutes=5))
        carry_out(session, desk, taken(session, desk), Request.SUSPEND_ALL, now=NOON + timedelta(minutes=6))

    standing = read_standing(session, taken(session, desk))

    assert (standing.seconds, standing.learning_seconds) == (60, 30)


def test_of_what_was_kept_before_pauses_were_measured_all_counts() -> None:
    kept = {"attempt": 1, "state": {}, "waiting": None, "open": False, "seconds": 90, "told": {}}

    assert standing_from(kept).learning_seconds == 90


def test_a_launch_keeps_what_its_unit_has_said(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf, units=1)
    delivered = deliver(session, desk, taken(session, desk), now=NOON)
    assert delivered is not None
    passed = {"cmi.core.lesson_status": "passed", "cmi.core.score.raw": "80"}

    apply_commit(session, desk, delivered.launch, *a_commit(1, passed), now=NOON)
    apply_commit(session, desk, delivered.launch, *a_commit(2, passed, phase="terminated"), now=NOON)

    assert delivered.launch.said == ["completed", "passed"]
