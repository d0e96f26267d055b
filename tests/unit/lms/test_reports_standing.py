"""What pages say about a registration, from what is known of its activities."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from lms.courses.iris import course_iri, unit_iri
from lms.progress.tables import Progress
from lms.reports.standing import Standing, standing_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
COURSE = uuid4()


def known(
    activity: str, *, score: float | None = None, success: bool | None = None, minutes: int = 1
) -> Progress:
    return Progress(
        registration=uuid4(),
        activity=activity,
        course=course_iri(COURSE),
        score=score,
        success=success,
        completed=None,
        seconds=minutes * 90,
        learning_seconds=minutes * 60,
        first=NOON,
        last=NOON + timedelta(minutes=minutes),
        node=f"laptop-{minutes}",
    )


def test_nothing_known_is_not_started() -> None:
    assert standing_of({}, COURSE) == Standing(status="not started")


def test_a_verdict_on_the_course_is_its_state() -> None:
    own = course_iri(COURSE)

    standing = standing_of({own: known(own, success=True, score=0.9)}, COURSE)

    assert (standing.status, standing.score, standing.word) == ("passed", 0.9, "Passed")


def test_units_alone_make_a_course_in_progress_and_add_up_its_time() -> None:
    one, two = (unit_iri(COURSE, uuid4()) for _ in range(2))

    standing = standing_of({one: known(one, success=True, minutes=3), two: known(two, minutes=5)}, COURSE)

    assert (standing.status, standing.minutes, standing.node) == ("in progress", 8, "laptop-5")
    assert standing.minutes_with_pauses == 12


def test_the_score_of_one_of_several_scored_units_is_not_the_courses() -> None:
    one, two = (unit_iri(COURSE, uuid4()) for _ in range(2))

    assert standing_of({one: known(one, score=0.5)}, COURSE).score == 0.5
    assert standing_of({one: known(one, score=0.5), two: known(two, score=0.7)}, COURSE).score is None
