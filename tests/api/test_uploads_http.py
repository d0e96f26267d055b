"""Packages in resumable parts (tus 1.0): begun, broken off, gone on with, given up, imported."""

from __future__ import annotations

import errno
import os
import re
import shutil
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from content_packages.limits import Limits
from lms.courses.queries import courses_page, find_import
from lms.courses.tables import ImportState
from lms.database import Database
from lms.web.answers import PROBLEM_TYPE
from tests.course_builders import a_scorm_file
from tests.school_builders import School, a_school, token

UPLOADS = "/api/v1/uploads"
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = TUS | {"Content-Type": "application/offset+octet-stream"}


@pytest.fixture
def school(database: Database, tmp_path: Path) -> School:
    return a_school(database, tmp_path)


@pytest.fixture
def client(school: School) -> TestClient:
    return school.client("instructor")


@pytest.fixture
def package(tmp_path: Path) -> bytes:
    return a_scorm_file(tmp_path).read_bytes()


def metadata(**said: str) -> str:
    return ",".join(f"{key} {b64encode(value.encode()).decode()}" for key, value in said.items())


def begin(client: TestClient, length: int, **said: str) -> str:
    headers = TUS | {"Upload-Length": str(length), "Upload-Metadata": metadata(filename="course.zip", **said)}
    made = client.post(UPLOADS, headers=headers)
    assert made.status_code == 201, made.text
    return str(made.headers["location"])


def send(client: TestClient, upload: str, offset: int, data: bytes) -> Response:
    return client.patch(upload, headers=PIECE | {"Upload-Offset": str(offset)}, content=data)


def run_job(school: School, upload: str) -> None:
    school.importer.run_job({"import": upload.rsplit("/", 1)[-1]})


def test_a_package_in_parts_becomes_a_course(school: School, client: TestClient, package: bytes) -> None:
    upload = begin(client, len(package), publish="")

    first = send(client, upload, 0, package[:300])
    asked = client.head(upload, headers=TUS)
    under_way = client.get(upload).json()
    last = send(client, upload, 300, package[300:])
    run_job(school, upload)

    assert (first.status_code, first.headers["upload-offset"]) == (204, "300")
    assert (asked.headers["upload-offset"], asked.headers["upload-length"]) == ("300", str(len(package)))
    assert (asked.headers["cache-control"], asked.headers["tus-resumable"]) == ("no-store", "1.0.0")
    assert (under_way["state"], under_way["offset"]) == ("uploading", 300)
    assert last.headers["upload-offset"] == str(len(package))
    done = client.get(upload).json()
    assert (done["state"], done["looks_like"], done["report"]["errors"]) == ("done", [], [])
    assert done["files_done"] == done["files_total"]
    with school.database.read() as session:
        (course,) = courses_page(session).rows
    assert course.number == 1
    assert list(school.site.uploads.iterdir()) == []


def test_a_part_that_was_sent_before_is_refused_and_the_place_to_go_on_is_told(
    client: TestClient, package: bytes
) -> None:
    upload = begin(client, len(package))
    send(client, upload, 0, package[:300])

    again = send(client, upload, 0, package[:300])

    assert again.status_code == 409
    assert client.head(upload, headers=TUS).headers["upload-offset"] == "300"


def test_who_lost_the_last_answer_is_told_that_all_is_here(
    school: School, client: TestClient, package: bytes
) -> None:
    upload = begin(client, len(package))
    send(client, upload, 0, package)

    waiting = client.head(upload, headers=TUS)
    run_job(school, upload)

    assert waiting.headers["upload-offset"] == str(len(package))
    assert client.head(upload, headers=TUS).headers["upload-offset"] == str(len(package))


def test_an_upload_whose_server_died_as_it_became_whole_is_imported_all_the_same(
    school: School, client: TestClient, package: bytes
) -> None:
    upload = begin(client, len(package))
    upload_id = upload.rsplit("/", 1)[-1]
    (school.site.uploads / f"{upload_id}.part").unlink()
    (school.site.uploads / f"{upload_id}.zip").write_bytes(package)  # renamed, and no row yet

    client.head(upload, headers=TUS)
    run_job(school, upload)

    assert client.get(upload).json()["state"] == "done"
    assert list(school.site.uploads.iterdir()) == []


def test_an_upload_that_is_given_up_leaves_nothing(
    school: School, client: TestClient, package: bytes
) -> None:
    upload = begin(client, len(package))
    send(client, upload, 0, package[:300])

    gone = client.delete(upload, headers=TUS)

    assert gone.status_code == 204
    assert list(school.site.uploads.iterdir()) == []
    assert client.head(upload, headers=TUS).status_code == 404
    assert send(client, upload, 300, package[300:]).status_code == 404


def test_an_upload_that_waits_to_be_read_can_still_be_given_up(
    school: School, client: TestClient, package: bytes
) -> None:
    upload = begin(client, len(package))
    send(client, upload, 0, package)

    client.delete(upload, headers=TUS)
    run_job(school, upload)

    assert client.get(upload).json()["state"] == "cancelled"
    assert list(school.site.uploads.iterdir()) == []


def test_more_than_was_announced_is_refused(client: TestClient, package: bytes) -> None:
    upload = begin(client, 10)

    answer = send(client, upload, 0, package)

    assert answer.status_code == 413


def test_a_file_larger_than_is_taken_is_refused_before_it_is_sent(school: School, client: TestClient) -> None:
    school.app.state.importer = replace(school.importer, limits=Limits(max_archive_bytes=1024 * 1024))

    told = client.options(UPLOADS)
    answer = client.post(UPLOADS, headers=TUS | {"Upload-Length": str(1024 * 1024 + 1)})

    assert told.headers["tus-max-size"] == str(1024 * 1024)
    assert {"creation", "termination", "expiration"} == set(told.headers["tus-extension"].split(","))
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 412),
        ({"Tus-Resumable": "0.2.2"}, 412),
        (TUS, 400),
        (TUS | {"Upload-Length": "-1"}, 400),
        (TUS | {"Upload-Length": "ten"}, 400),
        (TUS | {"Upload-Length": "10", "Upload-Metadata": "filename ???"}, 400),
        (TUS | {"Upload-Length": "10", "Upload-Metadata": f"as {b64encode(b'x').decode()}"}, 400),
    ],
)
def test_what_cannot_be_understood_is_answered_so(
    school: School, client: TestClient, headers: dict[str, str], status: int
) -> None:
    answer = client.post(UPLOADS, headers=headers)

    assert answer.status_code == status
    assert list(school.site.uploads.iterdir()) == []


def test_a_part_must_say_what_it_is(client: TestClient, package: bytes) -> None:
    upload = begin(client, len(package))

    answer = client.patch(upload, headers=TUS | {"Upload-Offset": "0"}, content=package)

    assert answer.status_code == 400


def test_an_upload_belongs_to_whoever_began_it(school: School, client: TestClient, package: bytes) -> None:
    upload = begin(client, len(package))
    other = school.client("instructor")

    assert other.head(upload, headers=TUS).status_code == 404
    assert other.delete(upload, headers=TUS).status_code == 404
    assert school.client("officer").post(UPLOADS, headers=TUS).status_code == 403


def test_an_upload_into_a_course_that_was_deleted_leaves_nothing(
    school: School, client: TestClient, package: bytes
) -> None:
    course = client.post("/api/v1/courses", content=package).json()["id"]
    upload = begin(client, len(package), **{"as": course})
    client.delete(f"/api/v1/courses/{course}")

    answer = send(client, upload, 0, package)

    assert answer.status_code == 404
    assert list(school.site.uploads.iterdir()) == []


def test_only_an_upload_of_which_nothing_came_for_a_day_expires(
    school: School, client: TestClient, package: bytes
) -> None:
    kept, left = begin(client, len(package)), begin(client, len(package))
    long_ago = 1_000_000_000
    for path in school.site.uploads.iterdir():
        os.utime(path, (long_ago, long_ago))
    send(client, kept, 0, package[:300])

    school.importer.sweep_uploads()

    assert client.head(kept, headers=TUS).headers["upload-offset"] == "300"
    assert client.head(left, headers=TUS).status_code == 404


def test_the_page_of_an_import_cancels_it(school: School, client: TestClient, package: bytes) -> None:
    upload = begin(client, len(package))
    send(client, upload, 0, package)
    page = f"/courses/imports/{upload.rsplit('/', 1)[-1]}"

    answer = client.post(f"{page}/cancel", data=token(client, page))

    assert answer.status_code == 303
    assert "was cancelled" in client.get(page).text
    with school.database.read() as session:
        done = find_import(session, UUID(upload.rsplit("/", 1)[-1]))
        assert done is not None
        assert done.state is ImportState.CANCELLED


def with_room_for(school: School, monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    usage = shutil.disk_usage(school.site.uploads)._replace(free=free)
    monkeypatch.setattr("lms.courses.uploads.shutil.disk_usage", lambda _folder: usage)
    school.app.state.importer = replace(school.importer, limits=Limits(min_free_bytes=1000))


def test_a_file_the_disk_has_no_room_for_is_refused_before_it_is_sent(
    school: School, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_room_for(school, monkeypatch, 3000)
    headers = TUS | {"Upload-Metadata": metadata(filename="film.zip")}

    fits = client.post(UPLOADS, headers=headers | {"Upload-Length": "1000"})
    refused = client.post(UPLOADS, headers=headers | {"Upload-Length": "1001"})
    arabic = client.post(UPLOADS, headers=headers | {"Upload-Length": "1001", "Accept-Language": "ar"})
    whole = client.post("/api/v1/courses", content=bytes(1001))
    form = client.post(
        "/courses/import", data=token(client, "/courses/import"), files={"file": ("a.zip", bytes(1001))}
    )

    assert fits.status_code == 201
    assert [one.status_code for one in (refused, arabic, whole, form)] == [507] * 4
    assert refused.json()["detail"] == (
        "The file needs 2 kB on this node's disk and 3 kB are free, of which 1 kB are left to what learners do "
        "(setting LMS_MIN_FREE_BYTES, or min_free_bytes in lms.toml; by default 1.1 GB)."
    )
    assert "min_free_bytes" in arabic.json()["detail"]
    assert "disk" not in arabic.json()["detail"]
    assert "min_free_bytes" in form.text
    assert len(list(school.site.uploads.glob("*.part"))) == 1
    assert not list(school.site.uploads.glob("*.zip"))


def test_what_was_sent_is_kept_while_the_disk_is_full(
    school: School, client: TestClient, package: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = begin(client, len(package))
    send(client, upload, 0, package[:300])

    with_room_for(school, monkeypatch, 2 * len(package) - 300 + 999)
    full = send(client, upload, 300, package[300:])
    with_room_for(school, monkeypatch, 2 * len(package) - 300 + 1000)
    rest = send(client, upload, 300, package[300:])
    monkeypatch.undo()
    run_job(school, upload)

    assert (full.status_code, full.json()["type"]) == (507, PROBLEM_TYPE + "upload-no-room")
    assert rest.status_code == 204
    assert client.get(upload).json()["state"] == "done"


@pytest.mark.parametrize("way", ["parts", "body"])
def test_a_disk_that_fills_while_it_is_written_says_so(
    school: School, client: TestClient, package: bytes, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    upload = begin(client, len(package))
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        answer = (
            send(client, upload, 0, package)
            if way == "parts"
            else client.post("/api/v1/courses", content=package)
        )

    assert answer.status_code == 507
    assert "min_free_bytes" in answer.json()["detail"]
    assert not list(school.site.uploads.glob("*.zip"))


def test_what_has_not_arrived_whole_is_listed_and_can_be_thrown_away(
    school: School, client: TestClient, package: bytes
) -> None:
    upload = begin(client, len(package))
    send(client, upload, 0, package[:300])
    colleague = school.client("instructor")

    page = client.get("/courses/import").text
    (discard,) = re.findall(r'action="(/courses/uploads/[^"]*/discard)"', page)
    colleague.post(discard, data=token(colleague, "/courses/import"))
    still_there = client.get(upload).status_code
    client.post(discard, data=token(client, "/courses/import"))

    assert "course.zip" in page
    assert "300 byte" in page
    assert "course.zip" not in colleague.get("/courses/import").text
    assert still_there == 200
    assert client.get(upload).status_code == 404
    assert "Not arrived whole" not in client.get("/courses/import").text
