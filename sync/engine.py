"""Drive one conversation over a transport, in bounded steps; go on where it stopped when the link broke."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from sync import days, inbox, ledger, log, quarantine, renewal, rot, sequencer, wishes
from sync.canonical import canonical_json
from sync.errors import CertificateError, IdentityError, LinkError, StoppedError, SyncError
from sync.identity import read_certificate
from sync.inbox import Intake
from sync.likeness import Mosaics
from sync.messages import Chunks, Cut, Delivery, Message, Progress, Pull, Push, Wanted, Welcome
from sync.node import (
    Node,
    certificate_of,
    known_certificates,
    remember_generation,
    sight_of,
    standing,
    take_certificates,
    vouched_for,
)
from sync.outbox import read_frames
from sync.ports import Transport
from sync.session import (
    FIRST_FILES_WINDOW,
    FIRST_WINDOW,
    LARGEST_FILES_WINDOW,
    Conversation,
    Lacking,
    Opening,
)
from sync.tables import PeerRow
from sync.vector import Vector, from_rows, merged

LARGEST_WINDOW = 1024 * 1024
_LONG_REQUEST_S = 8.0
_SHORT_PULL_S = 2.0
_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
_MOST_WANTED = 500

logger = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class SyncReport:
    """What one meeting came to.

    Attributes:
        state: ``done``; ``interrupted`` (the link no longer helped); ``refused``; or the code of whoever stopped it.
        to_send, to_receive: entries that are known to be left, each way.
        bytes_left: that are known, of segments to send and of files.
        receipts: how many came.
        waiting: own records that no receipt of the root covers.
        no_room: bytes by which the files that are wanted are more than may be taken here.
    """

    state: str
    sent: int = 0
    received: int = 0
    to_send: int = 0
    to_receive: int = 0
    bytes_left: int = 0
    receipts: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    turns: int = 0
    seconds: float = 0.0
    waiting: int = 0
    no_room: int = 0
    detail: str = ""


def converse(
    node: Node,
    peer: str,
    transport: Transport,
    *,
    pause: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
    told: Callable[[SyncReport], None] = lambda _: None,
) -> SyncReport:
    """Meet a peer until nothing is left to move, or the link no longer helps.

    A broken link is tried again; as long as each try moves something, it goes on. After five fruitless
    tries in a row the report says ``interrupted``, and the next meeting goes on from there.

    *told* hears after each answer how far it is; bytes, turns and what waits are counted at the end.
    """
    started = monotonic()
    report = SyncReport(state="done")
    fruitless = 0
    seen: Welcome | None = None
    meeting: _Meeting | None = None
    while True:
        meeting = _Meeting(node, peer, transport, report, monotonic, told=told, after=meeting)
        try:
            if meeting.run():
                break
            continue  # a new epoch was opened: greet again
        except LinkError as error:
            went_on = meeting.moved or (seen is not None and meeting.peer_is_farther_than(seen))
            fruitless, seen = 0 if went_on else fruitless + 1, meeting.welcome or seen
            if fruitless >= len(_PAUSES_S):
                report.state, report.detail = "interrupted", str(error)
                break
            pause(_PAUSES_S[fruitless])
        except StoppedError as stop:
            report.state, report.detail = stop.code, stop.detail
            break
        except SyncError as error:
            report.state, report.detail = "refused", str(error)
            break
    traffic = transport.traffic
    report.bytes_up, report.bytes_down, report.turns = traffic.bytes_up, traffic.bytes_down, traffic.turns
    report.seconds = round(monotonic() - started, 3)
    with node.read() as session:
        report.waiting = sum(count.waiting + count.at_hub for count in ledger.counts(session, node).values())
        report.no_room = quarantine.bytes_without_room(session, node)
    return report


class _Meeting:
    """One try: from the greeting to the end, or to the break of the link.

    It goes on from the one before it: ``stood`` is how far the peer was known to hold what was on its way to it,
    ``window`` how much a push may carry and ``files_window`` a pull of files. What of a push was on its way as the link
    broke is kept, however large it was.
    """

    def __init__(
        self,
        node: Node,
        peer: str,
        transport: Transport,
        report: SyncReport,
        monotonic: Callable[[], float],
        *,
        told: Callable[[SyncReport], None],
        after: _Meeting | None,
    ) -> None:
        self.moved = False
        self._found_rot = False
        self.stood: Vector = after.stood if after else {}
        self.window: int = after.window if after else FIRST_WINDOW
        self.files_window: int = after.files_window if after else FIRST_FILES_WINDOW
        self.mosaics: Mosaics = after.mosaics if after else Mosaics(node)
        self.welcome: Welcome | None = None
        self._node = node
        self._peer = peer
        self._transport = transport
        self._report = report
        self._monotonic = monotonic
        self._told = told

    def peer_is_farther_than(self, before: Welcome) -> bool:
        """Say whether the peer kept something of the last try although its answer was lost."""
        now = self.welcome
        return now is not None and (
            (now.heads, now.partials, now.wanted) != (before.heads, before.partials, before.wanted)
        )

    def run(self) -> bool:
        """Return whether all is said; ``False`` when a new epoch was opened and a new greeting is due."""
        while rot.mend_some(self._node):
            pass
        if self._node.wishes is not None:
            with self._node.write() as session:
                self._node.wishes.look(session)
        sequencer.number_changes(self._node)
        conversation = self._open()
        conversation.window, conversation.files_window = self.window, self.files_window
        while (message := conversation.next()) is not None:
            if isinstance(message, Push):
                if unreadable := self._unreadable(message):
                    conversation.take_back(unreadable)
                    continue
                self._push(conversation, message)
            elif isinstance(message, Pull):
                self._pull(conversation, message)
            else:
                answer = self._ask(message)
                conversation.receive(answer)
                if isinstance(answer, Welcome) and not answer.base_unknown:
                    if self._begins_anew(conversation, answer):
                        return False
                    self._welcomed(conversation, answer)
            self._report.to_send, self._report.to_receive = conversation.left()
            self._report.bytes_left = conversation.bytes_left()
            self._told(self._report)
        self._remember_told(conversation)
        if self._found_rot and rot.mend_some(self._node):
            return False
        quarantine.take_up_arrived(self._node, limit=_MOST_WANTED)  # after any revocation has come
        quarantine.retry_waiting(self._node)
        return True

    def _open(self) -> Conversation:
        with self._node.write() as session:
            if ledger.is_revoked(session, self._peer):
                raise IdentityError("The key of the other node was withdrawn; this one does not talk to it.")
            row = ledger.peer_row(session, self._peer, now_ms=self._node.clock())
            me, known = standing(session), known_certificates(session)
            return Conversation(
                Opening(
                    me=me.certificate,
                    epoch=me.epoch,
                    held=log.held_towards(session, self._peer),
                    said=ledger.vector_from(row.said),
                    now_ms=self._node.clock(),
                    receipts_after=row.receipts_after,
                    peer_epoch=row.epoch,
                    forms=self._node.forms,
                    partials=inbox.partials(session),
                    wanted=self._wanted(session),
                    certificates=tuple(known.values()),
                    peer_issued_ms=read_certificate(known[self._peer]).issued_ms
                    if self._peer in known
                    else 0,
                    root=me.root,
                    lacking=[Lacking(rot.ref_of(row), rot.head_before(row)) for row in rot.noted(session)],
                )
            )

    def _wanted(self, session: Session) -> Sequence[Wanted]:
        """Return the files to ask this peer for; of one to which facts go up it has none of theirs."""
        signed = certificate_of(session, self._peer)
        is_above = signed is not None and sight_of(session, self._node, read_certificate(signed)).is_upward
        return quarantine.wanted_blobs(session, self._node, limit=_MOST_WANTED, from_above=is_above)

    def _ask(self, message: Message) -> Message:
        with self._transport.ask(message) as reply:
            return reply.message

    # ------------------------------------------------------------ greeting

    def _begins_anew(self, conversation: Conversation, welcome: Welcome) -> bool:
        theirs = conversation.peer_heads()
        with self._node.write() as session:
            if not sequencer.is_overtaken(session, self._node, standing(session), theirs):
                return False
            row = ledger.peer_row(session, self._peer, now_ms=self._node.clock())
            shared = {
                key: head
                for key, head in ledger.vector_from(row.heard).items()
                if log.ends_at(session, key, head)
            }
            reason = f"{welcome.node} holds our log otherwise than we do"
            sequencer.begin_anew(session, self._node, reason=reason, common=shared)
        remember_generation(self._node)
        return True

    def _welcomed(self, conversation: Conversation, welcome: Welcome) -> None:
        self.welcome = welcome
        now_ms = self._node.clock()
        with self._node.write() as session:
            row = ledger.peer_row(session, self._peer, now_ms=now_ms)
            has_followed = self._follow_root(session, welcome)
            take_certificates(session, welcome.certificates)
            if row.epoch not in (None, welcome.epoch):
                ledger.forget_receipts(session, self._peer)
            root = standing(session).root
            self._report.receipts += ledger.keep_receipts(session, welcome.receipts, root=root)
            days.keep_proofs(session, self._node, welcome.proofs)
            row.epoch, row.last_seen_ms = welcome.epoch, now_ms
            row.skew_ms = welcome.time_ms - now_ms
            # Of another root all that it has signed is to be heard.
            row.receipts_after = 0 if has_followed else welcome.receipts_position
            row.said = ledger.vector_kept(conversation.told)
            _note_what_it_lacks(session, row, conversation.peer_heads())
            row.wants = _files_kept(welcome.wanted)  # a bundle brings them, where the link breaks before
            refs = [
                ref
                for key, head in conversation.outgoing().items()
                for ref in log.segments_after(session, key, head.seq)
            ]
        self._report.sent += conversation.arrived_since(self.stood)  # the answers that said so were lost
        self.stood = conversation.outgoing()
        conversation.offer(refs)
        self._offer_blobs(conversation)

    def _follow_root(self, session: Session, welcome: Welcome) -> bool:
        if welcome.next_root is None:
            return False
        try:
            renewal.follow_root(session, welcome.next_root, welcome.certificates)
        except CertificateError as error:
            logger.warning("root_not_followed", extra={"peer": self._peer, "detail": str(error)})
            return False
        return True

    def _offer_blobs(self, conversation: Conversation) -> None:
        held = {digest: self._node.blobs.size(digest) for digest in conversation.peer_wants}
        conversation.offer_blobs({digest: size for digest, size in held.items() if size is not None})

    # ------------------------------------------------------------ bytes

    def _unreadable(self, push: Push) -> set[str]:
        """Return which of the segments that are about to be sent cannot be read; they are mended afterwards."""
        begun = {frame.digest for frame in push.frames if frame.what == "segment" and frame.offset == 0}
        with self._node.read() as session:
            found = rot.unreadable(session, begun)
        rot.note(self._node, found)
        self._found_rot |= bool(found)
        return found

    def _push(self, conversation: Conversation, push: Push) -> None:
        unknown = conversation.origins_unknown_to_peer()
        with self._node.read() as session:
            known = vouched_for(session, unknown) if unknown else {}
        newcomers = [known[origin] for origin in unknown if origin in known]
        started = self._monotonic()
        introduced = push.model_copy(update={"certificates": tuple(newcomers)})
        with self._transport.ask(introduced, read_frames(self._node, push.frames)) as reply:
            answer = reply.message
        before = conversation.sent_records
        conversation.receive(answer)
        self._report.sent += conversation.sent_records - before
        self.stood = conversation.outgoing()
        self.moved = True
        self._size_window(conversation, self._monotonic() - started)
        if isinstance(answer, Progress):
            self._progressed(answer)
            self._offer_blobs(conversation)

    def _progressed(self, progress: Progress) -> None:
        with self._node.write() as session:
            root = standing(session).root
            self._report.receipts += ledger.keep_receipts(session, progress.receipts, root=root)
            heads = {key: head for key, head in from_rows(progress.heads).items() if head.seq}
            row = ledger.peer_row(session, self._peer, now_ms=self._node.clock())
            row.heard = ledger.vector_kept(merged(ledger.vector_from(row.heard), heads))
            row.wants = _files_kept(progress.wanted)

    def _size_window(self, conversation: Conversation, took_s: float) -> None:
        if took_s < _LONG_REQUEST_S / 2:
            self.window = min(self.window * 2, LARGEST_WINDOW)
        elif took_s > _LONG_REQUEST_S:
            self.window = max(self.window // 2, FIRST_WINDOW)
        conversation.window = self.window

    def _size_files_window(self, conversation: Conversation, took_s: float) -> None:
        """Ask for more at once where that takes no time; each request costs as long as the link, and a look around."""
        if took_s < _SHORT_PULL_S:
            self.files_window = min(self.files_window * 2, LARGEST_FILES_WINDOW)
        elif took_s > _LONG_REQUEST_S:
            self.files_window = max(self.files_window // 2, FIRST_FILES_WINDOW)
        conversation.files_window = self.files_window

    def _pull(self, conversation: Conversation, pull: Pull) -> None:
        started = self._monotonic()
        put_off = False
        if not pull.after:
            pull, put_off = self._most_needed(pull)
        wanted = len(pull.wanted)
        if not pull.after and conversation.tells_chunks:
            pull = self._with_gaps(pull)
        with self._transport.ask(pull) as reply:
            answer = reply.message
            conversation.receive(answer)
            if not isinstance(answer, Delivery):
                return
            with self._node.write() as session:
                take_certificates(session, answer.certificates)
            intake = Intake(self._node, self._peer, answer.frames, asked_with=self.mosaics.known)
            try:
                for chunk in reply.chunks():
                    intake.feed(chunk)
            finally:
                intake.stop()
                self.moved |= intake.taken.moved
                self._report.received += intake.taken.records
        if not pull.after:
            self._size_files_window(conversation, self._monotonic() - started)
        quarantine.retry_waiting(self._node)
        with self._node.read() as session:
            conversation.took(
                intake.taken.heads,
                partials=inbox.partials(session),
                wanted=self._wanted(session),
                moved=intake.taken.moved
                or len(pull.wanted) < wanted
                or (put_off and bool(answer.absent)),  # what was put off may be there
                spoilt=self.mosaics.blamed(intake.taken.spoilt),
            )

    def _most_needed(self, pull: Pull) -> tuple[Pull, bool]:
        """Put off what is less needed than files that are not known yet; say whether anything was."""
        with self._node.read() as session:
            now = wishes.most_needed(session, [one.digest for one in pull.wanted])
        kept = tuple(one for one in pull.wanted if one.digest in now)
        return pull.model_copy(update={"wanted": kept}), len(kept) < len(pull.wanted)

    def _with_gaps(self, pull: Pull) -> Pull:
        """Put in what is here already of large files, and ask for the rest alone."""
        wanted: Sequence[Wanted] = pull.wanted
        if digests := self.mosaics.unknown(wanted):
            answer = self._ask(Cut(conversation=pull.conversation, digests=tuple(digests)))
            self.mosaics.learn(digests, answer.lists if isinstance(answer, Chunks) else {})
        return pull.model_copy(update={"wanted": self.mosaics.put_in(wanted)})

    def _remember_told(self, conversation: Conversation) -> None:
        with self._node.write() as session:
            row = ledger.peer_row(session, self._peer, now_ms=self._node.clock())
            row.said = ledger.vector_kept(conversation.told)


def _files_kept(wanted: Sequence[Wanted]) -> bytes:
    return canonical_json([(one.digest, one.size) for one in wanted])


def _note_what_it_lacks(session: Session, row: PeerRow, theirs: Vector) -> None:
    """Note where a peer holds less than it said once, in logs of which something cannot be read here.

    Nobody who does not have it need be waited for.
    """
    heard = ledger.vector_from(row.heard)
    lower = {
        key: theirs[key]
        for key in map(rot.key_of, rot.noted(session))
        if key in theirs and key in heard and theirs[key].seq < heard[key].seq
    }
    if lower:
        row.heard = ledger.vector_kept(heard | lower)
