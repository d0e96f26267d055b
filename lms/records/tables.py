"""Exports of statements: under way, ready, or failed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Enum, Index
from sqlalchemy.orm import Mapped, mapped_column

from lms.database import Base


class ExportFormat(StrEnum):
    """What a file of statements is written as; also the ending of its name."""

    CSV = "csv"
    JSONL = "jsonl"


class ExportState(StrEnum):
    """How far an export has come."""

    WAITING = "waiting"
    WRITING = "writing"
    DONE = "done"
    FAILED = "failed"


class RecordExport(Base):
    """One file of statements on its way, and how far it has come.

    It is written from the newest statement down: everything above ``position`` stands in the first ``size`` bytes
    of the file, and is durable there. ``highest`` and ``lowest`` say between which positions it walks.
    """

    __tablename__ = "record_export"
    __table_args__ = (Index(None, "started"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(unique=True)
    format: Mapped[ExportFormat] = mapped_column(
        Enum(ExportFormat, native_enum=False, length=16, values_callable=list)
    )
    wanted: Mapped[dict[str, Any]] = mapped_column(JSON)  # of lms.records.filters.to_json
    state: Mapped[ExportState] = mapped_column(
        Enum(ExportState, native_enum=False, length=16, values_callable=list), default=ExportState.WAITING
    )
    highest: Mapped[int] = mapped_column(BigInteger)
    lowest: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[int] = mapped_column(BigInteger)
    statements: Mapped[int] = mapped_column(BigInteger, default=0)
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    started: Mapped[datetime]
    started_by: Mapped[UUID | None]
    finished: Mapped[datetime | None]

    @property
    def file_name(self) -> str:
        """What the file is called where it is downloaded to; no other is called so.

        The number alone would not do: SQLite gives it again once the newest export was deleted.
        """
        return f"statements-{self.started:%Y-%m-%d-%H%M%S}-{self.id}.{self.format}"
