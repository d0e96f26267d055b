"""Black out what is about people who are to be erased: as it arrives or is numbered here, and in the logs held.

Orders name a digest of the subject; the host says of each entry whom it is about. Both are asked only where there are
orders. Whoever blacks out signs for it, and a hole is believed only of those who are believed anyhow (``check_holes``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from sync import identity, log, scopes, segment
from sync.canonical import digest_of
from sync.errors import CertificateError, SegmentError
from sync.messages import Record
from sync.node import Node, Standing, known_certificates, revoked_nodes, standing
from sync.segment import Segment
from sync.tables import ErasureRow
from sync.vector import LogKey

#: A segment that is passed over for this is not remembered as refused: another encoding of it may come.
ERASED = "erased"

ORDERED, SWEPT, LOOKED, DONE = "ordered", "swept", "looked", "done"
SEGMENTS_AT_ONCE = 20

Place = tuple[str, str, str, int]


def subject_of(name: str) -> str:
    """Return the digest by which orders name somebody."""
    return digest_of(b"outpost erasure\n" + name.encode())


def orders_by_subject(session: Session) -> dict[str, str]:
    """Return whom this node was told to erase, and by which order: of several for one subject, one."""
    return {subject: order for subject, order in session.connection().execute(_ORDERS)}  # noqa: C416 - rows are not pairs to the type checker


_ORDERS = select(ErasureRow.subject, ErasureRow.order_id)


def concerned(node: Node, records: Iterable[Record], orders: Mapping[str, str]) -> dict[int, str]:
    """Return the numbers of records that are about somebody who is to be erased, each with an order."""
    if not orders or node.erasure is None:
        return {}
    found = {}
    for record in records:
        digests = map(subject_of, node.erasure.subjects_of(record))
        order = next((orders[digest] for digest in digests if digest in orders), None)
        if order is not None:
            found[record.seq] = order
    return found


def arriving(
    session: Session, node: Node, encoded: bytes, parts: Segment, records: Sequence[Record]
) -> tuple[bytes, Sequence[Record]]:
    """Return a segment as it is kept here, and those of its records that are given to the host.

    Hubs and centres sign for what others have blacked out, so that nothing rests on a key that is withdrawn later.
    """
    marked = concerned(node, records, orders_by_subject(session))
    theirs = parts.holes is not None and parts.holes.by != node.id
    if marked or (theirs and _is_believed(standing(session).certificate.role)):
        encoded = segment.black_out(parts, marked, key=node.key)
    return encoded, [record for record in records if record.seq not in marked] if marked else records


def numbered(session: Session, node: Node, encoded: bytes, records: Sequence[Record]) -> bytes:
    """Return a segment of this node's own as it is kept; the host has to erase what it told of late."""
    marked = concerned(node, records, orders_by_subject(session))
    if not marked:
        return encoded
    late = update(ErasureRow).where(ErasureRow.order_id.in_(set(marked.values())), ErasureRow.stage == DONE)
    session.execute(late.values(stage=LOOKED))
    return segment.black_out(segment.take_apart(encoded), marked, key=node.key)


def check_holes(session: Session, me: Standing, parts: Segment) -> None:
    """Check that what is blacked out in a segment may be.

    Raises:
        SegmentError: it may not, or not by whoever did it, or this node does not know the order yet.
    """
    header, holes = parts.header, parts.holes
    if holes is None:
        return
    if scopes.parts_of(header.scope)[0] == scopes.REVOCATIONS:
        raise SegmentError(ERASED, "a revocation or an order is never blacked out")
    named = {order for _, _, order in holes.out}
    if not _orders(session, named) >= named:
        raise SegmentError(ERASED, "entries are blacked out by an order that is not known here")
    known = known_certificates(session)
    if holes.by not in known or me.root is None or holes.by in revoked_nodes(session):
        raise SegmentError(ERASED, f"{holes.by}, who blacked entries out, is not known or withdrawn")
    try:
        by = identity.trusted(known[holes.by], known=known, root=me.root)
    except CertificateError as error:
        raise SegmentError(ERASED, str(error)) from None
    believed = by.node in {header.origin, me.root} or _is_believed(by.role) or me.decides
    if not believed or not segment.holes_are_signed(parts, public_key=by.public_key):
        raise SegmentError(ERASED, f"{by.name!r} may not black out what {header.origin} wrote")


def black_out_some(node: Node, after: Place | None) -> Place | None:
    """Black out entries in the next segments of the logs kept here; return how far that is, ``None`` at the end."""
    with node.read() as session:
        orders = orders_by_subject(session)
        found = log.encodings_after(session, after, limit=SEGMENTS_AT_ONCE)
    changed = [
        (key, first, encoded, anew)
        for key, first, encoded in found
        if (anew := _without(node, key, encoded, orders)) is not None
    ]
    if changed:
        with node.write() as session:
            for key, first, encoded, anew in changed:
                log.encode_anew(session, key, first, anew, instead_of=encoded)
    if len(found) < SEGMENTS_AT_ONCE:
        return None
    key, first, _ = found[-1]
    return (*key, first)


def sign_anew(node: Node, found: Sequence[tuple[LogKey, int, bytes]]) -> None:
    """Sign for what withdrawn nodes had blacked out, and was taken before: from here, too, nobody would take it else.

    A node that is withdrawn itself signs as well, which helps nobody and ends the matter.
    """
    with node.write() as session:
        for key, first, encoded in found:
            anew = segment.black_out(segment.take_apart(encoded), {}, key=node.key)
            log.encode_anew(session, key, first, anew, instead_of=encoded)


def is_about(node: Node, encoded: bytes, orders: Mapping[str, str]) -> bool:
    """Say whether an encoded segment may hold something about somebody who is to be erased."""
    try:
        return bool(concerned(node, segment.read(segment.take_apart(encoded)), orders))
    except SegmentError:
        return True  # nobody can tell


def _without(node: Node, key: LogKey, encoded: bytes, orders: Mapping[str, str]) -> bytes | None:
    if scopes.parts_of(key.scope)[0] == scopes.REVOCATIONS:
        return None
    try:
        parts = segment.take_apart(encoded)
        marked = concerned(node, segment.read(parts), orders)
    except SegmentError:
        return None  # it rotted here: nobody reads it, and nobody takes it
    return segment.black_out(parts, marked, key=node.key) if marked else None


def _is_believed(role: str) -> bool:
    return role in {"hub", "central"}


def _orders(session: Session, wanted: set[str]) -> set[str]:
    return set(session.scalars(select(ErasureRow.order_id).where(ErasureRow.order_id.in_(wanted))))
