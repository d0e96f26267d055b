"""How much the store holds, without counting it: no answer takes longer because there is more.

Statements are never taken out and their positions rise, so their number is the distance between two positions,
each the end of an index, part by part; on PostgreSQL a transaction that failed leaves a gap, and the number is an
estimate.

Documents and attachments are kept by digests, which lie evenly in their range. Up to `SAMPLE` of them are
counted; of more, the first `SAMPLE` are looked at, and how densely they lie tells how many there are, with an
error of a few per cent (the estimator of k minimum values).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from xapi_store.tables import AttachmentRow, DocumentRow, StatementRow
from xapi_store.tables.partitions import SPAN, part_of

SAMPLE = 1000
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    """How many; an estimate is right within a few per cent."""

    number: int
    is_estimate: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """What the store holds, and how much of it came of late."""

    statements: Count
    last_minute: Count
    last_hour: Count
    last_day: Count
    documents: Count
    attachments: Count
    attachment_bytes: Count
    newest: datetime | None


def counts(session: Session, *, now: datetime) -> Counts:
    """Return how much there is, at one instant."""
    newest = session.execute(
        select(StatementRow.position, StatementRow.stored).order_by(StatementRow.position.desc()).limit(1)
    ).one_or_none()
    last = newest.position if newest else 0
    gaps = session.get_bind().dialect.name != "sqlite"

    def behind(position: int | None) -> Count:
        number = 0 if position is None else positions_taken(session, position, last)
        return Count(number=number, is_estimate=gaps and number > 0)

    attachments, attachment_bytes = _attachments(session)
    return Counts(
        statements=behind(first_position(session)),
        last_minute=behind(first_position(session, after=now - MINUTE)),
        last_hour=behind(first_position(session, after=now - HOUR)),
        last_day=behind(first_position(session, after=now - DAY)),
        documents=_documents(session),
        attachments=attachments,
        attachment_bytes=attachment_bytes,
        newest=newest.stored if newest else None,
    )


def first_position(session: Session, *, after: datetime | None = None) -> int | None:
    """Return the lowest position there is, or the lowest among those stored later than an instant."""
    query = select(StatementRow.position).limit(1)
    if after is None:
        return session.scalar(query.order_by(StatementRow.position))
    # `stored` rises with the position (`ingest`), so all that came later stands behind the first of them.
    return session.scalar(
        query.where(StatementRow.stored > after).order_by(StatementRow.stored, StatementRow.position)
    )


def last_position(session: Session) -> int:
    """Return the highest position there is, 0 where nothing is stored."""
    return session.scalar(select(func.max(StatementRow.position))) or 0


def positions_taken(session: Session, first: int, last: int) -> int:
    """Return how many positions are taken from one to another: in each part those between its ends."""
    taken = 0
    for part in range(part_of(first), part_of(last) + 1):
        begin, end = max(first, part * SPAN), min(last, (part + 1) * SPAN - 1)
        lowest, highest = (
            session.scalar(
                select(which(StatementRow.position)).where(StatementRow.position.between(begin, end))
            )
            for which in (func.min, func.max)
        )
        if lowest is not None and highest is not None:
            taken += highest - lowest + 1
    return taken


def _documents(session: Session) -> Count:
    """Count the documents that have not been deleted."""
    rows = session.execute(
        select(DocumentRow.scope, DocumentRow.content.is_not(None).label("there"))
        .order_by(DocumentRow.scope, DocumentRow.registration, DocumentRow.name_digest)
        .limit(SAMPLE + 1)
    ).all()
    sizes = [int(row.there) for row in rows]
    return _total(sizes, rows[SAMPLE - 1].scope if len(rows) > SAMPLE else None)


def _attachments(session: Session) -> tuple[Count, Count]:
    rows = session.execute(
        select(AttachmentRow.sha2, AttachmentRow.size).order_by(AttachmentRow.sha2).limit(SAMPLE + 1)
    ).all()
    last = bytes.fromhex(rows[SAMPLE - 1].sha2[:32]) if len(rows) > SAMPLE else None
    return _total([1] * len(rows), last), _total([row.size for row in rows], last)


def _total(sizes: Sequence[int], last: bytes | None) -> Count:
    """Add what was looked at; where there is more, conclude from the share of digests up to the *last* of them."""
    if last is None:
        return Count(number=sum(sizes))
    share = int.from_bytes(last[:8], "big") / 2**64
    return Count(number=round(sum(sizes[:SAMPLE]) / share), is_estimate=True)
