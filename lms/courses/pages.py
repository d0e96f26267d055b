"""Pages for instructors: the list of courses, import with its report, editions of one course."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Annotated, Literal
from urllib.parse import quote
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Form, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from content_packages.files.course import EXTENSIONS
from lms.courses.actions import (
    CourseNotFoundError,
    delete_course,
    join_course,
    publish,
    withdraw_edition,
)
from lms.courses.damage import damage_in, damage_of
from lms.courses.errors import UploadGoneError
from lms.courses.importing import importer_of
from lms.courses.originals import catalogue_data, original_of
from lms.courses.queries import (
    MOST_ALIKE,
    courses_page,
    editions_of,
    editions_shown,
    find_course,
    find_edition,
    find_import,
    looks_like,
    number_of,
    outline,
    recent_imports,
)
from lms.courses.report_wording import say_report
from lms.courses.resumable import Uploads
from lms.courses.subjects import subjects_of
from lms.courses.tables import Course, Edition, ImportState
from lms.courses.uploads import receive_form
from lms.people.policy import Right
from lms.people.viewer import requires
from lms.web.csrf import FIELD
from lms.web.errors import NotFoundError, StrangeTokenError
from lms.web.locale import language_of
from lms.web.pages import render
from lms.web.ranges import ranged
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer
from lms.web.visit import visit_of

router = page_router("/courses")
uploading = APIRouter(prefix="/courses", include_in_schema=False)  # reads its form, token included, by itself
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_COURSES))]

RECENT = 10


@router.get("")
def show_courses(request: Request, _: Manager, search: str = "", page: PageNumber = 1) -> Response:
    """List all courses."""
    with site_of(request).database.read() as session:
        spoken = language_of(request).code
        found = courses_page(session, search=search, language=spoken, number=page)
        listed = [one.public_id for one in found.rows]
        shown = editions_shown(session, listed)
        damaged = damage_in(session, site_of(request).shelf, listed)
    titles = Counter(one.title_in(spoken) for one in found.rows)
    alike = {title for title, count in titles.items() if count > 1}
    return render(
        request,
        "courses/list.html",
        page=found,
        search=search,
        shown=shown,
        alike=alike,
        damaged=damaged,
    )


@router.get("/import")
def show_import_form(request: Request, viewer: Manager, into: UUID | None = None) -> Response:
    """Offer to import a package, and list what was imported last."""
    with site_of(request).database.read() as session:
        course = find_course(session, into) if into else None
        recent = recent_imports(session, limit=RECENT)
    stopped = Uploads(importer_of(request)).stopped(by=viewer.public_id)
    most = importer_of(request).limits.max_archive_bytes
    accepted = ",".join((".zip", ".xml", *EXTENSIONS))
    return render(
        request,
        "courses/import.html",
        course=course,
        recent=recent,
        stopped=stopped,
        most=most,
        accepted=accepted,
    )


@router.post("/uploads/{upload_id}/discard")
def post_discard(request: Request, viewer: Manager, upload_id: UUID) -> Response:
    """Give up an upload that has stopped."""
    with suppress(UploadGoneError):  # somebody was quicker, or its time was over
        Uploads(importer_of(request)).discard(upload_id, by=viewer.public_id)
    return RedirectResponse("/courses/import", status_code=303)


@uploading.post("/import")
async def post_import(request: Request, viewer: Manager) -> Response:
    """Take an upload in and have it read by the worker."""
    importer = importer_of(request)
    visit = await run_in_threadpool(visit_of, request)

    into: UUID | None = None

    def admit(fields: Mapping[str, str]) -> None:
        nonlocal into
        if not hmac.compare_digest(fields.get(FIELD, "").encode(), visit.csrf_token.encode()):
            raise StrangeTokenError
        try:
            into = UUID(fields["into"]) if fields.get("into") else None
        except ValueError as error:
            raise NotFoundError from error

    import_id = uuid4()
    path = importer.upload_path(import_id)
    fields = await receive_form(request, path, importer.limits, admit=admit)
    try:
        await run_in_threadpool(
            importer.queue,
            import_id,
            fields["file_name"],
            by=viewer.public_id,
            into=into,
            publish_it="publish" in fields,
        )
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return RedirectResponse(f"/courses/imports/{import_id}", status_code=303)


@router.get("/imports/{import_id}")
def show_import(request: Request, _: Manager, import_id: UUID) -> Response:
    """Show how far an import is, or what came of it."""
    with site_of(request).database.read() as session:
        found = find_import(session, import_id)
        if found is None:
            raise NotFoundError
        course = find_course(session, found.course) if found.course else None
        edition = find_edition(session, found.edition) if found.edition else None
        undecided = course is not None and course.current_edition is None
        alike = looks_like(session, found)[:MOST_ALIKE] if undecided else ()
        shown = editions_shown(session, [one.public_id for one in alike])
    if found.finished is None or found.state is ImportState.CANCELLED:
        return render(request, "courses/importing.html", the_import=found)
    return render(
        request,
        "courses/report.html",
        report=say_report(found.report or {}, language_of(request)),
        name=found.file_name,
        course=course,
        edition=edition,
        alike=alike,
        shown=shown,
        join=f"/courses/imports/{import_id}/join",
    )


@router.post("/imports/{import_id}/cancel")
def post_cancel(request: Request, _: Manager, import_id: UUID) -> Response:
    """Stop an import; what has ended stays as it is."""
    importer_of(request).cancel(import_id)
    return RedirectResponse(f"/courses/imports/{import_id}", status_code=303)


@router.post("/imports/{import_id}/join")
def post_join(request: Request, _: Manager, import_id: UUID, course: Annotated[UUID, Form()]) -> Response:
    """Make what was imported an edition of the course it looks like."""
    site = site_of(request)
    with site.database.write() as session:
        found = find_import(session, import_id)
        if found is None:
            raise NotFoundError
        join_course(session, site.shelf, found, course, now=site.now(), new_id=uuid4)
    return RedirectResponse(f"/courses/imports/{import_id}", status_code=303)


@router.get("/{course_id}/editions")
def show_editions(
    request: Request,
    _: Manager,
    course_id: UUID,
    done: Literal["published", "withdrawn"] | None = None,
    number: int | None = None,
) -> Response:
    """Show the editions of a course, and the units of the one learners are given.

    Where it follows something that was *done* to the edition of a *number*, it says so.
    """
    with site_of(request).database.read() as session:
        course = find_course(session, course_id)
        if course is None:
            raise CourseNotFoundError(course_id)
        editions = editions_of(session, course)
        current = next((one for one in editions if one.public_id == course.current_edition), None)
        outlined = current or next(iter(editions), None)
        lines = outline(session, outlined) if outlined else ()
    damages = list(damage_of(site_of(request).shelf, (one for one in editions if one.withdrawn is None)))
    return render(
        request,
        "courses/editions.html",
        course=course,
        editions=editions,
        outlined=outlined,
        lines=lines,
        damages=damages,
        done=done if number is not None else None,
        number=number,
    )


@router.get("/{course_id}/editions/{edition_id}/report")
def show_report(request: Request, _: Manager, course_id: UUID, edition_id: UUID) -> Response:
    """Show the report of the import that made an edition."""
    course, edition = _edition_of(request, course_id, edition_id)
    if edition.report is None:
        raise NotFoundError
    return render(
        request,
        "courses/report.html",
        report=say_report(edition.report, language_of(request)),
        name=edition.title,
        course=course,
        edition=edition,
        alike=(),
    )


@router.get("/{course_id}/editions/{edition_id}/original")
def get_original(request: Request, _: Manager, course_id: UUID, edition_id: UUID) -> Response:
    """Send the package an edition was imported from, byte for byte."""
    site = site_of(request)
    _course, edition = _edition_of(request, course_id, edition_id)
    original, name = original_of(site.shelf, edition)
    return ranged(
        request.headers,
        partial(original.read, site.shelf),
        size=original.size,
        tag=str(edition.original),
        headers={
            "Content-Type": "application/octet-stream",
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        },
    )


@router.get("/{course_id}/editions/{edition_id}/catalogue.jsonld")
def get_catalogue_data(request: Request, _: Manager, course_id: UUID, edition_id: UUID) -> Response:
    """Send the catalogue's entry for an edition, to lie beside its package."""
    course, edition = _edition_of(request, course_id, edition_id)
    return JSONResponse(
        catalogue_data(site_of(request).shelf, course, edition, subjects_of(request)),
        media_type="application/ld+json",
        headers={"Content-Disposition": f'attachment; filename="{edition.public_id}.jsonld"'},
    )


def _edition_of(request: Request, course_id: UUID, edition_id: UUID) -> tuple[Course, Edition]:
    with site_of(request).database.read() as session:
        course, edition = find_course(session, course_id), find_edition(session, edition_id)
    if course is None or edition is None or edition.course_id != course.id:
        raise NotFoundError
    return course, edition


@router.post("/{course_id}/publish")
def post_publish(request: Request, _: Manager, course_id: UUID, edition: Annotated[UUID, Form()]) -> Response:
    """Give learners this edition."""
    site = site_of(request)
    with site.database.write() as session:
        publish(session, site.shelf, edition, now=site.now())
        number = number_of(session, edition)
    return RedirectResponse(f"/courses/{course_id}/editions?done=published&number={number}", status_code=303)


@router.post("/{course_id}/withdraw")
def post_withdraw(
    request: Request, _: Manager, course_id: UUID, edition: Annotated[UUID, Form()]
) -> Response:
    """Stop an edition being launched."""
    site = site_of(request)
    with site.database.write() as session:
        withdraw_edition(session, edition, now=site.now())
        number = number_of(session, edition)
    return RedirectResponse(f"/courses/{course_id}/editions?done=withdrawn&number={number}", status_code=303)


@router.post("/{course_id}/delete")
def post_delete(request: Request, _: Manager, course_id: UUID) -> Response:
    """Delete a course."""
    site = site_of(request)
    with site.database.write() as session:
        delete_course(session, course_id, now=site.now())
    return RedirectResponse("/courses", status_code=303)
