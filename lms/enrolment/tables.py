"""Enrolments: a person takes a course, and all records of doing so carry one registration."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from lms.database import Base


class Enrolment(Base):
    """One person in one course, by public ids.

    There is no unique constraint over person and course: two nodes that never met may both have enrolled
    the same person. Both stay, and the one made first speaks for the two.
    """

    __tablename__ = "enrolment"
    __table_args__ = (Index(None, "person", "course"), Index(None, "course", "withdrawn", "person"))

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(unique=True)
    person: Mapped[UUID]
    course: Mapped[UUID]
    registration: Mapped[UUID] = mapped_column(unique=True)
    due: Mapped[date | None]
    made: Mapped[datetime]
    made_by: Mapped[UUID | None]  # public id of a person; nobody for the command line
    withdrawn: Mapped[datetime | None]
    changed: Mapped[datetime] = mapped_column(default=lambda row: row.get_current_parameters()["made"])
    provisional: Mapped[bool] = mapped_column(default=True)  # of this node, until the centre takes it
