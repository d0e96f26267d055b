"""How this node's records stand, and what is known of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.database import remembered
from lms.queue import Job
from lms.web.site import Chip
from sync import ledger, quarantine
from sync.identity import read_certificate
from sync.ledger import KindCount
from sync.messages import Certificate
from sync.node import Node, certificate_of, revoked_nodes, root_of, standing
from sync.quarantine import Kept

JOB: Final = "sync"
SHOWN_REFUSED = 50


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """Everything the sync page and ``lms status`` tell."""

    me: Certificate
    root: str | None
    peers: Sequence[PeerStanding]
    counts: dict[str, KindCount]
    refused: Sequence[Kept]


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
        )
        for row, certificate in ledger.peers(session)
    ]
    return Overview(
        me=me.certificate,
        root=me.root,
        peers=peers,
        counts=remembered(session, "counts", lambda: ledger.counts(session, node)),
        refused=quarantine.kept_aside(session, limit=SHOWN_REFUSED),
    )


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
    return Chip(
        state="waiting" if waiting else "delivered",
        count=waiting,
        since=since,
        goal=_goal(session, node, root),
    )


def _goal(session: Session, node: Node, root: str) -> Literal["here", "hub", "centre"]:
    if root == node.id:
        return "here"
    signed = certificate_of(session, root)
    return "hub" if signed is not None and read_certificate(signed).role == "hub" else "centre"


def queued_sync(session: Session) -> Job | None:
    """Return the meeting that was asked for and is not over; its ``problem`` says how the last try ended."""
    return session.scalars(select(Job).where(Job.kind == JOB).order_by(Job.id).limit(1)).first()


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
