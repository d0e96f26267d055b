"""Imports: at once and by the worker, whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from content_packages.shelf import Shelf
from lms.courses.actions import CourseNotFoundError
from lms.courses.importing import JOB, Importer
from lms.courses.queries import courses_page, find_course, find_import
from lms.courses.tables import ImportState
from lms.database import Database
from lms.queue import claim
from tests.course_builders import NOON, a_scorm_file


@pytest.fixture
def importer(database: Database, tmp_path: Path) -> Importer:
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    return Importer(
        database=database, shelf=Shelf(tmp_path / "shelf"), uploads=uploads, now=lambda: NOON, new_id=uuid4
    )


def queued(importer: Importer, package: Path) -> UUID:
    import_id = uuid4()
    shutil.copyfile(package, importer.upload_path(import_id))
    importer.queue(import_id, package.name, by=None)
    return import_id


def test_a_file_becomes_a_published_course(importer: Importer, tmp_path: Path) -> None:
    result = importer.import_file(a_scorm_file(tmp_path), by=None, publish_it=True)

    assert result.state is ImportState.DONE
    with importer.database.read() as session:
        course = find_course(session, result.course)
        assert course is not None
        assert (course.title, course.current_edition) == ("Precursors", result.edition)


def test_a_refused_file_leaves_a_report_and_no_course(importer: Importer, tmp_path: Path) -> None:
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\x03\x04 and no more")

    result = importer.import_file(broken, by=None)

    assert result.state is ImportState.REFUSED
    assert result.report is not None
    assert result.report["errors"]
    with importer.database.read() as session:
        assert courses_page(session).total == 0
    assert list(importer.shelf.digests()) == []


def test_importing_into_a_course_makes_its_next_edition(importer: Importer, tmp_path: Path) -> None:
    first = importer.import_file(a_scorm_file(tmp_path), by=None)

    second = importer.import_file(a_scorm_file(tmp_path, text="Anew"), by=None, into=first.course)

    assert second.course == first.course
    assert second.edition != first.edition


def test_importing_into_a_course_that_is_not_here_is_refused(importer: Importer, tmp_path: Path) -> None:
    with pytest.raises(CourseNotFoundError):
        importer.import_file(a_scorm_file(tmp_path), by=None, into=uuid4())


def test_an_upload_is_read_by_a_job_and_then_thrown_away(importer: Importer, tmp_path: Path) -> None:
    import_id = queued(importer, a_scorm_file(tmp_path))
    with importer.database.write() as session:
        job = claim(session, JOB, now=NOON)
    assert job is not None

    importer.run_job(job.payload)

    assert job.kind == JOB
    with importer.database.read() as session:
        done = find_import(session, import_id)
        assert done is not None
        assert (done.state, done.finished) == (ImportState.DONE, NOON)
    assert list(importer.uploads.iterdir()) == []


def test_a_job_that_runs_twice_makes_one_course(importer: Importer, tmp_path: Path) -> None:
    import_id = queued(importer, a_scorm_file(tmp_path))

    importer.run_job({"import": str(import_id)})
    importer.run_job({"import": str(import_id)})

    with importer.database.read() as session:
        assert courses_page(session).total == 1
