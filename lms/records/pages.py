"""Pages for administrators: statements, one or many, live counters, exports, and the validator."""

from __future__ import annotations

import hmac
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response

from lms.people.policy import Right
from lms.people.queries import names_of
from lms.people.viewer import requires
from lms.records.errors import FilterUnclearError, RecordNotFoundError, TextTooLargeError
from lms.records.export import KEPT, exporter_of
from lms.records.filters import Asked, read_filter
from lms.records.queries import (
    Lines,
    attachment,
    find_export,
    recent_exports,
    record,
    records_page,
    stored_text,
)
from lms.records.sentences import people_in, person_of, seen, sentence_of_text
from lms.records.tables import ExportFormat, ExportState
from lms.records.verbs import VERBS
from lms.web.csrf import FIELD
from lms.web.errors import StrangeTokenError
from lms.web.locale import Language, language_of
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import Site, site_of
from lms.web.viewer import Viewer
from lms.web.visit import visit_of
from xapi_store.counts import Count, Counts, counts
from xapi_store.errors import FaultError
from xapi_store.model.actor import actor_key
from xapi_store.model.version import Version
from xapi_store.validation import validate

router = page_router("/records")
validating = APIRouter(
    prefix="/records", include_in_schema=False
)  # reads its form, token included, by itself
Reader = Annotated[Viewer, Depends(requires(Right.SEE_RECORDS))]
Position = Annotated[int | None, Query(ge=0, le=2**62)]

RECENT = 5
MAX_BYTES = 4 * 1024 * 1024  # as the record store takes
_ENCODED = 3  # bytes in which a form sends one, at most
SENTENCES_SHOWN = 5
_DOWNLOAD = {"Content-Type": "application/octet-stream"}


# ---------------------------------------------------------------- many statements


@router.get("")
def show_records(
    request: Request,
    _: Reader,
    *,
    asked: Annotated[Asked, Depends()],
    before: Position = None,
    after: Position = None,
) -> Response:
    """List the newest statements, or those that a filter finds."""
    site, spoken = site_of(request), language_of(request)
    with site.database.read() as session:
        wanted = read_filter(session, asked)
        if wanted.is_clear:
            lines = records_page(session, wanted.filter, spoken, before=before, after=after)
        else:
            lines = Lines(rows=(), older=None, newer=None)
        found = counts(session, now=site.now())
        exports = recent_exports(session, limit=RECENT)
    query = wanted.asked.query()
    return render(
        request,
        "records/list.html",
        status_code=422 if wanted.errors else 200,
        wanted=wanted,
        asked=wanted.asked,
        query=query,
        errors={name: error.said(spoken) for name, error in wanted.errors.items()},
        lines=lines,
        older=_link(query, before=lines.older),
        newer=_link(query, after=lines.newer),
        choices=[
            (one, _link({**_without_who(query), "person": str(one.public_id)})) for one in wanted.people
        ],
        everybody=_link(_without_who(query)),
        verbs=VERBS,
        counters=_told(found, spoken),
        is_empty=found.newest is None,
        exports=exports,
        kept_days=KEPT.days,
    )


@router.get("/counters")
def get_counters(request: Request, _: Reader) -> JSONResponse:
    """Tell the counters as the page shows them, for the page to refresh itself."""
    site = site_of(request)
    with site.database.read() as session:
        found = counts(session, now=site.now())
    return JSONResponse(_told(found, language_of(request)))


def _link(query: dict[str, str], **position: int | None) -> str:
    whole = query | {name: str(value) for name, value in position.items() if value is not None}
    return f"/records?{urlencode(whole)}" if whole else "/records"


def _without_who(query: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in query.items() if name not in {"who", "person"}}


def _told(found: Counts, spoken: Language) -> dict[str, str]:
    def number(count: Count) -> str:
        return _about(spoken, spoken.number(_rounded(count)), count)

    return {
        "statements": number(found.statements),
        "last_minute": number(found.last_minute),
        "last_hour": number(found.last_hour),
        "last_day": number(found.last_day),
        "documents": number(found.documents),
        "attachments": number(found.attachments),
        "attachment_bytes": _about(
            spoken, spoken.size(found.attachment_bytes.number), found.attachment_bytes
        ),
        "newest": "–" if found.newest is None else spoken.instant(found.newest),
    }


def _about(spoken: Language, said: str, count: Count) -> str:
    return spoken.gettext("about %(number)s") % {"number": said} if count.is_estimate else said


def _rounded(count: Count) -> int:
    """Return no more digits than an estimate is good for."""
    return round(count.number, 3 - len(str(count.number))) if count.is_estimate else count.number


# ---------------------------------------------------------------- one statement


@router.get("/{statement_id:uuid}")
def show_record(request: Request, _: Reader, statement_id: UUID) -> Response:
    """Show one statement and what is known around it."""
    with site_of(request).database.read() as session:
        found = record(session, statement_id, language_of(request))
    if found is None:
        raise RecordNotFoundError
    person, key = person_of(found.actor), actor_key(found.actor)
    same = {"person": str(person)} if person else {"agent": key} if key else None
    return render(
        request,
        "records/statement.html",
        record=found,
        same_actor=_link(same) if same else None,
        same_registration=_link({"registration": found.registration}) if found.registration else None,
        same_activity=_link({"activity": found.activity}) if found.activity else None,
        seen=seen,
    )


@router.get("/{statement_id:uuid}/statement.json")
def get_json(request: Request, _: Reader, statement_id: UUID) -> Response:
    """Give the whole JSON of a statement as a file."""
    with site_of(request).database.read() as session:
        text = stored_text(session, statement_id)
    if text is None:
        raise RecordNotFoundError
    return _file(text, f"{statement_id}.json")


@router.get("/{statement_id:uuid}/attachments/{sha2}")
def get_attachment(request: Request, _: Reader, statement_id: UUID, sha2: str) -> Response:
    """Give the bytes of an attachment as a file; whatever they are, no browser is told to show them."""
    with site_of(request).database.read() as session:
        content = attachment(session, request.app.state.attachments, statement_id, sha2)
    if content is None:
        raise RecordNotFoundError
    return _file(content, f"{sha2[:16]}.bin")


def _file(content: bytes, name: str) -> Response:
    return Response(content, headers={**_DOWNLOAD, "Content-Disposition": f'attachment; filename="{name}"'})


# ---------------------------------------------------------------- exports


@router.post("/exports")
def post_export(
    request: Request,
    viewer: Reader,
    *,
    format: Annotated[ExportFormat, Form()],  # noqa: A002 - the name of the field
    asked: Annotated[str, Form()] = "",
) -> Response:
    """Have what the filter finds written to a file; *asked* is the query of the list."""
    site, exporter = site_of(request), exporter_of(request)
    known = Asked.__dataclass_fields__.keys()
    typed = Asked(**{name: value for name, value in parse_qsl(asked) if name in known})
    with site.database.read() as session:
        wanted = read_filter(session, typed)
    if not wanted.is_clear:
        raise FilterUnclearError
    export_id = exporter.queue(wanted.filter, format, by=viewer.public_id)
    return RedirectResponse(f"/records/exports/{export_id}", status_code=303)


@router.get("/exports/{export_id:uuid}")
def show_export(request: Request, _: Reader, export_id: UUID) -> Response:
    """Show how far an export is, or offer its file."""
    with site_of(request).database.read() as session:
        found = find_export(session, export_id)
    if found is None:
        raise RecordNotFoundError
    return render(
        request, "records/export.html", export=found, until=(found.finished or found.started) + KEPT
    )


@router.get("/exports/{export_id:uuid}/file")
def get_export(request: Request, _: Reader, export_id: UUID) -> Response:
    """Give the file of an export that has ended."""
    with site_of(request).database.read() as session:
        found = find_export(session, export_id)
    if found is None or found.state is not ExportState.DONE:
        raise RecordNotFoundError
    path = exporter_of(request).path_of(found)
    if not path.exists():
        raise RecordNotFoundError
    return FileResponse(path, media_type="application/octet-stream", filename=found.file_name)


@router.post("/exports/{export_id:uuid}/delete")
def post_export_deletion(request: Request, _: Reader, export_id: UUID) -> Response:
    """Cancel an export, or delete its file."""
    exporter_of(request).remove(export_id)
    return RedirectResponse("/records", status_code=303)


# ---------------------------------------------------------------- the validator


@router.get("/validate")
def show_validator(request: Request, _: Reader) -> Response:
    """Offer to check statements."""
    return render(
        request, "records/validate.html", text="", version=Version.V1, verdict=None, **_NOTHING_TOLD
    )


_NOTHING_TOLD: dict[str, Any] = {"faults": (), "sentences": (), "versions": tuple(Version)}


@validating.post("/validate")
async def post_validate(request: Request, _: Reader) -> Response:
    """Say what is wrong with statements, and where; nothing is stored."""
    fields = await _read_form(request)
    return await run_in_threadpool(_validated, request, fields)


async def _read_form(request: Request) -> dict[str, str]:
    """Read a form that may hold as much as the record store takes, and no more.

    Raises:
        TextTooLargeError: it holds more.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BYTES * _ENCODED + 4096:
            raise _too_large()
    return dict(parse_qsl(body.decode("ascii", errors="replace"), keep_blank_values=True, errors="replace"))


def _validated(request: Request, fields: dict[str, str]) -> Response:
    if not hmac.compare_digest(fields.get(FIELD, "").encode(), visit_of(request).csrf_token.encode()):
        raise StrangeTokenError
    text = fields.get("text", "").replace("\r\n", "\n")  # a browser sends every line so
    body = text.encode(errors="replace")
    if len(body) > MAX_BYTES:
        raise _too_large()
    version = Version.V2 if fields.get("version") == Version.V2 else Version.V1
    verdict = validate(body, version)
    told = _NOTHING_TOLD | {
        "faults": [_fault(error) for error in verdict.errors],
        "sentences": () if verdict.errors else _sentences(site_of(request), request, verdict.statements),
    }
    return render(request, "records/validate.html", text=text, version=version, verdict=verdict, **told)


def _fault(error: Exception) -> dict[str, str]:
    if isinstance(error, FaultError):
        return {"where": seen(error.path, 500), "rule": seen(error.problem, 500), "section": error.section}
    return {"where": "", "rule": seen(str(error), 500), "section": ""}


def _sentences(site: Site, request: Request, statements: Any) -> list[Any]:
    shown, spoken = statements[:SENTENCES_SHOWN], language_of(request)
    with site.database.read() as session:
        names = names_of(session, people_in(shown))
    return [sentence_of_text(one, spoken, names=names, now=site.now()) for one in shown]


def _too_large() -> TextTooLargeError:
    return TextTooLargeError(most=MAX_BYTES // 1024**2)
