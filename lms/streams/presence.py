"""Who signs in where goes up; what is known of her comes down, one step at a time, and then that this was all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from lms.following.actions import follow, line_up, note_heard
from lms.following.queries import lined_up_after
from lms.people.presence import note_answer, presences_after
from lms.streams import documents, statements
from lms.streams.statements import UNKNOWN_SCHEMA
from sync.canonical import canonical_json
from sync.messages import Record
from sync.node import standing
from sync.ports import APPLIED, Change, Changes, Context, Outcome, Verdict
from sync.scopes import PEOPLE, UP, parts_of, scope_for
from xapi_store.feed import DocumentEntry, StatementEntry

PRESENCE = "presence"
ANSWER = "presence-answer"
SCHEMA = 1


class PresenceStream:
    """That people sign in on this node, told once to whoever admitted it."""

    name = "presence"
    kinds = frozenset({PRESENCE, ANSWER})

    def changes_after(self, session: Session, position: int, limit: int) -> Changes:
        """Tell who signed in here first."""
        rows = presences_after(session, position, limit=limit)
        changes = [
            Change(
                kind=PRESENCE,
                key=str(row.person),
                scope=UP,
                schema=SCHEMA,
                body=canonical_json({"since": row.since.astimezone(UTC).isoformat()}),
                changed_ms=round(row.since.timestamp() * 1000),
                position=row.position,
            )
            for row in rows
        ]
        return Changes(changes=changes, position=rows[-1].position if rows else position)

    def waiting(self, session: Session, position: int) -> dict[str, int]:  # noqa: ARG002 - the port's
        """Say nothing: it is no work of hers that could be lost."""
        return {}

    def apply(self, session: Session, records: Sequence[Record], context: Context) -> Sequence[Outcome]:
        """Follow whom a node below looks after; take the answer of the node above."""
        return [_apply(session, record, context) for record in records]


class PeopleStream:
    """What nodes below are told of the people they look after. Its records are taken as what they tell of."""

    name = "people"
    kinds = frozenset[str]()

    def prepare(self, session: Session, position: int) -> bool:
        """Line up what is due, and forget what was told."""
        return line_up(session, position)

    def changes_after(self, session: Session, position: int, limit: int) -> Changes:
        """Tell what is lined up, each thing as it is by now; what is not here any more is passed over."""
        rows = lined_up_after(session, position, limit=limit)
        changes = []
        for row, entry in rows:
            scope = scope_for(PEOPLE, row.child)
            if row.answer is not None:
                changes.append(_answer(row.answer, scope, row.position))
            elif entry is not None:
                changes.append(_change_of(entry, scope, row.position))
        return Changes(changes=changes, position=rows[-1][0].position if rows else position)

    def waiting(self, session: Session, position: int) -> dict[str, int]:  # noqa: ARG002 - the port's
        """Say nothing: what comes down anew has been delivered long since."""
        return {}

    def apply(self, session: Session, records: Sequence[Record], context: Context) -> Sequence[Outcome]:
        """Take nothing: statements and documents have their own streams."""
        raise NotImplementedError  # it has no kinds, so nobody asks


def _apply(session: Session, record: Record, context: Context) -> Outcome:
    if record.schema != SCHEMA:
        return UNKNOWN_SCHEMA
    try:
        person = UUID(record.key)
    except ValueError as error:
        return Outcome(verdict=Verdict.REFUSED, reason="malformed", detail=str(error))
    if record.kind == ANSWER:
        note_heard(session, person)
        note_answer(session, person, now=datetime.fromtimestamp(context.now_ms / 1000, UTC))
    elif parts_of(context.scope)[0] == UP:
        me = standing(session)
        if context.origin != me.certificate.node:
            follow(session, person, context.origin, me=me.certificate.node, decides=me.decides)
    return APPLIED


def _change_of(entry: StatementEntry | DocumentEntry, scope: str, position: int) -> Change:
    if isinstance(entry, StatementEntry):
        return statements.change_of(entry, scope=scope, position=position)
    return documents.change_of(entry, scope=scope, position=position)


def _answer(person: UUID, scope: str, position: int) -> Change:
    return Change(
        kind=ANSWER,
        key=str(person),
        scope=scope,
        schema=SCHEMA,
        body=b"{}",
        changed_ms=0,
        position=position,
    )
