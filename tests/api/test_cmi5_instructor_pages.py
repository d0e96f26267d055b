"""What an instructor decides about units of cmi5: waived, ended, and what "passed" wants."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from starlette.testclient import TestClient

from content_packages.cmi5.vocabulary import CMI5, MASTERY_SCORE, MOVE_ON, REASON, Verb
from lms.courses.actions import apply_course
from lms.courses.queries import describe_course, pass_marks_of
from lms.database import Database
from tests.cmi5_builders import a_cmi5_package, a_structure, an_au
from tests.cmi5_launching import LMS, Officer, School, a_school

JUDGED = 'moveOn="Passed" masteryScore="0.5"'
FIRST, SECOND = "https://example.org/au/1", "https://example.org/au/2"
TWO = a_structure(an_au(FIRST, attributes=JUDGED) + an_au(SECOND, attributes='moveOn="Completed"'))


@dataclass
class Instructor:
    """Somebody who looks after learners, in front of her own browser."""

    browser: TestClient

    def ask(self, path: str) -> httpx.Response:
        answer: httpx.Response = self.browser.get(path)
        return answer

    def page(self, path: str) -> str:
        answer = self.ask(path)
        assert answer.status_code == 200, answer.text
        return html.unescape(answer.text)

    def sends(self, path: str, **fields: str) -> httpx.Response:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.browser.get("/courses/import").text)
        assert token is not None
        answer: httpx.Response = self.browser.post(
            path, data={"csrf_token": token[1], **fields}, follow_redirects=False
        )
        return answer


@pytest.fixture
def school(database: Database, tmp_path: Path) -> Iterator[School]:
    with a_school(database, tmp_path) as school:
        yield school


@pytest.fixture
def officer(school: School) -> Officer:
    return school.officer(school.course(a_cmi5_package(TWO)))


@pytest.fixture
def instructor(school: School) -> Instructor:
    _, browser = school.signed_in("1", name="Ina Structor", role="instructor")
    return Instructor(browser)


def units(officer: Officer) -> str:
    return f"/courses/{officer.course}/people/{officer.person}/units"


# ------------------------------------------------------------------ waived and ended


def test_the_roster_leads_to_somebodys_units(officer: Officer, instructor: Instructor) -> None:
    roster = instructor.page(f"/courses/{officer.course}/people")

    assert f'href="{units(officer)}"' in roster
    assert "Units of" in instructor.page(units(officer))


def test_the_log_of_launches_tells_what_each_unit_said_and_how_it_ended(
    school: School, officer: Officer, instructor: Instructor
) -> None:
    assert 'data-testid="launches"' not in instructor.page(units(officer))
    officer.open()  # and left
    second = officer.open(SECOND)
    second.start()
    for verb in (Verb.INITIALIZED, Verb.COMPLETED, Verb.TERMINATED):
        assert second.say(verb).status_code == 200
    officer.open()

    page = instructor.page(units(officer))

    told = re.search(r'data-testid="launches">.*?</table>', page, re.DOTALL)
    assert told is not None
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in told[0].split("</tr>")[1:-1]]
    assert [(row[1], re.sub(r"\s*<.*", "", row[2])) for row in rows] == [
        ("Nothing.", "Still open"),
        ("Begun · Completed", "Ended by the unit"),
        ("Nothing.", "Abandoned: left without being ended"),
    ]
    assert "/records?" not in page  # for administrators
    administrator = Instructor(school.signed_in("2", name="Adam Inistrator", role="hub_admin")[1])
    (way,) = re.findall(r'"(/records\?registration=[0-9a-f-]{36})"', administrator.page(units(officer)))
    assert "launched" in administrator.page(way)


def test_a_unit_is_waived_with_its_reason_and_need_not_be_taken(
    school: School, officer: Officer, instructor: Instructor
) -> None:
    officer.open(FIRST)

    answer = instructor.sends(units(officer) + "/waive", unit=FIRST, reason=" Took it in 2019 ")

    assert answer.status_code == 303
    waived = next(one for one in school.statements() if one["verb"]["id"] == Verb.WAIVED)
    assert waived["result"]["extensions"] == {REASON: "Took it in 2019"}
    assert {one["id"] for one in waived["context"]["contextActivities"]["category"]} == {CMI5, MOVE_ON}
    page = instructor.page(units(officer))
    assert "Waived" in page
    assert page.count('action="' + units(officer) + '/waive"') == 1
    assert officer.open()["activityId"] != waived["object"]["id"]


def test_waiving_begins_the_registration_of_who_has_not_begun(
    school: School, officer: Officer, instructor: Instructor
) -> None:
    instructor.sends(units(officer) + "/waive", unit=SECOND, reason="Knows it")

    assert school.verbs() == ["waived"]
    registration = school.statements()[0]["context"]["registration"]
    assert officer.open(FIRST).registration == registration


def test_what_was_waived_is_not_failed(school: School, officer: Officer, instructor: Instructor) -> None:
    unit = officer.open(FIRST)
    unit.start()
    unit.say(Verb.INITIALIZED)
    assert unit.say(Verb.FAILED, scaled=0.2).status_code == 200
    course = f"/courses/{officer.course}"
    assert "Not passed" in officer.get(f"/learn/{officer.course}/units/why")

    instructor.sends(units(officer) + "/waive", unit=FIRST, reason="Took it in 2019")
    instructor.sends(units(officer) + "/waive", unit=SECOND, reason="Knows it")

    pages = [officer.get(f"/learn/{officer.course}/units/{page}") for page in ("why", "after")]
    school.progress()
    pages += [officer.get(course), instructor.page(f"{course}/people")]
    for page in pages:
        assert "Not passed" not in page
    assert all("Waived" in page for page in pages[:3])
    assert {one.success for one in officer.known().values()} == {None, False}
    assert "Completed" in pages[3]


@pytest.mark.parametrize("reason", ["", "   ", "x" * 1001])
def test_nothing_is_waived_without_a_reason_that_can_be_kept(
    school: School, officer: Officer, instructor: Instructor, reason: str
) -> None:
    answer = instructor.sends(units(officer) + "/waive", unit=FIRST, reason=reason)

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert school.verbs() == []


def test_a_unit_is_waived_once(school: School, officer: Officer, instructor: Instructor) -> None:
    for _ in range(2):
        answer = instructor.sends(units(officer) + "/waive", unit=FIRST, reason="Knows it")

    assert answer.status_code == 409
    assert school.verbs().count("waived") == 1


def test_what_is_open_is_ended_after_a_question(
    school: School, officer: Officer, instructor: Instructor
) -> None:
    opened = officer.open(FIRST)
    opened.start()
    assert "what it has not sent yet is lost" in instructor.page(units(officer))

    for _ in range(2):  # asked twice, or ended meanwhile: there is nothing to say about it
        answer = instructor.sends(units(officer) + "/abandon", session_id=opened.session_id)
        assert answer.status_code == 303

    assert school.verbs() == ["launched", "abandoned"]
    assert opened.say(Verb.INITIALIZED).status_code in {401, 403}
    assert "End it" not in instructor.page(units(officer))


def test_nobody_ends_a_session_of_somebody_else_by_it(
    school: School, officer: Officer, instructor: Instructor
) -> None:
    officer.open(FIRST)
    other = school.officer(officer.course, "4712").open(FIRST)

    instructor.sends(units(officer) + "/abandon", session_id=other.session_id)

    assert school.verbs() == ["launched", "launched"]


def test_officers_decide_nothing(officer: Officer) -> None:
    for path in (units(officer), f"/courses/{officer.course}/pass-marks"):
        assert officer.browser.get(path).status_code == 403


def test_who_does_not_take_the_course_has_no_units(officer: Officer, instructor: Instructor) -> None:
    assert instructor.ask(f"/courses/{officer.course}/people/{uuid4()}/units").status_code == 404


# ------------------------------------------------------------------ what "passed" wants


def marks(officer: Officer) -> str:
    return f"/courses/{officer.course}/pass-marks"


def field_of(page: str) -> str:
    (unit,) = re.findall(r'<input id="([0-9a-f-]{36})"', page)
    return str(unit)


def test_a_pass_mark_is_what_the_unit_is_told_and_held_to(
    school: School, officer: Officer, instructor: Instructor
) -> None:
    page = instructor.page(marks(officer))
    assert "The package says 50%" in page

    answer = instructor.sends(marks(officer), **{field_of(page): "82,5"})

    assert answer.status_code == 303
    assert 'value="82.5"' in instructor.page(marks(officer))
    unit = officer.open(FIRST)
    unit.start()
    launched = school.statements()[-1]
    assert unit.data["masteryScore"] == launched["context"]["extensions"][MASTERY_SCORE] == 0.825
    assert unit.say(Verb.INITIALIZED).status_code == 200
    assert unit.say(Verb.PASSED, scaled=0.8).status_code == 403
    assert unit.say(Verb.PASSED, scaled=0.83).status_code == 200


def test_a_session_under_way_keeps_the_mark_it_was_launched_with(
    officer: Officer, instructor: Instructor
) -> None:
    unit = officer.open(FIRST)
    unit.start()

    instructor.sends(marks(officer), **{field_of(instructor.page(marks(officer))): "90"})

    assert unit.say(Verb.INITIALIZED).status_code == 200
    assert unit.say(Verb.PASSED, scaled=0.5).status_code == 200


def test_a_mark_taken_back_leaves_it_to_the_package(officer: Officer, instructor: Instructor) -> None:
    field = field_of(instructor.page(marks(officer)))
    instructor.sends(marks(officer), **{field: "90"})

    instructor.sends(marks(officer), **{field: ""})

    unit = officer.open(FIRST)
    unit.start()
    assert unit.data["masteryScore"] == 0.5


@pytest.mark.parametrize("typed", ["101", "-1", "half", "12.345", "NaN", "1e400"])
def test_what_is_no_mark_is_shown_again(officer: Officer, instructor: Instructor, typed: str) -> None:
    field = field_of(instructor.page(marks(officer)))

    answer = instructor.sends(marks(officer), **{field: typed})

    assert answer.status_code == 422
    assert f'value="{typed}"' in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_marks_travel_with_the_course_and_so_does_taking_them_back(
    school: School, officer: Officer, instructor: Instructor
) -> None:
    course = UUID(officer.course)
    field = field_of(instructor.page(marks(officer)))
    with school.node.database.read() as session:
        without = describe_course(session, course)
    instructor.sends(marks(officer), **{field: "90"})
    with school.node.database.read() as session:
        with_mark = describe_course(session, course)
    instructor.sends(marks(officer), **{field: ""})
    with school.node.database.read() as session:
        taken_back = describe_course(session, course)

    assert without is not None
    assert with_mark is not None
    assert taken_back is not None
    assert "pass_marks" not in without  # older nodes say nothing of it, and keep nothing from us
    for described, expected in ((with_mark, ["0.9"]), (without, ["0.9"]), (taken_back, [])):
        with school.node.database.write() as session:
            apply_course(session, school.node.desk.shelf, course, described, new_id=uuid4)
        with school.node.database.read() as session:
            assert [str(one) for one in pass_marks_of(session, course).values()] == expected


def put_mark(school: School, officer: Officer, mark: float | None, *, index: int = 0) -> httpx.Response:
    path = f"{LMS}/api/v1/courses/{officer.course}/units/{index}/pass-mark"
    return school.browser.put(path, json={"pass_mark": mark}, headers=school.known)


def test_a_program_sets_a_pass_mark_and_takes_it_back(school: School, officer: Officer) -> None:
    where = f"{LMS}/api/v1/courses/{officer.course}/pass-marks"

    answer = put_mark(school, officer, 0.825)
    unit = officer.open(FIRST)
    unit.start()
    listed = school.browser.get(where, headers=school.known).json()
    put_mark(school, officer, None)

    assert answer.json() == listed
    assert [(one["index"], one["mastery_score"], one["pass_mark"]) for one in listed["units"]] == [
        (0, 0.5, 0.825)
    ]
    assert unit.data["masteryScore"] == 0.825
    assert school.browser.get(where, headers=school.known).json()["units"][0]["pass_mark"] is None


@pytest.mark.parametrize("mark", [1.01, -0.1, 0.12345, "high"])
def test_a_program_is_told_what_is_no_pass_mark(school: School, officer: Officer, mark: Any) -> None:
    assert put_mark(school, officer, mark).status_code == 422


def test_a_unit_that_judges_by_itself_takes_no_pass_mark(school: School, officer: Officer) -> None:
    assert put_mark(school, officer, 0.5, index=1).json()["code"] == "unit-has-no-mark"
    assert put_mark(school, officer, 0.5, index=9).status_code == 404
