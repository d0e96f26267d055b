"""Trying a course: the player with a log beside it, and afterwards what would have been recorded.

Everybody sees only the trials she has opened herself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Form
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from lms.courses.queries import allowance_of
from lms.database import Database
from lms.launch.actions import carry_out, deliver
from lms.launch.attempts import why_of
from lms.launch.course import CourseNotPlayedError, open_course, read_standing
from lms.launch.fence import page_around
from lms.launch.moving import at_rest
from lms.launch.pages import REQUESTS, bar_of, desk_of, frame_of, kind_of
from lms.launch.sittings import in_minutes
from lms.launch.steps import count_steps
from lms.launch.verdict import verdict_on
from lms.launch.way_on import way_on
from lms.launch.why_wording import say_lines
from lms.people.policy import Right
from lms.people.viewer import requires
from lms.trials.actions import open_trial, trial_desk
from lms.trials.databases import trials_of
from lms.trials.decisions import delivered_what, nothing_delivered
from lms.trials.log import lines_after
from lms.trials.queries import statements_of, trial_in, trials_here, unit_data
from lms.trials.trial import Trial
from lms.web.errors import NotFoundError
from lms.web.locale import language_of
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer

router = page_router("/trials")
Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_COURSES))]


@router.get("")
def show_trials(request: Request, viewer: Manager) -> Response:
    """List the trials the viewer has not ended."""
    own = [one for one in trials_here(trials_of(request)) if one.opened_by == viewer.public_id]
    return render(request, "trials/list.html", trials=own)


@router.post("")
def post_trial(request: Request, viewer: Manager, edition: Annotated[UUID, Form()]) -> Response:
    """Open a trial of an edition."""
    return _open(request, viewer, edition)


@router.get("/{trial_id}")
def show_player(request: Request, viewer: Manager, trial_id: UUID) -> Response:
    """Start or resume the trial and show what it delivers."""
    site, desk = site_of(request), trial_desk(desk_of(request), trial_id)
    with entered(request, viewer, trial_id) as (trial, database), database.write() as session:
        try:
            taking = open_course(session, desk.shelf, **_whose(trial))
        except CourseNotPlayedError:  # its units speak to a record store (lms.trials.unit_pages)
            return RedirectResponse(f"/trials/{trial_id}/units", 303)
        delivered = deliver(session, desk, taking, now=site.now())
        if delivered is None:
            taking = open_course(session, desk.shelf, **_whose(trial))
        standing = delivered.standing if delivered else read_standing(session, taking)
        told = delivered_what(session, taking, standing, language_of(request))
        allowed = allowance_of(session, taking.edition)
    bar = bar_of(taking, standing, buttons=REQUESTS.values())
    return render(
        request,
        "trials/player.html",
        headers=page_around(allowed),
        trial=trial,
        taking=taking,
        at=f"/trials/{trial_id}",
        back=f"/trials/{trial_id}/records",
        frame=frame_of(request, delivered, allowed) if delivered else None,
        bar=bar,
        way=None if delivered else way_on(taking, standing, bar.outline, language_of(request)),
        told=told,
    )


@router.post("/{trial_id}/go")
def go(
    request: Request,
    viewer: Manager,
    trial_id: UUID,
    wanted: Annotated[str, Form(alias="request")] = "",
    choice: Annotated[str | None, Form()] = None,
) -> Response:
    """Carry out what is asked for on the page."""
    site, desk = site_of(request), trial_desk(desk_of(request), trial_id)
    kind = kind_of(wanted, choice)
    with entered(request, viewer, trial_id) as (trial, database), database.write() as session:
        taking = open_course(session, desk.shelf, **_whose(trial))
        carry_out(session, desk, taking, kind, choice, now=site.now())
    return RedirectResponse(f"/trials/{trial_id}/after", 303)


@router.get("/{trial_id}/after")
def after(request: Request, viewer: Manager, trial_id: UUID) -> Response:
    """Go to what is next: another unit, or the records."""
    with entered(request, viewer, trial_id) as (trial, database), database.read() as session:
        taking = open_course(session, desk_of(request).shelf, **_whose(trial))
        more = read_standing(session, taking).waiting is not None
    return RedirectResponse(f"/trials/{trial_id}" + "/records" * (not more), 303)


@router.get("/{trial_id}/records")
def show_records(request: Request, viewer: Manager, trial_id: UUID) -> Response:
    """Show what would have been recorded."""
    desk, spoken = desk_of(request), language_of(request)
    with entered(request, viewer, trial_id) as (trial, database), database.read() as session:
        try:
            taking = open_course(session, desk.shelf, **_whose(trial))
        except CourseNotPlayedError:
            return RedirectResponse(f"/trials/{trial_id}/units/after", 303)
        standing = read_standing(session, taking)
        statements = statements_of(session, trial, spoken)
        units = unit_data(session, taking)
        told = nothing_delivered(session, taking, standing, spoken)
        stopped = at_rest(taking, standing)
        why = why_of(session, taking, stopped) if taking.kept is not None else None
        _, steps = count_steps(session, trial.registration)
    outline = bar_of(taking, stopped, buttons=()).outline
    return render(
        request,
        "trials/records.html",
        trial=trial,
        way=way_on(taking, stopped, outline, spoken) if stopped.refused else None,
        statements=statements,
        standings=None,
        units=units,
        reached=verdict_on(taking.opened, stopped),
        minutes=in_minutes(standing.learning_seconds),
        minutes_with_pauses=in_minutes(standing.seconds),
        lines=say_lines(why, spoken) if why else [],
        is_final=why is not None and why.reached.is_final,
        steps=steps,
        told=told,
    )


@router.get("/{trial_id}/log")
def tell_log(request: Request, viewer: Manager, trial_id: UUID, after: int = 0) -> Response:
    """Tell what the log has behind a line, for the page that follows it: no use of the trial."""
    with entered(request, viewer, trial_id, is_use=False) as (trial, database), database.read() as session:
        news = lines_after(session, trial, after, language_of(request))
    return JSONResponse({"lines": news.lines, "last": news.last})


@router.post("/{trial_id}/again")
def try_again(request: Request, viewer: Manager, trial_id: UUID) -> Response:
    """End a trial and open another of the same edition: nothing of the first is found in it."""
    with entered(request, viewer, trial_id) as (trial, _):
        edition = trial.edition
    trials_of(request).delete(trial_id)
    return _open(request, viewer, edition)


@router.post("/{trial_id}/end")
def end(request: Request, viewer: Manager, trial_id: UUID) -> Response:
    """End a trial; its records are gone at once."""
    with entered(request, viewer, trial_id) as (trial, _):
        course = trial.course
    trials_of(request).delete(trial_id)
    return RedirectResponse(f"/courses/{course}/editions", 303)


def _open(request: Request, viewer: Viewer, edition: UUID) -> Response:
    site, desk = site_of(request), desk_of(request)
    with site.database.read() as session:
        trial = open_trial(session, trials_of(request), desk, edition, by=viewer.public_id, now=site.now())
    return RedirectResponse(f"/trials/{trial.public_id}", 303)


@contextmanager
def entered(
    request: Request, viewer: Viewer, trial_id: UUID, *, is_use: bool = True
) -> Iterator[tuple[Trial, Database]]:
    """Open a trial of the viewer's own."""
    with trials_of(request).opened(trial_id, is_use=is_use) as database:
        with database.read() as session:
            trial = trial_in(session)
        if trial.opened_by != viewer.public_id:
            raise NotFoundError
        yield trial, database


def _whose(trial: Trial) -> dict[str, UUID]:
    return {"person": trial.person, "registration": trial.registration, "course": trial.course}
