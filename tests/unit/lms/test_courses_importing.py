"""Imports: at once and by the worker, whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import OperationalError

from content_packages.original import load_original
from content_packages.shelf import Delivery, Shelf
from lms.courses.actions import CourseNotFoundError
from lms.courses.importing import JOB, Importer
from lms.courses.queries import courses_page, find_course, find_import
from lms.courses.tables import Course, Edition, ImportState
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


def left_of(importer: Importer) -> list[str]:
    """Return what an import that kept nothing has left, on the shelf, on the way there, and in the tables."""
    root = importer.uploads.parent / "shelf"
    files = [path.name for path in root.rglob("*") if path.is_file() and path.name != "shelf.lock"]
    with importer.database.read() as session:
        return [*files, *(line.title for line in courses_page(session).rows)]


def test_an_import_that_is_cancelled_before_it_is_read_leaves_nothing(
    importer: Importer, tmp_path: Path
) -> None:
    import_id = queued(importer, a_scorm_file(tmp_path))

    importer.cancel(import_id)
    importer.run_job({"import": str(import_id)})

    with importer.database.read() as session:
        done = find_import(session, import_id)
        assert done is not None
        assert (done.state, done.finished) == (ImportState.CANCELLED, NOON)
    assert left_of(importer) == []
    assert list(importer.uploads.iterdir()) == []


def test_an_import_that_is_cancelled_while_it_is_read_leaves_nothing(
    importer: Importer, tmp_path: Path
) -> None:
    import_id = queued(importer, a_scorm_file(tmp_path))

    class InterruptedShelf(Shelf):
        @contextmanager
        def delivery(self) -> Iterator[Delivery]:
            importer.cancel(import_id)
            with super().delivery() as delivery:
                yield delivery

    at_work = replace(importer, shelf=InterruptedShelf(tmp_path / "shelf"), tell_every_s=0)
    at_work.run_job({"import": str(import_id)})

    assert left_of(importer) == []
    assert list(importer.uploads.iterdir()) == []


def test_an_import_that_has_ended_cannot_be_cancelled(importer: Importer, tmp_path: Path) -> None:
    import_id = queued(importer, a_scorm_file(tmp_path))
    importer.run_job({"import": str(import_id)})

    importer.cancel(import_id)

    with importer.database.read() as session:
        done = find_import(session, import_id)
        assert done is not None
        assert done.state is ImportState.DONE


def test_an_import_whose_course_was_deleted_while_it_waited_ends_and_says_so(
    importer: Importer, tmp_path: Path
) -> None:
    course = importer.import_file(a_scorm_file(tmp_path), by=None).course
    assert course is not None
    import_id = uuid4()
    shutil.copyfile(a_scorm_file(tmp_path, text="Anew"), importer.upload_path(import_id))
    importer.queue(import_id, "anew.zip", by=None, into=course)
    with importer.database.write() as session:
        session.execute(delete(Edition))
        session.execute(delete(Course))

    importer.run_job({"import": str(import_id)})

    with importer.database.read() as session:
        done = find_import(session, import_id)
        assert done is not None
        assert (done.state, done.finished, done.course) == (ImportState.REFUSED, NOON, None)
        assert [one["code"] for one in (done.report or {})["errors"]] == ["edition.course_gone"]
    assert list(importer.uploads.iterdir()) == []


def test_an_upload_that_was_taken_away_ends_its_import(importer: Importer, tmp_path: Path) -> None:
    import_id = queued(importer, a_scorm_file(tmp_path))
    importer.upload_path(import_id).unlink()

    importer.run_job({"import": str(import_id)})

    with importer.database.read() as session:
        done = find_import(session, import_id)
        assert done is not None
        assert done.state is ImportState.CANCELLED


@pytest.mark.parametrize("uploaded", [True, False])
def test_the_original_is_kept_byte_for_byte(importer: Importer, tmp_path: Path, uploaded: bool) -> None:
    package = a_scorm_file(tmp_path)
    sent = package.read_bytes()
    if uploaded:
        importer.run_job({"import": str(queued(importer, package))})
    else:
        importer.import_file(package, by=None)
    package.write_bytes(b"written over")

    with importer.database.read() as session:
        (edition,) = session.scalars(select(Edition))
    assert edition.original is not None
    assert b"".join(load_original(importer.shelf, edition.original).read(importer.shelf)) == sent
    assert (edition.original_name, edition.original_size) == ("course.zip", len(sent))


def test_only_uploads_nobody_goes_on_with_are_thrown_away(importer: Importer, tmp_path: Path) -> None:
    waiting = importer.upload_path(queued(importer, a_scorm_file(tmp_path)))
    old, new = importer.uploads / f"{uuid4()}.zip", importer.uploads / f"{uuid4()}.zip"
    for path in (old, new):
        path.write_bytes(b"PK")
    long_ago = (NOON - timedelta(days=2)).timestamp()
    for path in (old, waiting):
        os.utime(path, (long_ago, long_ago))

    importer.sweep_uploads()

    assert set(importer.uploads.iterdir()) == {waiting, new}


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


class FaultyShelf(Shelf):
    """A shelf on which a fault of our own shows itself, or one of the machine."""

    fault: Exception = TypeError("Integer exceeds 64-bit range")

    @contextmanager
    def delivery(self) -> Iterator[Delivery]:
        with super().delivery() as delivery:
            yield delivery
            raise self.fault


def test_a_file_that_shows_a_fault_of_ours_ends_its_import_with_a_sentence(
    importer: Importer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    faulty = replace(importer, shelf=FaultyShelf(tmp_path / "shelf"))
    import_id = queued(faulty, a_scorm_file(tmp_path))

    faulty.run_job({"import": str(import_id)})
    at_once = faulty.import_file(a_scorm_file(tmp_path), by=None)

    with importer.database.read() as session:
        done = find_import(session, import_id)
    for one in (done, at_once):
        assert one is not None
        assert (one.state, one.finished) == (ImportState.REFUSED, NOON)
        assert [found["code"] for found in (one.report or {})["errors"]] == ["package.unreadable"]
    assert left_of(importer) == []
    assert list(importer.uploads.iterdir()) == []
    assert [record.message for record in caplog.records if record.exc_info] == ["import_failed"] * 2


def test_what_cannot_be_written_down_ends_its_import_as_well(
    importer: Importer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise UnicodeEncodeError("utf-8", "title", 0, 1, "surrogates not allowed")

    monkeypatch.setattr("lms.courses.importing.add_edition", refuse)
    import_id = queued(importer, a_scorm_file(tmp_path))

    importer.run_job({"import": str(import_id)})

    with importer.database.read() as session:
        done = find_import(session, import_id)
    assert done is not None
    assert (done.state, done.course) == (ImportState.REFUSED, None)


@pytest.mark.parametrize(
    "fault",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OperationalError("", {}, Exception("database is locked")),
    ],
)
def test_what_passes_by_itself_is_tried_again(
    importer: Importer, tmp_path: Path, fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FaultyShelf, "fault", fault)
    import_id = queued(importer, a_scorm_file(tmp_path))

    with pytest.raises(type(fault)):
        replace(importer, shelf=FaultyShelf(tmp_path / "shelf")).run_job({"import": str(import_id)})
    importer.run_job({"import": str(import_id)})

    with importer.database.read() as session:
        done = find_import(session, import_id)
    assert done is not None
    assert done.state is ImportState.DONE
