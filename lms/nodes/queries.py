"""How this node's records stand, and what is known of the others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms.database import remembered
from lms.nodes.admission import Admission, admission_of, moment_of
from lms.nodes.links import instant, links, standing_of, terms_of, turn_of
from lms.nodes.pace import Terms, Turn
from lms.nodes.tables import Meeting
from lms.web.paging import ROWS, Page, first_row
from lms.web.site import Chip
from sync import ledger, quarantine
from sync.identity import read_certificate
from sync.ledger import KindCount
from sync.messages import Certificate
from sync.node import Node, certificate_of, revoked_nodes, root_of, standing
from sync.quarantine import Kept

SHOWN_REFUSED: Final = 50
SILENT_FOR: Final = timedelta(minutes=3)  # longer than a request waits for a connection and its answer


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerStanding:
    """One paired node, as people ask about it."""

    node: str
    name: str
    role: str
    address: str | None
    paired: datetime
    last_seen: datetime | None
    skew_s: float | None
    revoked: bool
    is_root: bool
    admitted_until: datetime | None
    has_ended: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """Everything the sync page and ``lms status`` tell; ``admission`` is this node's own."""

    me: Certificate
    root: str | None
    admission: Admission
    peers: Sequence[PeerStanding]
    counts: dict[str, KindCount]
    refused: Sequence[Kept]
    no_room: int  # bytes by which the files of courses that are to come are more than may


def overview(session: Session, node: Node) -> Overview:
    """Return this node, its peers, and how its records stand."""
    me = standing(session)
    revoked = revoked_nodes(session)
    peers = [
        PeerStanding(
            node=row.node,
            name=certificate.name,
            role=certificate.role,
            address=row.address,
            paired=_instant(row.paired_ms),
            last_seen=None if row.last_seen_ms is None else _instant(row.last_seen_ms),
            skew_s=None if row.skew_ms is None else row.skew_ms / 1000,
            revoked=row.node in revoked,
            is_root=row.node == me.root,
            admitted_until=moment_of(certificate.expires_ms),
            has_ended=certificate.has_expired(node.clock()),
        )
        for row, certificate in ledger.peers(session)
    ]
    return Overview(
        me=me.certificate,
        root=me.root,
        admission=admission_of(session, node, me.certificate),
        peers=peers,
        counts=remembered(session, "counts", lambda: ledger.counts(session, node)),
        refused=quarantine.kept_aside(session, limit=SHOWN_REFUSED),
        no_room=quarantine.bytes_without_room(session, node),
    )


def oldest_waiting(session: Session, node: Node) -> dict[str, datetime]:
    """Return, per kind of record, since when the oldest waits that was not delivered."""
    found = remembered(session, "oldest waiting", lambda: ledger.oldest_waiting_ms(session, node))
    return {kind: _instant(ms) for kind, ms in found.items()}


def chip(session: Session, node: Node) -> Chip:
    """Return the one line that stands on every page.

    Only receipts make a record delivered; that a conversation ended says nothing.
    """
    return remembered(session, "chip", lambda: _chip(session, node))


def _chip(session: Session, node: Node) -> Chip:
    root = root_of(session)
    if root is None:
        return Chip(state="alone")
    waiting = ledger.undelivered(session, node, root=root)
    seen = ledger.last_seen_ms(session)
    since = None if seen is None else _instant(seen)
    now = instant(node)
    meetings = under_way(session, now=now)
    passed = sum(one.sent + one.received for one in meetings)
    return Chip(
        state="waiting" if waiting else "delivered",
        count=waiting,
        since=since,
        goal=_goal(session, node, root),
        passed=passed,
        to_pass=passed + sum(one.to_send + one.to_receive for one in meetings),
        days_alone=max(0, (now - since).days) if waiting and since else 0,
    )


def _goal(session: Session, node: Node, root: str) -> Literal["here", "hub", "centre"]:
    if root == node.id:
        return "here"
    signed = certificate_of(session, root)
    return "hub" if signed is not None and read_certificate(signed).role == "hub" else "centre"


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerLink:
    """How a peer that has an address is met: the terms, what passed today, and when it is met next."""

    peer: str
    name: str
    terms: Terms
    spent: int
    turn: Turn
    asked: bool


def peer_links(session: Session, node: Node, found: Overview, *, now: datetime) -> list[PeerLink]:
    """Return how each peer is met that has an address and is trusted; *now* is in the zone of this machine."""
    reachable = [peer for peer in found.peers if peer.address and not peer.revoked]
    kept = links(session, [peer.node for peer in reachable])
    return [
        PeerLink(
            peer=peer.node,
            name=peer.name,
            terms=terms_of(kept[peer.node]),
            spent=standing_of(kept[peer.node], now=now).spent,
            turn=turn_of(kept[peer.node], now=now, waits=ledger.has_news_for(session, node, peer.node)),
            asked=kept[peer.node].asked is not None,
        )
        for peer in reachable
    ]


# ---------------------------------------------------------------- meetings


def under_way(session: Session, *, now: datetime) -> Sequence[Meeting]:
    """Return the meetings that are being held; one that gave no sign for long was left by a killed process."""
    open_ones = select(Meeting).where(Meeting.finished.is_(None), Meeting.heard > now - SILENT_FOR)
    return session.scalars(open_ones.order_by(Meeting.id)).all()


def last_meetings(session: Session, *, limit: int, peers: Collection[str] | None = None) -> Sequence[Meeting]:
    """Return the meetings that ended last, with these peers or with whomever."""
    ended = select(Meeting).where(Meeting.finished.is_not(None))
    if peers is not None:
        ended = ended.where(Meeting.peer.in_(peers))
    return session.scalars(ended.order_by(Meeting.id.desc()).limit(limit)).all()


def meetings_with(session: Session, peer: str, *, page: int) -> Page[Meeting]:
    """Return one page of the meetings with a peer that have ended, the last first."""
    ended = (Meeting.peer == peer, Meeting.finished.is_not(None))
    total = session.scalar(select(func.count()).where(*ended)) or 0
    rows = select(Meeting).where(*ended).order_by(Meeting.id.desc()).offset(first_row(page)).limit(ROWS)
    return Page(rows=session.scalars(rows).all(), number=max(page, 1), total=total)


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
