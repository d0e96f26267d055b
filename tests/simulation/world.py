"""A world of four nodes, and one clone, in which everything happens that may happen to a node in the field.

Each act is one that a schedule may hold. Nothing is played: the code is that of the product, databases are files, and a
process that is killed does nothing any more from one statement to the database on. Only clocks, links and the folders
of files are ours. After each act what a node holds is compared with what it held before: nothing may be gone, and of a
node whose key was withdrawn nothing may be taken that is not trusted, and all that is. What is about people whom a node
was told to erase may go, must not come, and is nowhere in the end.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Literal, NamedTuple

from sqlalchemy import event, select

from sync import (
    blackout,
    erasures,
    ledger,
    log,
    quarantine,
    revocations,
    rot,
    segment,
    sequencer,
    trust,
    verification,
)
from sync.bundle_export import make_plan, write_bundle
from sync.bundle_import import take_bundle
from sync.client import HttpReply
from sync.engine import SyncReport, converse
from sync.errors import BundleError, LinkError, SegmentError
from sync.findings import Fault, findings
from sync.messages import Message, Record, Role
from sync.node import GENERATION_FILE
from sync.tables import LossRow, QuarantineRow, RevocationRow, SegmentRow
from sync.vector import Head, LogKey
from tests.sync_builders import MemoryLink, NoteRow, Place, about_whom, open_place, pair

ROLES: dict[str, Role] = {"centre": "central", "hub": "hub", "laptop-1": "laptop", "laptop-2": "laptop"}
CLONE = "clone"
#: Notes may be about them.
PEOPLE = ("ada", "bea")
#: Who meets whom: each laptop both, the hub the centre.
MEETINGS = (
    ("laptop-1", "hub"),
    ("laptop-2", "hub"),
    ("hub", "centre"),
    ("laptop-1", "centre"),
    ("laptop-2", "centre"),
)
_DATABASE = "node.db"
_MANY = 10
_ROUNDS = 4
_NOON = 1_764_000_000_000


class Killed(BaseException):
    """The process of a place ended, without a word to anybody."""


class Death(NamedTuple):
    """When a process dies: before one of its next statements, or as soon as some transactions are durable."""

    after: int
    of: Literal["statements", "commits"]


@dataclass
class Fuse:
    """Ends the process of a place; then nothing of it reaches the database any more."""

    death: Death | None = None
    is_burnt: bool = False

    def on_statement(self, *_: object) -> None:
        """Count a statement that is about to be made."""
        self._burn(counts=self.death is not None and self.death.of == "statements")

    def on_commit(self, *_: object) -> None:
        """Count a commit that is about to be made."""
        self._burn(counts=True)

    def _burn(self, *, counts: bool) -> None:
        if self.death is not None:
            self.is_burnt |= self.death.after == 0
            self.death = self.death._replace(after=self.death.after - counts)
        if self.is_burnt:
            raise Killed


@dataclass(kw_only=True, slots=True)
class Inhabitant:
    """A node of the world, and what it must hold."""

    place: Place
    fuse: Fuse
    clock_ms: int = _NOON
    machine: str = "machine"
    older: bool = False
    holds: dict[str, str] = field(default_factory=dict)
    #: Notes of withdrawn nodes that were taken before it was known that they are not trusted, by what is known.
    taken_before: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    #: Whom it was told to erase.
    erased: set[str] = field(default_factory=set)


class World:
    """Nodes that were paired in peace; see the acts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        shutil.copytree(_template(), folder, dirs_exist_ok=True)
        self.nodes = {name: self._open(name, clock_ms=_NOON, machine="machine") for name in ROLES}
        #: A fork is taken apart as far as its facts go; hub and centre may each hold another branch of that one log.
        self.one_log_was_written_twice = False
        self._somebody_was_withdrawn = False
        self._somebody_was_erased = False
        self._somebody_was_put_back = False
        self._rotted: set[tuple[str, str, str, int]] = (
            set()
        )  # of which log, and the last entry of the segment
        self._sticks: list[Sequence[Path]] = []
        self._kept: dict[str, dict[str, str]] = {}  # what a node held as it was backed up
        self._written = 0

    def close(self) -> None:
        """End all processes."""
        for one in self.nodes.values():
            one.place.database.close()

    # ------------------------------------------------------------ acts; those of nodes that are not there do nothing

    def write(
        self,
        name: str,
        *,
        count: int,
        size: int,
        in_directory: bool = False,
        with_file: bool = False,
        memo: bool = False,
        about: str | None = None,
        clock_ms: int | None = None,
    ) -> None:
        """Have somebody write notes on a node, whose clock may have jumped."""
        if name not in self.nodes:
            return
        place = self.nodes[name].place
        if clock_ms is not None:
            place.now[0] = self.nodes[name].clock_ms = clock_ms
        for _ in range(count):
            self._written += 1
            text = f"{self._written:x}-".ljust(size, f"{self._written % 7}")
            if with_file and count < _MANY:
                data = text.encode()
                text = f"blob:{place.blobs.put(data)}:{len(data)}"
            elif about is not None:
                text = f"about {about}:{text}"
            scope = "directory" if in_directory and name == "centre" else "up"
            kind = "memo-" if memo and not self.nodes[name].older else ""
            place.write_note(f"{kind}{name}-{self._written}", text, scope=scope)
        self._look(name)

    def number(self, name: str, *, dies: Death | None) -> None:
        """Number and seal what waits, as the worker does."""
        if name in self.nodes:
            with self._dying(name, dies):
                sequencer.number_changes(self.nodes[name].place.node)
            self._look(name)

    def meet(
        self,
        who: tuple[str, str],
        *,
        cuts: Sequence[int] = (),
        here_dies: Death | None = None,
        there_dies: Death | None = None,
    ) -> None:
        """Have two nodes meet. The link breaks after so many bytes, one time after the other, and then it holds."""
        if not self.nodes.keys() >= {*who}:
            return
        left = list(cuts)

        def cut(length: int) -> int | None:
            if not left:
                return None
            left[0] -= length + 100
            return max(0, left.pop(0) + length) if left[0] < 0 else None

        with self._dying(who[0], here_dies), self._dying(who[1], there_dies):
            self._converse(*who, cut)
        self._look(*who)

    def reopen(self, name: str, *, older: bool = False) -> None:
        """End a node's process in order, and start it again, or another: an older program, or one that is not.

        Whose database the newer one has written orders into, the older one does not open.
        """
        if name in self.nodes and not (older and self._orders(name)):
            self.nodes[name].older = older
            self._start(name)
            if not older:  # what waits for an upgrade is tried with the next records that come; here at once
                quarantine.retry_waiting(self.nodes[name].place.node)
            self._look(name)

    def revoke(self, name: str, *, trusted: Literal["held"] | int | None) -> None:
        """Withdraw a node's key at the centre, or say anew what of it is trusted: what is held, or was at a moment."""
        centre, node = self.nodes["centre"], self._id(name)
        if centre.older:
            return
        self._somebody_was_withdrawn = True
        with centre.place.database.write() as session:
            logs = None
            if trusted == "held":
                logs = trust.held_now(session, node)
            elif trusted is not None:
                logs = trust.recorded_before(session, node, trusted)
            revocations.revoke(session, centre.place.node, node, reason="stolen", trusted=logs)
        quarantine.retry_waiting(centre.place.node)
        self._look("centre")

    def erase(self, who: str) -> None:
        """Have the centre order that somebody be erased everywhere."""
        centre = self.nodes["centre"]
        if centre.older:
            return
        self._somebody_was_erased = True
        with centre.place.database.write() as session:
            erasures.order(session, centre.place.node, who, reason="asked for it")
        self._look("centre")

    def carry_out(self, name: str, *, dies: Death | None) -> None:
        """Erase whom a node was told to, as the worker does."""
        if name in self.nodes and not self.nodes[name].older:
            with self._dying(name, dies):
                while erasures.carry_out_some(self.nodes[name].place.node):
                    pass
            self._look(name)

    def rot(self, name: str, *, which: int, of_others: bool) -> None:
        """Have a disk change a byte of a segment that a node keeps: of its own; or any, while each has all it made."""
        if name not in self.nodes:
            return
        place = self.nodes[name].place
        of_others &= not (self._somebody_was_put_back or self._somebody_was_withdrawn)
        with place.database.write() as session:
            row = SegmentRow
            rows = session.scalars(select(row).order_by(row.origin, row.epoch, row.scope, row.first)).all()
            rows = [one for one in rows if of_others or one.origin == place.node.id]
            if not rows:
                return
            one = rows[which % len(rows)]
            one.encoded = one.encoded[:-2] + bytes([one.encoded[-2] ^ 1]) + one.encoded[-1:]
            self._rotted.add((one.origin, one.epoch, one.scope, one.last))
        self._look(name)

    def mend(self, name: str, *, dies: Death | None) -> None:
        """Mend what cannot be read, as the worker does."""
        if name in self.nodes:
            with self._dying(name, dies):
                while rot.mend_some(self.nodes[name].place.node):
                    pass
            self._look(name)

    def verify(self, name: str, *, dies: Death | None) -> None:
        """Verify what is kept, as the worker does."""
        if name in self.nodes:
            with self._dying(name, dies):
                while verification.verify_some(self.nodes[name].place.node):
                    pass
            self._look(name)

    def back_up(self, name: str) -> None:
        """Copy a node's folder, as an administrator does who stops the program first."""
        self.nodes[name].place.database.close()
        shutil.copytree(self._folder / name, self._backup(name), dirs_exist_ok=True)
        self._kept[name] = dict(self.nodes[name].holds)

    def restore(self, name: str, *, whole: bool) -> None:
        """Put the database of a backup back, or the whole folder; what was written since then is gone from there."""
        if name not in self._kept:
            return
        one = self.nodes[name]
        one.place.database.close()
        for beside in (self._folder / name).glob(f"{_DATABASE}-*"):
            beside.unlink()
        for kept in [_DATABASE, GENERATION_FILE] if whole else [_DATABASE]:
            shutil.copy(self._backup(name) / kept, self._folder / name / kept)
        self._somebody_was_put_back = True
        one.holds = dict(self._kept[name])
        one.taken_before = {}
        one.erased = set()
        self.one_log_was_written_twice |= whole
        self._start(name)
        self._look(name)

    def clone(self, name: str, *, machine: str) -> None:
        """Image a laptop's disk, once, to another machine, or to one that looks the same; both work on."""
        if CLONE in self.nodes:
            return
        self._somebody_was_put_back = True
        one = self.nodes[name]
        one.place.database.close()
        shutil.copytree(self._folder / name, self._folder / CLONE)
        self.nodes[CLONE] = self._open(
            CLONE, clock_ms=one.clock_ms, machine=machine, files_of=one.place, older=one.older
        )
        self.one_log_was_written_twice |= machine == one.machine
        assert self.nodes[CLONE].holds == one.holds

    def write_stick(self, here: str, there: str, *, with_records: bool) -> None:
        """Write a bundle, or a receipt: to another node that is known here."""
        writer, to = self.nodes[here].place, self.nodes[there].place.node.id
        target = self._folder / f"stick-{len(self._sticks)}.outpost"
        with suppress(BundleError), closing(make_plan(writer.node, [to], with_records=with_records)) as plan:
            self._sticks.append(write_bundle(writer.node, plan, target).paths)
        self._look(here)

    def take_stick(self, which: int, there: str, *, dies: Death | None) -> None:
        """Take a bundle. The same one may come again and again, and to whom it is not for."""
        if self._sticks and there in self.nodes:
            with self._dying(there, dies), suppress(BundleError):
                take_bundle(self.nodes[there].place.node, self._sticks[which % len(self._sticks)])
            self._look(there)

    # ------------------------------------------------------------ how it ends

    def settle(self) -> None:
        """Upgrade all programs and have everybody meet the centre in peace, until they agree."""
        for name in self.nodes:
            if self.nodes[name].older:
                self.reopen(name)
        for _ in range(_ROUNDS):
            for name in [name for name in self.nodes if name != "centre"]:
                report = self._converse(name, "centre")
                assert report.state == ("refused" if self._is_withdrawn(name) else "done"), (name, report)
            for name in self.nodes if self._rotted else ():
                self.mend(name, dies=None)
            self._look(*self.nodes)
            if self._somebody_was_erased:
                for name in self.nodes:
                    self.carry_out(name, dies=None)
            if not any(self._lacking(name) or self.waiting(name) for name in self._trusted_nodes()):
                break

    def assert_all_agree(self) -> None:
        """See that the centre holds all, and has signed for it, and that any log elsewhere is where its own began.

        But for what withdrawn nodes hold, and what of them is not trusted; all agree what that is.
        """
        for name in self._trusted_nodes():
            assert self._words_of_trust(name) == self._words_of_trust("centre"), name
            assert not self._lacking(name), f"{name} holds what the centre does not: {self._lacking(name)}"
            assert not self.waiting(name), f"{name} waits for receipts"
        if self._somebody_was_erased:
            self._assert_nobody_is_left()
        if self._rotted:
            self._assert_only_what_rotted_is_lost()
        with self.nodes["centre"].place.database.read() as session:
            for name in [] if self.one_log_was_written_twice else self._trusted_nodes():
                apart = [key for key, head in self._logs(name).items() if not log.ends_at(session, key, head)]
                assert not apart, (name, apart)

    def _converse(
        self, here: str, there: str, cut: Callable[[int], int | None] = lambda _: None
    ) -> SyncReport:
        one, other = self.nodes[here].place, self.nodes[there].place
        return converse(one.node, other.node.id, DyingLink(one, other, cut), pause=lambda _: None)

    def _lacking(self, name: str) -> list[str]:
        """Return the keys of notes that are trusted, and that a node holds and the centre does not, or otherwise."""
        lacking = {key for key, _ in self.nodes[name].holds.items() - self.nodes["centre"].holds.items()}
        return sorted(lacking - self._excused(name)) if lacking else []

    def _excused(self, name: str) -> set[str]:
        """Return the notes of withdrawn nodes that a node holds and the centre need not take."""
        excused = set[str]()
        for node in self._words_of_trust(name):
            good, beyond = self._judged(name, node)
            # The log of a node that was written twice may be held here on the branch that is not meant, in part.
            excused |= good | beyond if self.one_log_was_written_twice else beyond - good
        return excused

    def waiting(self, name: str) -> int:
        """Return how many of its own records no receipt of the root covers, by what a node shows people."""
        one = self.nodes[name].place
        with one.database.read() as session:
            counts = ledger.counts(session, one.node).items()
        # That it has erased somebody a node tells once it has, which is after everything else.
        return sum(count.waiting + count.at_hub for kind, count in counts if kind != erasures.ERASURE_DONE)

    def _logs(self, name: str) -> dict[LogKey, Head]:
        with self.nodes[name].place.database.read() as session:
            return log.held(session)

    # ------------------------------------------------------------ whose key was withdrawn

    def _id(self, name: str) -> str:
        return self.nodes[name].place.node.id

    def _is_withdrawn(self, name: str) -> bool:
        return self._id(name) in self._words_of_trust("centre")

    def _trusted_nodes(self) -> list[str]:
        """Return the nodes whose keys the centre has not withdrawn."""
        withdrawn = self._words_of_trust("centre")
        return [name for name in self.nodes if self._id(name) not in withdrawn]

    def _words_of_trust(self, name: str) -> dict[str, str]:
        """Return the nodes that are withdrawn as a node knows it, and what was last said of each."""
        if not self._somebody_was_withdrawn:
            return {}
        with self.nodes[name].place.database.read() as session:
            nodes = session.scalars(select(RevocationRow.node).distinct())
            rows = {node: trust.revocation_of(session, node) for node in nodes}
        return {node: f"{row.revoked_ms} {row.revoker} {row.trusted}" for node, row in rows.items() if row}

    def _judged(self, name: str, node: str) -> tuple[set[str], set[str]]:
        """Return the notes in a withdrawn node's logs as held by another: those that are trusted, and the others."""
        good, beyond = set[str](), set[str]()
        with self.nodes[name].place.database.read() as session:
            revocation = trust.revocation_of(session, node)
            trusted = None if revocation is None else trust.trusted_by(revocation)
            limits = {one[:2]: one.limit for one in trusted or ()}
            for key in log.held(session, origins=[node]):
                limit = limits.get(key[1:], trust.NO_TRUST)
                whole = log.head_of(session, key).seq < limit.end.seq or log.ends_at(session, key, limit.end)
                last = limit.last if whole else 0
                for ref in log.segments_after(session, key, 0):
                    for record in _readable(log.encoding_of(session, ref.digest) or b""):
                        if record.kind in {"note", "memo"} and not self._is_erased(
                            name, record.body.decode()
                        ):
                            (good if trusted is None or record.seq <= last else beyond).add(record.key)
        return good, beyond

    def _look_at_trust(self, name: str) -> None:
        """See that of withdrawn nodes all is taken that is trusted, and nothing more since that is known."""
        one = self.nodes[name]
        known = {word for word in self._words_of_trust(name).items() if word[0] != one.place.node.id}
        for node, word in known:
            good, beyond = self._judged(name, node)
            with one.place.database.read() as session:
                row = QuarantineRow
                waiting = select(row.key).where(row.origin == node, row.verdict == "waiting")
                left = good - one.holds.keys() - set(session.scalars(waiting))
            assert not left, f"{name} has not taken {sorted(left)}, which are trusted"
            taken = (beyond - good) & one.holds.keys()
            more = taken - one.taken_before.setdefault((node, word), taken)
            assert not more, f"{name} has taken {sorted(more)}, which are not trusted"

    def _look(self, *names: str) -> None:
        """See that nothing is gone from some nodes, and nothing changed."""
        for name in names:
            one = self.nodes[name]
            notes = one.place.notes()
            if self._somebody_was_erased:
                self._look_at_erased(name)
            gone = {note for note in one.holds.items() - notes.items() if not self._is_erased(name, note[1])}
            assert not gone, f"{name} has lost or changed {sorted(key for key, _ in gone)}"
            one.holds = notes
            self._look_at_trust(name)

    # ------------------------------------------------------------ who was erased

    def _orders(self, name: str) -> dict[str, str]:
        with self.nodes[name].place.database.read() as session:
            return blackout.orders_by_subject(session)

    def _is_erased(self, name: str, text: str) -> bool:
        return about_whom(text) in self.nodes[name].erased

    def _look_at_erased(self, name: str) -> None:
        """See that nothing has come here about whom the node was told to erase already."""
        one = self.nodes[name]
        digests = self._orders(name)
        with one.place.database.read() as session:
            about = select(NoteRow.key, NoteRow.text).where(
                NoteRow.text.startswith("about "), ~NoteRow.made_here
            )
            brought = {key: about_whom(text) for key, text in session.execute(about)}
        come = {key for key, who in brought.items() if who in one.erased} - one.holds.keys()
        assert not (come and not one.older), (
            f"{name} has taken {sorted(come)}, about people it was told to erase"
        )
        one.erased |= {who for who in PEOPLE if blackout.subject_of(who) in digests}

    def _assert_nobody_is_left(self) -> None:
        """See that on no node that is trusted an entry can be read about anybody whom the centre has had erased."""
        orders = self._orders("centre")
        for name in self._trusted_nodes():
            assert self._orders(name).keys() == orders.keys(), (
                f"{name} does not know whom the centre has had erased"
            )
            place = self.nodes[name].place
            texts = list(place.notes().values())
            with place.database.read() as session:
                for encoded in session.scalars(select(SegmentRow.encoded)):
                    texts += [one.body.decode() for one in _readable(encoded)]
                texts += [body.decode() for body in session.scalars(select(QuarantineRow.body))]
                told = erasures.ordered(session, place.node)
            left = [one for one in texts if (who := about_whom(one)) and blackout.subject_of(who) in orders]
            assert not left, f"{name} can still read {left}"
            late = [one.id for one in told if place.node.id in {node.node for node in one.outstanding}]
            assert not late, f"{name} has not said that it is done"

    # ------------------------------------------------------------ what rotted

    def _assert_only_what_rotted_is_lost(self) -> None:
        """See that nothing was declared lost that could be read, and all else is as it was signed."""
        for name in self._trusted_nodes():
            place = self.nodes[name].place
            with place.database.read() as session:
                told = session.scalars(select(LossRow)).all()
            ends = {(one.origin, one.epoch, one.scope, one.last) for one in told}
            assert ends <= self._rotted, f"{name} has declared {ends - self._rotted} lost"
            verification.verify(place.node, everything=True)
            with place.database.read() as session:
                found = {one.fault for one, _ in findings(session)}
            assert found <= {Fault.DAMAGED}, f"{name} seems to have been tampered with: {found}"

    # ------------------------------------------------------------ processes

    @contextmanager
    def _dying(self, name: str, death: Death | None) -> Iterator[None]:
        """Let a process die, if it is to, and start it again afterwards."""
        fuse = self.nodes[name].fuse
        fuse.death = death
        try:
            yield
        except Killed:
            if not fuse.is_burnt:
                raise
        finally:
            fuse.death = None
            if fuse.is_burnt:
                self._start(name)

    def _start(self, name: str) -> None:
        one = self.nodes[name]
        one.place.database.close()
        again = self._open(
            name, clock_ms=one.clock_ms, machine=one.machine, files_of=one.place, older=one.older
        )
        one.place, one.fuse = again.place, again.fuse

    def _open(
        self,
        name: str,
        *,
        clock_ms: int,
        machine: str,
        files_of: Place | None = None,
        older: bool = False,
    ) -> Inhabitant:
        role = ROLES.get(name, "laptop")
        place = open_place(self._folder / name, name, role, machine=machine, now_ms=clock_ms, older=older)
        if files_of is not None:
            place.blobs.whole.update(files_of.blobs.whole)
            place.blobs.parts.update(files_of.blobs.parts)
        fuse = Fuse()
        event.listen(place.database.engine, "before_cursor_execute", fuse.on_statement)
        event.listen(place.database.engine, "commit", fuse.on_commit)
        return Inhabitant(
            place=place, fuse=fuse, clock_ms=clock_ms, machine=machine, older=older, holds=place.notes()
        )

    def _backup(self, name: str) -> Path:
        return self._folder / f"backup-of-{name}"


class DyingLink(MemoryLink):
    """A link on which the death of the other side is seen as silence."""

    @contextmanager
    def ask(self, message: Message, body: Iterable[bytes] = ()) -> Iterator[HttpReply]:
        """Ask, and hear nothing where the other side dies."""
        with self._silent(), super().ask(message, body) as reply:
            yield reply

    def _passing(self, body: Iterable[bytes]) -> Iterator[bytes]:
        with self._silent():
            yield from super()._passing(body)

    @contextmanager
    def _silent(self) -> Iterator[None]:
        try:
            yield
        except Killed as end:
            raise LinkError("nobody answers") from end


def _readable(encoded: bytes) -> Sequence[Record]:
    """Return the records of a segment; of one that rotted, none."""
    try:
        return segment.read(segment.take_apart(encoded))
    except SegmentError:
        return ()


@cache
def _template() -> Path:
    """Return the folders of nodes that were paired, which for each schedule again would take as long as it does."""
    folder = Path(mkdtemp(prefix="outpost-world-"))
    places = {name: open_place(folder / name, name, role) for name, role in ROLES.items()}
    pair(places["centre"], places["hub"], units=["*"])
    for above in ("hub", "centre"):
        for laptop in ("laptop-1", "laptop-2"):
            pair(places[above], places[laptop])
    for place in places.values():
        place.database.close()
    return folder
