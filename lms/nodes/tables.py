"""The links to peers and the meetings over them: on which terms, when next, what became of each."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Enum, Index
from sqlalchemy.orm import Mapped, mapped_column

from lms.database import Base


class Ending(StrEnum):
    """How a meeting ended; those after ``REFUSED`` are the codes with which this side stopped it."""

    DONE = "done"
    INTERRUPTED = "interrupted"
    REFUSED = "refused"
    BUDGET = "budget"
    QUIET = "quiet"
    CANCELLED = "cancelled"
    CLOSING = "closing"  # the program ended


class Link(Base):
    """How one peer is met: the terms that people set, what was used of them today, and when it is tried next.

    ``due`` is when it is met whether or not anything waits, ``soon`` when it is if something does.
    """

    __tablename__ = "peer_link"

    peer: Mapped[str] = mapped_column(primary_key=True)
    by_hand: Mapped[bool] = mapped_column(default=False)
    quiet_from: Mapped[int | None]  # minutes after midnight, by this node's clock and zone
    quiet_to: Mapped[int | None]  # before quiet_from: of the next day
    bytes_per_day: Mapped[int | None] = mapped_column(BigInteger)
    day: Mapped[date | None]  # the day of ``spent``
    spent: Mapped[int] = mapped_column(BigInteger, default=0)  # bytes, both ways
    used_up: Mapped[bool] = mapped_column(
        default=False
    )  # what was left that day is too little for the next request
    due: Mapped[datetime | None]
    soon: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)  # in a row, in vain
    asked: Mapped[datetime | None]  # by a person, and not over
    all_the_same: Mapped[bool] = mapped_column(default=False)  # who asked wants it whatever the terms


class Meeting(Base):
    """One meeting: under way until it has ``finished``; ``heard`` is the last sign of whoever holds it."""

    __tablename__ = "meeting"
    __table_args__ = (Index(None, "peer", "id"), Index(None, "finished"))

    id: Mapped[int] = mapped_column(primary_key=True)
    peer: Mapped[str]
    by_hand: Mapped[bool]
    started: Mapped[datetime]
    heard: Mapped[datetime]
    finished: Mapped[datetime | None]
    ending: Mapped[Ending | None] = mapped_column(
        Enum(Ending, native_enum=False, length=16, values_callable=list)
    )
    cancelled: Mapped[bool] = mapped_column(default=False)  # somebody wants it to end
    bytes_up: Mapped[int] = mapped_column(BigInteger, default=0)
    bytes_down: Mapped[int] = mapped_column(BigInteger, default=0)
    bytes_left: Mapped[int] = mapped_column(BigInteger, default=0)  # that are known
    sent: Mapped[int] = mapped_column(default=0)  # records, as all below
    received: Mapped[int] = mapped_column(default=0)
    to_send: Mapped[int] = mapped_column(default=0)
    to_receive: Mapped[int] = mapped_column(default=0)
    receipts: Mapped[int] = mapped_column(default=0)
    detail: Mapped[str] = mapped_column(default="")  # a sentence for who looks after the node
