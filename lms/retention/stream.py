"""Carries periods down: the root decides them once, and every node keeps to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms.retention.actions import keep
from lms.retention.kinds import LEAST_DAYS, MOST_DAYS
from lms.retention.tables import RetentionPeriod
from lms.streams.statements import UNKNOWN_SCHEMA
from sync.canonical import canonical_json
from sync.messages import Record
from sync.node import standing
from sync.ports import APPLIED, PRESENT, Change, Changes, Context, Outcome, Verdict
from sync.scopes import DIRECTORY, scope_for

KIND = "retention"
SCHEMA = 1


class RetentionBody(BaseModel):
    """A period as it travels; the key of the record is the kind, which this program may not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    days: Annotated[int, Field(ge=0, le=MOST_DAYS)]
    changed_ms: Annotated[int, Field(ge=0, le=2**53)]


class RetentionStream:
    """Periods, each at its latest change."""

    name = "retention"
    kinds = frozenset({KIND})

    def changes_after(self, session: Session, position: int, limit: int) -> Changes:
        """Tell what was decided here; what a lone laptop decided for itself is stepped over."""
        row = RetentionPeriod
        query = select(row).where(row.position > position, row.made_here).order_by(row.position)
        rows = session.scalars(query.limit(limit)).all()
        scope = _scope(session) if rows else None
        changes = (
            []
            if scope is None
            else [
                Change(
                    kind=KIND,
                    key=one.kind,
                    scope=scope,
                    schema=SCHEMA,
                    body=canonical_json({"days": one.days, "changed_ms": _ms(one.changed)}),
                    changed_ms=_ms(one.changed),
                    position=one.position,
                )
                for one in rows
            ]
        )
        return Changes(changes=changes, position=rows[-1].position if rows else position)

    def waiting(self, session: Session, position: int) -> dict[str, int]:
        """Count what was decided here after a position."""
        row = RetentionPeriod
        count = session.scalar(select(func.count()).where(row.position > position, row.made_here))
        return {KIND: count} if count and _scope(session) is not None else {}

    def apply(self, session: Session, records: Sequence[Record], context: Context) -> Sequence[Outcome]:
        """Take what those above decided, each at its latest change."""
        return [_apply(session, record, context) for record in records]


def _apply(session: Session, record: Record, context: Context) -> Outcome:
    if record.schema != SCHEMA:
        return UNKNOWN_SCHEMA
    try:
        body = RetentionBody.model_validate_json(record.body)
        changed = datetime.fromtimestamp(body.changed_ms / 1000, UTC)
    except (ValidationError, OverflowError, ValueError) as error:
        return Outcome(verdict=Verdict.REFUSED, reason="malformed", detail=str(error)[:500])
    if 0 < body.days < LEAST_DAYS:
        return Outcome(verdict=Verdict.REFUSED, reason="malformed", detail=f"{body.days} days are too few.")
    if not context.is_authority:
        return _NOT_DECIDED_THERE
    present = session.get(RetentionPeriod, record.key)
    # What the root says stands, whenever it was decided here.
    if present is not None and not present.made_here and present.changed >= changed:
        return PRESENT
    keep(session, record.key, days=body.days, changed=changed, made_here=False)
    return APPLIED


_NOT_DECIDED_THERE = Outcome(
    verdict=Verdict.REFUSED, reason="right", detail="The node that wrote it does not decide periods."
)


def _scope(session: Session) -> str | None:
    me = standing(session)
    if me.certificate.role == "central":
        return DIRECTORY
    if me.certificate.role == "hub" and me.decides:
        return scope_for(DIRECTORY, me.certificate.node)
    return None


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
