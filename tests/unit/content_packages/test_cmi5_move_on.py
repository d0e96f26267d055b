"""When units, blocks and courses of cmi5 are satisfied."""

from __future__ import annotations

import itertools

import pytest

from content_packages.cmi5.move_on import CRITERIA, UnitState, is_satisfied, newly_satisfied
from content_packages.cmi5.preferences import preferences_fault
from content_packages.package import Activity, AssignableUnit, LaunchTarget, MoveOn


def an_au(name: str, move_on: MoveOn = "Passed") -> Activity:
    return Activity(
        identifier=name,
        title=name,
        kind="au",
        launch=LaunchTarget(path="index.html"),
        au=AssignableUnit(move_on=move_on),
    )


def a_block(name: str, *inside: Activity) -> Activity:
    return Activity(identifier=name, title=name, children=inside)


TABLE: dict[MoveOn, set[tuple[bool, bool]]] = {  # completed, passed
    "NotApplicable": {(False, False), (True, False), (False, True), (True, True)},
    "Passed": {(False, True), (True, True)},
    "Completed": {(True, False), (True, True)},
    "CompletedAndPassed": {(True, True)},
    "CompletedOrPassed": {(True, False), (False, True), (True, True)},
}


@pytest.mark.parametrize("move_on", CRITERIA)
@pytest.mark.parametrize(("completed", "passed", "failed"), list(itertools.product([False, True], repeat=3)))
def test_each_criterion(move_on: MoveOn, completed: bool, passed: bool, failed: bool) -> None:
    state = UnitState(completed=completed, passed=passed, failed=failed)

    assert is_satisfied(an_au("one", move_on), state) == ((completed, passed) in TABLE[move_on])


@pytest.mark.parametrize("move_on", CRITERIA)
def test_a_waived_unit_has_met_any_criterion(move_on: MoveOn) -> None:
    assert is_satisfied(an_au("one", move_on), UnitState(waived=True))


COURSE = a_block(
    "course",
    a_block("outer", a_block("inner", an_au("first"), an_au("second")), an_au("third")),
    an_au("fourth", "NotApplicable"),
)
PASSED = UnitState(passed=True)


def told(*units: str, before: tuple[str, ...] = ()) -> list[str]:
    return [one.identifier for one in newly_satisfied(COURSE, dict.fromkeys(units, PASSED), before)]


def test_a_block_is_satisfied_with_the_last_of_its_units() -> None:
    assert told("first") == []
    assert told("first", "second") == ["inner"]


def test_the_inner_block_comes_before_the_outer_and_the_course_last() -> None:
    assert told("first", "second", "third") == ["inner", "outer", "course"]


def test_what_was_told_is_not_told_again() -> None:
    assert told("first", "second", "third", before=("inner",)) == ["outer", "course"]


def test_a_course_of_nothing_but_not_applicable_is_satisfied_from_the_start() -> None:
    course = a_block("course", a_block("block", an_au("one", "NotApplicable")))

    assert [one.identifier for one in newly_satisfied(course, {}, ())] == ["block", "course"]


def test_a_thousand_units_are_no_trouble() -> None:
    course = a_block("course", *(an_au(str(n)) for n in range(1200)))

    assert newly_satisfied(course, {str(n): PASSED for n in range(1200)}, ()) == (course,)


@pytest.mark.parametrize(
    ("content", "good"),
    [
        ({"languagePreference": "en-US,fr-FR", "audioPreference": "on"}, True),
        ({"languagePreference": "en-US, ar", "audioPreference": "off", "more": 1}, True),
        ({"languagePreference": "not comma separated", "audioPreference": "on"}, False),
        ({"languagePreference": "", "audioPreference": "on"}, False),
        ({"languagePreference": "en,,fr", "audioPreference": "on"}, False),
        ({"languagePreference": "en", "audioPreference": "loud"}, False),
        ({"languagePreference": "en"}, False),
        ({"audioPreference": "on"}, False),
        (["en", "on"], False),
        ("text", False),
    ],
)
def test_learner_preferences_have_languages_and_audio(content: object, good: bool) -> None:
    assert (preferences_fault(content) is None) == good
