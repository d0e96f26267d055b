"""How far the logs of a node are trusted whose key was withdrawn.

Whoever has a stolen key can sign anything, and name any time for it. So what such a node wrote is judged by its place
in its logs, never by when it was written or by when and by whom it was brought: a revocation names, for each log, the
last entry that is trusted. Entries up to it are taken for ever; those after it, and logs that it does not name, are
held and relayed like any other and change nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from sync import identity, log, segment
from sync.canonical import canonical_json
from sync.errors import SegmentError
from sync.messages import Record
from sync.node import certificate_of
from sync.tables import QuarantineRow, RevocationRow, SegmentRow
from sync.vector import NOTHING, Head, LogKey

REVOKED = "revoked"


class Limit(NamedTuple):
    """How far one log is trusted: its last good entry, and the head of the segment in which that one lies.

    The head tells the branch that is meant where the log was written twice.
    """

    last: int
    end: Head


class TrustedLog(NamedTuple):
    """What a revocation says of one log of the node."""

    epoch: str
    scope: str
    limit: Limit


NO_TRUST = Limit(0, NOTHING)


# ---------------------------------------------------------------- what a revocation may name


def held_now(session: Session, node: str) -> list[TrustedLog]:
    """Return all that is held here of a node's logs."""
    return [
        TrustedLog(key.epoch, key.scope, Limit(head.seq, head))
        for key, head in sorted(log.held(session, origins=[node]).items())
    ]


def recorded_before(session: Session, node: str, before_ms: int) -> list[TrustedLog]:
    """Return what is held here of a node's logs up to a moment.

    What this node held already at that moment, by its own clock, was recorded before it. After that the node's own
    stamps are asked, up to the first that is not earlier; whoever has the key can set them back, so they count only
    for what is here as the question is asked.
    """
    found = []
    for key in sorted(log.held(session, origins=[node])):
        limit = _limit_before(session, key, before_ms)
        if limit.last:
            found.append(TrustedLog(key.epoch, key.scope, limit))
    return found


def _limit_before(session: Session, key: LogKey, before_ms: int) -> Limit:
    row = SegmentRow
    of_log = (row.origin == key.origin, row.epoch == key.epoch, row.scope == key.scope)
    here_then = select(row.last, row.root).where(*of_log, row.kept_ms < before_ms)
    newest = session.execute(here_then.order_by(row.last.desc()).limit(1)).one_or_none()
    limit = NO_TRUST if newest is None else Limit(newest.last, Head(newest.last, newest.root))
    for head, records in _segments_after(session, key, limit.last):
        early = _leading(records, before_ms)
        if early:
            limit = Limit(records[early - 1].seq, head)
        if early < len(records):
            break
    return limit


def _leading(records: Sequence[Record], before_ms: int) -> int:
    """Return how many records come before the first that was stamped at that moment or later."""
    late = (place for place, record in enumerate(records) if record.stamp.wall_ms >= before_ms)
    return next(late, len(records))


# ---------------------------------------------------------------- what a revocation says


def revocation_of(session: Session, node: str) -> RevocationRow | None:
    """Return the revocation of a node that counts, if there is one: of several, on every node the same."""
    rows = session.scalars(select(RevocationRow).where(RevocationRow.node == node)).all()
    return max(rows, key=_rank, default=None)


def withdrawn_ms(session: Session, node: str) -> int | None:
    """Return when a node's key was first withdrawn, by the clock of whoever did it; ``None`` if it was not."""
    return session.scalar(select(func.min(RevocationRow.revoked_ms)).where(RevocationRow.node == node))


def _rank(row: RevocationRow) -> tuple[int, str, str, str]:
    # Two that bear one time by one hand are of two lives of that hand. Any rule will do that all nodes share.
    return row.revoked_ms, row.revoker, row.trusted or "", row.reason


def trusted_by(row: RevocationRow) -> list[TrustedLog] | None:
    """Return what a revocation trusts; ``None`` where nobody has said, as older programs do not: all of it."""
    return None if row.trusted is None else from_text(row.trusted)


def as_text(logs: Sequence[TrustedLog]) -> str:
    """Return what a revocation says of logs as its row keeps it: sorted, so that equal answers are equal texts."""
    return canonical_json(as_rows(logs)).decode("ascii")


def as_rows(logs: Sequence[TrustedLog]) -> list[tuple[str, str, int, int, str]]:
    """Return what a revocation says of logs as it travels: epoch, scope, last entry, number and root of its end."""
    return [(one.epoch, one.scope, one.limit.last, *one.limit.end) for one in sorted(logs)]


def from_text(text: str) -> list[TrustedLog]:
    """Read back what ``as_text`` returned."""
    return from_rows(json.loads(text))


def from_rows(rows: Iterable[tuple[str, str, int, int, str]]) -> list[TrustedLog]:
    """Read back what ``as_rows`` returned."""
    return [TrustedLog(epoch, scope, Limit(last, Head(end, root))) for epoch, scope, last, end, root in rows]


def limit_of(session: Session, key: LogKey) -> Limit | None:
    """Return how far a log is trusted; ``None`` when all of it is, as that of any node whose key was not withdrawn.

    Of a log that is held here on another branch than the one that is meant, nothing is trusted.
    """
    revocation = revocation_of(session, key.origin)
    trusted = None if revocation is None else trusted_by(revocation)
    if trusted is None:
        return None
    limit = next((one.limit for one in trusted if (one.epoch, one.scope) == key[1:]), NO_TRUST)
    passed = log.head_of(session, key).seq >= limit.end.seq
    return NO_TRUST if passed and not log.ends_at(session, key, limit.end) else limit


# ---------------------------------------------------------------- what is not trusted


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubted:
    """What is held of one log beyond the last entry that is trusted.

    Attributes:
        set_aside: how many entries were kept aside and change nothing here.
        taken: how many were taken before the revocation was known here; they stay.
    """

    log: LogKey
    after: int
    set_aside: int
    taken: int


def doubted(session: Session, node: str) -> list[Doubted]:
    """Return the logs of a withdrawn node of which more is held here than is trusted."""
    found = []
    for key, head in sorted(log.held(session, origins=[node]).items()):
        limit = limit_of(session, key)
        if limit is not None and limit.last < head.seq:
            aside = select(func.count(QuarantineRow.id)).where(*_beyond(key, limit.last))
            set_aside = session.scalar(aside) or 0
            taken = head.seq - limit.last - set_aside
            found.append(Doubted(log=key, after=limit.last, set_aside=set_aside, taken=taken))
    return found


def doubted_records(session: Session, one: Doubted) -> Iterator[tuple[Record, bool]]:
    """Return the entries of a log that are held and not trusted, in order, and whether each was taken before."""
    kept_aside = set(session.scalars(select(QuarantineRow.seq).where(*_beyond(one.log, one.after))))
    for _, records in _segments_after(session, one.log, one.after):
        yield from ((record, record.seq not in kept_aside) for record in records if record.seq > one.after)


def _beyond(key: LogKey, seq: int) -> tuple[ColumnElement[bool], ...]:
    row = QuarantineRow
    return row.origin == key.origin, row.epoch == key.epoch, row.scope == key.scope, row.seq > seq


def _segments_after(session: Session, key: LogKey, seq: int) -> Iterator[tuple[Head, list[Record]]]:
    signed = certificate_of(session, key.origin)
    if signed is None:
        return
    public_key = identity.read_certificate(signed).public_key
    for ref in log.segments_after(session, key, seq):
        encoded = log.encoding_of(session, ref.digest) or b""
        try:
            records = segment.open_segment(segment.take_apart(encoded), public_key=public_key)
        except SegmentError:
            return  # it cannot be read any more: what follows is not told before it is mended
        yield Head(ref.last, ref.root), records
