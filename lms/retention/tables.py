"""Periods that were decided, here or above."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from lms.database import Base


class RetentionPeriod(Base):
    """For how many days records of a kind are kept; 0: for good.

    ``position`` orders the rows of this node's own decisions (``made_here``), each at its latest change.
    """

    __tablename__ = "retention_period"

    kind: Mapped[str] = mapped_column(primary_key=True)
    days: Mapped[int]
    changed: Mapped[datetime]
    made_here: Mapped[bool]
    position: Mapped[int] = mapped_column(BigInteger, unique=True)
