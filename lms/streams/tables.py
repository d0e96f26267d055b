"""Who proposed what the directory holds."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from lms.database import Base


class Proposal(Base):
    """That a thing of the directory was first proposed by a node below; only that node may go on proposing it."""

    __tablename__ = "directory_proposal"

    kind: Mapped[str] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(primary_key=True)
    node: Mapped[str]
