"""A course's score is the same on the page after leaving and in the instructor's list."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from content_packages.sequencing.event import Request
from lms.launch.actions import Desk, apply_commit, carry_out, deliver
from lms.launch.attempts import why_of
from lms.launch.course import read_standing
from lms.launch.moving import at_rest
from lms.launch.scores import score_of
from lms.progress.actions import advance
from lms.progress.queries import progress_of
from lms.reports.standing import standing_of
from tests.launch_builders import COURSE, NOON, REGISTRATION, a_commit, a_course, a_desk, taken

JUDGED = {"cmi.completion_status": "completed", "cmi.success_status": "passed"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return a_desk(tmp_path)


@pytest.mark.parametrize(
    ("units", "scores", "said"),
    [(6, [0.79], 0.79), (6, [0.79, 0.5], None), (1, [0.79], 0.79), (2, [0.6, 0.8], 0.7)],
)
def test_the_page_and_the_list_say_the_same(
    session: Session, desk: Desk, units: int, scores: list[float], said: float | None
) -> None:
    a_course(session, desk.shelf, standard="scorm2004", units=units)
    for number, scaled in enumerate(scores, 1):
        delivered = deliver(session, desk, taken(session, desk), now=NOON)
        assert delivered is not None
        words = a_commit(
            1, {**JUDGED, "cmi.score.scaled": str(scaled)}, phase="terminated", reason="terminate"
        )
        apply_commit(session, desk, delivered.launch, *words, now=NOON)
        wanted = Request.EXIT_ALL if number == len(scores) else Request.CONTINUE
        carry_out(session, desk, taken(session, desk), wanted, now=NOON)
    session.flush()
    while advance(session):
        pass

    taking = taken(session, desk)
    standing = at_rest(taking, read_standing(session, taking))
    page = score_of(taking.opened, standing, why_of(session, taking).reached)
    listed = standing_of(progress_of(session, [REGISTRATION])[REGISTRATION], COURSE).score

    assert page == (None if said is None else pytest.approx(said))
    assert listed == (None if said is None else pytest.approx(said))
