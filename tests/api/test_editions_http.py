"""Another edition for learners, by page, interface and command; the choice for those in mid-course."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient

from lms.courses.moves import moves_of
from lms.courses.queries import courses_page, editions_of, find_course, find_edition
from lms.database import Database
from lms.enrolment.actions import enrol
from lms.enrolment.queries import registration_of
from lms.launch.actions import Delivered, Desk, apply_commit, deliver
from lms.launch.course import open_course
from tests.course_builders import NOON, a_scorm_file
from tests.launch_builders import a_commit, a_desk
from tests.school_builders import School, a_school, token


@dataclass
class Class:
    """A school with a course in two editions, and officers who began the first."""

    school: School
    desk: Desk
    client: TestClient
    course: UUID
    first: UUID
    second: UUID
    officers: list[UUID]

    def opens(self, officer: UUID) -> Delivered:
        with self.school.database.write() as session:
            registration = registration_of(session, person=officer, course=self.course)
            assert registration is not None
            taking = open_course(
                session, self.desk.shelf, person=officer, registration=registration, course=self.course
            )
            delivered = deliver(session, self.desk, taking, now=NOON)
            assert delivered is not None
            if delivered.launch.sequence == 0:
                apply_commit(session, self.desk, delivered.launch, *a_commit(1), now=NOON)
            return delivered

    @property
    def page(self) -> str:
        return f"/courses/{self.course}/editions/{self.second}/officers"


@pytest.fixture
def a_class(database: Database, tmp_path: Path) -> Class:
    school = a_school(database, tmp_path)
    first = school.importer.import_file(
        a_scorm_file(tmp_path, units=["One", "Two"]), by=None, publish_it=True
    )
    second = school.importer.import_file(
        a_scorm_file(tmp_path, title="Precursors anew", units=["Two", "Three"]), by=None, into=first.course
    )
    officers = [school.person(f"47{n}") for n in range(3)]
    assert first.course is not None
    assert first.edition is not None
    assert second.edition is not None
    with database.write() as session:
        enrol(session, first.course, officers, by=None, now=NOON, new_id=uuid4)
    made = Class(
        school=school, desk=a_desk(tmp_path), client=school.client("instructor"),
        course=first.course, first=first.edition, second=second.edition, officers=officers,
    )  # fmt: skip
    for officer in officers[:2]:
        made.opens(officer)
    return made


def test_the_preview_says_what_maps_and_who_is_in_mid_course(a_class: Class) -> None:
    text = a_class.client.get(a_class.page).text

    assert "2 officers in mid-course" in text
    for label, unit in (("go on", "Two"), ("are gone", "One"), ("are new", "Three")):
        assert re.search(rf"Units that {label} \(1\)</dt><dd><ul[^>]*><li><bdi>{unit}</bdi>", text), label
    assert "2 units they have begun are not in this edition" in text


def test_officers_stay_unless_the_form_says_otherwise(a_class: Class) -> None:
    form = token(a_class.client, a_class.page) | {"move": ""}

    sent = a_class.client.post(a_class.page, data=form)

    assert sent.status_code == 303
    assert a_class.opens(a_class.officers[0]).taking.edition == a_class.first
    assert a_class.opens(a_class.officers[2]).taking.edition == a_class.second


def test_who_stays_sees_the_title_and_the_outline_she_began_with(a_class: Class) -> None:
    a_class.client.post(a_class.page, data=token(a_class.client, a_class.page) | {"move": ""})
    course = f"/courses/{a_class.course}"

    stays, begins = (a_class.school.signed_in(a_class.officers[n]) for n in (0, 2))

    assert '<span dir="auto">Precursors</span></h1>' in stays.get(course).text
    assert '<span dir="auto">Precursors anew</span></h1>' in begins.get(course).text
    assert re.findall(r"<bdi>(One|Two|Three)</bdi>", stays.get(course).text) == ["One", "Two"]
    assert re.findall(r"<bdi>(One|Two|Three)</bdi>", begins.get(course).text) == ["Two", "Three"]
    assert "Unit 1 of 2: One" in re.sub(r"<[^>]+>", "", stays.get("/").text)


def test_those_the_form_names_move_and_move_back(a_class: Class) -> None:
    form = token(a_class.client, a_class.page) | {"move": str(a_class.first)}
    a_class.client.post(a_class.page, data=form)
    moved = a_class.opens(a_class.officers[0])

    told = a_class.client.get(a_class.page).text
    (undo,) = re.findall(r'action="(/courses/[^"]*/undo)"', told)
    a_class.client.post(undo, data=form | {"edition": str(a_class.second)})
    back = a_class.opens(a_class.officers[0])

    assert moved.taking.edition == a_class.second
    assert "1 has moved" in told
    assert f'<option value="{a_class.first}" selected>' in told
    assert "1 will on opening the course" in told
    assert back.taking.edition == a_class.first
    undone = a_class.client.get(a_class.page).text
    assert "Undone" in undone
    assert f'<option value="{a_class.first}">' in undone


def test_programs_see_the_preview_and_publish_with_a_choice(a_class: Class) -> None:
    api = f"/api/v1/courses/{a_class.course}"
    (former,) = a_class.client.get(f"{api}/editions/{a_class.second}/officers").json()["editions"]

    made = a_class.client.post(
        f"{api}/editions/{a_class.second}/publish", json={"move_from": [str(a_class.first)]}
    ).json()["moves"]
    moved = a_class.opens(a_class.officers[0]).taking.edition
    undone = a_class.client.post(f"{api}/moves/{made[0]['id']}/undo").json()
    again = a_class.client.post(
        f"{api}/moves", json={"source": str(a_class.first), "target": str(a_class.second)}
    )

    assert (former["officers"], former["units_kept"], former["units_gone"], former["units_new"]) == (
        2, ["Two"], ["One"], ["Three"],
    )  # fmt: skip
    assert (former["begun_kept"], former["begun_gone"], former["may_move"]) == (0, 2, True)
    assert moved == a_class.second
    assert undone["undone"] is not None
    assert again.status_code == 201
    assert [one["undone"] is None for one in a_class.client.get(f"{api}/moves").json()["moves"]] == [
        False,
        True,
    ]


def test_who_decided_and_when_is_kept(a_class: Class) -> None:
    form = token(a_class.client, a_class.page) | {"move": str(a_class.first)}

    a_class.client.post(a_class.page, data=form)

    with a_class.school.database.read() as session:
        course = find_course(session, a_class.course)
        assert course is not None
        (move,) = moves_of(course.moves)
    assert move.by is not None
    assert json.dumps(course.moves)


def uploaded(school: School, client: TestClient, package: Path) -> str:
    sent = client.post(
        "/courses/import",
        data=token(client, "/courses/import") | {"publish": "on"},
        files={"file": ("course.zip", package.read_bytes())},
    )
    school.importer.run_job({"import": sent.headers["location"].rsplit("/", 1)[-1]})
    return str(sent.headers["location"])


def test_a_package_made_anew_is_offered_as_an_edition_of_the_course_it_belongs_to(
    a_class: Class, tmp_path: Path
) -> None:
    page = uploaded(a_class.school, a_class.client, a_scorm_file(tmp_path, units=["Four"]))
    offered = a_class.client.get(page).text
    form = token(a_class.client, page) | {"course": str(a_class.course)}

    joined = a_class.client.post(f"{page}/join", data=form)

    assert "Is this a course of its own?" in offered
    assert "Make it an edition of \u2068" in offered  # a name in one script does not turn the words around it
    assert "Published" not in offered
    with a_class.school.database.read() as session:
        (course,) = courses_page(session).rows
        kept = find_course(session, a_class.course)
        assert kept is not None
        assert [one.number for one in editions_of(session, kept)] == [3, 2, 1]
    assert (joined.status_code, course.public_id, course.number) == (303, a_class.course, 1)
    assert "Is this a course of its own?" not in a_class.client.get(page).text


def test_it_may_be_a_course_of_its_own_all_the_same(a_class: Class, tmp_path: Path) -> None:
    page = uploaded(a_class.school, a_class.client, a_scorm_file(tmp_path, units=["Four"]))
    offered = a_class.client.get(page).text
    (publish, form), *_ = re.findall(r'action="(/courses/[^"]*/publish)"(.*?)</form>', offered, re.DOTALL)
    (edition,) = re.findall(r'name="edition" value="([^"]*)"', form)

    a_class.client.post(publish, data=token(a_class.client, page) | {"edition": edition})

    with a_class.school.database.read() as session:
        assert [one.number for one in courses_page(session).rows] == [1, 1]
    assert "Is this a course of its own?" not in a_class.client.get(page).text


@pytest.mark.parametrize("what", ["edition", "move"])
def test_what_is_not_of_this_course_is_not_found(a_class: Class, what: str) -> None:
    api = f"/api/v1/courses/{a_class.course}"
    path = f"{api}/editions/{uuid4()}/publish" if what == "edition" else f"{api}/moves/{uuid4()}/undo"

    answer = a_class.client.post(path, json={})

    assert answer.status_code == 404


def test_an_officer_decides_on_nobody(a_class: Class) -> None:
    officer = a_class.school.signed_in(a_class.officers[0])

    assert officer.get(a_class.page).status_code == 403
    assert officer.get(f"/api/v1/courses/{a_class.course}/moves").status_code == 403


def test_the_package_of_an_edition_is_downloaded_as_it_came(a_class: Class, tmp_path: Path) -> None:
    page = f"/courses/{a_class.course}/editions"
    sent = (tmp_path / "course.zip").read_bytes()  # of the import that came last

    package = a_class.client.get(f"{page}/{a_class.second}/original")
    beside = a_class.client.get(f"{page}/{a_class.second}/catalogue.jsonld")

    assert package.content == sent
    assert package.headers["content-disposition"] == "attachment; filename*=UTF-8''course.zip"
    assert package.headers["content-length"] == str(len(sent))
    assert beside.json()["encoding"]["version"] == 2
    assert beside.json()["encoding"]["name"] == "course.zip"
    assert f"{a_class.second}/original" in a_class.client.get(page).text


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=100-", 206, slice(100, None)),
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=0-999999999", 206, slice(None)),
        ("bytes=0-1,5-6", 200, slice(None)),  # several at once: all of it is an answer too (RFC 9110 §14.2)
        ("lines=1-2", 200, slice(None)),
        ("bytes=999999999-", 416, slice(0, 0)),
        ("bytes=9-3", 416, slice(0, 0)),
    ],
)
def test_a_download_that_broke_off_is_gone_on_with(
    a_class: Class, tmp_path: Path, asked: str, status: int, part: slice
) -> None:
    address = f"/courses/{a_class.course}/editions/{a_class.second}/original"
    sent = (tmp_path / "course.zip").read_bytes()

    answer = a_class.client.get(address, headers={"Range": asked})
    another = a_class.client.get(address, headers={"Range": asked, "If-Range": '"of another package"'})

    assert (answer.status_code, answer.content) == (status, sent[part])
    assert (another.status_code, another.content) == (200, sent)


def test_an_edition_without_its_package_says_so(a_class: Class) -> None:
    with a_class.school.database.write() as session:
        edition = find_edition(session, a_class.second)
        assert edition is not None
        edition.original = None

    page = f"/courses/{a_class.course}/editions"

    assert "Its package is not kept here" in a_class.client.get(page).text
    assert a_class.client.get(f"{page}/{a_class.second}/original").status_code == 404


def after(a_class: Class, where: str, **form: str) -> str:
    """Send a form of the page of an edition, and return the page that follows."""
    sent = a_class.client.post(where, data=token(a_class.client, a_class.page) | form, follow_redirects=True)
    assert sent.status_code == 200
    return str(sent.text)


def test_the_page_after_publishing_says_which_edition_took_the_place_of_which(a_class: Class) -> None:
    before = a_class.client.get(a_class.page).text

    after_it = after(a_class, a_class.page, move="")
    rolled_back = after(a_class, a_class.page.replace(str(a_class.second), str(a_class.first)), move="")

    assert "is published" not in before
    assert "Edition 2 is published in place of edition 1." in after_it
    assert "Edition 1 is published in place of edition 2." in rolled_back


def test_a_choice_for_those_in_mid_course_is_said_to_be_saved(a_class: Class) -> None:
    after(a_class, a_class.page, move="")

    moved = after(a_class, a_class.page, move=str(a_class.first))
    (undo,) = re.findall(r'action="(/courses/[^"]*/undo)"', moved)
    undone = after(a_class, undo, edition=str(a_class.second))

    assert "Your choice is saved." in moved
    assert "is published in place of" not in moved
    assert "The decision is taken back." in undone


def test_withdrawing_and_publishing_again_are_each_said(a_class: Class) -> None:
    course = f"/courses/{a_class.course}"

    withdrawn = after(a_class, f"{course}/withdraw", edition=str(a_class.first))
    published = after(a_class, f"{course}/publish", edition=str(a_class.first))

    assert "Edition 1 is withdrawn." in withdrawn
    assert "Learners are given no edition of this course now" in withdrawn
    assert "Publish edition 1 again" in withdrawn
    assert "Edition 1 is published." in published
    assert "is withdrawn" not in published
