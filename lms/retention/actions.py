"""Decide a period, and remove what has outlived its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms.database import Database
from lms.retention.kinds import BY_NAME, FOR_GOOD, LEAST_DAYS, MOST_DAYS
from lms.retention.queries import decides, periods
from lms.retention.tables import RetentionPeriod
from sync.node import Node, lock_row

log = logging.getLogger(__name__)


class RetentionError(Exception):
    """A period cannot be decided; the sentence says why."""


class DecidedElsewhereError(RetentionError):
    """The root of the network decides periods, and this is another node."""

    def __init__(self) -> None:
        super().__init__("The centre of this network decides how long records are kept.")


class PeriodError(RetentionError):
    """No such kind, or a number of days that is none."""


def decide(session: Session, node: Node, kind: str, *, days: int, now: datetime) -> None:
    """Decide for how many days records of a kind are kept on every node; 0: for good.

    Raises:
        DecidedElsewhereError: not here.
        PeriodError: no such kind; or fewer days than a week, or more than a hundred years.
    """
    if not decides(session, node):
        raise DecidedElsewhereError
    if kind not in BY_NAME:
        raise PeriodError(f"There is no kind {kind!r}; these are: {', '.join(BY_NAME)}.")
    if not is_period(days):
        raise PeriodError(f"{days} days are not kept; give {LEAST_DAYS} to {MOST_DAYS}, or 0 for good.")
    keep(session, kind, days=days, changed=now, made_here=True)


def is_period(days: int) -> bool:
    """Say whether records may be kept for so many days."""
    return days == FOR_GOOD or LEAST_DAYS <= days <= MOST_DAYS


def keep(session: Session, kind: str, *, days: int, changed: datetime, made_here: bool) -> None:
    """Note a decision; of two at one moment, one stands behind the other."""
    lock_row(session)
    newest = session.scalar(select(func.max(RetentionPeriod.position))) or 0
    row = session.get(RetentionPeriod, kind) or RetentionPeriod(kind=kind)
    row.days, row.changed, row.made_here, row.position = days, changed, made_here, newest + 1
    session.add(row)
    session.flush()


class Housekeeping:
    """Removes, in small transactions, what was kept for long enough."""

    def __init__(self, database: Database, *, launch_log_days: int, now: Callable[[], datetime]) -> None:
        self._database = database
        self._launch_log_days = launch_log_days
        self._now = now

    def remove_some(self) -> bool:
        """Remove some records of the first kind that has any; return whether there were: more may be left."""
        now = self._now()
        with self._database.read() as session:
            found = periods(session, launch_log_days=self._launch_log_days)
        for period in found:
            before = period.before(now)
            if period.kind.drop is None or before is None:
                continue
            with self._database.write() as session:
                removed = period.kind.drop(session, before)
            if removed:
                log.info("records_removed", extra={"kind": period.kind.name, "records": removed})
                return True
        return False

    def days_of(self, kind: str) -> int:
        """Return the period of a kind, for a chore of its own."""
        with self._database.read() as session:
            found = periods(session, launch_log_days=self._launch_log_days)
        return next(period.days for period in found if period.kind.name == kind)
