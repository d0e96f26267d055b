"""Change people and groups. What is done here is recorded for the other nodes (``lms.people.changes``)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.people.changes import record_change
from lms.people.errors import NameMissingError, NumberMissingError, NumberTakenError
from lms.people.names import plain
from lms.people.names import sign_in_name as comparable
from lms.people.policy import PersonRole
from lms.people.sessions import close_sessions_of
from lms.people.tables import Group, Membership, Person
from lms.people.throttle import forget_tries

_MEMBERSHIPS = uuid5(NAMESPACE_URL, "https://outpost.invalid/memberships")


def create_person(
    session: Session,
    *,
    public_id: UUID,
    personnel_number: str,
    name: str,
    roles: Collection[str],
    password_hash: str | None,
    now: datetime,
    password_temporary: bool = False,
    locale: str | None = None,
    grants_travel: bool = False,
) -> Person:
    """Add a person made on this node.

    Roles above officer count on other nodes too only if ``grants_travel``: at the centre.

    Raises:
        NumberMissingError, NameMissingError, NumberTakenError: see there.
    """
    made = Person(
        public_id=public_id,
        password_hash=password_hash,
        password_temporary=password_temporary,
        locale=locale,
        provisional=not grants_travel,
        disabled=False,
        created=now,
    )
    _name(session, made, personnel_number, name, now=now)
    _grant(made, roles, travel=grants_travel)
    session.add(made)
    session.flush()
    record_change(session, "person", public_id)
    return made


def change_person(
    session: Session,
    changed: Person,
    *,
    personnel_number: str,
    name: str,
    roles: Collection[str],
    disabled: bool,
    now: datetime,
    grants_travel: bool = False,
) -> None:
    """Correct a person; whoever is disabled is signed out everywhere on this node.

    Raises:
        NumberMissingError, NameMissingError, NumberTakenError: see there.
    """
    _name(session, changed, personnel_number, name, now=now)
    _grant(changed, roles, travel=grants_travel)
    changed.disabled = disabled
    if disabled:
        close_sessions_of(session, changed.public_id)
    session.flush()
    record_change(session, "person", changed.public_id)


def set_password(
    session: Session,
    changed: Person,
    password_hash: str,
    *,
    temporary: bool,
    now: datetime,
    keep_session: int | None = None,
) -> None:
    """Give a person a new password; every other session of hers ends and wrong tries are forgotten."""
    changed.password_hash = password_hash
    changed.password_temporary = temporary
    changed.changed = now
    close_sessions_of(session, changed.public_id, but=keep_session)
    if changed.sign_in_name:
        forget_tries(session, changed.sign_in_name)
    session.flush()
    record_change(session, "person", changed.public_id)


def choose_language(session: Session, changed: Person, locale: str, *, now: datetime) -> None:
    """Keep the language a person wants to read."""
    changed.locale = locale
    changed.changed = now
    session.flush()
    record_change(session, "person", changed.public_id)


def create_group(session: Session, *, public_id: UUID, name: str, now: datetime) -> Group:
    """Add a group.

    Raises:
        NameMissingError: it has no name.
    """
    if not name.strip():
        raise NameMissingError
    made = Group(
        public_id=public_id, name=name.strip(), sort_key=plain(name), removed=False, created=now, changed=now
    )
    session.add(made)
    session.flush()
    record_change(session, "group", public_id)
    return made


def remove_group(session: Session, group: Group, *, now: datetime) -> None:
    """Take a group off the lists; its people and what they earned stay."""
    group.removed = True
    group.changed = now
    session.flush()
    record_change(session, "group", group.public_id)


def membership_id(group_id: UUID, person_id: UUID) -> UUID:
    """Return the id of a membership, the same on every node."""
    return uuid5(_MEMBERSHIPS, f"{group_id}/{person_id}")


def set_membership(
    session: Session, *, group_id: UUID, person_id: UUID, active: bool, now: datetime
) -> Membership:
    """Put a person into a group or take her out of it."""
    public_id = membership_id(group_id, person_id)
    row = session.get(Membership, public_id)
    if row is None:
        row = Membership(public_id=public_id, group_id=group_id, person_id=person_id)
        session.add(row)
    row.active = active
    row.changed = now
    session.flush()
    record_change(session, "membership", public_id)
    return row


def _name(session: Session, person: Person, personnel_number: str, name: str, *, now: datetime) -> None:
    if not comparable(personnel_number):
        raise NumberMissingError
    if not name.strip():
        raise NameMissingError
    wanted = comparable(personnel_number)
    holder = session.scalar(
        select(Person.public_id).where(Person.sign_in_name == wanted, Person.public_id != person.public_id)
    )
    if holder is not None:
        raise NumberTakenError(number=personnel_number.strip())
    person.personnel_number = personnel_number.strip()
    person.sign_in_name = wanted
    person.display_name = name.strip()
    person.sort_key = plain(name)
    person.search_key = f"{plain(name)} {plain(personnel_number)}"
    person.changed = now


def _grant(person: Person, roles: Collection[str], *, travel: bool) -> None:
    """Keep the roles where they count: an officer is one everywhere, more than that only here or from above."""
    lasting = set(roles) if travel else set(roles) & {PersonRole.OFFICER, *(person.roles or ())}
    person.roles = sorted(lasting)
    person.roles_here = sorted(set(roles) - lasting)
