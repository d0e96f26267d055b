"""The catalogue entry of a course: as a form for instructors, as JSON for programs, as JSON-LD for everybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from lms.courses.actions import CourseNotFoundError, describe_in_catalogue
from lms.courses.catalogue import Entry, EntryError, entry_from, json_ld, packaged_entry
from lms.courses.queries import current_edition, editions_of, find_course
from lms.courses.subjects import COVERAGE, Subject, subjects_of
from lms.courses.tables import Course, Edition
from lms.people.policy import Right
from lms.people.viewer import requires
from lms.web.locale import languages
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer

router = page_router("/courses")
api = APIRouter(prefix="/api/v1/courses", tags=["courses"])
Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_COURSES))]

_LINES = ("audience", "minutes", "licence", "owner", "contact", "version_notes")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shown:
    """A course, what people wrote of it, and what its package says."""

    course: Course
    edition: Edition | None
    written: Entry
    packaged: Entry

    @property
    def whole(self) -> Entry:
        return self.written.over(self.packaged)


async def _form(request: Request) -> FormData:
    return await request.form()


@router.get("/{course_id}/catalogue")
def show_entry(request: Request, _: Manager, course_id: UUID, saved: bool = False) -> Response:
    """Show the form with what people wrote; what the package says stands beside it."""
    shown = _load(request, course_id)
    return _page(request, shown, asdict(shown.written), saved=saved)


@router.post("/{course_id}/catalogue")
def post_entry(
    request: Request, _: Manager, course_id: UUID, form: Annotated[FormData, Depends(_form)]
) -> Response:
    """Keep what was written."""
    site, typed = site_of(request), _typed(form)
    try:
        entry = entry_from(typed)
    except EntryError as error:
        return _page(request, _load(request, course_id), typed, error=error)
    with site.database.write() as session:
        describe_in_catalogue(session, course_id, entry, now=site.now())
    return RedirectResponse(f"/courses/{course_id}/catalogue?saved=true", status_code=303)


@router.get("/{course_id}/catalogue.jsonld")
def get_json_ld(request: Request, _: Manager, course_id: UUID) -> Response:
    """Give the entry as schema.org has it, to be read by catalogues elsewhere."""
    return _json_ld(request, _load(request, course_id))


@api.get("/{course}/catalogue")
def get_entry(request: Request, _: Manager, course: UUID) -> dict[str, Any]:
    """Return the entry: what people wrote, and for the rest what the package says."""
    return _load(request, course).whole.to_json()


@api.put("/{course}/catalogue")
def put_entry(request: Request, _: Manager, course: UUID, entry: dict[str, Any]) -> dict[str, Any]:
    """Replace what people wrote; what is left out, the package goes on to say."""
    site = site_of(request)
    with site.database.write() as session:
        describe_in_catalogue(session, course, entry_from(entry), now=site.now())
    return _load(request, course).whole.to_json()


@api.get("/{course}/catalogue.jsonld", response_model=None)
def get_entry_json_ld(request: Request, _: Manager, course: UUID) -> Response:
    """Return the entry as a schema.org Course in JSON-LD."""
    return _json_ld(request, _load(request, course))


def _load(request: Request, course_id: UUID) -> _Shown:
    site = site_of(request)
    with site.database.read() as session:
        course = find_course(session, course_id)
        if course is None:
            raise CourseNotFoundError(course_id)
        edition = current_edition(session, course) or _newest(session, course)
    packaged = packaged_entry(site.shelf, edition)
    return _Shown(course=course, edition=edition, written=entry_from(course.catalogue), packaged=packaged)


def _newest(session: Session, course: Course) -> Edition | None:
    return next(iter(editions_of(session, course)), None)


def _typed(form: FormData) -> dict[str, Any]:
    """Return what was typed; empty fields say nothing."""

    def texts(name: str) -> dict[str, str]:
        given = {
            key.removeprefix(f"{name}_"): str(value)
            for key, value in form.items()
            if key.startswith(f"{name}_")
        }
        added = str(form.get("new_language", "")).strip()
        if added and str(form.get(f"new_{name}", "")).strip():
            given[added] = str(form[f"new_{name}"])
        return {tag: text for tag, text in given.items() if text.strip()}

    minutes = str(form.get("minutes", "")).strip()
    return {
        "titles": texts("title"),
        "descriptions": texts("description"),
        "subjects": tuple(str(code) for code in form.getlist("subjects")),
        "minutes": int(minutes) if minutes.isdecimal() and len(minutes) < 10 else minutes or None,
        **{name: str(form.get(name, "")) for name in _LINES if name != "minutes"},
    }


def _page(
    request: Request,
    shown: _Shown,
    typed: Mapping[str, Any],
    *,
    error: EntryError | None = None,
    saved: bool = False,
) -> Response:
    offered = [one.code for one in languages()]
    tags = dict.fromkeys([*shown.course.languages, *offered, *typed["titles"], *typed["descriptions"]])
    known = subjects_of(request)
    unknown = [code for code in typed["subjects"] if code not in known]
    return render(
        request,
        "courses/catalogue.html",
        status_code=200 if error is None else 422,
        course=shown.course,
        typed=typed,
        packaged=shown.packaged,
        tags=list(tags),
        covered=[known[code] for code in COVERAGE],
        subjects=[one for one in known.values() if one.code not in COVERAGE]
        + [Subject(code=code, labels={}) for code in unknown],
        error=error,
        saved=saved,
    )


def _json_ld(request: Request, shown: _Shown) -> Response:
    made = json_ld(
        shown.whole,
        course=shown.course.public_id,
        languages=tuple(shown.course.languages),
        edition=shown.edition.number if shown.edition else None,
        subjects=subjects_of(request),
    )
    return JSONResponse(
        made,
        media_type="application/ld+json",
        headers={"Content-Disposition": f'attachment; filename="{shown.course.public_id}.jsonld"'},
    )
