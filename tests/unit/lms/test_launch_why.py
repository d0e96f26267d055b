"""Why is this not complete: real failures, each told by what decides, what was sent, and what is missing."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from content_packages.cmi5.move_on import UnitState
from content_packages.package import Activity, AssignableUnit, LaunchTarget, Package
from content_packages.sequencing.definition import (
    ChildActivitySet,
    Combination,
    CompletionThreshold,
    Condition,
    ControlModes,
    DeliveryControls,
    LimitConditions,
    Objective,
    ObjectiveMap,
    Operator,
    RollupAction,
    RollupCondition,
    RollupControls,
    RollupRule,
    RuleAction,
    RuleCondition,
    Selection,
    SequencingDefinition,
    SequencingRule,
    Timing,
)
from content_packages.sequencing.event import Request
from lms.cmi5.why import explain_units
from lms.launch.actions import Desk, apply_commit, carry_out, deliver
from lms.launch.attempts import why_of
from lms.launch.documents import GLOBALS, profile_key, write
from lms.launch.verdict import Verdict
from lms.launch.why import Line, Why
from lms.launch.why_wording import (
    CONDITIONS,
    RULE_CONDITIONS,
    SENTENCES,
    say_line,
    say_missing,
    say_whole,
)
from lms.web.locale import language
from tests.launch_builders import NOON, PERSON, a_commit, a_course, a_desk, said, taken

ENGLISH = language("en")
FLOW = ControlModes(flow=True)
PLAIN = SequencingDefinition()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return a_desk(tmp_path)


def sit(
    session: Session, desk: Desk, values: Mapping[str, str], *, ends: bool = True, then: Request | None = None
) -> None:
    """Open what is next, let it send these values, and end it or not; then ask for something."""
    delivered = deliver(session, desk, taken(session, desk), now=NOON)
    assert delivered is not None
    sent = dict(values)
    commit = a_commit(1, sent, phase="terminated", reason="terminate") if ends else a_commit(1, sent)
    apply_commit(session, desk, delivered.launch, *commit, now=NOON)
    if then is not None:
        carry_out(session, desk, taken(session, desk), then, now=NOON + timedelta(minutes=1))


def told(why: Why, place: int) -> tuple[list[str], dict[str, str], list[str]]:
    """Return in English what decides, what was sent, what is missing; names without the marks around them."""
    return words(why.lines[place])


def words(line: Line) -> tuple[list[str], dict[str, str], list[str]]:
    assert ENGLISH is not None
    shown = say_line(line, ENGLISH)
    plain = [[text.replace("\u2068", "").replace("\u2069", "") for text in texts] for texts in
             ([rule for rule, _ in shown.rules], shown.missing)]  # fmt: skip
    return plain[0], dict(shown.sent), plain[1]


def test_a_lesson_that_never_sets_completion(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf, units=1)
    sit(
        session,
        desk,
        {"cmi.core.lesson_status": "incomplete", "cmi.core.score.raw": "100"},
        then=Request.EXIT_ALL,
    )

    why = why_of(session, taken(session, desk))

    assert not why.reached.is_final
    assert told(why, 0)[2] == ["Still missing: Lesson 1."]
    assert told(why, 1) == (
        ["The lesson itself says when it is complete."],
        {"cmi.core.lesson_status": "incomplete", "cmi.core.score.raw": "100"},
        ["The lesson says that it is not finished (incomplete), and has not said otherwise since."],
    )


@pytest.mark.parametrize("units", [2, 40])
def test_a_long_course_takes_no_more_queries(session: Session, desk: Desk, units: int) -> None:
    a_course(session, desk.shelf, units=units)
    sit(session, desk, {"cmi.core.lesson_status": "completed"}, ends=False)
    session.flush()
    driver = session.connection().connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        pytest.skip("counted by SQLite itself: documents are read past SQLAlchemy's events")
    asked: list[str] = []

    driver.set_trace_callback(asked.append)
    why = why_of(session, taken(session, desk))
    driver.set_trace_callback(None)

    assert len(why.lines) == units + 1
    # Her course's document and its edition; shared objectives, the edition's units and their documents, open launches.
    assert len(asked) == 6


def test_a_score_below_mastery(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf, units=2, mastery_score="80")
    passed = {"cmi.core.lesson_status": "passed", "cmi.core.score.raw": "60"}
    sit(session, desk, passed, then=Request.CONTINUE)
    sit(
        session, desk, {"cmi.core.lesson_status": "passed", "cmi.core.score.raw": "90"}, then=Request.EXIT_ALL
    )

    why = why_of(session, taken(session, desk))

    assert told(why, 0)[2] == ["Not passed: Lesson 1."]
    assert why.lines[1].state == "failed"
    assert told(why, 1)[0][1] == "It is passed with a score of at least 80: the package's mastery score."
    assert told(why, 1)[2] == ["The score is 60; at least 80 is needed."]
    assert told(why, 2)[2] == []


def test_a_score_below_the_measure_of_scorm_2004(session: Session, desk: Desk) -> None:
    judging = SequencingDefinition(
        primary_objective=Objective(satisfied_by_measure=True, min_normalized_measure=0.8)
    )
    a_course(session, desk.shelf, standard="scorm2004", units=1, definitions=[judging])
    sent = {"cmi.completion_status": "completed", "cmi.success_status": "passed", "cmi.score.scaled": "0.55"}
    sit(session, desk, sent, then=Request.EXIT_ALL)

    why = why_of(session, taken(session, desk))

    assert why.lines[1].state == "failed"
    assert told(why, 1)[0][1] == "It is passed with a score of at least 80%."
    assert told(why, 1)[1] == sent
    assert told(why, 1)[2] == ["The score is 55%; at least 80% is needed."]


def test_a_rollup_that_needs_all_children_and_one_was_not_opened(session: Session, desk: Desk) -> None:
    rule = RollupRule(
        action=RollupAction.COMPLETED,
        conditions=(RollupCondition(condition=Condition.ATTEMPTED), RollupCondition(condition=Condition.COMPLETED)),
        child_activity_set=ChildActivitySet.ALL,
    )  # fmt: skip
    whole = SequencingDefinition(control=FLOW, rollup_rules=(rule,))
    a_course(session, desk.shelf, standard="scorm2004", units=3, definition=whole)
    for then in (Request.CONTINUE, Request.EXIT_ALL):
        sit(session, desk, {"cmi.completion_status": "completed"}, then=then)

    why = why_of(session, taken(session, desk))

    assert told(why, 0)[0] == ["It is complete when all of its parts are: opened or complete."]
    assert why.lines[0].rules[0][1] == "RB.1.3 b"
    assert told(why, 0)[2] == ["Still missing: Lesson 3."]
    assert told(why, 3)[2] == ["It has not been opened yet."]


def test_a_rollup_by_number(session: Session, desk: Desk) -> None:
    rule = RollupRule(
        action=RollupAction.COMPLETED, conditions=(RollupCondition(condition=Condition.COMPLETED),),
        child_activity_set=ChildActivitySet.AT_LEAST_COUNT, minimum_count=2,
    )  # fmt: skip
    whole = SequencingDefinition(control=FLOW, rollup_rules=(rule,))
    a_course(session, desk.shelf, standard="scorm2004", units=3, definition=whole)
    sit(session, desk, {"cmi.completion_status": "completed"}, then=Request.EXIT_ALL)

    rules, _, missing = told(why_of(session, taken(session, desk)), 0)

    assert rules == ["It is complete when at least 2 of its parts are: complete."]
    assert missing == ["So far 1 of 3.", "Still missing: Lesson 2 · Lesson 3."]


def test_only_what_the_rule_around_still_waits_for_is_missing(session: Session, desk: Desk) -> None:
    rule = RollupRule(
        action=RollupAction.COMPLETED, conditions=(RollupCondition(condition=Condition.COMPLETED),),
        child_activity_set=ChildActivitySet.AT_LEAST_COUNT, minimum_count=2,
    )  # fmt: skip
    whole = SequencingDefinition(control=FLOW, rollup_rules=(rule,))
    left_out = SequencingDefinition(
        rollup=RollupControls(rollup_objective_satisfied=False, rollup_progress_completion=False)
    )
    untracked = SequencingDefinition(delivery=DeliveryControls(tracked=False))
    a_course(
        session, desk.shelf, standard="scorm2004", units=4, definition=whole,
        definitions=[PLAIN, PLAIN, left_out, untracked],
    )  # fmt: skip
    sit(session, desk, COMPLETED, then=Request.CONTINUE)

    before = why_of(session, taken(session, desk))
    sit(session, desk, FAILED, then=Request.EXIT_ALL)
    after = why_of(session, taken(session, desk))

    assert [one.title for one in before.open_lines] == ["Lesson 2", "Border posts"]
    assert told(before, 3)[2][0] == "Not needed: “Border posts” does not wait for it."
    assert [one.title for one in after.open_lines] == ["Lesson 2", "Border posts"]  # it was failed
    assert told(after, 4)[2][0] == "Not needed: “Border posts” does not wait for it."


def test_a_package_that_forgot_the_rule_for_complete(session: Session, desk: Desk) -> None:
    rule = RollupRule(
        action=RollupAction.INCOMPLETE, conditions=(RollupCondition(condition=Condition.NEVER),)
    )
    whole = SequencingDefinition(control=FLOW, rollup_rules=(rule,))
    a_course(session, desk.shelf, standard="scorm2004", units=1, definition=whole)
    sit(session, desk, {"cmi.completion_status": "completed"}, then=Request.EXIT_ALL)

    why = why_of(session, taken(session, desk))

    assert told(why, 0)[2] == ["The package has no rule by which it ever becomes complete."]
    assert told(why, 1)[2] == []


def test_a_film_of_which_less_was_watched_than_is_enough(session: Session, desk: Desk) -> None:
    enough = SequencingDefinition(
        completion_threshold=CompletionThreshold(completed_by_measure=True, min_progress_measure=0.9)
    )
    a_course(session, desk.shelf, standard="file", units=1, definitions=[enough], viewer="video")
    sit(session, desk, {"cmi.progress_measure": "0.6", "cmi.exit": "suspend"}, then=Request.SUSPEND_ALL)

    why = why_of(session, taken(session, desk))

    assert told(why, 1)[0] == ["It is complete when at least 90% of it has been watched."]
    assert told(why, 1)[1]["cmi.progress_measure"] == "0.6"
    assert told(why, 1)[2] == [
        "So far 60% has been watched; at least 90% is needed.",
        "It was interrupted and goes on from there when it is opened again.",
    ]


@pytest.mark.parametrize(
    ("standard", "sent"),
    [("scorm12", {"cmi.core.lesson_location": "p3"}), ("scorm2004", {"cmi.location": "p3"})],
)
def test_a_lesson_that_was_left_without_being_ended(
    session: Session, desk: Desk, standard: Any, sent: dict[str, str]
) -> None:
    a_course(session, desk.shelf, standard=standard, units=1)
    sit(session, desk, sent, ends=False)

    open_still = told(why_of(session, taken(session, desk)), 1)[2]
    deliver(session, desk, taken(session, desk), now=NOON)
    cut = told(why_of(session, taken(session, desk)), 1)[2]

    silent = "The lesson has not said that it is complete."
    assert open_still == [
        silent, "It was left without being ended. What it had saved is kept; it goes on from there.",
    ]  # fmt: skip
    assert cut == [silent, "It was interrupted and goes on from there when it is opened again."]


def test_nothing_is_missing_where_all_is_done(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf, standard="scorm2004", units=2)
    for then in (Request.CONTINUE, Request.EXIT_ALL):
        sit(session, desk, {"cmi.completion_status": "completed", "cmi.success_status": "passed"}, then=then)

    why = why_of(session, taken(session, desk))

    assert why.reached.is_final
    assert not why.open_lines
    assert ENGLISH is not None
    assert say_whole(why, ENGLISH) == "Nothing is missing: this course is complete."


BY_CONTENT = SequencingDefinition(delivery=DeliveryControls(completion_set_by_content=True))


def test_a_course_that_was_passed_and_not_completed_asks_for_nothing_more(
    session: Session, desk: Desk
) -> None:
    a_course(session, desk.shelf, standard="scorm2004", units=1, definitions=[BY_CONTENT])
    sit(session, desk, {"cmi.success_status": "passed", "cmi.score.scaled": "0.9"}, then=Request.EXIT_ALL)

    why = why_of(session, taken(session, desk))

    assert ENGLISH is not None
    assert why.reached.is_final
    assert say_whole(why, ENGLISH) == (
        "This course is passed, and nothing more is asked for. What is named below need not be made up for."
    )
    assert not why.open_lines
    assert told(why, 0)[2] == ["No longer asked for: this course is passed.", "Not complete: Lesson 1."]
    assert told(why, 1)[2] == [
        "No longer asked for: this course is passed.",
        "The lesson has not said that it is complete.",
    ]


def test_a_course_passed_by_a_shared_objective_asks_for_nothing_more(session: Session, desk: Desk) -> None:
    lessons = [PLAIN, SequencingDefinition(primary_objective=Objective(**shared()))]
    a_course(session, desk.shelf, standard="scorm2004", units=2, definition=FLOWS, definitions=lessons)
    write(session, profile_key(PERSON, GLOBALS), {"safe-at-post": {"satisfied": True}}, now=NOON)
    sit(session, desk, PASSED, then=Request.EXIT_ALL)

    why = why_of(session, taken(session, desk))

    assert why.reached.is_final
    assert not why.open_lines
    assert told(why, 2)[2] == ["No longer asked for: this course is passed.", "It has not been opened yet."]


def a_unit(move_on: Any, mastery: Decimal | None = None) -> Package:
    au = AssignableUnit(move_on=move_on, mastery_score=mastery)
    unit = Activity(
        identifier="u", title="Searching a lorry", kind="au", launch=LaunchTarget(path="i"), au=au
    )
    root = Activity(identifier="c", title="Vehicles", children=(unit,))
    return Package(standard="cmi5", edition="1", identifier="c", title="Vehicles", root=root, files={})


UNDECIDED = Verdict(completed=False, satisfied=None, score=None)


def test_a_unit_that_asks_for_both_and_sent_completed_only() -> None:
    why = explain_units(a_unit("CompletedAndPassed"), {"u": UnitState(completed=True)}, {}, reached=UNDECIDED)

    assert told(why, 0)[2] == ["Still missing: Searching a lorry."]
    assert told(why, 1) == (
        ["It is satisfied when the lesson reports both, completed and passed."],
        {"completed": ""},
        ["The lesson has not reported that it was passed."],
    )


@pytest.mark.parametrize(
    ("move_on", "state", "running", "missing"),
    [
        ("Passed", UnitState(), (), ["It has not been opened yet."]),
        ("Completed", UnitState(), ("u",), [
            "The lesson has not reported that it is completed.",
            "It was left without being ended. What it had saved is kept; it goes on from there.",
        ]),
        ("CompletedOrPassed", UnitState(failed=True), (), [
            "The lesson has reported neither that it is completed nor that it was passed.",
            "The score is 40%; at least 80% is needed.",
        ]),
        ("Passed", UnitState(failed=True), (), ["The score is 40%; at least 80% is needed."]),
        ("CompletedOrPassed", UnitState(completed=True, failed=True), (), [
            "It is satisfied. But the lesson says: not passed. That stands until it reports that it was passed.",
            "The score is 40%; at least 80% is needed.",
        ]),
        ("Passed", UnitState(waived=True), (), []),
        ("NotApplicable", UnitState(), (), []),
    ],
)  # fmt: skip
def test_what_a_unit_lacks(
    move_on: str, state: UnitState, running: tuple[str, ...], missing: list[str]
) -> None:
    scores = {"u": 0.4} if state.failed else {}
    states = {} if state == UnitState() else {"u": state}

    why = explain_units(a_unit(move_on, Decimal("0.8")), states, scores, reached=UNDECIDED, running=running)

    assert told(why, 1)[2] == missing


def test_every_condition_a_rollup_rule_may_name_has_words() -> None:
    said_never = {Condition.ALWAYS, Condition.TIME_LIMIT_EXCEEDED, Condition.OUTSIDE_AVAILABLE_TIME_RANGE}
    said_never |= {Condition.OBJECTIVE_MEASURE_GREATER_THAN, Condition.OBJECTIVE_MEASURE_LESS_THAN}

    assert {name for name, _ in CONDITIONS} == {one.value for one in Condition if one not in said_never}
    for kind in ChildActivitySet:
        assert {f"completed-{kind.value}", f"satisfied-{kind.value}"} <= SENTENCES.keys()


def test_every_rule_that_may_close_a_lesson_has_words() -> None:
    never_known = {Condition.TIME_LIMIT_EXCEEDED, Condition.OUTSIDE_AVAILABLE_TIME_RANGE}
    closing = {"disabled", "skip", "hiddenFromChoice", "attempts"}

    assert {name for name, _ in RULE_CONDITIONS} == {one.value for one in Condition if one not in never_known}
    assert {f"closed-{by}{around}" for by in closing for around in ("", "-around")} <= SENTENCES.keys()
    assert {"closed-stopForwardTraversal-around", "closed-order", "closed-no-way"} <= SENTENCES.keys()


def test_a_pass_mark_of_instructors_stands_in_the_place_of_the_package_s() -> None:
    states, scores = {"u": UnitState(failed=True)}, {"u": 0.7}

    why = explain_units(
        a_unit("Passed", Decimal("0.6")), states, scores, reached=UNDECIDED, marks={"u": Decimal("0.9")}
    )

    assert told(why, 1)[0][1] == "Passed means a score of at least 90%: the pass mark set by instructors."
    assert told(why, 1)[2] == ["The score is 70%; at least 90% is needed."]


def closing(action: RuleAction = RuleAction.DISABLED, **objective: Any) -> SequencingDefinition:
    """A lesson that is shut, or hidden, as long as its objective is not satisfied."""
    rule = SequencingRule(
        action=action, conditions=(RuleCondition(condition=Condition.SATISFIED, operator=Operator.NOT),)
    )
    return SequencingDefinition(pre_condition_rules=(rule,), primary_objective=Objective(**objective))


def shared(*, writes: bool = False) -> dict[str, Any]:
    """An objective that reads, and may write, what courses share."""
    mapped = ObjectiveMap(target_objective_id="safe-at-post", write_satisfied_status=writes)
    return {"objective_id": "own", "maps": (mapped,)}


def looking_at_safe(*, writes: bool = False) -> SequencingDefinition:
    """A lesson that is shut unless an objective that is not its primary one is known to be satisfied."""
    rules = tuple(
        SequencingRule(
            action=RuleAction.DISABLED,
            conditions=(
                RuleCondition(condition=condition, operator=Operator.NOT, referenced_objective="safe"),
            ),
        )
        for condition in (Condition.OBJECTIVE_STATUS_KNOWN, Condition.SATISFIED)
    )
    return SequencingDefinition(
        pre_condition_rules=rules,
        objectives=(Objective(**{**shared(writes=writes), "objective_id": "safe"}),),
    )


COMPLETED = {"cmi.completion_status": "completed"}
FAILED = {**COMPLETED, "cmi.success_status": "failed"}
PASSED = {**COMPLETED, "cmi.success_status": "passed"}
IN_ORDER = SequencingDefinition(control=ControlModes(choice=False, flow=True))


BELOW_80_OR_NOT = SequencingRule(
    action=RuleAction.DISABLED,
    condition_combination=Combination.ANY,
    conditions=(
        RuleCondition(condition=Condition.OBJECTIVE_MEASURE_LESS_THAN, measure_threshold=0.8),
        RuleCondition(condition=Condition.ALWAYS),
    ),
)

FLOWS = SequencingDefinition(control=FLOW)
SHUT = "It is closed: the package keeps it shut as long as this holds of it"


@pytest.mark.parametrize(
    ("course", "lessons", "missing"),
    [
        (FLOWS, [SequencingDefinition(primary_objective=Objective(**shared(writes=True))), closing(**shared())], [
            "It is closed: the package keeps it shut as long as this holds of it: not marked as passed.",
            "What was reached in these lessons can open it: Lesson 1.",
        ]),
        (FLOWS, [PLAIN, closing(**shared())], ["It has not been opened yet."]),
        (FLOWS, [SequencingDefinition(primary_objective=Objective(**shared(writes=True))), looking_at_safe()], [
            f"{SHUT}: its objective “safe” not marked as passed.",
            "What was reached in these lessons can open it: Lesson 1.",
        ]),
        (FLOWS, [SequencingDefinition(), looking_at_safe(writes=True)], [
            f"{SHUT}: its objective “safe” not judged.",
            "A shared objective can open it, which no other lesson of this course sets: safe-at-post.",
        ]),
        (FLOWS, [PLAIN, SequencingDefinition(limits=LimitConditions(attempt_limit=0))], [
            "It is closed: no attempt is left, of 0 that the package allows.",
        ]),
        (FLOWS, [PLAIN, SequencingDefinition(pre_condition_rules=(BELOW_80_OR_NOT,))], [
            "It is closed: the package keeps it shut as long as this holds of it: scored below 80% or (always).",
        ]),
        (IN_ORDER, [PLAIN, PLAIN], ["It cannot be chosen from the outline: Next opens it, after “Lesson 1”."]),
        (SequencingDefinition(control=ControlModes(choice=False)), [PLAIN, PLAIN], [
            "It is closed: neither the outline nor Next leads to it now. Another lesson can lead to it.",
        ]),
        (FLOWS, [PLAIN, PLAIN], ["It has not been opened yet."]),
    ],
)  # fmt: skip
def test_a_lesson_that_is_closed_says_by_what_and_what_opens_it(
    session: Session,
    desk: Desk,
    course: SequencingDefinition,
    lessons: list[SequencingDefinition],
    missing: list[str],
) -> None:
    a_course(session, desk.shelf, standard="scorm2004", units=2, definition=course, definitions=lessons)
    if course.control.flow:
        sit(session, desk, FAILED, then=Request.SUSPEND_ALL)

    assert told(why_of(session, taken(session, desk)), 2)[2] == missing


def test_the_page_after_leaving_says_what_opens_a_lesson_too(session: Session, desk: Desk) -> None:
    lessons = [PLAIN, looking_at_safe()]
    a_course(session, desk.shelf, standard="scorm2004", units=2, definition=FLOWS, definitions=lessons)
    sit(session, desk, {**COMPLETED, "cmi.success_status": "passed"}, then=Request.SUSPEND_ALL)

    assert ENGLISH is not None
    said = say_missing(why_of(session, taken(session, desk)), ENGLISH, most=5).units

    assert said[-1][0] == "Lesson 2"
    assert said[-1][1].replace("\u2068", "").replace("\u2069", "") == (
        f"{SHUT}: its objective “safe” not judged. A shared objective can open it, which no other lesson of this "
        "course sets: safe-at-post."
    )


def test_a_lesson_without_attempts_left_cannot_be_made_up_for(session: Session, desk: Desk) -> None:
    once = SequencingDefinition(limits=LimitConditions(attempt_limit=1))
    a_course(session, desk.shelf, standard="scorm2004", units=2, definition=FLOWS, definitions=[once, PLAIN])
    sit(session, desk, {"cmi.completion_status": "incomplete"}, then=Request.CONTINUE)
    sit(session, desk, COMPLETED, then=Request.SUSPEND_ALL)

    why = why_of(session, taken(session, desk))
    assert ENGLISH is not None
    assert told(why, 1)[2][-2:] == [
        "It is closed: no attempt is left, of 1 that the package allows.",
        "What it lacks can no longer be made up for.",
    ]
    assert (
        say_missing(why, ENGLISH, most=5).units[0][1].endswith("What it lacks can no longer be made up for.")
    )


def test_a_lesson_that_is_not_listed_says_how_to_come_to_it(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf, standard="scorm2004", units=2, definition=FLOWS, unlisted=2)
    sit(session, desk, COMPLETED, then=Request.SUSPEND_ALL)

    assert told(why_of(session, taken(session, desk)), 2)[2] == [
        "It has not been opened yet.",
        "The package does not list it in the outline. Next and Previous can lead to it.",
    ]


@pytest.mark.parametrize(
    ("sent", "shared_status", "says"),
    [
        (FAILED, {"satisfied": True}, "A shared objective says that it was passed"),
        (PASSED, {"satisfied": False}, "A shared objective says that it was not passed"),
    ],
)
def test_a_lesson_that_a_shared_objective_of_another_course_judges(
    session: Session, desk: Desk, sent: dict[str, str], shared_status: dict[str, bool], says: str
) -> None:
    judged = SequencingDefinition(primary_objective=Objective(**shared(writes=True)))
    a_course(session, desk.shelf, standard="scorm2004", units=2, definitions=[judged, SequencingDefinition()])
    sit(session, desk, sent, then=Request.EXIT_ALL)
    write(session, profile_key(PERSON, GLOBALS), {"safe-at-post": shared_status}, now=NOON)

    why = why_of(session, taken(session, desk))

    assert why.lines[1].state == ("passed" if shared_status["satisfied"] else "failed")
    assert told(why, 1)[0][1] == f"{says}, whatever the lesson itself sent: safe-at-post."
    assert told(why, 1)[1] == sent


def test_a_lesson_reopened_after_it_wrote_a_failure_to_a_shared_objective(
    session: Session, desk: Desk
) -> None:
    judged = SequencingDefinition(primary_objective=Objective(**shared(writes=True)))
    a_course(session, desk.shelf, standard="scorm2004", units=1, definitions=[judged])
    sit(session, desk, FAILED, then=Request.EXIT_ALL)
    deliver(session, desk, taken(session, desk), now=NOON)

    _, sent, missing = told(why_of(session, taken(session, desk)), 1)

    assert sent == {}
    assert missing == [
        "The lesson has not said that it is complete.",
        "The shared objective says: not passed (safe-at-post).",
        "It was completed in an earlier attempt. Opened again, it has begun anew: only the present attempt counts.",
    ]


def test_a_lesson_done_in_an_attempt_that_counts_no_more(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf, standard="scorm2004", units=2, definition=SequencingDefinition())
    carry_out(session, desk, taken(session, desk), Request.CHOICE, "lesson-1", now=NOON)
    sit(session, desk, {**COMPLETED, "cmi.success_status": "passed"}, then=Request.EXIT_ALL)
    carry_out(session, desk, taken(session, desk), Request.CHOICE, "lesson-2", now=NOON)
    sit(session, desk, {"cmi.completion_status": "incomplete"}, then=Request.SUSPEND_ALL)

    why = why_of(session, taken(session, desk))

    assert "Still missing: Lesson 1 · Lesson 2." in told(why, 0)[2]
    assert why.lines[1].state == "passed"
    assert told(why, 1)[2] == [
        (
            "It was done in an earlier attempt at “Border posts”. By the rules of the package only what is done in "
            "the present attempt counts there."
        )
    ]


def test_a_course_is_judged_by_the_lessons_that_were_drawn_for_its_attempt(
    session: Session, desk: Desk
) -> None:
    drawn = Selection(timing=Timing.ON_EACH_NEW_ATTEMPT, count=1)
    course = SequencingDefinition(control=ControlModes(flow=True), selection=drawn)
    a_course(session, desk.shelf, standard="scorm2004", units=9, definition=course)
    sit(session, desk, {**COMPLETED, "cmi.success_status": "failed"}, then=Request.EXIT_ALL)
    assert said(session)[-1] == "failed course"
    sit(session, desk, {"cmi.completion_status": "incomplete"}, then=Request.EXIT_ALL)
    sit(session, desk, {**COMPLETED, "cmi.success_status": "passed"}, then=Request.EXIT_ALL)

    why = why_of(session, taken(session, desk))

    assert (why.reached.completed, why.reached.satisfied) == (True, True)
    assert said(session)[-1] == "passed course"
    (passed,) = [place for place, line in enumerate(why.lines) if line.state == "passed" and place]
    assert told(why, passed)[2] == []
    not_drawn = "The package draws some of its lessons for each attempt, and this one is not among them:"
    for place, line in enumerate(why.lines[1:], 1):
        if place != passed:
            assert (told(why, place)[2], line.is_needed) == ([f"{not_drawn} it is not asked for."], False)


def test_a_lesson_that_was_done_and_is_closed_now_says_by_what(session: Session, desk: Desk) -> None:
    lessons = [PLAIN, looking_at_safe()]
    a_course(session, desk.shelf, standard="scorm2004", units=2, definition=FLOWS, definitions=lessons)
    write(session, profile_key(PERSON, GLOBALS), {"safe-at-post": {"satisfied": True}}, now=NOON)
    carry_out(session, desk, taken(session, desk), Request.CHOICE, "lesson-2", now=NOON)
    sit(session, desk, PASSED, then=Request.EXIT_ALL)
    sit(session, desk, {"cmi.completion_status": "incomplete"}, then=Request.SUSPEND_ALL)
    write(session, profile_key(PERSON, GLOBALS), {"safe-at-post": {"satisfied": False}}, now=NOON)

    missing = told(why_of(session, taken(session, desk)), 2)[2]

    assert missing == [
        (
            "It was done in an earlier attempt at “Border posts”. By the rules of the package only what is done in "
            "the present attempt counts there."
        ),
        f"{SHUT}: its objective “safe” not marked as passed.",
        "A shared objective can open it, which no other lesson of this course sets: safe-at-post.",
    ]


def made(why: Why, place: int) -> list[str]:
    assert ENGLISH is not None
    said = say_line(why.lines[place], ENGLISH).made
    return [one.replace("\u2068", "").replace("\u2069", "") for one in said]


SET_AT_END = (
    "The lesson ended without sending cmi.core.lesson_status. By the standard it was then set to “{value}”."
)
SET_BY_MASTERY = (
    "As the lesson ended, cmi.core.lesson_status was set to “{value}” by the mastery score, "
    "as the standard asks."
)
STATUS, RAW = "cmi.core.lesson_status", "cmi.core.score.raw"


@pytest.mark.parametrize(
    ("kind", "values", "sentence"),
    [
        ("sco", {}, SET_AT_END.format(value="completed")),
        ("asset", {}, SET_AT_END.format(value="completed")),
        ("sco", {"cmi.core.exit": "suspend"}, SET_AT_END.format(value="incomplete")),
        ("sco", {STATUS: "completed", RAW: "80"}, SET_BY_MASTERY.format(value="passed")),
        ("sco", {STATUS: "passed", RAW: "60"}, SET_BY_MASTERY.format(value="failed")),
        ("sco", {STATUS: "passed", RAW: "80"}, None),
    ],
)
def test_what_was_set_as_a_lesson_ended_is_not_told_as_sent(
    session: Session, desk: Desk, kind: Any, values: dict[str, str], sentence: str | None
) -> None:
    a_course(session, desk.shelf, units=1, kind=kind, mastery_score="80")
    sit(session, desk, values, then=Request.EXIT_ALL)

    why = why_of(session, taken(session, desk))

    assert told(why, 1)[1] == {element: values[element] for element in (STATUS, RAW) if element in values}
    assert made(why, 1) == ([sentence] if sentence else [])


def test_what_was_set_stands_until_the_lesson_sends_another(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf, units=1, mastery_score="80")
    sit(session, desk, {}, then=Request.EXIT_ALL)

    sit(session, desk, {RAW: "60"}, then=Request.EXIT_ALL)
    unsent = why_of(session, taken(session, desk))
    sit(session, desk, {STATUS: "incomplete"}, ends=False)
    sent = why_of(session, taken(session, desk))

    assert (told(unsent, 1)[1], made(unsent, 1)) == ({RAW: "60"}, [SET_BY_MASTERY.format(value="failed")])
    assert (told(sent, 1)[1], made(sent, 1)) == ({STATUS: "incomplete", RAW: "60"}, [])


def test_a_lesson_that_only_asked_to_go_on_later_has_not_said_how_it_stands(
    session: Session, desk: Desk
) -> None:
    a_course(session, desk.shelf, units=1)
    sit(session, desk, {"cmi.core.exit": "suspend"}, then=Request.EXIT_ALL)

    assert told(why_of(session, taken(session, desk)), 1)[2] == [
        "The lesson has not said that it is complete.",
        "It was interrupted and goes on from there when it is opened again.",
    ]


BEFORE = (
    "It was {word} in an earlier attempt. Opened again, it has begun anew: only the present attempt counts."
)
STANDS = "This course was {word} before. That stands, whatever comes of the present attempt."


@pytest.mark.parametrize(("sent", "word"), [(PASSED, "passed"), (COMPLETED, "completed")])
def test_a_lesson_and_a_course_that_were_done_and_are_opened_again(
    session: Session, desk: Desk, sent: dict[str, str], word: str
) -> None:
    a_course(session, desk.shelf, standard="scorm2004", units=1, definitions=[BY_CONTENT])
    sit(session, desk, sent, then=Request.EXIT_ALL)

    sit(session, desk, {}, then=Request.SUSPEND_ALL)

    why = why_of(session, taken(session, desk))
    assert ENGLISH is not None
    assert not why.reached.is_final
    assert say_whole(why, ENGLISH) == STANDS.format(word=word)
    assert told(why, 1)[1:] == (
        {},
        ["The lesson has not said that it is complete.", BEFORE.format(word=word)],
    )
    assert say_missing(why, ENGLISH, most=5).units == (
        ("Lesson 1", f"The lesson has not said that it is complete. {BEFORE.format(word=word)}"),
    )


def test_of_a_course_that_was_failed_before_nothing_stands(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf, standard="scorm2004", units=1, definitions=[BY_CONTENT])
    sit(session, desk, FAILED, then=Request.EXIT_ALL)

    sit(session, desk, {}, then=Request.SUSPEND_ALL)

    why = why_of(session, taken(session, desk))
    assert ENGLISH is not None
    assert why.stands is None  # it was not passed, and records say so
    assert say_whole(why, ENGLISH) == ""
    assert told(why, 1)[2] == [
        "The lesson has not said that it is complete.", BEFORE.format(word="completed"),
    ]  # fmt: skip


def test_an_element_without_a_value_was_not_sent(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf, units=1)
    sit(session, desk, {"cmi.core.lesson_status": "incomplete", "cmi.core.score.raw": ""})

    assert told(why_of(session, taken(session, desk)), 1)[1] == {"cmi.core.lesson_status": "incomplete"}


def test_what_is_longer_than_the_standard_promises_is_reported(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf, units=1)
    comments = {f"cmi.interactions.{n}.id": f"{n}-" + "q" * 300 for n in range(4)}
    sit(session, desk, {"cmi.suspend_data": "x" * 64_000, **comments}, ends=False)

    assert ENGLISH is not None
    said = say_line(why_of(session, taken(session, desk)).lines[1], ENGLISH).beyond

    assert said[0].replace("\u2068", "").replace("\u2069", "") == (
        "cmi.suspend_data has 64,000 characters. The standard promises it 4,096; here it is kept whole, elsewhere it "
        "may be cut."
    )
    assert said[3:] == ["Longer than the standard promises, and kept whole: 2 values more."]


def test_what_a_lesson_was_refused_is_told_until_it_stores_something_there(
    session: Session, desk: Desk
) -> None:
    a_course(session, desk.shelf, units=1)
    delivered = deliver(session, desk, taken(session, desk), now=NOON)
    assert delivered is not None
    long = {"code": "405", "length": 64_001, "value": "x" * 60}

    def refused(sequence: int, values: dict[str, str], **by_shim: dict[str, Any]) -> list[str]:
        commit, body = a_commit(sequence, values)
        named = {f"cmi.{element}": one for element, one in by_shim.items()}
        apply_commit(session, desk, delivered.launch, replace(commit, refused=named), body, now=NOON)
        assert ENGLISH is not None
        said = say_line(why_of(session, taken(session, desk)).lines[1], ENGLISH).refused
        return [one.replace("\u2068", "").replace("\u2069", "") for one in said]

    too_long = (
        "It wanted to store 64,001 characters in cmi.suspend_data, which holds no more than 64,000. It was told so; "
        "what was there before is kept."
    )
    status = (
        "It wanted to store “complete” in cmi.core.lesson_status, which the standard does not allow there (error 405). "
        "It was told so."
    )
    assert refused(1, {}, suspend_data=long) == [too_long]
    assert refused(2, {"cmi.core.lesson_status": "complete"}) == [status, too_long]  # refused by the server
    assert refused(3, {"cmi.core.lesson_status": "completed"}) == [too_long]
    assert refused(4, {"cmi.suspend_data": "x"}) == []


def test_what_was_passed_at_a_lower_mark_says_at_which() -> None:
    why = explain_units(
        a_unit("Passed", Decimal("0.6")), {"u": UnitState(passed=True)}, {"u": 0.8},
        reached=UNDECIDED, marks={"u": Decimal("0.9")}, passed_at={"u": Decimal("0.6")},
    )  # fmt: skip

    assert told(why, 1)[0][1:] == [
        "Passed means a score of at least 90%: the pass mark set by instructors.",
        "It was passed when 60% was asked for. What was passed stays so, whatever is asked for now.",
    ]


def test_an_instructor_waives_and_not_the_lesson() -> None:
    why = explain_units(a_unit("Passed"), {"u": UnitState(waived=True)}, {}, reached=UNDECIDED)

    rules, sent, missing = told(why, 1)
    assert rules[-1] == "An instructor has waived it: nothing more is asked of it."
    assert (sent, missing) == ({}, [])
