"""Pages about the person herself: sign in, the first person, sign out, language, password."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Form, Request
from starlette.responses import RedirectResponse, Response

from lms.people.actions import choose_language, create_person, set_password
from lms.people.errors import (
    FirstPersonExistsError,
    PasswordsBusyError,
    PasswordsDifferError,
    PasswordWrongError,
    SignInRefusedError,
    SignInTooOftenError,
)
from lms.people.passwords import passwords_of
from lms.people.policy import PersonRole
from lms.people.queries import has_people, person
from lms.people.sessions import close_session
from lms.people.signing_in import sign_in
from lms.people.viewer import SignedIn
from lms.web.cookies import CHOSEN, LANGUAGE, SESSION, begin_session, drop_cookie, read_cookie, set_cookie
from lms.web.errors import NotAllowedError
from lms.web.locale import language, language_of
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.visit import visit_of
from lms.web.wording import FieldError

router = page_router()

Text = Annotated[str, Form()]


@router.get("/sign-in")
def show_sign_in(request: Request, next: str = "/") -> Response:  # noqa: A002 - the name in the address
    """Ask for number and password, or say how the first person is made."""
    with site_of(request).database.read() as session:
        known = has_people(session)
    if known:
        return render(request, "people/sign_in.html", next=local_path(next), number="", error="")
    return _first_person(request)


@router.post("/sign-in")
def do_sign_in(
    request: Request,
    personnel_number: Text = "",
    password: Text = "",
    next: Text = "/",  # noqa: A002 - as above
) -> Response:
    """Open a session."""
    site = site_of(request)
    try:
        opened = sign_in(
            site.database,
            passwords_of(request),
            personnel_number=personnel_number,
            password=password,
            now=site.now(),
            replaces=read_cookie(request, SESSION),
        )
    except (SignInRefusedError, SignInTooOftenError, PasswordsBusyError) as error:
        return render(
            request,
            "people/sign_in.html",
            status_code=422 if isinstance(error, SignInRefusedError) else 429,
            next=local_path(next),
            number=personnel_number,
            error=error.said(language_of(request)),
        )
    response = RedirectResponse(local_path(next), status_code=303)
    begin_session(response, site, opened.token)
    _keep_choice(request, response, opened.person_id)
    return response


@router.post("/first-person")
def make_first_person(
    request: Request, personnel_number: Text = "", name: Text = "", password: Text = "", again: Text = ""
) -> Response:
    """Make the administrator of a laptop that has met no one yet."""
    site = site_of(request)
    if not site.first_person_here:
        raise NotAllowedError("people.first")
    try:
        if password != again:
            raise PasswordsDifferError
        kept = passwords_of(request).hash(password)
        with site.database.write() as session:
            if has_people(session):
                raise FirstPersonExistsError
            create_person(
                session,
                public_id=uuid4(),
                personnel_number=personnel_number,
                name=name,
                roles=[PersonRole.OFFICER, PersonRole.INSTRUCTOR, PersonRole.HUB_ADMIN],
                password_hash=kept,
                now=site.now(),
            )
    except FieldError as error:
        return _first_person(request, error, number=personnel_number, name=name)
    return do_sign_in(request, personnel_number, password, "/")


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    """End the session; the next person finds nothing of this one."""
    site, token = site_of(request), read_cookie(request, SESSION)
    if token is not None:
        with site.database.write() as session:
            close_session(session, token)
    response = RedirectResponse("/sign-in", status_code=303)
    drop_cookie(response, site, SESSION)
    # Not "storage": work that is kept there waits for its owner (lms/player/README.md), and only her pages read it.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@router.post("/language")
def set_language(request: Request, locale: Text, next: Text = "/") -> Response:  # noqa: A002 - as above
    """Keep the chosen language: with the person, or on this machine while nobody is signed in."""
    site, viewer = site_of(request), visit_of(request).viewer
    response = RedirectResponse(local_path(next), status_code=303)
    if language(locale) is None:
        return response
    if viewer is None:
        set_cookie(response, site, LANGUAGE, locale)
        set_cookie(response, site, CHOSEN, locale)
    else:
        with site.database.write() as session:
            choose_language(session, person(session, viewer.public_id), locale, now=site.now())
    return response


def _keep_choice(request: Request, response: Response, public_id: UUID) -> None:
    """Take a language chosen on the page of sign-in as the wish of the one who then signed in."""
    site, chosen = site_of(request), read_cookie(request, CHOSEN)
    if chosen is None or language(chosen) is None:
        return
    with site.database.write() as session:
        choose_language(session, person(session, public_id), chosen, now=site.now())
    drop_cookie(response, site, CHOSEN)


@router.get("/account")
def show_account(request: Request, viewer: SignedIn, saved: bool = False) -> Response:
    """Show what the person may change about herself."""
    return render(request, "people/account.html", saved=saved, errors={}, temporary=viewer.password_temporary)


@router.post("/account/password")
def change_password(
    request: Request, viewer: SignedIn, current: Text = "", password: Text = "", again: Text = ""
) -> Response:
    """Give oneself a new password; other sessions end."""
    site, passwords = site_of(request), passwords_of(request)
    with site.database.read() as session:
        kept = person(session, viewer.public_id).password_hash
    try:
        if not passwords.matches(kept, current):
            raise PasswordWrongError
        if password != again:
            raise PasswordsDifferError
        new = passwords.hash(password)
    except FieldError as error:
        errors = {error.field: error.said(language_of(request))}
        return render(
            request,
            "people/account.html",
            status_code=422,
            saved=False,
            errors=errors,
            temporary=viewer.password_temporary,
        )
    with site.database.write() as session:
        changed = person(session, viewer.public_id)
        set_password(session, changed, new, temporary=False, now=site.now(), keep_session=viewer.session_id)
    return RedirectResponse("/account?saved=true", status_code=303)


def local_path(address: str) -> str:
    """Return *address* when it is a path of this site, else the first page.

    >>> local_path("/people?page=2"), local_path("//evil.example"), local_path("https://evil.example")
    ('/people?page=2', '/', '/')
    """
    strange = not address.startswith("/") or address[1:2] in {"/", "\\"} or not address.isprintable()
    return "/" if strange else address


def _first_person(request: Request, error: FieldError | None = None, **typed: str) -> Response:
    errors = {error.field: error.said(language_of(request))} if error else {}
    status = 422 if error else 200
    return render(request, "people/first_person.html", status_code=status, errors=errors, typed=typed)
