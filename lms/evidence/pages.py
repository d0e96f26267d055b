"""The page that shows whether what is kept here is what was signed, and has everything checked anew."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import RedirectResponse, Response

from lms.evidence.queries import check
from lms.people.policy import Right
from lms.people.viewer import requires
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer
from sync.node import Node
from sync.verification import begin_everything

PATH = "/sync-status/check"

router = page_router(PATH)

Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_NODES))]


@router.get("")
def show_check(request: Request, _: Manager) -> Response:
    """Show what was checked, and what was found."""
    with site_of(request).database.read() as session:
        stands = check(session)
    return render(request, "evidence/check.html", check=stands)


@router.post("")
def post_check(request: Request, _: Manager) -> Response:
    """Have the worker check everything from the first record on."""
    node: Node = request.app.state.sync
    begin_everything(node)
    return RedirectResponse(PATH, status_code=303)
