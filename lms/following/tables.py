"""Who is to be told of whom, and what is to be told next."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import BigInteger, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from lms.database import Base


class Follow(Base):
    """That a node below is told of a person, because she signs in there, or on a node that it admitted.

    ``child`` is the node next below. ``open_then`` is the newest transaction that was open once everybody could see
    this row: what was stored by those that have not seen it is told after they have ended, with ``told``. ``heard``
    says that those above have told all, so that this node may say the same, which is ``answered``.
    """

    __tablename__ = "follow"
    __table_args__ = (UniqueConstraint("person", "child"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[UUID]
    child: Mapped[str]
    open_then: Mapped[int | None] = mapped_column(BigInteger)
    told: Mapped[bool] = mapped_column(default=False, server_default=false(), index=True)
    heard: Mapped[bool] = mapped_column(default=False, server_default=false())
    answered: Mapped[bool] = mapped_column(default=False, server_default=false(), index=True)


class Tell(Base):
    """One thing that a node below is to be told, in order: a statement or a document by its position, or the answer.

    ``came_from_there`` marks what it is not to be told, while what was here before is still to be looked through.
    """

    __tablename__ = "following_tell"
    __table_args__ = ({"sqlite_autoincrement": True},)

    position: Mapped[int] = mapped_column(primary_key=True)
    child: Mapped[str]
    statement: Mapped[int | None] = mapped_column(BigInteger)
    document: Mapped[int | None] = mapped_column(BigInteger)
    came_from_there: Mapped[bool] = mapped_column(default=False, server_default=false())
    answer: Mapped[UUID | None]  # of whom all that is known here has been told
    transaction: Mapped[int | None] = mapped_column(BigInteger)  # see ``xapi_store.tables.settled_to``


class FollowingCursor(Base):
    """How far statements and documents that were made here have been looked through; one row."""

    __tablename__ = "following_cursor"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    statements: Mapped[int] = mapped_column(BigInteger)
    documents: Mapped[int] = mapped_column(BigInteger)
