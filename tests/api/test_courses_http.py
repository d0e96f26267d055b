"""Courses by page and by API: imported, refused, published, deleted; nothing for those without the right."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from content_packages.limits import Limits
from lms.courses.queries import courses_page
from lms.database import Database
from lms.queue import Job
from lms.web.cookies import LANGUAGE, cookie_name
from tests.course_builders import a_scorm_file
from tests.media_builders import a_pdf
from tests.package_builders import a_manifest_12, a_package, zipped
from tests.school_builders import School, a_school, counted, token


@pytest.fixture
def school(database: Database, tmp_path: Path) -> School:
    return a_school(database, tmp_path)


def run_jobs(school: School) -> None:
    with school.database.read() as session:
        payloads = [job.payload for job in session.scalars(select(Job))]
    for payload in payloads:
        school.importer.run_job(payload)


def test_an_instructor_imports_reads_the_report_and_publishes(school: School, tmp_path: Path) -> None:
    client = school.client("instructor")
    form = token(client, "/courses/import")
    package = a_scorm_file(tmp_path).read_bytes()

    sent = client.post("/courses/import", data=form, files={"file": ("C:\\my\\course.zip", package)})
    waiting = client.get(sent.headers["location"]).text
    run_jobs(school)
    report = client.get(sent.headers["location"]).text

    assert sent.status_code == 303
    assert 'http-equiv="refresh"' in waiting
    assert "course.zip" in waiting
    assert "my" not in waiting.split("course.zip")[0][-4:]
    assert "Publish edition 1" in report
    with school.database.read() as session:
        (line,) = courses_page(session).rows
    edition = client.get(f"/courses/{line.public_id}/editions").text
    assert "Not published" in edition
    assert list(school.site.uploads.iterdir()) == []


def test_a_course_is_published_at_once_if_the_form_says_so_behind_the_file(
    school: School, tmp_path: Path
) -> None:
    client = school.client("instructor")
    fields = {name: (None, value) for name, value in token(client, "/courses/import").items()}
    file = {"file": ("course.zip", a_scorm_file(tmp_path).read_bytes())}

    client.post("/courses/import", files=fields | file | {"publish": (None, "on")})
    run_jobs(school)

    with school.database.read() as session:
        assert [line.number for line in courses_page(session).rows] == [1]


def test_an_upload_without_the_token_leaves_nothing(school: School, tmp_path: Path) -> None:
    client = school.client("instructor")

    answer = client.post("/courses/import", data={"csrf_token": "x"}, files={"file": ("a.zip", b"PK")})

    assert answer.status_code == 403
    assert list(school.site.uploads.iterdir()) == []


def test_a_form_without_a_file_is_answered_with_a_sentence(school: School) -> None:
    client = school.client("instructor")

    answer = client.post(
        "/courses/import", data=token(client, "/courses/import"), files={"other": (None, "text")}
    )

    assert answer.status_code == 422
    assert "No file arrived" in answer.text
    assert list(school.site.uploads.iterdir()) == []


def test_a_refused_upload_says_what_and_where(school: School) -> None:
    client = school.client("instructor")
    sent = client.post(
        "/courses/import", data=token(client, "/courses/import"), files={"file": ("a.zip", b"not a zip")}
    )
    run_jobs(school)

    report = client.get(sent.headers["location"]).text

    assert "nothing of it was kept" in report
    assert "What to do" in report


def test_the_report_answers_first_whether_it_can_be_used_and_what_it_is(school: School) -> None:
    client = school.client("instructor")
    package = zipped(a_package(a_manifest_12(), **{"a.js": b"window.open('x')"}))
    form = token(client, "/courses/import")
    sent = client.post("/courses/import", data=form, files={"file": ("a.zip", package)})
    run_jobs(school)

    page = client.get(sent.headers["location"]).text.partition("</h1>")[2]
    text = re.sub(r"<[^>]+>", " ", page)

    said = (
        "It can be used",
        "A course",
        "a.zip",
        "SCORM 1.2",
        "1 lesson",
        "0 errors",
        "1 note",
        "Scripts open",
    )
    places = [text.index(one) for one in said]
    assert places == sorted(places)


def test_the_report_of_hostile_words_is_text_and_speaks_the_readers_language(school: School) -> None:
    client = school.client("instructor")
    title = "&lt;script&gt;alert(1)&lt;/script&gt;"
    package = zipped(
        a_package(
            a_manifest_12().replace("A course", title).replace("?>", "?><!-- eXeLearning -->", 1),
            **{"a.js": b"window.open('x')"},
        )
    )
    form = token(client, "/courses/import")
    sent = client.post("/courses/import", data=form, files={"file": ("a.zip", package)})
    run_jobs(school)

    english = client.get(sent.headers["location"]).text
    client.cookies.set(cookie_name(school.site, LANGUAGE), "ar")
    arabic = client.get(sent.headers["location"]).text

    assert "<script>alert" not in english + arabic
    assert "&lt;script&gt;alert" in english
    for shown in ("SCORM 1.2", "eXeLearning", "a.js:1", "script.popup", "Scripts open windows of their own"):
        assert shown in english
    assert "Scripts open windows" not in arabic
    assert "تفتح برامج نصية نوافذ" in arabic


def test_a_refusal_for_its_size_names_limit_and_setting(school: School) -> None:
    school.app.state.importer = replace(school.importer, limits=Limits(max_archive_bytes=100))

    answer = school.client("instructor").post("/api/v1/courses", content=bytes(1000))

    assert answer.status_code == 413
    assert (
        "LMS_MAX_ARCHIVE_BYTES, or max_archive_bytes in lms.toml; by default 3.2 GB"
        in answer.json()["detail"]
    )


def test_the_api_answers_with_course_and_report(school: School, tmp_path: Path) -> None:
    client = school.client("instructor")

    made = client.post("/api/v1/courses?filename=a.zip", content=a_scorm_file(tmp_path).read_bytes())

    course = made.json()
    assert made.status_code == 201
    assert [unit["index"] for unit in course["units"]] == [0, 1]
    assert course["report"]["errors"] == []
    assert (
        client.get(f"/api/v1/courses/{course['id']}").json()["current_edition"] == course["current_edition"]
    )
    assert client.delete(f"/api/v1/courses/{course['id']}").status_code == 204
    assert client.get(f"/api/v1/courses/{course['id']}").status_code == 404
    assert client.get("/api/v1/courses").json() == {"total": 0, "courses": []}


def test_the_api_names_the_course_that_a_package_looks_like(school: School, tmp_path: Path) -> None:
    client = school.client("instructor")
    first = client.post("/api/v1/courses", content=a_scorm_file(tmp_path).read_bytes()).json()
    anew = a_scorm_file(tmp_path, text="Anew").read_bytes()

    alone = client.post("/api/v1/courses", content=anew).json()
    joined = client.post("/api/v1/courses", params={"as": first["id"]}, content=anew).json()

    assert first["looks_like"] == joined["looks_like"] == []
    assert alone["looks_like"] == [{"id": first["id"], "title": first["title"]}]
    assert [one["number"] for one in joined["editions"]] == [2, 1]


@pytest.mark.parametrize("body", [b"", b"PK\x03\x04", b"<manifest/>", b"\0" * 5000])
def test_the_api_names_every_fault_of_a_refused_package(school: School, body: bytes) -> None:
    answer = school.client("instructor").post("/api/v1/courses", content=body)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    for fault in answer.json()["errors"]:
        assert {"code", "requirement", "detail", "location"} <= set(fault)
    assert answer.json()["errors"]


@pytest.mark.parametrize(
    "path", ["/courses", "/courses/import", "/api/v1/courses", f"/courses/{'0' * 32}/editions"]
)
def test_an_officer_sees_no_instructors_page(school: School, path: str) -> None:
    assert school.client("officer").get(path).status_code == 403


def test_the_list_of_courses_costs_the_same_however_many_there_are(school: School, tmp_path: Path) -> None:
    client = school.client("instructor")
    package = a_scorm_file(tmp_path)
    school.importer.import_file(package, by=None, publish_it=True)
    with counted(school.database) as few:
        client.get("/courses")
    for _ in range(54):
        school.importer.import_file(package, by=None, publish_it=True)

    with counted(school.database) as many:
        page = client.get("/courses")

    assert len(many) == len(few)
    assert len(page.content) < 100_000
    assert "Page 1 of 3" in page.text


@pytest.mark.parametrize("path", ["/courses", "/api/v1/courses"])
def test_a_character_no_database_need_keep_is_no_failure(school: School, path: str) -> None:
    client = school.client("instructor")

    answer = client.get(path, params={"search": "a\0b"})

    assert answer.status_code in (200, 422)  # SQLite looks for it, PostgreSQL refuses it


def test_a_single_file_is_a_course_called_as_it_calls_itself(school: School) -> None:
    client = school.client("instructor")
    offered = client.get("/courses/import").text

    answer = client.post("/api/v1/courses?filename=upload.pdf", content=a_pdf(title="Border posts"))
    unnamed = client.post("/api/v1/courses?filename=at%20the%20post.pdf", content=a_pdf(title=""))

    assert answer.status_code == 201
    assert answer.json()["title"] == "Border posts"
    assert [edition["standard"] for edition in answer.json()["editions"]] == ["PDF"]
    assert unnamed.json()["title"] == "at the post"
    assert all(kind in offered for kind in (".pdf,", ".epub", "PDF", "MP4", "WebM", "MP3", "EPUB"))


def test_what_cannot_be_imported_is_told_what_can(school: School) -> None:
    answer = school.client("instructor").post("/api/v1/courses?filename=a.pdf", content=b"GIF89a")

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (422, "file.unknown")
    assert all(kind in error["remedy"] for kind in ("SCORM", "PDF", "MP4", "WebM", "MP3", "EPUB"))


def test_unpublished_courses_are_listed_with_what_they_are(school: School, tmp_path: Path) -> None:
    school.importer.import_file(a_scorm_file(tmp_path), by=None)

    row = school.client("instructor").get("/courses").text.partition("<tbody>")[2]

    assert "SCORM 1.2" in row
    assert re.search(r'data-label="Size">\d+ bytes', row)
    assert "Edition 1, not published" in row


def test_courses_of_one_title_are_told_apart(school: School, tmp_path: Path) -> None:
    ids = [
        school.importer.import_file(
            a_scorm_file(tmp_path, name=name, text=name), by=None, publish_it=True
        ).course
        for name in ("spring.zip", "autumn.zip")
    ]
    school.importer.import_file(a_scorm_file(tmp_path, title="Another"), by=None)
    client = school.client("instructor")

    rows = client.get("/courses").text.partition("<tbody>")[2]

    for told in ("spring.zip", "autumn.zip", *(str(one)[:8] for one in ids)):
        assert rows.count(told) - rows.count(f"/courses/{told}") == 1
    assert "course.zip" not in rows


def test_each_course_an_import_may_be_an_edition_of_has_a_button_with_a_name_of_its_own(
    school: School, tmp_path: Path
) -> None:
    for name in ("spring.zip", "autumn.zip"):
        school.importer.import_file(a_scorm_file(tmp_path, name=name), by=None, publish_it=True)
    client = school.client("instructor")
    form = token(client, "/courses/import")
    sent = client.post(
        "/courses/import", data=form, files={"file": ("a.zip", a_scorm_file(tmp_path).read_bytes())}
    )
    run_jobs(school)

    page = client.get(sent.headers["location"]).text

    names = re.findall(r'aria-label="(Make it an edition of [^"]+)"', page)
    assert len(names) == len(set(names)) == 2
    assert "spring.zip" in names[0]
    assert "autumn.zip" in names[1]
