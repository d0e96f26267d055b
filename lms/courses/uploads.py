"""Receive a package as it arrives, straight into the uploads folder.

The usual form parser would first spool the file into the system's temporary folder, which on small machines
is memory, and then have it copied.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from content_packages.limits import Limits, variable
from lms.courses.errors import UploadMissingError, UploadNoRoomError, UploadTooLargeError
from lms.web.wording import Bytes

_FIELD_BYTES = 4096
_MOST_DIGITS = 19


async def receive_body(request: Request, target: Path, limits: Limits) -> None:
    """Write the raw body of a request to *target*, or nothing.

    Raises:
        UploadTooLargeError: there is more of it than an import takes.
        UploadNoRoomError: the disk has no room for it.
    """
    require_room(_announced(request), target.parent, limits)
    with _whole(target, limits) as file:
        async for piece in request.stream():
            _write(file, piece, limits)


async def receive_form(
    request: Request, target: Path, limits: Limits, *, admit: Callable[[Mapping[str, str]], None]
) -> dict[str, str]:
    """Write the one file of a multipart form to *target*; return the fields, and its name as ``file_name``.

    *admit* sees the fields that stand before the file and may refuse by raising; nothing is kept then.

    Raises:
        UploadMissingError: there is no file in the form, or it broke off.
        UploadTooLargeError: there is more of the file than an import takes.
        UploadNoRoomError: the disk has no room for it.
    """
    _require_disk(2 * _announced(request), target.parent, limits)  # the form is a little more than its file
    content_type, options = parse_options_header(request.headers.get("content-type", ""))
    if content_type != b"multipart/form-data" or b"boundary" not in options:
        raise UploadMissingError
    with _whole(target, limits) as file:
        form = _Form(file, limits, admit=admit)
        parser = MultipartParser(options[b"boundary"], form.callbacks())  # type: ignore[arg-type]  # its type lacks the data callbacks
        async for piece in request.stream():
            parser.write(piece)
        if not form.complete or not form.fields.get("file_name"):
            raise UploadMissingError
    return form.fields


@contextmanager
def _whole(target: Path, limits: Limits) -> Iterator[BinaryIO]:
    """Keep what is written only if the block ends well."""
    try:
        with refused_when_full(target, limits), target.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # the row that names it must not outlive its bytes
    except MultipartParseError as error:
        target.unlink(missing_ok=True)
        raise UploadMissingError from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise


class _Form:
    """Collects the fields of a form and lets its file through to disk."""

    def __init__(self, file: BinaryIO, limits: Limits, *, admit: Callable[[Mapping[str, str]], None]) -> None:
        self.fields: dict[str, str] = {}
        self.complete = False
        self._file = file
        self._limits = limits
        self._admit = admit
        self._header = b""
        self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self._name = ""
        self._in_file = False
        self._text = bytearray()

    def callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._open,
            "on_part_data": self._data,
            "on_part_end": self._close,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._headers = {}
        self._text = bytearray()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._header.lower()] = self._value
        self._header = self._value = b""

    def _open(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        self._in_file = b"filename" in options and "file_name" not in self.fields
        if self._in_file:
            self._admit(self.fields)
            given = options[b"filename"].decode("utf-8", "replace")
            self.fields["file_name"] = given.replace("\\", "/").rsplit("/", 1)[-1][:200]

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            _write(self._file, data[start:end], self._limits)
        elif len(self._text) < _FIELD_BYTES:
            self._text += data[start:end]

    def _close(self) -> None:
        if not self._in_file and self._name != "file_name":
            self.fields[self._name] = self._text.decode("utf-8", "replace")
        self._in_file = False

    def _end(self) -> None:
        self.complete = True


def require_room(size: int, folder: Path, limits: Limits, *, here: int = 0) -> None:
    """Refuse an upload that is larger than an import takes, or that the disk has no room for.

    An hour on a thin link is not to end with a refusal that could have been said at its beginning. Room is needed for
    the upload and, beside it, for what is unpacked of it, which is rarely less.

    Args:
        size: bytes of the upload.
        folder: where it arrives, on the disk of the shelf.
        limits: what this node takes and keeps free.
        here: how many of its bytes have arrived.

    Raises:
        UploadTooLargeError: it is larger.
        UploadNoRoomError: there is no room.
    """
    _refuse_larger(size, limits)
    _require_disk(2 * size - here, folder, limits)


@contextmanager
def refused_when_full(file: Path, limits: Limits, *, still: int = 0) -> Iterator[None]:
    """Turn a disk that fills up while *file* is written into its refusal; *still* bytes were to come.

    Raises:
        UploadNoRoomError: the disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        written = file.stat().st_size if file.exists() else 0
        raise _no_room(still or written, file.parent, limits) from error


def _no_room(needed: int, folder: Path, limits: Limits) -> UploadNoRoomError:
    limit = limits.facts("min_free_bytes")
    return UploadNoRoomError(
        needed=Bytes(needed),
        free=Bytes(shutil.disk_usage(folder).free),
        kept=Bytes(limit["limit"]),
        variable=variable(limit["setting"]),
        setting=limit["setting"],
        default=Bytes(limit["default"]),
    )


def _require_disk(needed: int, folder: Path, limits: Limits) -> None:
    if needed + limits.min_free_bytes > shutil.disk_usage(folder).free:
        raise _no_room(needed, folder, limits)


def _refuse_larger(size: int, limits: Limits) -> None:
    if size > limits.max_archive_bytes:
        limit = limits.facts("max_archive_bytes")
        raise UploadTooLargeError(
            most=Bytes(limit["limit"]),
            variable=variable(limit["setting"]),
            setting=limit["setting"],
            default=Bytes(limit["default"]),
        )


def _announced(request: Request) -> int:
    said = request.headers.get("content-length", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < _MOST_DIGITS else 0


def _write(file: BinaryIO, piece: bytes, limits: Limits) -> None:
    _refuse_larger(file.tell() + len(piece), limits)
    file.write(piece)
