"""Drop launch logs that nobody will ask for any more: those of attempts that have come to rest long ago."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, func, select

from lms.database import Database
from lms.launch.tables import Launch, LaunchStep

LOOKED_AT = 200  # registrations at a time


class OldLogs:
    """The logs of a node, dropped whole, one registration at a time.

    A log goes when its last step is older than ``days``, unless a unit of the attempt is still open: delivered, and
    neither ended by itself nor by what its learner did next. What she has reached does not depend on it.

    Args:
        days: asked at every step; 0 keeps every log.
    """

    def __init__(self, database: Database, *, days: Callable[[], int], now: Callable[[], datetime]) -> None:
        self._database = database
        self._days = days
        self._kept = timedelta()
        self._now = now
        self._seen: UUID | None = None

    def drop_some(self) -> bool:
        """Look at some registrations, and drop the log of one at most; say whether there is more to look at."""
        self._kept = timedelta(days=self._days())
        if not self._kept:
            return False
        # Numbers by the index alone: the rows, which hold states, are only read where a log ends.
        numbers = select(LaunchStep.registration, func.max(LaunchStep.number).label("number"))
        if self._seen is not None:
            numbers = numbers.where(LaunchStep.registration > self._seen)
        ends = numbers.group_by(LaunchStep.registration).order_by(LaunchStep.registration).limit(LOOKED_AT)
        last = ends.subquery()
        is_last = and_(LaunchStep.registration == last.c.registration, LaunchStep.number == last.c.number)
        old = select(LaunchStep.registration).join(last, is_last).where(self._is_old())
        with self._database.read() as session:
            looked_at = session.scalars(ends.with_only_columns(LaunchStep.registration)).all()
            found = session.scalar(old.order_by(LaunchStep.registration).limit(1))
        if found is None:
            is_more = len(looked_at) == LOOKED_AT
            self._seen = looked_at[-1] if is_more else None
            return is_more
        self._seen = found
        self._drop(found)
        return True

    def _drop(self, registration: UUID) -> None:
        whose = LaunchStep.registration == registration
        last = select(self._is_old()).where(whose).order_by(LaunchStep.number.desc()).limit(1)
        with self._database.write() as session:
            if session.scalar(last):  # she may have come back since it was read
                session.execute(delete(LaunchStep).where(whose))

    def _is_old(self) -> ColumnElement[bool]:
        is_open = exists().where(
            Launch.registration == LaunchStep.registration,
            Launch.ended.is_(None),
            Launch.phase != "terminated",
        )
        return and_(LaunchStep.at < self._now() - self._kept, ~is_open)
