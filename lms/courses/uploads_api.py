"""``/api/v1/uploads``: packages in resumable parts, by tus 1.0 (https://tus.io/protocols/resumable-upload).

The core protocol with the extensions *creation*, *termination* and *expiration*. An upload that is whole is imported
by the worker under the same id; ``GET`` tells how far either is.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from email.utils import format_datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from lms.courses.api import CourseAlike, courses_alike_out
from lms.courses.errors import UploadGoneError, UploadHeadersError, UploadVersionError
from lms.courses.importing import importer_of
from lms.courses.queries import find_import
from lms.courses.report_wording import is_mended
from lms.courses.resumable import Upload, Uploads
from lms.people.policy import Right
from lms.people.viewer import requires
from lms.web.viewer import Viewer

PATH = "/api/v1/uploads"
VERSION = "1.0.0"
PIECE = "application/offset+octet-stream"
_MOST_METADATA = 4096

router = APIRouter(prefix=PATH, tags=["uploads"])
Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_COURSES))]


class UploadOut(BaseModel):
    """How far an upload is: ``uploading``, then as its import: ``waiting``, ``reading``, ``done``, ``refused``, ``cancelled``."""  # noqa: E501 - one sentence

    id: UUID
    state: str
    length: int
    offset: int
    files_done: int = 0
    files_total: int = 0
    course: UUID | None = None
    edition: UUID | None = None
    mended: bool = False
    looks_like: list[CourseAlike] = []
    report: dict[str, Any] | None = None


def speaks_tus(tus_resumable: Annotated[str, Header()] = "") -> None:
    """Refuse a client that speaks another version of the protocol.

    Raises:
        UploadVersionError: it does, or does not say.
    """
    if tus_resumable != VERSION:
        raise UploadVersionError


@router.options("", status_code=204)
def get_abilities(request: Request) -> Response:
    """Say what is spoken here, and how large an upload may be."""
    most = str(Uploads(importer_of(request)).most_bytes)
    headers = {
        "Tus-Version": VERSION,
        "Tus-Extension": "creation,termination,expiration",
        "Tus-Max-Size": most,
    }
    return _answer(204, headers)


@router.post("", status_code=201, response_class=Response, dependencies=[Depends(speaks_tus)])
def post_upload(
    request: Request,
    viewer: Manager,
    upload_length: Annotated[str, Header()] = "",
    upload_metadata: Annotated[str, Header()] = "",
) -> Response:
    """Begin an upload. Metadata: ``filename``, ``publish`` (present or not), ``as`` (the id of a course)."""
    said = _metadata(upload_metadata)
    uploads = Uploads(importer_of(request))
    upload = uploads.begin(
        length=_number(upload_length),
        file_name=said.get("filename", "")[:200],
        by=viewer.public_id,
        into=_course(said.get("as")),
        publish="publish" in said,
    )
    return _answer(
        201,
        {"Location": f"{PATH}/{upload.id}", "Upload-Expires": format_datetime(uploads.expires(upload), True)},
    )


@router.head(
    "/{upload_id}",
    response_class=Response,
    dependencies=[Depends(speaks_tus)],
    include_in_schema=False,  # the description promises a problem in the body of a refusal, and HEAD has none
)
def head_upload(request: Request, viewer: Manager, upload_id: UUID) -> Response:
    """Say how many bytes are here, to go on from there."""
    uploads = Uploads(importer_of(request))
    try:
        upload, offset = uploads.find(upload_id, by=viewer.public_id)
    except UploadGoneError:  # whole, and handed to the worker: the last answer may have been lost
        done = _import(request, viewer, upload_id)
        return _answer(200, {"Upload-Offset": str(done.length), "Upload-Length": str(done.length)})
    return _answer(200, _standing(uploads, upload, offset))


@router.get("/{upload_id}")
def get_upload(request: Request, viewer: Manager, upload_id: UUID) -> UploadOut:
    """Tell how far an upload is, or the import it became."""
    try:
        upload, offset = Uploads(importer_of(request)).find(upload_id, by=viewer.public_id)
    except UploadGoneError:
        return _import(request, viewer, upload_id)
    return UploadOut(id=upload.id, state="uploading", length=upload.length, offset=offset)


@router.patch("/{upload_id}", status_code=204, response_class=Response, dependencies=[Depends(speaks_tus)])
async def patch_upload(
    request: Request,
    viewer: Manager,
    upload_id: UUID,
    upload_offset: Annotated[str, Header()] = "",
) -> Response:
    """Take the next bytes; what arrived is kept even if the link breaks."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != PIECE:
        raise UploadHeadersError
    uploads = Uploads(importer_of(request))
    upload, _ = await run_in_threadpool(uploads.find, upload_id, by=viewer.public_id)
    try:
        with uploads.appending(upload, _number(upload_offset)) as write:
            async for piece in request.stream():
                write(piece)
    except ClientDisconnect:
        return _answer(204, {})  # nobody hears it; she goes on from what is here
    upload, offset = await run_in_threadpool(uploads.find, upload_id, by=viewer.public_id)
    return _answer(204, _standing(uploads, upload, offset))


@router.delete("/{upload_id}", status_code=204, response_class=Response)
def delete_upload(request: Request, viewer: Manager, upload_id: UUID) -> Response:
    """Give an upload up, on its way or being read; nothing of it is kept."""
    Uploads(importer_of(request)).discard(upload_id, by=viewer.public_id)
    return _answer(204, {})


def _import(request: Request, viewer: Viewer, upload_id: UUID) -> UploadOut:
    with importer_of(request).database.read() as session:
        done = find_import(session, upload_id)
        if done is None or done.started_by != viewer.public_id:
            raise UploadGoneError
        alike = courses_alike_out(session, done)
    return UploadOut(
        id=upload_id,
        state=done.state.value,
        length=done.size,
        offset=done.size,
        files_done=done.files_done,
        files_total=done.files_total,
        course=done.course,
        edition=done.edition,
        mended=is_mended(done.report or {}),
        looks_like=alike,
        report=done.report,
    )


def _standing(uploads: Uploads, upload: Upload, offset: int) -> dict[str, str]:
    return {
        "Upload-Offset": str(offset),
        "Upload-Length": str(upload.length),
        "Upload-Expires": format_datetime(uploads.expires(upload), usegmt=True),
    }


def _answer(status: int, headers: dict[str, str]) -> Response:
    usual = {"Tus-Resumable": VERSION, "Cache-Control": "no-store"}
    return Response(status_code=status, headers=usual | headers)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise UploadHeadersError
    return int(text)


def _course(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise UploadHeadersError from error


def _metadata(header: str) -> dict[str, str]:
    """Read pairs of a key and a value in base64, parted by commas."""
    if len(header) > _MOST_METADATA:
        raise UploadHeadersError
    said = {}
    for pair in filter(None, header.split(",")):
        key, _, value = pair.strip().partition(" ")
        try:
            said[key] = b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise UploadHeadersError from error
    return said
