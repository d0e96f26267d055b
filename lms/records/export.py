"""Exports: what a filter finds, written to a file in steps, from the newest statement down.

A step is one page of statements, read in a transaction of its own and written behind the last. Twice a second
what was written is made durable, and then the row says how far it came; so a job that was killed goes on from
there, and one that runs twice does nothing the second time. The file is called by its name once it is whole.

The walk goes down because that is safe beside writers: what comes meanwhile stands above where it began.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import orjson
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from starlette.requests import Request

from lms.database import Database
from lms.queue import enqueue
from lms.records import columns
from lms.records.filters import from_json, to_json
from lms.records.queries import find_export
from lms.records.tables import ExportFormat, ExportState, RecordExport
from xapi_store.counts import first_position, last_position
from xapi_store.query import StatementFilter, StoredStatement, find_statements
from xapi_store.render import exact

log = logging.getLogger(__name__)

JOB = "records.export"
KEPT = timedelta(days=7)

FIRST_PAGE, LARGEST_PAGE = 16, 500
_ENOUGH_BYTES = 4 * 1024 * 1024  # in one page; a statement may have that many by itself
_TELL_EVERY_S = 0.5
_STINT_S = 60.0  # well within the lease of a job, which would otherwise be given to another worker


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """How far an export has come: all above *position* stands in the first *size* bytes of its file."""

    position: int
    statements: int = 0
    size: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """The positions between which an export walks, both included."""

    highest: int
    lowest: int


def span_of(session: Session, wanted: StatementFilter) -> Span:
    """Return where the statements that match now can stand."""
    lowest = first_position(session, after=wanted.since)
    return Span(highest=last_position(session), lowest=1 if lowest is None else lowest)


def write_file(
    database: Database, wanted: StatementFilter, kind: ExportFormat, file: BinaryIO, begin: Place
) -> Iterator[Place]:
    """Write statements behind what *file* holds, one page each time the next place is asked for.

    Args:
        database: read in a transaction for each page, so that none stays open for long.
        wanted: what to write.
        kind: as what.
        file: open for writing; cut to what *begin* says.
        begin: where to go on.
    """
    file.truncate(begin.size)
    file.seek(begin.size)
    place = begin
    if place.size == 0 and kind is ExportFormat.CSV:
        place = replace(place, size=file.write(columns.heading()))
    page = FIRST_PAGE
    more = True
    while more:
        with database.read() as session:
            found = find_statements(session, replace(wanted, before=place.position), limit=page)
        more = found.has_more
        text = _written(found.statements, kind)
        place = Place(
            position=found.statements[-1].position if more else 0,
            statements=place.statements + len(found.statements),
            size=place.size + file.write(text),
        )
        page = _next_page(page, len(text))
        yield place


def _next_page(page: int, size: int) -> int:
    """Return how many statements to read next, so that pages stay small whatever a statement weighs."""
    if size > _ENOUGH_BYTES:
        return max(page // 4, 1)
    return min(page * 2, LARGEST_PAGE) if size * 4 < _ENOUGH_BYTES else page


def _written(found: Sequence[StoredStatement], kind: ExportFormat) -> bytes:
    match kind:
        case ExportFormat.CSV:
            return columns.rows((orjson.loads(one.raw), one.stored) for one in found)
        case ExportFormat.JSONL:
            return b"".join(exact(one.raw, one.stored) + b"\n" for one in found)


@dataclass(frozen=True, kw_only=True)
class Exporter:
    """What exports need of the node they run on.

    Args:
        folder: where the files are; made when the first one is written.
    """

    database: Database
    folder: Path
    now: Callable[[], datetime]
    new_id: Callable[[], UUID]
    stint_s: float = _STINT_S
    tell_every_s: float = _TELL_EVERY_S

    def path_of(self, export: RecordExport) -> Path:
        """Return where the whole file stands."""
        return self.folder / f"{export.public_id}.{export.format}"

    def queue(self, wanted: StatementFilter, kind: ExportFormat, *, by: UUID | None) -> UUID:
        """Have what matches now written to a file by the worker; return the export's public id."""
        export_id = self.new_id()
        with self.database.write() as session:
            span = span_of(session, wanted)
            session.add(
                RecordExport(
                    public_id=export_id,
                    format=kind,
                    wanted=to_json(wanted),
                    highest=span.highest,
                    lowest=span.lowest,
                    position=span.highest + 1,
                    started=self.now(),
                    started_by=by,
                )
            )
            self._enqueue(session, export_id)
        return export_id

    def run_job(self, payload: dict[str, Any]) -> None:
        """Write on at a queued export, for a while; once it has ended, running it again does nothing."""
        export_id = UUID(payload["export"])
        with self.database.read() as session:
            export = find_export(session, export_id)
        if export is None or export.finished is not None:
            return
        try:
            self._write(export)
        except OSError as error:  # the disk is full, or gone: trying again would only fill it again
            log.warning("export_failed", extra={"export": str(export_id), "problem": str(error)})
            _unlink(self._beside(export))
            with self.database.write() as session:
                failed = find_export(session, export_id)
                if failed is not None:
                    failed.state, failed.finished = ExportState.FAILED, self.now()

    def remove(self, export_id: UUID) -> None:
        """Forget an export, whether it is under way or ready, and take its file away."""
        with self.database.write() as session:
            export = find_export(session, export_id)
            if export is None:
                return
            session.delete(export)
        self._take_away(export)

    def sweep(self) -> bool:
        """Forget the exports that ended :data:`KEPT` ago, and files of none; a chore, with never more to do."""
        files = list(self.folder.glob("*.*"))  # before the rows: an export has a row before it has a file
        with self.database.read() as session:
            kept = session.scalars(select(RecordExport)).all()
        old = [one for one in kept if one.finished is not None and one.finished <= self.now() - KEPT]
        if old:
            with self.database.write() as session:
                session.execute(delete(RecordExport).where(RecordExport.id.in_([one.id for one in old])))
        known = {str(one.public_id) for one in kept if one not in old}
        for path in files:
            if path.stem not in known:
                _unlink(path)
        return False

    def _write(self, export: RecordExport) -> None:
        self.folder.mkdir(exist_ok=True)
        whole = self.path_of(export)
        was_killed_at_the_end = export.position == 0 and whole.exists()  # before it could say so
        if not was_killed_at_the_end:
            if not self._write_on(export):
                return
            self._beside(export).replace(whole)
        with self.database.write() as session:
            row = find_export(session, export.public_id)
            if row is not None:
                row.state, row.finished = ExportState.DONE, self.now()
        if row is None:
            self._take_away(export)

    def _write_on(self, export: RecordExport) -> bool:
        """Write until all is written; ``False`` where it was removed meanwhile, or goes on in another job."""
        beside = self._beside(export)
        place = Place(position=export.position, statements=export.statements, size=export.size)
        if not beside.exists() or beside.stat().st_size < place.size:
            place = Place(position=export.highest + 1)
        if place.position == 0:
            return True
        until, told = time.monotonic() + self.stint_s, 0.0
        with beside.open("r+b" if beside.exists() else "wb") as file:
            for reached in write_file(self.database, from_json(export.wanted), export.format, file, place):
                now = time.monotonic()
                if reached.position > 0 and now - told < self.tell_every_s:
                    continue
                told = now
                file.flush()
                os.fsync(file.fileno())
                goes_on = reached.position > 0 and now >= until
                if not self._tell(export.public_id, reached, goes_on=goes_on):
                    break
                if goes_on:
                    return False
            else:
                return True
        self._take_away(export)
        return False

    def _tell(self, export_id: UUID, place: Place, *, goes_on: bool) -> bool:
        """Say how far an export has come; ``False`` where it was removed meanwhile."""
        with self.database.write() as session:
            row = find_export(session, export_id)
            if row is None:
                return False
            row.state = ExportState.WRITING
            row.position, row.statements, row.size = place.position, place.statements, place.size
            if goes_on:
                self._enqueue(session, export_id)
        return True

    def _enqueue(self, session: Session, export_id: UUID) -> None:
        enqueue(session, JOB, {"export": str(export_id)}, now=self.now())

    def _beside(self, export: RecordExport) -> Path:
        return self.folder / f"{export.public_id}.part"

    def _take_away(self, export: RecordExport) -> None:
        for path in (self._beside(export), self.path_of(export)):
            _unlink(path)


def _unlink(path: Path) -> None:
    with suppress(OSError):  # such as on Windows, while somebody has it open; the next sweep finds it
        path.unlink(missing_ok=True)


def exporter_of(request: Request) -> Exporter:
    """Return the exporter of the node a request arrived at."""
    exporter: Exporter = request.app.state.exporter
    return exporter
