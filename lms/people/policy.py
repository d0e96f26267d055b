"""Who may do what: one table, deny by default.

A right is granted by a role. Over people there is one more rule: one may only look after someone all of
whose roles one could give, so nobody resets the password of a person above herself.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from lms.web.viewer import Viewer
from lms.web.wording import mark


class PersonRole(StrEnum):
    """What a person is to this school; a person may be several."""

    OFFICER = "officer"
    INSTRUCTOR = "instructor"
    HUB_ADMIN = "hub_admin"
    CENTRAL_ADMIN = "central_admin"


class Right(StrEnum):
    """One thing that pages and interfaces ask about."""

    TAKE_COURSES = "courses.take"
    MANAGE_COURSES = "courses.manage"
    ALLOW_CONTENT = "courses.allow"
    MANAGE_ENROLMENT = "enrolment.manage"
    SEE_PROGRESS = "progress.see"
    SEE_PEOPLE = "people.see"
    MANAGE_PEOPLE = "people.manage"
    MANAGE_GROUPS = "groups.manage"
    SEE_SYNC = "sync.see"
    MANAGE_NODES = "nodes.manage"
    MANAGE_KEYS = "keys.manage"
    SEE_RECORDS = "records.see"
    ERASE_PEOPLE = "people.erase"


ROLE_NAMES: dict[PersonRole, str] = {
    PersonRole.OFFICER: mark("Officer"),
    PersonRole.INSTRUCTOR: mark("Instructor"),
    PersonRole.HUB_ADMIN: mark("Hub administrator"),
    PersonRole.CENTRAL_ADMIN: mark("Central administrator"),
}

_OFFICER = frozenset({Right.TAKE_COURSES, Right.SEE_SYNC})
_INSTRUCTOR = _OFFICER | {
    Right.MANAGE_COURSES,
    Right.MANAGE_ENROLMENT,
    Right.SEE_PROGRESS,
    Right.SEE_PEOPLE,
    Right.MANAGE_PEOPLE,
    Right.MANAGE_GROUPS,
}
_ADMIN = _INSTRUCTOR | {
    Right.ALLOW_CONTENT,
    Right.MANAGE_NODES,
    Right.MANAGE_KEYS,
    Right.SEE_RECORDS,
}

RIGHTS: dict[PersonRole, frozenset[Right]] = {
    PersonRole.OFFICER: _OFFICER,
    PersonRole.INSTRUCTOR: _INSTRUCTOR,
    PersonRole.HUB_ADMIN: _ADMIN,
    PersonRole.CENTRAL_ADMIN: _ADMIN | {Right.ERASE_PEOPLE},
}
GRANTS: dict[PersonRole, frozenset[PersonRole]] = {
    PersonRole.OFFICER: frozenset(),
    PersonRole.INSTRUCTOR: frozenset({PersonRole.OFFICER}),
    PersonRole.HUB_ADMIN: frozenset({PersonRole.OFFICER, PersonRole.INSTRUCTOR, PersonRole.HUB_ADMIN}),
    PersonRole.CENTRAL_ADMIN: frozenset(PersonRole),
}


def rights_of(roles: Iterable[str]) -> frozenset[str]:
    """Return what these roles grant together; a role this version does not know grants nothing."""
    return frozenset().union(*(RIGHTS[role] for role in PersonRole if role in roles))


def grantable(viewer: Viewer) -> frozenset[str]:
    """Return the roles this person may give and take away."""
    return frozenset().union(*(GRANTS[PersonRole(role)] for role in viewer.roles if role in set(PersonRole)))


def may_look_after(viewer: Viewer, roles: Iterable[str]) -> bool:
    """Return whether the viewer may change a person who has these roles."""
    return viewer.may(Right.MANAGE_PEOPLE) and frozenset(roles) <= grantable(viewer)
