"""Pages to look after people and groups."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from lms.people.actions import create_group, remove_group, set_membership
from lms.people.administration import add_person, correct_person, give_first_password, person_to_look_after
from lms.people.passwords import first_password, passwords_of
from lms.people.policy import ROLE_NAMES, PersonRole, Right, grantable, may_look_after
from lms.people.queries import (
    group,
    groups_of,
    groups_with_counts,
    members_page,
    people_page,
    people_with_numbers,
    person,
)
from lms.people.viewer import requires
from lms.web.locale import language_of
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer
from lms.web.wording import FieldError

router = page_router()

Text = Annotated[str, Form()]
Roles = Annotated[list[str], Form(default_factory=list)]
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
Looker = Annotated[Viewer, Depends(requires(Right.SEE_PEOPLE))]
Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_PEOPLE))]
GroupManager = Annotated[Viewer, Depends(requires(Right.MANAGE_GROUPS))]

_BETWEEN_NUMBERS = re.compile(r"[\s,;]+")


# ---------------------------------------------------------------- people


@router.get("/people")
def show_people(request: Request, _: Looker, search: str = "", page: PageNumber = 1) -> Response:
    """List the people of this node."""
    with site_of(request).database.read() as session:
        found = people_page(session, search=search, number=page)
    return render(request, "people/list.html", page=found, search=search, role_names=ROLE_NAMES)


@router.get("/people/new")
def show_new_person(request: Request, viewer: Manager) -> Response:
    """Offer to add a person."""
    return _person_form(request, viewer, "people/new.html", {"roles": [PersonRole.OFFICER]})


@router.post("/people/new")
def post_new_person(
    request: Request, viewer: Manager, *, personnel_number: Text = "", name: Text = "", roles: Roles
) -> Response:
    """Add a person and show her first password, this once."""
    site, password = site_of(request), first_password()
    try:
        kept = passwords_of(request).hash(password)
        with site.database.write() as session:
            made = add_person(
                session,
                viewer,
                public_id=uuid4(),
                personnel_number=personnel_number,
                name=name,
                roles=roles,
                password_hash=kept,
                now=site.now(),
                grants_travel=site.grants_travel,
            )
    except FieldError as error:
        typed = {"personnel_number": personnel_number, "name": name, "roles": roles}
        return _person_form(request, viewer, "people/new.html", typed, error)
    # Not a redirect: the password exists in this answer only, and reloading it is refused (number taken).
    return render(request, "people/first_password.html", person=made, password=password, added=True)


@router.get("/people/{person_id}")
def show_person(request: Request, viewer: Looker, person_id: UUID, saved: bool = False) -> Response:
    """Show a person, and what the viewer may change about her."""
    with site_of(request).database.read() as session:
        found = person(session, person_id)
    typed = {
        "personnel_number": found.personnel_number,
        "name": found.display_name,
        "roles": found.all_roles,
        "disabled": found.disabled,
    }
    return _person_page(request, viewer, person_id, typed, saved=saved)


@router.post("/people/{person_id}")
def post_person(
    request: Request,
    viewer: Manager,
    person_id: UUID,
    *,
    personnel_number: Text = "",
    name: Text = "",
    roles: Roles,
    disabled: Annotated[bool, Form()] = False,
) -> Response:
    """Correct a person."""
    site = site_of(request)
    try:
        with site.database.write() as session:
            correct_person(
                session,
                viewer,
                person_id,
                personnel_number=personnel_number,
                name=name,
                roles=roles,
                disabled=disabled,
                now=site.now(),
                grants_travel=site.grants_travel,
            )
    except FieldError as error:
        typed = {"personnel_number": personnel_number, "name": name, "roles": roles, "disabled": disabled}
        return _person_page(request, viewer, person_id, typed, error)
    return RedirectResponse(f"/people/{person_id}?saved=true", status_code=303)


@router.post("/people/{person_id}/password")
def post_first_password(request: Request, viewer: Manager, person_id: UUID) -> Response:
    """Replace a forgotten password and show the new one, this once."""
    site, password = site_of(request), first_password()
    with site.database.read() as session:  # no quarter of a second of work for who may not
        person_to_look_after(session, viewer, person_id)
    kept = passwords_of(request).hash(password)
    with site.database.write() as session:
        changed = give_first_password(session, viewer, person_id, kept, now=site.now())
    return render(request, "people/first_password.html", person=changed, password=password, added=False)


def _person_page(
    request: Request,
    viewer: Viewer,
    person_id: UUID,
    typed: Mapping[str, Any],
    error: FieldError | None = None,
    *,
    saved: bool = False,
) -> Response:
    with site_of(request).database.read() as session:
        found = person(session, person_id)
        groups = groups_of(session, person_id)
    return _person_form(
        request,
        viewer,
        "people/person.html",
        typed,
        error,
        person=found,
        groups=groups,
        may_change=may_look_after(viewer, found.all_roles),
        saved=saved,
    )


def _person_form(
    request: Request,
    viewer: Viewer,
    template: str,
    typed: Mapping[str, Any],
    error: FieldError | None = None,
    **values: Any,
) -> Response:
    may_give = grantable(viewer)
    return render(
        request,
        template,
        status_code=422 if error else 200,
        typed=typed,
        errors=_errors(request, error),
        offered={role: name for role, name in ROLE_NAMES.items() if role in may_give},
        role_names=ROLE_NAMES,
        **values,
    )


# ---------------------------------------------------------------- groups


@router.get("/groups")
def show_groups(request: Request, _: Looker) -> Response:
    """List the groups of this node."""
    return _groups_page(request)


@router.post("/groups")
def post_group(request: Request, _: GroupManager, name: Text = "") -> Response:
    """Add a group."""
    site = site_of(request)
    try:
        with site.database.write() as session:
            made = create_group(session, public_id=uuid4(), name=name, now=site.now())
    except FieldError as error:
        return _groups_page(request, error)
    return RedirectResponse(f"/groups/{made.public_id}", status_code=303)


@router.get("/groups/{group_id}")
def show_group(request: Request, _: Looker, group_id: UUID, page: PageNumber = 1) -> Response:
    """Show who is in a group."""
    return _group_page(request, group_id, number=page)


@router.post("/groups/{group_id}/members")
def post_members(request: Request, _: GroupManager, group_id: UUID, numbers: Text = "") -> Response:
    """Put the people with these personnel numbers into the group."""
    site = site_of(request)
    try:
        with site.database.write() as session:
            found = group(session, group_id)
            for person_id in people_with_numbers(session, _BETWEEN_NUMBERS.split(numbers)):
                set_membership(
                    session, group_id=found.public_id, person_id=person_id, active=True, now=site.now()
                )
    except FieldError as error:
        return _group_page(request, group_id, error=error, numbers=numbers)
    return RedirectResponse(f"/groups/{group_id}", status_code=303)


@router.post("/groups/{group_id}/members/{person_id}/remove")
def post_member_removal(request: Request, _: GroupManager, group_id: UUID, person_id: UUID) -> Response:
    """Take a person out of the group."""
    site = site_of(request)
    with site.database.write() as session:
        found, member = group(session, group_id), person(session, person_id)
        set_membership(
            session, group_id=found.public_id, person_id=member.public_id, active=False, now=site.now()
        )
    return RedirectResponse(f"/groups/{group_id}", status_code=303)


@router.post("/groups/{group_id}/remove")
def post_group_removal(request: Request, _: GroupManager, group_id: UUID) -> Response:
    """Take a group off the lists."""
    site = site_of(request)
    with site.database.write() as session:
        remove_group(session, group(session, group_id), now=site.now())
    return RedirectResponse("/groups", status_code=303)


def _groups_page(request: Request, error: FieldError | None = None) -> Response:
    with site_of(request).database.read() as session:
        found = groups_with_counts(session)
    status = 422 if error else 200
    return render(
        request, "people/groups.html", status_code=status, groups=found, errors=_errors(request, error)
    )


def _group_page(
    request: Request, group_id: UUID, *, number: int = 1, error: FieldError | None = None, numbers: str = ""
) -> Response:
    with site_of(request).database.read() as session:
        found = group(session, group_id)
        page = members_page(session, group_id, number=number)
    return render(
        request,
        "people/group.html",
        status_code=422 if error else 200,
        group=found,
        page=page,
        numbers=numbers,
        errors=_errors(request, error),
    )


def _errors(request: Request, error: FieldError | None) -> dict[str, str]:
    return {error.field: error.said(language_of(request))} if error else {}
