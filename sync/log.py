"""The logs as kept: segments in a row, and one head per log that says how far.

A segment and its head are written in one transaction, so a head never promises what is not here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from sqlalchemy import bindparam, delete, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, undefer

from sync import scopes
from sync import segment as segments
from sync.messages import Record, SegmentRef
from sync.segment import Header
from sync.tables import (
    COMES_DOWN,
    OF_PEOPLE,
    LogRow,
    NodeRow,
    RevocationRow,
    RottenRow,
    SegmentRow,
    VerifiedRow,
)
from sync.vector import NOTHING, Head, LogKey


def held(session: Session, *, origins: Collection[str] | None = None) -> dict[LogKey, Head]:
    """Return this node's vector, or its part for some origins."""
    rows = session.connection()
    found = rows.execute(_HELD) if origins is None else rows.execute(_HELD_OF, {"origins": list(origins)})
    return {LogKey(origin, epoch, scope): Head(seq, root) for origin, epoch, scope, seq, root in found}


def held_for(session: Session, origins: Collection[str], peer: str) -> dict[LogKey, Head]:
    """Return the part of this node's vector that a node below has to do with: its origins' logs, and what comes down.

    A centre has two logs for each of its hundred thousand laptops, and is greeted by one hub after the other.
    """
    down = session.connection().execute(_DOWN).all()
    for_peer = session.connection().execute(_IN_SCOPE, {"scope": scopes.scope_for(scopes.PEOPLE, peer)}).all()
    found = {LogKey(*row[:3]): Head(*row[3:]) for row in (*down, *for_peer)}
    return held(session, origins=origins) | found


def held_towards(session: Session, peer: str) -> dict[LogKey, Head]:
    """Return this node's vector without what it tells other nodes alone of people."""
    return {key: head for key, head in held(session).items() if not _is_for_another(key, peer)}


def _is_for_another(key: LogKey, peer: str) -> bool:
    name, unit = scopes.parts_of(key.scope)
    return name == scopes.PEOPLE and peer not in {unit, key.origin}


# Every page asks for its own node's part.
_HELD = select(LogRow.origin, LogRow.epoch, LogRow.scope, LogRow.seq, LogRow.root).where(LogRow.seq > 0)
_DOWN = _HELD.where(COMES_DOWN)
_IN_SCOPE = _HELD.where(OF_PEOPLE, LogRow.scope == bindparam("scope"))
_HELD_OF = _HELD.where(LogRow.origin.in_(bindparam("origins", expanding=True)))


def head_of(session: Session, key: LogKey) -> Head:
    """Return how far one log is held."""
    row = session.get(LogRow, tuple(key))
    return NOTHING if row is None else Head(row.seq, row.root)


def lock_head(session: Session, key: LogKey) -> Head:
    """Return how far one log is held, and let nobody else move it until the transaction ends."""
    wanted = select(LogRow).where(
        LogRow.origin == key.origin, LogRow.epoch == key.epoch, LogRow.scope == key.scope
    )
    row = session.scalars(wanted.with_for_update()).one_or_none()
    if row is None:
        try:
            with session.begin_nested():
                session.add(LogRow(origin=key.origin, epoch=key.epoch, scope=key.scope, seq=0, root=""))
        except IntegrityError:
            return lock_head(session, key)  # another process was first with this log
        return NOTHING
    return Head(row.seq, row.root)


def append(
    session: Session, header: Header, encoded: bytes, *, records: Sequence[Record], now_ms: int
) -> SegmentRef:
    """Keep a segment that follows directly on its log's head, and move the head."""
    ref = SegmentRef(
        log=header.key,
        first=header.first,
        last=header.last,
        root=header.root,
        digest=segments.digest_of_encoding(encoded),
        size=len(encoded),
        form=segments.form_of(encoded),
    )
    holes = segments.take_apart(encoded).holes
    kinds = Counter(record.kind for record in records)
    session.add(
        SegmentRow(
            origin=header.origin,
            epoch=header.epoch,
            scope=header.scope,
            first=header.first,
            last=header.last,
            root=header.root,
            digest=ref.digest,
            size=ref.size,
            kinds=json.dumps(kinds, sort_keys=True),
            blacked_by=None if holes is None else holes.by,
            kept_ms=now_ms,
            encoded=encoded,
        )
    )
    _set_head(session, header.key, header.head)
    session.flush()
    return ref


def segments_after(session: Session, key: LogKey, seq: int) -> list[SegmentRef]:
    """Return the segments of one log after a number, in order."""
    row = SegmentRow
    found = session.execute(
        select(row.first, row.last, row.root, row.digest, row.size, row.blacked_by)
        .where(row.origin == key.origin, row.epoch == key.epoch, row.scope == key.scope, row.last > seq)
        .order_by(row.first)
    )
    return [
        SegmentRef(
            log=key,
            first=first,
            last=last,
            root=root,
            digest=digest,
            size=size,
            form=1 if blacked_by is None else 2,
        )
        for first, last, root, digest, size, blacked_by in found
    ]


def encoding_of(session: Session, digest: str) -> bytes | None:
    """Return an encoded segment's bytes."""
    return session.scalar(select(SegmentRow.encoded).where(SegmentRow.digest == digest))


def segment_at(session: Session, key: LogKey, first: int) -> SegmentRow | None:
    """Return the segment of a log that begins at a number."""
    return session.get(SegmentRow, (*key, first))


def ends_at(session: Session, key: LogKey, head: Head) -> bool:
    """Say whether this head is one that the log, as held here, has passed through."""
    row = SegmentRow
    found = session.scalar(
        select(row.root).where(
            row.origin == key.origin, row.epoch == key.epoch, row.scope == key.scope, row.last == head.seq
        )
    )
    return head == NOTHING or found == head.root


def encodings_after(
    session: Session, place: tuple[str, str, str, int] | None, *, limit: int
) -> list[tuple[LogKey, int, bytes]]:
    """Return segments of all logs, in the order of their keys: log, first number and encoding."""
    row = SegmentRow
    columns = (row.origin, row.epoch, row.scope, row.first)
    query = select(*columns, row.encoded).order_by(*columns).limit(limit)
    if place is not None:
        query = query.where(tuple_(*columns) > place)
    return [(LogKey(*found[:3]), found[3], found[4]) for found in session.execute(query)]


def blacked_out_by_withdrawn(session: Session, *, limit: int) -> list[tuple[LogKey, int, bytes]]:
    """Return segments in which another node blacked entries out, whose key was withdrawn since."""
    row = SegmentRow
    others = select(RevocationRow.node).where(RevocationRow.node.not_in(select(NodeRow.node)))
    rotten = select(RottenRow.digest).where(RottenRow.digest == row.digest)
    query = select(row.origin, row.epoch, row.scope, row.first, row.encoded).where(
        row.blacked_by.is_not(None), row.blacked_by.in_(others), ~rotten.exists()
    )
    return [(LogKey(*found[:3]), found[3], found[4]) for found in session.execute(query.limit(limit))]


def encode_anew(session: Session, key: LogKey, first: int, encoded: bytes, *, instead_of: bytes) -> None:
    """Keep another encoding of a segment, if it is still kept as it was."""
    row = SegmentRow
    holes = segments.take_apart(encoded).holes
    is_as_it_was = row.digest == segments.digest_of_encoding(instead_of)
    session.execute(
        update(row)
        .where(row.origin == key.origin, row.epoch == key.epoch, row.scope == key.scope, row.first == first)
        .where(is_as_it_was)
        .values(
            encoded=encoded,
            digest=segments.digest_of_encoding(encoded),
            size=len(encoded),
            blacked_by=None if holes is None else holes.by,
        )
    )


def counts_by_kind(
    session: Session, keys: Collection[LogKey]
) -> Iterable[tuple[LogKey, int, dict[str, int]]]:
    """Return, for each segment of these logs, its last number and how many entries of each kind it holds."""
    for key in keys:
        row = SegmentRow
        found = session.execute(
            select(row.last, row.kinds).where(
                row.origin == key.origin, row.epoch == key.epoch, row.scope == key.scope
            )
        )
        for last, kinds in found:
            yield key, last, json.loads(kinds)


def kept_after(session: Session, key: LogKey, seq: int) -> Iterator[tuple[list[str], int]]:
    """Return, for each segment of one log after a number, in order, its kinds and when it was kept."""
    row = SegmentRow
    found = session.execute(
        select(row.kinds, row.kept_ms)
        .where(row.origin == key.origin, row.epoch == key.epoch, row.scope == key.scope, row.last > seq)
        .order_by(row.first)
    )
    return ((list(json.loads(kinds)), kept_ms) for kinds, kept_ms in found)


def kinds_of(session: Session, ref: SegmentRef) -> frozenset[str]:
    """Return the kinds of the entries in a segment."""
    kinds = session.scalar(select(SegmentRow.kinds).where(SegmentRow.digest == ref.digest))
    return frozenset(json.loads(kinds or "{}"))


def head_before(session: Session, key: LogKey, first: int) -> Head:
    """Return where a log stood before the segment that begins at a number."""
    row = SegmentRow
    query = select(row.last, row.root).where(
        row.origin == key.origin, row.epoch == key.epoch, row.scope == key.scope, row.last == first - 1
    )
    found = session.execute(query).one_or_none()
    return NOTHING if found is None else Head(*found)


def place_of(session: Session, digest: str) -> tuple[LogKey, int, int] | None:
    """Return the log of a segment that is held, and the first and last numbers in it."""
    row = SegmentRow
    found = session.execute(
        select(row.origin, row.epoch, row.scope, row.first, row.last).where(row.digest == digest)
    ).one_or_none()
    return None if found is None else (LogKey(*found[:3]), found.first, found.last)


def cut_back(session: Session, key: LogKey, to: Head) -> list[SegmentRow]:
    """Take the segments after a head out of a log and return them, in order, with their encodings."""
    row = SegmentRow
    beyond = (row.origin == key.origin, row.epoch == key.epoch, row.scope == key.scope, row.last > to.seq)
    query = select(row).where(*beyond).order_by(row.first).options(undefer(row.encoded))
    taken_out = list(session.scalars(query))
    for one in taken_out:
        session.expunge(one)
    session.execute(delete(row).where(*beyond))
    mark = VerifiedRow  # what is taken out in order was not cut off
    session.execute(
        delete(mark).where(mark.origin == key.origin, mark.epoch == key.epoch, mark.scope == key.scope)
    )
    rotten = RottenRow
    session.execute(
        delete(rotten).where(
            rotten.origin == key.origin,
            rotten.epoch == key.epoch,
            rotten.scope == key.scope,
            rotten.last > to.seq,
        )
    )
    _set_head(session, key, to)
    session.flush()
    return taken_out


def _set_head(session: Session, key: LogKey, head: Head) -> None:
    row = session.get(LogRow, tuple(key))
    if row is None:
        session.add(LogRow(origin=key.origin, epoch=key.epoch, scope=key.scope, seq=head.seq, root=head.root))
    else:
        row.seq, row.root = head
