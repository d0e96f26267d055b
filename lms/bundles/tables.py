"""Bundles written and taken here: under way, done, refused."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Enum, Index
from sqlalchemy.orm import Mapped, mapped_column

from lms.database import Base


class BundleKind(StrEnum):
    """Which way a bundle goes; a receipt is one that brings nothing but what is held."""

    EXPORT = "export"
    RECEIPT = "receipt"
    IMPORT = "import"


class BundleState(StrEnum):
    """How far it has come."""

    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Bundle(Base):
    """One bundle, and what became of it.

    ``bytes_done`` of ``bytes_total`` counts each byte twice: written and read back, or looked at and taken.
    """

    __tablename__ = "bundle"
    __table_args__ = (Index(None, "started"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(unique=True)
    kind: Mapped[BundleKind] = mapped_column(
        Enum(BundleKind, native_enum=False, length=16, values_callable=list)
    )
    state: Mapped[BundleState] = mapped_column(
        Enum(BundleState, native_enum=False, length=16, values_callable=list), default=BundleState.WAITING
    )
    path: Mapped[str]  # of the file asked for; of several parts each is called a little otherwise
    nodes: Mapped[list[str]] = mapped_column(JSON)  # those it is for, or the one that wrote it
    with_files: Mapped[bool] = mapped_column(default=True)
    most_bytes: Mapped[int] = mapped_column(BigInteger, default=0)  # of one part of an export
    bytes_done: Mapped[int] = mapped_column(BigInteger, default=0)
    bytes_total: Mapped[int] = mapped_column(BigInteger, default=0)
    report: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # of actions.facts_of
    problem: Mapped[str | None]  # a code of sync.errors.BundleError
    detail: Mapped[str | None]  # its sentence
    started: Mapped[datetime]
    started_by: Mapped[UUID | None]
    finished: Mapped[datetime | None]
