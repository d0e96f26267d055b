"""Take bytes as they arrive: keep them durably, and apply each segment the moment it is whole; files are filed.

Both sides use this: the one that is pushed to and the one that pulled. What was kept is never asked for
again. One segment is one transaction: its entries' effects, its bytes, its head and its quarantine.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sync import blackout, identity, log, quarantine, rot, scopes, segment, trust
from sync.canonical import digest_of
from sync.chunks import Mosaic
from sync.errors import CertificateError, SegmentError
from sync.filing import Filing
from sync.messages import Certificate, Frame, Partial, Record, RefusedSegment
from sync.node import Node, Standing, admitted_by, standing, vouched_for
from sync.segment import Header
from sync.tables import PartRow, RefusedRow
from sync.vector import Head, LogKey

KEEP_BYTES = 16 * 1024
_MOST_PARTIAL_BYTES = 64 * 1024 * 1024
_PART_AGE_MS = 30 * 24 * 60 * 60 * 1000

#: Why a segment is passed over that may come again, whole or by another hand.
PASSED_OVER = frozenset({"gap", blackout.ERASED})

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Taken:
    """What became of the frames so far."""

    heads: dict[LogKey, Head] = field(default_factory=dict)
    origins: set[str] = field(default_factory=set)
    partials: dict[str, int] = field(default_factory=dict)
    refused: list[RefusedSegment] = field(default_factory=list)
    records: int = 0
    moved: bool = False
    touched_blobs: bool = False
    spoilt: set[str] = field(default_factory=set)


class Intake:
    """Takes the bytes of a list of frames, in order, from one peer.

    Without ``asked_with`` the peer sent them of its own accord, and is told how far they are. Else it was asked, and
    that is what is here already of some of the files.
    """

    def __init__(
        self,
        node: Node,
        peer: str,
        frames: Sequence[Frame],
        *,
        asked_with: Mapping[str, Mosaic] | None = None,
    ) -> None:
        self.taken = Taken()
        self._node = node
        self.peer = peer
        self._frames = list(frames)
        self._index = -1
        self._left = 0
        self._base = 0
        self._buffer = bytearray()
        self._useful = False
        self._filing = Filing(
            node, frames, self.taken.partials, answers=asked_with is None, mosaics=asked_with or {}
        )
        self._next_frame()

    def feed(self, data: bytes) -> None:
        """Take the bytes that came next. Bytes beyond the last frame are ignored."""
        view = memoryview(data)
        while view.nbytes and self._index < len(self._frames):
            now = view[: self._left]
            view = view[len(now) :]
            self._left -= len(now)
            if self._useful:
                self._take(now)
            if self._left == 0:
                self._end_frame()

    def stop(self) -> None:
        """The bytes ended, in time or not: make durable what is here."""
        if self._index < len(self._frames) and self._useful and self._buffer:
            self._keep_part()
        self._filing.stop()
        self._told_of_files()

    # ------------------------------------------------------------ one frame

    def _next_frame(self) -> None:
        self._index += 1
        while self._index < len(self._frames):
            frame = self._frames[self._index]
            self._left = frame.length
            self._buffer.clear()
            self._useful = self._filing.begin(frame) if frame.what == "blob" else self._begin_segment(frame)
            if self._left:
                return
            self._index += 1

    def _begin_segment(self, frame: Frame) -> bool:
        with self._node.read() as session:
            self._base = self.taken.partials[frame.digest] = held_of(session, frame.digest)
            room = _MOST_PARTIAL_BYTES - _bytes_of(session, self.peer)
        fits = frame.offset == self._base and frame.offset + frame.length <= frame.size
        return fits and self._base < frame.size <= segment.MAX_ENCODED_BYTES and frame.length <= room

    def _take(self, data: memoryview) -> None:
        if self._frames[self._index].what == "blob":
            self._filing.feed(self._frames[self._index], data)
            return
        self._buffer += data
        if self._left and len(self._buffer) >= KEEP_BYTES:
            self._keep_part()

    def _end_frame(self) -> None:
        frame = self._frames[self._index]
        if self._useful and frame.what == "blob":
            self._filing.end(frame)
            self._told_of_files()
        elif self._useful and self._base + len(self._buffer) == frame.size:
            self._finish_segment(frame)
        elif self._useful:
            self._keep_part()
        self._next_frame()

    def _told_of_files(self) -> None:
        filing, taken = self._filing, self.taken
        taken.touched_blobs |= filing.touched
        taken.moved |= filing.moved
        taken.spoilt |= filing.spoilt
        taken.origins |= filing.origins

    def _keep_part(self) -> None:
        frame, data = self._frames[self._index], bytes(self._buffer)
        self._buffer.clear()
        try:
            with self._node.write() as session:
                session.add(
                    PartRow(
                        digest=frame.digest,
                        offset=self._base,
                        size=len(data),
                        peer=self.peer,
                        kept_ms=self._node.clock(),
                        data=data,
                    )
                )
            self._base += len(data)
        except IntegrityError:  # another request brings the same bytes; what it kept counts
            self._useful = False
            with self._node.read() as session:
                self._base = held_of(session, frame.digest)
        self.taken.partials[frame.digest] = self._base
        self.taken.moved |= bool(data)

    # ------------------------------------------------------------ whole

    def _finish_segment(self, frame: Frame) -> None:
        try:
            with self._node.write() as session:
                encoded = _parts(session, frame.digest) + bytes(self._buffer)
                session.execute(delete(PartRow).where(PartRow.digest == frame.digest))
                if digest_of(encoded) == frame.digest:
                    header, count = take_segment(session, self._node, encoded)
                    # Of one that was here before it is farther: what comes after that need not be sent either.
                    self.taken.heads[header.key] = log.head_of(session, header.key)
                    self.taken.origins.add(header.origin)
                    self.taken.records += count
                    self.taken.moved = True
                    self.taken.partials.pop(frame.digest, None)
                else:  # it rotted on the way, or never was what it was called: start anew
                    self.taken.partials[frame.digest] = 0
        except SegmentError as error:
            self._refuse(frame, error, encoded)

    def _refuse(self, frame: Frame, error: SegmentError, encoded: bytes) -> None:
        logger.warning("segment_refused", extra={"peer": self.peer, "code": error.code})
        self.taken.partials.pop(frame.digest, None)
        self.taken.refused.append(
            RefusedSegment(digest=frame.digest, code=error.code, detail=error.detail[:500])
        )
        with self._node.write() as session:
            session.execute(delete(PartRow).where(PartRow.digest == frame.digest))
            if error.code not in PASSED_OVER:
                _remember_refusal(session, self.peer, frame, error, encoded, now_ms=self._node.clock())


def take_segment(session: Session, node: Node, encoded: bytes) -> tuple[Header, int]:
    """Verify one whole segment and apply it; return its header and how many records were new.

    Raises:
        SegmentError: it was not taken, and nothing changed. Code ``gap``: only its predecessor is missing;
            ``erased``: entries are blacked out, and may not be, or not by whoever did it.
    """
    if segment.form_of(encoded) > node.forms:
        raise SegmentError("format", "these bytes are no segment this version knows")
    parts = segment.take_apart(encoded)
    header = parts.header
    me = standing(session)
    head = log.lock_head(session, header.key)
    present = log.segment_at(session, header.key, header.first)
    if present is not None and present.root == header.root:
        if rot.is_noted(session, present.digest):
            _mend(session, node, me, encoded, parts)
        return header, 0
    if present is not None or header.first <= head.seq:
        raise SegmentError("fork", "the origin signed two different entries under one number")
    if header.first != head.seq + 1:
        raise SegmentError("gap", f"entry {head.seq + 1} has to come first")
    if header.previous != head.root:
        raise SegmentError("fork", "it continues another log than the one that is held")
    limit = trust.limit_of(session, header.key)
    if limit is not None and header.first <= limit.end.seq <= header.last and header.head != limit.end:
        raise SegmentError("fork", "it is not the branch that the node's revocation names")
    origin = _origin(session, node, me, header)
    records = segment.open_segment(parts, public_key=origin.public_key)
    _check_rights(session, origin, me, header, records)
    blackout.check_holes(session, me, parts)
    encoded, readable = blackout.arriving(session, node, encoded, parts, records)
    log.append(session, header, encoded, records=records, now_ms=node.clock())
    quarantine.apply_records(session, node, readable, log_key=header.key, origin=origin, limit=limit)
    return header, header.last - header.first + 1


def _mend(session: Session, node: Node, me: Standing, encoded: bytes, parts: segment.Segment) -> None:
    """Take a copy of a segment that is held, and whose bytes cannot be read any more."""
    origin = _origin(session, node, me, parts.header)
    records = segment.open_segment(parts, public_key=origin.public_key)
    blackout.check_holes(session, me, parts)
    rot.take_copy(session, node, encoded, parts, records)


def partials(session: Session) -> list[Partial]:
    """Return what is here of segments that have not arrived whole."""
    found = session.execute(select(PartRow.digest, func.sum(PartRow.size)).group_by(PartRow.digest))
    return [Partial(digest=digest, offset=int(size)) for digest, size in found]


def held_of(session: Session, digest: str) -> int:
    """Return how many bytes of an unfinished segment are here."""
    return int(session.scalar(select(func.sum(PartRow.size)).where(PartRow.digest == digest)) or 0)


def forget_stale_parts(session: Session, *, now_ms: int) -> None:
    """Drop parts of segments that nobody went on with for a month."""
    session.execute(delete(PartRow).where(PartRow.kept_ms < now_ms - _PART_AGE_MS))


def _origin(session: Session, node: Node, me: Standing, header: Header) -> Certificate:
    if header.origin == node.id:
        return me.certificate
    known = vouched_for(session, [header.origin])
    signed = known.get(header.origin)
    if signed is None or me.root is None:
        raise SegmentError("unknown_origin", f"no certificate of {header.origin} is known here")
    try:
        return identity.trusted(signed, known=known, root=me.root)
    except CertificateError as error:
        raise SegmentError("untrusted_origin", str(error)) from None


def _check_rights(
    session: Session, origin: Certificate, me: Standing, header: Header, records: Sequence[Record]
) -> None:
    if not scopes.wants(me.certificate, header.key):
        raise SegmentError("scope", f"{header.scope} is not for this node")
    if scopes.parts_of(header.scope)[0] == scopes.PEOPLE:
        above = (me.certificate.node, me.root, admitted_by(session))
        if header.origin not in above:
            raise SegmentError(
                "right", f"{origin.name!r} has not admitted this node, and may not write to {header.scope}"
            )
    written_ms = max((record.stamp.wall_ms for record in records), default=0)
    if not scopes.may_write(origin, header.scope, at_ms=written_ms):
        raise SegmentError("right", f"{origin.name!r} may not write to {header.scope}")


def _parts(session: Session, digest: str) -> bytes:
    found = session.scalars(select(PartRow.data).where(PartRow.digest == digest).order_by(PartRow.offset))
    return b"".join(found)


def _bytes_of(session: Session, peer: str) -> int:
    return int(session.scalar(select(func.sum(PartRow.size)).where(PartRow.peer == peer)) or 0)


def _remember_refusal(
    session: Session, peer: str, frame: Frame, error: SegmentError, encoded: bytes, *, now_ms: int
) -> None:
    try:
        header = segment.take_apart(encoded).header
    except SegmentError:
        return  # not even a header: there is no log to stop
    key = (peer, header.origin, header.epoch, header.scope)
    if session.get(RefusedRow, key) is None:
        session.add(
            RefusedRow(
                peer=peer,
                origin=header.origin,
                epoch=header.epoch,
                scope=header.scope,
                digest=frame.digest,
                code=error.code,
                detail=error.detail,
                refused_ms=now_ms,
                encoded=encoded,
            )
        )
