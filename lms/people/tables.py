"""Rows of people, groups, memberships, sign-in sessions and counted wrong tries.

People and groups may be made on any node before it met another, so rows point to each other by public
id without foreign keys: entries arrive from elsewhere in any order.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.database import Base


class Person(Base):
    """Someone who learns, teaches or looks after a node.

    ``sign_in_name`` is the personnel number made comparable, and belongs to one person of this node only: two
    laptops that never met may both hold a person with the same number, and neither may be lost.
    ``roles`` travel with the person's entry; ``roles_here`` were given on this node and count nowhere else,
    so that a lost laptop cannot make an administrator of the centre.
    """

    __tablename__ = "person"
    __table_args__ = (Index(None, "sort_key", "public_id"),)

    public_id: Mapped[UUID] = mapped_column(primary_key=True)
    personnel_number: Mapped[str]
    sign_in_name: Mapped[str | None] = mapped_column(unique=True)
    display_name: Mapped[str]
    sort_key: Mapped[str]
    search_key: Mapped[str]
    locale: Mapped[str | None]
    password_hash: Mapped[str | None]  # None: cannot sign in yet
    password_temporary: Mapped[bool] = mapped_column(default=False)
    roles: Mapped[list[str]] = mapped_column(JSON)
    roles_here: Mapped[list[str]] = mapped_column(JSON, default=list)
    provisional: Mapped[bool] = mapped_column(default=False)  # made below the centre and not adopted yet
    disabled: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime]
    changed: Mapped[datetime]

    @property
    def all_roles(self) -> frozenset[str]:
        """Every role that counts on this node."""
        return frozenset(self.roles) | frozenset(self.roles_here)


class Group(Base):
    """People who are enrolled and looked at together."""

    __tablename__ = "grp"

    public_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    sort_key: Mapped[str] = mapped_column(index=True)
    removed: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime]
    changed: Mapped[datetime]


class Membership(Base):
    """That a person is in a group. Its id follows from the two, so all nodes mean the same row."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("group_id", "person_id"),)

    public_id: Mapped[UUID] = mapped_column(primary_key=True)
    group_id: Mapped[UUID]
    person_id: Mapped[UUID] = mapped_column(index=True)
    active: Mapped[bool] = mapped_column(default=True)
    changed: Mapped[datetime]


class LoginSession(Base):
    """A signed-in browser; the cookie's value is kept only as its digest."""

    __tablename__ = "login_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(unique=True)
    person_id: Mapped[UUID] = mapped_column(index=True)
    created: Mapped[datetime]
    last_seen: Mapped[datetime]
    expires: Mapped[datetime] = mapped_column(index=True)


class Presence(Base):
    """That somebody signs in on this node, in the order in which those above are told; once for each person.

    ``admitted_by`` is who was told; another one is told again. ``answered`` is when all that was known of her elsewhere
    had come here.
    """

    __tablename__ = "presence"
    __table_args__ = ({"sqlite_autoincrement": True},)

    position: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[UUID] = mapped_column(unique=True)
    since: Mapped[datetime]
    admitted_by: Mapped[str | None]
    answered: Mapped[datetime | None]
    transaction: Mapped[int | None] = mapped_column(
        "transaction_id", BigInteger
    )  # see ``xapi_store.tables.settled_to``


class LoginThrottle(Base):
    """How often a wrong password was tried for a name, whether or not somebody has that name."""

    __tablename__ = "login_throttle"

    name_digest: Mapped[bytes] = mapped_column(primary_key=True)
    tries: Mapped[int]
    last_try: Mapped[datetime] = mapped_column(index=True)


class PasswordCost(Base):
    """What one password hashing costs on this machine; measured once, when the node is set up."""

    __tablename__ = "password_cost"

    id: Mapped[int] = mapped_column(primary_key=True)
    memory_kib: Mapped[int]
    time: Mapped[int]


class DirectoryChange(Base):
    """A change made on this node to something the directory holds, in the order it was made."""

    __tablename__ = "directory_change"
    __table_args__ = ({"sqlite_autoincrement": True},)

    position: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    public_id: Mapped[UUID]
    transaction: Mapped[int | None] = mapped_column(
        "transaction_id", BigInteger
    )  # see ``xapi_store.tables.settled_to``
