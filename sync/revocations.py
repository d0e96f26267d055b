"""The one stream that is sync's own: which keys are no longer trusted."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from sync import scopes
from sync.canonical import canonical_json
from sync.messages import Record
from sync.ports import APPLIED, PRESENT, Change, Changes, Context, Outcome, Verdict
from sync.tables import RevocationRow

KIND = "revocation"

_MADE_HERE = select(func.count()).where(
    RevocationRow.position > bindparam("position"), RevocationRow.made_here
)


class Revocations:
    """Carries revocations down, ahead of everything else."""

    name = "revocations"
    kinds = frozenset({KIND})

    def changes_after(self, session: Session, position: int, limit: int) -> Changes:
        """Return revocations made here."""
        rows = session.scalars(
            select(RevocationRow)
            .where(RevocationRow.position > position, RevocationRow.made_here)
            .order_by(RevocationRow.position)
            .limit(limit)
        ).all()
        changes = [
            Change(
                kind=KIND,
                key=row.node,
                scope=scopes.REVOCATIONS,
                schema=1,
                body=canonical_json({"reason": row.reason, "revoked_ms": row.revoked_ms}),
                changed_ms=row.revoked_ms,
                position=row.position,
            )
            for row in rows
        ]
        return Changes(changes=changes, position=rows[-1].position if rows else position)

    def waiting(self, session: Session, position: int) -> dict[str, int]:
        """Count revocations made here after a position."""
        count = session.connection().scalar(_MADE_HERE, {"position": position})
        return {KIND: count} if count else {}

    def apply(self, session: Session, records: Sequence[Record], context: Context) -> Sequence[Outcome]:
        """Take revocations made by those who may."""
        return [self._apply_one(session, record, context) for record in records]

    def _apply_one(self, session: Session, record: Record, context: Context) -> Outcome:
        if record.schema != 1:
            return Outcome(verdict=Verdict.WAITING, reason="schema", detail="a newer form of revocation")
        if not context.is_authority:
            return Outcome(verdict=Verdict.REFUSED, reason="right", detail="only the root revokes keys")
        if session.scalar(select(RevocationRow).where(RevocationRow.node == record.key)) is not None:
            return PRESENT
        told = json.loads(record.body)
        session.add(
            RevocationRow(
                node=record.key, reason=told["reason"], revoked_ms=told["revoked_ms"], made_here=False
            )
        )
        session.flush()
        return APPLIED
