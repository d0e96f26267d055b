"""Look after people: what one person may do to another's entry (``lms.people.policy``).

Everything here asks the policy again inside the writing transaction: between the page and the form somebody
may have been promoted.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from lms.people.actions import change_person, create_person, set_password
from lms.people.errors import OwnAccessError, PersonAboveError, RoleNotGrantableError
from lms.people.policy import grantable, may_look_after
from lms.people.queries import person
from lms.people.tables import Person
from lms.web.viewer import Viewer


def person_to_look_after(session: Session, viewer: Viewer, person_id: UUID) -> Person:
    """Return a person whom *viewer* may change.

    Raises:
        PersonNotFoundError: she is not known here.
        PersonAboveError: she has a role that *viewer* could not give.
    """
    found = person(session, person_id)
    if not may_look_after(viewer, found.all_roles):
        raise PersonAboveError
    return found


def add_person(
    session: Session,
    viewer: Viewer,
    *,
    public_id: UUID,
    personnel_number: str,
    name: str,
    roles: Collection[str],
    password_hash: str,
    now: datetime,
    grants_travel: bool,
) -> Person:
    """Add a person with a first password, which she must replace by her own.

    Raises:
        RoleNotGrantableError: *viewer* may not give one of the roles.
        NumberMissingError, NameMissingError, NumberTakenError: see there.
    """
    _check_grantable(viewer, roles)
    return create_person(
        session,
        public_id=public_id,
        personnel_number=personnel_number,
        name=name,
        roles=roles,
        password_hash=password_hash,
        password_temporary=True,
        now=now,
        grants_travel=grants_travel,
    )


def correct_person(
    session: Session,
    viewer: Viewer,
    person_id: UUID,
    *,
    personnel_number: str,
    name: str,
    roles: Collection[str],
    disabled: bool,
    now: datetime,
    grants_travel: bool,
) -> None:
    """Change a person's number, name, roles and whether she may sign in.

    Raises:
        PersonNotFoundError, PersonAboveError: see :func:`person_to_look_after`.
        RoleNotGrantableError: *viewer* may not give one of the roles.
        OwnAccessError: it is her own entry, and she would lose a role or be shut out.
        NumberMissingError, NameMissingError, NumberTakenError: see there.
    """
    changed = person_to_look_after(session, viewer, person_id)
    _check_grantable(viewer, roles)
    if changed.public_id == viewer.public_id and (disabled or not changed.all_roles <= set(roles)):
        raise OwnAccessError
    change_person(
        session,
        changed,
        personnel_number=personnel_number,
        name=name,
        roles=roles,
        disabled=disabled,
        now=now,
        grants_travel=grants_travel,
    )


def give_first_password(
    session: Session, viewer: Viewer, person_id: UUID, password_hash: str, *, now: datetime
) -> Person:
    """Replace a forgotten password by one to hand over; the person is signed out everywhere.

    Raises:
        PersonNotFoundError, PersonAboveError: see :func:`person_to_look_after`.
    """
    changed = person_to_look_after(session, viewer, person_id)
    set_password(session, changed, password_hash, temporary=True, now=now)
    return changed


def _check_grantable(viewer: Viewer, roles: Collection[str]) -> None:
    if not set(roles) <= grantable(viewer):
        raise RoleNotGrantableError
