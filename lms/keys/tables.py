"""Keys and tokens; of a secret only its digest is kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from lms.database import Base


class Key(Base):
    """One credential: an LRS key with a secret, or a bearer token."""

    __tablename__ = "api_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]  # "lrs" or "token"
    name: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)
    secret_digest: Mapped[bytes]
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created: Mapped[datetime]
    revoked: Mapped[datetime | None]
