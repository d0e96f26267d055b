"""Courses for programs: ``/api/v1/courses``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lms.courses.actions import CourseNotFoundError, delete_course
from lms.courses.importing import importer_of
from lms.courses.queries import (
    courses_page,
    current_edition,
    editions_of,
    find_course,
    find_edition,
    looks_like,
    outline,
)
from lms.courses.report_wording import is_mended
from lms.courses.tables import Course, CourseImport, Edition
from lms.courses.uploads import receive_body
from lms.people.policy import Right
from lms.people.viewer import requires
from lms.web.answers import problem
from lms.web.site import site_of
from lms.web.viewer import Viewer
from lms.web.wording import mark

router = APIRouter(prefix="/api/v1/courses", tags=["courses"])
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_COURSES))]

REFUSED = mark("This package is not taken; nothing of it was kept.")


class EditionOut(BaseModel):
    """One edition of a course."""

    id: UUID
    number: int
    standard: str
    digest: str
    size: int
    imported: datetime
    published: datetime | None
    withdrawn: datetime | None


class UnitOut(BaseModel):
    """One unit that can be launched; ``index`` is its place in document order, from 0."""

    id: UUID
    index: int
    title: str


class CourseOut(BaseModel):
    """A course, the edition learners are given, and its units."""

    id: UUID
    title: str
    languages: list[str]
    current_edition: UUID | None
    editions: list[EditionOut]
    units: list[UnitOut]


class CourseInList(BaseModel):
    """A course among others."""

    id: UUID
    title: str
    languages: list[str]
    edition: int | None


class CourseAlike(BaseModel):
    """A course that what was imported may be a new edition of: importing it again with ``as`` makes it one."""

    id: UUID
    title: str


class CourseList(BaseModel):
    """One page of courses."""

    total: int
    courses: list[CourseInList]


@router.get("")
def get_courses(request: Request, _: Manager, search: str = "", page: PageNumber = 1) -> CourseList:
    """List courses by title, 25 to a page."""
    with site_of(request).database.read() as session:
        found = courses_page(session, search=search, number=page)
    return CourseList(
        total=found.total,
        courses=[
            CourseInList(id=row.public_id, title=row.title, languages=list(row.languages), edition=row.number)
            for row in found.rows
        ],
    )


@router.post("", status_code=201, response_model=None)
async def post_course(
    request: Request,
    viewer: Manager,
    filename: str = "",
    publish: bool = True,
    into: Annotated[UUID | None, Query(alias="as")] = None,
) -> Response:
    """Import a package sent as the raw body; answer with the course and its report, or with every fault.

    What only brought back files that an edition here had lost makes no other: it answers 200, with ``mended``.
    """
    importer = importer_of(request)
    path = importer.upload_path(uuid4())
    await receive_body(request, path, importer.limits)
    try:
        done = await run_in_threadpool(
            importer.import_file,
            path,
            file_name=filename,
            by=viewer.public_id,
            into=into,
            publish_it=publish,
        )
    finally:
        path.unlink(missing_ok=True)
    report: dict[str, Any] = done.report or {}
    if done.course is None:
        findings = {kind: report[kind] for kind in ("errors", "warnings", "notes")}
        return problem(422, "package-refused", REFUSED, **findings)
    body = await run_in_threadpool(_load, request, done.course, done.edition)
    alike = await run_in_threadpool(_alike, request, done)
    mended = is_mended(report)
    return JSONResponse(
        body.model_dump(mode="json") | {"looks_like": alike, "mended": mended, "report": report},
        status_code=200 if mended else 201,
    )


@router.get("/{course}")
def get_course(request: Request, _: Manager, course: UUID) -> CourseOut:
    """Return one course."""
    return _load(request, course, None)


@router.delete("/{course}", status_code=204)
def remove_course(request: Request, _: Manager, course: UUID) -> None:
    """Delete a course; what learners did in it stays recorded."""
    site = site_of(request)
    with site.database.write() as session:
        delete_course(session, course, now=site.now())


def _alike(request: Request, done: CourseImport) -> list[dict[str, Any]]:
    with site_of(request).database.read() as session:
        return [one.model_dump(mode="json") for one in courses_alike_out(session, done)]


def courses_alike_out(session: Session, done: CourseImport) -> list[CourseAlike]:
    """Return the courses that what was imported looks like, for programs."""
    return [CourseAlike(id=one.public_id, title=one.title) for one in looks_like(session, done)]


def _load(request: Request, public_id: UUID, edition_id: UUID | None) -> CourseOut:
    with site_of(request).database.read() as session:
        course = find_course(session, public_id)
        if course is None:
            raise CourseNotFoundError(public_id)
        editions = editions_of(session, course)
        shown = find_edition(session, edition_id) if edition_id else current_edition(session, course)
        lines = outline(session, shown) if shown else ()
    units = [
        UnitOut(id=line.unit, index=line.index, title=line.title) for line in lines if line.index is not None
    ]
    return _course_out(course, [_edition_out(edition) for edition in editions], units)


def _course_out(course: Course, editions: list[EditionOut], units: list[UnitOut]) -> CourseOut:
    return CourseOut(
        id=course.public_id,
        title=course.title,
        languages=course.languages,
        current_edition=course.current_edition,
        editions=editions,
        units=units,
    )


def _edition_out(edition: Edition) -> EditionOut:
    return EditionOut(
        id=edition.public_id,
        number=edition.number,
        standard=edition.standard_name,
        digest=edition.manifest,
        size=edition.size,
        imported=edition.imported,
        published=edition.published,
        withdrawn=edition.withdrawn,
    )
