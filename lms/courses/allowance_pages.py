"""What the content of courses is allowed beyond its fence: a page for each course, a list of all, and as JSON."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from lms.courses.actions import CourseNotFoundError, allow
from lms.courses.allowances import NOTHING, Allowance, Decision, decisions_of, hosts_of, sources_of
from lms.courses.queries import courses_allowed, current_edition, editions_of, find_course
from lms.courses.report_wording import KINDS_OF_FINDINGS, say_finding
from lms.people.policy import Right
from lms.people.queries import names_of
from lms.people.viewer import requires
from lms.web.locale import language_of
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer
from lms.web.wording import FieldError

log = logging.getLogger(__name__)
router = page_router("/courses")
api = APIRouter(prefix="/api/v1/courses", tags=["courses"])
Reader = Annotated[Viewer, Depends(requires(Right.MANAGE_COURSES))]
Allower = Annotated[Viewer, Depends(requires(Right.ALLOW_CONTENT))]

# Which finding of an import says that a package asks for what (``content_packages.rules``), the gravest first; hosts
# are counted apart.
_ASKED_BY = {
    "windows": ("script.launcher", "script.popup"),
    "frames": ("script.frames",),
    "own_window": ("script.top_at_once", "script.top_window"),
}


class AllowanceIn(BaseModel):
    """What content may do beyond its fence; what is left out, it may not."""

    windows: bool = False
    hosts: list[str] = []
    frames: bool = False
    own_window: bool = False


class DecisionOut(BaseModel):
    """What was decided, when, and by whom (a person's id)."""

    windows: bool
    hosts: list[str]
    frames: bool
    own_window: bool
    decided: datetime
    by: UUID | None


class AllowanceOut(AllowanceIn):
    """What content may do, and all that was ever decided, the oldest first."""

    decisions: list[DecisionOut]


@router.get("/allowed")
def show_allowed(request: Request, _: Allower) -> Response:
    """List the courses whose content is allowed anything."""
    with site_of(request).database.read() as session:
        courses = [(one, decisions_of(one.allowances)[-1]) for one in courses_allowed(session)]
        names = _names(session, [decision for _, decision in courses])
    return render(request, "courses/allowed.html", courses=courses, names=names)


@router.get("/{course_id}/allowed")
def show_allowance(request: Request, viewer: Reader, course_id: UUID, *, saved: bool = False) -> Response:
    """Show what the content of a course is allowed, what it asks for, and who decided."""
    return _page(request, viewer, course_id, saved=saved)


@router.post("/{course_id}/allowed")
def post_allowance(
    request: Request,
    viewer: Allower,
    course_id: UUID,
    *,
    windows: Annotated[bool, Form()] = False,
    hosts: Annotated[str, Form(max_length=10_000)] = "",
    frames: Annotated[bool, Form()] = False,
    own_window: Annotated[bool, Form()] = False,
) -> Response:
    """Decide what the content of a course is allowed."""
    wanted = AllowanceIn(windows=windows, hosts=hosts.split(), frames=frames, own_window=own_window)
    try:
        _decide(request, viewer, course_id, wanted)
    except FieldError as error:
        typed = wanted.model_dump() | {"hosts": hosts}
        return _page(
            request, viewer, course_id, typed=typed, wrong=error.said(language_of(request)), status=422
        )
    return RedirectResponse(f"/courses/{course_id}/allowed?saved=true", status_code=303)


@api.get("/{course_id}/allowed")
def get_allowance(request: Request, _: Reader, course_id: UUID) -> AllowanceOut:
    """Return what the content of a course is allowed."""
    with site_of(request).database.read() as session:
        course = find_course(session, course_id)
        if course is None:
            raise CourseNotFoundError(course_id)
        kept = course.allowances
    decided = [DecisionOut.model_validate(one.to_json()) for one in decisions_of(kept)]
    last = decided[-1].model_dump(exclude={"decided", "by"}) if decided else {}
    return AllowanceOut(**last, decisions=decided)


@api.put("/{course_id}/allowed")
def put_allowance(request: Request, viewer: Allower, course_id: UUID, wanted: AllowanceIn) -> AllowanceOut:
    """Decide what the content of a course is allowed, from the next launch on."""
    _decide(request, viewer, course_id, wanted)
    return get_allowance(request, viewer, course_id)


def _decide(request: Request, viewer: Viewer, course_id: UUID, wanted: AllowanceIn) -> None:
    site = site_of(request)
    sources = sources_of(wanted.hosts, ours=hosts_of(site.public_url, site.content_url))
    allowed = Allowance(**wanted.model_dump() | {"hosts": sources})
    with site.database.write() as session:
        decision = allow(session, course_id, allowed, by=viewer.public_id, now=site.now())
    if decision is not None:
        facts = decision.to_json() | {"course": str(course_id)}
        log.info("content_allowed", extra={name: facts[name] for name in ("course", *_LOGGED)})


_LOGGED = ("windows", "hosts", "frames", "own_window", "by")


def _page(
    request: Request,
    viewer: Viewer,
    course_id: UUID,
    *,
    typed: Mapping[str, Any] | None = None,
    wrong: str = "",
    saved: bool = False,
    status: int = 200,
) -> Response:
    spoken = language_of(request)
    with site_of(request).database.read() as session:
        course = find_course(session, course_id)
        if course is None:
            raise CourseNotFoundError(course_id)
        edition = current_edition(session, course) or next(iter(editions_of(session, course)), None)
        decisions = decisions_of(course.allowances)
        names = _names(session, decisions)
    now = decisions[-1].allowed if decisions else NOTHING
    report = edition.report if edition else None
    found = {one["code"]: one for kind in KINDS_OF_FINDINGS for one in (report or {}).get(kind) or ()}
    hosts = sorted((report or {}).get("external_hosts") or {})
    return render(
        request,
        "courses/allowance.html",
        status_code=status,
        course=course,
        edition=edition,
        read=report is not None,
        asked={
            kind: next((say_finding(found[code], spoken)["detail"] for code in codes if code in found), "")
            for kind, codes in _ASKED_BY.items()
        },
        asked_hosts=hosts,
        typed=typed or asdict(now) | {"hosts": "\n".join(now.hosts)},
        wrong=wrong,
        saved=saved,
        decisions=decisions[::-1],
        names=names,
        may_allow=viewer.may(Right.ALLOW_CONTENT),
    )


def _names(session: Session, decisions: Sequence[Decision]) -> dict[UUID, str]:
    return names_of(session, {one.by for one in decisions if one.by is not None})
