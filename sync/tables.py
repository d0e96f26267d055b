"""What sync keeps: who this node is, its peers, the logs and how far they are held, receipts, what waits.

Instants are integer milliseconds since 1970, UTC, as some node believed: they come from many clocks.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, MetaData, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite counts by itself only in a column whose type is exactly INTEGER.
Counter = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """The tables of sync; no other package's rows are pointed at."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {int: BigInteger, str: Text, bytes: LargeBinary}  # noqa: RUF012 - SQLAlchemy reads it


# ---------------------------------------------------------------- this node


class NodeRow(Base):
    """This node; always exactly one row, with ``id`` 1. Locking it lets one process number at a time."""

    __tablename__ = "sync_node"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    node: Mapped[str]
    root: Mapped[str | None]
    epoch: Mapped[str]
    generation: Mapped[int] = mapped_column(default=0)
    receipts_position: Mapped[int] = mapped_column(default=0)
    created_ms: Mapped[int]


class EpochRow(Base):
    """One life of this node's logs, and why it began."""

    __tablename__ = "sync_epoch"

    epoch: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    opened_ms: Mapped[int]


class FeedRow(Base):
    """How far the sequencer has read one stream's feed, and the last stamp it gave there."""

    __tablename__ = "sync_feed"

    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(default=0)
    wall_ms: Mapped[int] = mapped_column(default=0)
    counter: Mapped[int] = mapped_column(default=0)


# ---------------------------------------------------------------- other nodes


class CertificateRow(Base):
    """The newest certificate known of a node, as signed."""

    __tablename__ = "sync_certificate"

    node: Mapped[str] = mapped_column(primary_key=True)
    signer: Mapped[str]
    text: Mapped[str]
    signature: Mapped[str]


class PeerRow(Base):
    """A node this one talks to.

    ``said`` is the vector the peer last heard from us, ``heard`` the one we last heard from it (JSON rows);
    ``wants`` are the files that its last bundle asked for (JSON pairs of digest and size).
    """

    __tablename__ = "sync_peer"

    node: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str | None] = mapped_column(index=True)  # few have one where many have joined
    paired_ms: Mapped[int]
    epoch: Mapped[str | None]
    said: Mapped[bytes] = mapped_column(default=b"[]")
    heard: Mapped[bytes] = mapped_column(default=b"[]")
    receipts_after: Mapped[int] = mapped_column(default=0)
    last_seen_ms: Mapped[int | None]
    skew_ms: Mapped[int | None]
    wants: Mapped[bytes | None]


class RevocationRow(Base):
    """What was said of a node whose key is no longer trusted; of several rows one counts (``trust.revocation_of``).

    ``made_here`` rows are this node's own feed. ``trusted`` tells how far the node's logs still are, as JSON rows
    (``trust.as_rows``); a row without it says no more than that the key was withdrawn.
    """

    __tablename__ = "sync_revocation"

    position: Mapped[int] = mapped_column(Counter, primary_key=True)
    node: Mapped[str] = mapped_column(index=True)
    reason: Mapped[str]
    revoked_ms: Mapped[int]
    revoker: Mapped[str]
    trusted: Mapped[str | None]
    made_here: Mapped[bool]


class ErasureRow(Base):
    """An order to erase somebody, and how far it is carried out here.

    ``subject`` is a digest (``blackout.subject_of``). ``stage`` goes from ``ordered`` over ``swept`` and ``looked`` to
    ``done``; ``place`` is the last segment that was looked at, as JSON. ``made_here`` rows are this node's own feed.
    """

    __tablename__ = "sync_erasure"

    position: Mapped[int] = mapped_column(Counter, primary_key=True)
    order_id: Mapped[str] = mapped_column(unique=True)
    subject: Mapped[str]
    ordered_ms: Mapped[int]
    orderer: Mapped[str]
    reason: Mapped[str]
    stage: Mapped[str] = mapped_column(default="ordered")
    place: Mapped[str | None]
    made_here: Mapped[bool]


class ErasureDoneRow(Base):
    """That a node, in one of its lives, has carried out an order. ``made_here`` rows are this node's own feed."""

    __tablename__ = "sync_erasure_done"
    __table_args__ = (Index(None, "order_id", "node", "epoch", unique=True),)

    position: Mapped[int] = mapped_column(Counter, primary_key=True)
    order_id: Mapped[str]
    node: Mapped[str]
    epoch: Mapped[str]
    done_ms: Mapped[int]
    made_here: Mapped[bool]


class InvitationRow(Base):
    """A pairing code that was given out, good for one node. Not the code: a key stretched from it."""

    __tablename__ = "sync_invitation"

    id: Mapped[int] = mapped_column(Counter, primary_key=True)
    code_key: Mapped[bytes]
    role: Mapped[str]
    units: Mapped[str]
    created_ms: Mapped[int]
    expires_ms: Mapped[int]
    used_by: Mapped[str | None]


# ---------------------------------------------------------------- logs


#: Logs for many nodes below (neither ``scopes.UPWARD`` nor ``PEOPLE``), spelled as the index that finds them has it.
COMES_DOWN = text("scope NOT IN ('up', 'offers') AND substr(scope, 1, 7) <> 'people/'")


OF_PEOPLE = text("substr(scope, 1, 7) = 'people/'")


class LogRow(Base):
    """The vector: how far one log is held, without gaps."""

    __tablename__ = "sync_log"
    __table_args__ = (
        Index("ix_sync_log_down", "scope", sqlite_where=COMES_DOWN, postgresql_where=COMES_DOWN),
        Index("ix_sync_log_people", "scope", sqlite_where=OF_PEOPLE, postgresql_where=OF_PEOPLE),
    )

    origin: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int]
    root: Mapped[str]


class SegmentRow(Base):
    """One segment as it was sealed; its bytes are touched only to black entries out."""

    __tablename__ = "sync_segment"
    __table_args__ = (
        Index(
            None,
            "blacked_by",
            sqlite_where=text("blacked_by IS NOT NULL"),
            postgresql_where=text("blacked_by IS NOT NULL"),
        ),
    )

    origin: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    first: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
    root: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    size: Mapped[int]
    kinds: Mapped[str]  # how many entries of each kind, as JSON
    blacked_by: Mapped[str | None]  # the node that signed for what is blacked out in it
    kept_ms: Mapped[int]
    encoded: Mapped[bytes] = mapped_column(deferred=True)


class ReceiptRow(Base):
    """The newest receipt of an issuer for an origin, as signed. ``position`` orders them for peers."""

    __tablename__ = "sync_receipt"
    __table_args__ = (Index(None, "issuer", "issuer_epoch"),)

    issuer: Mapped[str] = mapped_column(primary_key=True)
    origin: Mapped[str] = mapped_column(primary_key=True)
    issuer_epoch: Mapped[str]
    text: Mapped[str]
    signature: Mapped[str]
    position: Mapped[int] = mapped_column(unique=True)


# ---------------------------------------------------------------- what waits or was refused


class PartRow(Base):
    """Bytes of a segment that has not arrived whole."""

    __tablename__ = "sync_part"

    digest: Mapped[str] = mapped_column(primary_key=True)
    offset: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int]
    peer: Mapped[str]
    kept_ms: Mapped[int]
    data: Mapped[bytes]


class QuarantineRow(Base):
    """An entry that is held and relayed, and could not be applied (yet)."""

    __tablename__ = "sync_quarantine"
    __table_args__ = (Index(None, "origin", "epoch", "scope", "seq", unique=True), Index(None, "verdict"))

    id: Mapped[int] = mapped_column(Counter, primary_key=True)
    origin: Mapped[str]
    epoch: Mapped[str]
    scope: Mapped[str]
    seq: Mapped[int]
    kind: Mapped[str]
    key: Mapped[str]
    schema: Mapped[int]
    wall_ms: Mapped[int]
    counter: Mapped[int]
    body: Mapped[bytes]
    verdict: Mapped[str]
    reason: Mapped[str]
    detail: Mapped[str]
    since_ms: Mapped[int]
    blobs: Mapped[list[WantedBlobRow]] = relationship(cascade="all, delete-orphan", passive_deletes=True)


class WantedBlobRow(Base):
    """A file that a waiting record needs."""

    __tablename__ = "sync_wanted_blob"
    __table_args__ = (Index(None, "digest"),)

    record: Mapped[int] = mapped_column(
        Counter, ForeignKey("sync_quarantine.id", ondelete="CASCADE"), primary_key=True
    )
    digest: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    like: Mapped[str | None]  # a file that is here and is likely to share much with it


class WishRow(Base):
    """A file that the host wishes for under a name of its own, though no record waits for it."""

    __tablename__ = "sync_wish"
    __table_args__ = (Index(None, "digest"),)

    name: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    like: Mapped[str | None]  # as above
    rank: Mapped[int]  # the same for all of a name; what is more needed has a smaller one
    leads: Mapped[bool]  # it names others, which are needed as much


class RefusedRow(Base):
    """A segment not taken from a peer. Its log is not asked of that peer until the row is removed."""

    __tablename__ = "sync_refused"

    peer: Mapped[str] = mapped_column(primary_key=True)
    origin: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    code: Mapped[str]
    detail: Mapped[str]
    refused_ms: Mapped[int]
    encoded: Mapped[bytes] = mapped_column(deferred=True)


# ---------------------------------------------------------------- what cannot be read any more


class RottenRow(Base):
    """A segment that is kept here and whose bytes cannot be read any more, since when that is known.

    ``before`` and ``root`` are the roots of the segment before it and of itself.
    """

    __tablename__ = "sync_rotten"

    origin: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    first: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
    before: Mapped[str]
    root: Mapped[str]
    digest: Mapped[str] = mapped_column(index=True)
    size: Mapped[int]
    found_ms: Mapped[int]


class LossRow(Base):
    """Entries of a log that its origin could not read any more, and nobody was known to have.

    ``count`` are entries between ``first`` and ``last``, ``kinds`` how many of each as JSON, without those that were
    told again since. ``kept_ms`` is when they were numbered. ``told_ms`` is empty while they are being told again.
    ``made_here`` rows are this node's own feed.
    """

    __tablename__ = "sync_loss"
    __table_args__ = (Index(None, "origin", "epoch", "scope", "first", unique=True),)

    position: Mapped[int] = mapped_column(Counter, primary_key=True)
    origin: Mapped[str]
    epoch: Mapped[str]
    scope: Mapped[str]
    first: Mapped[int]
    last: Mapped[int]
    root: Mapped[str]
    count: Mapped[int]
    kinds: Mapped[str]
    kept_ms: Mapped[int]
    declared_ms: Mapped[int]
    told_ms: Mapped[int | None]
    made_here: Mapped[bool]


# ---------------------------------------------------------------- statements of the day


class DayRow(Base):
    """What a root said at the end of a day: ``days.Day`` as JSON. ``made_here`` rows are this node's own feed."""

    __tablename__ = "sync_day"
    __table_args__ = (Index(None, "issuer", "epoch", "number", unique=True),)

    position: Mapped[int] = mapped_column(Counter, primary_key=True)
    issuer: Mapped[str]
    epoch: Mapped[str]
    number: Mapped[int]
    body: Mapped[str]
    made_here: Mapped[bool]


class DayHeadRow(Base):
    """How far a root held a log as it made its last statement, and the chain of the roots up to there."""

    __tablename__ = "sync_day_head"

    origin: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int]
    chain: Mapped[str]


class ProofRow(Base):
    """That the logs of an origin stand under a statement: ``messages.Proof`` as JSON. ``position`` orders for peers."""

    __tablename__ = "sync_proof"

    origin: Mapped[str] = mapped_column(primary_key=True)
    issuer_epoch: Mapped[str]
    number: Mapped[int]
    text: Mapped[str]
    position: Mapped[int] = mapped_column(index=True)


# ---------------------------------------------------------------- what was verified


class VerificationRow(Base):
    """How the verification of what is kept here stands (``verification``); at most one row, with ``id`` 1.

    ``whole`` numbers the readings of everything from the first entry, ``whole_done`` is the last that came to its end.
    ``kept_to`` is how far what the host keeps was held against the logs. ``unlisted`` findings found no room.
    """

    __tablename__ = "sync_verification"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    whole: Mapped[int] = mapped_column(default=0)
    whole_done: Mapped[int] = mapped_column(default=0)
    whole_began_ms: Mapped[int | None]
    whole_done_ms: Mapped[int | None]
    latest_ms: Mapped[int | None]
    kept_to: Mapped[int] = mapped_column(default=0)
    unlisted: Mapped[int] = mapped_column(default=0)


class VerifiedRow(Base):
    """How far one log was verified, in which reading of everything its beginning was, and what goes on from there.

    ``most`` is how far it ever was; ``erased`` counts the entries up to ``seq`` that are blacked out by an order;
    ``state`` is JSON (``verification``).
    """

    __tablename__ = "sync_verified"

    origin: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int]
    root: Mapped[str]
    most: Mapped[int]
    whole: Mapped[int]
    erased: Mapped[int]
    state: Mapped[str]


class FindingRow(Base):
    """Something that the verification found.

    ``part`` is what must be looked at again before the row may go, ``whole`` the reading of everything that saw it
    last.
    """

    __tablename__ = "sync_finding"
    __table_args__ = (Index(None, "part"), Index(None, "origin", "epoch", "scope"))

    id: Mapped[int] = mapped_column(Counter, primary_key=True)
    part: Mapped[str]
    fault: Mapped[str]
    origin: Mapped[str]
    epoch: Mapped[str]
    scope: Mapped[str]
    first: Mapped[int]
    last: Mapped[int]
    key: Mapped[str]
    kept_ms: Mapped[int | None]
    detail: Mapped[str]
    found_ms: Mapped[int]
    whole: Mapped[int]
