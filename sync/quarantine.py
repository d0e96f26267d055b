"""Apply entries through their streams; keep aside, with its reason, what could not be applied.

An entry in quarantine is held and relayed like any other: only its effect here is outstanding. Waiting ones
are applied again when the files they named have arrived, or after the next conversation. What a node wrote after the
last entry that its revocation trusts is kept aside too, and taken if a later revocation trusts it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from sqlalchemy import Select, Subquery, bindparam, delete, exists, func, literal, select, union_all
from sqlalchemy.orm import Session

from sync import identity, wishes
from sync.clock import Stamp, observe
from sync.errors import CertificateError
from sync.messages import Certificate, Record, Wanted
from sync.node import Node, certificate_of
from sync.ports import BlobRef, Context, Outcome, Stream, Verdict
from sync.scopes import UPWARD, is_authority
from sync.tables import FeedRow, QuarantineRow, WantedBlobRow, WishRow
from sync.trust import REVOKED, Limit, limit_of
from sync.vector import LogKey

_STEP = 200
_NEEDED_FIRST = 0
#: Among kinds of records: the host wishes for it.
WISHED = "wish"
_MOST_BEGUN = 100  # only large files are ever begun and not here soon
_DISTRUSTED = Outcome(
    verdict=Verdict.REFUSED,
    reason=REVOKED,
    detail="its node's key was withdrawn, and what it wrote is trusted up to an earlier entry",
)
_TRUSTED_ANEW = Outcome(verdict=Verdict.WAITING, detail="it is trusted since, and applied next")

log = logging.getLogger(__name__)


def apply_records(
    session: Session,
    node: Node,
    records: Sequence[Record],
    *,
    log_key: LogKey,
    origin: Certificate,
    limit: Limit | None,
) -> None:
    """Hand records to their streams, in order, and keep aside what was not taken or is not trusted."""
    trusted = [record for record in records if limit is None or record.seq <= limit.last]
    for record in records[len(trusted) :]:
        _keep_aside(session, record, _DISTRUSTED, log_key=log_key, now_ms=node.clock())
    records = trusted
    for kind_known, run in groupby(records, key=lambda record: node.stream_of(record.kind)):
        batch = list(run)
        outcomes = _outcomes(session, node, kind_known, batch, log_key=log_key, origin=origin)
        for record, outcome in zip(batch, outcomes, strict=True):
            if outcome.verdict not in (Verdict.APPLIED, Verdict.PRESENT):
                _keep_aside(session, record, outcome, log_key=log_key, now_ms=node.clock())
    session.flush()


def retry_waiting(node: Node) -> int:
    """Apply waiting entries again that no longer wait for a file; return how many were taken."""
    taken, after = 0, 0
    while True:
        with node.write() as session:
            rows = _ready(session, after)
            for row in rows:
                if row.verdict == Verdict.WAITING.value:  # one before it may have been a revocation
                    taken += _retry(session, node, row)
        if not rows:
            return taken
        after = rows[-1].id


def judge_anew(session: Session, origin: str) -> None:
    """Go through what is kept of a node of which a revocation became known: what was trusted, or is now.

    What waits and is trusted no longer will not be taken; what was kept aside and is trusted now waits to be.
    """
    rows = session.scalars(select(QuarantineRow).where(QuarantineRow.origin == origin)).all()
    limits = {
        key: limit_of(session, key) for key in {LogKey(row.origin, row.epoch, row.scope) for row in rows}
    }
    for row in rows:
        limit = limits[LogKey(row.origin, row.epoch, row.scope)]
        if limit is not None and row.seq > limit.last:
            if row.verdict == Verdict.WAITING.value:
                _note(row, _DISTRUSTED)
        elif row.reason == REVOKED:
            _note(row, _TRUSTED_ANEW)
    session.flush()


def wanted_blobs(
    session: Session,
    node: Node,
    *,
    limit: int,
    made_by: Collection[str] | None = None,
    from_above: bool = False,
) -> list[Wanted]:
    """Return the files that waiting entries lack, the host has lost or wishes for, and that find room.

    Those that are wished for come last, in the order of their rank; of one rank small ones come first. Each with how
    much is here. What finds no room is not asked for until there is some, nor what comes after it: what is less needed
    would take the room; see ``bytes_without_room``.

    Args:
        session: one consistent view.
        node: the one that lacks them.
        limit: the most files.
        made_by: only what entries of these origins lack, and what was decided above: of facts and proposals, whoever
            holds an entry of an origin is on the way to its files, and nobody else is.
        from_above: leave out what facts and proposals lack: those who are above have no file that they did not get
            from here.
    """
    wanted = _wanted_or_wished()
    if made_by is not None or from_above:
        going_up = QuarantineRow.scope.in_(UPWARD)
        wanted = _with_wishes(
            _waited_for()
            .join(QuarantineRow, QuarantineRow.id == WantedBlobRow.record)
            .where(~going_up if from_above else ~going_up | QuarantineRow.origin.in_(made_by or ()))
        )
    rank = func.min(wanted.c.rank)
    found = session.execute(
        select(wanted.c.digest, wanted.c.size, rank)
        .group_by(wanted.c.digest, wanted.c.size)
        .order_by(rank, wanted.c.size)
        .limit(limit)
    )
    sizes = {digest: (place, size) for digest, size, place in found}
    sizes |= {one.digest: (_NEEDED_FIRST, one.size) for one in node.blobs.lost()}
    in_order = sorted(sizes.items(), key=lambda item: item[1])[:limit]
    room, fitting = node.blobs.room(), list[Wanted]()
    for digest, (_, size) in in_order:
        offset = node.blobs.partial_size(digest)
        room -= size - offset
        if room < 0:
            break
        fitting.append(Wanted(digest=digest, size=size, offset=offset))
    return fitting


def bytes_without_room(session: Session, node: Node) -> int:
    """Return by how many bytes the files that are wanted are more than this node may take now."""
    listed = _wanted_or_wished()
    wanted = select(listed.c.digest, listed.c.size).distinct().subquery()
    total = session.scalar(select(func.sum(wanted.c.size))) or 0
    if total <= (room := node.blobs.room()):
        return 0
    largest = session.scalars(select(wanted.c.digest).order_by(wanted.c.size.desc()).limit(_MOST_BEGUN))
    return max(0, int(total) - sum(map(node.blobs.partial_size, largest)) - room)


def likenesses(session: Session, digests: Iterable[str]) -> dict[str, str]:
    """Return, of those of some wanted files of which it is known, a file here that is likely to share much with it."""
    wanted, found = _wanted_or_wished(), dict[str, str]()
    for some in _steps(list(digests)):
        rows = session.execute(
            select(wanted.c.digest, wanted.c.like).where(
                wanted.c.digest.in_(some), wanted.c.like.is_not(None)
            )
        )
        found |= {digest: like for digest, like in rows if like is not None}
    return found


def kinds_wanting(session: Session, digests: Collection[str]) -> dict[str, set[str]]:
    """Return who lacks some files, those that anybody lacks: the kinds of records that wait for them, ``WISHED``."""
    found: dict[str, set[str]] = {}
    for some in _steps(list(digests)):
        rows = session.connection().execute(_KINDS_WANTING, {"digests": list(some)})
        for digest, kind in rows:
            found.setdefault(digest, set()).add(kind)
        for digest in session.scalars(select(WishRow.digest).where(WishRow.digest.in_(some)).distinct()):
            found.setdefault(digest, set()).add(WISHED)
    return found


_KINDS_WANTING = (
    select(WantedBlobRow.digest, QuarantineRow.kind)
    .join(QuarantineRow, QuarantineRow.id == WantedBlobRow.record)
    .where(WantedBlobRow.digest.in_(bindparam("digests", expanding=True)))
    .distinct()
)


def is_wanted(session: Session, node: Node, digest: str, size: int) -> bool:
    """Say whether some waiting entry lacks this file, or the host has lost it or wishes for it."""
    return bool(which_wanted(session, node, [BlobRef(digest, size)]))


def which_wanted(session: Session, node: Node, refs: Iterable[BlobRef]) -> set[BlobRef]:
    """Return those of some files that a waiting entry lacks, or that the host has lost or wishes for."""
    named = set(refs)
    found = named & set(node.blobs.lost())
    wanted = _wanted_or_wished()
    for some in _steps([ref.digest for ref in named]):
        rows = session.execute(select(wanted.c.digest, wanted.c.size).where(wanted.c.digest.in_(some)))
        found |= named & {BlobRef(digest, size) for digest, size in rows}
    return found


def blobs_arrived(session: Session, node: Node, digests: Iterable[str]) -> set[str]:
    """Note that files are here, whole and verified; apply again what waited for nothing else, and tell who wished.

    All in one transaction: a process that died in between would leave entries that nothing tries again.

    Returns:
        The origins of the entries that waited for them.
    """
    origins = set[str]()
    for some in _steps(list(digests)):
        came = WantedBlobRow.digest.in_(some)
        ids = list(session.scalars(select(WantedBlobRow.record).where(came).distinct()))
        session.execute(delete(WantedBlobRow).where(came))
        origins |= set(
            session.scalars(select(QuarantineRow.origin).where(QuarantineRow.id.in_(ids)).distinct())
        )
        for row in session.scalars(_READY.where(QuarantineRow.id.in_(ids))).all():
            _retry(session, node, row)
        for name in wishes.granted(session, some):
            if node.wishes is not None:
                node.wishes.came(session, name)
    return origins


def without_files(session: Session, origins: Collection[str]) -> dict[str, dict[str, int]]:
    """Count, per origin and kind, the facts and proposals of some origins that are here and lack files."""
    found: dict[str, dict[str, int]] = {}
    for origin, kind, count in session.connection().execute(_WITHOUT_FILES, {"origins": [*origins]}):
        found.setdefault(origin, {})[kind] = count
    return found


_WITHOUT_FILES = (
    select(QuarantineRow.origin, QuarantineRow.kind, func.count())
    .where(
        QuarantineRow.origin.in_(bindparam("origins", expanding=True)),
        QuarantineRow.scope.in_(UPWARD),
        exists().where(WantedBlobRow.record == QuarantineRow.id),
    )
    .group_by(QuarantineRow.origin, QuarantineRow.kind)
)


def take_up_arrived(node: Node, *, limit: int) -> None:
    """Note files that are here and were not noted: their process died as soon as they were whole."""
    with node.read() as session:
        wanted = wanted_blobs(session, node, limit=limit)
    for some in _steps(list(node.blobs.arrived(one.digest for one in wanted))):
        with node.write() as session:
            blobs_arrived(session, node, some)


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """One entry in quarantine, for pages and commands."""

    origin: str
    kind: str
    key: str
    verdict: str
    reason: str
    detail: str
    since_ms: int


def kept_aside(session: Session, *, limit: int) -> list[Kept]:
    """Return the newest entries in quarantine."""
    rows = session.scalars(select(QuarantineRow).order_by(QuarantineRow.id.desc()).limit(limit))
    return [
        Kept(
            origin=row.origin,
            kind=row.kind,
            key=row.key,
            verdict=row.verdict,
            reason=row.reason,
            detail=row.detail,
            since_ms=row.since_ms,
        )
        for row in rows
    ]


def newest(session: Session) -> int:
    """Return where the entry stands that was put in quarantine last."""
    return session.scalar(select(func.max(QuarantineRow.id))) or 0


def reasons_after(session: Session, position: int) -> dict[str, int]:
    """Count, per reason, the entries put in quarantine after a position that are still there."""
    found = session.execute(
        select(QuarantineRow.reason, func.count())
        .where(QuarantineRow.id > position)
        .group_by(QuarantineRow.reason)
    )
    return {reason: count for reason, count in found}  # noqa: C416 - rows are not pairs to the type checker


def waiting_bodies(session: Session, kind: str) -> list[bytes]:
    """Return the bodies of the entries of a kind that wait for something."""
    row = QuarantineRow
    query = select(row.body).where(row.kind == kind, row.verdict == Verdict.WAITING.value)
    return list(session.scalars(query.order_by(row.id)))


# ---------------------------------------------------------------- applying


def _outcomes(
    session: Session,
    node: Node,
    stream: Stream | None,
    batch: Sequence[Record],
    *,
    log_key: LogKey,
    origin: Certificate,
) -> Sequence[Outcome]:
    if stream is None:
        unknown = f"this version does not know records of kind {batch[0].kind!r}"
        return [Outcome(verdict=Verdict.WAITING, reason="kind", detail=unknown)] * len(batch)
    _observe(session, stream, batch, now_ms=node.clock())
    context = _context(node, batch, log_key=log_key, origin=origin)
    try:
        with session.begin_nested():
            return stream.apply(session, batch, context)
    except Exception:
        # A stream promises not to raise for one bad record; when it does, the others must not suffer.
        log.exception("apply_failed", extra={"stream": stream.name, "records": len(batch)})
    return [_apply_alone(session, stream, record, context) for record in batch]


def _apply_alone(session: Session, stream: Stream, record: Record, context: Context) -> Outcome:
    try:
        with session.begin_nested():
            return stream.apply(session, [record], context)[0]
    except Exception as error:  # noqa: BLE001 - whatever it was, it is kept with the record and shown
        return Outcome(
            verdict=Verdict.REFUSED, reason="error", detail=f"{type(error).__name__}: {error}"[:500]
        )


def _context(node: Node, batch: Sequence[Record], *, log_key: LogKey, origin: Certificate) -> Context:
    written_ms = max(record.stamp.wall_ms for record in batch)
    return Context(
        origin=log_key.origin,
        epoch=log_key.epoch,
        scope=log_key.scope,
        role=origin.role,
        units=origin.units,
        is_authority=is_authority(origin, log_key.scope, at_ms=written_ms),
        now_ms=node.clock(),
    )


def _observe(session: Session, stream: Stream, batch: Iterable[Record], *, now_ms: int) -> None:
    """Move the stream's clock on, so that what is written here next counts as later than what came in."""
    feed = session.get(FeedRow, stream.name)
    if feed is None:
        feed = FeedRow(name=stream.name, position=0, wall_ms=0, counter=0)
        session.add(feed)
    newest = max(record.stamp for record in batch)
    feed.wall_ms, feed.counter = observe(Stamp(feed.wall_ms, feed.counter), newest, now_ms)


# ---------------------------------------------------------------- keeping aside


def _keep_aside(session: Session, record: Record, outcome: Outcome, *, log_key: LogKey, now_ms: int) -> None:
    row = QuarantineRow(
        origin=log_key.origin,
        epoch=log_key.epoch,
        scope=log_key.scope,
        seq=record.seq,
        kind=record.kind,
        key=record.key,
        schema=record.schema,
        wall_ms=record.stamp.wall_ms,
        counter=record.stamp.counter,
        body=record.body,
        since_ms=now_ms,
    )
    _note(row, outcome)
    session.add(row)
    log.info(
        "record_kept_aside",
        extra={"origin": row.origin, "kind": row.kind, "verdict": row.verdict, "reason": row.reason},
    )


def _note(row: QuarantineRow, outcome: Outcome) -> None:
    row.verdict, row.reason, row.detail = outcome.verdict.value, outcome.reason, outcome.detail
    lacking = {blob.digest: blob for blob in outcome.blobs}
    row.blobs = [_wanted(blob) for blob in lacking.values()]


@cache
def _wanted_or_wished() -> Subquery:
    """Return the files that are lacking, with their ranks: of those that entries wait for it is the first."""
    return _with_wishes(_waited_for())


def _waited_for() -> Select[str, int, str | None, int]:
    row = WantedBlobRow
    return select(row.digest, row.size, row.like, literal(_NEEDED_FIRST).label("rank"))


def _with_wishes(waited_for: Select[str, int, str | None, int]) -> Subquery:
    wish = WishRow
    return union_all(waited_for, select(wish.digest, wish.size, wish.like, wish.rank)).subquery()


def _wanted(blob: BlobRef) -> WantedBlobRow:
    return WantedBlobRow(digest=blob.digest, size=blob.size, like=blob.like)


def _ready(session: Session, after: int) -> list[QuarantineRow]:
    return list(session.scalars(_READY.where(QuarantineRow.id > after).limit(_STEP)))


def _steps(digests: Sequence[str]) -> Iterator[Sequence[str]]:
    return (digests[first : first + _STEP] for first in range(0, len(digests), _STEP))


_READY = (
    select(QuarantineRow)
    .where(
        QuarantineRow.verdict == Verdict.WAITING.value,
        ~exists().where(WantedBlobRow.record == QuarantineRow.id),
    )
    .order_by(QuarantineRow.id)
)


def _retry(session: Session, node: Node, row: QuarantineRow) -> bool:
    signed = certificate_of(session, row.origin)
    if signed is None:
        return False
    try:
        origin = identity.read_certificate(signed)
    except CertificateError:
        return False
    record = Record(
        seq=row.seq,
        kind=row.kind,
        key=row.key,
        schema=row.schema,
        body=row.body,
        stamp=Stamp(row.wall_ms, row.counter),
    )
    log_key = LogKey(row.origin, row.epoch, row.scope)
    stream = node.stream_of(row.kind)
    (outcome,) = _outcomes(session, node, stream, [record], log_key=log_key, origin=origin)
    if outcome.verdict in (Verdict.APPLIED, Verdict.PRESENT):
        session.delete(row)
        session.flush()
        return True
    row.blobs = []
    session.flush()  # the old wants are gone before the new ones come
    _note(row, outcome)
    return False
