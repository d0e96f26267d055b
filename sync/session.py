"""One conversation as a state machine: message in, messages out, no I/O.

The side that opened it drives. ``Conversation.next`` says what to send; the driver sends it, gives the answer
to ``receive``, tells with ``took`` what became of the bytes that came along, and asks again until ``next``
has nothing to say. The other side keeps no state between messages (several processes may answer one
conversation): ``differences`` is all it needs to answer a greeting.

Order of moving: revocations and directory come down, proposals and facts go up, the catalogue comes down,
files go up, files come down, copies of segments that cannot be read any more come down, and if anything was taken, an
acknowledgement closes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from sync import scopes
from sync.errors import UnexpectedMessageError
from sync.messages import (
    Acknowledge,
    Certificate,
    Delivery,
    Frame,
    Hello,
    Message,
    Partial,
    Progress,
    Pull,
    Push,
    SegmentRef,
    Signed,
    Wanted,
    Welcome,
)
from sync.vector import NOTHING, Head, LogKey, Vector, changed, from_rows, merged, rows, vector_digest

FIRST_WINDOW = 8 * 1024
PULL_BYTES = 1024 * 1024
FIRST_FILES_WINDOW = 4 * PULL_BYTES
LARGEST_FILES_WINDOW = 64 * PULL_BYTES
_MOST_FRAMES = 1000
_MOST_COPIES = 50


class State(Enum):
    """Where the conversation stands."""

    OPENING = "opening"
    GREETING = "greeting"
    MOVING = "moving"
    PUSHING = "pushing"
    PULLING = "pulling"
    CLOSING = "closing"
    DONE = "done"


# What each state may hear, and where that leads.
EXPECTED: dict[State, tuple[type[Welcome | Progress | Delivery], State]] = {
    State.GREETING: (Welcome, State.MOVING),
    State.PUSHING: (Progress, State.MOVING),
    State.PULLING: (Delivery, State.MOVING),
    State.CLOSING: (Progress, State.DONE),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """What the opening side knows when it greets.

    Attributes:
        said: the vector that the peer last heard from us.
        receipts_after: position up to which the peer's receipts were seen while its epoch was ``peer_epoch``.
        forms: the newest form of segments that is read here.
        peer_issued_ms: from when the peer's certificate is that is known here.
        lacking: segments that are held and cannot be read: copies are asked for of a peer that holds them.
    """

    me: Certificate
    epoch: str
    held: Vector
    said: Vector
    now_ms: int
    receipts_after: int = 0
    peer_epoch: str | None = None
    forms: int = 1
    partials: Sequence[Partial] = ()
    wanted: Sequence[Wanted] = ()
    certificates: Sequence[Signed] = ()
    peer_issued_ms: int = 0
    root: str | None = None
    lacking: Sequence[Lacking] = ()


@dataclass(frozen=True, slots=True)
class Lacking:
    """A segment that is held and cannot be read any more, and the head after which it comes."""

    ref: SegmentRef
    before: Head


@dataclass(slots=True)
class _Outbox:
    refs: list[SegmentRef] = field(default_factory=list)
    blobs: dict[str, int] = field(default_factory=dict)
    offsets: dict[str, int] = field(default_factory=dict)


class Conversation:
    """The opening side of one conversation.

    ``window`` is how many bytes the next push may carry, ``files_window`` how many of files the next pull may ask
    for; the driver sizes them to the link.
    """

    def __init__(self, opening: Opening) -> None:
        self.state = State.OPENING
        self.window = FIRST_WINDOW
        self.files_window = FIRST_FILES_WINDOW
        self.overtaken = False
        self.tells_chunks = False
        self.sent_records = 0
        self.stalled: set[LogKey] = set()
        self.peer_wants: dict[str, Wanted] = {}
        self._opening = opening
        self._base: Vector = opening.said
        self._held = dict(opening.held)
        self._told = dict(opening.held)
        self._token = ""
        self._theirs: dict[LogKey, Head] = {}
        self._they_read = 1
        self._to_pull: list[LogKey] = []
        self._to_push: list[LogKey] = []
        self._partials = list(opening.partials)
        self._wanted = list(opening.wanted)
        self._to_mend: list[Lacking] = []
        self._absent: set[str] = set()
        self._undeliverable: set[str] = set()
        self._outbox = _Outbox()
        self._took_something = False

    # ------------------------------------------------------------ what the driver asks

    @property
    def told(self) -> dict[LogKey, Head]:
        """Return the vector that the peer has heard from us by now."""
        return self._told

    def peer_heads(self) -> dict[LogKey, Head]:
        """Return where the peer stands in the logs in which we differ."""
        return dict(self._theirs)

    def outgoing(self) -> dict[LogKey, Head]:
        """Return how far the peer holds the logs of which it wants more."""
        return {key: self._theirs[key] for key in self._to_push}

    def arrived_since(self, stood: Vector) -> int:
        """Return how many entries the peer holds beyond where it stood; a log in which we do not differ, whole."""
        now = {key: self._theirs.get(key, self._held.get(key, NOTHING)) for key in stood}
        return sum(max(0, now[key].seq - head.seq) for key, head in stood.items())

    def left(self) -> tuple[int, int]:
        """Return how many entries are known to be left: to send, to receive."""
        to_send = sum(max(0, self._held[key].seq - self._theirs[key].seq) for key in self._to_push)
        to_receive = sum(self._theirs[key].seq - self._held.get(key, NOTHING).seq for key in self._to_pull)
        return to_send, to_receive

    def bytes_left(self) -> int:
        """Return how many bytes are known to be left: what is lined up, and files that are wanted."""
        lined_up = [(ref.digest, ref.size) for ref in self._outbox.refs] + list(self._outbox.blobs.items())
        up = sum(max(0, size - self._outbox.offsets.get(digest, 0)) for digest, size in lined_up)
        return up + sum(_left_of(blob) for blob in self._wanted if blob.digest not in self._absent)

    def origins_unknown_to_peer(self) -> set[str]:
        """Return the origins of what is lined up of which the peer holds nothing yet."""
        me = self._opening.me.node
        return {key.origin for key in self._to_push if self._theirs[key].seq == 0 and key.origin != me}

    def next(self) -> Message | None:
        """Return what to send now, or ``None`` when all is said."""
        if self.state is State.OPENING:
            self.state = State.GREETING
            return self._hello()
        return self._next_move() if self.state is State.MOVING else None

    def _next_move(self) -> Message | None:
        urgent = [key for key in self._to_pull if scopes.parts_of(key.scope)[0] != scopes.CATALOGUE]
        if urgent:
            return self._pull(urgent)
        if self._outbox.refs:
            return self._push(self._segment_frames())
        if self._to_pull:
            return self._pull(self._to_pull)
        if self._outbox.blobs:
            return self._push(self._blob_frames())
        if any(blob.digest not in self._absent for blob in self._wanted):
            return self._pull([])
        return self._close()

    def _close(self) -> Message | None:
        if self._to_mend:
            return self._pull_copy(self._to_mend.pop(0))
        if self._took_something:
            self.state = State.CLOSING
            self._told = merged(self._told, self._held)
            heads = changed(self._held, self._opening.held)
            return Acknowledge(conversation=self._token, heads=tuple(rows(heads)))
        self.state = State.DONE
        return None

    def receive(self, message: Message) -> None:
        """Take the peer's answer.

        Raises:
            UnexpectedMessageError: it has no place here.
        """
        expected, then = EXPECTED.get(self.state, (None, self.state))
        if expected is None or not isinstance(message, expected):
            raise UnexpectedMessageError(self.state.value, message.kind)
        before, self.state = self.state, then
        if isinstance(message, Welcome):
            self._welcome(message)
        elif isinstance(message, Progress):
            self._progress(message, pushed=before is State.PUSHING)
        else:
            self._absent |= set(message.absent)

    def offer(self, refs: Iterable[SegmentRef]) -> None:
        """Line up segments of the logs in ``outgoing``, in the order in which the logs are moved.

        Of a log that goes on in a form which the peer does not read, those up to there.
        """
        wanted = set(self._to_push)
        mine = [ref for ref in refs if ref.log in wanted and ref.last > self._theirs[ref.log].seq]
        mine.sort(key=lambda ref: (scopes.priority(ref.log), ref.first))
        ends: dict[LogKey, int] = {}
        for ref in mine:
            if ref.form > self._they_read:
                ends.setdefault(ref.log, ref.first)
        self._outbox.refs = [ref for ref in mine if ref.log not in ends or ref.first < ends[ref.log]]

    def take_back(self, digests: Collection[str]) -> None:
        """Do not send what ``next`` just said: these segments cannot be read. Their logs end before them."""
        self.state = State.MOVING
        ends = {ref.log: ref.first for ref in reversed(self._outbox.refs) if ref.digest in digests}
        self._outbox.refs = [
            ref for ref in self._outbox.refs if ref.log not in ends or ref.first < ends[ref.log]
        ]

    def offer_blobs(self, sizes: Mapping[str, int]) -> None:
        """Line up those of the files in ``peer_wants`` that are here, small ones first."""
        useful = {digest: size for digest, size in sizes.items() if digest not in self._undeliverable}
        self._outbox.blobs = dict(sorted(useful.items(), key=lambda item: (item[1], item[0])))

    def took(
        self,
        heads: Vector,
        *,
        partials: Sequence[Partial],
        wanted: Sequence[Wanted],
        moved: bool,
        spoilt: Collection[str] = (),
    ) -> None:
        """Learn what became of the bytes after a delivery.

        Args:
            heads: our heads of the logs that the delivery touched.
            partials: what is unfinished now.
            wanted: the files still lacking.
            moved: whether any byte of it was of use; without, the same is not asked again.
            spoilt: files that the peer gave otherwise than they are called; they are not asked of it again.
        """
        self._held = merged(self._held, heads)
        self._partials = list(partials)
        self._wanted = list(wanted)
        self._absent |= set(spoilt)
        if moved:
            self._took_something = True
        else:
            self.stalled |= set(self._to_pull)
            self._absent |= {blob.digest for blob in wanted}
        self._to_pull = [
            key
            for key in self._to_pull
            if key not in self.stalled and self._theirs[key].seq > self._held.get(key, NOTHING).seq
        ]

    # ------------------------------------------------------------ messages out

    def _hello(self) -> Hello:
        opening = self._opening
        return Hello(
            node=opening.me.node,
            epoch=opening.epoch,
            time_ms=opening.now_ms,
            base=vector_digest(self._base),
            heads=tuple(rows(changed(opening.held, self._base))),
            held=vector_digest(opening.held),
            receipts_after=opening.receipts_after,
            peer_epoch=opening.peer_epoch,
            certificates=() if self._base else tuple(opening.certificates),
            issued_ms=opening.me.issued_ms,
            peer_issued_ms=opening.peer_issued_ms,
            root=opening.root,
        )

    def _pull(self, keys: Sequence[LogKey]) -> Pull:
        self.state = State.PULLING
        after = {key: self._held.get(key, NOTHING) for key in keys}  # in the order of the keys
        wanted = [blob for blob in self._wanted if blob.digest not in self._absent]
        return Pull(
            conversation=self._token,
            after=tuple((*key, *after[key]) for key in keys),
            partials=tuple(self._partials) if keys else (),
            wanted=() if keys else tuple(wanted[:_MOST_FRAMES]),
            max_bytes=PULL_BYTES if keys else self.files_window,
            forms=self._opening.forms,
        )

    def _pull_copy(self, lacking: Lacking) -> Pull:
        """Ask for one segment as if the log were held up to before it, and for no more bytes than it has."""
        self.state = State.PULLING
        return Pull(
            conversation=self._token,
            after=((*lacking.ref.log, *lacking.before),),
            partials=tuple(self._partials),
            max_bytes=lacking.ref.size,
            forms=self._opening.forms,
        )

    def _push(self, frames: Sequence[Frame]) -> Push:
        self.state = State.PUSHING
        return Push(conversation=self._token, frames=tuple(frames))

    def _segment_frames(self) -> list[Frame]:
        return self._frames("segment", [(ref.digest, ref.size) for ref in self._outbox.refs])

    def _blob_frames(self) -> list[Frame]:
        return self._frames("blob", list(self._outbox.blobs.items()))

    def _frames(self, what: str, sizes: Sequence[tuple[str, int]]) -> list[Frame]:
        room, frames = self.window, []
        for digest, size in sizes[:_MOST_FRAMES]:
            offset = self._outbox.offsets.get(digest, 0)
            length = min(size - offset, room)
            frames.append(
                Frame.model_validate(
                    {"what": what, "digest": digest, "size": size, "offset": offset, "length": length}
                )
            )
            room -= length
            if room <= 0:
                break
        return frames

    # ------------------------------------------------------------ messages in

    def _welcome(self, welcome: Welcome) -> None:
        if welcome.base_unknown:
            if not self._base:
                raise UnexpectedMessageError(self.state.value, "a welcome that does not know the empty base")
            self._base = {}
            self.state = State.OPENING
            return
        self._token = welcome.conversation
        self._they_read = welcome.forms
        self.tells_chunks = welcome.tells_chunks
        self._theirs = from_rows(welcome.heads)
        for key, head in sorted(self._theirs.items(), key=lambda item: scopes.priority(item[0])):
            ours = self._held.get(key, NOTHING)
            mine = key.origin == self._opening.me.node and key.epoch == self._opening.epoch
            if mine and (head.seq > ours.seq or (head.seq == ours.seq and head.root != ours.root)):
                self.overtaken = True
            elif head.seq > ours.seq and scopes.wants(self._opening.me, key):
                self._to_pull.append(key)
            elif head.seq < ours.seq:
                self._to_push.append(key)
        self._to_mend = [
            one
            for one in self._opening.lacking[:_MOST_COPIES]
            if self._theirs.get(one.ref.log, one.ref.head).seq >= one.ref.last
            and scopes.wants(self._opening.me, one.ref.log)
        ]
        begun: list[Partial | Wanted] = [*welcome.partials, *welcome.wanted]  # segments, files
        self._outbox.offsets = {one.digest: one.offset for one in begun}
        self.peer_wants = {blob.digest: blob for blob in welcome.wanted}

    def _progress(self, progress: Progress, *, pushed: bool) -> None:
        if not pushed:
            return
        moved = self._heads_moved(from_rows(progress.heads))
        for partial in progress.partials:
            moved |= partial.offset > self._outbox.offsets.get(partial.digest, 0)
            self._outbox.offsets[partial.digest] = partial.offset
        self.peer_wants = {blob.digest: blob for blob in progress.wanted}
        lacking = {digest: size for digest, size in self._outbox.blobs.items() if digest in self.peer_wants}
        moved |= len(lacking) < len(self._outbox.blobs)
        self._outbox.blobs = lacking
        refused = {segment.digest for segment in progress.refused}
        self.stalled |= {ref.log for ref in self._outbox.refs if ref.digest in refused}
        if not moved:  # sending the same bytes again would not help either
            self.stalled |= {ref.log for ref in self._outbox.refs[:1]}
            self._undeliverable |= set(self._outbox.blobs)
            self._outbox.blobs = {}
        self._outbox.refs = [
            ref
            for ref in self._outbox.refs
            if ref.log not in self.stalled and ref.last > self._theirs[ref.log].seq
        ]

    def _heads_moved(self, heads: Vector) -> bool:
        moved = False
        for key, head in heads.items():
            before = self._theirs.get(key, NOTHING)
            if head.seq > before.seq:
                moved = True
                self.sent_records += head.seq - before.seq
                self._theirs[key] = head
        return moved


def _left_of(blob: Wanted) -> int:
    return sum(length for _, length in blob.gaps) if blob.gaps else blob.size - blob.offset


def differences(sight: scopes.Sight, *, ours: Vector, theirs: Vector) -> dict[LogKey, Head]:
    """Return our heads where the peer lacks what it may see now, or holds what we want.

    Equal vectors give nothing, and the conversation ends after one turn.
    """
    result = {}
    for key in ours.keys() | theirs.keys():
        mine, other = ours.get(key, NOTHING), theirs.get(key, NOTHING)
        give = mine.seq > other.seq and sight.covers(key)
        take = mine.seq < other.seq and scopes.wants(sight.giver, key)
        apart = mine.seq == other.seq and mine.root != other.root
        if give or take or apart:
            result[key] = mine
    return result
