"""Give this node's own changes their numbers: read the feeds, number, seal, all in one transaction.

There is one sequencer per node, and nothing else numbers. An entry is numbered as it is sealed, so the
segment is the log: a change without an entry, or an entry without its change, cannot come to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync import blackout, log, losses, segment
from sync.clock import Stamp, tick
from sync.errors import SegmentError
from sync.messages import Record
from sync.node import Node, Standing, ensure_epoch, lock_row, open_epoch, remember_generation
from sync.ports import Change, Prepares, Stream
from sync.tables import FeedRow, SegmentRow
from sync.vector import Head, LogKey, Vector


def number_changes(node: Node) -> int:
    """Number and seal every local change that its feed tells; return how many entries there were.

    Called before each conversation. Works in transactions of one segment's size, so that learners' commits never
    wait long; safe to interrupt and to run in two processes.
    """
    numbered = 0
    while True:
        step = _number_step(node)
        numbered += step.entries
        if not step.moved:
            return numbered


def number_some(node: Node) -> bool:
    """Number and seal one segment's changes, once so many wait; return whether more may.

    The worker calls it now and then. Fewer wait for the next conversation: entries sealed together take a third of
    what they take one by one.
    """
    with node.read() as session:
        if sum(waiting_changes(session, node).values()) < segment.MAX_ENTRIES:
            return False
    return _number_step(node).moved


def waiting_changes(session: Session, node: Node) -> dict[str, int]:
    """Count, per kind, the local changes that have no number yet."""
    counts: dict[str, int] = {}
    read_to = _read_to(session)
    for stream in node.streams:
        for kind, count in stream.waiting(session, read_to.get(stream.name, 0)).items():
            counts[kind] = counts.get(kind, 0) + count
    return counts


def unnumbered_since_ms(session: Session, node: Node) -> dict[str, int]:
    """Return, per kind, when the first change was made that has no number yet; one answer for all kinds of a feed."""
    read_to = _read_to(session)
    since: dict[str, int] = {}
    for stream in node.streams:
        position = read_to.get(stream.name, 0)
        waiting = [kind for kind, count in stream.waiting(session, position).items() if count]
        first = stream.changes_after(session, position, 1).changes if waiting else ()
        since |= {kind: first[0].changed_ms for kind in waiting if first}
    return since


def begin_anew(session: Session, node: Node, *, reason: str, common: dict[LogKey, Head]) -> int:
    """Open a new epoch because somebody holds our present one otherwise than we do.

    Entries after ``common``, the heads that the peer is known to share with us, are numbered again in the
    new epoch, with their stamps. What the peer holds of the old epoch then comes to us like anybody's. What of them
    cannot be read any more is lost, and said to be.

    Returns:
        How many entries were numbered again.
    """
    present = lock_row(session).epoch
    own = [key for key in log.held(session) if (key.origin, key.epoch) == (node.id, present)]
    open_epoch(session, node, reason=reason)
    return sum(move_on(session, node, key, common.get(key, Head(0, ""))) for key in own)


def move_on(session: Session, node: Node, key: LogKey, to: Head) -> int:
    """Number what stands in one of this node's logs after a head again, in the present epoch; return how many.

    What was blacked out stays where it was.
    """
    present = lock_row(session).epoch
    moved, unreadable = 0, list[SegmentRow]()
    for row in log.cut_back(session, key, to):
        try:
            parts = segment.take_apart(row.encoded)
            records = segment.open_segment(parts, public_key=node.key.public_key)
        except SegmentError:
            unreadable.append(row)
            continue
        if records:
            _seal(session, node, LogKey(node.id, present, key.scope), records)
        moved += len(records)
    losses.declare(session, node, unreadable)
    return moved


def number_again(session: Session, node: Node, changes: Iterable[Change]) -> int:
    """Number changes that were numbered before and stand in no log any more; return how many found room."""
    row = lock_row(session)
    feeds = {row.name: row for row in session.scalars(select(FeedRow))}
    taken = _Taken()
    for change in changes:
        stream = node.stream_of(change.kind)
        if stream is None or not taken.has_room_for(change) or taken.entries >= segment.MAX_ENTRIES:
            break
        _take(feeds.get(stream.name) or _new_feed(session, stream.name), taken, change)
    for scope, records in taken.by_scope.items():
        _seal(session, node, LogKey(node.id, row.epoch, scope), records)
    if taken.entries:
        row.generation += 1
    return taken.entries


def is_overtaken(session: Session, node: Node, me: Standing, theirs: Vector) -> bool:
    """Say whether a peer holds our present logs farther, or otherwise, than we do."""
    for key, head in theirs.items():
        if (key.origin, key.epoch) == (node.id, me.epoch) and head.seq:
            ours = log.head_of(session, key)
            if head.seq > ours.seq or not log.ends_at(session, key, head):
                return True
    return False


# Every page asks (the sync chip): a statement made once costs a quarter of one made anew, and rows of columns
# need nothing of the ORM.
_READ_TO = select(FeedRow.name, FeedRow.position)


def _read_to(session: Session) -> dict[str, int]:
    """Return how far the feed of each stream is numbered."""
    return {name: position for name, position in session.connection().execute(_READ_TO)}  # noqa: C416 - rows are not pairs to the type checker


#: As many changes as usually fill a segment: what is read and finds no room is read again for the next.
READ_AT_ONCE = 128


@dataclass(slots=True)
class _Step:
    entries: int = 0
    moved: bool = False


@dataclass(slots=True)
class _Taken:
    """What one step took out of the feeds, by scope, and the room that is left."""

    entries: int = 0
    size: int = 0
    by_scope: dict[str, list[Record]] = field(default_factory=dict)

    def has_room_for(self, change: Change) -> bool:
        if not self.entries:
            return True  # a change larger than a segment stands alone in its own
        return self.entries < segment.MAX_ENTRIES and self.size + len(change.body) <= segment.MAX_ENTRY_BYTES


def _number_step(node: Node) -> _Step:
    with node.write() as session:
        step = _number_in(session, node)
    # After every step: the next one would take a file that lags behind for that of another life.
    remember_generation(node)
    return step


def _number_in(session: Session, node: Node) -> _Step:
    epoch_row = lock_row(session)
    ensure_epoch(session, node)
    step, taken = _Step(), _Taken()
    feeds = {row.name: row for row in session.scalars(select(FeedRow))}
    for stream in node.streams:
        feed = feeds.get(stream.name) or _new_feed(session, stream.name)
        if isinstance(stream, Prepares):
            step.moved |= stream.prepare(session, feed.position)
        step.moved |= _read_feed(session, stream, feed, taken)
        if taken.entries >= segment.MAX_ENTRIES:
            break
    for scope, records in taken.by_scope.items():
        _seal(session, node, LogKey(node.id, epoch_row.epoch, scope), records)
    if taken.entries:
        epoch_row.generation += 1
    step.entries = taken.entries
    return step


def _read_feed(session: Session, stream: Stream, feed: FeedRow, taken: _Taken) -> bool:
    before = feed.position
    while taken.entries < segment.MAX_ENTRIES:
        room = min(segment.MAX_ENTRIES - taken.entries, READ_AT_ONCE)
        told = stream.changes_after(session, feed.position, room)
        for change in told.changes:
            if not taken.has_room_for(change):
                return feed.position != before
            _take(feed, taken, change)
            feed.position = change.position
        if told.position == feed.position and not told.changes:
            break
        feed.position = told.position
    return feed.position != before


def _take(feed: FeedRow, taken: _Taken, change: Change) -> None:
    stamp = tick(Stamp(feed.wall_ms, feed.counter), change.changed_ms)
    feed.wall_ms, feed.counter = stamp
    record = Record(
        seq=0,  # given when sealed
        kind=change.kind,
        key=change.key,
        schema=change.schema,
        body=change.body,
        stamp=stamp,
    )
    taken.by_scope.setdefault(change.scope, []).append(record)
    taken.entries += 1
    taken.size += len(change.body)


def _seal(session: Session, node: Node, key: LogKey, records: Sequence[Record]) -> None:
    """Seal records as one segment, or as several where they do not become small together."""
    head = log.lock_head(session, key)
    numbered = list(_numbered(records, head.seq))
    encoded = segment.seal(numbered, log=key, previous=head.root, key=node.key)
    if len(encoded) > segment.USUAL_ENCODED_BYTES and len(records) > 1:
        for part in _parts(records, -(-len(encoded) // segment.USUAL_ENCODED_BYTES)):
            _seal(session, node, key, part)
        return
    header = segment.take_apart(encoded).header
    encoded = blackout.numbered(session, node, encoded, numbered)
    log.append(session, header, encoded, records=numbered, now_ms=node.clock())


def _parts(records: Sequence[Record], count: int) -> Iterator[Sequence[Record]]:
    """Yield the records in two parts or more, none larger than a *count*-th of all or else a single one."""
    sizes = [len(record.key) + len(record.body) for record in records]
    most, start, size = sum(sizes) / count, 0, 0
    for at, one in enumerate(sizes):
        if at > start and size + one > most:
            yield records[start:at]
            start, size = at, 0
        size += one
    yield records[start:]


def _numbered(records: Iterable[Record], after: int) -> Iterable[Record]:
    for seq, record in enumerate(records, start=after + 1):
        yield replace(record, seq=seq)


def _new_feed(session: Session, name: str) -> FeedRow:
    row = FeedRow(name=name, position=0, wall_ms=0, counter=0)
    session.add(row)
    return row
