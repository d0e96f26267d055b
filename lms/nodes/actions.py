"""Meet other nodes: pair, exchange what is missing, stop trusting."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
from sqlalchemy.orm import Session

from lms.nodes.queries import JOB, queued_sync
from lms.nodes.roots import Root, keep_root, root_needed, root_of, trusting
from lms.queue import enqueue
from lms.settings import JOIN_PORT
from sync import client, ledger, pairing, revocations, trust
from sync.engine import SyncReport, converse
from sync.identity import read_certificate
from sync.messages import Role
from sync.node import Node, known_certificates, standing
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


class SyncUnfinishedError(Exception):
    """A meeting ended before everything was said; the next one goes on from there."""

    def __init__(self, peer: str, detail: str) -> None:
        self.peer = peer
        self.detail = detail
        super().__init__(f"{peer}: {detail}")


class NobodyPairedError(Exception):
    """There is no node to talk to yet."""

    def __init__(self) -> None:
        super().__init__("This node is not paired with another yet. `lms node join ADDRESS CODE` pairs it.")


def invite(session: Session, node: Node, *, role: Role, units: Sequence[str] = ("*",)) -> str:
    """Return a code with which one node of this role can join within two days."""
    return pairing.invite(session, role=role, units=units, now_ms=node.clock())


@dataclass(frozen=True, kw_only=True, slots=True)
class Joined:
    """The node this one is paired with now, and the root of its own that its HTTPS needs."""

    peer: str
    root: Root | None


def join(
    node: Node, address: str, code: str, *, root: Root | None = None, door_port: int = JOIN_PORT
) -> Joined:
    """Pair with the node at an address; what was made here before stays and is offered up.

    The root of a node that serves HTTPS with one of its own is the one given, or else fetched where it is needed.

    Raises:
        sync.errors.SyncError: the code does not fit, or the other side does not answer, or its root is not found.
    """
    with node.read() as session:
        me = standing(session).certificate
    root = root or root_needed(address, door_port=door_port)
    peer = client.join(node, address, code, name=me.name, role=me.role, client=_http(address, root))
    if root is not None:
        keep_root(node.folder, peer, root)
    return Joined(peer=peer, root=root)


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
    with _http(address, root_of(node.folder, peer)) as http:
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


def _http(address: str, root: Root | None) -> httpx.Client:
    """Return what speaks to a peer; without HTTPS nobody is trusted, which is quicker than to read who is (50 ms)."""
    secured = urlsplit(address).scheme == "https"
    trusted = trusting(root) if secured else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    timeout = httpx.Timeout(LONGEST_SILENCE_S, connect=CONNECT_TIMEOUT_S)
    return httpx.Client(timeout=timeout, headers={"user-agent": "outpost"}, verify=trusted)


def ask_to_sync(session: Session, *, now: datetime) -> None:
    """Have the worker meet all peers as soon as it can; asking again while one such job waits only hurries it.

    Raises:
        NobodyPairedError: there is nobody to meet.
    """
    addresses(session)
    queued = queued_sync(session)
    if queued is None:
        enqueue(session, JOB, {}, now=now)
    elif queued.problem is not None:
        queued.due, queued.problem = now, None


def run_job(node: Node, _payload: Mapping[str, Any]) -> None:
    """Meet every peer that has an address, for the worker; one that cannot be met keeps no other waiting.

    Raises:
        SyncUnfinishedError: with one of them not everything was said, so the job is tried again.
    """
    with node.read() as session:
        peers = addresses(session)
    unfinished = None
    for peer, name, address in peers:
        report = sync_with(node, peer, address)
        if report.state != "done":
            unfinished = SyncUnfinishedError(name, report.detail)
    if unfinished is not None:
        raise unfinished


def revoke(
    session: Session,
    node: Node,
    revoked: str,
    *,
    reason: str,
    trusted: Literal["held"] | datetime | None = None,
) -> str:
    """Stop trusting a node's key, or say anew which of its records are trusted.

    Args:
        session: of the caller's transaction. ``quarantine.retry_waiting`` afterwards takes what is trusted anew.
        node: this one.
        revoked: name or id of a node of this network, paired with this one or not.
        reason: for the record.
        trusted: what is here of it now, or what was recorded before a moment. If left out: what is here the first
            time, and later what was said then.

    Returns:
        Its id.

    Raises:
        PeerNotFoundError: no node, or more than one, is called so.
        sync.errors.RevocationError: this node does not decide that, or the network rests on the other.
    """
    known = [read_certificate(one) for one in known_certificates(session).values()]
    found = [one.node for one in known if revoked in {one.node, one.name}]
    if len(found) != 1:
        raise PeerNotFoundError(revoked)
    (other,) = found
    if trusted == "held":
        logs = trust.held_now(session, other)
    elif trusted is not None:
        logs = trust.recorded_before(session, other, int(trusted.timestamp() * 1000))
    else:
        logs = None
    revocations.revoke(session, node, other, reason=reason, trusted=logs)
    return other


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
