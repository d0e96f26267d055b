"""The page that says what is in the file for whoever helps, before it is saved."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from lms.node import Node, utc_now
from lms.people.policy import Right
from lms.people.viewer import requires
from lms.support.actions import write_support
from lms.support.members import MEMBERS
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.viewer import Viewer

PATH = "/support"

router = page_router(PATH)

Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_NODES))]


@router.get("")
def show_support(request: Request, _: Manager) -> Response:
    """Show what will be in the file."""
    return render(request, "support/support.html", members=MEMBERS)


@router.post("")
def post_support(request: Request, _: Manager) -> Response:
    """Make the file and give it; it is small, and nothing of it stays here."""
    node: Node = request.app.state.node
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "support.zip"
        write_support(node, file)
        content = file.read_bytes()
    name = f"outpost-support-{utc_now():%Y-%m-%d}.zip"
    return Response(
        content,
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )
