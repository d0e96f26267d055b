"""The answering side of a conversation. It keeps nothing between messages but what is in the database."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial

from sqlalchemy.orm import Session

from sync import chunks, days, envelope, identity, inbox, ledger, log, quarantine, renewal, rot, sequencer
from sync import session as rules
from sync.errors import IdentityError, RefusedError
from sync.inbox import Intake
from sync.messages import (
    OLDEST_PROTOCOL,
    PROTOCOL,
    Acknowledge,
    Certificate,
    Chunks,
    Cut,
    Delivery,
    Frame,
    Hello,
    Join,
    Joined,
    Partial,
    Progress,
    Pull,
    Push,
    Wanted,
    Welcome,
)
from sync.node import (
    Node,
    Standing,
    remember_generation,
    sight_of,
    standing,
    take_certificates,
    vouched_for,
)
from sync.outbox import frame_of, read_frames
from sync.pairing import admit
from sync.tables import PeerRow
from sync.vector import NOTHING, Head, LogKey, Vector, from_rows, rows, vector_digest

_MOST_WANTED = 500
_MOST_LIST_BYTES = 2 * 1024 * 1024
_READ_BYTES = 64 * 1024


class Responder:
    """Answers one node's peers."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._cuts = lru_cache(maxsize=64)(self._cut_anew)

    # ------------------------------------------------------------ who is there

    def peer(self, header: str, kind: str, line: bytes) -> Certificate:
        """Return the certificate of whoever signed a request.

        Raises:
            IdentityError: it is not signed by a paired node.
            RefusedError: that node's key was revoked.
        """
        claimed = envelope.signer_of(header)
        with self.node.read() as session:
            known, me = vouched_for(session, [claimed]), standing(session)
            revoked = ledger.is_revoked(session, claimed)
        if claimed not in known or me.root is None:
            raise IdentityError("This node is not paired with the one that asks.")
        certificate = identity.trusted(known[claimed], known=known, root=me.root)
        envelope.check(header, public_key=certificate.public_key, to=self.node.id, kind=kind, line=line)
        if revoked:
            raise RefusedError("revoked", "This node's key was withdrawn. Ask the centre's administrator.")
        return certificate

    # ------------------------------------------------------------ the conversation

    def hello(self, hello: Hello, peer: Certificate) -> Welcome:
        """Say where we differ."""
        oldest, newest = hello.protocols
        if hello.node != peer.node:
            raise IdentityError("The greeting names another node than the one that signed it.")
        if newest < OLDEST_PROTOCOL or oldest > PROTOCOL:
            raise RefusedError(
                "protocol",
                f"This node speaks protocols {OLDEST_PROTOCOL} to {PROTOCOL}; one side is too old.",
            )
        sequencer.number_changes(self.node)
        quarantine.take_up_arrived(self.node, limit=_MOST_WANTED)
        with self.node.read() as session:
            heard = _heard(session, peer.node)
        if vector_digest(heard) != hello.base:
            heard = {}
        theirs = {**heard, **from_rows(hello.heads)}
        # What it has said lately of itself comes with the whole vector, as from one that was never met.
        has_renewed = bool(heard) and peer.issued_ms < hello.issued_ms
        known = vector_digest(theirs) == hello.held and not has_renewed
        if known:
            with self.node.write() as session:
                self._note_greeting(session, hello, peer, theirs)
            remember_generation(self.node)
        with self.node.read() as session:
            return self._welcome(session, hello, peer, theirs, base_known=known)

    def push(self, push: Push, peer: Certificate) -> Intake:
        """Return what takes the bytes that follow."""
        self._check_token(push.conversation, peer)
        with self.node.write() as session:
            take_certificates(session, push.certificates)
        return Intake(self.node, peer.node, push.frames)

    def pushed(self, intake: Intake) -> Progress:
        """Say how far everything is durable, once the bytes ended."""
        taken = intake.taken
        if taken.touched_blobs or taken.records:
            quarantine.retry_waiting(self.node)
        with self.node.write() as session:
            me = standing(session)
            position = ledger.newest_position(session)
            ledger.issue_receipts(session, self.node, taken.origins, now_ms=self.node.clock())
            receipts, _ = ledger.receipts_after(
                session, position, origins=taken.origins, issuers=_issuers(me)
            )
            progress = Progress(
                heads=tuple(rows(taken.heads)),
                partials=tuple(
                    Partial(digest=digest, offset=offset) for digest, offset in taken.partials.items()
                ),
                wanted=tuple(self._wanted(session, intake.peer, _heard(session, intake.peer))),
                refused=tuple(taken.refused),
                receipts=tuple(receipts),
            )
        remember_generation(self.node)
        return progress

    def pull(self, pull: Pull, peer: Certificate) -> tuple[Delivery, Iterator[bytes]]:
        """Give what was asked for, as far as the peer may see it."""
        self._check_token(pull.conversation, peer)
        offsets = {partial.digest: partial.offset for partial in pull.partials}
        with self.node.read() as session:
            frames, origins, unreadable = self._segment_frames(session, pull, peer, offsets)
            known = vouched_for(session, origins)
        rot.note(self.node, unreadable)
        room = pull.max_bytes - sum(frame.length for frame in frames)
        if peer.has_expired(self.node.clock()):
            blobs, absent = list[Frame](), [blob.digest for blob in pull.wanted]
        else:
            blobs, absent = self._blob_frames(pull.wanted, room)
        delivery = Delivery(
            frames=(*frames, *blobs),
            certificates=tuple(known[origin] for origin in sorted(origins) if origin in known),
            absent=tuple(absent),
        )
        return delivery, read_frames(self.node, delivery.frames)

    def cut(self, cut: Cut, peer: Certificate) -> Chunks:
        """Tell of which chunks files are made; cutting one is remembered, for others will ask for it too."""
        self._check_token(cut.conversation, peer)
        lists, room = dict[str, bytes](), _MOST_LIST_BYTES
        for digest in cut.digests:
            if self.node.blobs.size(digest) is not None and len(data := self._cuts(digest)) <= room:
                lists[digest], room = urlsafe_b64encode(data), room - len(data)
        return Chunks(lists=lists)

    def acknowledge(self, message: Acknowledge, peer: Certificate) -> Progress:
        """Note what the peer holds now."""
        self._check_token(message.conversation, peer)
        with self.node.write() as session:
            row = ledger.peer_row(session, peer.node, now_ms=self.node.clock())
            heard = {**ledger.vector_from(row.heard), **from_rows(message.heads)}
            row.heard = ledger.vector_kept(heard)
            ledger.keep_receipts(session, message.receipts, root=standing(session).root)
        return Progress()

    def join(self, join: Join) -> Joined:
        """Pair with a node that proves its code."""
        with self.node.write() as session:
            return admit(session, self.node, join)

    # ------------------------------------------------------------ parts of answers

    def _cut_anew(self, digest: str) -> bytes:
        return chunks.packed(chunks.chunks_of(partial(self.node.blobs.read, digest)))

    def _check_token(self, token: str, peer: Certificate) -> None:
        envelope.check_token(self.node.key, peer.node, token, now_ms=self.node.clock())

    def _note_greeting(self, session: Session, hello: Hello, peer: Certificate, theirs: Vector) -> None:
        now_ms = self.node.clock()
        row = ledger.peer_row(session, peer.node, now_ms=now_ms)
        row.heard = ledger.vector_kept(theirs)
        row.epoch, row.last_seen_ms, row.skew_ms = hello.epoch, now_ms, hello.time_ms - now_ms
        take_certificates(session, hello.certificates)
        renewal.renew_if_due(session, self.node, peer.node, now_ms=now_ms)
        inbox.forget_stale_parts(session, now_ms=now_ms)
        me = standing(session)
        if sequencer.is_overtaken(session, self.node, me, theirs):
            sequencer.begin_anew(session, self.node, reason=f"{peer.node} is ahead of us", common={})
        ledger.reissue_receipts(session, self.node, now_ms=now_ms)
        # A process that died between a segment and its receipt has signed nothing, and the segment does not come again.
        ledger.issue_lacking_receipts(session, self.node, {key.origin for key in theirs}, now_ms=now_ms)

    def _welcome(
        self, session: Session, hello: Hello, peer: Certificate, theirs: Vector, *, base_known: bool
    ) -> Welcome:
        me = standing(session)
        welcome = Welcome(
            protocol=min(PROTOCOL, hello.protocols[1]),
            node=self.node.id,
            epoch=me.epoch,
            time_ms=self.node.clock(),
            conversation=envelope.conversation_token(self.node.key, peer.node, now_ms=self.node.clock()),
            base_unknown=not base_known,
        )
        if not base_known:
            return welcome
        stopped = ledger.refusals(session, peer.node)
        sight = sight_of(session, self.node, peer)
        origins = {peer.node, *(key.origin for key in theirs)}
        ours = log.held(session) if sight.is_upward else log.held_for(session, origins, peer.node)
        differing = rules.differences(sight, ours=ours, theirs=theirs)
        heads = {
            key: head
            for key, head in differing.items()
            if key not in stopped or head.seq > theirs.get(key, Head(0, "")).seq
        }
        heads |= self._asked_again(session, theirs)
        after = hello.receipts_after if hello.peer_epoch == me.epoch else 0
        receipts, position = ledger.receipts_after(session, after, origins=origins, issuers=_issuers(me))
        proofs, position = days.proofs_after(session, after, origins=origins - {me.root}, up_to=position)
        return welcome.model_copy(
            update={
                "heads": tuple(rows(heads)),
                "partials": tuple(inbox.partials(session)),
                "wanted": tuple(self._wanted(session, peer.node, theirs)),
                "forms": self.node.forms,
                "tells_chunks": True,
                "receipts": tuple(receipts),
                "receipts_position": position,
                "certificates": renewal.lacking(session, self.node, hello),
                "next_root": renewal.next_root(session, self.node, hello),
                "proofs": tuple(proofs),
            }
        )

    def _asked_again(self, session: Session, theirs: Vector) -> dict[LogKey, Head]:
        """Return where the logs of which the peer has what cannot be read here stand, up to before that.

        So it is sent like any segment; once it is here, the answer says how far the log is held in truth.
        """
        rotten = rot.noted(session)
        have = [row for row in rotten if theirs.get(rot.key_of(row), NOTHING).seq >= row.last]
        return {rot.key_of(row): rot.head_before(row) for row in reversed(have)}

    def _wanted(self, session: Session, peer: str, theirs: Vector) -> Sequence[Wanted]:
        """Return the files that this peer may have; those of laptops that it never met would crowd them out."""
        made_by = {peer, *(key.origin for key in theirs)}
        return quarantine.wanted_blobs(session, self.node, limit=_MOST_WANTED, made_by=made_by)

    def _segment_frames(
        self, session: Session, pull: Pull, peer: Certificate, offsets: dict[str, int]
    ) -> tuple[list[Frame], set[str], set[str]]:
        room, frames, origins, unreadable = pull.max_bytes, list[Frame](), set[str](), set[str]()
        sight = sight_of(session, self.node, peer)
        for key, head in from_rows(pull.after).items():
            if not sight.covers(key):
                continue
            if head.seq == 0:
                origins.add(key.origin)
            for ref in log.segments_after(session, key, head.seq):
                if room <= 0 or ref.form > pull.forms:
                    break
                if rot.unreadable(session, [ref.digest]):
                    unreadable.add(ref.digest)
                    break
                frame = frame_of("segment", ref.digest, ref.size, offsets.get(ref.digest, 0), room)
                frames.append(frame)
                room -= frame.length
        return frames, origins, unreadable

    def _blob_frames(self, wanted: Sequence[Wanted], room: int) -> tuple[list[Frame], list[str]]:
        frames, absent = [], []
        for blob in wanted:
            if self.node.blobs.size(blob.digest) != blob.size:
                absent.append(blob.digest)
                continue
            for offset, length in blob.gaps or ((blob.offset, blob.size),):
                if room <= 0:
                    break
                frame = frame_of("blob", blob.digest, blob.size, offset, min(room, length))
                frames.append(frame)
                room -= frame.length
        return frames, absent


def _heard(session: Session, peer: str) -> dict[LogKey, Head]:
    row = session.get(PeerRow, peer)
    return {} if row is None else ledger.vector_from(row.heard)


def _issuers(me: Standing) -> set[str]:
    return {me.certificate.node, *([me.root] if me.root else [])}
