"""A sealed run of entries: signed by its origin, chained to the one before, relayed byte for byte.

Layout of an encoded segment::

    4 bytes   "OSG1"
    2 bytes   length of the header, big-endian
    header    canonical JSON: origin, epoch, scope, first, last, previous, root, codec
    64 bytes  Ed25519 signature of the header by the origin's key
    payload   the entries, as ``codec`` says

The signature covers the Merkle root of the entries, not the payload. So one can be blacked out, and its hash kept,
without the origin's key; that is form 2, "OSG2", in which a list stands before the payload (4 bytes, its length;
canonical JSON) that says which entries are missing, by which order, and who says so. Trees are built as in RFC 6962.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated

from pydantic import Field, ValidationError

from sync import codec, merkle
from sync.canonical import canonical_json, digest_of
from sync.errors import SegmentError
from sync.identity import NodeKey, verify
from sync.messages import Counted, Digest, NodeId, OrderId, Record, Wire
from sync.vector import Head, LogKey

MAX_ENTRIES = 500
MAX_ENTRY_BYTES = 1024 * 1024
USUAL_ENCODED_BYTES = 64 * 1024
MAX_ENCODED_BYTES = 16 * 1024 * 1024

NEWEST_FORM = 2

_FORMS = {b"OSG1": 1, b"OSG2": 2}
_SIGNATURE_BYTES = 64
_NOTHING_LEFT = 0  # in place of an encoding


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What the origin signs."""

    origin: str
    epoch: str
    scope: str
    first: int
    last: int
    previous: str
    root: str
    codec: int

    @property
    def key(self) -> LogKey:
        """Return the log this segment belongs to."""
        return LogKey(self.origin, self.epoch, self.scope)

    @property
    def head(self) -> Head:
        """Return where the log stands once this segment is held."""
        return Head(self.last, self.root)


class Holes(Wire):
    """The list of what is blacked out in a segment: number, hash of the leaf, order; signed by whoever did it."""

    out: Annotated[tuple[tuple[Counted, Digest, OrderId], ...], Field(min_length=1, max_length=MAX_ENTRIES)]
    codec: int
    by: NodeId
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A segment taken apart, nothing verified yet."""

    header: Header
    signed: bytes
    signature: str
    payload: bytes
    holes: Holes | None = None


def seal(records: Sequence[Record], *, log: LogKey, previous: str, key: NodeKey) -> bytes:
    """Return the encoded segment of consecutive records.

    Args:
        records: numbered without gaps.
        log: the log they belong to, of the key's own node.
        previous: root of the segment before, empty for the first.
        key: the origin's.
    """
    encoding, payload = codec.encode(records)
    header = Header(
        origin=log.origin,
        epoch=log.epoch,
        scope=log.scope,
        first=records[0].seq,
        last=records[-1].seq,
        previous=previous,
        root=merkle_root(records),
        codec=encoding,
    )
    signed = canonical_json(asdict(header))
    signature = bytes.fromhex(key.sign("segment", signed))
    return b"".join((b"OSG1", len(signed).to_bytes(2, "big"), signed, signature, payload))


def black_out(segment: Segment, orders: Mapping[int, str], *, key: NodeKey) -> bytes:
    """Return the encoded segment without some entries; those that were missing before are missing still.

    Args:
        segment: one that has been opened, or is held.
        orders: by the entries' numbers, on whose account; may be empty, where only another hand signs for it.
        key: of the node that does it.
    """
    records = read(segment)
    before = {} if segment.holes is None else {seq: (leaf, order) for seq, leaf, order in segment.holes.out}
    now = {one.seq: (_leaf_hash(one).hex(), orders[one.seq]) for one in records if one.seq in orders}
    out = [(seq, *hole) for seq, hole in sorted((before | now).items())]
    left = [record for record in records if record.seq not in now]
    encoding, payload = codec.encode(left) if left else (_NOTHING_LEFT, b"")
    signature = key.sign("erasure", _signed_holes(segment.signed, out))
    holes = canonical_json({"out": out, "codec": encoding, "by": key.node, "signature": signature})
    return b"".join(
        (
            b"OSG2",
            len(segment.signed).to_bytes(2, "big"),
            segment.signed,
            bytes.fromhex(segment.signature),
            len(holes).to_bytes(4, "big"),
            holes,
            payload,
        )
    )


def holes_are_signed(segment: Segment, *, public_key: str) -> bool:
    """Say whether the node that is named as having blacked entries out did so."""
    if segment.holes is None:
        return True
    signed = _signed_holes(segment.signed, segment.holes.out)
    return verify(public_key, "erasure", signed, segment.holes.signature)


def take_apart(encoded: bytes) -> Segment:
    """Return a segment's parts.

    Raises:
        SegmentError: the bytes are no segment.
    """
    form = form_of(encoded)
    if not form:
        raise SegmentError("format", "these bytes are no segment this version knows")
    start = 6
    end = start + int.from_bytes(encoded[4:6], "big")
    signed, signature = encoded[start:end], encoded[end : end + _SIGNATURE_BYTES]
    try:
        header = Header(**json.loads(signed))
        numbers_fit = 1 <= header.first <= header.last < header.first + MAX_ENTRIES
    except (ValueError, TypeError, RecursionError):
        raise SegmentError("header", "the header cannot be read") from None
    if len(signature) != _SIGNATURE_BYTES or not numbers_fit or canonical_json(asdict(header)) != signed:
        raise SegmentError("header", "the header is cut short or says the impossible")
    rest = encoded[end + _SIGNATURE_BYTES :]
    holes, payload = (None, rest) if form == 1 else _take_holes(rest, header)
    return Segment(header=header, signed=signed, signature=signature.hex(), payload=payload, holes=holes)


def open_segment(segment: Segment, *, public_key: str) -> list[Record]:
    """Return the records that are not blacked out, once the signature and every entry's hash are right.

    Raises:
        SegmentError: the origin did not sign this, or the entries are not the ones it signed.
    """
    header = segment.header
    if not verify(public_key, "segment", segment.signed, segment.signature):
        raise SegmentError("signature", f"{header.origin} did not sign this")
    records = read(segment)
    leaves = {record.seq: _leaf_hash(record) for record in records}
    if segment.holes is not None:
        leaves |= {seq: bytes.fromhex(leaf) for seq, leaf, _ in segment.holes.out}
    if (
        sorted(leaves) != _numbers(header)
        or merkle.root_of([leaves[seq] for seq in sorted(leaves)]) != header.root
    ):
        raise SegmentError("root", "the entries are not the ones that were signed")
    return records


def read(segment: Segment) -> list[Record]:
    """Return the records that are not blacked out, as they stand there: for segments that were verified as they came.

    Raises:
        SegmentError: the payload is damaged.
    """
    header, holes = segment.header, segment.holes
    if holes is None:
        return codec.decode(segment.payload, codec=header.codec, first=header.first)
    if holes.codec == _NOTHING_LEFT:
        return []
    missing = {seq for seq, _, _ in holes.out}
    numbers = [seq for seq in _numbers(header) if seq not in missing]
    records = codec.decode(segment.payload, codec=holes.codec, first=header.first)
    if len(records) != len(numbers):
        raise SegmentError("root", "other entries are left than the list says")
    return [replace(record, seq=seq) for record, seq in zip(records, numbers, strict=True)]


def form_of(encoded: bytes) -> int:
    """Return the form of an encoded segment; 0 where the bytes are none."""
    return _FORMS.get(encoded[:4], 0)


def digest_of_encoding(encoded: bytes) -> str:
    """Return the name under which an encoded segment travels and resumes."""
    return digest_of(encoded)


def merkle_root(records: Sequence[Record]) -> str:
    """Return the root over the entries' hashes (RFC 6962 §2.1)."""
    return merkle.root_of([_leaf_hash(record) for record in records])


def leaf(record: Record) -> bytes:
    """Return the one spelling of an entry: its facts on a line, then its body."""
    facts = [record.seq, record.kind, record.key, record.schema, record.stamp.wall_ms, record.stamp.counter]
    return canonical_json(facts) + b"\n" + record.body


def _leaf_hash(record: Record) -> bytes:
    return merkle.leaf_hash(leaf(record))


def _numbers(header: Header) -> list[int]:
    return list(range(header.first, header.last + 1))


def _signed_holes(signed: bytes, out: Sequence[tuple[int, str, str]]) -> bytes:
    return canonical_json([hashlib.sha256(signed).hexdigest(), out])


def _take_holes(rest: bytes, header: Header) -> tuple[Holes, bytes]:
    end = 4 + int.from_bytes(rest[:4], "big")
    try:
        holes = Holes.model_validate_json(rest[4:end])
    except ValidationError:
        raise SegmentError("header", "the list of what is blacked out cannot be read") from None
    numbers = [seq for seq, _, _ in holes.out]
    if not header.first <= numbers[0] <= numbers[-1] <= header.last or numbers != sorted(set(numbers)):
        raise SegmentError("header", "the list of what is blacked out says the impossible")
    return holes, rest[end:]
