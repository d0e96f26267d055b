"""Launches: one delivery of one unit to one learner, opened by a token that opens nothing else.

What a course has recorded is not here but in the record store's documents, which travel; a launch is an
affair of this node only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.database import Base


class Launch(Base):
    """One delivery. Of the token only its digest is kept; at most one launch of a registration is open."""

    __tablename__ = "launch"
    __table_args__ = (Index(None, "registration", "ended"), Index(None, "registration", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(unique=True)
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    registration: Mapped[UUID]
    person: Mapped[UUID]
    course: Mapped[UUID]
    edition: Mapped[UUID]
    unit: Mapped[UUID]
    identifier: Mapped[str]  # of the activity in the manifest
    attempt: Mapped[int]  # on this unit, as sequencing counts
    created: Mapped[datetime]
    last_seen: Mapped[datetime]
    ended: Mapped[datetime | None]
    left: Mapped[datetime | None]  # its page has said good-bye
    phase: Mapped[str] = mapped_column(default="launched")  # launched, running, terminated
    sequence: Mapped[int] = mapped_column(default=0)  # of the last commit applied
    body_digest: Mapped[bytes | None]  # of that commit, so that a repetition is recognised
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    session_time_s: Mapped[int] = mapped_column(default=0)  # with pauses
    learning_time_s: Mapped[int] = mapped_column(default=0)  # without
    said: Mapped[list[str]] = mapped_column(JSON, default=list)  # verbs of what the unit has said in it


class LaunchStep(Base):
    """One event that sequencing decided on in one attempt at a course, as it was applied (``steps``)."""

    __tablename__ = "launch_step"
    __table_args__ = (Index(None, "registration", "number", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    registration: Mapped[UUID]
    number: Mapped[int]  # from 1 on, without gaps; the first ones go as the log fills
    at: Mapped[datetime]
    edition: Mapped[UUID]
    attempt: Mapped[int]  # on the course
    event: Mapped[dict[str, Any]] = mapped_column(JSON)
    is_whole: Mapped[bool] = mapped_column(default=True)  # the event was not too large to be kept
    outcome: Mapped[dict[str, Any]] = mapped_column(JSON)
    # The state before it, where it is not the state that the step before left, and now and then besides.
    base: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    before: Mapped[bytes]  # digests of the states
    after: Mapped[bytes]


class LateWork(Base):
    """Work that came too late to be written over what was done since: kept as it came, for its learner."""

    __tablename__ = "launch_late_work"
    __table_args__ = (UniqueConstraint("launch", "body_digest"), Index(None, "person", "course"))

    id: Mapped[int] = mapped_column(primary_key=True)
    launch: Mapped[UUID]  # public id
    person: Mapped[UUID]
    course: Mapped[UUID]
    unit: Mapped[UUID]
    title: Mapped[str]  # of the unit, as the learner knew it
    begun: Mapped[datetime]  # the launch
    arrived: Mapped[datetime]
    body: Mapped[bytes]
    body_digest: Mapped[bytes]
