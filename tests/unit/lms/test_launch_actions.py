"""Delivering a unit, taking its commits, and finding everything again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from content_packages.package import SharedDataMap, Standard
from content_packages.sequencing.event import Request
from lms.courses.tables import Edition
from lms.launch.actions import (
    Delivered,
    Desk,
    StaleCommitError,
    apply_commit,
    boot_values,
    carry_out,
    deliver,
)
from lms.launch.course import CourseWithdrawnError
from lms.launch.queries import SLEEPS_AFTER, LaunchOverError, launch_of
from tests.launch_builders import NOON, PERSON, a_commit, a_course, a_desk, said, statements, taken


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return a_desk(tmp_path)


def begun(session: Session, desk: Desk) -> Delivered:
    delivered = deliver(session, desk, taken(session, desk), now=NOON)
    assert delivered is not None
    return delivered


def test_a_course_begins_with_its_first_lesson(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf)

    delivered = begun(session, desk)

    assert delivered.launch.identifier == "lesson-1"
    assert said(session) == ["attempted course"]


@pytest.mark.parametrize(
    ("standard", "bookmark", "entry"),
    [
        ("scorm12", "cmi.core.lesson_location", "cmi.core.entry"),
        ("scorm2004", "cmi.location", "cmi.entry"),
    ],
)
def test_a_session_that_was_cut_is_resumed_where_it_stopped(
    session: Session, desk: Desk, standard: str, bookmark: str, entry: str
) -> None:
    a_course(session, desk.shelf, standard=standard)  # type: ignore[arg-type]
    first = begun(session, desk)
    apply_commit(session, desk, first.launch, *a_commit(1, {bookmark: "page-3"}), now=NOON)

    again = begun(session, desk)

    values = boot_values(session, taken(session, desk), again.launch)
    assert again.launch.identifier == "lesson-1"
    assert values[bookmark] == "page-3"
    assert values[entry] == "resume"
    assert first.launch.ended == NOON


def test_a_passed_lesson_is_told_once_with_its_score(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf, units=1)
    launch = begun(session, desk).launch
    values = {"cmi.core.lesson_status": "passed", "cmi.core.score.raw": "80"}
    apply_commit(session, desk, launch, *a_commit(1, values), now=NOON)

    apply_commit(session, desk, launch, *a_commit(2, values, phase="terminated"), now=NOON)

    assert said(session) == [
        "attempted course", "initialized unit", "completed unit", "passed unit", "terminated unit",
        "completed course", "passed course",
    ]  # fmt: skip
    passed = next(one for one in statements(session) if one["verb"]["display"]["en"] == "passed")
    assert passed["result"]["score"] == {"scaled": 0.8, "raw": 80.0}
    assert passed["context"]["extensions"]["https://outpost.invalid/xapi/node"] == "laptop-7"
    assert passed["actor"]["account"]["name"] == str(PERSON)


def test_the_same_commit_again_gives_the_same_answer_and_changes_nothing(
    session: Session, desk: Desk
) -> None:
    a_course(session, desk.shelf)
    launch = begun(session, desk).launch
    once = apply_commit(session, desk, launch, *a_commit(1, {"cmi.core.lesson_location": "2"}), now=NOON)
    before = statements(session)

    again = apply_commit(session, desk, launch, *a_commit(1, {"cmi.core.lesson_location": "2"}), now=NOON)

    assert again == once
    assert statements(session) == before


def test_what_a_unit_asks_for_as_the_learner_asks_for_something_else_is_not_carried_out(
    session: Session, desk: Desk
) -> None:
    a_course(session, desk.shelf, standard="scorm2004", units=3)
    carry_out(session, desk, taken(session, desk), Request.CHOICE, "lesson-2", now=NOON)
    second = begun(session, desk)
    asked = {"adl.nav.request": "previous", "cmi.location": "page-2"}

    ended = a_commit(1, asked, phase="terminated", reason="overruled")
    answer = apply_commit(session, desk, second.launch, *ended, now=NOON)
    carry_out(session, desk, taken(session, desk), Request.CONTINUE, now=NOON)

    assert answer["navigation"] is None
    assert begun(session, desk).launch.identifier == "lesson-3"


def test_a_terminate_whose_answer_was_lost_is_answered_again_when_its_launch_is_over(
    session: Session, desk: Desk
) -> None:
    a_course(session, desk.shelf)
    launch = begun(session, desk).launch
    last = a_commit(1, {"cmi.core.exit": "suspend"}, phase="terminated", reason="terminate")
    once = apply_commit(session, desk, launch, *last, now=NOON)
    carry_out(session, desk, taken(session, desk), Request.SUSPEND_ALL, now=NOON)
    before = statements(session)

    again = apply_commit(session, desk, launch, *last, now=NOON)

    assert again == once
    assert statements(session) == before
    with pytest.raises(LaunchOverError):
        apply_commit(session, desk, launch, *a_commit(2), now=NOON)


def test_a_sequence_used_for_something_else_is_refused(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf)
    launch = begun(session, desk).launch
    apply_commit(session, desk, launch, *a_commit(5, {"cmi.core.lesson_location": "2"}), now=NOON)

    with pytest.raises(StaleCommitError) as refused:
        apply_commit(session, desk, launch, *a_commit(5, {"cmi.core.lesson_location": "3"}), now=NOON)

    assert refused.value.sequence == 5


def test_what_a_unit_may_only_read_it_cannot_change(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf)
    launch = begun(session, desk).launch

    answer = apply_commit(session, desk, launch, *a_commit(1, {"cmi.core.student_id": "other"}), now=NOON)

    assert answer["refused"][0]["code"] == "403"
    assert boot_values(session, taken(session, desk), launch)["cmi.core.student_id"] == str(PERSON)


def test_an_answer_is_recorded_with_its_pattern(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf)
    launch = begun(session, desk).launch
    values = {
        "cmi.interactions.0.id": "q1",
        "cmi.interactions.0.type": "choice",
        "cmi.interactions.0.correct_responses.0.pattern": "a,c",
        "cmi.interactions.0.student_response": "a,b",
        "cmi.interactions.0.result": "wrong",
    }

    apply_commit(session, desk, launch, *a_commit(1, values), now=NOON)

    answer = next(one for one in statements(session) if one["verb"]["display"]["en"] == "responded")
    assert answer["object"]["definition"]["correctResponsesPattern"] == ["a[,]c"]
    assert answer["result"] == {"response": "a[,]b", "success": False}


@pytest.mark.parametrize(
    ("standard", "given", "told"),
    [
        ("scorm2004", {"latency": "PT5S"}, {"duration": "PT5S"}),
        ("scorm12", {"latency": "00:00:05.5"}, {"duration": "PT0H0M5.50S"}),
        ("scorm2004", {"result": "0.5"}, {"score": {"raw": 0.5}}),
        ("scorm12", {"result": "-2"}, {"score": {"raw": -2.0}}),
        ("scorm2004", {"result": "neutral"}, {}),
    ],
)
def test_how_an_answer_was_given_is_recorded_with_it(
    session: Session, desk: Desk, standard: Standard, given: dict[str, str], told: dict[str, object]
) -> None:
    assert an_answer(session, desk, standard, given)["result"] == {"response": "Vert", **told}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"description": "{lang=fr}Bonjour"}, {"description": {"fr": "Bonjour"}}),
        ({"description": "Bonjour"}, {"description": {"und": "Bonjour"}}),
        ({"description": "{lang=fr}"}, {}),
        ({"description": "{lang=en-?}Good day"}, {"description": {"und": "{lang=en-?}Good day"}}),
        (
            {"correct_responses.0.pattern": "Vert", "correct_responses.1.pattern": "Vert"},
            {"correctResponsesPattern": ["Vert"]},
        ),
    ],
)
def test_what_was_asked_is_recorded_in_its_language_and_once(
    session: Session, desk: Desk, given: dict[str, str], told: dict[str, object]
) -> None:
    assert an_answer(session, desk, "scorm2004", given)["object"]["definition"] == {
        "type": "http://adlnet.gov/expapi/activities/cmi.interaction",
        "interactionType": "fill-in",
        **told,
    }


def an_answer(session: Session, desk: Desk, standard: Standard, given: dict[str, str]) -> dict[str, Any]:
    """Return the statement about an answer, of which the unit has set all that is *given*."""
    a_course(session, desk.shelf, standard=standard)
    launch = begun(session, desk).launch
    response = "student_response" if standard == "scorm12" else "learner_response"
    values = {"id": "q1", "type": "fill-in", response: "Vert", **given}
    commit = a_commit(1, {f"cmi.interactions.0.{name}": value for name, value in values.items()})

    answer = apply_commit(session, desk, launch, *commit, now=NOON)

    assert answer["refused"] == []
    return next(one for one in statements(session) if one["verb"]["display"]["en"] == "responded")


def test_next_ends_the_lesson_on_the_screen_and_delivers_the_following(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf)
    first = begun(session, desk).launch
    apply_commit(session, desk, first, *a_commit(1), now=NOON)

    carry_out(session, desk, taken(session, desk), Request.CONTINUE, now=NOON)

    assert begun(session, desk).launch.identifier == "lesson-2"
    assert first.ended is not None


def test_a_lesson_that_asks_for_the_next_gets_it(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf, standard="scorm2004")
    launch = begun(session, desk).launch
    commit = a_commit(1, {"adl.nav.request": "continue"}, phase="terminated", reason="terminate")

    answer = apply_commit(session, desk, launch, *commit, now=NOON)

    assert answer["navigation"] == {"delivered": True}
    assert begun(session, desk).launch.identifier == "lesson-2"


def test_terminate_alone_moves_nothing(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf, standard="scorm2004")
    launch = begun(session, desk).launch

    answer = apply_commit(session, desk, launch, *a_commit(1, phase="terminated"), now=NOON)

    assert answer["navigation"] is None


def test_a_course_is_completed_when_its_lessons_are(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf, standard="scorm2004", units=1)
    launch = begun(session, desk).launch
    values = {
        "cmi.completion_status": "completed",
        "cmi.success_status": "passed",
        "adl.nav.request": "exitAll",
    }

    apply_commit(session, desk, launch, *a_commit(1, values, phase="terminated"), now=NOON)

    assert "completed course" in said(session)
    assert "passed course" in said(session)


WRITES = (SharedDataMap(target_id="notes"),)
READS = (SharedDataMap(target_id="notes", write_shared_data=False),)


def test_what_one_unit_stores_for_others_they_read_and_may_not_change(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf, standard="scorm2004", shared_data=(WRITES, READS))
    first = begun(session, desk).launch
    apply_commit(session, desk, first, *a_commit(1, {"adl.data.0.store": "plate 4711"}), now=NOON)
    carry_out(session, desk, taken(session, desk), Request.CONTINUE, now=NOON)
    second = begun(session, desk).launch

    answer = apply_commit(session, desk, second, *a_commit(1, {"adl.data.0.store": "forged"}), now=NOON)

    values = boot_values(session, taken(session, desk), second)
    assert second.identifier == "lesson-2"
    assert (values["adl.data.0.id"], values["adl.data.0.store"]) == ("notes", "plate 4711")
    assert [(one["element"], one["code"]) for one in answer["refused"]] == [("adl.data.0.store", "404")]


@pytest.mark.parametrize(("outlives", "found"), [(True, "plate 4711"), (False, None)])
def test_shared_stores_outlive_an_attempt_where_the_package_says_so(
    session: Session, desk: Desk, outlives: bool, found: str | None
) -> None:
    a_course(
        session, desk.shelf, standard="scorm2004", shared_data=(WRITES, READS), shared_data_global=outlives
    )
    launch = begun(session, desk).launch
    apply_commit(session, desk, launch, *a_commit(1, {"adl.data.0.store": "plate 4711"}), now=NOON)
    carry_out(session, desk, taken(session, desk), Request.EXIT_ALL, now=NOON)

    again = begun(session, desk).launch

    assert boot_values(session, taken(session, desk), again).get("adl.data.0.store") == found


def test_a_withdrawn_edition_is_not_launched_but_what_is_open_may_save(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf)
    launch = begun(session, desk).launch
    session.execute(update(Edition).values(withdrawn=NOON))

    apply_commit(session, desk, launch, *a_commit(1, {"cmi.core.lesson_location": "page-3"}), now=NOON)

    with pytest.raises(CourseWithdrawnError):
        begun(session, desk)
    kept = boot_values(session, taken(session, desk), launch)
    assert kept["cmi.core.lesson_location"] == "page-3"


def test_a_token_is_over_when_nothing_was_heard_of_it(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf)
    delivered = begun(session, desk)

    with pytest.raises(LaunchOverError):
        launch_of(session, delivered.token, now=NOON + SLEEPS_AFTER + timedelta(seconds=1))


def test_a_second_tab_ends_the_first(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf)
    first = begun(session, desk)
    second = begun(session, desk)

    with pytest.raises(LaunchOverError):
        launch_of(session, first.token, now=NOON)
    assert launch_of(session, second.token, now=NOON).id == second.launch.id


@pytest.mark.parametrize("standard", ["site", "scorm12", "scorm2004"])
@pytest.mark.parametrize("way", ["stop", "back"])
def test_what_was_only_shown_is_done_however_it_is_left(
    session: Session, desk: Desk, way: str, standard: Standard
) -> None:
    a_course(session, desk.shelf, standard=standard, units=1, kind="asset")
    delivered = begun(session, desk)
    apply_commit(session, desk, delivered.launch, *a_commit(1, reason="shown"), now=NOON)

    if way == "stop":
        carry_out(session, desk, taken(session, desk), Request.SUSPEND_ALL, now=NOON)
    else:
        left = a_commit(2, phase="terminated", reason="leave")
        apply_commit(session, desk, delivered.launch, *left, now=NOON)

    assert "completed course" in said(session)
