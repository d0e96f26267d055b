"""Which periods hold here, and who decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.retention.kinds import FOR_GOOD, KINDS, Kind
from lms.retention.tables import RetentionPeriod
from sync.node import Node, standing


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """One kind and its period here, in days (0: for good); ``changed`` is ``None`` while it is as it came."""

    kind: Kind
    days: int
    changed: datetime | None

    def before(self, now: datetime) -> datetime | None:
        """Return from which moment back records go; ``None`` where they stay."""
        return None if self.days == FOR_GOOD else now - timedelta(days=self.days)


def periods(session: Session, *, launch_log_days: int) -> Sequence[Period]:
    """Return the periods of all kinds; that of logs of attempts is the node's setting until it is decided."""
    rows = {row.kind: row for row in session.scalars(select(RetentionPeriod))}
    return [_period(kind, rows.get(kind.name), launch_log_days) for kind in KINDS]


def _period(kind: Kind, row: RetentionPeriod | None, launch_log_days: int) -> Period:
    if row is not None:
        return Period(kind=kind, days=row.days, changed=row.changed)
    return Period(kind=kind, days=launch_log_days if kind.drop is None else kind.days, changed=None)


def decides(session: Session, node: Node) -> bool:
    """Say whether periods are decided here: on the root, and on a node that has joined no network."""
    return standing(session).root in {None, node.id}
