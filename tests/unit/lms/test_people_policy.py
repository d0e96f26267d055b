"""Who may do what, role by role; who may look after whom."""

from __future__ import annotations

from uuid import uuid4

import pytest

from lms.people.policy import PersonRole, Right, grantable, may_look_after, rights_of
from lms.web.viewer import Viewer

OFFICER, INSTRUCTOR, HUB, CENTRE = "officer", "instructor", "hub_admin", "central_admin"
TEACHING = {
    "courses.take",
    "sync.see",
    "courses.manage",
    "enrolment.manage",
    "progress.see",
    "people.see",
    "people.manage",
    "groups.manage",
}


def a_viewer(*roles: str) -> Viewer:
    return Viewer(public_id=uuid4(), name="Ada", roles=frozenset(roles), rights=rights_of(roles), locale=None)


@pytest.mark.parametrize(
    ("roles", "rights"),
    [
        ((), set()),
        ((OFFICER,), {"courses.take", "sync.see"}),
        ((INSTRUCTOR,), TEACHING),
        ((OFFICER, INSTRUCTOR), TEACHING),
        ((HUB,), set(Right) - {"people.erase"}),
        ((CENTRE,), set(Right)),
        (("emperor",), set()),
        (("emperor", OFFICER), {"courses.take", "sync.see"}),
    ],
)
def test_roles_grant_exactly_these_rights(roles: tuple[str, ...], rights: set[str]) -> None:
    assert rights_of(roles) == rights


def test_what_no_role_grants_is_denied() -> None:
    assert not a_viewer(CENTRE).may("world.rule")


@pytest.mark.parametrize(
    ("roles", "gives"),
    [
        ((OFFICER,), set()),
        ((INSTRUCTOR,), {OFFICER}),
        ((HUB,), {OFFICER, INSTRUCTOR, HUB}),
        ((CENTRE,), set(PersonRole)),
        (("emperor",), set()),
    ],
)
def test_roles_may_be_given_by_these_only(roles: tuple[str, ...], gives: set[str]) -> None:
    assert grantable(a_viewer(*roles)) == gives


@pytest.mark.parametrize(
    ("viewer", "looks_after"),
    [
        (OFFICER, []),
        (INSTRUCTOR, [OFFICER]),
        (HUB, [OFFICER, INSTRUCTOR, HUB]),
        (CENTRE, [OFFICER, INSTRUCTOR, HUB, CENTRE]),
    ],
)
def test_nobody_looks_after_a_person_above_herself(viewer: str, looks_after: list[str]) -> None:
    everyone = [OFFICER, INSTRUCTOR, HUB, CENTRE, "emperor"]

    assert [role for role in everyone if may_look_after(a_viewer(viewer), [role])] == looks_after


def test_one_role_too_high_among_several_is_enough_to_refuse() -> None:
    assert not may_look_after(a_viewer(INSTRUCTOR), [OFFICER, HUB])
