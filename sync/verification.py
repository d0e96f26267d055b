"""Verify what is kept here: that nothing was removed, changed, put elsewhere or back-dated since it was signed.

Each log is read as its origin sealed it: bytes, signature, Merkle root, the root of the segment before, numbers without
a gap. Then its end is held against what was signed elsewhere, for what is cut off at the end leaves no gap: receipts of
others for this node's logs, and its own for theirs. The host holds the records against what it made of them
(``ports.Kept``). A verification goes on where the last one stopped; now and then everything is read from the first
entry. How far it came is advice for the quick one only: whoever can change a log can change that too.

Entries that are blacked out by an order are counted, and are no finding. The bytes of a segment that are no longer
those that were kept are damage, and mended; bytes that are, and were not signed, were put there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, tuple_
from sqlalchemy.orm import Session

from sync import days, findings, identity, log, losses, reading, rot, scopes
from sync.findings import ENDS, KEPT, LOG, Fault, Finding, verification_now, verification_row
from sync.messages import Receipt
from sync.node import Node, standing
from sync.reading import Reading, certified, is_erasing, of_log, segments_after
from sync.tables import FeedRow, FindingRow, LogRow, ReceiptRow, SegmentRow, VerifiedRow
from sync.vector import Head, LogKey, from_rows

_LOGS_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """How the verification stands: for pages and commands.

    Attributes:
        entries, of_entries: read in the present reading of everything, or in the last, and all that are held.
        erased: entries that are blacked out by an order.
        reading_all: a reading of everything is under way.
        latest_ms: when all that had come by then was verified last.
        whole_ms: when everything was last read from the first entry, to its end.
        unlisted: how many findings found no room.
    """

    entries: int
    of_entries: int
    erased: int
    reading_all: bool
    latest_ms: int | None
    whole_ms: int | None
    unlisted: int


# ---------------------------------------------------------------- what callers do


def verify(
    node: Node, *, everything: bool = False, told: Callable[[Verified], None] = lambda _: None
) -> None:
    """Verify what came since the last time, or everything; goes on where an earlier one was interrupted."""
    if everything:
        begin_everything(node)
    while _step(node, everything=everything):
        with node.read() as session:
            told(verified(session))


def begin_everything(node: Node) -> None:
    """Have everything read from the first entry, unless that is under way."""
    with node.write() as session:
        row = verification_row(session)
        if row.whole > row.whole_done:
            return
        row.whole += 1
        row.whole_began_ms = node.clock()
        row.kept_to = row.unlisted = 0
        if node.kept is not None:
            node.kept.forget(session)


def verify_some(node: Node) -> bool:
    """Do the next step of what is to be verified; return whether more is left. Each step is short."""
    with node.read() as session:
        everything = _reads_all(session)
    return _step(node, everything=everything)


def verified(session: Session) -> Verified:
    """Return how the verification stands."""
    row = verification_now(session)
    of_entries = session.scalar(select(func.sum(LogRow.seq))) or 0
    read = select(func.sum(VerifiedRow.seq), func.sum(VerifiedRow.erased))
    entries, erased = session.execute(read.where(VerifiedRow.whole >= row.whole)).one()
    return Verified(
        entries=min(int(entries or 0), int(of_entries)),
        of_entries=int(of_entries),
        erased=int(erased or 0),
        reading_all=row.whole > row.whole_done,
        latest_ms=row.latest_ms,
        whole_ms=row.whole_done_ms,
        unlisted=row.unlisted,
    )


# ---------------------------------------------------------------- steps


def _step(node: Node, *, everything: bool) -> bool:
    with node.read() as session:
        due = _due(session, everything=everything)
        looks = node.kept is not None and (everything or not _reads_all(session)) and not _is_blind(session)
    if due is not None:
        _read_on(node, *due)
        return True
    if looks and _look_on(node):
        return True
    _look_at_ends(node, everything=everything)
    with node.write() as session:
        row = verification_row(session)
        row.latest_ms = node.clock()
        if everything:
            row.whole_done, row.whole_done_ms = row.whole, row.whole_began_ms
            if looks:
                findings.forget_older(session, row.whole, FindingRow.part == KEPT)
    return False


def _due(session: Session, *, everything: bool) -> tuple[LogKey, bool] | None:
    """Return a log that is to be read on, and whether from its beginning: one of which something was found is."""
    row = verification_now(session)
    mark = VerifiedRow
    same = and_(mark.origin == LogRow.origin, mark.epoch == LogRow.epoch, mark.scope == LogRow.scope)
    behind: list[ColumnElement[bool]] = [mark.seq.is_(None), mark.seq < LogRow.seq]
    if everything:
        behind.append(mark.whole < row.whole)
    query = select(LogRow.origin, LogRow.epoch, LogRow.scope, mark.whole).outerjoin(mark, same)
    found = session.execute(
        query.where(LogRow.seq > 0, or_(*behind)).order_by(LogRow.origin, LogRow.epoch, LogRow.scope).limit(1)
    ).first()
    if found is None:
        return None
    key = LogKey(*found[:3])
    return key, everything and (found.whole is None or found.whole < row.whole)


def _read_on(node: Node, key: LogKey, afresh: bool) -> None:
    """Read the next segments of a log, and keep how far it was read and what was found."""
    with node.read() as session:
        mark = None if afresh else session.get(VerifiedRow, tuple(key))
        head = log.head_of(session, key)
        read = Reading(session, node, key, mark)
        refs = segments_after(session, key, read.seq)
        for ref in refs:
            read.read(ref)
        is_last = len(refs) < reading.SEGMENTS_AT_ONCE
        if is_last:
            read.end(head)
    rot.note(node, read.damaged)
    with node.write() as session:
        verification_row(session)  # of two that verify at one moment, one is the later
        if log.head_of(session, key).seq < head.seq:
            return  # it was cut back meanwhile: read again, the next time
        _keep_mark(session, read)
        findings.keep(session, LOG, read.findings, now_ms=node.clock())
        if is_last:
            findings.forget_older(session, read.whole, FindingRow.part == LOG, *of_log(FindingRow, key))
        if node.kept is not None:
            node.kept.note(session, read.compared)


def _look_on(node: Node) -> bool:
    """Have the host look through the next of what it keeps; return whether more is left."""
    if node.kept is None:
        return False
    with node.read() as session:
        if _due(session, everything=False) is not None:
            return True  # it has come meanwhile, and what it brought would seem to come from nowhere
        position = verification_now(session).kept_to
        numbered = {row.name: row.position for row in session.scalars(select(FeedRow))}
        looked = node.kept.look(session, position, numbered=numbered)
        me = standing(session)
    key = LogKey(node.id, me.epoch, scopes.UP)
    if looked.position != position or looked.differences:
        with node.write() as session:
            verification_row(session).kept_to = looked.position
            findings.keep(
                session,
                KEPT,
                [findings.finding_from(key, one) for one in looked.differences],
                now_ms=node.clock(),
            )
    return looked.more


def _look_at_ends(node: Node, *, everything: bool) -> None:
    with node.read() as session:
        found = [
            *_heads_that_lie(session),
            *_marks_beyond(session),
            *_receipts_beyond(session, node),
            *days.disagreements(session, node, everything=everything),
        ]
    with node.write() as session:
        standing_ones = {*findings.keep(session, ENDS, found, now_ms=node.clock())}
        session.execute(
            delete(FindingRow).where(FindingRow.part == ENDS, FindingRow.id.not_in(standing_ones))
        )


# ---------------------------------------------------------------- the ends of all logs


def _heads_that_lie(session: Session) -> Iterator[Finding]:
    """Find heads at which no segment ends, and segments beyond the head of their log."""
    row = SegmentRow
    same = (row.origin == LogRow.origin, row.epoch == LogRow.epoch, row.scope == LogRow.scope)
    ends = exists().where(*same, row.last == LogRow.seq, row.root == LogRow.root)
    beyond = exists().where(*same, row.last > LogRow.seq)
    wrong = or_(and_(LogRow.seq > 0, ~ends), beyond)
    query = select(LogRow.origin, LogRow.epoch, LogRow.scope, LogRow.seq).where(wrong).limit(_LOGS_AT_ONCE)
    for *key, seq in session.execute(query):
        yield Finding(fault=Fault.HEAD, log=LogKey(*key), first=seq, last=seq)
    headless = select(row.origin, row.epoch, row.scope, func.min(row.first), func.max(row.last)).where(
        tuple_(row.origin, row.epoch, row.scope).not_in(select(LogRow.origin, LogRow.epoch, LogRow.scope))
    )
    for *key, first, last in session.execute(headless.group_by(row.origin, row.epoch, row.scope)):
        yield Finding(fault=Fault.HEAD, log=LogKey(*key), first=first, last=last)


def _marks_beyond(session: Session) -> Iterator[Finding]:
    """Find logs of which more was verified once than is here."""
    mark = VerifiedRow
    same = (mark.origin == LogRow.origin, mark.epoch == LogRow.epoch, mark.scope == LogRow.scope)
    query = select(mark.origin, mark.epoch, mark.scope, mark.most, LogRow.seq).outerjoin(LogRow, and_(*same))
    gone = query.where(or_(LogRow.seq.is_(None), mark.most > LogRow.seq)).limit(_LOGS_AT_ONCE)
    for *key, verified_to, held_to in session.execute(gone):
        said = "they were here when the logs were verified before"
        yield Finding(
            fault=Fault.CUT, log=LogKey(*key), first=(held_to or 0) + 1, last=verified_to, detail=said
        )


def _receipts_beyond(session: Session, node: Node) -> Iterator[Finding]:
    """Find what was signed for and is not here: by others of this node's present log, by this node of all others."""
    me = standing(session)
    row = ReceiptRow
    ours = and_(row.issuer == node.id, row.issuer_epoch == me.epoch)
    query = select(row).where(or_(ours, row.origin == node.id)).execution_options(yield_per=_LOGS_AT_ONCE)
    for kept in session.scalars(query):
        try:
            receipt = Receipt.model_validate_json(kept.text)
        except ValueError:
            key = LogKey(kept.origin, kept.issuer_epoch, scopes.UP)
            yield Finding(fault=Fault.CHANGED, log=key, detail=f"a receipt of {kept.issuer} cannot be read")
            continue
        issuer = certified(session, node, me, receipt.issuer)
        if issuer is not None and not identity.verify(
            issuer.public_key, "receipt", kept.text.encode(), kept.signature
        ):
            key = LogKey(kept.origin, kept.issuer_epoch, scopes.UP)
            yield Finding(
                fault=Fault.CHANGED, log=key, detail=f"{kept.issuer} did not sign the receipt kept of it"
            )
            continue
        for key, head in from_rows(receipt.heads).items():
            # What a former life of this node had sent comes back by itself, and not at once.
            if key.origin == node.id and key.epoch != me.epoch:
                continue
            yield from _held_against(session, key, head, f"by a receipt of {receipt.issuer}")


def _held_against(session: Session, key: LogKey, head: Head, said: str) -> Iterator[Finding]:
    held = log.head_of(session, key)
    if held.seq < head.seq:
        yield Finding(fault=Fault.CUT, log=key, first=held.seq + 1, last=head.seq, detail=said)
    elif not log.ends_at(session, key, head):
        yield Finding(fault=Fault.OTHER, log=key, first=head.seq, last=head.seq, detail=said)


# ---------------------------------------------------------------- rows


def _reads_all(session: Session) -> bool:
    row = verification_now(session)
    return row.whole > row.whole_done


def _is_blind(session: Session) -> bool:
    """Say whether it is not known now all that the logs tell: somebody is being erased, or bytes are damaged."""
    damaged = select(FindingRow.id).where(FindingRow.fault == Fault.DAMAGED.value).limit(1)
    return is_erasing(session) or losses.is_telling_again(session) or session.scalar(damaged) is not None


def _keep_mark(session: Session, read: Reading) -> None:
    row = session.get(VerifiedRow, tuple(read.key))
    if row is None:
        origin, epoch, scope = read.key
        row = VerifiedRow(origin=origin, epoch=epoch, scope=scope, most=0)
        session.add(row)
    row.seq, row.root, row.whole = read.seq, read.root or "", read.whole
    row.most = max(row.most, read.seq)
    row.erased, row.state = read.erased, read.state
