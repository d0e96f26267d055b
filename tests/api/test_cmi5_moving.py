"""An edition of a cmi5 course replaced under an officer in mid-course: she stays, moves, moves back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from content_packages.cmi5.vocabulary import SESSION_ID, Verb
from lms.database import Database
from tests.cmi5_builders import a_block, a_cmi5_package, a_structure, an_au
from tests.cmi5_launching import ACTOR, LMS, Officer, School, a_school

AU = "https://example.org/au/"
DONE = 'moveOn="Completed"'


def a_package(*units: int, block: int = 1) -> dict[str, bytes]:
    inside = "".join(an_au(f"{AU}{unit}", attributes=DONE) for unit in units)
    return a_cmi5_package(a_structure(a_block(inside, f"https://example.org/block/{block}")))


@pytest.fixture
def school(database: Database, tmp_path: Path) -> Iterator[School]:
    with a_school(database, tmp_path) as school:
        yield school


@pytest.fixture
def officer(school: School) -> Officer:
    """Return an officer who has completed the first of three units and is in the second."""
    officer = school.officer(school.course(a_package(1, 2, 3)))
    completes(officer, 1)
    officer.open(f"{AU}2").start()
    return officer


def completes(officer: Officer, unit: int) -> None:
    opened = officer.open(f"{AU}{unit}")
    opened.start()
    for verb in (Verb.INITIALIZED, Verb.COMPLETED, Verb.TERMINATED):
        assert opened.say(verb).status_code == 200


def editions(school: School, course: str) -> list[str]:
    found = school.browser.get(f"{LMS}/api/v1/courses/{course}", headers=school.known).json()
    return [str(one["id"]) for one in sorted(found["editions"], key=lambda one: one["number"])]


def decide(school: School, officer: Officer, *units: int, block: int = 1) -> Any:
    """Import another edition and decide that those in mid-course go over to it."""
    assert school.course(a_package(*units, block=block), into=officer.course) == officer.course
    first, second = editions(school, officer.course)
    return school.do(f"courses/{officer.course}/moves", source=first, target=second).json()


def listed(officer: Officer) -> list[str]:
    page = officer.get(f"/learn/{officer.course}/units")
    return re.findall(r'data-state="([a-z ]+)" aria-disabled', page)[1:]


def test_without_a_decision_she_stays(school: School, officer: Officer) -> None:
    school.course(a_package(1, 4), into=officer.course)

    assert len(listed(officer)) == 3


def test_what_she_has_done_counts_under_the_same_registration_and_activity(
    school: School, officer: Officer
) -> None:
    before = officer.open(f"{AU}2")
    decide(school, officer, 4, 2, 1)

    assert listed(officer) == ["in progress", "in progress", "completed"]  # she has been in the second
    after = officer.open(f"{AU}2")
    assert (after.registration, after["activityId"]) == (before.registration, before["activityId"])


def test_what_was_open_is_abandoned_in_the_words_of_its_edition(school: School, officer: Officer) -> None:
    opened = officer.open(f"{AU}2")
    opened.start()
    decide(school, officer, 1, 4)

    officer.open()

    abandoned = [one for one in school.statements() if one["verb"]["id"] == Verb.ABANDONED][-1]
    assert abandoned["context"]["extensions"][SESSION_ID] == opened.session_id
    assert abandoned["object"]["id"] == opened["activityId"]
    assert opened.say(Verb.INITIALIZED).status_code in {401, 403}


def test_what_is_satisfied_by_going_over_is_said_once(school: School, officer: Officer) -> None:
    decide(school, officer, 1, block=2)

    for _ in range(2):
        assert "Completed" in officer.get(f"/learn/{officer.course}/units")

    satisfied = [one for one in school.statements() if one["verb"]["id"] == Verb.SATISFIED]
    kinds = [one["object"]["definition"]["type"].rpartition("/")[2] for one in satisfied]
    assert kinds == ["block", "course"]
    assert {one["context"]["registration"] for one in satisfied} == {officer.open(f"{AU}1").registration}


def test_who_has_finished_stays(school: School, officer: Officer) -> None:
    completes(officer, 2)
    completes(officer, 3)
    decide(school, officer, 1, 4)

    assert len(listed(officer)) == 3


def test_who_goes_back_finds_what_she_had(school: School, officer: Officer) -> None:
    move = decide(school, officer, 4, 5)
    assert listed(officer) == ["in progress", "not started"]

    school.do(f"courses/{officer.course}/moves/{move['id']}/undo")

    assert listed(officer) == ["completed", "in progress", "not started"]


def test_a_decision_taken_before_she_began_does_not_concern_her(school: School, officer: Officer) -> None:
    decide(school, officer, 1, 4)
    first, _ = editions(school, officer.course)
    school.do(f"courses/{officer.course}/editions/{first}/publish")
    late = school.officer(officer.course, "4712")
    late.open()

    assert len(listed(late)) == 3
    assert len(listed(officer)) == 2


def test_the_instructor_sees_who_would_move_and_what_goes_on(school: School, officer: Officer) -> None:
    school.course(a_package(1, 4), into=officer.course)
    first, second = editions(school, officer.course)

    path = f"{LMS}/api/v1/courses/{officer.course}/editions/{second}/officers"
    (former,) = school.browser.get(path, headers=school.known).json()["editions"]

    assert (former["edition"], former["officers"], former["finished"]) == (first, 1, 0)
    assert (former["begun_kept"], former["begun_gone"], former["may_move"]) == (1, 0, True)


def test_a_program_that_launches_carries_the_decision_out_first(school: School) -> None:
    course = school.course(a_package(1, 2, 3))
    before = school.running(course, 1)  # the second of the first edition
    assert school.course(a_package(4, 5, 2), into=course) == course
    first, second = editions(school, course)
    school.do(f"courses/{course}/moves", source=first, target=second)

    counted_before = school.do(
        f"courses/{course}/units/1/launches", actor=ACTOR, registration=before.registration, edition=first
    )
    after = school.launch(course, 2, registration=before.registration)
    after.start()

    assert (counted_before.status_code, counted_before.json()["code"]) == (409, "other-edition")

    assert (before.edition, after.edition) == (first, second)
    assert after.registration == before.registration
    assert after["activityId"] == before["activityId"]  # it stands last now, and is the unit it was
    assert school.verbs()[:4] == ["launched", "initialized", "abandoned", "launched"]
