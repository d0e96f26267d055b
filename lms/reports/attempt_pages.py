"""For instructors: why an officer's course is not complete, and the log of her attempt, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from lms.cmi5.player import why_of as why_of_units
from lms.cmi5.registrations import find_own
from lms.courses.actions import CourseNotFoundError
from lms.courses.queries import find_course, find_edition
from lms.courses.tables import Course
from lms.enrolment.queries import registration_of
from lms.launch.attempts import why_of
from lms.launch.course import CourseNotPlayedError, CourseNotReadyError, Opened, open_course, open_package
from lms.launch.pages import desk_of
from lms.launch.steps import MOST_STEPS, Replayed, count_steps, replay, show, steps_from
from lms.launch.steps_wording import SaidStep, say_name, say_step, say_value
from lms.launch.tables import LaunchStep
from lms.launch.why import Why
from lms.launch.why_wording import say_lines
from lms.people.queries import find_person
from lms.people.tables import Person
from lms.progress.queries import progress_of
from lms.reports.pages import Observer
from lms.reports.standing import Standing, standing_of
from lms.web.errors import NotFoundError
from lms.web.locale import Language, language_of
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of

router = page_router("/courses/{course_id:uuid}/people/{person_id:uuid}")
STEPS_ON_A_PAGE = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """Whose attempt at which course a page is about."""

    course: Course
    person: Person
    registration: UUID

    @property
    def at(self) -> str:
        """The address of its page."""
        return f"/courses/{self.course.public_id}/people/{self.person.public_id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class StepLine:
    """A step of the log as a list shows it."""

    row: LaunchStep
    said: SaidStep
    is_same: bool | None


@router.get("")
def show_attempt(request: Request, _: Observer, course_id: UUID, person_id: UUID) -> Response:
    """Explain to an instructor how an officer stands, and why her course is not complete."""
    spoken = language_of(request)
    with site_of(request).database.read() as session:
        attempt = _attempt(session, course_id, person_id)
        known = progress_of(session, [attempt.registration]).get(attempt.registration, {})
        standing: Standing = standing_of(known, course_id)
        why = _why(request, session, attempt)
        steps = count_steps(session, attempt.registration)
    return render(
        request,
        "reports/attempt.html",
        attempt=attempt,
        standing=standing,
        is_final=why is not None and why.reached.is_final,
        lines=say_lines(why, spoken) if why else [],
        steps=steps[1],
    )


@router.get("/log")
def show_log(
    request: Request,
    _: Observer,
    course_id: UUID,
    person_id: UUID,
    page: Annotated[int, Query(ge=1, le=1_000)] = 1,
) -> Response:
    """List what sequencing decided in an attempt, the newest first; what is shown was decided again just now."""
    spoken = language_of(request)
    with site_of(request).database.read() as session:
        attempt = _attempt(session, course_id, person_id)
        first, last = count_steps(session, attempt.registration)
        until = last - STEPS_ON_A_PAGE * (page - 1)
        since = max(first, until - STEPS_ON_A_PAGE + 1)
        rows = steps_from(session, attempt.registration, since, until) if last else ()
        opened = _editions(request, session, rows)
    again = list(replay({edition: one.tree for edition, one in opened.items()}, rows))
    lines = [_line(one, opened, spoken) for one, _before in again if one.row.number >= since]
    return render(
        request,
        "reports/attempt_log.html",
        attempt=attempt,
        lines=lines[::-1],
        first=first,
        last=last,
        page=page,
        has_older=since > first,
        most=MOST_STEPS,
        differing=[one.row.number for one in lines if one.is_same is False],
        unknown=[one.row.number for one in lines if one.is_same is None],
    )


@router.get("/log/{number}")
def show_step(request: Request, _: Observer, course_id: UUID, person_id: UUID, number: int) -> Response:
    """Show one step of an attempt: state before and after, the decision, and the rule that decided."""
    spoken = language_of(request)
    with site_of(request).database.read() as session:
        attempt = _attempt(session, course_id, person_id)
        first, last = count_steps(session, attempt.registration)
        if not first <= number <= last or not last:
            raise NotFoundError
        rows = steps_from(session, attempt.registration, number, number)
        opened = _editions(request, session, rows)
    shown = show(
        {edition: one.tree for edition, one in opened.items()},
        rows,
        by_the_book=lambda edition: opened[edition].tree_by_the_book(),
    )
    row = shown.replayed.row
    titles = _titles(opened.get(row.edition))
    return render(
        request,
        "reports/attempt_step.html",
        attempt=attempt,
        line=_line(shown.replayed, opened, spoken),
        first=first,
        last=last,
        changes=[
            {
                "place": titles.get(one.place, one.place),
                "name": say_name(one.name, spoken),
                "before": say_value(one.before, titles, spoken),
                "after": say_value(one.after, titles, spoken),
            }
            for one in shown.changes
        ],
        ran=[
            {
                "number": one.process.number,
                "name": one.process.name,
                "depth": one.depth,
                "on": titles.get(one.activity, one.activity),
                "about": titles.get(one.about, one.about),
                "answer": one.exception or titles.get(one.answer, one.answer),
                "has_decided": one.has_decided,
            }
            for one in shown.ran
        ],
        is_whole=shown.is_whole,
        sent=sorted((row.event.get("result") or {}).items()),
    )


def _attempt(session: Session, course_id: UUID, person_id: UUID) -> Attempt:
    course, person = find_course(session, course_id), find_person(session, person_id)
    if course is None:
        raise CourseNotFoundError(course_id)
    registration = registration_of(session, person=person_id, course=course_id)
    if person is None or registration is None:
        raise NotFoundError
    return Attempt(course=course, person=person, registration=registration)


def _why(request: Request, session: Session, attempt: Attempt) -> Why | None:
    """Explain the attempt as far as this node knows it; ``None`` where the course cannot be opened here."""
    desk, course = desk_of(request), attempt.course.public_id
    try:
        taking = open_course(
            session,
            desk.shelf,
            person=attempt.person.public_id,
            registration=attempt.registration,
            course=course,
        )
    except CourseNotReadyError:
        return None
    except CourseNotPlayedError:
        row, outline = find_own(session, desk.shelf, course, enrolment=attempt.registration, node=desk.node)
        return why_of_units(session, row, outline) if row else None
    return why_of(session, taking) if taking.kept is not None else None


def _editions(request: Request, session: Session, rows: Sequence[LaunchStep]) -> dict[UUID, Opened]:
    """Open the editions that some steps were taken in, as far as they are here."""
    shelf = desk_of(request).shelf
    found = {}
    for edition in {row.edition for row in rows}:
        kept = find_edition(session, edition)
        if kept is not None and shelf.has(kept.manifest):
            found[edition] = open_package(shelf, kept.manifest)
    return found


def _titles(opened: Opened | None) -> dict[str, str]:
    return {} if opened is None else {one.identifier: one.title for one in opened.tree.activities}


def _line(one: Replayed, opened: dict[UUID, Opened], spoken: Language) -> StepLine:
    titles = _titles(opened.get(one.row.edition))
    said = say_step(one.row.event, one.row.outcome, titles, spoken)
    return StepLine(row=one.row, said=said, is_same=one.is_same)
