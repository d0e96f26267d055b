"""Rows of assignments of courses to nodes, and of what nodes tell that they lack."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from lms.database import Base


class Assignment(Base):
    """Which courses come to a node, and to those that it admitted and that have none of their own."""

    __tablename__ = "course_assignment"

    target: Mapped[str] = mapped_column(primary_key=True)  # a node's id; whoever decides stands for all nodes
    public_id: Mapped[UUID] = mapped_column(unique=True)  # follows from the target
    mode: Mapped[str]  # one of lms.carrying.rules.Mode
    courses: Mapped[list[str]] = mapped_column(JSON, default=list)  # public ids
    languages: Mapped[list[str]] = mapped_column(JSON, default=list)
    groups: Mapped[list[str]] = mapped_column(JSON, default=list)  # public ids of those that learn there
    made_by: Mapped[UUID | None]  # public id of a person; nobody for the command line
    changed: Mapped[datetime]


class Lack(Base):
    """What a node lacks of courses, as it last told; of this node, as it is told next.

    ``position`` is of this node's own row, for the feed: it rises with every change.
    """

    __tablename__ = "course_lack"

    node: Mapped[str] = mapped_column(primary_key=True)
    needed: Mapped[list[str]] = mapped_column(
        JSON
    )  # courses that people take or asked for, and that are not there
    no_room: Mapped[list[dict[str, Any]]] = mapped_column(
        JSON
    )  # those for which there is no room: course, bytes
    room: Mapped[int] = mapped_column(BigInteger)  # bytes that it may take of files
    told: Mapped[datetime]  # by its own clock
    position: Mapped[int] = mapped_column(BigInteger, default=0)
