"""What nodes lack of courses: told upward, to the hub that is to carry them and to whoever can help with room."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError
from sqlalchemy.orm import Session

from lms.carrying.lacks import KIND, LackTold, described, own_lack, take_lack
from lms.streams.course_wishes import CourseWishes
from lms.streams.statements import UNKNOWN_SCHEMA
from sync.canonical import canonical_json
from sync.messages import Record
from sync.ports import APPLIED, PRESENT, Change, Changes, Context, Outcome, Verdict
from sync.scopes import UP

SCHEMA = 1


class LackStream:
    """What this node lacks, at its latest change, and what those below it do."""

    name = "lacks"
    kinds = frozenset({KIND})

    def __init__(self, wishes: CourseWishes) -> None:
        self._wishes = wishes

    def changes_after(self, session: Session, position: int, limit: int) -> Changes:  # noqa: ARG002 - there is one
        """Tell what this node lacks, if that changed."""
        row = own_lack(session, after=position)
        if row is None:
            return Changes(changes=[], position=position)
        change = Change(
            kind=KIND,
            key=row.node,
            scope=UP,
            schema=SCHEMA,
            body=canonical_json(described(row)),
            changed_ms=round(row.told.timestamp() * 1000),
            position=row.position,
        )
        return Changes(changes=[change], position=row.position)

    def waiting(self, session: Session, position: int) -> dict[str, int]:
        """Count what was not told yet."""
        return {} if own_lack(session, after=position) is None else {KIND: 1}

    def apply(self, session: Session, records: Sequence[Record], context: Context) -> Sequence[Outcome]:
        """Keep what a node tells of itself, and carry what is needed below."""
        outcomes = [_apply(session, record, context) for record in records]
        if APPLIED in outcomes:
            self._wishes.settle(session)
        return outcomes


def _apply(session: Session, record: Record, context: Context) -> Outcome:
    if record.schema != SCHEMA:
        return UNKNOWN_SCHEMA
    if record.key != context.origin:
        return Outcome(verdict=Verdict.REFUSED, reason="not_yours", detail="A node tells of itself alone.")
    try:
        told = LackTold.model_validate_json(record.body)
    except ValidationError as error:
        return Outcome(verdict=Verdict.REFUSED, reason="malformed", detail=str(error)[:500])
    if told.told.tzinfo is None:
        return Outcome(verdict=Verdict.REFUSED, reason="malformed", detail="The time has no zone.")
    return APPLIED if take_lack(session, record.key, told) else PRESENT
