"""Nodes for tests of sync: a stream of notes, a shelf in memory, and a link that breaks where told."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import BigInteger, Integer, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from lms.database import Database
from sync import envelope, pairing, segment
from sync.blackout import subject_of
from sync.client import HttpReply
from sync.clock import Stamp
from sync.days import Days
from sync.engine import SyncReport, converse
from sync.erasures import Confirmations, Erasures
from sync.errors import LinkError
from sync.identity import load_key
from sync.losses import Losses
from sync.messages import Message, Push, Record, Role, from_line, to_line
from sync.node import Node, create_identity, ensure_epoch, random_epoch, remember_generation
from sync.ports import APPLIED, PRESENT, BlobRef, Change, Changes, Context, Outcome, Traffic, Verdict
from sync.responder import Responder
from sync.revocations import REVOCATION, Revocations
from sync.tables import Base as SyncBase
from sync.vector import LogKey


class Base(DeclarativeBase):
    pass


class NoteRow(Base):
    """Something a test wrote down: here, or elsewhere (``made_here`` false)."""

    __tablename__ = "test_note"
    __table_args__ = (
        {"sqlite_autoincrement": True},
    )  # a feed gives no position twice, though its newest row is erased

    position: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    scope: Mapped[str]
    text: Mapped[str]
    made_here: Mapped[bool]
    changed_ms: Mapped[int | None] = mapped_column(BigInteger)


class Notes:
    """A grow-only stream. A note whose text is ``blob:<digest>:<size>`` waits for that file, or one like another.

    One whose key begins with ``memo`` is a record of a kind of its own, which an older program does not know.
    """

    name = "notes"

    def __init__(self, blobs: MemoryBlobs, *, older: bool = False) -> None:
        self.kinds = frozenset({"note"} if older else {"note", "memo"})
        self._blobs = blobs

    def changes_after(self, session: Session, position: int, limit: int) -> Changes:
        rows = session.scalars(
            select(NoteRow).where(NoteRow.position > position).order_by(NoteRow.position).limit(limit)
        ).all()
        changes = [
            Change(
                kind="memo" if row.key.startswith("memo") else "note",
                key=row.key,
                scope=row.scope,
                schema=1,
                body=row.text.encode(),
                changed_ms=row.changed_ms or row.position,
                position=row.position,
            )
            for row in rows
            if row.made_here
        ]
        return Changes(changes=changes, position=rows[-1].position if rows else position)

    def waiting(self, session: Session, position: int) -> dict[str, int]:
        wanted = select(func.count()).where(NoteRow.position > position, NoteRow.made_here)
        return {"note": session.scalar(wanted) or 0}

    def apply(self, session: Session, records: Sequence[Record], context: Context) -> Sequence[Outcome]:
        return [self._apply_one(session, record, context) for record in records]

    def _apply_one(self, session: Session, record: Record, context: Context) -> Outcome:
        text = record.body.decode()
        if text == "poison":
            raise RuntimeError("this note cannot be read")
        if text.startswith("blob:"):
            _, digest, size, *like = text.split(":")
            if self._blobs.size(digest) is None:
                blob = BlobRef(digest, int(size), *like)
                return Outcome(verdict=Verdict.WAITING, reason="files", blobs=(blob,))
        known = session.scalar(select(NoteRow).where(NoteRow.key == record.key))
        if known is not None:
            if known.text == text:
                return PRESENT
            return Outcome(verdict=Verdict.CONFLICT, reason="differs", detail="another text under this key")
        session.add(NoteRow(key=record.key, scope=context.scope, text=text, made_here=False))
        session.flush()
        return APPLIED


class OlderRevocations(Revocations):
    """Revocations as a program knows them that has not heard of trust."""

    kinds = frozenset({REVOCATION})


@dataclass(frozen=True, kw_only=True)
class NotesAbout:
    """Answers ``sync.ports.Erasure`` from notes: a text that begins with ``about <name>:`` is about somebody."""

    database: Database

    def subjects_of(self, record: Record) -> set[str]:
        return {name} if (name := about_whom(record.body.decode(errors="replace"))) else set()

    def erase_some(self, subject: str) -> bool:
        with self.database.write() as session:
            for row in session.scalars(select(NoteRow).where(NoteRow.text.startswith("about "))):
                name = about_whom(row.text)
                if name is not None and subject_of(name) == subject:
                    session.delete(row)
        return False


def about_whom(text: str) -> str | None:
    return text.removeprefix("about ").partition(":")[0] if text.startswith("about ") else None


class MemoryBlobs:
    def __init__(self) -> None:
        self.whole: dict[str, bytes] = {}
        self.parts: dict[str, bytes] = {}
        self.gone: dict[str, int] = {}  # digest → size of what was lost
        self.space = 2**50
        self.disk: Callable[[str, bytes], bytes] = lambda _, data: data  # what it gives for what it was given

    def put(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self.whole[digest] = data
        return digest

    def size(self, digest: str) -> int | None:
        return len(self.whole[digest]) if digest in self.whole else None

    def arrived(self, digests: Iterable[str]) -> list[str]:
        return [digest for digest in digests if digest in self.whole]

    def read(self, digest: str, offset: int, length: int) -> bytes:
        return self.disk(digest, self.whole[digest])[offset : offset + length]

    def room(self) -> int:
        return self.space

    def partial_size(self, digest: str) -> int:
        return len(self.parts.get(digest, b""))

    def append(self, digest: str, offset: int, data: bytes) -> int:
        if offset == self.partial_size(digest):
            self.parts[digest] = self.parts.get(digest, b"") + data
        return self.partial_size(digest)

    def finish(self, digest: str) -> bool:
        data = self.parts.pop(digest, b"")
        if hashlib.sha256(data).hexdigest() != digest:
            return False
        self.whole[digest] = data
        self.gone.pop(digest, None)
        return True

    def settle(self, digest: str, *, within_s: float) -> None:
        pass

    def put_all(self, files: Mapping[str, bytes]) -> list[str]:
        whole = {digest: data for digest, data in files.items() if hashlib.sha256(data).hexdigest() == digest}
        self.whole |= whole
        for digest in whole:
            self.gone.pop(digest, None)
        return list(whole)

    def lost(self) -> list[BlobRef]:
        return [BlobRef(digest, size) for digest, size in self.gone.items()]


@dataclass(kw_only=True)
class Place:
    """A node and what a test needs to reach inside it."""

    name: str
    role: Role
    node: Node
    database: Database
    blobs: MemoryBlobs
    now: list[int] = field(default_factory=lambda: [1_764_000_000_000])

    def write_note(
        self, key: str, text: str = "text", *, scope: str = "up", changed_ms: int | None = None
    ) -> None:
        with self.database.write() as session:
            session.add(NoteRow(key=key, scope=scope, text=text, made_here=True, changed_ms=changed_ms))

    def notes(self) -> dict[str, str]:
        with self.database.read() as session:
            return {row.key: row.text for row in session.scalars(select(NoteRow))}


def open_place(
    folder: Path,
    name: str,
    role: Role,
    *,
    url: str | None = None,
    machine: str = "machine",
    now_ms: int = 1_764_000_000_000,
    older: bool = False,
) -> Place:
    """Make a node, or open it again after its process ended or its database was put back, by an older program maybe."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "node.db"
    is_new = url is not None or not file.exists()
    database = Database(url or f"sqlite:///{file.as_posix()}")
    if is_new:
        SyncBase.metadata.create_all(database.engine)
        Base.metadata.create_all(database.engine)
    now = [now_ms]
    with database.write() as session:
        key = create_identity(session, folder, name=name, role=role, now_ms=now[0])
    assert load_key(folder) is not None
    blobs = MemoryBlobs()
    notes = Notes(blobs, older=older)
    node = Node(
        key=key,
        write=database.write,
        read=database.read,
        clock=lambda: now[0],
        streams=(OlderRevocations(), notes)
        if older
        else (Revocations(), Erasures(), Confirmations(), Days(), Losses(), notes),
        blobs=blobs,
        folder=folder,
        machine=machine,
        erasure=None if older else NotesAbout(database=database),
        forms=1 if older else 2,
    )
    with database.write() as session:
        ensure_epoch(session, node)
    remember_generation(node)
    return Place(name=name, role=role, node=node, database=database, blobs=blobs, now=now)


def pair(centre: Place, other: Place, *, units: Sequence[str] = ()) -> None:
    """Pair two nodes as the commands do, without a network."""
    with centre.database.write() as session:
        code = pairing.invite(session, role=other.role, units=units, now_ms=centre.now[0])
    question, code_key = pairing.ask_to_join(other.node.key, name=other.name, role=other.role, code=code)
    answer = Responder(centre.node).join(question)
    with other.database.write() as session:
        pairing.accept(session, other.node, question, answer, code_key=code_key, address="memory")


ROLES: dict[str, Role] = {"centre": "central", "hub": "hub", "laptop": "laptop"}


@contextmanager
def a_site(folder: Path, *, now_ms: int = 1_764_000_000_000) -> Iterator[dict[str, Place]]:
    """Give a centre, a hub and a laptop that are paired: made now, or opened again from their folders.

    To make them takes as long as twenty tests: make them once, close them, and give each test a copy of the folder.
    """
    is_new = not folder.exists()
    with ExitStack() as opened:
        places = {}
        for name, role in ROLES.items():
            places[name] = open_place(folder / name, name.capitalize(), role, now_ms=now_ms)
            opened.callback(places[name].database.close)
        if is_new:
            pair(places["centre"], places["hub"], units=["*"])
            pair(places["hub"], places["laptop"])
            pair(places["centre"], places["laptop"])
        yield places


@contextmanager
def a_network(folder: Path) -> Iterator[dict[str, Place]]:
    """Give a centre, a laptop and another of two units of it, and a stranger who is a laptop of another network."""
    with ExitStack() as opened:

        def place(name: str, role: Role) -> Place:
            made = open_place(folder / name, name, role)
            opened.callback(made.database.close)
            return made

        centre, elsewhere = place("centre", "central"), place("elsewhere", "central")
        laptop, other, stranger = (place(name, "laptop") for name in ("laptop", "other", "stranger"))
        pair(centre, laptop, units=["post-4"])
        pair(centre, other, units=["post-5"])
        pair(elsewhere, stranger)
        yield {"centre": centre, "laptop": laptop, "other": other, "stranger": stranger}


def a_segment(
    by: Place,
    *,
    of: Place | None = None,
    scope: str = "up",
    key: str = "hostile",
    text: str = "text",
    epoch: str | None = None,
    first: int = 1,
    previous: str = "",
) -> bytes:
    """Return a segment of one note that a node signs, in its own name or *of* another's log."""
    record = Record(seq=first, kind="note", key=key, schema=1, body=text.encode(), stamp=Stamp(1, 0))
    log_key = LogKey((of or by).node.id, epoch or random_epoch(), scope)
    return segment.seal([record], log=log_key, previous=previous, key=by.node.key)


class MemoryLink:
    """Carries messages to a responder in this process, through the real lines and signatures.

    ``cut`` is asked with the number of body bytes about to pass and answers how many get through before the
    link breaks, or ``None`` when it holds.
    """

    def __init__(self, here: Place, there: Place, cut: Callable[[int], int | None] = lambda _: None) -> None:
        self.traffic = Traffic()
        self.bodies_up = 0
        self._here = here
        self._there = there
        self._cut = cut

    @contextmanager
    def ask(self, message: Message, body: Iterable[bytes] = ()) -> Iterator[HttpReply]:
        responder = Responder(self._there.node)
        line = to_line(message)
        header = envelope.authorization(
            self._here.node.key, to=self._there.node.id, kind=message.kind, line=line
        )
        self.traffic.turns += 1
        message = from_line(line)
        peer = responder.peer(header, message.kind, line)
        chunks: Iterable[bytes] = ()
        answer: Message
        if isinstance(message, Push):
            intake = responder.push(message, peer)
            try:
                for chunk in self._passing(body):
                    self.bodies_up += len(chunk)
                    intake.feed(chunk)
            finally:
                intake.stop()
            answer = responder.pushed(intake)
        elif message.kind == "pull":
            answer, chunks = responder.pull(message, peer)
        else:
            answer = getattr(responder, message.kind)(message, peer)
        if self._cut(0) is not None:
            raise LinkError("the answer was lost")
        answer = self.as_spoken(answer)
        self.traffic.bytes_down += len(to_line(answer))
        yield HttpReply(from_line(to_line(answer)), self._coming_down(chunks))

    def as_spoken(self, answer: Message) -> Message:
        """Return an answer as the program on the other side would give it."""
        return answer

    def _coming_down(self, body: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in self._passing(body):
            self.traffic.bytes_down += len(chunk)
            yield chunk

    def _passing(self, body: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in body:
            kept = self._cut(len(chunk))
            if kept is not None:
                yield chunk[:kept]
                raise LinkError("the link was cut")
            yield chunk


def meet(here: Place, there: Place) -> SyncReport:
    """Hold a conversation over a link that holds."""
    return meet_over(MemoryLink(here, there), here, there)


def meet_over(link: MemoryLink, here: Place, there: Place) -> SyncReport:
    """Hold a conversation over a link."""
    return converse(here.node, there.node.id, link, pause=lambda _: None)
