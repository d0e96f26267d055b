"""What nodes say to each other: wire messages, the record they carry, the version of the protocol.

Every message is one line of JSON. ``push`` is followed by bytes on the way up, ``delivery`` on the way down:
the frames' bytes, one after another, in the order in which the message lists them. Unknown fields are
ignored, so a newer node may say more than an older one understands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Base64UrlBytes, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sync.clock import Stamp
from sync.errors import WireError
from sync.vector import Head, LogKey

PROTOCOL = 1
OLDEST_PROTOCOL = 1
MAX_MESSAGE_BYTES = 4 * 1024 * 1024

NodeId = Annotated[str, Field(pattern=r"^[0-9a-hjkmnp-tv-z]{26}$")]
Epoch = Annotated[str, Field(pattern=r"^[0-9a-hjkmnp-tv-z]{13}$")]
Scope = Annotated[str, Field(pattern=r"^[a-z]{2,20}(/[A-Za-z0-9._-]{1,64})?$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Root = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
Counted = Annotated[int, Field(ge=0, le=2**53)]
OrderId = Annotated[str, Field(pattern=r"^[0-9a-hjkmnp-tv-z]{26}$")]
Code = Annotated[str, Field(max_length=64)]
Text = Annotated[str, Field(max_length=500)]
Row = tuple[NodeId, Epoch, Scope, Counted, Root]
Role = Literal["laptop", "hub", "central"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One entry of somebody's log: opaque bytes, and what is needed to put them in their place."""

    seq: int
    kind: str
    key: str
    schema: int
    body: bytes
    stamp: Stamp


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentRef:
    """One segment that can be sent: its log, its place there, its encoding's name and length, and its form."""

    log: LogKey
    first: int
    last: int
    root: str
    digest: str
    size: int
    form: int = 1

    @property
    def head(self) -> Head:
        """Return where its log stands once it is held."""
        return Head(self.last, self.root)


class Wire(BaseModel):
    """Common to all shapes on the wire."""

    model_config = ConfigDict(frozen=True, extra="ignore")


# ---------------------------------------------------------------- signed papers


class Signed(Wire):
    """A paper as its signer spelled it; the very text is what the signature covers."""

    signer: NodeId
    text: Annotated[str, Field(max_length=1024 * 1024)]
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]


class Certificate(Wire):
    """Text of a signed paper: the signer says who a node is and what it may do.

    ``expires_ms`` ends privileges (being given what comes down, writing the directory), never the taking of
    facts that the node recorded.
    """

    paper: Literal["certificate"] = "certificate"
    node: NodeId
    public_key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    name: Annotated[str, Field(max_length=200)]
    role: Role
    units: tuple[Annotated[str, Field(pattern=r"^(\*|[A-Za-z0-9._-]{1,64})$")], ...] = ()
    issued_ms: Counted
    expires_ms: Counted | None = None

    def has_expired(self, at_ms: int) -> bool:
        """Say whether its privileges had ended at a moment."""
        return self.expires_ms is not None and at_ms > self.expires_ms


class Receipt(Wire):
    """Text of a signed paper: the signer holds, durably, these logs of one origin up to these heads.

    Signed by the root it means *delivered*; by a hub, *at the hub*. ``issuer_epoch`` tells a restored issuer
    from the one that gave earlier receipts, and ``issuer_past`` which lives came before, as far as it knows: clocks
    cannot say that. ``backup`` names the verified backup that holds them too. ``lacking`` counts, per kind, entries
    below these heads whose files the signer does not have yet.
    """

    paper: Literal["receipt"] = "receipt"
    issuer: NodeId
    issuer_epoch: Epoch
    issuer_past: tuple[Epoch, ...] = ()
    origin: NodeId
    heads: tuple[Row, ...]
    issued_ms: Counted
    backup: Code | None = None
    lacking: Annotated[dict[Code, Counted], Field(max_length=100)] = {}


class Proof(Wire):
    """That an origin's logs stand under a statement of the day: rows, their leaf's place among *count*, and its path.

    A row is epoch, scope, number of the last entry, and the chain of the roots up to there (``days``). Not signed: the
    statement is, and the path leads there.
    """

    issuer: NodeId
    epoch: Epoch
    number: Counted
    origin: NodeId
    rows: Annotated[tuple[tuple[Epoch, Scope, Counted, Digest], ...], Field(max_length=10_000)]
    place: Counted
    count: Counted
    path: Annotated[tuple[Digest, ...], Field(max_length=60)]


# ---------------------------------------------------------------- bytes on their way


class Frame(Wire):
    """Bytes ``offset`` to ``offset + length`` of a segment's encoding or of a file, known by its SHA-256."""

    what: Literal["segment", "blob"]
    digest: Digest
    size: Counted
    offset: Counted
    length: Counted


class Partial(Wire):
    """So much of a segment or file is durably held; go on from there."""

    digest: Digest
    offset: Counted


class Wanted(Wire):
    """A file the sender of this message lacks, and how much of it is there already.

    With ``gaps`` (offset and length) only these parts of it lack, or are to come first; who does not know them gives
    all from ``offset`` on.
    """

    digest: Digest
    size: Counted
    offset: Counted = 0
    gaps: tuple[tuple[Counted, Counted], ...] = ()


class RefusedSegment(Wire):
    """A segment was not taken. It is not sent to this peer again until somebody looked into it."""

    digest: Digest
    code: Code
    detail: Text = ""


# ---------------------------------------------------------------- the conversation


class Hello(Wire):
    """Opens: who I am, and how my logs differ from what you knew of me when we last met.

    ``base`` is the digest of the vector the peer last heard from us and ``heads`` what changed since; the
    first time the base is the digest of the empty vector. ``held`` is the digest of the two together.
    ``receipts_after`` is the position in the peer's list of receipts up to which we have them, valid while
    its epoch is ``peer_epoch``. ``issued_ms`` and ``peer_issued_ms`` say which certificates we know, ours and the
    peer's, ``root`` on whom we rest.
    """

    kind: Literal["hello"] = "hello"
    protocols: tuple[int, int] = (OLDEST_PROTOCOL, PROTOCOL)
    node: NodeId
    epoch: Epoch
    time_ms: Counted
    base: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    heads: tuple[Row, ...] = ()
    held: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    receipts_after: Counted = 0
    peer_epoch: Epoch | None = None
    certificates: tuple[Signed, ...] = ()
    issued_ms: Counted = 0
    peer_issued_ms: Counted = 0
    root: NodeId | None = None


class Welcome(Wire):
    """Answers: what you lack that you may see, and what you hold that I want.

    ``heads`` are the answering node's, and only where the two differ: above yours, pull; below, push.
    When ``base_unknown``, nothing else is said: greet again from the empty base. ``forms`` is the newest form of
    segments that is read here. ``tells_chunks``: it answers ``cut``, and heeds gaps. ``certificates`` are later ones
    than the greeting told of, and ``next_root`` is what the one on whom you rest says of the one on whom it rests
    itself now.
    """

    kind: Literal["welcome"] = "welcome"
    protocol: int
    node: NodeId
    epoch: Epoch
    time_ms: Counted
    conversation: Code
    base_unknown: bool = False
    heads: tuple[Row, ...] = ()
    partials: tuple[Partial, ...] = ()
    wanted: tuple[Wanted, ...] = ()
    forms: int = 1
    tells_chunks: bool = False
    refused: tuple[Row, ...] = ()
    receipts: tuple[Signed, ...] = ()
    receipts_position: Counted = 0
    proofs: tuple[Proof, ...] = ()
    certificates: tuple[Signed, ...] = ()
    next_root: Signed | None = None


class Push(Wire):
    """Brings bytes; ``certificates`` introduce origins the peer has not met."""

    kind: Literal["push"] = "push"
    conversation: Code
    frames: Annotated[tuple[Frame, ...], Field(max_length=2000)]
    certificates: tuple[Signed, ...] = ()


class Progress(Wire):
    """Answers a push or an acknowledgement: how far everything is durable now.

    ``heads`` are the logs that moved or that the push touched, ``partials`` what is unfinished of the
    frames, ``wanted`` the files still lacking.
    """

    kind: Literal["progress"] = "progress"
    heads: tuple[Row, ...] = ()
    partials: tuple[Partial, ...] = ()
    wanted: tuple[Wanted, ...] = ()
    refused: tuple[RefusedSegment, ...] = ()
    receipts: tuple[Signed, ...] = ()
    receipts_position: Counted = 0


class Pull(Wire):
    """Asks for segments after these heads, in this order, then for files; at most ``max_bytes`` of both.

    ``forms`` is the newest form of segments that is read here.
    """

    kind: Literal["pull"] = "pull"
    conversation: Code
    after: tuple[Row, ...] = ()
    partials: tuple[Partial, ...] = ()
    wanted: tuple[Wanted, ...] = ()
    max_bytes: Annotated[int, Field(ge=1, le=64 * 1024 * 1024)]
    forms: int = 1


class Delivery(Wire):
    """Answers a pull; the bytes of ``frames`` follow. ``absent`` lists files the sender cannot give."""

    kind: Literal["delivery"] = "delivery"
    frames: tuple[Frame, ...] = ()
    certificates: tuple[Signed, ...] = ()
    absent: tuple[Digest, ...] = ()
    has_more: bool = False


class Cut(Wire):
    """Asks of which chunks some large files are made, before any of their bytes."""

    kind: Literal["cut"] = "cut"
    conversation: Code
    digests: Annotated[tuple[Digest, ...], Field(max_length=64)]


class Chunks(Wire):
    """Answers: the lists of those that are here, as bytes in base 64, of the kind for addresses (``chunks.packed``)."""

    kind: Literal["chunks"] = "chunks"
    lists: dict[Digest, Base64UrlBytes] = {}


class Acknowledge(Wire):
    """Closes: what I hold now, and my receipts for what you brought."""

    kind: Literal["acknowledge"] = "acknowledge"
    conversation: Code
    heads: tuple[Row, ...] = ()
    receipts: tuple[Signed, ...] = ()


class Refusal(Wire):
    """Says no. ``code`` is for programs, ``detail`` for people."""

    kind: Literal["refusal"] = "refusal"
    code: Code
    detail: Text = ""


# ---------------------------------------------------------------- pairing


class Join(Wire):
    """Asks to be paired: a node's key, and proof that its owner was given the code.

    ``proof`` is an HMAC over the key, the name, the role and the nonce; its key is stretched from the code.
    """

    kind: Literal["join"] = "join"
    node: NodeId
    public_key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    role: Role
    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    proof: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]


class Joined(Wire):
    """Answers with the certificate, the chain up to the root, and proof that this is the node that invited.

    ``proof`` is an HMAC over the joiner's key and nonce and everything given here.
    """

    kind: Literal["joined"] = "joined"
    node: NodeId
    epoch: Epoch
    root: NodeId
    certificates: tuple[Signed, ...]
    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    proof: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


Message = Annotated[
    Hello
    | Welcome
    | Push
    | Progress
    | Pull
    | Delivery
    | Cut
    | Chunks
    | Acknowledge
    | Refusal
    | Join
    | Joined,
    Field(discriminator="kind"),
]

_ANY: TypeAdapter[Message] = TypeAdapter(Message)


def to_line(message: Message) -> bytes:
    """Return the message as the line that is sent and signed, without its line feed."""
    fields = message.model_dump_json(exclude_defaults=True, exclude={"kind"})[1:-1]
    return f'{{"kind":"{message.kind}"{"," * bool(fields)}{fields}}}'.encode()


def from_line(line: bytes) -> Message:
    """Read one message.

    Raises:
        WireError: it is too long, not JSON, or no message of this protocol.
    """
    if len(line) > MAX_MESSAGE_BYTES:
        raise WireError(f"A message of {len(line)} bytes is longer than any may be.")
    try:
        return _ANY.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise WireError(f"That is no message of this protocol: {where or 'it'}: {first['msg']}") from None
