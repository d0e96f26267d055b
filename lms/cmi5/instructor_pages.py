"""What an instructor decides about courses of units: what is waived for whom, what is ended, what "passed" wants."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Form
from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from content_packages.cmi5.move_on import UNTOUCHED, UnitState, is_satisfied
from content_packages.cmi5.rules import State
from content_packages.cmi5.vocabulary import Verb
from content_packages.package import Activity
from lms.cmi5.actions import abandon, registration_for, waive
from lms.cmi5.registrations import (
    Outline,
    find_own,
    open_outline,
    open_sessions,
    sessions_back,
    states_of,
)
from lms.cmi5.tables import Registration, UnitSession
from lms.courses.actions import CourseNotFoundError, set_pass_marks
from lms.courses.queries import find_course, pass_marks_of
from lms.enrolment.queries import registration_of
from lms.launch.actions import Desk
from lms.launch.pages import desk_of
from lms.people.policy import Right
from lms.people.queries import hold_person, person
from lms.people.viewer import requires
from lms.web.errors import NotFoundError
from lms.web.locale import language_of
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer
from lms.web.wording import Worded, mark

router = page_router("/courses/{course}")
Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_ENROLMENT))]
Author = Annotated[Viewer, Depends(requires(Right.MANAGE_COURSES))]

_SAID: Mapping[str, str] = {
    Verb.INITIALIZED: mark("Begun"),
    Verb.COMPLETED: mark("Completed"),
    Verb.PASSED: mark("Passed"),
    Verb.FAILED: mark("Not passed"),
}
_OPEN, _LEFT = mark("Still open"), mark("Left")
_ENDED: Mapping[str, str] = {
    State.TERMINATED: mark("Ended by the unit"),
    State.ABANDONED: mark("Abandoned: left without being ended"),
}
MOST_OF_A_REASON = 1000  # characters, as the API takes


class ReasonMissingError(Worded):
    """A unit is waived for a reason, or not at all (cmi5 9.5.5.2)."""

    sentence = mark("Write why. The reason is kept with the record.")


class ReasonTooLongError(Worded):
    """A reason longer than the API takes."""

    sentence = mark("Write no more than 1,000 characters.")


class PassMarkError(Worded):
    """What was typed is no share of 100 with at most two decimals."""

    sentence = mark("Write a number from 0 to 100, with at most two decimals.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A unit as it stands for somebody; ``kind`` and ``word`` as pages show a state."""

    identifier: str
    title: str
    kind: str
    word: str
    may_be_waived: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PassMark:
    """What a unit wants for "passed": of the package, and what was typed in its place, in percent."""

    unit: UUID
    title: str
    packaged: Decimal
    typed: str


async def _form(request: Request) -> FormData:
    return await request.form()


Typed = Annotated[FormData, Depends(_form)]

# ------------------------------------------------------------------ somebody's units


@router.get("/people/{learner}/units")
def show_units(request: Request, _: Manager, course: UUID, learner: UUID) -> Response:
    """Show how somebody stands in each unit, as far as this node writes it, and what may be done about it."""
    return _units(request, course, learner)


@router.post("/people/{learner}/units/waive")
def post_waiver(
    request: Request,
    _: Manager,
    course: UUID,
    learner: UUID,
    *,
    unit: Annotated[str, Form()],
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Waive a unit for somebody; her registration on this node begins with it if there is none."""
    reason = reason.strip()
    if not reason or len(reason) > MOST_OF_A_REASON:
        wrong = ReasonTooLongError() if reason else ReasonMissingError()
        said = {"unit": unit, "reason": reason, "error": wrong.said(language_of(request))}
        return _units(request, course, learner, said=said, status=422)
    site, desk = site_of(request), desk_of(request)
    with site.database.write() as session:
        hold_person(session, learner)
        enrolment = _enrolment(session, course, learner)
        known, outline = find_own(session, desk.shelf, course, enrolment=enrolment, node=desk.node)
        row = known or registration_for(
            session, desk, outline, enrolment=enrolment, person=learner, now=site.now()
        )
        names = [one.identifier for one in outline.package.root.units()]
        if unit not in names or not outline.is_cmi5:
            raise NotFoundError
        waive(session, desk, row.registration, names.index(unit), reason=reason, now=site.now())
    return _back(course, learner)


@router.post("/people/{learner}/units/abandon")
def post_abandonment(
    request: Request, _: Manager, course: UUID, learner: UUID, session_id: Annotated[UUID, Form()]
) -> Response:
    """End what somebody has open."""
    site, desk = site_of(request), desk_of(request)
    with site.database.write() as session:
        row, _outline = _known(session, desk, course, learner)
        if row is None or all(one.public_id != session_id for one in open_sessions(session, row)):
            return _back(course, learner)  # it has ended meanwhile: nothing is left to do
        abandon(session, desk, session_id, now=site.now())
    return _back(course, learner)


def _units(
    request: Request, course: UUID, learner: UUID, *, said: Mapping[str, str] | None = None, status: int = 200
) -> Response:
    site, desk = site_of(request), desk_of(request)
    with site.database.read() as session:
        found = find_course(session, course)
        if found is None:
            raise CourseNotFoundError(course)
        row, outline = _known(session, desk, course, learner)
        states = states_of(session, row) if row else {}
        sessions = open_sessions(session, row) if row else ()
        open_ones = [
            {"id": one.public_id, "since": one.created, "title": _title(outline, one.identifier)}
            for one in sessions
        ]
        begun = {*states, *(one.identifier for one in sessions)}
        launches = [_told(outline, one) for one in sessions_back(session, row)] if row else []
        name = person(session, learner).display_name
    return render(
        request,
        "cmi5/units.html",
        status_code=status,
        course=found,
        learner=learner,
        name=name,
        lines=list(_lines(outline, states, begun)),
        open_ones=open_ones,
        registration=row.registration if row else None,
        launches=launches,
        said=said or {},
    )


def _known(session: Session, desk: Desk, course: UUID, learner: UUID) -> tuple[Registration | None, Outline]:
    enrolment = _enrolment(session, course, learner)
    return find_own(session, desk.shelf, course, enrolment=enrolment, node=desk.node)


def _enrolment(session: Session, course: UUID, learner: UUID) -> UUID:
    enrolment = registration_of(session, person=learner, course=course)
    if enrolment is None:
        raise NotFoundError
    return enrolment


def _lines(outline: Outline, states: Mapping[str, UnitState], begun: Collection[str]) -> Iterator[Line]:
    for unit in outline.package.root.units():
        state = states.get(unit.identifier, UNTOUCHED)
        kind, word = _state(unit, state, begun=unit.identifier in begun)
        yield Line(
            identifier=unit.identifier,
            title=unit.title,
            kind=kind,
            word=word,
            may_be_waived=outline.is_cmi5 and not is_satisfied(unit, state),
        )


def _state(unit: Activity, state: UnitState, *, begun: bool) -> tuple[str, str]:
    if state.waived:
        return "done", mark("Waived")
    if state.passed:
        return "done", mark("Passed")
    if is_satisfied(unit, state):
        return "done", mark("Nothing left to do")
    if state.failed:
        return "refused", mark("Not passed")
    return ("waiting", mark("In progress")) if begun else ("information", mark("Not started"))


def _told(outline: Outline, session: UnitSession) -> dict[str, Any]:
    """Return a line of the log of launches: which unit, from when to when, what it said, how it ended."""
    said = [word for verb, word in _SAID.items() if verb in session.said]
    ended = _ENDED.get(session.state) if session.ended else _OPEN
    return {
        "title": _title(outline, session.identifier),
        "begun": session.created,
        "ended": session.ended,
        "said": said,
        "end": ended or _LEFT,
    }


def _title(outline: Outline, identifier: str) -> str:
    unit = outline.unit(identifier)
    return unit.title if unit else identifier


def _back(course: UUID, learner: UUID) -> Response:
    return RedirectResponse(f"/courses/{course}/people/{learner}/units", status_code=303)


# ------------------------------------------------------------------ what "passed" wants


@router.get("/pass-marks")
def show_pass_marks(request: Request, _: Author, course: UUID, *, saved: bool = False) -> Response:
    """Show what each unit of the edition that learners are given wants for "passed"."""
    return _pass_marks(request, course, saved=saved)


@router.post("/pass-marks")
def post_pass_marks(request: Request, _: Author, course: UUID, form: Typed) -> Response:
    """Keep what was typed; what is left empty, the package decides."""
    typed = {UUID(name): str(value).strip() for name, value in form.items() if _is_id(name)}
    marks: dict[UUID, Decimal] = {}
    wrong: set[UUID] = set()
    for unit, text in typed.items():
        share = _share(text)
        if share is not None:
            marks[unit] = share
        elif text:
            wrong.add(unit)
    if wrong:
        return _pass_marks(request, course, typed=typed, wrong=wrong, status=422)
    site = site_of(request)
    with site.database.write() as session:
        # What is not on the page, as the units of a former edition, stays.
        kept = {unit: mark for unit, mark in pass_marks_of(session, course).items() if unit not in typed}
        set_pass_marks(session, course, {**kept, **marks}, now=site.now())
    return RedirectResponse(f"/courses/{course}/pass-marks?saved=true", status_code=303)


def _pass_marks(
    request: Request,
    course: UUID,
    *,
    typed: Mapping[UUID, str] | None = None,
    wrong: Collection[UUID] = (),
    saved: bool = False,
    status: int = 200,
) -> Response:
    site, desk = site_of(request), desk_of(request)
    with site.database.read() as session:
        found = find_course(session, course)
        if found is None:
            raise CourseNotFoundError(course)
        outline = open_outline(session, desk.shelf, course, held=None)
        marks = {unit: _percent(share) for unit, share in pass_marks_of(session, course).items()}
    shown = marks if typed is None else typed
    sentence = PassMarkError().said(language_of(request))
    return render(
        request,
        "cmi5/pass_marks.html",
        status_code=status,
        course=found,
        lines=[
            PassMark(
                unit=outline.units[unit.identifier],
                title=unit.title,
                packaged=unit.au.mastery_score,
                typed=shown.get(outline.units[unit.identifier], ""),
            )
            for unit in outline.package.root.units()
            if unit.au is not None and unit.au.mastery_score is not None
        ],
        wrong=dict.fromkeys(wrong, sentence),
        saved=saved,
    )


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _share(text: str) -> Decimal | None:
    """Return a share of 1 for what somebody typed in percent.

    >>> _share("80"), _share("66,67"), _share("101"), _share("0.001")
    (Decimal('0.8'), Decimal('0.6667'), None, None)
    """
    try:
        share = Decimal(text.replace(",", ".").replace("٫", ".").rstrip("%٪ ")) / 100
    except InvalidOperation:
        return None
    return share if share.is_finite() and 0 <= share <= 1 and share == round(share, 4) else None


def _percent(share: Decimal) -> str:
    """Write a share of 1 as percent, for a field.

    >>> _percent(Decimal("0.6667")), _percent(Decimal("0.8"))
    ('66.67', '80')
    """
    return format((share * 100).normalize(), "f")
