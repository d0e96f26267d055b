"""Statements of the day: once a day a root says, signed, how far it holds every log, and what stands in each.

A statement is a record in the root's log of revocations, which all nodes hold and nobody blacks out. It holds the root
of a hash tree with one leaf for each origin, and the digest of the statement before: so it is as small for three
thousand laptops as for one, and a root cannot tell its past otherwise without every node seeing it. Each origin gets
its own rows and the path to that root, and keeps them: whatever is done to its logs later, here or at the root,
disagrees with what was said that day.

A row names a log, its last number, and its *chain*: the digest over the ends of all segments up to there. A head alone
holds the root of the last segment, and says nothing of those before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from pydantic import ValidationError
from sqlalchemy import bindparam, delete, func, insert, select
from sqlalchemy.orm import Session

from sync import findings, log, merkle
from sync.canonical import canonical_json, digest_of
from sync.findings import Fault, Finding
from sync.messages import Counted, Digest, Proof, Record, Root, Scope, Wire
from sync.node import Node, lock_row, standing
from sync.ports import APPLIED, PRESENT, Change, Changes, Context, Outcome, Verdict
from sync.revocations import own_scope
from sync.scopes import DOWNWARD
from sync.tables import DayHeadRow, DayRow, EpochRow, ProofRow, SegmentRow
from sync.vector import LogKey

DAY = "day"
_AT_ONCE = 500

Chained = tuple[int, str]
"""The number of the last entry of a log, and the chain up to there."""


class Day(Wire):
    """Body of a statement.

    Attributes:
        number: from 1 on, in each life of the root; ``previous`` is the digest of the one before, or empty.
        day: on which it was made, by the root's clock, in UTC.
        heads: root of the tree over ``count`` origins.
        own: the root's own logs that all nodes hold: scope, last number, chain.
    """

    number: Counted
    day: str
    made_ms: Counted
    heads: Root
    count: Counted
    own: tuple[tuple[Scope, Counted, Digest], ...]
    previous: Root


# ---------------------------------------------------------------- chains and leaves


def chain_to(session: Session, key: LogKey, to: int, *, after: Chained = (0, "")) -> Chained:
    """Return the chain of a log as it is held, up to the last segment that ends at a number or before."""
    row = SegmentRow
    ends = (
        select(row.last, row.root)
        .where(row.origin == key.origin, row.epoch == key.epoch, row.scope == key.scope)
        .where(row.last > after[0], row.last <= to)
        .order_by(row.first)
    )
    last, chain = after
    for last, root in session.execute(ends):
        chain = hashlib.sha256(chain.encode() + canonical_json([last, root])).hexdigest()
    return last, chain


def leaf_of(origin: str, rows: Iterable[tuple[str, str, int, str]]) -> bytes:
    """Return the hash of the leaf of an origin."""
    return merkle.leaf_hash(canonical_json([origin, sorted(rows)]))


# ---------------------------------------------------------------- made by the root


def make_day(node: Node) -> bool:
    """Make the statement of the day, if this node is a root and has made none today; say whether it did.

    The first one comes with the day after the node's present life began.
    """
    today = datetime.fromtimestamp(node.clock() / 1000, UTC).date().isoformat()
    with node.read() as session:
        me = standing(session)
        if me.root != node.id or not _is_due(session, node, me.epoch, today):
            return False
        known = {
            LogKey(row.origin, row.epoch, row.scope): (row.seq, row.chain)
            for row in session.scalars(select(DayHeadRow))
        }
        now = {
            key: chain_to(session, key, head.seq, after=_going_on(node, key, head.seq, known))
            for key, head in sorted(log.held(session).items())
        }
        before = _newest(session, node.id, me.epoch)
    by_origin = _by_origin(now)
    leaves = [leaf_of(origin, rows) for origin, rows in by_origin.items()]
    made = Day(
        number=1 + (before.number if before else 0),
        day=today,
        made_ms=node.clock(),
        heads=merkle.root_of(leaves) if leaves else "",
        count=len(leaves),
        own=tuple(
            (key.scope, *chained)
            for key, chained in now.items()
            if (key.origin, key.epoch) == (node.id, me.epoch) and key.scope in DOWNWARD
        ),
        previous="" if before is None else digest_of(before.body.encode()),
    )
    changed = {key.origin for key, chained in now.items() if known.get(key) != chained}
    proofs = [
        Proof(
            issuer=node.id,
            epoch=me.epoch,
            number=made.number,
            origin=origin,
            rows=tuple(rows),
            place=place,
            count=len(leaves),
            path=tuple(path),
        )
        for place, ((origin, rows), path) in enumerate(
            zip(by_origin.items(), merkle.paths_of(leaves), strict=True)
        )
        if origin in changed
    ]
    with node.write() as session:
        lock_row(session)
        if standing(session).epoch != me.epoch or not _is_due(session, node, me.epoch, today):
            return False  # another process was first
        body = canonical_json(made.model_dump(mode="json")).decode()
        session.add(DayRow(issuer=node.id, epoch=me.epoch, number=made.number, body=body, made_here=True))
        session.execute(delete(DayHeadRow))
        rows = [
            {"origin": key.origin, "epoch": key.epoch, "scope": key.scope, "seq": seq, "chain": chain}
            for key, (seq, chain) in now.items()
        ]
        if rows:
            session.execute(insert(DayHeadRow), rows)
        _keep(session, proofs)
    return True


def _going_on(node: Node, key: LogKey, seq: int, known: Mapping[LogKey, Chained]) -> Chained:
    """Return from where the chain of a log is told on: a log of this node's own may have been cut back since."""
    before = known.get(key, (0, ""))
    return (0, "") if key.origin == node.id or before[0] > seq else before


def _is_due(session: Session, node: Node, epoch: str, today: str) -> bool:
    newest = _newest(session, node.id, epoch)
    if newest is not None:
        return Day.model_validate_json(newest.body).day < today
    began_ms = session.scalar(select(EpochRow.opened_ms).where(EpochRow.epoch == epoch)) or 0
    return datetime.fromtimestamp(began_ms / 1000, UTC).date().isoformat() < today


def _newest(session: Session, issuer: str, epoch: str) -> DayRow | None:
    row = DayRow
    query = select(row).where(row.issuer == issuer, row.epoch == epoch).order_by(row.number.desc()).limit(1)
    return session.scalars(query).first()


def _by_origin(chains: dict[LogKey, Chained]) -> dict[str, list[tuple[str, str, int, str]]]:
    by_origin: dict[str, list[tuple[str, str, int, str]]] = {}
    for key, chained in sorted(chains.items()):
        by_origin.setdefault(key.origin, []).append((key.epoch, key.scope, *chained))
    return by_origin


# ---------------------------------------------------------------- proofs


def keep_proofs(session: Session, node: Node, proofs: Iterable[Proof]) -> None:
    """Keep what shows that origins' logs stand under a statement; one that says less than before is evidence itself."""
    root = standing(session).root
    good = []
    for proof in proofs:
        if proof.issuer != root:
            continue
        present = session.get(ProofRow, proof.origin)
        if present is not None and present.issuer_epoch == proof.epoch:
            if present.number >= proof.number:
                continue
            less = [*_said_less(Proof.model_validate_json(present.text), proof)]
            if less:
                findings.keep(session, findings.WORD, less, now_ms=node.clock())
                continue
        good.append(proof)
    if good:
        _keep(session, good)


def proofs_after(
    session: Session, position: int, *, origins: Iterable[str], up_to: int
) -> tuple[list[Proof], int]:
    """Return the next proofs of some origins that were kept after a position, and the position to go on from.

    That is *up_to*, unless more are left than a message holds.
    """
    row = ProofRow
    query = select(row.text, row.position).where(row.position > position, row.origin.in_(list(origins)))
    found = session.execute(query.order_by(row.position).limit(_AT_ONCE)).all()
    proofs = [Proof.model_validate_json(text) for text, _ in found]
    return proofs, up_to if len(found) < _AT_ONCE else min(up_to, found[-1].position)


def _said_less(before: Proof, now: Proof) -> Iterator[Finding]:
    """Find the logs of which a root says that it holds less than it said before, in the same life."""
    told = {row[:2]: row[2] for row in now.rows}
    for epoch, scope, seq, _ in before.rows:
        if told.get((epoch, scope), 0) < seq:
            yield Finding(
                fault=Fault.CUT,
                log=LogKey(before.origin, epoch, scope),
                first=told.get((epoch, scope), 0) + 1,
                last=seq,
                detail=f"at {now.issuer}, which said that it held them in its statement {before.number}",
            )


def _keep(session: Session, proofs: Sequence[Proof]) -> None:
    row = lock_row(session)
    for start in range(0, len(proofs), _AT_ONCE):
        some = proofs[start : start + _AT_ONCE]
        session.execute(delete(ProofRow).where(ProofRow.origin.in_([one.origin for one in some])))
        session.execute(
            insert(ProofRow),
            [
                {
                    "origin": one.origin,
                    "issuer_epoch": one.epoch,
                    "number": one.number,
                    "text": one.model_dump_json(),
                    "position": row.receipts_position + 1 + place,
                }
                for place, one in enumerate(some)
            ],
        )
        row.receipts_position += len(some)
    session.flush()


# ---------------------------------------------------------------- held against what is here


def is_kept(session: Session, origin: str, record: Record) -> bool:
    """Say whether a statement is kept as its entry tells it."""
    epoch, _, number = record.key.partition(":")
    row = DayRow
    kept = select(row.body).where(row.issuer == origin, row.epoch == epoch)
    bodies = session.scalars(kept.where(row.number == int(number))) if number.isdecimal() else ()
    return record.body.decode(errors="replace") in set(bodies)


def disagreements(session: Session, node: Node, *, everything: bool) -> Iterator[Finding]:
    """Find where statements of the day, and proofs that are kept of them, do not agree with what is here.

    A root holds its own proofs of all origins against their logs only when *everything* is read.
    """
    yield from _broken_rows(session)
    newest = select(func.max(DayRow.position)).group_by(DayRow.issuer, DayRow.epoch)
    for row in session.scalars(select(DayRow).where(DayRow.position.in_(newest))).all():
        for scope, seq, chain in Day.model_validate_json(row.body).own:
            yield from _held_against(
                session, node, LogKey(row.issuer, row.epoch, scope), (seq, chain), row.number
            )
    for text in session.scalars(select(ProofRow.text).execution_options(yield_per=_AT_ONCE)):
        proof = Proof.model_validate_json(text)
        if proof.issuer == node.id and not everything:
            continue
        told = session.scalars(
            select(DayRow).where(
                DayRow.issuer == proof.issuer, DayRow.epoch == proof.epoch, DayRow.number == proof.number
            )
        ).first()
        if told is None:
            continue  # its statement comes with the next meeting
        leads_to = merkle.root_by_path(
            leaf_of(proof.origin, proof.rows), place=proof.place, count=proof.count, path=proof.path
        )
        if leads_to != Day.model_validate_json(told.body).heads:
            key = LogKey(proof.origin, proof.epoch, "up")
            said = f"what is kept of statement {proof.number} does not stand under it"
            yield Finding(fault=Fault.OTHER, log=key, detail=said)
            continue
        for epoch, scope, seq, chain in proof.rows:
            yield from _held_against(
                session, node, LogKey(proof.origin, epoch, scope), (seq, chain), proof.number
            )


def _broken_rows(session: Session) -> Iterator[Finding]:
    """Find statements that do not name the one before them, or that are missing between two."""
    before: DayRow | None = None
    rows = select(DayRow).order_by(DayRow.issuer, DayRow.epoch, DayRow.number)
    for row in session.scalars(rows.execution_options(yield_per=_AT_ONCE)):
        told = Day.model_validate_json(row.body)
        follows = before is not None and (before.issuer, before.epoch) == (row.issuer, row.epoch)
        expected = digest_of(before.body.encode()) if before is not None and follows else ""
        number = before.number + 1 if before is not None and follows else 1
        if (row.number, told.number, told.previous) != (number, row.number, expected):
            key = LogKey(row.issuer, row.epoch, "revocations")
            yield Finding(
                fault=Fault.BROKEN,
                log=key,
                detail=f"statement {row.number} does not follow on the one before it",
            )
        before = row


def _held_against(session: Session, node: Node, key: LogKey, told: Chained, number: int) -> Iterator[Finding]:
    seq, held = told[0], log.head_of(session, key).seq
    said = f"by statement {number} of the day"
    if held >= seq:
        if chain_to(session, key, seq) != told:
            yield Finding(fault=Fault.OTHER, log=key, first=1, last=seq, detail=said)
    elif (key.origin, key.epoch) == (node.id, standing(session).epoch):
        yield Finding(fault=Fault.CUT, log=key, first=held + 1, last=seq, detail=said)


# ---------------------------------------------------------------- the stream


class Days:
    """Carries statements down, beside revocations."""

    name = "days"
    kinds = frozenset({DAY})

    def changes_after(self, session: Session, position: int, limit: int) -> Changes:
        """Return statements made here."""
        row = DayRow
        query = select(row).where(row.position > position, row.made_here).order_by(row.position)
        rows = session.scalars(query.limit(limit)).all()
        if not rows:
            return Changes(changes=[], position=position)
        me = standing(session)
        changes = [
            Change(
                kind=DAY,
                key=f"{one.epoch}:{one.number}",
                scope=own_scope(me),
                schema=1,
                body=one.body.encode(),
                changed_ms=Day.model_validate_json(one.body).made_ms,
                position=one.position,
            )
            for one in rows
        ]
        return Changes(changes=changes, position=rows[-1].position)

    def waiting(self, session: Session, position: int) -> dict[str, int]:
        """Count statements made here after a position."""
        count = session.connection().scalar(_MADE_HERE, {"position": position})
        return {DAY: count} if count else {}

    def apply(self, session: Session, records: Sequence[Record], context: Context) -> Sequence[Outcome]:
        """Take statements of the root."""
        return [self._apply_one(session, record, context) for record in records]

    def _apply_one(self, session: Session, record: Record, context: Context) -> Outcome:
        if record.schema != 1:
            return Outcome(verdict=Verdict.WAITING, reason="schema", detail="a newer form of statement")
        if not (context.is_authority and context.origin == standing(session).root):
            return Outcome(verdict=Verdict.REFUSED, reason="right", detail="only the root makes statements")
        try:
            told = Day.model_validate_json(record.body)
        except ValidationError as error:
            return Outcome(verdict=Verdict.REFUSED, reason="malformed", detail=str(error)[:500])
        epoch = record.key.partition(":")[0]
        row = DayRow
        same = (row.issuer == context.origin, row.epoch == epoch, row.number == told.number)
        present = session.scalar(select(row.body).where(*same))
        if present is not None:
            if present.encode() == record.body:
                return PRESENT
            return Outcome(
                verdict=Verdict.CONFLICT,
                reason="conflict",
                detail="another statement was made under this number",
            )
        session.add(
            DayRow(
                issuer=context.origin,
                epoch=epoch,
                number=told.number,
                body=record.body.decode(),
                made_here=False,
            )
        )
        session.flush()
        return APPLIED


_MADE_HERE = select(func.count()).where(DayRow.position > bindparam("position"), DayRow.made_here)


def newest_day(session: Session) -> Day | None:
    """Return the newest statement of the root that is known here."""
    root = standing(session).root
    query = select(DayRow.body).where(DayRow.issuer == root).order_by(DayRow.position.desc()).limit(1)
    body = session.scalar(query)
    return None if body is None else Day.model_validate_json(body)
