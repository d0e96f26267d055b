"""Who was met and what was signed: peers, receipts, and the counts that follow from receipts."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from sqlalchemy import bindparam, delete, func, or_, select
from sqlalchemy.orm import Session

from sync import identity, log, quarantine
from sync.canonical import canonical_json
from sync.errors import CertificateError
from sync.messages import Certificate, Receipt, Signed
from sync.node import (
    Node,
    certificate_of,
    known_certificates,
    lock_row,
    past_lives,
    sight_of,
    standing,
    vouched_for,
)
from sync.ports import BlobRef
from sync.scopes import UPWARD, parts_of
from sync.sequencer import unnumbered_since_ms, waiting_changes
from sync.tables import NodeRow, PeerRow, ReceiptRow, RefusedRow, RevocationRow
from sync.vector import NOTHING, Head, LogKey, Vector, ahead, changed, from_rows, merged, rows

# ---------------------------------------------------------------- peers


def peers(session: Session) -> list[tuple[PeerRow, Certificate]]:
    """Return the nodes this one is paired with, and what their certificates say, by name."""
    known = known_certificates(session)
    found = [(row, identity.read_certificate(known[row.node])) for row in session.scalars(select(PeerRow))]
    return sorted(found, key=lambda pair: (pair[1].name, pair[1].node))


def reachable(session: Session) -> list[tuple[str, str]]:
    """Return the peers that have an address and are trusted: node and address. Asked every few seconds."""
    found = session.connection().execute(_REACHABLE)
    return [(node, address) for node, address in found if address]


_REACHABLE = (
    select(PeerRow.node, PeerRow.address)
    .where(PeerRow.address.is_not(None), PeerRow.node.not_in(select(RevocationRow.node)))
    .order_by(PeerRow.node)
)


def has_news_for(session: Session, node: Node, peer: str) -> bool:
    """Say whether anything is here, numbered or not, of which a peer has not heard yet and may."""
    if any(waiting_changes(session, node).values()):
        return True
    row, signed = session.get(PeerRow, peer), certificate_of(session, peer)
    if row is None or signed is None:
        return False
    certificate = identity.read_certificate(signed)
    news = changed(log.held_towards(session, peer), vector_from(row.said))
    sight = sight_of(session, node, certificate)
    return any(key.origin != peer and sight.covers(key) for key in news)


def last_seen_ms(session: Session) -> int | None:
    """Return when a peer was met last."""
    seen: int | None = session.connection().scalar(_LAST_SEEN)
    return seen


_LAST_SEEN = select(func.max(PeerRow.last_seen_ms))


def peer_row(session: Session, node: str, *, now_ms: int) -> PeerRow:
    """Return what is known of a peer, made now if it was never met."""
    row = session.get(PeerRow, node)
    if row is None:
        row = PeerRow(node=node, paired_ms=now_ms, said=b"[]", heard=b"[]", receipts_after=0)
        session.add(row)
        session.flush()
    return row


def set_address(session: Session, node: str, address: str) -> None:
    """Remember where a peer is reached now. Nothing else depends on it."""
    session.get_one(PeerRow, node).address = address


def vector_from(kept: bytes) -> dict[LogKey, Head]:
    """Read a vector that a peer's row keeps."""
    return from_rows(json.loads(kept))


def vector_kept(vector: Vector) -> bytes:
    """Return a vector as a peer's row keeps it."""
    return canonical_json(rows(vector))


def held_by(session: Session, peer: str) -> dict[LogKey, Head]:
    """Return how far a node is known to hold each log: by what it said last, and by the receipts it signed."""
    row = session.get(PeerRow, peer)
    known = {} if row is None else vector_from(row.heard)
    for text in session.scalars(select(ReceiptRow.text).where(ReceiptRow.issuer == peer)):
        known = merged(known, from_rows(Receipt.model_validate_json(text).heads))
    return known


def wanted_by(session: Session, peer: str) -> list[BlobRef]:
    """Return the files that a node lacked when it wrote its last bundle."""
    row = session.get(PeerRow, peer)
    kept = None if row is None else row.wants
    return [BlobRef(digest, size) for digest, size in json.loads(kept or b"[]")]


def is_revoked(session: Session, node: str) -> bool:
    """Say whether a node's key was withdrawn."""
    return session.scalar(select(RevocationRow.node).where(RevocationRow.node == node)) is not None


def refusals(session: Session, peer: str) -> dict[LogKey, RefusedRow]:
    """Return the logs of which a segment from this peer was refused."""
    found = session.scalars(select(RefusedRow).where(RefusedRow.peer == peer))
    return {LogKey(row.origin, row.epoch, row.scope): row for row in found}


# ---------------------------------------------------------------- receipts


def issue_receipts(session: Session, node: Node, origins: Iterable[str], *, now_ms: int) -> None:
    """Sign what is now held of these origins' facts and proposals.

    The row of this node is locked first, so positions are given in the order in which they become visible. What is
    promised raises the generation, as numbering does: a node put back to before it is recognised.
    """
    heads: dict[str, dict[LogKey, Head]] = {origin: {} for origin in sorted(set(origins) - {node.id})}
    if not heads:
        return
    row, past = lock_row(session), past_lives(session)
    row.generation += 1
    for key, head in _made_by(session, heads.keys()).items():
        heads[key.origin][key] = head
    lacking = quarantine.without_files(session, heads.keys())
    for origin, held in heads.items():
        receipt = Receipt(
            issuer=node.id,
            issuer_epoch=row.epoch,
            issuer_past=past,
            origin=origin,
            heads=tuple(rows(held)),
            issued_ms=now_ms,
            lacking=lacking.get(origin, {}),
        )
        _keep(session, identity.sign_paper(node.key, receipt), receipt)
    session.flush()


def issue_lacking_receipts(session: Session, node: Node, origins: Iterable[str], *, now_ms: int) -> None:
    """Sign what is held of those of these origins of which the last receipt says less, or an earlier life gave it.

    That files have come since counts as well.
    """
    if not (asked := set(origins) - {node.id}):
        return
    epoch = standing(session).epoch
    covered: dict[LogKey, Head] = {}
    lacked: dict[str, dict[str, int]] = {}
    for (text,) in session.connection().execute(_SIGNED_HERE, {"issuer": node.id, "origins": [*asked]}):
        receipt = Receipt.model_validate_json(text)
        if receipt.issuer_epoch == epoch:
            covered |= from_rows(receipt.heads)
            lacked[receipt.origin] = receipt.lacking
    behind = {key.origin for key in ahead(_made_by(session, asked), covered)}
    without = quarantine.without_files(session, lacked.keys()) if lacked else {}
    behind |= {origin for origin, said in lacked.items() if said != without.get(origin, {})}
    issue_receipts(session, node, behind, now_ms=now_ms)


_SIGNED_HERE = select(ReceiptRow.text).where(
    ReceiptRow.issuer == bindparam("issuer"), ReceiptRow.origin.in_(bindparam("origins", expanding=True))
)


def _made_by(session: Session, origins: Collection[str]) -> dict[LogKey, Head]:
    """Return how far the facts and proposals of some origins are held here: what goes up, and is receipted."""
    held = log.held(session, origins=origins)
    return {key: head for key, head in held.items() if parts_of(key.scope)[0] in UPWARD}


def reissue_receipts(session: Session, node: Node, *, now_ms: int) -> None:
    """Sign anew what an earlier life of this node signed: a restored node may hold less than it once did."""
    epoch = lock_row(session).epoch
    # Nearly always there is none, and an index finds that out: "another" it could not look up.
    before_or_behind = or_(ReceiptRow.issuer_epoch < epoch, ReceiptRow.issuer_epoch > epoch)
    found = select(ReceiptRow.origin).where(ReceiptRow.issuer == node.id, before_or_behind)
    if stale := session.scalars(found).all():
        issue_receipts(session, node, stale, now_ms=now_ms)


def keep_receipts(session: Session, papers: Iterable[Signed], *, root: str | None) -> int:
    """Keep receipts that came from elsewhere, each once its signature is right; return how many were good.

    A receipt of an issuer's newer life replaces the older one even if it covers less. One of a former life is passed
    over: it may say that something was delivered which the issuer has lost since.
    """
    papers = list(papers)
    known = vouched_for(session, {paper.signer for paper in papers})
    kept = 0
    for paper in papers:
        signed = known.get(paper.signer)
        if signed is None or root is None or is_revoked(session, paper.signer):
            continue
        try:
            issuer = identity.trusted(signed, known=known, root=root)
            receipt = identity.read_receipt(paper, issuer)
        except CertificateError:
            continue
        if _is_of_a_former_life(session, receipt):
            continue
        present = session.get(ReceiptRow, (receipt.issuer, receipt.origin))
        if present is None or _is_newer(receipt, Receipt.model_validate_json(present.text)):
            _keep(session, paper, receipt)
        kept += 1
    session.flush()
    return kept


def forget_receipts(session: Session, issuer: str) -> None:
    """Drop what an issuer signed in a former life; it tells anew what it holds."""
    session.execute(delete(ReceiptRow).where(ReceiptRow.issuer == issuer))


def receipts_after(
    session: Session, position: int, *, origins: Collection[str], issuers: Collection[str]
) -> tuple[list[Signed], int]:
    """Return these issuers' receipts for these origins after a position, and the position to go on from."""
    newest = newest_position(session)
    found = session.scalars(
        select(ReceiptRow)
        .where(
            ReceiptRow.position > position,
            ReceiptRow.position <= newest,
            ReceiptRow.origin.in_(origins),
            ReceiptRow.issuer.in_(issuers),
        )
        .order_by(ReceiptRow.position)
    )
    papers = [Signed(signer=row.issuer, text=row.text, signature=row.signature) for row in found]
    return papers, newest


def newest_position(session: Session) -> int:
    """Return the position of the newest receipt."""
    return session.get_one(NodeRow, 1).receipts_position


def covered_by_receipts(session: Session, origin: str, *, root: str | None) -> Covered:
    """Return how far an origin's logs are covered, by the root and by anybody else."""
    covered = Covered()
    at_others: dict[str, int] | None = None
    for issuer, text in session.connection().execute(_RECEIPTS_FOR, {"origin": origin}):
        receipt = Receipt.model_validate_json(text)
        heads = from_rows(receipt.heads)
        if issuer == root:
            covered.by_root = merged(covered.by_root, heads)
            covered.lacking_at_root = receipt.lacking
        else:
            covered.by_others = merged(covered.by_others, heads)
            covered.lacking_at_others = (
                receipt.lacking if at_others is None else _least(at_others, receipt.lacking)
            )
            at_others = covered.lacking_at_others
    return covered


def _least(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {kind: min(count, other[kind]) for kind, count in one.items() if kind in other}


def _keep(session: Session, paper: Signed, receipt: Receipt) -> None:
    """Keep a receipt at the next position; the caller holds this node's row."""
    node = lock_row(session)
    node.receipts_position += 1
    row = session.get(ReceiptRow, (receipt.issuer, receipt.origin))
    if row is None:
        row = ReceiptRow(issuer=receipt.issuer, origin=receipt.origin)
        session.add(row)
    row.issuer_epoch = receipt.issuer_epoch
    row.text, row.signature = paper.text, paper.signature
    row.position = node.receipts_position


def _is_of_a_former_life(session: Session, receipt: Receipt) -> bool:
    """Say whether the issuer has told us itself of a life that this receipt does not know."""
    issuer = session.get(PeerRow, receipt.issuer)
    heard = None if issuer is None else issuer.epoch
    return heard is not None and heard != receipt.issuer_epoch and heard not in receipt.issuer_past


def _is_newer(receipt: Receipt, present: Receipt) -> bool:
    if receipt.issuer_epoch == present.issuer_epoch:
        heads, before = from_rows(receipt.heads), from_rows(present.heads)
        # Of the same heads files only ever arrive: what lacks less is the later one, whatever clocks say.
        has_more = heads == before and sum(receipt.lacking.values()) < sum(present.lacking.values())
        return has_more or bool(ahead(heads, before))
    if present.issuer_epoch in receipt.issuer_past:
        return True
    if receipt.issuer_epoch in present.issuer_past:
        return False
    return receipt.issued_ms > present.issued_ms


# ---------------------------------------------------------------- counts


@dataclass(kw_only=True, slots=True)
class KindCount:
    """How this node's own records of one kind stand.

    ``waiting``: only on this node. ``at_hub``: a paired node that is not the root holds them too.
    ``delivered``: a receipt signed by the root covers them, and it has their files.
    """

    waiting: int = 0
    at_hub: int = 0
    delivered: int = 0


@dataclass(kw_only=True, slots=True)
class Covered:
    """How far receipts cover this node's logs, and of how many entries, per kind, files are lacking there."""

    by_root: dict[LogKey, Head] = field(default_factory=dict)
    by_others: dict[LogKey, Head] = field(default_factory=dict)
    lacking_at_root: dict[str, int] = field(default_factory=dict)
    lacking_at_others: dict[str, int] = field(default_factory=dict)


# Who took a hub has the records on it: that they are there makes them no safer.
_RECEIPTS_FOR = select(ReceiptRow.issuer, ReceiptRow.text).where(
    ReceiptRow.origin == bindparam("origin"), ReceiptRow.issuer.not_in(select(RevocationRow.node))
)


def undelivered(session: Session, node: Node, *, root: str) -> int:
    """Count this node's own facts and proposals that no receipt signed by *root* covers.

    What :func:`counts` sums up, told from the heads alone, because every page asks: receipts end where
    segments do, and a node has thousands of those after a year.
    """
    if root == node.id:
        return 0
    covered = covered_by_receipts(session, node.id, root=root)
    own = _made_by(session, [node.id])
    numbered = sum(max(0, head.seq - covered.by_root.get(key, NOTHING).seq) for key, head in own.items())
    numbered += sum(covered.lacking_at_root.values())
    return numbered + sum(waiting_changes(session, node).values())


def counts(session: Session, node: Node) -> dict[str, KindCount]:
    """Count this node's own facts and proposals, per kind. Only receipts make them delivered."""
    me = standing(session)
    own = _made_by(session, [node.id])
    covered = covered_by_receipts(session, node.id, root=me.root)
    result: dict[str, KindCount] = {}
    for key, last, kinds in log.counts_by_kind(session, own):
        for kind, count in kinds.items():
            of_kind = result.setdefault(kind, KindCount())
            if me.root == node.id or last <= covered.by_root.get(key, NOTHING).seq:
                of_kind.delivered += count
            elif last <= covered.by_others.get(key, NOTHING).seq:
                of_kind.at_hub += count
            else:
                of_kind.waiting += count
    for kind, count in covered.lacking_at_root.items() if me.root != node.id else ():
        of_kind = result.setdefault(kind, KindCount())
        lacking = min(count, of_kind.delivered)
        nowhere = min(lacking, covered.lacking_at_others.get(kind, 0 if covered.by_others else lacking))
        of_kind.delivered -= lacking
        of_kind.at_hub += lacking - nowhere
        of_kind.waiting += nowhere
    for kind, count in waiting_changes(session, node).items():
        of_kind = result.setdefault(kind, KindCount())
        if me.root == node.id:
            of_kind.delivered += count
        else:
            of_kind.waiting += count
    return result


def oldest_waiting_ms(session: Session, node: Node) -> dict[str, int]:
    """Return, per kind, since when the oldest of this node's own records waits that no receipt of the root covers.

    Of those that are numbered it is when they were, which is when somebody was met or five hundred waited. A feed of
    several kinds tells the first change of all.
    """
    me = standing(session)
    if me.root == node.id:
        return {}
    covered = covered_by_receipts(session, node.id, root=me.root).by_root
    oldest: dict[str, int] = {}
    for key in _made_by(session, [node.id]):
        for kinds, kept_ms in log.kept_after(session, key, covered.get(key, NOTHING).seq):
            for kind in kinds:
                oldest.setdefault(kind, kept_ms)
    for kind, since_ms in unnumbered_since_ms(session, node).items():
        oldest.setdefault(kind, since_ms)
    return oldest
