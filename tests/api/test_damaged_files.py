"""A file that rotted on the shelf: given to nobody, said in words, mended by importing the package again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from content_packages.package import load_package
from content_packages.shelf import FileRef, Shelf
from lms.content.app import ContentSite, build_content
from lms.content.units import router as unit_files
from lms.courses.checked_files import CheckedFiles
from lms.courses.queries import courses_page, current_edition, find_course
from lms.courses.tables import Course, Edition
from lms.database import Database
from lms.launch.actions import deliver
from lms.launch.hosts import label_of
from lms.queue import Job
from tests.course_builders import a_scorm_file
from tests.launch_builders import EDITION, NOON, a_course, a_desk, taken
from tests.school_builders import School, a_school, token

pytestmark = pytest.mark.one_database

SECRET = b"s" * 32
HOST = f"{label_of(SECRET, EDITION)}.localhost:8001"
FILES = {"picture.png": b"a picture", "script.js": b"let x = 1;"}


def flip(shelf: Shelf, content: bytes) -> Path:
    """Flip one bit of the file on the shelf that has this content."""
    path = next(one for one in map(shelf.path, shelf.digests()) if one.read_bytes() == content)
    path.chmod(0o600)
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    return path


# ---------------------------------------------------------------- the content hosts


@dataclass
class Played:
    """A lesson that is played."""

    site: ContentSite
    browser: TestClient
    token: str

    def get(self, path: str) -> tuple[int, str]:
        answer = self.browser.get(path.format(token=self.token), headers={"accept-language": "en"})
        return answer.status_code, answer.text


@pytest.fixture
def played(database: Database, tmp_path: Path) -> Iterator[Played]:
    desk = a_desk(tmp_path)
    with database.write() as session:
        a_course(session, desk.shelf, files=FILES)
    with database.write() as session:
        delivered = deliver(session, desk, taken(session, desk), now=NOON)
    assert delivered is not None
    site = ContentSite(
        database=database, desk=desk, checked=CheckedFiles(desk.shelf), now=lambda: NOON, secret=SECRET,
        public_url="http://localhost:8000", content_url="http://localhost:8001", build=tmp_path,
        assets={"shim.js": "shim-1.js", "storage.js": "storage-1.js"},
    )  # fmt: skip
    app = build_content(site, routers=[unit_files])
    with TestClient(app, base_url=f"http://{HOST}") as client:
        yield Played(site, client, delivered.token)


@pytest.mark.parametrize("place", ["c", "s"])
def test_a_file_with_one_bit_flipped_is_not_served(played: Played, place: str) -> None:
    whole = played.get(f"/{place}/{{token}}/script.js")
    spoilt = flip(played.site.desk.shelf, FILES["script.js"])

    status, text = played.get(f"/{place}/{{token}}/script.js")

    assert whole == (200, "let x = 1;")
    assert status == 503
    assert "A file of this course is damaged or missing here" in text
    assert "script.js" in text
    assert not spoilt.exists()


def test_a_file_that_is_gone_is_said_and_noted(played: Played) -> None:
    flip(played.site.desk.shelf, FILES["script.js"]).unlink()

    status, text = played.get("/c/{token}/script.js")

    assert status == 503
    assert "script.js" in text
    assert len(played.site.desk.shelf.lost()) == 1


def test_an_officer_is_told_before_the_lesson_begins_and_may_open_it_all_the_same(played: Played) -> None:
    flip(played.site.desk.shelf, FILES["picture.png"])

    status, told = played.get("/rt/{token}/?lang=en")
    anyway, page = played.get("/rt/{token}/?lang=en&anyway=1")

    assert status == 503
    assert "picture.png" in told
    assert "What you did is saved. Tell your instructor" in told
    assert 'href="?lang=en&amp;anyway=1"' in told
    assert anyway == 200
    assert 'id="boot"' in page


def test_she_is_told_in_her_language(played: Played) -> None:
    flip(played.site.desk.shelf, FILES["picture.png"])

    _, told = played.get("/rt/{token}/?lang=ar")

    assert 'lang="ar" dir="rtl"' in told
    assert "picture.png" in told
    assert "damaged" not in told.partition("<h1>")[2].partition("</h1>")[0]


def test_a_lesson_without_its_first_page_cannot_be_opened_all_the_same(played: Played) -> None:
    flip(played.site.desk.shelf, b"<p>Lesson")

    status, told = played.get("/rt/{token}/?lang=en")

    assert status == 503
    assert "index.html" in told
    assert "anyway" not in told


def test_a_lesson_that_lost_nothing_begins_at_once(played: Played) -> None:
    status, page = played.get("/rt/{token}/?lang=en")

    assert status == 200
    assert 'id="boot"' in page


# ---------------------------------------------------------------- the pages


@pytest.fixture
def school(database: Database, tmp_path: Path) -> School:
    return a_school(database, tmp_path)


def imported(school: School, package: Path, *, publish: bool = False) -> str:
    """Import a package as an instructor does; return where its report is."""
    client = school.client("instructor")
    form = token(client, "/courses/import") | ({"publish": "on"} if publish else {})
    sent = client.post("/courses/import", data=form, files={"file": (package.name, package.read_bytes())})
    with school.database.read() as session:
        payloads = [job.payload for job in session.scalars(select(Job))]
    for payload in payloads:
        school.importer.run_job(payload)
    return str(sent.headers["location"])


def given(school: School) -> tuple[UUID, Edition]:
    with school.database.read() as session:
        course = find_course(session, courses_page(session).rows[0].public_id)
        assert course is not None
        edition = current_edition(session, course)
        assert edition is not None
        return course.public_id, edition


def test_the_page_of_its_course_says_what_is_damaged_until_an_import_mends_it(
    school: School, tmp_path: Path
) -> None:
    package = a_scorm_file(tmp_path)
    imported(school, package, publish=True)
    course, edition = given(school)
    client, shelf = school.client("instructor"), school.site.shelf
    whole = client.get(f"/courses/{course}/editions").text
    files = load_package(shelf, edition.manifest).files
    flip(shelf, shelf.path(files["unit1.html"].digest).read_bytes())
    with pytest.raises(Exception, match="not on the shelf"):
        CheckedFiles(shelf).path(files["unit1.html"])

    damaged = client.get(f"/courses/{course}/editions").text
    report = client.get(imported(school, package)).text
    mended = client.get(f"/courses/{course}/editions").text

    assert "damaged" not in whole + mended
    assert "A file of edition 1 is damaged or missing here:" in damaged
    assert "unit1.html" in damaged
    assert "Import the same package again to mend it" in damaged
    assert "came back with it (number: 1)" in report
    shelf.verify(files["unit1.html"].digest)


def test_a_course_whose_list_of_files_is_damaged_is_said_to_be(school: School, tmp_path: Path) -> None:
    imported(school, a_scorm_file(tmp_path), publish=True)
    course, edition = given(school)
    shelf = school.site.shelf
    flip(shelf, shelf.path(edition.manifest).read_bytes())
    with pytest.raises(Exception, match="not on the shelf"):
        load_package(shelf, edition.manifest)

    damaged = school.client("instructor").get(f"/courses/{course}/editions").text

    assert "The list of the files of edition 1 is damaged here" in damaged


def damage(school: School, name: str = "unit1.html", *, noted: bool = True) -> None:
    """Let a file of the edition that learners are given rot, and have that noted, as whoever reads it does."""
    shelf = school.site.shelf
    ref = load_package(shelf, given(school)[1].manifest).files[name]
    flip(shelf, shelf.path(ref.digest).read_bytes())
    if noted:
        with pytest.raises(Exception, match="not on the shelf"):
            CheckedFiles(shelf).path(ref)


def courses_and_editions(school: School) -> tuple[int, int]:
    with school.database.read() as session:
        editions = session.scalar(select(func.count()).select_from(Edition))
        return courses_page(session).total, editions or 0


@pytest.mark.parametrize("noted", [True, False])
def test_an_import_that_mends_an_edition_makes_no_course(school: School, tmp_path: Path, noted: bool) -> None:
    package = a_scorm_file(tmp_path)
    imported(school, package, publish=True)
    damage(school, noted=noted)

    report = school.client("instructor").get(imported(school, package, publish=True)).text

    assert courses_and_editions(school) == (1, 1)
    assert "Edition 1 of this course is whole again. Nothing new was made." in report
    assert "Is this a course of its own?" not in report


def test_an_import_that_mends_nothing_becomes_a_course_of_its_own(school: School, tmp_path: Path) -> None:
    package = a_scorm_file(tmp_path)
    imported(school, package, publish=True)

    report = school.client("instructor").get(imported(school, package)).text

    assert courses_and_editions(school) == (2, 2)
    assert "whole again" not in report


def test_another_package_that_brings_a_lost_file_becomes_a_course(school: School, tmp_path: Path) -> None:
    imported(school, a_scorm_file(tmp_path), publish=True)
    damage(school)
    other = tmp_path / "other"
    other.mkdir()

    report = school.client("instructor").get(imported(school, a_scorm_file(other, title="Another"))).text

    assert courses_and_editions(school) == (2, 2)
    assert "came back with it (number: 1)" in report
    assert "whole again" not in report


def test_an_import_into_the_course_mends_it_too(school: School, tmp_path: Path) -> None:
    package = a_scorm_file(tmp_path)
    imported(school, package, publish=True)
    damage(school)
    course, edition = given(school)
    client = school.client("instructor")

    sent = client.post(f"/api/v1/courses?as={course}", content=package.read_bytes())

    assert courses_and_editions(school) == (1, 1)
    assert (sent.status_code, sent.json()["id"], sent.json()["mended"]) == (200, str(course), True)
    assert [one["code"] for one in sent.json()["report"]["notes"]][-2:] == [
        "edition.mended",
        "edition.whole_again",
    ]
    assert given(school)[1].public_id == edition.public_id


def test_a_package_that_lost_a_piece_is_mended_without_another_course(school: School, tmp_path: Path) -> None:
    package = a_scorm_file(tmp_path)
    imported(school, package, publish=True)
    original = given(school)[1].original
    assert original is not None
    school.site.shelf.path(original).unlink()

    school.client("instructor").get(imported(school, package))

    assert courses_and_editions(school) == (1, 1)
    assert school.site.shelf.has(original)


def test_a_course_that_was_mended_cannot_be_joined_to_another(school: School, tmp_path: Path) -> None:
    package = a_scorm_file(tmp_path)
    imported(school, package)
    other = tmp_path / "other"
    other.mkdir()
    imported(school, a_scorm_file(other, title="Another"))
    with school.database.read() as session:
        (first,) = session.scalars(select(Edition).where(Edition.title == "Precursors"))
        (another,) = session.scalars(select(Course.public_id).where(Course.title == "Another"))
    school.site.shelf.path(first.manifest).unlink()
    again = imported(school, package)
    client = school.client("instructor")

    answer = client.post(f"{again}/join", data=token(client, again) | {"course": str(another)})

    assert answer.status_code == 404
    assert courses_and_editions(school) == (2, 2)


def test_the_list_of_courses_and_the_home_of_who_manages_them_say_what_is_damaged(
    school: School, tmp_path: Path
) -> None:
    imported(school, a_scorm_file(tmp_path), publish=True)
    client, officer = school.client("instructor"), school.client("officer")
    whole = client.get("/courses").text + client.get("/").text
    damage(school)

    listed, home = client.get("/courses").text, client.get("/").text

    assert "damaged" not in whole
    assert "Files damaged or missing" in listed
    assert "Files of courses are damaged or missing on this node." in home
    assert "damaged" not in officer.get("/").text


def test_a_package_that_lost_a_piece_is_said_to_be_damaged(school: School, tmp_path: Path) -> None:
    imported(school, a_scorm_file(tmp_path), publish=True)
    course, edition = given(school)
    client, shelf = school.client("instructor"), school.site.shelf
    assert edition.original is not None
    shelf.note_lost(FileRef(digest=edition.original, size=1), seen=shelf.stamp(edition.original))

    sent = client.get(f"/courses/{course}/editions/{edition.public_id}/original")

    assert sent.status_code == 503
    assert "Import the same package again: that mends it" in sent.text
    assert "Its package is damaged" in client.get("/courses").text
