"""Meet other nodes: pair, exchange what is missing, stop trusting."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import httpx
from sqlalchemy.orm import Session

from sync import client, ledger, pairing
from sync.engine import SyncReport, converse
from sync.messages import Role
from sync.node import Node, standing
from sync.sequencer import number_changes

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 30.0
LONGEST_SILENCE_S = 120.0


class PeerNotFoundError(Exception):
    """No paired node goes by this name or id, or it has no address."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        super().__init__(
            f"No paired node with an address is called {peer!r}. `lms node list` shows those that are."
        )


class NobodyPairedError(Exception):
    """There is no node to talk to yet."""

    def __init__(self) -> None:
        super().__init__("This node is not paired with another yet. `lms node join ADDRESS CODE` pairs it.")


def invite(session: Session, node: Node, *, role: Role, units: Sequence[str] = ("*",)) -> str:
    """Return a code with which one node of this role can join within two days."""
    return pairing.invite(session, role=role, units=units, now_ms=node.clock())


def join(node: Node, address: str, code: str) -> str:
    """Pair with the node at an address; what was made here before stays and is offered up.

    Raises:
        sync.errors.SyncError: the code does not fit, or the other side does not answer.
    """
    with node.read() as session:
        me = standing(session).certificate
    return client.join(node, address, code, name=me.name, role=me.role)


def addresses(session: Session, wanted: str | None = None) -> list[tuple[str, str, str]]:
    """Return id, name and address of the peers to talk to; all, or the one named.

    Raises:
        PeerNotFoundError, NobodyPairedError: there is none.
    """
    reachable = [
        (row.node, certificate.name, row.address)
        for row, certificate in ledger.peers(session)
        if row.address and not ledger.is_revoked(session, row.node)
    ]
    found = [peer for peer in reachable if wanted is None or wanted in peer[:2]]
    if not found:
        raise NobodyPairedError if wanted is None else PeerNotFoundError(wanted)
    return found


def sync_with(node: Node, peer: str, address: str) -> SyncReport:
    """Hold one conversation with a peer, over however many attempts its link needs."""
    number_changes(node)
    timeout = httpx.Timeout(LONGEST_SILENCE_S, connect=CONNECT_TIMEOUT_S)
    with httpx.Client(timeout=timeout, headers={"user-agent": "outpost"}) as http:
        transport = client.HttpTransport(address, key=node.key, to=peer, client=http)
        report = converse(node, peer, transport)
    log.info(
        "sync_ended",
        extra={
            "peer": peer,
            "state": report.state,
            "sent": report.sent,
            "received": report.received,
            "seconds": report.seconds,
        },
    )
    return report


def revoke(session: Session, node: Node, revoked: str, *, reason: str) -> None:
    """Stop trusting a node's key; what it recorded before stays.

    Raises:
        PeerNotFoundError: it was never paired.
    """
    known = {row.node for row, _ in ledger.peers(session)}
    if revoked not in known:
        raise PeerNotFoundError(revoked)
    pairing.revoke(session, node, revoked, reason=reason)


def move(session: Session, peer: str, address: str) -> None:
    """Remember where a peer is reached now; the pairing stays.

    Raises:
        PeerNotFoundError: it was never paired.
    """
    for row, certificate in ledger.peers(session):
        if peer in {row.node, certificate.name}:
            ledger.set_address(session, row.node, address)
            return
    raise PeerNotFoundError(peer)
