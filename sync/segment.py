"""A sealed run of entries: signed by its origin, chained to the one before, relayed byte for byte.

Layout of an encoded segment::

    4 bytes   "OSG1"
    2 bytes   length of the header, big-endian
    header    canonical JSON: origin, epoch, scope, first, last, previous, root, codec
    64 bytes  Ed25519 signature of the header by the origin's key
    payload   the entries, as ``codec`` says

The signature covers the Merkle root of the entries, not the payload: a later version may encode the same
entries anew, or black one out and keep its hash, without the origin's key. Trees are built as in RFC 6962.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sync import codec
from sync.canonical import canonical_json, digest_of
from sync.errors import SegmentError
from sync.identity import NodeKey, verify
from sync.messages import Record
from sync.vector import Head, LogKey

MAX_ENTRIES = 500
MAX_ENTRY_BYTES = 1024 * 1024
USUAL_ENCODED_BYTES = 64 * 1024
MAX_ENCODED_BYTES = 16 * 1024 * 1024

_MAGIC = b"OSG1"
_SIGNATURE_BYTES = 64


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A segment taken apart, nothing verified yet."""

    header: Header
    signed: bytes
    signature: str
    payload: bytes


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
    return b"".join((_MAGIC, len(signed).to_bytes(2, "big"), signed, signature, payload))


def take_apart(encoded: bytes) -> Segment:
    """Return a segment's parts.

    Raises:
        SegmentError: the bytes are no segment.
    """
    if encoded[:4] != _MAGIC:
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
    return Segment(
        header=header, signed=signed, signature=signature.hex(), payload=encoded[end + _SIGNATURE_BYTES :]
    )


def open_segment(segment: Segment, *, public_key: str) -> list[Record]:
    """Return the records, once the signature and every entry's hash are right.

    Raises:
        SegmentError: the origin did not sign this, or the entries are not the ones it signed.
    """
    header = segment.header
    if not verify(public_key, "segment", segment.signed, segment.signature):
        raise SegmentError("signature", f"{header.origin} did not sign this")
    records = codec.decode(segment.payload, codec=header.codec, first=header.first)
    if len(records) != header.last - header.first + 1 or merkle_root(records) != header.root:
        raise SegmentError("root", "the entries are not the ones that were signed")
    return records


def digest_of_encoding(encoded: bytes) -> str:
    """Return the name under which an encoded segment travels and resumes."""
    return digest_of(encoded)


def merkle_root(records: Sequence[Record]) -> str:
    """Return the root over the entries' hashes (RFC 6962 §2.1)."""
    level = [hashlib.sha256(b"\0" + leaf(record)).digest() for record in records]
    while len(level) > 1:
        paired = [
            hashlib.sha256(b"\1" + level[index] + level[index + 1]).digest()
            for index in range(0, len(level) - 1, 2)
        ]
        level = paired + level[len(paired) * 2 :]
    return level[0].hex()


def leaf(record: Record) -> bytes:
    """Return the one spelling of an entry: its facts on a line, then its body."""
    facts = [record.seq, record.kind, record.key, record.schema, record.stamp.wall_ms, record.stamp.counter]
    return canonical_json(facts) + b"\n" + record.body
