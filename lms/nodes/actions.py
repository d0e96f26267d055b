"""Meet other nodes: pair, exchange what is missing, stop trusting."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

import httpx
from sqlalchemy.orm import Session

from lms.nodes.links import held, instant, link_to, links, settle, spend
from lms.nodes.meter import Meter, Occasion
from lms.nodes.pace import Turn
from lms.nodes.roots import Root, keep_root, root_needed, root_of, trusting
from lms.nodes.tables import Ending
from lms.settings import JOIN_PORT
from sync import client, ledger, pairing, revocations, trust
from sync.engine import SyncReport, converse
from sync.identity import read_certificate
from sync.messages import Role
from sync.metered import MeteredTransport
from sync.node import Node, known_certificates, standing
from sync.ports import Traffic
from sync.sequencer import number_changes

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 30.0
LONGEST_SILENCE_S = 120.0
_LOOK_EVERY_S = 0.2


class PeerNotFoundError(Exception):
    """No paired node goes by this name or id, or it has no address."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        super().__init__(
            f"No paired node with an address is called {peer!r}. `lms node list` shows those that are."
        )


class PeerBusyError(Exception):
    """A peer is being met already."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        super().__init__(f"Another process of this node is meeting {peer}.")


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


def sync_with(
    node: Node, peer: str, address: str, occasion: Occasion | None = None, *, knocks: bool = False
) -> SyncReport:
    """Hold one conversation with a peer on the terms of its link, over however many attempts that needs.

    Args:
        node: this one.
        peer: its id.
        address: where it is reached.
        occasion: why it is held; if left out, because a person wants it.
        knocks: look first whether it answers. What waits is sealed as a conversation begins, and takes a third of the
            bytes sealed together, so nothing is where nobody answers; the history does not tell of it either.

    Raises:
        PeerBusyError: another process of this node is meeting it. Who meets it by hand waits for the end of that.
    """
    occasion = occasion or Occasion(by_hand=True)
    began = instant(node)
    with _alone_with(node, peer, occasion), _http(address, root_of(node.folder, peer)) as http:
        transport = client.HttpTransport(address, key=node.key, to=peer, client=http)
        if knocks and not transport.knock():
            return _nobody_there(node, peer, transport.traffic, occasion, began)
        number_changes(node)
        meter = Meter(node, peer, transport.traffic, occasion)
        report = SyncReport(state=Ending.INTERRUPTED, detail="The program failed; its log says where.")
        try:
            report = converse(
                node, peer, MeteredTransport(transport, meter), pause=meter.pause, told=meter.told
            )
        finally:
            meter.end(report)
    log.info(
        "sync_ended",
        extra={
            "peer": peer,
            "state": report.state,
            "sent": report.sent,
            "received": report.received,
            "bytes": report.bytes_up + report.bytes_down,
            "seconds": report.seconds,
        },
    )
    return report


@contextmanager
def _alone_with(node: Node, peer: str, occasion: Occasion) -> Iterator[None]:
    """Keep other processes of this node from meeting a peer: both would send the same. A killed one keeps nobody."""
    from filelock import FileLock, Timeout  # noqa: PLC0415 - for those commands alone that meet somebody

    folder = node.folder / "meetings"
    folder.mkdir(exist_ok=True)
    lock = FileLock(folder / f"{peer}.lock")
    while True:
        try:
            lock.acquire(timeout=_LOOK_EVERY_S if occasion.by_hand else 0)
            break
        except Timeout as busy:
            if not occasion.by_hand or occasion.stop.is_set():
                raise PeerBusyError(peer) from busy
    try:
        yield
    finally:
        lock.release()


def _nobody_there(node: Node, peer: str, traffic: Traffic, occasion: Occasion, began: datetime) -> SyncReport:
    now = instant(node)
    with node.write() as session:
        link = link_to(session, peer)
        spend(link, traffic.bytes_up + traffic.bytes_down, now=now)
        settle(link, Ending.INTERRUPTED, moved=False, began=began, now=now, dice=occasion.dice)
    return SyncReport(state=Ending.INTERRUPTED, detail="Nobody answers.", bytes_up=traffic.bytes_up)


def _http(address: str, root: Root | None) -> httpx.Client:
    """Return what speaks to a peer; without HTTPS nobody is trusted, which is quicker than to read who is (50 ms)."""
    secured = urlsplit(address).scheme == "https"
    trusted = trusting(root) if secured else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    timeout = httpx.Timeout(LONGEST_SILENCE_S, connect=CONNECT_TIMEOUT_S)
    return httpx.Client(timeout=timeout, headers={"user-agent": "outpost"}, verify=trusted)


def ask_to_sync(session: Session, *, now: datetime, all_the_same: bool = False) -> list[Held]:
    """Have all peers met as soon as can be; return those that are not, because the terms of their links forbid it now.

    Args:
        session: of the caller's transaction.
        now: in the zone of this machine.
        all_the_same: meet those too. What passes is counted.

    Raises:
        NobodyPairedError: there is nobody to meet.
    """
    peers = addresses(session)
    kept_back = [] if all_the_same else held_back(session, peers, now=now)
    for peer, _, _ in peers:
        if peer not in {one.peer for one in kept_back}:
            link = link_to(session, peer)
            link.asked, link.all_the_same = now, all_the_same
    return kept_back


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A peer that is not to be met now, until when, and by which of its terms."""

    peer: str
    name: str
    turn: Turn


def held_back(session: Session, peers: Sequence[tuple[str, str, str]], *, now: datetime) -> list[Held]:
    """Return those of these peers (as of :func:`addresses`) that the terms of their links keep from being met now."""
    kept = links(session, [peer for peer, _, _ in peers])
    turns = [Held(peer=peer, name=name, turn=held(kept[peer], now=now)) for peer, name, _ in peers]
    return [one for one in turns if one.turn.at is not None]


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
    other = node_called(session, revoked)
    if trusted == "held":
        logs = trust.held_now(session, other)
    elif trusted is not None:
        logs = trust.recorded_before(session, other, int(trusted.timestamp() * 1000))
    else:
        logs = None
    revocations.revoke(session, node, other, reason=reason, trusted=logs)
    return other


def node_called(session: Session, called: str) -> str:
    """Return the id of the node of this network that has a name or id, paired with this one or not.

    Raises:
        PeerNotFoundError: no node, or more than one, is called so.
    """
    known = [read_certificate(one) for one in known_certificates(session).values()]
    found = [one.node for one in known if called in {one.node, one.name}]
    if len(found) != 1:
        raise PeerNotFoundError(called)
    return found[0]


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
