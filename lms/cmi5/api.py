"""Launches, pass marks, waivers and sessions for programs, below ``/api/v1``; and the fetch URL of cmi5 (8.2)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from content_packages.cmi5.vocabulary import LaunchMode
from lms.cmi5.actions import Hosts, abandon, fetch, launch, register, registration_for, waive
from lms.cmi5.moving import follow_moves
from lms.cmi5.registrations import (
    OtherEditionError,
    RegistrationUnknownError,
    UnitHasNoMarkError,
    bare,
    find_registration,
    open_outline,
)
from lms.cmi5.tables import Registration
from lms.courses.actions import CourseNotFoundError, set_pass_marks
from lms.courses.queries import find_course, pass_marks_of
from lms.enrolment.queries import registration_of
from lms.launch.actions import Desk
from lms.launch.hosts import origin_for
from lms.launch.pages import desk_of
from lms.launch.statements import PEOPLE
from lms.people.policy import Right
from lms.people.queries import hold_person
from lms.people.viewer import requires
from lms.web.site import Site, site_of
from lms.web.viewer import Viewer

router = APIRouter(prefix="/api/v1", tags=["launches"])
fetching = APIRouter(include_in_schema=False)

# Whoever may make keys of the record store may speak for anybody there already; a launch is no more than that.
Speaker = Annotated[Viewer, Depends(requires(Right.MANAGE_KEYS))]
Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_ENROLMENT))]
Author = Annotated[Viewer, Depends(requires(Right.MANAGE_COURSES))]

FETCH_METHODS = [
    "POST",
    "OPTIONS",
    "GET",
    "HEAD",
    "PUT",
    "DELETE",
    "PATCH",
]  # all but the first two are refused
#: Units are on other hosts than this answer, which knows no cookies and tells everything by the token in its address.
_ANY_PAGE = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT = {
    **_ANY_PAGE,
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Experience-API-Version",
    "Access-Control-Max-Age": "86400",
}


class Account(BaseModel):
    """A user account (cmi5 9.2)."""

    model_config = ConfigDict(extra="forbid")

    homePage: str = Field(min_length=1, max_length=2000, pattern=r"^[A-Za-z][A-Za-z0-9+.\-]*:\S+$")  # noqa: N815 - xAPI's name
    name: str = Field(min_length=1, max_length=1000)


class Agent(BaseModel):
    """Who is to take the unit: an agent with an account. A name that comes along is not passed on."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    objectType: str = Field("Agent", pattern="^Agent$")  # noqa: N815 - xAPI's name
    account: Account


class LaunchWanted(BaseModel):
    """Who, under which registration (a new one if there is none), and how."""

    actor: Agent
    registration: UUID | None = None
    launch_mode: LaunchMode = "Normal"
    edition: UUID | None = None  # in which the index was counted; without it, the one the registration is in


class LaunchMade(BaseModel):
    """Where the unit is to be opened; the address is good for one session."""

    url: str
    session_id: UUID
    registration: UUID
    edition: UUID


class Waiver(BaseModel):
    """Why a unit need not be taken (cmi5 9.5.5.2)."""

    reason: str = Field(min_length=1, max_length=1000)


class PassMarkWanted(BaseModel):
    """A share of 1 with at most four decimals (cmi5 13.1.4); ``null`` lets the package decide."""

    model_config = ConfigDict(extra="forbid")

    pass_mark: Decimal | None = Field(ge=0, le=1, decimal_places=4)


class PassMarkOut(BaseModel):
    """What a unit wants for "passed": as its package says, and as was said here in its place."""

    index: int
    title: str
    mastery_score: float
    pass_mark: float | None


class PassMarks(BaseModel):
    """The units whose package says what they want, by their places in document order."""

    edition: UUID
    units: list[PassMarkOut]


@router.post("/courses/{course}/units/{index}/launches", status_code=201)
def post_launch(request: Request, _: Speaker, course: UUID, index: int, wanted: LaunchWanted) -> LaunchMade:
    """Begin a session of a unit; the registration's open session is abandoned.

    What was decided on those in mid-course is carried out first: ``index`` counts in the edition the registration is
    in then, which the answer names. Who counted in another, and says so, is refused.
    """
    site, desk = site_of(request), desk_of(request)
    actor = bare(wanted.actor.model_dump())
    with site.database.write() as session:
        row = _registration(session, desk, course, actor, wanted=wanted.registration, now=site.now())
        outline = open_outline(session, desk.shelf, course, held=row.edition)
        outline = follow_moves(session, desk, row, outline, now=site.now())
        if wanted.edition not in {None, outline.edition}:
            raise OtherEditionError(outline.edition)
        unit = outline.unit_at(index)
        made = launch(
            session, desk, hosts_of(site), row.registration, unit, mode=wanted.launch_mode, now=site.now()
        )
    return LaunchMade(
        url=made.url,
        session_id=made.session_id,
        registration=made.registration,
        edition=outline.edition,
    )


@router.get("/courses/{course}/pass-marks")
def get_pass_marks(request: Request, _: Author, course: UUID) -> PassMarks:
    """Tell what each unit of the edition that learners are given wants for "passed"."""
    with site_of(request).database.read() as session:
        return _pass_marks(session, desk_of(request), course)


@router.put("/courses/{course}/units/{index}/pass-mark")
def put_pass_mark(request: Request, _: Author, course: UUID, index: int, wanted: PassMarkWanted) -> PassMarks:
    """Say what a unit wants for "passed" in place of its package, on every node, from the next launch on."""
    site, desk = site_of(request), desk_of(request)
    with site.database.write() as session:
        outline = open_outline(session, desk.shelf, course, held=None)
        unit = outline.unit_at(index)
        if unit.au is None or unit.au.mastery_score is None:
            raise UnitHasNoMarkError(index)
        marks = dict(pass_marks_of(session, course))
        marks.pop(outline.units[unit.identifier], None)
        if wanted.pass_mark is not None:
            marks[outline.units[unit.identifier]] = wanted.pass_mark
        set_pass_marks(session, course, marks, now=site.now())
        return _pass_marks(session, desk, course)


@router.post("/registrations/{registration}/units/{index}/waive", status_code=204)
def post_waiver(request: Request, _: Manager, registration: UUID, index: int, wanted: Waiver) -> None:
    """Say that a unit need not be taken in this registration."""
    site = site_of(request)
    with site.database.write() as session:
        waive(session, desk_of(request), registration, index, reason=wanted.reason, now=site.now())


@router.post("/sessions/{session_id}/abandon", status_code=204)
def post_abandonment(request: Request, _: Manager, session_id: UUID) -> None:
    """End a session that its unit has not ended."""
    site = site_of(request)
    with site.database.write() as session:
        abandon(session, desk_of(request), session_id, now=site.now())


@fetching.api_route("/fetch/{token}", methods=FETCH_METHODS)
def answer_fetch(request: Request, token: str) -> Response:
    """Give a unit its credential, once (cmi5 8.2)."""
    site = site_of(request)

    def told() -> dict[str, str]:
        with site.database.write() as session:
            return fetch(session, desk_of(request), token, now=site.now())

    return fetch_answer(request, told)


def fetch_answer(request: Request, told: Callable[[], dict[str, str]]) -> Response:
    """Answer at a fetch URL with what is *told* to POST, and readable to any page."""
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=_PREFLIGHT)
    if request.method != "POST":
        error = {"error-code": "3", "error-text": "The fetch URL takes POST only."}
        return JSONResponse(error, 405, headers={**_ANY_PAGE, "Allow": "POST, OPTIONS"})
    return JSONResponse(told(), headers=_ANY_PAGE)


def _pass_marks(session: Session, desk: Desk, course: UUID) -> PassMarks:
    if find_course(session, course) is None:
        raise CourseNotFoundError(course)
    outline = open_outline(session, desk.shelf, course, held=None)
    marks = pass_marks_of(session, course)
    units = [
        PassMarkOut(
            index=index,
            title=unit.title,
            mastery_score=float(unit.au.mastery_score),
            pass_mark=None if mark is None else float(mark),
        )
        for index, unit in enumerate(outline.package.root.units())
        if unit.au is not None and unit.au.mastery_score is not None
        for mark in (marks.get(outline.units[unit.identifier]),)
    ]
    return PassMarks(edition=outline.edition, units=units)


def hosts_of(site: Site) -> Hosts:
    """Return where browsers find the node."""
    return Hosts(public_url=site.public_url, content=partial(origin_for, site))


def _registration(
    session: Session, desk: Desk, course: UUID, actor: dict[str, Any], *, wanted: UUID | None, now: datetime
) -> Registration:
    """Return the registration asked for: one of this node's, or an enrolment's, which it writes under its own."""
    person = _person(actor)
    if wanted is None or (
        person is not None and wanted == registration_of(session, person=person, course=course)
    ):
        return _new_registration(session, desk, course, actor, now=now)
    found = find_registration(session, wanted)
    if found is None or found.course != course or found.actor != actor:
        raise RegistrationUnknownError(wanted)
    return found


def _new_registration(
    session: Session, desk: Desk, course: UUID, actor: dict[str, Any], *, now: datetime
) -> Registration:
    """Begin a registration; of a person who takes the course, go on with hers."""
    outline = open_outline(session, desk.shelf, course, held=None)
    person = _person(actor)
    if person is not None:
        hold_person(session, person)
        enrolment = registration_of(session, person=person, course=course)
        if enrolment is not None:
            return registration_for(session, desk, outline, enrolment=enrolment, person=person, now=now)
    return register(
        session,
        desk,
        outline,
        registration=desk.new_id(),
        actor=actor,
        enrolment=None,
        person=None,
        now=now,
    )


def _person(actor: dict[str, Any]) -> UUID | None:
    if actor["account"]["homePage"] != PEOPLE:
        return None
    try:
        return UUID(actor["account"]["name"])
    except ValueError:
        return None
