"""Entries that their origin cannot read any more, and that nobody is known to have: declared by it, and told again.

A declaration is a record of the origin's, in scope ``up``: which entries of which of its logs, how many, of which
kinds. The log ends before them, for good; what could be read after them was numbered again in the present epoch. Then
the feeds are gone through: what the host still has, and no entry tells, is numbered again too. So what is declared lost
in the end is what nobody can read: the rest goes on its way under other numbers.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from pydantic import Field, ValidationError
from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from sync import blackout, log, scopes, segment
from sync.canonical import canonical_json
from sync.clock import Stamp
from sync.errors import SegmentError
from sync.messages import Counted, Epoch, Record, Root, Scope, Wire
from sync.node import Node, lock_row
from sync.ports import APPLIED, PRESENT, Change, Changes, Context, Outcome, Verdict
from sync.tables import FeedRow, LogRow, LossRow, SegmentRow
from sync.vector import LogKey

LOSS = "loss"
#: How many entries are kept in mind at once, by 8 bytes of a digest each.
ENTRIES_AT_ONCE = 200_000
_CHANGES_AT_ONCE = 500


class Loss(Wire):
    """Body of a declaration: the log, the first and the last number, and what between them is lost."""

    epoch: Epoch
    scope: Scope
    first: Counted
    last: Counted
    root: Root
    count: Counted
    kinds: dict[str, Counted] = Field(max_length=100)
    kept_ms: Counted
    declared_ms: Counted


def declare(session: Session, node: Node, segments: Sequence[SegmentRow]) -> None:
    """Note that segments of one of this node's logs, which were taken out of it, cannot be read.

    ``tell_again_some`` afterwards numbers what the host still has of them; then it is told.
    """
    if not segments:
        return
    kinds = Counter[str]()
    for one in segments:
        kinds.update(json.loads(one.kinds))
    first, last = segments[0], segments[-1]
    present = session.scalar(
        select(LossRow).where(
            LossRow.origin == first.origin,
            LossRow.epoch == first.epoch,
            LossRow.scope == first.scope,
            LossRow.first == first.first,
        )
    )
    if present is not None:  # a copy had turned up since, and rotted as well
        present.told_ms = None
        return
    session.add(
        LossRow(
            origin=first.origin,
            epoch=first.epoch,
            scope=first.scope,
            first=first.first,
            last=last.last,
            root=last.root,
            count=sum(one.last - one.first + 1 for one in segments),
            kinds=json.dumps(kinds, sort_keys=True),
            kept_ms=first.kept_ms,
            declared_ms=node.clock(),
            told_ms=None,
            made_here=True,
        )
    )
    session.flush()


def is_telling_again(session: Session) -> bool:
    """Say whether something was lost here, and what the host still has of it is not all numbered again."""
    return session.scalar(_UNTOLD) is not None


def lost_here(session: Session) -> bool:
    """Say whether this node ever lost entries of its own."""
    return session.scalar(select(LossRow.position).where(LossRow.made_here).limit(1)) is not None


_UNTOLD = select(LossRow.position).where(LossRow.made_here, LossRow.told_ms.is_(None)).limit(1)


# ---------------------------------------------------------------- what no entry tells


def untold(node: Node) -> Iterator[Change]:
    """Yield the changes of this node's feeds that were numbered and that no entry tells which can be read.

    Reads its logs once for every 200,000 entries, and the feeds as often.
    """
    with node.read() as session:
        numbered = {row.name: row.position for row in session.scalars(select(FeedRow))}
        entries = session.scalar(select(func.sum(LogRow.seq)).where(LogRow.origin == node.id)) or 0
        orders = blackout.orders_by_subject(session)
    parts = 1 + int(entries) // ENTRIES_AT_ONCE
    for part in range(parts):
        told = {digest for digest in _digests(node) if digest % parts == part}
        for change in _numbered_changes(node, numbered):
            digest = _digest(change.kind, change.key, change.body)
            if digest % parts == part and digest not in told and not _goes(node, change, orders):
                yield change


def _goes(node: Node, change: Change, orders: Mapping[str, str]) -> bool:
    """Say whether a change is about somebody who is to be erased: it is on its way out, and is not told again."""
    record = Record(
        seq=1,
        kind=change.kind,
        key=change.key,
        schema=change.schema,
        body=change.body,
        stamp=Stamp(change.changed_ms, 0),
    )
    return bool(blackout.concerned(node, [record], orders))


def _digests(node: Node) -> Iterator[int]:
    with node.read() as session:
        keys = sorted(log.held(session, origins=[node.id]))
    for key in keys:
        with node.read() as session:
            refs = log.segments_after(session, key, 0)
        for ref in refs:
            with node.read() as session:
                encoded = log.encoding_of(session, ref.digest) or b""
            try:
                records = segment.read(segment.take_apart(encoded))
            except SegmentError:
                continue
            yield from (_digest(one.kind, one.key, one.body) for one in records)


def _numbered_changes(node: Node, numbered: dict[str, int]) -> Iterator[Change]:
    for stream in node.streams:
        position, end = 0, numbered.get(stream.name, 0)
        while position < end:
            with node.read() as session:
                told = stream.changes_after(session, position, _CHANGES_AT_ONCE)
            yield from (change for change in told.changes if change.position <= end)
            if told.position == position:
                break
            position = told.position


def _digest(kind: str, key: str, body: bytes) -> int:
    facts = canonical_json([kind, key]) + b"\n" + body
    return int.from_bytes(hashlib.sha256(facts).digest()[:8], "big")


def note_told_again(session: Session, changes: Sequence[Change]) -> None:
    """Take what was numbered again off what is lost: of the first losses that lack so many of a kind."""
    told = Counter(change.kind for change in changes)
    for row in session.scalars(select(LossRow).where(LossRow.made_here, LossRow.told_ms.is_(None))):
        kinds = Counter[str](json.loads(row.kinds))
        of_these = kinds & told
        told -= of_these
        kinds -= of_these
        row.kinds = json.dumps(kinds, sort_keys=True)
        row.count = max(0, row.count - of_these.total())


def end_telling(session: Session, *, now_ms: int) -> None:
    """Note that nothing is left to be numbered again: what is lost is known, and told next."""
    lock_row(session)
    for row in session.scalars(select(LossRow).where(LossRow.made_here, LossRow.told_ms.is_(None))):
        row.told_ms = now_ms


# ---------------------------------------------------------------- the stream


class Losses:
    """Carries up what origins have lost."""

    name = "losses"
    kinds = frozenset({LOSS})

    def changes_after(self, session: Session, position: int, limit: int) -> Changes:
        """Return what this node has lost, once it is known how much of it could be told again."""
        row = LossRow
        query = select(row).where(row.position > position, row.made_here).order_by(row.position).limit(limit)
        rows = []
        for one in session.scalars(query):
            if one.told_ms is None:
                break
            rows.append(one)
        changes = [
            Change(
                kind=LOSS,
                key=f"{one.epoch}:{one.scope}:{one.first}",
                scope=scopes.UP,
                schema=1,
                body=canonical_json(
                    {
                        "epoch": one.epoch,
                        "scope": one.scope,
                        "first": one.first,
                        "last": one.last,
                        "root": one.root,
                        "count": one.count,
                        "kinds": json.loads(one.kinds),
                        "kept_ms": one.kept_ms,
                        "declared_ms": one.declared_ms,
                    }
                ),
                changed_ms=one.declared_ms,
                position=one.position,
            )
            for one in rows
        ]
        return Changes(changes=changes, position=rows[-1].position if rows else position)

    def waiting(self, session: Session, position: int) -> dict[str, int]:
        """Count what this node has lost and not told."""
        count = session.connection().scalar(_LOST_HERE, {"position": position})
        return {LOSS: count} if count else {}

    def apply(self, session: Session, records: Sequence[Record], context: Context) -> Sequence[Outcome]:
        """Take what nodes say of their own logs; nobody can say it for another."""
        return [self._apply_one(session, record, context) for record in records]

    def _apply_one(self, session: Session, record: Record, context: Context) -> Outcome:
        if record.schema != 1:
            return Outcome(verdict=Verdict.WAITING, reason="schema", detail="a newer form of declaration")
        try:
            told = Loss.model_validate_json(record.body)
        except ValidationError as error:
            return Outcome(verdict=Verdict.REFUSED, reason="malformed", detail=str(error)[:500])
        row = LossRow
        same = (row.epoch == told.epoch, row.scope == told.scope, row.first == told.first)
        if session.scalar(select(row.position).where(row.origin == context.origin, *same)) is not None:
            return PRESENT
        session.add(
            LossRow(
                origin=context.origin,
                epoch=told.epoch,
                scope=told.scope,
                first=told.first,
                last=told.last,
                root=told.root,
                count=told.count,
                kinds=json.dumps(told.kinds, sort_keys=True),
                kept_ms=told.kept_ms,
                declared_ms=told.declared_ms,
                told_ms=told.declared_ms,
                made_here=False,
            )
        )
        session.flush()
        return APPLIED


_LOST_HERE = select(func.count()).where(
    LossRow.position > bindparam("position"), LossRow.made_here, LossRow.told_ms.is_not(None)
)


def losses(session: Session, *, limit: int = 50) -> list[tuple[LossRow, bool]]:
    """Return all that is lost, the newest first, and whether it was found since: a log that is held as far as that."""
    rows = session.scalars(
        select(LossRow).where(LossRow.count > 0).order_by(LossRow.position.desc()).limit(limit)
    )
    return [
        (row, log.head_of(session, LogKey(row.origin, row.epoch, row.scope)).seq >= row.last) for row in rows
    ]
