"""Pages about the keys of the record store: what there is, one more, one out of force."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from lms.keys.actions import KEY_PATTERN, KeyNotFoundError, create_key, revoke_key, unused_key
from lms.keys.queries import find_key, list_keys
from lms.keys.scopes import LRS_SCOPES
from lms.people.policy import Right
from lms.people.viewer import requires
from lms.web.locale import language_of
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer
from lms.web.wording import FieldError

router = page_router("/records/keys")
Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_KEYS))]


@router.get("")
def show_keys(request: Request, _: Manager) -> Response:
    """List the keys in force, then those that no longer are."""
    with site_of(request).database.read() as session:
        found = list_keys(session, "lrs")
    return render(
        request,
        "keys/list.html",
        keys=[one for one in found if one.revoked is None],
        revoked=[one for one in found if one.revoked is not None],
        scopes=LRS_SCOPES,
    )


@router.get("/new")
def show_new_key(request: Request, _: Manager) -> Response:
    """Offer to make a key."""
    return _form(request, key=unused_key(), name="", chosen=())


@router.post("/new")
def post_new_key(
    request: Request,
    _: Manager,
    *,
    key: Annotated[str, Form(pattern=KEY_PATTERN)],
    name: Annotated[str, Form()] = "",
    scopes: Annotated[list[str], Form(default_factory=list)],
) -> Response:
    """Make a key and show its secret, this once: the same form sent again makes none and shows none."""
    site = site_of(request)
    try:
        with site.database.write() as session:
            made = create_key(session, "lrs", name, scopes, now=site.now(), key=key)
    except FieldError as error:
        return _form(request, key=key, name=name, chosen=scopes, error=error)
    # Not a redirect: the secret exists in this answer only.
    return render(request, "keys/made.html", key=made, name=name, endpoint=f"{site.public_url}/xapi")


@router.get("/{key}/revoke")
def show_revocation(request: Request, _: Manager, key: str) -> Response:
    """Ask whether a key shall be put out of force."""
    with site_of(request).database.read() as session:
        found = find_key(session, "lrs", key)
    if found is None or found.revoked is not None:
        raise KeyNotFoundError(key)
    return render(request, "keys/revoke.html", key=found)


@router.post("/{key}/revoke")
def post_revocation(request: Request, _: Manager, key: str) -> Response:
    """Put a key out of force."""
    site = site_of(request)
    with site.database.write() as session:
        revoke_key(session, key, now=site.now(), kind="lrs")
    return RedirectResponse("/records/keys", status_code=303)


def _form(
    request: Request, *, key: str, name: str, chosen: Sequence[str], error: FieldError | None = None
) -> Response:
    errors = {error.field: error.said(language_of(request))} if error else {}
    return render(
        request,
        "keys/new.html",
        status_code=422 if error else 200,
        key=key,
        name=name,
        chosen=chosen,
        errors=errors,
        scopes=LRS_SCOPES,
    )
