"""What the page around an open lesson asks for, and what of her work came late: see ``lms/player/README.md``.

Answers are JSON for the page's script; the list of late work is a page.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Form
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from lms.courses.queries import find_course
from lms.launch.bodies import MAX_COMMIT_BYTES, CommitBody, LateBody, body_up_to
from lms.launch.late import state_of, take_late, wake
from lms.launch.pages import Learner, desk_of
from lms.launch.queries import launch_with, newer_launch
from lms.launch.tables import Launch
from lms.launch.using_late import find_late, put_aside, use_late
from lms.people.errors import PasswordsBusyError, PasswordWrongError, SignInRefusedError, SignInTooOftenError
from lms.people.passwords import passwords_of
from lms.people.policy import Right
from lms.people.queries import hold_person, person
from lms.people.signing_in import sign_in
from lms.web.cookies import SESSION, VISITOR, begin_session, read_cookie, set_cookie
from lms.web.errors import NotAllowedError, NotFoundError
from lms.web.locale import language_of
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.visit import visit_of

router = page_router()
_MOST_BYTES = 2 * MAX_COMMIT_BYTES + 1024  # a text in JSON, most of it quotes
LateBytes = Annotated[bytes, Depends(body_up_to(_MOST_BYTES))]


@router.get("/launches/{launch_id}")
def tell_state(request: Request, launch_id: UUID) -> Response:
    """Tell how a launch stands. Who knows its id may ask: no session is looked at, or asking would prolong it."""
    site = site_of(request)
    with site.database.read() as session:
        launch = launch_with(session, launch_id)
        if launch is None:
            return JSONResponse({"state": "over", "by": None})
        state, newer = state_of(session, launch, now=site.now()), newer_launch(session, launch)
    return JSONResponse({"state": state, "by": str(newer) if newer else None})


@router.get("/launches/{launch_id}/visit")
def tell_visit(request: Request, launch_id: UUID) -> Response:
    """Tell whether the learner of a launch is the one signed in, and the token her forms carry now."""
    site, visit = site_of(request), visit_of(request)
    signed_in = "no"
    if visit.viewer is not None:
        with site.database.read() as session:
            launch = launch_with(session, launch_id)
        signed_in = "yes" if launch is not None and launch.person == visit.viewer.public_id else "other"
    response = JSONResponse({"signed_in": signed_in, "csrf_token": visit.csrf_token})
    if visit.new_visitor is not None:
        set_cookie(response, site, VISITOR, visit.new_visitor)
    return response


@router.post("/launches/{launch_id}/sign-in")
def sign_in_again(request: Request, launch_id: UUID, password: Annotated[str, Form()] = "") -> Response:
    """Open a session for the learner of a launch, who need not say again who she is."""
    site = site_of(request)
    with site.database.read() as session:
        launch = launch_with(session, launch_id)
        if launch is None:
            raise NotFoundError
        number = person(session, launch.person).personnel_number
    try:
        opened = sign_in(
            site.database,
            passwords_of(request),
            personnel_number=number,
            password=password,
            now=site.now(),
            replaces=read_cookie(request, SESSION),
        )
    except SignInRefusedError:
        return JSONResponse({"error": language_of(request).gettext(PasswordWrongError.sentence)}, 422)
    except (SignInTooOftenError, PasswordsBusyError) as error:
        return JSONResponse({"error": error.said(language_of(request))}, 429)
    response = JSONResponse({"csrf_token": site.sign("csrf", opened.token)})
    begin_session(response, site, opened.token)
    return response


@router.post("/launches/{launch_id}/wake")
def wake_launch(request: Request, launch_id: UUID) -> Response:
    """Let a token that lay still for too long open its launch again."""
    site = site_of(request)
    with site.database.write() as session:
        launch = _own(request, session, launch_id)
        return JSONResponse({"state": wake(session, launch, now=site.now())})


@router.post("/launches/{launch_id}/gone", status_code=204)
def note_gone(request: Request, launch_id: UUID) -> Response:
    """Note that the page of a launch has closed, so that the next one need not ask whether it is still open."""
    site = site_of(request)
    with site.database.write() as session:
        _own(request, session, launch_id).left = site.now()
    return Response(status_code=204)


@router.post("/launches/{launch_id}/late")
def post_late(request: Request, launch_id: UUID, body: LateBytes) -> Response:
    """Take work that the browser kept while this node was out of reach."""
    try:
        late = LateBody.model_validate_json(body)
        kept = late.commit.encode()
        commit = CommitBody.model_validate_json(kept).commit()
    except (ValidationError, UnicodeEncodeError):
        return JSONResponse({"error": "not understood"}, 413 if len(body) > _MOST_BYTES else 422)
    if len(kept) > MAX_COMMIT_BYTES:
        return JSONResponse({"error": "too large"}, 413)
    site, desk = site_of(request), desk_of(request)
    with site.database.write() as session:
        launch = _own(request, session, launch_id)
        outcome = take_late(session, desk, launch, commit, kept, restarted=late.restarted, now=site.now())
    return JSONResponse({"outcome": outcome, "course": str(launch.course)})


@router.get("/learn/{course}/late")
def show_late(request: Request, viewer: Learner, course: UUID) -> Response:
    """List what of the viewer's work in a course came too late to count."""
    with site_of(request).database.read() as session:
        found = find_course(session, course)
        if found is None:
            raise NotFoundError
        rows = put_aside(session, desk_of(request), person=viewer.public_id, course=course)
    return render(
        request,
        "launch/late.html",
        rows=rows,
        at=f"/learn/{course}/late",
        back=f"/courses/{course}",
        back_title=found.title_in(language_of(request).code),
        is_own=True,
    )


@router.post("/learn/{course}/late/{number}")
def post_use(request: Request, viewer: Learner, course: UUID, number: int) -> Response:
    """Let work of the viewer's that was put aside count; what it replaces is put aside in its turn."""
    site = site_of(request)
    with site.database.write() as session:
        hold_person(session, viewer.public_id)
        late = find_late(session, number, person=viewer.public_id, course=course)
        use_late(session, desk_of(request), late, now=site.now())
    return RedirectResponse(f"/learn/{course}/late", 303)


def _own(request: Request, session: Session, launch_id: UUID) -> Launch:
    """Return a launch of the person signed in, and let nobody else write to her courses meanwhile.

    Raises:
        NotAllowedError: nobody is signed in; a script asks, and shows its own question instead of a page.
        NotFoundError: it is not hers, or not of this node.
    """
    viewer = visit_of(request).viewer
    if viewer is None:
        raise NotAllowedError(Right.TAKE_COURSES)
    hold_person(session, viewer.public_id)
    launch = launch_with(session, launch_id)
    if launch is None or launch.person != viewer.public_id:
        raise NotFoundError
    return launch
