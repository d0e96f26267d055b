"""What the page after leaving tells of this time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from content_packages.sequencing.event import Request
from lms.launch.actions import apply_commit, carry_out, deliver
from lms.launch.attempts import sitting_of
from lms.launch.course import read_standing
from tests.launch_builders import NOON, a_commit, a_course, a_desk, taken

PASSED = {"cmi.completion_status": "completed", "cmi.success_status": "passed"}
INCOMPLETE = {"cmi.completion_status": "incomplete"}


def test_a_lesson_of_an_earlier_attempt_at_the_course_is_not_of_this_time(
    session: Session, tmp_path: Path
) -> None:
    desk = a_desk(tmp_path)
    a_course(session, desk.shelf, standard="scorm2004", units=2)
    sent = ((PASSED, Request.CONTINUE), (PASSED, Request.EXIT_ALL), (INCOMPLETE, Request.EXIT_ALL))
    for minute, (values, then) in enumerate(sent):
        now = NOON + timedelta(minutes=minute)
        delivered = deliver(session, desk, taken(session, desk), now=now)
        assert delivered is not None
        last_words = a_commit(1, dict(values), phase="terminated", reason="terminate")
        apply_commit(session, desk, delivered.launch, *last_words, now=now)
        carry_out(session, desk, taken(session, desk), then, now=now + timedelta(seconds=30))

    taking = taken(session, desk)
    standing = read_standing(session, taking)

    assert standing.attempt == 2
    assert [one.identifier for one in sitting_of(session, taking, standing).units] == ["lesson-1"]
