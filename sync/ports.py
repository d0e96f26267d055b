"""All that sync asks of the world: streams of changes, files by digest, a clock, transactions, a way to talk.

Sync never looks inside a record. ``lms.streams`` answers ``Stream`` for each kind of data and ``Blobs`` for
the files beside them; ``client``, ``server`` and the tests' in-memory link answer ``Transport``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, runtime_checkable

from sqlalchemy.orm import Session

from sync.messages import Message, Record

Clock = Callable[[], int]
"""Milliseconds since 1970, UTC, as this node believes."""

Write = Callable[[], AbstractContextManager[Session]]
"""Opens one transaction; durable when the block ends (``lms.database.Database.write``)."""

Read = Callable[[], AbstractContextManager[Session]]
"""Opens one consistent view that never commits (``lms.database.Database.read``)."""


# ---------------------------------------------------------------- streams


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One change made on this node, as its library's feed tells it.

    Attributes:
        kind: what sort of record, one of the stream's ``kinds``.
        key: names the thing within its kind: a statement id, a person's public id.
        scope: the log it belongs in, one of ``sync.scopes``.
        schema: the number of the body's format; the receiver may be older or newer.
        body: the record itself. Sync keeps and moves these very bytes. Canonical JSON compresses best.
        changed_ms: when it was made, by this node's clock.
        position: where it stands in its feed; asking after it yields the next one.
    """

    kind: str
    key: str
    scope: str
    schema: int
    body: bytes
    changed_ms: int
    position: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """What a feed tells: changes in order, and the position from which to ask next.

    ``position`` moves past rows that were skipped because they came from elsewhere, even if ``changes`` is
    empty. Nothing more is there when ``position`` is the one that was asked for.
    """

    changes: Sequence[Change]
    position: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """Who wrote the records that are being applied, and what its certificate lets it say.

    Attributes:
        origin: the node that wrote them (not the one that carried them here).
        scope: the log they stand in.
        role: ``laptop``, ``hub`` or ``central``, by the origin's certificate.
        units: the units it may speak for; ``("*",)`` for all.
        is_authority: the origin may decide (directory, catalogue), not only propose.
        now_ms: this node's time.
    """

    origin: str
    epoch: str
    scope: str
    role: str
    units: tuple[str, ...]
    is_authority: bool
    now_ms: int


class Verdict(Enum):
    """What became of one record."""

    APPLIED = "applied"
    PRESENT = "present"
    WAITING = "waiting"
    CONFLICT = "conflict"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class BlobRef:
    """A file that a record names: its SHA-256 in lower-case hexadecimal, and its length in bytes.

    ``like`` is the digest of a file that is here and is likely to share much with it, such as that of an earlier
    edition; without, or if that is gone, all of it comes.
    """

    digest: str
    size: int
    like: str | None = field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one record, and why.

    ``WAITING``, ``CONFLICT`` and ``REFUSED`` put the record in quarantine with ``reason`` (a short code) and
    ``detail`` (a sentence). A waiting record is applied again when the last of its ``blobs`` has arrived, or
    after the next conversation when it names none (it waits for another record).
    """

    verdict: Verdict
    reason: str = ""
    detail: str = ""
    blobs: tuple[BlobRef, ...] = ()


APPLIED = Outcome(verdict=Verdict.APPLIED)
PRESENT = Outcome(verdict=Verdict.PRESENT)


class Stream(Protocol):
    """One library's records, seen from sync.

    **Echo.** ``changes_after`` tells only what was *made on this node*. A record that ``apply`` brought in is
    somebody else's entry: it is kept and relayed in that origin's segment and must never come out of the feed
    again. Whoever answers for a stream marks such rows as they are written and steps over them here.
    """

    @property
    def name(self) -> str:
        """Name the feed; its cursor is kept under this name, so it never changes."""

    @property
    def kinds(self) -> frozenset[str]:
        """Name the kinds of records this stream applies."""

    def changes_after(self, session: Session, position: int, limit: int) -> Changes:
        """Return local changes after ``position`` (0: from the first), in the order they became visible.

        Of a thing that changes often only the newest version need be told, at its newest position.
        """

    def waiting(self, session: Session, position: int) -> dict[str, int]:
        """Count, per kind, the local changes after ``position``."""

    def apply(self, session: Session, records: Sequence[Record], context: Context) -> Sequence[Outcome]:
        """Take records made elsewhere; one outcome per record, in order.

        Runs in sync's transaction: flush at most, never commit. Must be harmless when repeated. Never raises
        for a bad record: that is an outcome. An unknown ``schema`` is ``WAITING`` with reason ``schema``.
        """


@runtime_checkable
class Prepares(Protocol):
    """A stream that has work to do before its changes are told, such as to find out who is to be told of what."""

    def prepare(self, session: Session, position: int) -> bool:
        """Do the next of it, in numbering's transaction; return whether anything came of it.

        ``position`` is that up to which the stream's changes are numbered.
        """


@runtime_checkable
class NamesFiles(Protocol):
    """A stream whose records name files. Only a bundle asks: over a link the other side says what it lacks."""

    def files_of(
        self, session: Session, records: Sequence[Record], recipients: Sequence[str]
    ) -> Sequence[BlobRef]:
        """Return the files that some records name, that are here, and that any of these nodes may need.

        They stand in the order in which they are needed.
        """

    def files_beside(self, session: Session, digest: str) -> Sequence[BlobRef]:
        """Return the files that a file names in its turn, if it is one that names others (a manifest)."""


class Erasure(Protocol):
    """What the host knows of the people that records are about, and how it erases one."""

    def subjects_of(self, record: Record) -> Collection[str]:
        """Return the names of all whom a record is about; orders name digests of these (``blackout.subject_of``).

        Asked of every record that arrives or is kept while there are orders. Never raises: what cannot be read is
        about nobody.
        """

    def erase_some(self, subject: str) -> bool:
        """Erase the next of what the host keeps of whoever has this digest; return whether more may be left.

        In short transactions of its own. Must be harmless when repeated, and go on where a process was killed.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """Something that the host keeps otherwise than the logs say.

    Attributes:
        fault: what, one of ``verification.Fault``.
        seq: of the entry; ``None`` where no entry says anything of it.
        key: of the record, or of the first of several.
        detail: in a few words, for whoever looks into it.
        count: how many records.
    """

    fault: str
    seq: int | None = None
    key: str = ""
    detail: str = ""
    count: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """What became of holding records against what the host keeps of them.

    ``state`` is given back with the next records of the same log; ``told`` is the host's own, for ``Kept.note``.
    """

    differences: Sequence[Difference] = ()
    state: int = 0
    told: object = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """How far the host has looked through what it keeps, and what it found there; ``more`` may follow."""

    differences: Sequence[Difference]
    position: int
    more: bool


class Kept(Protocol):
    """What the host keeps of the records that logs tell, for whoever verifies that the two agree."""

    def forget(self, session: Session) -> None:
        """Everything is read again from the first entry: forget which records were told of."""

    def compare(
        self, session: Session, records: Sequence[Record], *, made_here: bool, in_order: bool, state: int
    ) -> Compared:
        """Hold entries of one log, in order, against what is kept of them; changes nothing.

        Args:
            session: one consistent view.
            records: those that were applied here, or made here; of any kind.
            made_here: they stand in a log of this node.
            in_order: what was made here stands in that log in the order in which it was made.
            state: of the records before; 0 at the beginning of a log.
        """

    def note(self, session: Session, compared: Sequence[Compared]) -> None:
        """Keep in mind that these records were told of."""

    def look(self, session: Session, position: int, *, numbered: Mapping[str, int]) -> Looked:
        """Look through what is kept after a position for what no log tells; changes nothing.

        Args:
            session: one consistent view.
            position: of the host's own; 0 is before the first.
            numbered: by the name of a stream, how far its feed is numbered: what comes later waits for its number.
        """


# ---------------------------------------------------------------- files by digest


class Blobs(Protocol):
    """Files by SHA-256, whole or on their way. Not transactional: litter is harmless, a digest never lies."""

    def size(self, digest: str) -> int | None:
        """Return the length of a whole, verified file; ``None`` when it is not here."""

    def arrived(self, digests: Iterable[str]) -> Collection[str]:
        """Return those of many files that came and are whole; asked at every meeting, of all that is wanted."""

    def read(self, digest: str, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes of a whole file; empty at its end, and where it is not here any more."""

    def room(self) -> int:
        """Return how many bytes more of files may be taken; what is kept free for other things is not counted."""

    def partial_size(self, digest: str) -> int:
        """Return how many bytes of an unfinished file are here, from its beginning."""

    def append(self, digest: str, offset: int, data: bytes) -> int:
        """Keep bytes of an unfinished file; return how many are here now.

        They outlive this process on return, and a power cut after ``settle``. Bytes at an ``offset`` other than the
        present end change nothing.
        """

    def settle(self, digest: str, *, within_s: float) -> None:
        """Make durable what is here of an unfinished file, unless that was done so short a time ago."""

    def finish(self, digest: str) -> bool:
        """Verify an unfinished file and put it in place; ``False``, and it is gone, if it is another file."""

    def put_all(self, files: Mapping[str, bytes]) -> Collection[str]:
        """Keep small whole files, durable on return; return the digests of those that are what they are called."""

    def lost(self) -> Sequence[BlobRef]:
        """Return the files that were here and are missing or damaged: they are asked for again."""


class Wishes(Protocol):
    """The host as one that wishes for files of its own accord (``sync.wishes``)."""

    def look(self, session: Session) -> None:
        """Look again at what is wished for: a meeting begins, which may bring it."""

    def came(self, session: Session, name: str) -> None:
        """Take note that the last file that was wished for under a name has come; more may be wished for then.

        Runs in the transaction in which the file is noted. Never raises for what is in the file.
        """


# ---------------------------------------------------------------- a way to talk


class Reply(Protocol):
    """What the other side answered: a message, then possibly a run of bytes."""

    @property
    def message(self) -> Message:
        """Return the answer's message."""

    def chunks(self) -> Iterator[bytes]:
        """Return the bytes that follow it, as they arrive.

        Raises:
            LinkError: the link broke before the last of them.
        """


@dataclass(kw_only=True, slots=True)
class Traffic:
    """What a transport has moved so far, as near to the wire as it can tell."""

    bytes_up: int = 0
    bytes_down: int = 0
    turns: int = 0


class Transport(Protocol):
    """Asks one peer: a message up, possibly with bytes; a message down, possibly with bytes."""

    @property
    def traffic(self) -> Traffic:
        """Return the running totals."""

    def ask(self, message: Message, body: Iterable[bytes] = ()) -> AbstractContextManager[Reply]:
        """Send and wait for the answer's message; its bytes are read inside the block.

        Raises:
            LinkError: no answer; the peer may still have kept some of the bytes.
            RefusedError: the peer answered no.
            WireError: what answered does not speak the protocol.
        """
