"""Segments that are kept here and cannot be read any more: noticed before they are sent, and mended.

In this order: this node's own are sealed again from what the host has, which yields the same bytes if all of it is
there still; a good copy is asked of whoever has it; and what is on no other node, as far as this one knows, is declared
lost by its origin (``losses``), so that nothing waits for it for ever. A copy that turns up later is taken like any
segment.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy.orm import Session

from sync import blackout, ledger, log, losses, segment, sequencer
from sync.canonical import digest_of
from sync.clock import Stamp, tick
from sync.errors import SegmentError
from sync.findings import Fault
from sync.messages import Record, SegmentRef
from sync.node import Node, lock_row, remember_generation, standing
from sync.ports import Change, Stream
from sync.segment import Segment
from sync.tables import FindingRow, PeerRow, RevocationRow, RottenRow, SegmentRow, VerifiedRow
from sync.vector import Head, LogKey

#: So long others are asked who once said that they have a copy; then they have it no more.
ASKED_FOR_MS = 14 * 24 * 60 * 60 * 1000
_CHANGES_AT_ONCE = 500

logger = logging.getLogger(__name__)


# ---------------------------------------------------------------- noticing


def unreadable(session: Session, digests: Iterable[str]) -> set[str]:
    """Return those of some segments, by their digests, that are kept here and are not what they are called by."""
    return {digest for digest in digests if not _is_whole(session, digest)}


def _is_whole(session: Session, digest: str) -> bool:
    encoded = log.encoding_of(session, digest)
    return encoded is not None and digest_of(encoded) == digest


def note(node: Node, digests: Collection[str]) -> None:
    """Keep in mind that segments cannot be read."""
    if not digests:
        return
    with node.write() as session:
        row = SegmentRow
        for one in session.scalars(select(row).where(row.digest.in_(digests))):
            key = LogKey(one.origin, one.epoch, one.scope)
            if session.get(RottenRow, (*key, one.first)) is not None:
                continue
            logger.error("segment_unreadable", extra={"origin": one.origin, "first": one.first})
            session.add(
                RottenRow(
                    origin=key.origin,
                    epoch=key.epoch,
                    scope=key.scope,
                    first=one.first,
                    last=one.last,
                    before=log.head_before(session, key, one.first).root,
                    root=one.root,
                    digest=one.digest,
                    size=one.size,
                    found_ms=node.clock(),
                )
            )


def noted(session: Session) -> list[RottenRow]:
    """Return the segments that cannot be read, in the order of their logs."""
    row = RottenRow
    return list(session.scalars(select(row).order_by(row.origin, row.epoch, row.scope, row.first)))


def is_noted(session: Session, digest: str) -> bool:
    """Say whether a segment is kept here and cannot be read."""
    return bool(session.scalar(select(exists().where(RottenRow.digest == digest))))


def key_of(row: RottenRow) -> LogKey:
    """Return the log in which a segment cannot be read."""
    return LogKey(row.origin, row.epoch, row.scope)


def ref_of(row: RottenRow) -> SegmentRef:
    """Return a segment that cannot be read as it is asked for."""
    return SegmentRef(
        log=key_of(row), first=row.first, last=row.last, root=row.root, digest=row.digest, size=row.size
    )


def head_before(row: RottenRow) -> Head:
    """Return the head after which a segment that cannot be read comes."""
    return Head(row.first - 1, row.before)


# ---------------------------------------------------------------- a good copy


def take_copy(
    session: Session, node: Node, encoded: bytes, parts: Segment, records: Sequence[Record]
) -> bool:
    """Keep a copy, which was verified, in place of bytes that cannot be read; say whether it was needed."""
    header = parts.header
    row = session.get(RottenRow, (*header.key, header.first), with_for_update=True)
    if row is None or (row.last, row.root) != (header.last, header.root):
        return False
    encoded, _ = blackout.arriving(session, node, encoded, parts, records)
    _put_back(session, row, encoded)
    return True


def _put_back(session: Session, row: RottenRow, encoded: bytes) -> None:
    holes = segment.take_apart(encoded).holes
    key = key_of(row)
    segments = SegmentRow
    session.execute(
        update(segments)
        .where(*_of_log(segments, key), segments.first == row.first)
        .values(
            encoded=encoded,
            digest=digest_of(encoded),
            size=len(encoded),
            blacked_by=None if holes is None else holes.by,
        )
    )
    found = FindingRow
    session.execute(
        delete(found).where(
            *_of_log(found, key), found.first == row.first, found.fault == Fault.DAMAGED.value
        )
    )
    # What it tells was not seen: its log is read again.
    session.execute(
        update(VerifiedRow).where(*_of_log(VerifiedRow, key)).values(seq=0, root="", erased=0, state="{}")
    )
    session.delete(row)
    session.flush()
    logger.warning("segment_mended", extra={"origin": key.origin, "first": row.first})


# ---------------------------------------------------------------- what a node does by itself


def mend_some(node: Node) -> bool:
    """Do the next step for what cannot be read; return whether anything was done, and more may be left."""
    with node.read() as session:
        rotten = noted(session)
        whole = [row for row in rotten if _is_whole(session, row.digest)]
        own = [row for row in rotten if row.origin == node.id]
        telling = losses.is_telling_again(session)
    if whole:  # the disk gave other bytes that time, or somebody has put them back
        _take_back(node, whole)
        return True
    if telling:
        _tell_again(node)
        return True
    return any(_seal_again(node, row) or _declare(node, row) for row in own)


def _take_back(node: Node, rows: Sequence[RottenRow]) -> None:
    with node.write() as session:
        for row in rows:
            again, encoded = (
                session.get(RottenRow, (*key_of(row), row.first)),
                log.encoding_of(session, row.digest),
            )
            if again is not None and encoded is not None:
                _put_back(session, again, encoded)


def _tell_again(node: Node) -> None:
    changes = list(islice(losses.untold(node), segment.MAX_ENTRIES))
    with node.write() as session:
        lock_row(session)
        numbered = sequencer.number_again(session, node, changes)
        losses.note_told_again(session, changes[:numbered])
        if not changes:
            losses.end_telling(session, now_ms=node.clock())
    remember_generation(node)


def _declare(node: Node, row: RottenRow) -> bool:
    """Declare a segment lost that nobody is known to have, and go on in the present epoch behind it."""
    key = key_of(row)
    with node.write() as session:
        lock_row(session)
        again = session.get(RottenRow, (*key, row.first))
        waited = node.clock() - row.found_ms > ASKED_FOR_MS
        if again is None or (not waited and _is_elsewhere(session, row)):
            return False
        before = head_before(again)
        if key.epoch == standing(session).epoch:
            common = log.held(session, origins=[node.id]) | {key: before}
            sequencer.begin_anew(session, node, reason="entries could not be read any more", common=common)
        else:
            sequencer.move_on(session, node, key, before)
    remember_generation(node)
    return True


def _is_elsewhere(session: Session, row: RottenRow) -> bool:
    """Say whether somebody else holds a segment, by what was heard and signed of nodes that are trusted."""
    key = key_of(row)
    covered = ledger.covered_by_receipts(session, row.origin, root=standing(session).root)
    vectors = [covered.by_root, covered.by_others]
    trusted = select(PeerRow.heard).where(PeerRow.node.not_in(select(RevocationRow.node)))
    vectors += [ledger.vector_from(heard) for heard in session.scalars(trusted)]
    return any(key in vector and vector[key].seq >= row.last for vector in vectors)


# ---------------------------------------------------------------- sealing again


def _seal_again(node: Node, row: RottenRow) -> bool:
    """Put a segment of this node's own back, if the host still has all that was in it."""
    key = key_of(row)
    with node.read() as session:
        kept = log.segment_at(session, key, row.first)
        kinds: dict[str, int] = {} if kept is None else json.loads(kept.kinds)
        before = _last_of_each_kind(session, key, row.first)
    records: list[Record] = []
    for stream in node.streams:
        count = sum(kinds.get(kind, 0) for kind in stream.kinds)
        if count:
            last = max(
                (one for kind, one in before.items() if kind in stream.kinds), key=_stamp, default=None
            )
            records += _told_after(node, stream, last, count, scope=key.scope)
    numbered = [replace(one, seq=row.first + place) for place, one in enumerate(records)]
    if len(numbered) != row.last - row.first + 1 or segment.merkle_root(numbered) != row.root:
        return False
    encoded = segment.seal(numbered, log=key, previous=row.before, key=node.key)
    with node.write() as session:
        again = session.get(RottenRow, (*key, row.first))
        if again is None:
            return False
        _put_back(session, again, blackout.numbered(session, node, encoded, numbered))
    return True


def _last_of_each_kind(session: Session, key: LogKey, first: int) -> dict[str, Record]:
    """Return the last entry of each kind in the segments of a log before a number, as far as they can be read."""
    found: dict[str, Record] = {}
    for ref in log.segments_after(session, key, 0):
        if ref.first >= first:
            break
        if ref.last < first - _LOOKED_BACK:
            continue
        try:
            records = segment.read(segment.take_apart(log.encoding_of(session, ref.digest) or b""))
        except SegmentError:
            continue
        found |= {one.kind: one for one in records}
    return found


#: So many entries before it are looked at for what a segment continues.
_LOOKED_BACK = 5_000


def _stamp(record: Record) -> Stamp:
    return record.stamp


def _told_after(node: Node, stream: Stream, last: Record | None, count: int, *, scope: str) -> list[Record]:
    """Return so many changes of a feed that follow on an entry, stamped as they were if nothing came in between."""
    changes = (one for one in _feed(node, stream) if one.scope == scope)
    if last is not None:
        for change in changes:
            if (change.kind, change.key) == (last.kind, last.key):
                break
    stamp = Stamp(0, 0) if last is None else last.stamp
    records = []
    for change in islice(changes, count):
        stamp = tick(stamp, change.changed_ms)
        records.append(
            Record(
                seq=0, kind=change.kind, key=change.key, schema=change.schema, body=change.body, stamp=stamp
            )
        )
    return records


def _feed(node: Node, stream: Stream) -> Iterator[Change]:
    position = 0
    while True:
        with node.read() as session:
            told = stream.changes_after(session, position, _CHANGES_AT_ONCE)
        yield from told.changes
        if told.position == position:
            return
        position = told.position


def _of_log(row: type[SegmentRow | FindingRow | VerifiedRow], key: LogKey) -> tuple[ColumnElement[bool], ...]:
    return row.origin == key.origin, row.epoch == key.epoch, row.scope == key.scope
