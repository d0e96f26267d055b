"""Enrolment by page; the officer's home and outline; who takes a course."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from lms.database import Database
from lms.enrolment.actions import enrol
from lms.reports.queries import progress_report
from tests.course_builders import a_scorm_file
from tests.school_builders import School, a_school, counted, token


@pytest.fixture
def school(database: Database, tmp_path: Path) -> School:
    return a_school(database, tmp_path)


@pytest.fixture
def course(school: School, tmp_path: Path) -> UUID:
    done = school.importer.import_file(a_scorm_file(tmp_path), by=None, publish_it=True)
    assert done.course is not None
    return done.course


def test_who_is_enrolled_finds_the_course_at_home(school: School, course: UUID) -> None:
    officer = school.signed_in(school.person("B-7"))
    instructor = school.client("instructor")
    before = officer.get("/").text

    form = token(instructor, f"/courses/{course}/people") | {"numbers": "b-7", "due": "2026-12-01"}
    sent = instructor.post(f"/courses/{course}/people", data=form)

    assert sent.status_code == 303
    assert "Your instructor enrols you" in before
    assert "Precursors" in officer.get("/").text
    assert "1 December 2026" in officer.get("/").text
    assert "Two" in officer.get(f"/courses/{course}").text


def test_an_unknown_number_enrols_nobody(school: School, course: UUID) -> None:
    school.person("B-7")
    instructor = school.client("instructor")
    form = token(instructor, f"/courses/{course}/people")

    sent = instructor.post(f"/courses/{course}/people", data=form | {"numbers": "B-7, Q-99"})

    assert sent.status_code == 422
    assert "Q-99" in sent.text
    assert "Nobody takes this course yet" in instructor.get(f"/courses/{course}/people").text


def test_a_course_is_not_there_for_who_does_not_take_it(school: School, course: UUID) -> None:
    assert school.client("officer").get(f"/courses/{course}").status_code == 404


def test_an_officer_sees_and_changes_nobody_elses_enrolment(school: School, course: UUID) -> None:
    officer = school.client("officer")

    assert officer.get(f"/courses/{course}/people").status_code == 403
    assert officer.post(f"/courses/{course}/people", data=token(officer, "/")).status_code == 403


def test_who_is_withdrawn_has_the_course_no_more(school: School, course: UUID) -> None:
    person = school.person("B-7")
    officer, instructor = school.signed_in(person), school.client("instructor")
    form = token(instructor, f"/courses/{course}/people")
    instructor.post(f"/courses/{course}/people", data=form | {"numbers": "B-7"})

    gone = instructor.post(f"/courses/{course}/people/{person}/withdraw", data=form)

    assert gone.status_code == 303
    assert "Precursors" not in officer.get("/").text
    page = officer.get(f"/courses/{course}")
    assert page.status_code == 403
    assert "You do not take this course any more" in page.text
    assert "What you did in it is kept." in page.text
    assert instructor.post(f"/courses/{course}/people/{person}/withdraw", data=form).status_code == 404


def test_the_report_lists_everybody_in_everything(school: School, course: UUID) -> None:
    people = [school.person("B-7", name="Zoe"), school.person("C-8", name="Amal")]
    with school.database.write() as session:
        enrol(session, course, people, by=None, now=school.site.now(), new_id=uuid4)

    with school.database.read() as session:
        rows = progress_report(session)

    assert [(row["name"], row["course"], row["status"]) for row in rows] == [
        ("Amal", "Precursors", "not started"),
        ("Zoe", "Precursors", "not started"),
    ]


@pytest.mark.parametrize("path", ["/", "/courses/{course}", "/courses/{course}/people"])
def test_pages_cost_the_same_however_much_there_is(
    school: School, course: UUID, path: str, tmp_path: Path
) -> None:
    person = school.person("B-7")
    client = school.client("instructor") if path.endswith("people") else school.signed_in(person)

    def enrolled(into: UUID, *people: UUID) -> None:
        with school.database.write() as session:
            enrol(session, into, people, by=None, now=school.site.now(), new_id=uuid4)

    enrolled(course, person)
    with counted(school.database) as few:
        client.get(path.format(course=course))
    for n in range(10):
        done = school.importer.import_file(a_scorm_file(tmp_path, title=f"Course {n}"), by=None)
        assert done.course is not None
        enrolled(done.course, person)
    enrolled(course, *(school.person(f"C-{n}") for n in range(60)))

    with counted(school.database) as many:
        page = client.get(path.format(course=course))

    assert page.status_code == 200
    assert len(many) == len(few)
    assert len(page.content) < 100_000
