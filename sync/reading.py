"""Read one log as its origin sealed it, from where it was read before: what is wrong with it is found, not raised."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from sync import blackout, days, identity, log, losses, scopes, segment
from sync.canonical import digest_of
from sync.clock import Stamp
from sync.errors import CertificateError, SegmentError
from sync.findings import Fault, Finding, finding_from, verification_now
from sync.identity import read_certificate
from sync.messages import Certificate, Record
from sync.node import Node, Standing, chain_of, standing
from sync.ports import Compared
from sync.tables import ErasureRow, FindingRow, QuarantineRow, SegmentRow, VerifiedRow
from sync.vector import Head, LogKey

SEGMENTS_AT_ONCE = 20
MOST_OF_ONE_SEGMENT = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentKept:
    """One segment, as its row tells it."""

    first: int
    last: int
    root: str
    digest: str
    size: int
    kinds: str
    blacked_by: str | None
    kept_ms: int


class Reading:
    """Reads segments of one log in order, from where it was read before."""

    def __init__(self, session: Session, node: Node, key: LogKey, mark: VerifiedRow | None) -> None:
        state = json.loads(mark.state) if mark is not None else {}
        self.key = key
        self.seq = mark.seq if mark is not None else 0
        self.root: str | None = mark.root if mark is not None else ""
        self.erased = mark.erased if mark is not None else 0
        self.whole = mark.whole if mark is not None else verification_now(session).whole
        self.stamps = {kind: Stamp(*stamp) for kind, stamp in state.get("stamps", {}).items()}
        self.host_state = int(state.get("kept", 0))
        self.findings: list[Finding] = []
        self.damaged: list[str] = []
        self.compared: list[Compared] = []
        self._session = session
        self._node = node
        self._me = standing(session)
        self._orders = set(session.scalars(select(ErasureRow.order_id)))
        self._origin = certified(session, node, self._me, key.origin)
        if self._origin is None and mark is None:
            self._find(Fault.STRANGER, detail=f"no certificate of {key.origin} leads to this network's root")

    @property
    def _is_retold(self) -> bool:
        """Whether the log tells anew what stands in others."""
        return scopes.parts_of(self.key.scope)[0] == scopes.PEOPLE

    @property
    def state(self) -> str:
        """Return what is needed to read on, as JSON."""
        return json.dumps({"stamps": self.stamps, "kept": self.host_state})

    def read(self, ref: SegmentKept) -> None:
        """Read one segment through."""
        encoded = log.encoding_of(self._session, ref.digest)
        if ref.first != self.seq + 1:
            missing = ref.first > self.seq + 1
            self._find(
                Fault.REMOVED if missing else Fault.MISPLACED,
                self.seq + 1 if missing else ref.first,
                ref.first - 1 if missing else ref.last,
                ref=ref,
            )
            self.root = None  # what came before is not known
        if encoded is None or len(encoded) != ref.size or digest_of(encoded) != ref.digest:
            self._find(Fault.DAMAGED, ref.first, ref.last, ref=ref)
            self.damaged.append(ref.digest)
        else:
            try:
                parts = segment.take_apart(encoded)
                self._open(ref, parts)
            except SegmentError as error:
                self._find(Fault.CHANGED, ref.first, ref.last, ref=ref, detail=error.detail)
        self.seq, self.root = ref.last, ref.root

    def end(self, head: Head) -> None:
        """The log ends here: that it does where its head says is looked at with all other ends."""
        self.seq = max(self.seq, head.seq)

    def _open(self, ref: SegmentKept, parts: segment.Segment) -> None:
        header, known = parts.header, self._origin
        if (header.key, header.first, header.last, header.root) != (self.key, ref.first, ref.last, ref.root):
            said = f"it was signed as entries {header.first} to {header.last} of {'/'.join(header.key)}"
            self._find(Fault.MISPLACED, ref.first, ref.last, ref=ref, detail=said)
            return
        if known is None:
            return
        records = segment.open_segment(parts, public_key=known.public_key)
        if self.root is not None and header.previous != self.root:
            self._find(Fault.BROKEN, ref.first, ref.last, ref=ref)
        self._check_row(ref, parts, records)
        self._check_holes(ref, parts)
        if not self._is_retold:  # those are stamped as they were made, and told as they came
            self._check_stamps(ref, records)
        self._compare(ref, records)

    def _check_row(self, ref: SegmentKept, parts: segment.Segment, records: Sequence[Record]) -> None:
        by = None if parts.holes is None else parts.holes.by
        told, found = Counter(json.loads(ref.kinds)), Counter(record.kind for record in records)
        agrees = told == found if by is None else not found - told
        if not agrees or by != ref.blacked_by:
            self._find(Fault.COUNT, ref.first, ref.last, ref=ref)

    def _check_holes(self, ref: SegmentKept, parts: segment.Segment) -> None:
        if parts.holes is None:
            return
        by = certified(self._session, self._node, self._me, parts.holes.by)
        ordered = {order for _, _, order in parts.holes.out} <= self._orders
        is_hidden = scopes.parts_of(self.key.scope)[0] == scopes.REVOCATIONS
        signed = by is not None and segment.holes_are_signed(parts, public_key=by.public_key)
        if is_hidden or not ordered or not signed:
            out = [seq for seq, _, _ in parts.holes.out]
            self._find(Fault.HOLE, out[0], out[-1], ref=ref, detail=f"by {parts.holes.by}")
        self.erased += len(parts.holes.out)

    def _check_stamps(self, ref: SegmentKept, records: Iterable[Record]) -> None:
        backwards = [one for one in records if not self._is_later(one)]
        for record in backwards[:1]:
            said = (
                f"{len(backwards)} of its entries are stamped before the one of their kind that they follow"
            )
            self._find(Fault.DATED, record.seq, record.seq, ref=ref, key=record.key, detail=said)

    def _is_later(self, record: Record) -> bool:
        before = self.stamps.get(record.kind)
        self.stamps[record.kind] = max(record.stamp, before or record.stamp)
        return before is None or record.stamp > before

    def _compare(self, ref: SegmentKept, records: Sequence[Record]) -> None:
        aside = _kept_aside(self._session, self.key, ref)
        for record in records:
            if record.kind == days.DAY and record.seq not in aside:
                self._check_day(ref, record)
        if self._node.kept is None:
            return
        erasing = is_erasing(self._session)
        compared = self._node.kept.compare(
            self._session,
            records,
            made_here=self.key.origin == self._node.id and not self._is_retold,
            in_order=not losses.lost_here(self._session),
            state=self.host_state,
        )
        self.host_state = compared.state
        self.compared.append(compared)
        differing = [
            one
            for one in compared.differences
            if one.seq not in aside and not (erasing and one.fault == Fault.RECORD_REMOVED)
        ]
        for one in differing[:MOST_OF_ONE_SEGMENT]:
            self.findings.append(finding_from(self.key, one, kept_ms=ref.kept_ms))

    def _check_day(self, ref: SegmentKept, record: Record) -> None:
        if not days.is_kept(self._session, self.key.origin, record):
            said = "a statement of the day is not kept as it was signed"
            self._find(Fault.OTHER, record.seq, record.seq, ref=ref, key=record.key, detail=said)

    def _find(
        self,
        fault: Fault,
        first: int = 0,
        last: int = 0,
        *,
        ref: SegmentKept | None = None,
        key: str = "",
        detail: str = "",
    ) -> None:
        kept_ms = None if ref is None else ref.kept_ms
        self.findings.append(
            Finding(
                fault=fault, log=self.key, first=first, last=last, key=key, kept_ms=kept_ms, detail=detail
            )
        )


def segments_after(session: Session, key: LogKey, seq: int) -> list[SegmentKept]:
    """Return the next segments of a log, as their rows tell them."""
    row = SegmentRow
    columns = (row.first, row.last, row.root, row.digest, row.size, row.kinds, row.blacked_by, row.kept_ms)
    query = select(*columns).where(*of_log(row, key), row.last > seq).order_by(row.first)
    return [SegmentKept(**found._mapping) for found in session.execute(query.limit(SEGMENTS_AT_ONCE))]  # noqa: SLF001 - its public name


def certified(session: Session, node: Node, me: Standing, who: str) -> Certificate | None:
    """Return what is certified of a node, if that leads to the root; of this node, whoever certified it."""
    if who == node.id:
        return me.certificate
    chain = chain_of(session, who)
    known = {read_certificate(one).node: one for one in chain}
    if who not in known or me.root is None:
        return None
    try:
        return identity.trusted(known[who], known=known, root=me.root)
    except CertificateError:
        return None


def _kept_aside(session: Session, key: LogKey, ref: SegmentKept) -> set[int]:
    row = QuarantineRow
    between = select(row.seq).where(*of_log(row, key), row.seq >= ref.first, row.seq <= ref.last)
    return set(session.scalars(between))


def is_erasing(session: Session) -> bool:
    """Say whether somebody is being erased here at this moment."""
    return session.scalar(select(ErasureRow.position).where(ErasureRow.stage != blackout.DONE)) is not None


def of_log(
    row: type[FindingRow | SegmentRow | QuarantineRow], key: LogKey
) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions under which rows belong to a log."""
    return row.origin == key.origin, row.epoch == key.epoch, row.scope == key.scope
