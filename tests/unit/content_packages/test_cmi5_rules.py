"""What a unit of cmi5 may say, rule by rule; each case is a good statement with one thing changed."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from content_packages.cmi5.move_on import UnitState
from content_packages.cmi5.rules import RULES, TRANSITIONS, RuleBrokenError, Session, State, accept
from content_packages.cmi5.vocabulary import (
    CMI5,
    LAUNCH_MODE,
    MASTERY_SCORE,
    MOVE_ON,
    SESSION_ID,
    VOIDED,
    Verb,
)

ACTIVITY, PUBLISHER = "https://outpost.invalid/courses/1/units/2", "https://example.org/au/1"
REGISTRATION = "ccaf384c-f8d4-4e7a-8304-49af58f0b176"
RUNNING = Session(
    session_id="session-1",
    registration=REGISTRATION,
    account=("https://outpost.invalid/people", "p1"),
    activity_id=ACTIVITY,
    publisher_id=PUBLISHER,
    mastery_score=Decimal("0.9"),
    state=State.INITIALIZED,
    said=frozenset({Verb.INITIALIZED}),
)
RESULTS: dict[Verb, dict[str, Any]] = {
    Verb.INITIALIZED: {},
    Verb.COMPLETED: {"completion": True, "duration": "PT1M"},
    Verb.PASSED: {
        "success": True,
        "duration": "PT1M",
        "score": {"scaled": 0.9, "raw": 90, "min": 0, "max": 100},
    },
    Verb.FAILED: {"success": False, "duration": "PT1M", "score": {"scaled": 0.89}},
    Verb.TERMINATED: {"duration": "PT1M"},
}


def said(verb: str, *, defined: bool = True) -> dict[str, Any]:
    """Return a good statement."""
    rule = RULES.get(Verb(verb)) if defined else None
    categories = [{"id": CMI5}] * defined + [{"id": MOVE_ON}] * bool(rule and rule.has_move_on)
    return {
        "id": "11111111-1111-4111-8111-111111111111",
        "timestamp": "2026-11-24T12:00:00.000Z",
        "actor": {
            "objectType": "Agent",
            "account": {"homePage": "https://outpost.invalid/people", "name": "p1"},
        },
        "verb": {"id": verb},
        "object": {"id": ACTIVITY},
        "context": {
            "registration": REGISTRATION,
            "contextActivities": {"grouping": [{"id": PUBLISHER}], "category": categories},
            "extensions": {SESSION_ID: "session-1", **({MASTERY_SCORE: 0.9} if rule else {})},
        },
        "result": deepcopy(RESULTS[Verb(verb)]) if defined else {},
    }


def changed(verb: str, alter: Callable[[dict[str, Any]], object], *, defined: bool = True) -> dict[str, Any]:
    statement = said(verb, defined=defined)
    alter(statement)
    return statement


def refused(session: Session, statement: dict[str, Any]) -> str:
    """Return the section by which it is refused."""
    with pytest.raises(RuleBrokenError) as broken:
        accept(session, statement)
    return broken.value.section


def put(*path: str, value: object) -> Callable[[dict[str, Any]], object]:
    def alter(statement: dict[str, Any]) -> None:
        inner = statement
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
        inner[path[-1]] = value

    return alter


def drop(*path: str) -> Callable[[dict[str, Any]], object]:
    def alter(statement: dict[str, Any]) -> None:
        inner = statement
        for name in path[:-1]:
            inner = inner[name]
        del inner[path[-1]]

    return alter


def with_category(iri: str) -> Callable[[dict[str, Any]], object]:
    return lambda one: one["context"]["contextActivities"]["category"].append({"id": iri})


@pytest.mark.parametrize("verb", [Verb.COMPLETED, Verb.PASSED, Verb.FAILED, Verb.TERMINATED])
def test_a_good_statement_is_taken(verb: Verb) -> None:
    after = accept(RUNNING, said(verb))

    assert verb in after.said
    assert after.state is TRANSITIONS[State.INITIALIZED][verb]


def test_what_counts_is_known_of_the_unit_afterwards() -> None:
    after = accept(accept(RUNNING, said(Verb.COMPLETED)), said(Verb.PASSED))

    assert after.unit == UnitState(completed=True, passed=True)


FORM = [
    (drop("timestamp"), "9.7"),
    (put("timestamp", value="2026-11-24T12:00:00-06:00"), "9.7"),
    (put("timestamp", value="2026-11-24T12:00:00"), "9.7"),
    (put("actor", "objectType", value="Group"), "9.2"),
    (put("actor", value={"mbox": "mailto:a@example.org"}), "9.2"),
    (put("actor", "account", "name", value="p2"), "9.2"),
    (drop("context"), "9.6.1"),
    (drop("context", "registration"), "9.6.1"),
    (put("context", "registration", value="11111111-1111-4111-8111-111111111111"), "9.6.1"),
    (drop("context", "extensions", SESSION_ID), "9.6.3.1"),
    (put("context", "extensions", SESSION_ID, value="session-2"), "9.6.3.1"),
]


@pytest.mark.parametrize("defined", [True, False])
@pytest.mark.parametrize(("alter", "section"), FORM)
def test_every_statement_has_the_form_of_the_session(
    alter: Callable[[dict[str, Any]], object], section: str, defined: bool
) -> None:
    assert refused(RUNNING, changed(Verb.PASSED, alter, defined=defined)) == section


@pytest.mark.parametrize(("name", "section"), [("id", "9.1"), ("timestamp", "9.7")])
def test_what_the_store_had_to_add_was_missing(name: str, section: str) -> None:
    with pytest.raises(RuleBrokenError) as broken:
        accept(RUNNING, said(Verb.PASSED), added={name})

    assert broken.value.section == section


CONTENT = [
    (Verb.PASSED, put("object", "id", value="http://example.org/other"), "9.4"),
    (Verb.PASSED, put("object", value={"objectType": "StatementRef", "id": ACTIVITY}), "9.4"),
    (Verb.PASSED, put("context", "contextActivities", "grouping", value=[]), "9.6.2"),
    (Verb.PASSED, put("result", "completion", value=True), "9.5.3"),
    (Verb.COMPLETED, put("result", "success", value=True), "9.5.2"),
    (Verb.COMPLETED, drop("result", "completion"), "9.5.3"),
    (Verb.COMPLETED, put("result", "completion", value=False), "9.5.3"),
    (Verb.COMPLETED, put("result", "score", value={"scaled": 0.95}), "9.5.1"),
    (Verb.TERMINATED, put("result", "score", value={"scaled": 0.95}), "9.5.1"),
    (Verb.TERMINATED, put("result", "success", value=True), "9.5.2"),
    (Verb.TERMINATED, drop("result"), "9.5.4.1"),
    (Verb.TERMINATED, drop("result", "duration"), "9.5.4.1"),
    (Verb.COMPLETED, drop("result", "duration"), "9.5.4.1"),
    (Verb.PASSED, drop("result", "duration"), "9.5.4.1"),
    (Verb.FAILED, drop("result", "duration"), "9.5.4.1"),
    (Verb.PASSED, drop("result", "success"), "9.5.2"),
    (Verb.PASSED, put("result", "success", value=False), "9.5.2"),
    (Verb.FAILED, drop("result", "success"), "9.5.2"),
    (Verb.FAILED, put("result", "success", value=True), "9.5.2"),
    (Verb.PASSED, drop("result", "score", "min"), "9.5.1"),
    (Verb.PASSED, drop("result", "score", "max"), "9.5.1"),
    (Verb.FAILED, put("result", "score", value={"scaled": -0.1}), "9.5.1"),
    (Verb.PASSED, put("result", "score", value={"scaled": 0.89}), "9.3.4"),
    (Verb.FAILED, put("result", "score", value={"scaled": 0.9}), "9.3.5"),
    (Verb.FAILED, put("result", "score", value={"scaled": 1}), "9.3.5"),
    (Verb.PASSED, drop("context", "extensions", MASTERY_SCORE), "9.6.3.2"),
    (Verb.PASSED, put("context", "extensions", MASTERY_SCORE, value=0.8), "9.6.3.2"),
    (Verb.PASSED, put("context", "extensions", MASTERY_SCORE, value="0.9"), "9.6.3.2"),
    (Verb.COMPLETED, put("context", "contextActivities", "category", value=[{"id": CMI5}]), "9.6.2.2"),
    (Verb.PASSED, put("context", "contextActivities", "category", value=[{"id": CMI5}]), "9.6.2.2"),
    (Verb.FAILED, put("context", "contextActivities", "category", value=[{"id": CMI5}]), "9.6.2.2"),
    (Verb.TERMINATED, with_category(MOVE_ON), "9.6.2.2"),
]


@pytest.mark.parametrize(("verb", "alter", "section"), CONTENT)
def test_each_verb_has_its_own_content(
    verb: Verb, alter: Callable[[dict[str, Any]], object], section: str
) -> None:
    assert refused(RUNNING, changed(verb, alter)) == section


def test_a_verdict_without_a_score_need_not_name_the_mastery_score() -> None:
    statement = said(Verb.PASSED)
    del statement["result"]["score"], statement["context"]["extensions"][MASTERY_SCORE]

    assert accept(RUNNING, statement).unit.passed


@pytest.mark.parametrize("state", [State.LAUNCHED, State.TERMINATED, State.ABANDONED])
@pytest.mark.parametrize("verb", [Verb.COMPLETED, Verb.PASSED, Verb.FAILED, Verb.TERMINATED])
def test_nothing_comes_before_initialized_or_after_the_end(state: State, verb: Verb) -> None:
    session = replace(RUNNING, state=state, said=frozenset())

    assert refused(session, said(verb)) == "9.3"
    assert refused(session, said(verb, defined=False)) == "7.1.3"


@pytest.mark.parametrize("verb", [Verb.INITIALIZED, Verb.COMPLETED, Verb.PASSED, Verb.FAILED])
def test_a_verb_comes_once_in_a_session(verb: Verb) -> None:
    assert refused(replace(RUNNING, said=frozenset({verb, Verb.INITIALIZED})), said(verb)) == "9.3"


@pytest.mark.parametrize(("first", "second"), [(Verb.PASSED, Verb.FAILED), (Verb.FAILED, Verb.PASSED)])
def test_a_session_has_one_verdict(first: Verb, second: Verb) -> None:
    assert refused(accept(RUNNING, said(first)), said(second)) == "9.3"


@pytest.mark.parametrize(
    ("unit", "verb", "section"),
    [
        (UnitState(completed=True), Verb.COMPLETED, "9.3.3"),
        (UnitState(passed=True), Verb.PASSED, "9.3"),
        (UnitState(passed=True), Verb.FAILED, "9.3"),
    ],
)
def test_a_registration_has_one_completed_and_one_passed(unit: UnitState, verb: Verb, section: str) -> None:
    assert refused(replace(RUNNING, unit=unit), said(verb)) == section


def test_failed_may_come_in_every_session_until_passed() -> None:
    again = replace(RUNNING, unit=UnitState(failed=True))

    assert accept(again, said(Verb.FAILED)).unit.failed
    assert accept(again, said(Verb.PASSED)).unit.passed


def test_initialized_comes_after_the_learner_preferences_were_read() -> None:
    session = replace(RUNNING, state=State.LAUNCHED, said=frozenset(), preferences_read=False)

    assert refused(session, said(Verb.INITIALIZED)) == "11"
    assert accept(replace(session, preferences_read=True), said(Verb.INITIALIZED)).state is State.INITIALIZED


@pytest.mark.parametrize("mode", ["Browse", "Review"])
def test_nothing_that_counts_is_taken_in_other_launch_modes(mode: Any) -> None:
    session = replace(RUNNING, launch_mode=mode)

    for verb in (Verb.COMPLETED, Verb.PASSED, Verb.FAILED):
        assert refused(session, said(verb)) == "10.2.2"
    assert accept(session, said(Verb.PASSED, defined=False)) == session
    assert accept(session, said(Verb.TERMINATED)).state is State.TERMINATED


@pytest.mark.parametrize("verb", [*Verb, "http://id.tincanapi.com/verb/viewed"])
def test_any_verb_is_allowed_without_the_category_and_counts_for_nothing(verb: str) -> None:
    statement = changed(verb, put("object", "id", value="http://example.org/video"), defined=False)

    assert accept(RUNNING, statement) == RUNNING


def test_an_allowed_statement_has_no_move_on_category() -> None:
    assert refused(RUNNING, changed(Verb.PASSED, with_category(MOVE_ON), defined=False)) == "9.6.2.2"


@pytest.mark.parametrize("verb", [Verb.LAUNCHED, Verb.ABANDONED, Verb.WAIVED, Verb.SATISFIED, LAUNCH_MODE])
def test_what_the_lms_says_the_unit_may_not(verb: str) -> None:
    assert refused(RUNNING, changed(verb, with_category(CMI5), defined=False)) == "9.3"


def test_a_unit_voids_nothing() -> None:
    assert refused(RUNNING, said(VOIDED, defined=False)) == "6.3"
