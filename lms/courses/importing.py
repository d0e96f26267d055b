"""Import course packages: an upload, a job, an edition; or, for commands and the API, at once.

Files and manifest reach the shelf before the first row names them, and all rows appear in one transaction: a
crash leaves litter on the shelf, never a broken course. A job that runs again after a crash begins anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request

from content_packages.intake import Progress, read_package
from content_packages.limits import Limits
from content_packages.shelf import Shelf
from lms.courses.actions import CourseNotFoundError, add_edition, publish
from lms.courses.queries import courses_alike, find_course, find_import
from lms.courses.tables import CourseImport, ImportState
from lms.database import Database
from lms.queue import enqueue

JOB = "course-import"
_TELL_EVERY_S = 0.5  # progress is a row others read; no need to write it for each of 20,000 files


@dataclass(frozen=True, kw_only=True)
class Importer:
    """What an import needs of the node it runs on.

    Args:
        uploads: where an upload waits, named by the public id of its import.
        provisional: courses made here are offers until the centre takes them; ``False`` at the centre.
    """

    database: Database
    shelf: Shelf
    uploads: Path
    now: Callable[[], datetime]
    new_id: Callable[[], UUID]
    provisional: bool = True
    limits: Limits = field(default_factory=Limits)

    def upload_path(self, import_id: UUID) -> Path:
        """Return where the upload of an import waits."""
        return self.uploads / f"{import_id}.zip"

    def queue(
        self,
        import_id: UUID,
        file_name: str,
        *,
        by: UUID | None,
        into: UUID | None = None,
        publish_it: bool = False,
    ) -> None:
        """Have an upload, complete at its ``upload_path``, read by the worker.

        Raises:
            CourseNotFoundError: *into* names no course.
        """
        with self.database.write() as session:
            if into is not None and find_course(session, into) is None:
                raise CourseNotFoundError(into)
            session.add(
                self._row(
                    import_id,
                    self.upload_path(import_id),
                    file_name=file_name,
                    by=by,
                    into=into,
                    publish_it=publish_it,
                )
            )
            enqueue(session, JOB, {"import": str(import_id)}, now=self.now())

    def run_job(self, payload: dict[str, Any]) -> None:
        """Do a queued import; once it has ended, running it again does nothing."""
        import_id = UUID(payload["import"])
        with self.database.read() as session:
            row = find_import(session, import_id)
        if row is not None and row.finished is None:
            self._read(import_id, self.upload_path(import_id), asks=True)
        self.upload_path(import_id).unlink(missing_ok=True)

    def import_file(
        self,
        path: Path,
        *,
        file_name: str = "",
        by: UUID | None,
        into: UUID | None = None,
        publish_it: bool = False,
    ) -> CourseImport:
        """Import a file now and return what came of it; the file stays where it is.

        Raises:
            CourseNotFoundError: *into* names no course.
        """
        import_id = self.new_id()
        with self.database.write() as session:
            if into is not None and find_course(session, into) is None:
                raise CourseNotFoundError(into)
            session.add(
                self._row(
                    import_id, path, file_name=file_name or path.name, by=by, into=into, publish_it=publish_it
                )
            )
        return self._read(import_id, path)

    def _row(
        self,
        import_id: UUID,
        path: Path,
        *,
        file_name: str,
        by: UUID | None,
        into: UUID | None,
        publish_it: bool,
    ) -> CourseImport:
        return CourseImport(
            public_id=import_id,
            file_name="".join(sign for sign in file_name if sign.isprintable())[:200],
            size=path.stat().st_size,
            publish=publish_it,
            into_course=into,
            started=self.now(),
            started_by=by,
        )

    def _read(self, import_id: UUID, path: Path, *, asks: bool = False) -> CourseImport:
        """Read a package and make it an edition.

        With *asks*, somebody looks at the report: what seems to be a new edition of a course that is here is
        not published before she has said what it is.
        """
        told = 0.0

        def tell(progress: Progress) -> None:
            nonlocal told
            if time.monotonic() - told < _TELL_EVERY_S:
                return
            told = time.monotonic()
            with self.database.write() as session:
                row = _import(session, import_id)
                row.state = ImportState.READING
                row.files_done, row.files_total = progress.files, progress.files_total
                row.bytes_done, row.bytes_total = progress.size, progress.size_total

        report = read_package(path, self.shelf, limits=self.limits, progress=tell)
        plain = report.to_json()
        with self.database.write() as session:
            row = _import(session, import_id)
            row.report = plain
            row.finished = self.now()
            if report.package is None or report.digest is None:
                row.state = ImportState.REFUSED
                return row
            course, edition = add_edition(
                session,
                report.package,
                report.digest,
                plain,
                into=row.into_course,
                by=row.started_by,
                now=self.now(),
                new_id=self.new_id,
                provisional=self.provisional,
            )
            strange = asks and row.into_course is None
            if row.publish and not (
                strange and courses_alike(session, course.identifier, but=course.public_id)
            ):
                publish(session, self.shelf, edition.public_id, now=self.now())
            row.state = ImportState.DONE
            row.course, row.edition = course.public_id, edition.public_id
            return row


def importer_of(request: Request) -> Importer:
    """Return the importer of the node a request arrived at."""
    importer: Importer = request.app.state.importer
    return importer


def _import(session: Session, import_id: UUID) -> CourseImport:
    return session.scalars(select(CourseImport).where(CourseImport.public_id == import_id)).one()
