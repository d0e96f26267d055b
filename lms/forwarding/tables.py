"""Where statements are forwarded to, how far each target is, and what a target refused."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.database import Base


class TargetState(StrEnum):
    """Whether a target is served; what it waits for is said by ``retry_at``."""

    RUNNING = "running"
    PAUSED = "paused"


class Target(Base):
    """Another record store, which statements it is given, and how far it is.

    Everything up to ``cursor`` is settled: taken by the target, refused by it (a dead letter), or not wanted.
    What follows up to ``in_flight`` may have reached it although no answer did: it is asked before that is sent.
    """

    __tablename__ = "forward_target"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    endpoint: Mapped[str]
    key: Mapped[str]
    secret: Mapped[bytes]  # sealed, see ``sealing``
    version: Mapped[str]
    created: Mapped[datetime]

    verbs: Mapped[list[str]] = mapped_column(JSON)
    activity: Mapped[str | None]
    agent: Mapped[str | None]  # the key of an agent (``xapi_store.model.actor``)
    made_here: Mapped[bool]
    since: Mapped[datetime | None]

    cursor: Mapped[int] = mapped_column(BigInteger, default=0)
    in_flight: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(default=TargetState.RUNNING)
    retry_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)  # in a row, without success
    refused_in_a_row: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str | None]  # a code of ``problems``
    detail: Mapped[str] = mapped_column(default="")  # what the other side said to it
    forwarded: Mapped[int] = mapped_column(BigInteger, default=0)
    last_delivered: Mapped[datetime | None]


class DeadLetter(Base):
    """A statement that a target refused; it stays in the record store, and can be sent once more."""

    __tablename__ = "forward_dead_letter"
    __table_args__ = (UniqueConstraint("target_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    target_id: Mapped[int] = mapped_column(ForeignKey("forward_target.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(BigInteger)
    statement_id: Mapped[UUID]
    status: Mapped[int]
    problem: Mapped[str]  # in the words of the target
    refused: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=1)
    replay_asked: Mapped[bool] = mapped_column(default=False)
    in_flight: Mapped[bool] = mapped_column(default=False)
