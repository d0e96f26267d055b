"""The two tables that only the database of a trial has: what is tried and by whom, and the log kept on the server.

They stand apart from the tables of the node, whose migrations know nothing of it: a trial lives shorter than a release.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import JSON, MetaData
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


class LogLine(TrialBase):
    """One line of the log, as facts: it is put into words for whoever reads it (``lms.trials.log``)."""

    __tablename__ = "trial_log"

    position: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    unit: Mapped[str]  # its title
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
