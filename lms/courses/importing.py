"""Import course packages: an upload, a job, an edition; or, for commands and the API, at once.

Files and manifest reach the shelf before the first row names them, and all rows appear in one transaction: a
crash leaves litter on the shelf, never a broken course. A job that runs again after a crash begins anew.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.orm import Session
from starlette.requests import Request

from content_packages.errors import ShelfError
from content_packages.findings import Finding, finding
from content_packages.intake import ImportReport, Progress, read_package
from content_packages.limits import Limits
from content_packages.package import Package
from content_packages.schema_org import MOST_SAID_BYTES, SUFFIX
from content_packages.shelf import Shelf
from lms.courses.actions import CourseNotFoundError, add_edition, publish
from lms.courses.damage import made_whole
from lms.courses.queries import (
    MOST_ALIKE,
    courses_alike,
    editions_of,
    find_course,
    find_import,
    imports_under_way,
)
from lms.courses.tables import Course, CourseImport, Edition, ImportState
from lms.database import Database, DatabaseError
from lms.queue import enqueue

log = logging.getLogger(__name__)

JOB = "course-import"
UPLOADS_KEPT = timedelta(days=1)  # of which nothing came any more


@dataclass(frozen=True, kw_only=True)
class Importer:
    """What an import needs of the node it runs on.

    Args:
        uploads: where an upload waits, named by the public id of its import.
        provisional: courses made here are offers until the centre takes them; ``False`` at the centre.
        tell_every_s: how often progress is written and asked whether to go on; not for each of 20,000 files.
        keeps_originals: whether the files that editions were imported from stay on the shelf, for export.
    """

    database: Database
    shelf: Shelf
    uploads: Path
    now: Callable[[], datetime]
    new_id: Callable[[], UUID]
    provisional: bool = True
    keeps_originals: bool = True
    tell_every_s: float = 0.5
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

    def require_course(self, into: UUID | None) -> None:
        """Look whether the course that something is to be an edition of is here.

        Raises:
            CourseNotFoundError: it is named and is not.
        """
        with self.database.read() as session:
            if into is not None and find_course(session, into) is None:
                raise CourseNotFoundError(into)

    def run_job(self, payload: dict[str, Any]) -> None:
        """Do a queued import; once it has ended, running it again does nothing."""
        import_id = UUID(payload["import"])
        path = self.upload_path(import_id)
        with self.database.read() as session:
            row = find_import(session, import_id)
        if row is not None and row.finished is None:
            if path.is_file():
                self._read_queued(import_id, path, row.file_name)
            else:
                self.cancel(import_id)  # somebody took the upload away: there is nothing to read
        path.unlink(missing_ok=True)

    def import_file(
        self,
        path: Path,
        *,
        file_name: str | None = None,
        by: UUID | None,
        into: UUID | None = None,
        publish_it: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> CourseImport:
        """Import a file now and return what came of it; the file stays where it is.

        What ``lms export`` wrote beside it for catalogues is taken with it.
        Nothing is written before all of it is: nobody would go on with an import that was killed.
        *file_name* is what whoever gave it calls it, empty where nobody said; left out, it is the file's own.
        *progress* is told how far it is, as by ``read_package``.

        Raises:
            CourseNotFoundError: *into* names no course.
            OSError: the file cannot be read, or the disk is full.
        """
        self.require_course(into)
        name = path.name if file_name is None else file_name
        row = self._row(
            self.new_id(), path, file_name=name or path.name, by=by, into=into, publish_it=publish_it
        )
        report = self._read(path, name, catalogue_data=_beside(path), progress=progress)

        def end(report: ImportReport) -> None:
            with self.database.write() as session:
                session.add(row)
                self._conclude(session, row, report, asks=False)

        _or_unreadable(lambda: end(report), lambda: end(_UNREADABLE), row.file_name)
        return row

    def cancel(self, import_id: UUID) -> None:
        """End an import that is waiting or being read, and keep nothing of it; one that has ended stays as it is."""
        with self.database.write() as session:
            row = find_import(session, import_id)
            if row is None or row.finished is not None:
                return
            row.state, row.finished = ImportState.CANCELLED, self.now()
        self.upload_path(import_id).unlink(missing_ok=True)

    def leftovers(self) -> list[Path]:
        """Return uploads that belong to no import under way, and of which nothing came for a day."""
        files = [path for path in self.uploads.iterdir() if path.is_file()]  # before the rows: see queue
        with self.database.read() as session:
            waiting = {str(one) for one in imports_under_way(session)}
        touched: dict[str, float] = {}  # an upload has more than one file while it is on its way
        for path in files:
            with suppress(FileNotFoundError):
                touched[path.stem] = max(touched.get(path.stem, 0), path.stat().st_mtime)
        limit = (self.now() - UPLOADS_KEPT).timestamp()
        return sorted(
            path for path in files if path.stem not in waiting and touched.get(path.stem, limit) < limit
        )

    def sweep_uploads(self) -> bool:
        """Throw uploads away that nobody went on with; a chore, with never more to do."""
        for path in self.leftovers():
            path.unlink(missing_ok=True)
        return False

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

    def _read_queued(self, import_id: UUID, path: Path, file_name: str) -> None:
        """Read an upload, telling how far it is, until it ends or somebody cancels it."""
        told = 0.0

        def tell(progress: Progress) -> None:
            nonlocal told
            if time.monotonic() - told < self.tell_every_s:
                return
            told = time.monotonic()
            with self.database.write() as session:
                row = _import(session, import_id)
                if row.finished is not None:
                    raise _CancelledError
                row.state = ImportState.READING
                row.files_done, row.files_total = progress.files, progress.files_total
                row.bytes_done, row.bytes_total = progress.size, progress.size_total

        def end(report: ImportReport) -> None:
            with self.database.write() as session:
                row = _import(session, import_id)
                if row.finished is None:
                    self._conclude(session, row, report, asks=True)

        try:
            report = self._read(path, file_name, progress=tell)
        except _CancelledError:
            return
        except FileNotFoundError:
            if path.is_file():
                raise
            return  # cancelled before its first byte was read
        _or_unreadable(lambda: end(report), lambda: end(_UNREADABLE), file_name)

    def _read(
        self,
        path: Path,
        file_name: str,
        *,
        catalogue_data: bytes | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> ImportReport:
        """Read a file; where that fails and would fail each time, the report says so.

        What courses here had lost and it brought again is said too.
        """
        lost = {ref.digest for ref in self.shelf.lost()}
        read = partial(
            read_package,
            path,
            self.shelf,
            file_name=file_name,
            limits=self.limits,
            keep_original=self.keeps_originals,
            catalogue_data=catalogue_data,
            progress=progress,
        )
        report = _or_unreadable(read, lambda: _UNREADABLE, file_name)
        if back := lost.difference(ref.digest for ref in self.shelf.lost()):
            report = replace(report, findings=(*report.findings, finding("edition.mended", count=len(back))))
        return report

    def _conclude(
        self,
        session: Session,
        row: CourseImport,
        report: ImportReport,
        *,
        asks: bool,
    ) -> None:
        """Write what came of an import, all of it at once.

        What made an edition whole again that is here makes no further one, and publishes nothing.

        With *asks*, somebody looks at the report: what seems to be a new edition of a course that is here is
        not published before she has said what it is.
        """
        package = report.package
        mended = made_whole(session, self.shelf, report, into=row.into_course) if package is not None else []
        if row.into_course is not None and package is not None:
            if find_course(session, row.into_course) is None:
                gone = finding("edition.course_gone")
                report = replace(report, package=None, digest=None, findings=(gone, *report.findings))
            else:
                doubts = () if mended else _doubts(session, row.into_course, package, report.digest)
                report = replace(report, findings=(*report.findings, *doubts))
        report = replace(report, findings=(*report.findings, *map(_whole_again, mended[:MOST_ALIKE])))
        row.report = report.to_json()
        row.finished = self.now()
        if report.package is None or report.digest is None:
            row.state, row.course, row.edition = ImportState.REFUSED, None, None
            return
        if mended:
            edition, course = mended[0]
            row.state, row.course, row.edition = ImportState.DONE, course.public_id, edition.public_id
            row.into_course = course.public_id  # whose edition it is: nobody is to be asked
            return
        course, edition = add_edition(
            session,
            report.package,
            report.digest,
            row.report,
            into=row.into_course,
            by=row.started_by,
            now=self.now(),
            new_id=self.new_id,
            provisional=self.provisional,
        )
        if report.original is not None:
            edition.original, edition.original_size = report.original.digest, report.original.size
            edition.original_name = row.file_name
        strange = asks and row.into_course is None
        if row.publish and not (strange and courses_alike(session, course.identifier, but=course.public_id)):
            publish(session, self.shelf, edition.public_id, now=self.now())
        row.state = ImportState.DONE
        row.files_done, row.bytes_done = (
            row.files_total,
            row.bytes_total,
        )  # the last was told before it was whole
        row.course, row.edition = course.public_id, edition.public_id


class _CancelledError(Exception):
    """Somebody has cancelled the import at work."""


Done = TypeVar("Done")
_UNREADABLE = ImportReport(findings=(finding("package.unreadable"),))
# No fault of the file, nor of how it is read: a full disk, a locked database.
_PASSING = (OSError, DBAPIError, DatabaseError, ShelfError, _CancelledError)


def _or_unreadable(do: Callable[[], Done], instead: Callable[[], Done], file_name: str) -> Done:
    """Do a part of an import; where it fails and would fail each time, say so in the log and do *instead*."""
    try:
        return do()
    except Exception as error:  # whatever it was: who waits for the import has to be told that it has ended
        # A value that no database takes is none of those that pass, though the driver files it with them.
        if isinstance(error, _PASSING) and not isinstance(error, DataError):
            raise
        log.exception("import_failed", extra={"file_name": file_name})
        return instead()


def importer_of(request: Request) -> Importer:
    """Return the importer of the node a request arrived at."""
    importer: Importer = request.app.state.importer
    return importer


def _beside(path: Path) -> bytes | None:
    """Return what lies beside a package for catalogues."""
    beside = path.with_name(f"{path.name}{SUFFIX}")
    with suppress(OSError), beside.open("rb") as file:
        return file.read(MOST_SAID_BYTES)
    return None


def _doubts(session: Session, into: UUID, package: Package, digest: str | None) -> Iterator[Finding]:
    """Tell what speaks against a package being a new edition: it is one already, or bears neither name nor title."""
    course = find_course(session, into)
    editions = () if course is None else editions_of(session, course)
    if course is None or not editions:
        return
    same = next((edition for edition in editions if edition.manifest == digest), None)
    if same is not None:
        yield finding("edition.same", number=same.number)
    elif course.identifier != package.identifier and package.title not in {one.title for one in editions}:
        yield finding("edition.unrelated", name=package.title, other=course.title)


def _whole_again(mended: tuple[Edition, Course]) -> Finding:
    edition, course = mended
    return finding("edition.whole_again", number=edition.number, title=course.title)


def _import(session: Session, import_id: UUID) -> CourseImport:
    return session.scalars(select(CourseImport).where(CourseImport.public_id == import_id)).one()
