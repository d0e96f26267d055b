"""Look at people and groups; no call costs more queries for more rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from lms.people.errors import GroupNotFoundError, NumbersUnknownError, PersonNotFoundError
from lms.people.names import plain
from lms.people.names import sign_in_name as comparable
from lms.people.tables import Group, Membership, Person
from lms.web.paging import ROWS, Page, first_row


def has_people(session: Session) -> bool:
    """Return whether anybody is known on this node."""
    return session.scalar(select(Person.public_id).limit(1)) is not None


def person(session: Session, public_id: UUID) -> Person:
    """Return one person.

    Raises:
        PersonNotFoundError: she is not known here.
    """
    found = session.get(Person, public_id)
    if found is None:
        raise PersonNotFoundError
    return found


def find_person(session: Session, public_id: UUID) -> Person | None:
    """Return one person, if she is known here."""
    return session.get(Person, public_id)


def names_of(session: Session, people: Collection[UUID]) -> dict[UUID, str]:
    """Return what those of some people who are known here are called; for lists of no more than a page."""
    query = select(Person.public_id, Person.display_name).where(Person.public_id.in_(people))
    return {row.public_id: row.display_name for row in session.execute(query)}


def hold_person(session: Session, public_id: UUID) -> None:
    """Let nobody else write to what is kept of this person until the transaction ends.

    SQLite has one writer at a time anyway; PostgreSQL has many.
    """
    session.connection().execute(_HOLD, {"public_id": public_id})


_HOLD = select(Person.public_id).where(Person.public_id == bindparam("public_id")).with_for_update()


def person_signing_in(session: Session, personnel_number: str) -> Person | None:
    """Return who signs in with this number on this node."""
    return session.scalar(select(Person).where(Person.sign_in_name == comparable(personnel_number)))


def people_page(session: Session, *, search: str = "", number: int = 1) -> Page[Person]:
    """Return one page of the people whose name or number contains *search*, by name."""
    query = select(Person)
    if search:
        query = query.where(Person.search_key.contains(plain(search), autoescape=True))
    return _page(session, query, number)


def members_page(session: Session, group_id: UUID, *, number: int = 1) -> Page[Person]:
    """Return one page of the people of a group, by name."""
    query = select(Person).join(Membership, Membership.person_id == Person.public_id)
    return _page(session, query.where(Membership.group_id == group_id, Membership.active), number)


def people_with_numbers(session: Session, numbers: Iterable[str]) -> Sequence[UUID]:
    """Return who has these personnel numbers; empty ones are passed over.

    Raises:
        NumbersUnknownError: nobody has one of them.
    """
    wanted = {comparable(number): number.strip() for number in numbers if number.strip()}
    query = select(Person.sign_in_name, Person.public_id).where(Person.sign_in_name.in_(list(wanted)))
    found = {row[0]: row[1] for row in session.execute(query)}
    unknown = [number for name, number in wanted.items() if name not in found]
    if unknown:
        raise NumbersUnknownError(numbers=", ".join(unknown))
    return [found[name] for name in wanted]


def group(session: Session, public_id: UUID) -> Group:
    """Return one group.

    Raises:
        GroupNotFoundError: it is not known here, or was removed.
    """
    found = session.get(Group, public_id)
    if found is None or found.removed:
        raise GroupNotFoundError
    return found


def groups_with_counts(session: Session) -> Sequence[tuple[Group, int]]:
    """Return all groups by name, each with how many people are in it."""
    members = func.count(Membership.public_id)
    query = (
        select(Group, members)
        .outerjoin(Membership, (Membership.group_id == Group.public_id) & Membership.active)
        .where(~Group.removed)
        .group_by(Group.public_id)
        .order_by(Group.sort_key)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def group_names(session: Session) -> Sequence[tuple[UUID, str]]:
    """Return the public id and the name of every group, by name."""
    return [(row.public_id, row.name) for row in session.connection().execute(_NAMES)]


_NAMES = select(Group.public_id, Group.name).where(~Group.removed).order_by(Group.sort_key)


def groups_of(session: Session, person_id: UUID) -> Sequence[Group]:
    """Return the groups a person is in, by name."""
    query = (
        select(Group)
        .join(Membership, Membership.group_id == Group.public_id)
        .where(Membership.person_id == person_id, Membership.active, ~Group.removed)
    )
    return session.scalars(query.order_by(Group.sort_key)).all()


def members(session: Session, group_id: UUID) -> Sequence[Person]:
    """Return all people of a group, by name."""
    query = (
        select(Person)
        .join(Membership, Membership.person_id == Person.public_id)
        .where(Membership.group_id == group_id, Membership.active)
    )
    return session.scalars(query.order_by(Person.sort_key, Person.public_id)).all()


def _page(session: Session, query: Select[Person], number: int) -> Page[Person]:
    total = session.connection().scalar(query.with_only_columns(func.count(Person.public_id))) or 0
    ordered = query.order_by(Person.sort_key, Person.public_id)
    rows = session.scalars(ordered.offset(first_row(number)).limit(ROWS)).all()
    return Page(rows=rows, number=max(number, 1), total=total)
