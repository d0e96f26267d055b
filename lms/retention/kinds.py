"""Which kinds of records may go by themselves, after how long unless somebody decides otherwise, and how.

One table. What is not in it is never removed by time: statements, documents and all that follows from them, people and
enrolments, courses, what sync and its evidence rest on, and whatever was not delivered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from lms.bundles.tables import Bundle, BundleState
from lms.launch.tables import LateWork
from lms.nodes.tables import Meeting
from lms.web.wording import mark
from sync.tables import InvitationRow, RefusedRow

ROWS_AT_ONCE = 200
FOR_GOOD = 0
LEAST_DAYS = 7
MOST_DAYS = 36_500

Drop = Callable[[Session, datetime], int]
"""Remove some records that are older than a moment; return how many."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of records: its name, what people call it, how long it is kept by default, and what removes some.

    ``drop`` is ``None`` for what another chore removes, which asks for the period.
    """

    name: str
    label: str
    says: str
    days: int
    drop: Drop | None


def _meetings(session: Session, before: datetime) -> int:
    row = Meeting
    return _remove(session, row, select(row.id).where(row.finished.is_not(None), row.finished < before))


def _bundles(session: Session, before: datetime) -> int:
    """Remove what is told of bundles, but for the last one of each node: it says whether a receipt is due."""
    row = Bundle
    newest: dict[str, int] = {}
    done = select(row.id, row.nodes).where(row.state == BundleState.DONE).order_by(row.finished)
    for bundle, nodes in session.execute(done):
        newest |= dict.fromkeys(nodes, bundle)
    old = select(row.id).where(row.finished.is_not(None), row.finished < before)
    return _remove(session, row, old.where(row.id.not_in(set(newest.values()))))


def _late_work(session: Session, before: datetime) -> int:
    return _remove(session, LateWork, select(LateWork.id).where(LateWork.arrived < before))


def _invitations(session: Session, before: datetime) -> int:
    row = InvitationRow
    return _remove(session, row, select(row.id).where(row.expires_ms < _ms(before)))


def _refused_segments(session: Session, before: datetime) -> int:
    """Drop the bytes of segments that were refused; that they were, and why, stays and keeps their log stopped."""
    row = RefusedRow
    old = select(row).where(row.refused_ms < _ms(before), row.encoded != b"").limit(ROWS_AT_ONCE)
    found = session.scalars(old).all()
    for one in found:
        one.encoded = b""
    return len(found)


def _remove(session: Session, table: Any, old: Select[int]) -> int:
    ids = list(session.scalars(old.limit(ROWS_AT_ONCE)))
    session.execute(delete(table).where(table.id.in_(ids)))
    return len(ids)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


LAUNCH_LOG = "launch-log"

KINDS: Sequence[Kind] = (
    Kind(
        LAUNCH_LOG,
        mark("Logs of attempts"),
        mark("Step by step what a lesson did. What was reached does not depend on them."),
        365,
        None,
    ),
    Kind(
        "meeting",
        mark("Meetings with other nodes"),
        mark("When nodes met, and how it ended."),
        365,
        _meetings,
    ),
    Kind(
        "bundle",
        mark("History of sticks and files"),
        mark("Which bundles were written and taken. The last one of each node stays."),
        365,
        _bundles,
    ),
    Kind(
        "invitation",
        mark("Codes for joining"),
        mark("Codes that were used or are too old."),
        30,
        _invitations,
    ),
    Kind(
        "refused-segment",
        mark("Content of refused transfers"),
        mark("That they were refused, and why, stays."),
        365,
        _refused_segments,
    ),
    Kind(
        "late-work",
        mark("Work that came too late"),
        mark("Kept for its learner, who can still use it."),
        FOR_GOOD,
        _late_work,
    ),
)
BY_NAME = {kind.name: kind for kind in KINDS}
