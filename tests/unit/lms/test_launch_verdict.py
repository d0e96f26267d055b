"""Who passed: what units judge, and nothing that only sequencing assumes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from content_packages.sequencing.definition import (
    ControlModes,
    DeliveryControls,
    Objective,
    SequencingDefinition,
)
from content_packages.sequencing.event import Request
from content_packages.sequencing.tracking import Tracking
from lms.launch.actions import Desk, apply_commit, boot_values, carry_out, deliver
from lms.launch.course import read_standing
from lms.launch.verdict import Verdict, verdict_on
from tests.launch_builders import NOON, a_commit, a_course, a_desk, said, statements, taken

INCOMPLETE_12 = {"cmi.core.lesson_status": "incomplete"}
COMPLETED_12 = {"cmi.core.lesson_status": "completed"}
PASSED_12 = {"cmi.core.lesson_status": "passed", "cmi.core.score.raw": "80"}
FAILED_12 = {"cmi.core.lesson_status": "failed", "cmi.core.score.raw": "20"}
SILENT: dict[str, str] = {}
INCOMPLETE = {"cmi.completion_status": "incomplete"}
PASSED = {"cmi.success_status": "passed", "cmi.completion_status": "completed"}
FAILED = {"cmi.success_status": "failed"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return a_desk(tmp_path)


def take(session: Session, desk: Desk, standard: Any, *units: Mapping[str, str]) -> list[str]:
    """Go through the units by Next, each setting these values; Exit at the last. Return what was said of it all."""
    a_course(session, desk.shelf, standard=standard, units=len(units))
    for number, values in enumerate(units, 1):
        delivered = deliver(session, desk, taken(session, desk), now=NOON)
        assert delivered is not None
        last_words = a_commit(1, dict(values), phase="terminated", reason="terminate")
        apply_commit(session, desk, delivered.launch, *last_words, now=NOON)
        wanted = Request.EXIT_ALL if number == len(units) else Request.CONTINUE
        carry_out(session, desk, taken(session, desk), wanted, now=NOON)
    return [one.removesuffix(" course") for one in said(session) if one.endswith(" course")]


def verdict(session: Session, desk: Desk) -> Verdict:
    """Return what the course amounts to as it stands."""
    taking = taken(session, desk)
    return verdict_on(taking.opened, read_standing(session, taking))


@pytest.mark.parametrize(
    ("standard", "units", "told"),
    [
        ("scorm12", [INCOMPLETE_12], ["attempted"]),
        ("scorm12", [COMPLETED_12], ["attempted", "completed"]),
        ("scorm12", [COMPLETED_12, PASSED_12], ["attempted", "completed", "passed"]),
        ("scorm12", [INCOMPLETE_12, PASSED_12], ["attempted"]),
        ("scorm12", [FAILED_12, PASSED_12], ["attempted", "completed", "failed"]),
        ("scorm2004", [SILENT], ["attempted", "completed"]),
        ("scorm2004", [INCOMPLETE], ["attempted"]),
        ("scorm2004", [PASSED, INCOMPLETE], ["attempted"]),
        ("scorm2004", [SILENT, PASSED], ["attempted", "completed", "passed"]),
        ("scorm2004", [PASSED | INCOMPLETE], ["attempted", "passed"]),
        ("scorm2004", [FAILED, SILENT], ["attempted", "completed", "failed"]),
    ],
)
def test_a_course_is_passed_when_its_units_say_so(
    session: Session, desk: Desk, standard: str, units: list[Mapping[str, str]], told: list[str]
) -> None:
    assert take(session, desk, standard, *units) == told


def pass_by(session: Session, desk: Desk, *, units: int) -> None:
    """Go through units by Next before any has said that it is there; Exit at the last."""
    for number in range(1, units + 1):
        deliver(session, desk, taken(session, desk), now=NOON)
        wanted = Request.EXIT_ALL if number == units else Request.CONTINUE
        carry_out(session, desk, taken(session, desk), wanted, now=NOON)


@pytest.mark.parametrize("mastery_score", [None, "80"])
@pytest.mark.parametrize("units", [1, 2])
def test_a_lesson_of_scorm_1_2_that_never_spoke_is_not_completed(
    session: Session, desk: Desk, units: int, mastery_score: str | None
) -> None:
    a_course(session, desk.shelf, units=units, mastery_score=mastery_score)

    pass_by(session, desk, units=units)

    assert said(session) == ["attempted course"]
    assert verdict(session, desk).completed is not True


@pytest.mark.parametrize("units", [1, 2])
def test_a_lesson_of_scorm_2004_that_never_spoke_is_not_told_as_completed(
    session: Session, desk: Desk, units: int
) -> None:
    a_course(session, desk.shelf, standard="scorm2004", units=units)

    pass_by(session, desk, units=units)

    assert said(session) == ["attempted course"]
    taking = taken(session, desk)
    standing = read_standing(session, taking)
    assert verdict_on(taking.opened, standing).completed is not True
    assert Tracking(taking.opened.tree, standing.state).completed(
        taking.opened.tree.root, taking.opened.tree.root.primary
    )  # the way through the course is open all the same (SN UP.4)


def test_a_lesson_that_spoke_at_last_completes_its_course(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf, standard="scorm2004", units=1)
    pass_by(session, desk, units=1)

    launch = deliver(session, desk, taken(session, desk), now=NOON)
    assert launch is not None
    ended = a_commit(1, {}, phase="terminated", reason="terminate")
    apply_commit(session, desk, launch.launch, *ended, now=NOON)
    carry_out(session, desk, taken(session, desk), Request.EXIT_ALL, now=NOON)

    assert "completed course" in said(session)


def leave_at_once(session: Session, desk: Desk, wanted: Request, target: str | None = None) -> None:
    """Open what is next and leave it before it has said that it is there."""
    assert deliver(session, desk, taken(session, desk), now=NOON) is not None
    carry_out(session, desk, taken(session, desk), wanted, target, now=NOON)


def sit(session: Session, desk: Desk, values: Mapping[str, str]) -> None:
    """Open what is next, and let it say these values and end."""
    launch = deliver(session, desk, taken(session, desk), now=NOON)
    assert launch is not None
    last_words = a_commit(1, dict(values), phase="terminated", reason="terminate")
    apply_commit(session, desk, launch.launch, *last_words, now=NOON)


def test_a_failed_lesson_that_is_opened_again_and_left_at_once_is_not_passed(
    session: Session, desk: Desk
) -> None:
    a_course(session, desk.shelf, standard="scorm2004", units=2)
    sit(session, desk, FAILED | INCOMPLETE)
    carry_out(session, desk, taken(session, desk), Request.CONTINUE, now=NOON)
    sit(session, desk, PASSED)
    carry_out(session, desk, taken(session, desk), Request.CHOICE, "lesson-1", now=NOON)

    leave_at_once(session, desk, Request.EXIT_ALL)

    taking = taken(session, desk)
    assert "passed course" not in said(session)
    assert verdict_on(taking.opened, read_standing(session, taking)).satisfied is not True


def test_what_a_lesson_had_kept_waits_though_it_was_opened_and_left_at_once(
    session: Session, desk: Desk
) -> None:
    a_course(session, desk.shelf, standard="scorm2004", units=2)
    sit(session, desk, {"cmi.suspend_data": "an hour's work", "cmi.exit": "suspend"})
    carry_out(session, desk, taken(session, desk), Request.SUSPEND_ALL, now=NOON)

    leave_at_once(session, desk, Request.CONTINUE)
    carry_out(session, desk, taken(session, desk), Request.PREVIOUS, now=NOON)
    again = deliver(session, desk, taken(session, desk), now=NOON)

    assert again is not None
    found = boot_values(session, taken(session, desk), again.launch)
    assert (found["cmi.suspend_data"], found["cmi.entry"]) == ("an hour's work", "resume")


def test_a_lesson_that_says_itself_when_it_is_complete_is_not_told_as_completed_for_ending(
    session: Session, desk: Desk
) -> None:
    by_content = SequencingDefinition(delivery=DeliveryControls(completion_set_by_content=True))
    a_course(session, desk.shelf, standard="scorm2004", units=1, definitions=[by_content])
    sit(session, desk, {"cmi.score.scaled": "0.9"})
    carry_out(session, desk, taken(session, desk), Request.EXIT_ALL, now=NOON)

    assert verdict(session, desk).completed is not True
    assert not [one for one in said(session) if one.startswith("completed")]


@pytest.mark.parametrize(
    ("scores", "passed", "told"), [(["0.75", "0.7"], False, "failed"), (["0.9", "0.9"], True, "passed")]
)
def test_a_course_that_is_judged_by_its_measure_has_a_verdict_though_no_lesson_gives_one(
    session: Session, desk: Desk, scores: list[str], passed: bool, told: str
) -> None:
    objective = Objective(satisfied_by_measure=True, min_normalized_measure=0.8)
    course = SequencingDefinition(control=ControlModes(flow=True), primary_objective=objective)
    weighed = SequencingDefinition(delivery=DeliveryControls(objective_set_by_content=True))
    a_course(
        session, desk.shelf, standard="scorm2004", units=2, definition=course, definitions=[weighed, weighed]
    )
    sit(session, desk, {"cmi.score.scaled": scores[0], "cmi.completion_status": "completed"})
    assert verdict(session, desk).satisfied is None  # half of it is open
    carry_out(session, desk, taken(session, desk), Request.CONTINUE, now=NOON)
    sit(session, desk, {"cmi.score.scaled": scores[1], "cmi.completion_status": "completed"})
    carry_out(session, desk, taken(session, desk), Request.EXIT_ALL, now=NOON)

    reached = verdict(session, desk)
    assert (reached.completed, reached.satisfied) == (True, passed)
    assert f"{told} course" in said(session)


def test_a_course_is_not_passed_by_lessons_that_were_passed_by(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf, standard="scorm2004", units=3)
    for _ in range(2):
        leave_at_once(session, desk, Request.CONTINUE)
    sit(session, desk, PASSED)
    carry_out(session, desk, taken(session, desk), Request.EXIT_ALL, now=NOON)

    reached = verdict(session, desk)
    assert (reached.completed, reached.satisfied) == (False, None)


def test_a_verdict_of_a_lesson_is_that_of_the_mastery_score_from_the_first(
    session: Session, desk: Desk
) -> None:
    a_course(session, desk.shelf, units=1, mastery_score="80")
    launch = deliver(session, desk, taken(session, desk), now=NOON)
    assert launch is not None
    claimed = {"cmi.core.lesson_status": "passed", "cmi.core.score.raw": "79"}
    apply_commit(session, desk, launch.launch, *a_commit(1, claimed), now=NOON)
    apply_commit(
        session, desk, launch.launch, *a_commit(2, {}, phase="terminated", reason="terminate"), now=NOON
    )

    assert [one for one in said(session) if one.startswith(("passed", "failed"))] == [
        "failed unit",
        "failed course",
    ]


def test_a_verdict_stays_that_of_the_mastery_score_where_the_session_is_cut(
    session: Session, desk: Desk
) -> None:
    a_course(session, desk.shelf, units=1, mastery_score="80")
    launch = deliver(session, desk, taken(session, desk), now=NOON)
    assert launch is not None
    claimed = {"cmi.core.lesson_status": "passed", "cmi.core.score.raw": "79"}
    apply_commit(session, desk, launch.launch, *a_commit(1, claimed), now=NOON)

    carry_out(session, desk, taken(session, desk), Request.EXIT_ALL, now=NOON)

    assert not [one for one in said(session) if one.startswith("passed")]


def test_a_page_of_scorm_1_2_that_is_only_shown_is_completed_by_the_next(
    session: Session, desk: Desk
) -> None:
    a_course(session, desk.shelf, units=2, kind="asset")

    pass_by(session, desk, units=2)

    assert said(session) == ["attempted course", "completed course"]


def test_leaving_an_unfinished_lesson_twice_is_no_pass(session: Session, desk: Desk) -> None:
    take(session, desk, "scorm12", INCOMPLETE_12)

    deliver(session, desk, taken(session, desk), now=NOON)
    carry_out(session, desk, taken(session, desk), Request.EXIT_ALL, now=NOON)

    assert "passed course" not in said(session)


def test_pages_without_a_score_do_not_lower_that_of_a_quiz(session: Session, desk: Desk) -> None:
    take(session, desk, "scorm12", COMPLETED_12, PASSED_12, COMPLETED_12)

    (passed,) = (
        one
        for one in statements(session)
        if one["verb"]["display"]["en"] == "passed" and one["object"]["definition"]["type"].endswith("course")
    )
    assert passed["result"]["score"] == {"scaled": 0.8}
