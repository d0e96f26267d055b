"""Pages to have a person erased, and to see which nodes have not done it yet."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from lms.erasure.orders import have_erased, person_to_erase
from lms.erasure.queries import orders, traces_of
from lms.people.policy import Right
from lms.people.viewer import requires
from lms.web.locale import language_of
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer
from lms.web.wording import FieldError
from sync.node import Node

PATH = "/erasures"

router = page_router()

Eraser = Annotated[Viewer, Depends(requires(Right.ERASE_PEOPLE))]
Text = Annotated[str, Form()]


@router.get("/people/{person_id}/erase")
def show_erasing(request: Request, viewer: Eraser, person_id: UUID) -> Response:
    """Show what would go, and ask for the reason."""
    return _asking(request, viewer, person_id)


@router.post("/people/{person_id}/erase")
def post_erasing(
    request: Request, viewer: Eraser, person_id: UUID, *, reason: Text = "", typed: Text = ""
) -> Response:
    """Order it; the worker begins at once."""
    try:
        with site_of(request).database.write() as session:
            have_erased(session, _node(request), viewer, person_id, reason=reason, typed=typed)
    except FieldError as error:
        return _asking(request, viewer, person_id, {"reason": reason, "typed": typed}, error)
    return RedirectResponse(PATH, status_code=303)


@router.get(PATH)
def show_erasures(request: Request, _: Eraser) -> Response:
    """List all orders, and by name who has not confirmed."""
    with site_of(request).database.read() as session:
        found = orders(session, _node(request))
    return render(request, "erasure/orders.html", orders=found)


def _asking(
    request: Request,
    viewer: Viewer,
    person_id: UUID,
    values: dict[str, str] | None = None,
    error: FieldError | None = None,
) -> Response:
    with site_of(request).database.read() as session:
        found = person_to_erase(session, _node(request), viewer, person_id)
        traces = traces_of(session, person_id)
    return render(
        request,
        "erasure/erase.html",
        status_code=422 if error else 200,
        person=found,
        traces=traces,
        values=values or {},
        errors={error.field: error.said(language_of(request))} if error else {},
    )


def _node(request: Request) -> Node:
    node: Node = request.app.state.sync
    return node
