"""Statements: a set that only grows. The bytes are the same on every node; ``stored`` is each store's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import orjson
from sqlalchemy.orm import Session

from lms.following.actions import tell_statements
from sync.messages import Record
from sync.ports import APPLIED, PRESENT, Change, Changes, Context, Outcome, Verdict
from sync.scopes import UP
from xapi_store import feed, ingest
from xapi_store.model.timestamps import parse_timestamp

KIND = "statement"
SCHEMA = 1


class StatementStream:
    """The record store's statements."""

    name = "statements"
    kinds = frozenset({KIND})

    def changes_after(self, session: Session, position: int, limit: int) -> Changes:
        """Tell the statements made on this node; copies of others' are stepped over."""
        entries = feed.statements_after(session, position, limit=limit)
        changes = [
            change_of(entry, scope=UP, position=entry.position) for entry in entries if not entry.copied
        ]
        return Changes(changes=changes, position=entries[-1].position if entries else position)

    def waiting(self, session: Session, position: int) -> dict[str, int]:
        """Count the statements made here that have no number yet."""
        count = feed.statements_made_here(session, position)
        return {KIND: count} if count else {}

    def apply(self, session: Session, records: Sequence[Record], context: Context) -> Sequence[Outcome]:
        """Store copies; what is already there in another form is a conflict, kept aside by sync."""
        readable = [record for record in records if record.schema == SCHEMA]
        now = datetime.fromtimestamp(context.now_ms / 1000, UTC)
        copies = ingest.store_copies(session, [record.body for record in readable], now=now)
        new = {
            copy.position: record.body
            for copy, record in zip(copies, readable, strict=True)
            if copy.outcome is ingest.Outcome.STORED and copy.position is not None
        }
        tell_statements(session, new, origin=context.origin)
        stored = iter(copies)
        return [_outcome(next(stored)) if record.schema == SCHEMA else UNKNOWN_SCHEMA for record in records]


def change_of(entry: feed.StatementEntry, *, scope: str, position: int) -> Change:
    """Return a statement as it travels."""
    return Change(
        kind=KIND,
        key=str(entry.statement_id),
        scope=scope,
        schema=SCHEMA,
        body=entry.raw,
        changed_ms=instant_ms(entry.raw),
        position=position,
    )


UNKNOWN_SCHEMA = Outcome(
    verdict=Verdict.WAITING, reason="schema", detail="Written by a newer version; an upgrade will read it."
)


def _outcome(copy: ingest.CopyOutcome) -> Outcome:
    match copy.outcome:
        case ingest.Outcome.STORED:
            return APPLIED
        case ingest.Outcome.PRESENT:
            return PRESENT
        case ingest.Outcome.CONFLICT:
            detail = f"Another statement is stored under this id; they differ in {', '.join(copy.differing)}."
            return Outcome(verdict=Verdict.CONFLICT, reason="conflict", detail=detail)
        case ingest.Outcome.REFUSED:
            return Outcome(verdict=Verdict.REFUSED, reason="malformed", detail=copy.reason)


def instant_ms(raw: bytes) -> int:
    """Return when a statement says it happened; the record store never keeps one without."""
    return round(parse_timestamp(orjson.loads(raw)["timestamp"]).timestamp() * 1000)
