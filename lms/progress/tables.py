"""One row per registration and activity, and how far the feed has been read."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, false
from sqlalchemy.orm import Mapped, mapped_column

from lms.database import Base


class Progress(Base):
    """What the statements of one registration say about one unit, or about the course as a whole."""

    __tablename__ = "progress"

    registration: Mapped[UUID] = mapped_column(primary_key=True)
    activity: Mapped[str] = mapped_column(primary_key=True)  # IRI
    course: Mapped[str] = mapped_column(index=True)  # IRI
    completed: Mapped[datetime | None]
    success: Mapped[bool | None]
    decided: Mapped[datetime | None]  # when success was last said
    waived: Mapped[bool] = mapped_column(default=False, server_default=false())
    score: Mapped[float | None]  # the best, -1 to 1
    seconds: Mapped[int] = mapped_column(default=0)  # with pauses
    learning_seconds: Mapped[int] = mapped_column(default=0)  # without, where it was measured
    first: Mapped[datetime]
    last: Mapped[datetime]
    node: Mapped[str | None]  # on which it was last worked at


class ProgressLaunch(Base):
    """Whose a registration is under which units of cmi5 and xAPI report, and which unit speaks under a name."""

    __tablename__ = "progress_launch"

    registration: Mapped[UUID] = mapped_column(primary_key=True)
    activity: Mapped[str] = mapped_column(primary_key=True)  # IRI, as the unit says it
    enrolment: Mapped[UUID]  # the registration of the enrolment
    unit: Mapped[str]  # IRI, as we say it
    course: Mapped[str]  # IRI
    is_cmi5: Mapped[bool]


class ProgressCursor(Base):
    """The position in the feed behind which nothing was read yet."""

    __tablename__ = "progress_cursor"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigInteger)
