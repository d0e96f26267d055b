"""The page on which an instructor gives learners an edition, and chooses for those in mid-course."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID, uuid4

from fastapi import Depends, Form
from pydantic import BeforeValidator
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from lms.courses.actions import undo_move
from lms.courses.queries import given_edition
from lms.editions.actions import take_up
from lms.editions.queries import preview
from lms.people.policy import Right
from lms.people.viewer import requires
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer

router = page_router("/courses/{course}")
Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_COURSES))]
# Of each edition the form sends its id, or nothing where officers stay.
Chosen = Annotated[list[UUID], BeforeValidator(lambda sent: [one for one in sent if one]), Form()]


@router.get("/editions/{edition}/officers")
def show_officers(
    request: Request,
    _: Manager,
    course: UUID,
    edition: UUID,
    done: Literal["published", "moved", "undone"] | None = None,
    instead_of: int | None = None,
) -> Response:
    """Show who is in mid-course in other editions, what each would keep, and what was decided.

    Where it follows something that was *done*, it says so; *instead_of* is the number of the edition given before.
    """
    site = site_of(request)
    with site.database.read() as session:
        found = preview(session, site.shelf, course, edition)
    return render(request, "editions/officers.html", preview=found, done=done, instead_of=instead_of)


@router.post("/editions/{edition}/officers")
def post_officers(
    request: Request,
    viewer: Manager,
    course: UUID,
    edition: UUID,
    move: Chosen = [],  # noqa: B006 - FastAPI's default
) -> Response:
    """Give learners the edition, and let those in mid-course move whom the form names."""
    site = site_of(request)
    with site.database.write() as session:
        before = given_edition(session, course)
        take_up(
            session,
            site.shelf,
            course,
            edition,
            move_from=move,
            by=viewer.public_id,
            now=site.now(),
            new_id=uuid4,
        )
    if before is not None and before.public_id == edition:
        said = "done=moved"
    else:
        said = "done=published" + (f"&instead_of={before.number}" if before else "")
    return RedirectResponse(f"/courses/{course}/editions/{edition}/officers?{said}", status_code=303)


@router.post("/moves/{move}/undo")
def post_undo(
    request: Request, _: Manager, course: UUID, move: UUID, edition: Annotated[UUID, Form()]
) -> Response:
    """Let those whom a decision took along go back."""
    site = site_of(request)
    with site.database.write() as session:
        undo_move(session, course, move, now=site.now())
    return RedirectResponse(f"/courses/{course}/editions/{edition}/officers?done=undone", status_code=303)
