"""The one table that only the database of a trial has: what is tried, and by whom.

It stands apart from the tables of the node, whose migrations know nothing of it: a trial lives shorter than a release.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from lms.database import NAMING, PublicId, UtcDateTime


class TrialBase(DeclarativeBase):
    """What a trial's database has beside the tables of the node."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar = {datetime: UtcDateTime, UUID: PublicId}


class Trial(TrialBase):
    """The trial a database is of; its only row."""

    __tablename__ = "trial"

    public_id: Mapped[UUID] = mapped_column(
        primary_key=True
    )  # of its edition too, and in the name of its file
    opened: Mapped[datetime]
    opened_by: Mapped[UUID]
    title: Mapped[str]  # of the edition
    course: Mapped[UUID]
    edition: Mapped[UUID]  # as the node knows it
    number: Mapped[int]  # of the edition
    person: Mapped[UUID]  # made up: nobody has this id
    registration: Mapped[UUID]
