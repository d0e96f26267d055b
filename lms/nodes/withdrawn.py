"""Another node, and how far what it recorded is trusted: before its key is withdrawn, and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from sqlalchemy.orm import Session

from lms.nodes.actions import PeerNotFoundError
from lms.nodes.admission import Admission, admission_of
from sync import ledger, log, trust
from sync.identity import read_certificate
from sync.node import Node, certificate_of, known_certificates, revoked_nodes, standing
from sync.revocations import may_revoke

SHOWN_DOUBTS = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """One record of a withdrawn node that is not trusted. ``taken``: it came before that was known, and stays."""

    kind: str
    key: str
    taken: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeTrust:
    """What is held here of a node's records, and how far they are trusted.

    Attributes:
        withdrawn: when its key was, by the clock of whoever did it; ``None`` while it is trusted.
        held: its records that are here: those that are trusted, those kept aside, and those that were taken before.
        doubts: the first of the last two.
        may_decide: this node may withdraw its key, or say anew which of its records are trusted.
    """

    node: str
    name: str
    role: str
    withdrawn: datetime | None
    reason: str
    held: int
    kept_aside: int
    taken_before: int
    doubts: Sequence[Doubt]
    may_decide: bool
    admission: Admission

    @property
    def trusted(self) -> int:
        """Return how many of its records that are here are trusted."""
        return self.held - self.kept_aside - self.taken_before


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownNode:
    """A node of this network that this one is not paired with."""

    node: str
    name: str
    role: str
    revoked: bool


def trust_in(session: Session, node: Node, other: str) -> NodeTrust:
    """Return how far another node of this network is trusted.

    Raises:
        PeerNotFoundError: no node of this id is known.
    """
    signed = certificate_of(session, other)
    if signed is None or other == node.id:
        raise PeerNotFoundError(other)
    certificate, me = read_certificate(signed), standing(session)
    revocation, withdrawn_ms = trust.revocation_of(session, other), trust.withdrawn_ms(session, other)
    doubted = trust.doubted(session, other)
    records = (pair for one in doubted for pair in trust.doubted_records(session, one))
    return NodeTrust(
        node=other,
        name=certificate.name,
        role=certificate.role,
        withdrawn=None if withdrawn_ms is None else datetime.fromtimestamp(withdrawn_ms / 1000, UTC),
        reason="" if revocation is None else revocation.reason,
        held=sum(head.seq for head in log.held(session, origins=[other]).values()),
        kept_aside=sum(one.set_aside for one in doubted),
        taken_before=sum(one.taken for one in doubted),
        doubts=[
            Doubt(kind=record.kind, key=record.key, taken=taken)
            for record, taken in islice(records, SHOWN_DOUBTS)
        ],
        may_decide=other != me.root and may_revoke(me.certificate.role, node.id, root=me.root),
        admission=admission_of(session, node, certificate),
    )


def known_through_others(session: Session, node: Node) -> list[KnownNode]:
    """Return the nodes whose certificates came by others, as those of laptops by their hub, by name."""
    revoked = revoked_nodes(session)
    paired = {node.id, *(row.node for row, _ in ledger.peers(session))}
    found = [
        read_certificate(one) for other, one in known_certificates(session).items() if other not in paired
    ]
    return [
        KnownNode(node=one.node, name=one.name, role=one.role, revoked=one.node in revoked)
        for one in sorted(found, key=lambda one: (one.name, one.node))
    ]
