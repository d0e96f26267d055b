"""Uploads in parts: a file that arrives over as many requests as the link needs, then waits to be imported.

Beside the bytes, ``<id>.part``, stands what was said of them, ``<id>.json``. Bytes count once they are synced; a part
that broke off counts as far as it came. The whole is renamed to where the import of the same id looks for it, and the
import is queued; whoever asks after an upload that was whole as the power went does that again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import orjson
from filelock import FileLock, Timeout

from lms.courses.actions import CourseNotFoundError
from lms.courses.errors import (
    UploadBusyError,
    UploadGoneError,
    UploadOffsetError,
    UploadOverflowError,
)
from lms.courses.importing import UPLOADS_KEPT, Importer
from lms.courses.queries import find_import
from lms.courses.uploads import refused_when_full, require_room


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """A file on its way here.

    Args:
        length: how many bytes it will have.
        by: public id of whose upload it is; nobody else sees it.
        into: public id of the course it becomes an edition of.
    """

    id: UUID
    length: int
    file_name: str
    by: UUID | None
    into: UUID | None
    publish: bool


class Uploads:
    """The uploads of a node that are not whole yet."""

    def __init__(self, importer: Importer) -> None:
        self._importer = importer
        self._folder = importer.uploads

    @property
    def most_bytes(self) -> int:
        """The most an upload may have."""
        return self._importer.limits.max_archive_bytes

    def begin(
        self, *, length: int, file_name: str, by: UUID | None, into: UUID | None, publish: bool
    ) -> Upload:
        """Make room for an upload.

        Raises:
            CourseNotFoundError: *into* names no course.
            UploadTooLargeError: it has more bytes than are taken.
            UploadNoRoomError: the disk has no room for it.
        """
        require_room(length, self._folder, self._importer.limits)
        self._importer.require_course(into)
        upload = Upload(
            id=self._importer.new_id(),
            length=length,
            file_name=file_name,
            by=by,
            into=into,
            publish=publish,
        )
        self._part(upload.id).touch()
        said = {"length": length, "file_name": file_name, "by": by, "into": into, "publish": publish}
        beside = self._said(upload.id).with_suffix(".json.new")
        beside.write_bytes(orjson.dumps(said))
        beside.replace(self._said(upload.id))
        if length == 0:
            self._finish(upload)
        return upload

    def find(self, upload_id: UUID, *, by: UUID | None) -> tuple[Upload, int]:
        """Return an upload of somebody, and how many of its bytes are here.

        Raises:
            UploadGoneError: there is no such upload of hers, or it is whole already and being imported.
        """
        try:
            said = orjson.loads(self._said(upload_id).read_bytes())
        except FileNotFoundError as error:
            raise UploadGoneError from error
        upload = Upload(
            id=upload_id,
            length=said["length"],
            file_name=said["file_name"],
            by=_id(said["by"]),
            into=_id(said["into"]),
            publish=said["publish"],
        )
        if upload.by != by:
            raise UploadGoneError
        part = self._part(upload_id)
        offset = part.stat().st_size if part.is_file() else upload.length
        if offset == upload.length:
            self._finish(upload)
        return upload, offset

    def stopped(self, *, by: UUID | None) -> list[tuple[Upload, int]]:
        """Return the uploads of somebody that are not whole, and how many bytes of each are here; the latest first."""
        found = []
        for said in self._folder.glob("*.json"):
            try:
                upload, offset = self.find(UUID(said.stem), by=by)
            except (UploadGoneError, CourseNotFoundError):
                continue
            if offset < upload.length:
                found.append((upload, offset))
        return sorted(found, key=lambda pair: self.expires(pair[0]), reverse=True)

    @contextmanager
    def appending(self, upload: Upload, offset: int) -> Iterator[Callable[[bytes], None]]:
        """Let the block write what comes next; all of it that came is synced as it ends, however it ends.

        Raises:
            UploadOffsetError: it goes on elsewhere than where the bytes here end.
            UploadBusyError: another request is writing to it.
            UploadOverflowError: more comes than was announced; what was announced is kept.
            UploadNoRoomError: the disk has no room for the rest; what is here is kept.
        """
        require_room(upload.length, self._folder, self._importer.limits, here=offset)
        lock = FileLock(self._lock(upload.id), timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise UploadBusyError from error
        try:
            part, still = self._part(upload.id), upload.length - offset
            with refused_when_full(part, self._importer.limits, still=still), part.open("ab") as file:
                if file.tell() != offset:
                    raise UploadOffsetError(here=file.tell())

                def write(piece: bytes) -> None:
                    if file.tell() + len(piece) > upload.length:
                        raise UploadOverflowError
                    file.write(piece)

                try:
                    yield write
                finally:
                    file.flush()
                    os.fsync(file.fileno())
        finally:
            lock.release()

    def discard(self, upload_id: UUID, *, by: UUID | None) -> None:
        """Give an upload up, on its way or being imported; nothing of it is kept.

        Raises:
            UploadGoneError: there is no such upload of hers.
        """
        with self._importer.database.read() as session:
            done = find_import(session, upload_id)
        if done is None:
            self.find(upload_id, by=by)
        elif done.started_by != by:
            raise UploadGoneError
        self._importer.cancel(upload_id)
        self._forget(upload_id)

    def expires(self, upload: Upload) -> datetime:
        """Return when an upload is thrown away if nothing more comes."""
        part = self._part(upload.id)
        touched = part.stat().st_mtime if part.is_file() else self._importer.now().timestamp()
        return datetime.fromtimestamp(touched, UTC) + UPLOADS_KEPT

    def _finish(self, upload: Upload) -> None:
        """Hand a whole upload over to the worker; safe to repeat.

        Raises:
            CourseNotFoundError: the course it was to become an edition of is gone; nothing is kept.
        """
        part, whole = self._part(upload.id), self._importer.upload_path(upload.id)
        with FileLock(self._lock(upload.id)):
            if part.is_file():
                part.replace(whole)
            with self._importer.database.read() as session:
                queued = find_import(session, upload.id) is not None
            if not queued:
                try:
                    self._importer.queue(
                        upload.id,
                        upload.file_name,
                        by=upload.by,
                        into=upload.into,
                        publish_it=upload.publish,
                    )
                except CourseNotFoundError:
                    whole.unlink(missing_ok=True)
                    self._forget(upload.id)
                    raise
        self._forget(upload.id)

    def _forget(self, upload_id: UUID) -> None:
        for path in (self._said(upload_id), self._part(upload_id), self._lock(upload_id)):
            path.unlink(missing_ok=True)

    def _lock(self, upload_id: UUID) -> Path:
        return self._folder / f"{upload_id}.lock"

    def _part(self, upload_id: UUID) -> Path:
        return self._folder / f"{upload_id}.part"

    def _said(self, upload_id: UUID) -> Path:
        return self._folder / f"{upload_id}.json"


def _id(text: str | None) -> UUID | None:
    return UUID(text) if text else None
