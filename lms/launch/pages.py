"""The player page: the course's frame, the bar around it, and what comes after.

Opening the page delivers: a second tab therefore ends the first, and a reload goes on where it stopped. Where a
unit may still be running elsewhere, a page that asks comes before it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Form, Query
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from content_packages.sequencing.controls import Ahead, OutlineEntry
from content_packages.sequencing.event import Request as Wanted
from lms.courses.allowances import Allowance
from lms.courses.queries import allowance_of
from lms.enrolment.queries import own_registration
from lms.launch.actions import Delivered, Desk, carry_out, deliver
from lms.launch.attempts import sitting_of, why_of
from lms.launch.course import CourseNotPlayedError, Standing, Taking, open_course, read_standing
from lms.launch.fence import page_around, sandbox
from lms.launch.hosts import origin_for
from lms.launch.moving import at_rest
from lms.launch.next_opening import next_opening
from lms.launch.queries import is_over, running_elsewhere
from lms.launch.scores import score_of
from lms.launch.sittings import in_minutes
from lms.launch.verdict import judged, only_assumed, verdict_on
from lms.launch.way_on import way_on
from lms.launch.why_wording import say_lines, say_missing, say_whole
from lms.people.policy import Right
from lms.people.queries import hold_person
from lms.people.sessions import owner_mark
from lms.people.viewer import requires
from lms.web.errors import NotFoundError
from lms.web.locale import language_of
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer

router = page_router("/learn")
Learner = Annotated[Viewer, Depends(requires(Right.TAKE_COURSES))]

MOST_MISSING = 5  # units that the result names
REQUESTS = {
    "continue": Wanted.CONTINUE,
    "previous": Wanted.PREVIOUS,
    "suspend": Wanted.SUSPEND_ALL,
    "exit": Wanted.EXIT_ALL,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """What the bar and the outline offer now; what the package hides is absent."""

    number: int
    count: int
    can_continue: bool
    can_go_back: bool
    can_suspend: bool
    can_exit: bool
    outline: list[OutlineEntry]
    judged: frozenset[str]
    assumed: frozenset[str] = frozenset()  # completed for sequencing alone
    waived: frozenset[str] = frozenset()  # by an instructor, and not passed


@router.get("/{course}")
def show_player(
    request: Request, viewer: Learner, course: UUID, here: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """Start or resume the course and show what it delivers; ``here`` is the launch that may be ended for it."""
    site, desk = site_of(request), desk_of(request)
    with site.database.write() as session:
        hold_person(session, viewer.public_id)
        try:
            taking = _taking(session, desk, viewer, course)
        except CourseNotPlayedError:  # its units have a player of their own (lms.cmi5.pages)
            return RedirectResponse(f"/learn/{course}/units", 303)
        running = running_elsewhere(session, taking.registration)
        if running is None or str(running.public_id) == here:
            running, delivered = None, deliver(session, desk, taking, now=site.now())
            taking = delivered.taking if delivered else _taking(session, desk, viewer, course)
            standing = delivered.standing if delivered else read_standing(session, taking)
        allowed = allowance_of(session, taking.edition)
    owner = owner_mark(site, viewer)
    if running is not None:
        return render(
            request,
            "launch/before.html",
            taking=taking,
            at=f"/learn/{course}",
            running=running.public_id,
            asleep=is_over(running, now=site.now()),
            owner=owner,
        )
    frame = frame_of(request, delivered, allowed) if delivered else None
    if frame is not None and allowed.own_window:
        return render(request, "launch/own_window.html", title=frame["title"], address=frame["src"])
    bar = bar_of(taking, standing, buttons=REQUESTS.values())
    return render(
        request,
        "launch/player.html",
        headers=page_around(allowed),
        taking=taking,
        at=f"/learn/{course}",
        bar_url=f"/learn/{course}/bar",
        why_url=f"/learn/{course}/why",
        back="/",
        course_page=f"/courses/{course}",
        frame=frame,
        bar=bar,
        way=None if delivered else way_on(taking, standing, bar.outline, language_of(request)),
        launch=delivered.launch.public_id if delivered else None,
        owner=owner,
    )


@router.get("/{course}/bar")
def show_bar(request: Request, viewer: Learner, course: UUID) -> Response:
    """Show what may be asked for by now, for the player page to take over; this delivers nothing."""
    site, desk = site_of(request), desk_of(request)
    with site.database.read() as session:
        taking = _taking(session, desk, viewer, course)
        bar = bar_of(taking, read_standing(session, taking), buttons=REQUESTS.values())
    why = f"/learn/{course}/why"
    return render(request, "launch/bar.html", at=f"/learn/{course}", bar=bar, why_url=why)


@router.post("/{course}/go")
def go(
    request: Request,
    viewer: Learner,
    course: UUID,
    wanted: Annotated[str, Form(alias="request")] = "",
    choice: Annotated[str | None, Form()] = None,
) -> Response:
    """Carry out what the learner asks for."""
    site, desk = site_of(request), desk_of(request)
    kind = kind_of(wanted, choice)
    with site.database.write() as session:
        hold_person(session, viewer.public_id)
        taking = _taking(session, desk, viewer, course)
        carry_out(session, desk, taking, kind, choice, now=site.now())
    return RedirectResponse(f"/learn/{course}/after", 303)


@router.get("/{course}/after")
def after(
    request: Request, viewer: Learner, course: UUID, here: Annotated[UUID | None, Query()] = None
) -> Response:
    """Go to what is next: another unit, or the result; ``here`` is the launch that comes back from its own window."""
    go_on = f"/learn/{course}" + f"?here={here}" * (here is not None)
    site, desk = site_of(request), desk_of(request)
    with site.database.read() as session:
        taking = _taking(session, desk, viewer, course)
        standing = read_standing(session, taking)
        if standing.waiting is not None:
            return RedirectResponse(go_on, 303)
        standing = at_rest(taking, standing)
        why, sitting = why_of(session, taking, standing), sitting_of(session, taking, standing)
    bar = bar_of(taking, standing, buttons=())
    return render(
        request,
        "launch/result.html",
        taking=taking,
        at=f"/learn/{course}",
        go_on=go_on,
        bar=bar,
        way=way_on(taking, standing, bar.outline, language_of(request)) if standing.refused else None,
        course_page=f"/courses/{course}",
        reached=replace(why.reached, score=score_of(taking.opened, standing, why.reached)),
        minutes=in_minutes(standing.learning_seconds),
        minutes_with_pauses=in_minutes(standing.seconds),
        sitting=sitting,
        stands=say_whole(why, language_of(request)) if why.stands else "",
        opening=next_opening(taking.opened, standing),
        missing=say_missing(why, language_of(request), most=MOST_MISSING),
    )


@router.get("/{course}/why")
def show_why(request: Request, viewer: Learner, course: UUID) -> Response:
    """Explain why the course is not complete: the rule, what the package sent, what is missing."""
    site, desk = site_of(request), desk_of(request)
    with site.database.read() as session:
        try:
            taking = _taking(session, desk, viewer, course)
        except CourseNotPlayedError:
            return RedirectResponse(f"/learn/{course}/units/why", 303)
        standing = at_rest(taking, read_standing(session, taking))
        why = why_of(session, taking, standing)
    return render(
        request,
        "launch/why.html",
        title=taking.title_in(language_of(request).code),
        back=f"/courses/{course}",
        go_on=f"/learn/{course}",
        opening=next_opening(taking.opened, standing),
        whole=say_whole(why, language_of(request)),
        lines=say_lines(why, language_of(request)),
    )


def kind_of(wanted: str, choice: str | None) -> Wanted:
    """Return which request of sequencing a button of the player page, or a line of its outline, stands for.

    Raises:
        NotFoundError: none.
    """
    if choice is not None:
        return Wanted.CHOICE
    if wanted not in REQUESTS:
        raise NotFoundError
    return REQUESTS[wanted]


def desk_of(request: Request) -> Desk:
    """Return the desk that ``lms.app`` put beside the site."""
    desk: Desk = request.app.state.desk
    return desk


def frame_of(request: Request, delivered: Delivered, allowed: Allowance) -> dict[str, str | None]:
    """Return where the course's frame leads, what it is called, and how it is fenced."""
    site, taking = site_of(request), delivered.taking
    origin = origin_for(site, taking.edition)
    activity = taking.opened.activities[delivered.launch.identifier]
    return {
        "origin": origin,
        # A page of ours in there speaks the learner's language; there are no cookies to tell it.
        "src": f"{origin}/rt/{delivered.token}/"
        + f"?lang={language_of(request).code}" * (bool(activity.viewer) or allowed.own_window),
        # A frame of another name has another history: Back must not bring an old launch into this page.
        "name": str(delivered.launch.public_id),
        "title": activity.title,
        "sandbox": sandbox(allowed),
    }


def bar_of(taking: Taking, standing: Standing, *, buttons: Collection[Wanted]) -> Bar:
    """Say what is offered; only *buttons* are asked about, for the engine has to try each."""
    tree = taking.opened.tree
    leaves = [activity.identifier for activity in tree.activities if activity.is_leaf]
    current = standing.state["current"]
    activity = taking.opened.activities.get(current or "")
    hidden = set(activity.hide_lms_ui) if activity else set()
    assumed = only_assumed(taking.opened, standing)
    undecided = {tree.root.identifier} if verdict_on(taking.opened, standing).satisfied is None else set()
    ahead = Ahead(tree, standing.state)
    valid = ahead.followed(buttons)
    return Bar(
        number=leaves.index(current) + 1 if current in leaves else 0,
        count=len(leaves),
        # SCORM 1.2 knows no Continue: beside a single unit it would only be another word for Exit.
        can_continue=Wanted.CONTINUE in valid
        and "continue" not in hidden
        and not (taking.opened.is_scorm12 and len(leaves) == 1),
        can_go_back=Wanted.PREVIOUS in valid and "previous" not in hidden,
        can_suspend=Wanted.SUSPEND_ALL in valid and "suspendAll" not in hidden,
        can_exit=Wanted.EXIT_ALL in valid and "exitAll" not in hidden,
        outline=[
            entry
            for entry in ahead.outline()
            if entry.listed and (entry.depth or _begins_anew(taking, entry))
        ],
        judged=judged(taking.opened, standing) - assumed - undecided,
        assumed=assumed,
    )


def _begins_anew(taking: Taking, entry: OutlineEntry) -> bool:
    """Say whether the course itself is a line: in SCORM 2004 it may be chosen as any activity is (SB.2.9)."""
    return entry.choosable and not taking.opened.is_scorm12


def _taking(session: Session, desk: Desk, viewer: Viewer, course: UUID) -> Taking:
    person = viewer.public_id
    registration = own_registration(session, person=person, course=course)
    return open_course(session, desk.shelf, person=person, registration=registration, course=course)
