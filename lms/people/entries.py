"""People, groups and memberships as they travel between nodes. Names travel here and nowhere else.

What arrives is written and not recorded as a change: it is not ours to send. Roles given on a node stay on
that node (``roles_here``), so a lost laptop cannot make an administrator of the centre.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.people.actions import membership_id
from lms.people.errors import EntryRefusedError
from lms.people.names import plain, sign_in_name
from lms.people.policy import PersonRole
from lms.people.sessions import close_sessions_of
from lms.people.tables import Group, Membership, Person

_OFFICER = frozenset({PersonRole.OFFICER.value})


def describe_person(session: Session, public_id: UUID) -> dict[str, Any] | None:
    """Return a person as she travels; ``None`` if she is not known here."""
    row = session.get(Person, public_id)
    if row is None:
        return None
    return {
        "personnel_number": row.personnel_number,
        "name": row.display_name,
        "locale": row.locale,
        "password_hash": row.password_hash,
        "password_temporary": row.password_temporary,
        "roles": sorted(row.roles),
        "provisional": row.provisional,
        "disabled": row.disabled,
        "created": row.created.isoformat(),
        "changed": row.changed.isoformat(),
    }


def apply_person(
    session: Session, public_id: UUID, described: Mapping[str, Any], *, grants_roles: bool
) -> None:
    """Take over a person from another node.

    Whose number somebody else of this node has cannot sign in here, and is not lost. Unless the other node
    ``grants_roles``, she becomes an officer at most.

    Raises:
        EntryRefusedError: it grants no roles, and she is more than an officer here.
    """
    row = session.get(Person, public_id)
    if row is not None and not grants_roles and not row.all_roles <= _OFFICER:
        raise EntryRefusedError
    if row is None:
        row = Person(public_id=public_id, created=datetime.fromisoformat(described["created"]))
        row.password_hash, row.disabled, row.roles_here = None, False, []
    number, name = str(described["personnel_number"]), str(described["name"])
    roles = frozenset(map(str, described["roles"]))
    signs_out = bool(described["disabled"]) or described["password_hash"] != row.password_hash
    row.personnel_number = number
    row.sign_in_name = _free(session, sign_in_name(number), public_id)
    row.display_name = name
    row.sort_key = plain(name)
    row.search_key = f"{plain(name)} {plain(number)}"
    row.locale = described["locale"]
    row.password_hash = described["password_hash"]
    row.password_temporary = bool(described["password_temporary"])
    row.roles = sorted(roles if grants_roles else roles & _OFFICER)
    row.provisional = bool(described["provisional"])
    row.disabled = bool(described["disabled"])
    row.changed = datetime.fromisoformat(described["changed"])
    session.add(row)
    if signs_out:
        close_sessions_of(session, public_id)
    session.flush()


def describe_group(session: Session, public_id: UUID) -> dict[str, Any] | None:
    """Return a group as it travels; ``None`` if it is not known here."""
    row = session.get(Group, public_id)
    if row is None:
        return None
    return {
        "name": row.name,
        "removed": row.removed,
        "created": row.created.isoformat(),
        "changed": row.changed.isoformat(),
    }


def apply_group(session: Session, public_id: UUID, described: Mapping[str, Any]) -> None:
    """Take over a group from another node."""
    row = session.get(Group, public_id)
    if row is None:
        row = Group(public_id=public_id, created=datetime.fromisoformat(described["created"]))
    row.name = str(described["name"])
    row.sort_key = plain(row.name)
    row.removed = bool(described["removed"])
    row.changed = datetime.fromisoformat(described["changed"])
    session.add(row)
    session.flush()


def describe_membership(session: Session, public_id: UUID) -> dict[str, Any] | None:
    """Return a membership as it travels; ``None`` if it is not known here."""
    row = session.get(Membership, public_id)
    if row is None:
        return None
    return {
        "group": str(row.group_id),
        "person": str(row.person_id),
        "active": row.active,
        "changed": row.changed.isoformat(),
    }


def apply_membership(session: Session, public_id: UUID, described: Mapping[str, Any]) -> None:
    """Take over a membership from another node; the group and the person may arrive later.

    Raises:
        ValueError: its id is not the one of these two.
    """
    group, person = UUID(described["group"]), UUID(described["person"])
    if membership_id(group, person) != public_id:
        raise ValueError("the id of a membership follows from its group and its person")
    row = session.get(Membership, public_id) or Membership(
        public_id=public_id, group_id=group, person_id=person
    )
    row.active = bool(described["active"])
    row.changed = datetime.fromisoformat(described["changed"])
    session.add(row)
    session.flush()


def _free(session: Session, name: str, public_id: UUID) -> str | None:
    """Return the sign-in name unless somebody else of this node has it."""
    holder = select(Person.public_id).where(Person.sign_in_name == name, Person.public_id != public_id)
    return name if name and session.scalar(holder.limit(1)) is None else None
