"""Which courses are on this node, to remove and to fetch; and, where that is decided, which go to which node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Form
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from lms.carrying.actions import AssignedElsewhereError, assign
from lms.carrying.here import InTheMiddleError, OnlyHereError, courses_here, let_go, remove
from lms.carrying.lacks import lack_told_by
from lms.carrying.queries import assignments, decides_here, find_assignment, orders_in
from lms.carrying.rules import Mode, Orders, first_part
from lms.courses.actions import ask_for
from lms.courses.queries import courses_given, courses_not_here, lines_of
from lms.nodes.pages import PATH as SYNC_PATH
from lms.nodes.withdrawn import trust_in
from lms.people.policy import Right
from lms.people.queries import group_names
from lms.people.viewer import requires
from lms.streams.course_files import manifests_on_offer
from lms.web.errors import Trouble
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer
from lms.web.wording import mark
from sync.node import Node, names_of
from sync.quarantine import bytes_without_room

PATH = "/courses/here"
ASSIGNED = "/courses/assigned"

router = page_router("")
Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_NODES))]

_NO_LANGUAGE = mark("Choose at least one language.")

TROUBLES: Mapping[type[Exception], Trouble] = {
    AssignedElsewhereError: Trouble(
        status=409,
        code="assigned-elsewhere",
        title=mark("This node does not decide which courses go where"),
        remedy=mark("Ask the administrator of the centre."),
    ),
    OnlyHereError: Trouble(
        status=409,
        code="course-only-here",
        title=mark("The files of this course may be nowhere else"),
        kept=mark("Nothing was removed."),
        remedy=mark("Sync until the centre has the course, then remove it here."),
    ),
    InTheMiddleError: Trouble(
        status=409,
        code="course-in-the-middle",
        title=mark("Somebody is in the middle of this course"),
        kept=mark("Nothing was removed."),
        remedy=mark("Go back and say that you want to remove it all the same."),
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What was said of one node, as the list shows it."""

    node: str
    name: str
    mode: Mode
    courses: int
    languages: list[str]


@router.get(PATH)
def show_here(
    request: Request,
    _: Manager,
    done: Literal["removed", "asked"] | None = None,
    course: UUID | None = None,
    freed: int = 0,
    left: int = 0,
) -> Response:
    """Show what is on this node, the least needed first, and what is not.

    Where it follows something that was *done* to a course, it says so, with the bytes that were freed and those that
    will be.
    """
    site, node = site_of(request), _node(request)
    with site.database.read() as session:
        listed = courses_here(session, site.shelf, offered=manifests_on_offer(session))
        elsewhere = courses_not_here(session)
        decides = decides_here(session)
        titles = lines_of(session, [course] if course else [])
    return render(
        request,
        "nodes/here.html",
        listed=listed,
        elsewhere=elsewhere,
        decides=decides,
        room=node.blobs.room(),
        no_room=_no_room(request),
        done=done if course in titles else None,
        course=titles.get(course) if course else None,
        freed=freed,
        left=left,
    )


@router.post(f"{PATH}/remove")
def post_removal(
    request: Request,
    _: Manager,
    *,
    course: Annotated[UUID, Form()],
    all_the_same: Annotated[bool, Form()] = False,
) -> Response:
    """Take a course off this node."""
    site = site_of(request)
    now = site.now()
    with site.database.write() as session:
        offered = manifests_on_offer(session)
        files = remove(session, site.shelf, course, all_the_same=all_the_same, offered=offered, now=now)
    freed = let_go(site.shelf, files, now=now).size
    left = sum(site.shelf.path(one).stat().st_size for one in files if site.shelf.has(one))
    return RedirectResponse(f"{PATH}?done=removed&course={course}&freed={freed}&left={left}", status_code=303)


@router.post(f"{PATH}/fetch")
def post_request(request: Request, _: Manager, course: Annotated[UUID, Form()]) -> Response:
    """Have a course's files here: at once if they were not swept yet, or else with the next meetings."""
    site, node = site_of(request), _node(request)
    with site.database.write() as session:
        ask_for(session, course, now=site.now())
        if node.wishes is not None:
            node.wishes.look(session)
    return RedirectResponse(f"{PATH}?done=asked&course={course}", status_code=303)


@router.get(ASSIGNED)
def show_assigned(request: Request, _: Manager) -> Response:
    """Show what was said of which node, and ask what comes to all others."""
    return _assigned_page(request)


@router.post(ASSIGNED)
def post_assigned_to_all(
    request: Request,
    viewer: Manager,
    *,
    mode: Annotated[Mode, Form()],
    courses: Annotated[list[UUID] | None, Form()] = None,
    languages: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Say what comes to nodes of which nothing was said."""
    orders = _orders(mode, courses, languages, None)
    if (error := _fault(orders)) is not None:
        return _assigned_page(request, status=422, orders=orders, error=error)
    _assign(request, viewer, _node(request).id, orders)
    return RedirectResponse(f"{ASSIGNED}?done=1", status_code=303)


@router.get(f"{SYNC_PATH}/nodes/{{other}}/courses")
def show_node(request: Request, _: Manager, other: str) -> Response:
    """Show which courses come to a node, and what it tells that it lacks."""
    return _node_page(request, other)


@router.post(f"{SYNC_PATH}/nodes/{{other}}/courses")
def post_assigned_to_node(
    request: Request,
    viewer: Manager,
    *,
    other: str,
    mode: Annotated[Mode, Form()],
    courses: Annotated[list[UUID] | None, Form()] = None,
    languages: Annotated[list[str] | None, Form()] = None,
    groups: Annotated[list[UUID] | None, Form()] = None,
) -> Response:
    """Say which courses come to a node and to those below it."""
    orders = _orders(mode, courses, languages, groups)
    if (error := _fault(orders)) is not None:
        return _node_page(request, other, status=422, orders=orders, error=error)
    with site_of(request).database.read() as session:
        trust_in(session, _node(request), other)
    _assign(request, viewer, other, orders)
    return RedirectResponse(f"{SYNC_PATH}/nodes/{other}/courses?done=1", status_code=303)


# ---------------------------------------------------------------- parts


def _assigned_page(
    request: Request, *, status: int = 200, orders: Orders | None = None, error: str | None = None
) -> Response:
    me = _node(request).id
    with site_of(request).database.read() as session:
        rows = [row for row in assignments(session) if row.target != me]
        names = names_of(session, [row.target for row in rows])
        said = [
            Said(
                node=row.target,
                name=names.get(row.target, row.target),
                mode=Mode(row.mode),
                courses=len(row.courses),
                languages=row.languages,
            )
            for row in rows
        ]
        form = _form(session, me, orders)
    return render(
        request,
        "nodes/assigned.html",
        status_code=status,
        said=sorted(said, key=lambda one: one.name),
        form=form,
        error=error,
        done="done" in request.query_params,
    )


def _node_page(
    request: Request, other: str, *, status: int = 200, orders: Orders | None = None, error: str | None = None
) -> Response:
    with site_of(request).database.read() as session:
        found = trust_in(session, _node(request), other)
        lack = lack_told_by(session, other)
        told = [*lack.needed, *(one["course"] for one in lack.no_room)] if lack else []
        titles = lines_of(session, [UUID(one) for one in told])
        form = _form(session, other, orders)
    return render(
        request,
        "nodes/node_courses.html",
        status_code=status,
        other=found,
        lack=lack,
        titles={str(course): title for course, title in titles.items()},
        form=form,
        error=error,
        done="done" in request.query_params,
    )


def _form(session: Session, target: str, orders: Orders | None) -> dict[str, Any]:
    """Return what the form for a node offers, and what stands in it."""
    row = find_assignment(session, target)
    courses = courses_given(session)
    stands = orders or (orders_in(row) if row else Orders(mode=Mode.ABOVE))
    spoken = {first_part(one) for course in courses for one in course.languages}
    return {
        "decides": decides_here(session),
        "orders": stands,
        "courses": courses,
        "languages": sorted(spoken | stands.languages),
        "groups": group_names(session),
    }


def _orders(
    mode: Mode, courses: list[UUID] | None, languages: list[str] | None, groups: list[UUID] | None
) -> Orders:
    return Orders(
        mode=mode,
        courses=frozenset(courses or ()),
        languages=frozenset(languages or ()),
        groups=frozenset(groups or ()),
    )


def _fault(orders: Orders) -> str | None:
    return _NO_LANGUAGE if orders.mode is Mode.LANGUAGES and not orders.languages else None


def _assign(request: Request, viewer: Viewer, target: str, orders: Orders) -> None:
    site = site_of(request)
    with site.database.write() as session:
        assign(session, target, orders, by=viewer.public_id, now=site.now())


def _no_room(request: Request) -> int:
    node = _node(request)
    with node.read() as session:
        return bytes_without_room(session, node)


def _node(request: Request) -> Node:
    node: Node = request.app.state.sync
    return node
