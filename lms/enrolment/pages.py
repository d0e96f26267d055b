"""What the forms on the page of a course's people do: enrol, withdraw."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends, Form
from pydantic import BeforeValidator
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from lms.courses.actions import CourseNotFoundError
from lms.courses.queries import find_course
from lms.enrolment.actions import enrol, people_to_enrol, withdraw
from lms.people.policy import Right
from lms.people.viewer import requires
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer

router = page_router("/courses/{course}/people")
Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_ENROLMENT))]
LeftEmpty = BeforeValidator(lambda value: value or None)  # browsers send fields that were not filled in

_BETWEEN_NUMBERS = re.compile(r"[\s,;]+")


@router.post("")
def post_enrolments(
    request: Request,
    viewer: Manager,
    course: UUID,
    *,
    numbers: Annotated[str, Form()] = "",
    group: Annotated[UUID | None, LeftEmpty, Form()] = None,
    due: Annotated[date | None, LeftEmpty, Form()] = None,
) -> Response:
    """Enrol the people with these personnel numbers and those of a group."""
    site = site_of(request)
    with site.database.write() as session:
        if find_course(session, course) is None:
            raise CourseNotFoundError(course)
        people = people_to_enrol(session, numbers=_BETWEEN_NUMBERS.split(numbers), group=group)
        enrol(
            session,
            course,
            people,
            by=viewer.public_id,
            now=site.now(),
            new_id=uuid4,
            due=due,
            provisional=not site.grants_travel,
        )
    return RedirectResponse(f"/courses/{course}/people", status_code=303)


@router.post("/{person}/withdraw")
def post_withdrawal(request: Request, _: Manager, course: UUID, person: UUID) -> Response:
    """Take a person out of the course."""
    site = site_of(request)
    with site.database.write() as session:
        withdraw(session, course, person, now=site.now())
    return RedirectResponse(f"/courses/{course}/people", status_code=303)
