"""Registrations and sessions of cmi5 and xAPI units, as far as they are being written on this node.

A registration is written by one node alone, or "once in a registration" (cmi5 9.3) could not be kept: two laptops
cannot ask each other. What they hold is said in statements, too, and those travel; these rows do not.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from lms.database import Base


class Registration(Base):
    """One learner in one edition of a course; locked by whoever changes anything below it."""

    __tablename__ = "cmi5_registration"

    id: Mapped[int] = mapped_column(primary_key=True)
    registration: Mapped[UUID] = mapped_column(unique=True)
    enrolment: Mapped[UUID | None] = mapped_column(unique=True)  # the registration of the enrolment behind it
    person: Mapped[UUID | None]
    course: Mapped[UUID]
    edition: Mapped[UUID]
    actor: Mapped[dict[str, Any]] = mapped_column(JSON)
    told: Mapped[list[str]] = mapped_column(
        JSON
    )  # identifiers of blocks, and of the course, that were satisfied
    seconds: Mapped[int] = mapped_column(default=0)  # of the sessions that are over
    # Decisions on those in mid-course (lms.courses.moves), by id: known when the edition was last settled, and
    # those that led here.
    heard: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    followed: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    created: Mapped[datetime]


class UnitRecord(Base):
    """What counts of one unit in one registration; there is none of a unit that has said nothing."""

    __tablename__ = "cmi5_unit"
    __table_args__ = (Index(None, "registration_id", "identifier", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id, ondelete="CASCADE"))
    identifier: Mapped[str]  # of the activity in the manifest
    completed: Mapped[bool] = mapped_column(default=False)
    passed: Mapped[bool] = mapped_column(default=False)
    failed: Mapped[bool] = mapped_column(default=False)
    waived: Mapped[bool] = mapped_column(default=False)
    score: Mapped[float | None]  # the best, 0 to 1


class UnitSession(Base):
    """One session of one unit (cmi5 3.0). Of its tokens only digests are kept."""

    __tablename__ = "cmi5_session"
    __table_args__ = (Index(None, "registration_id", "ended"), Index(None, "ended", "last_seen"))

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(unique=True)  # the session id
    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id, ondelete="CASCADE"))
    standard: Mapped[str]  # cmi5 or xapi
    identifier: Mapped[str]
    activity: Mapped[str]  # the IRI that the unit is told
    publisher_id: Mapped[str]
    launch_mode: Mapped[str]
    mastery_score: Mapped[str | None]  # a decimal, as written
    content_digest: Mapped[bytes] = mapped_column(unique=True)  # of the token for its files
    fetch_digest: Mapped[bytes | None] = mapped_column(unique=True)  # of the token for the fetch URL
    secret_digest: Mapped[bytes | None]  # of what opens the record store; none before it was fetched
    state: Mapped[str]
    said: Mapped[list[str]] = mapped_column(JSON)  # verbs of the cmi5 category
    preferences_read: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime]
    last_seen: Mapped[datetime]
    latest: Mapped[datetime]  # the latest timestamp in it
    clock_went_back: Mapped[bool] = mapped_column(default=False)  # a timestamp was earlier than one before it
    ended: Mapped[datetime | None]
