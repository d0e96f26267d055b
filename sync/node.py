"""One node as sync sees it: its key, its doors, and which of its lives it is living.

A restored or cloned database must never go on numbering where its former self did: others already hold those
numbers with other content. So every numbering, and every receipt, raises a generation in the database and then in a
file beside it. A file that is ahead of the database, names another epoch or machine, or is missing, means that this
database is not the one that was here last: a new epoch is opened, and nothing of the old one is reused.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from sync import identity
from sync.canonical import base32
from sync.errors import CertificateError, KeyLostError
from sync.identity import NodeKey, read_certificate
from sync.messages import Certificate, Role, Signed
from sync.ports import Blobs, Clock, Erasure, Kept, Read, Stream, Wishes, Write
from sync.scopes import Sight
from sync.segment import NEWEST_FORM
from sync.tables import CertificateRow, EpochRow, NodeRow, RefusedRow, RevocationRow

GENERATION_FILE = "generation.json"
_MOST_PAST = 100

log = logging.getLogger(__name__)


def random_epoch() -> str:
    """Return a name for a new life: 64 random bits."""
    return base32(secrets.token_bytes(8))


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """Everything one node needs to take part. Made once by whoever composes the program.

    Attributes:
        folder: where the key and the copy of the generation are kept, outside the database.
        machine: anything that differs between two machines (``/etc/machine-id``, a disk's serial number).
        erasure: how the host erases people; a host that keeps nothing of any has none.
        forms: the newest form of segments that this program reads.
        kept: what the host keeps of the records that logs tell; without, only the logs themselves are verified.
        wishes: the host, if it wishes for files that no record waits for.
    """

    key: NodeKey
    write: Write
    read: Read
    clock: Clock
    streams: Sequence[Stream]
    blobs: Blobs
    folder: Path
    machine: str
    erasure: Erasure | None = None
    forms: int = NEWEST_FORM
    kept: Kept | None = None
    wishes: Wishes | None = None
    new_epoch: Callable[[], str] = random_epoch

    @property
    def id(self) -> str:
        """Return this node's id."""
        return self.key.node

    def stream_of(self, kind: str) -> Stream | None:
        """Return the stream that applies records of this kind, if this version has one."""
        return next((stream for stream in self.streams if kind in stream.kinds), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Who this node is now: what its certificate says, which life it lives, on whom it rests."""

    certificate: Certificate
    epoch: str
    root: str | None

    @property
    def decides(self) -> bool:
        """Whether it rests on nobody else, and so decides what others propose."""
        return self.root == self.certificate.node


def create_identity(
    session: Session,
    folder: Path,
    *,
    name: str,
    role: Role,
    now_ms: int,
    new_epoch: Callable[[], str] = random_epoch,
) -> NodeKey:
    """Give this installation its key, its first epoch and a certificate of its own; safe to repeat.

    A hub and a centre are their own root until they join another; a laptop has none.

    Raises:
        KeyLostError: the database names a node whose key is not in ``folder``.
    """
    key = identity.load_key(folder)
    row = session.get(NodeRow, 1)
    if row is not None:
        if key is None or key.node != row.node:
            raise KeyLostError(
                f"The database belongs to node {row.node}, but its key is not in {folder}. "
                f"Put {identity.KEY_FILE} back from a backup."
            )
        return key
    key = key or identity.create_key(folder)
    epoch = new_epoch()
    root = None if role == "laptop" else key.node
    units = () if role == "laptop" else ("*",)
    session.add(NodeRow(id=1, node=key.node, root=root, epoch=epoch, generation=0, created_ms=now_ms))
    session.add(EpochRow(epoch=epoch, reason="installed", opened_ms=now_ms))
    certificate = Certificate(
        node=key.node, public_key=key.public_key, name=name, role=role, units=units, issued_ms=now_ms
    )
    keep_certificate(session, identity.sign_paper(key, certificate))
    session.flush()
    return key


def lock_row(session: Session) -> NodeRow:
    """Return this node's row, held until the transaction ends: one process numbers at a time."""
    return session.execute(select(NodeRow).where(NodeRow.id == 1).with_for_update()).scalar_one()


def standing(session: Session) -> Standing:
    """Return who this node is now."""
    session.flush()
    epoch, root, text = session.connection().execute(_STANDING).one()
    return Standing(certificate=_certificate(text), epoch=epoch, root=root)


def root_of(session: Session) -> str | None:
    """Return the node that this one rests on; ``None`` before it joined a network."""
    root: str | None = session.connection().scalar(_ROOT)
    return root


_ROOT = select(NodeRow.root).where(NodeRow.id == 1)
_STANDING = (
    select(NodeRow.epoch, NodeRow.root, CertificateRow.text)
    .join(CertificateRow, CertificateRow.node == NodeRow.node)
    .where(NodeRow.id == 1)
)
_certificate = lru_cache(maxsize=16)(Certificate.model_validate_json)


# ---------------------------------------------------------------- certificates


def keep_certificate(session: Session, signed: Signed) -> None:
    """Remember a node's newest certificate."""
    certificate = identity.read_certificate(signed)
    known = session.get(CertificateRow, certificate.node)
    if known is None:
        known = CertificateRow(node=certificate.node)
        session.add(known)
    known.signer, known.text, known.signature = signed.signer, signed.text, signed.signature
    # What it had no right to write may be right now; it is sent again, and looked at again.
    session.execute(
        delete(RefusedRow).where(RefusedRow.origin == certificate.node, RefusedRow.code == "right")
    )


def known_certificates(session: Session) -> dict[str, Signed]:
    """Return all certificates known here, by node."""
    return {row.node: _signed(row) for row in session.scalars(select(CertificateRow))}


def vouched_for(session: Session, nodes: Collection[str]) -> dict[str, Signed]:
    """Return the certificates of some nodes and of those above them, as far as they are known here, by node.

    A centre knows a hundred thousand; who is met needs a handful.
    """
    found: dict[str, Signed] = {}
    asked = set(nodes)
    while asked:
        rows = session.connection().execute(_CERTIFIED, {"nodes": list(asked)})
        above = {row.node: _signed(row) for row in rows}
        found |= above
        asked = {signed.signer for signed in above.values()} - found.keys()
    return found


def names_of(session: Session, nodes: Collection[str]) -> dict[str, str]:
    """Return what those of these nodes are called whose certificates are known here."""
    rows = session.connection().execute(_CERTIFIED, {"nodes": list(nodes)})
    return {row.node: read_certificate(_signed(row)).name for row in rows}


_CERTIFIED = select(
    CertificateRow.node, CertificateRow.signer, CertificateRow.text, CertificateRow.signature
).where(CertificateRow.node.in_(bindparam("nodes", expanding=True)))


def certificate_of(session: Session, node: str) -> Signed | None:
    """Return a node's newest certificate."""
    row = session.get(CertificateRow, node)
    return None if row is None else _signed(row)


def admitted_by(session: Session) -> str | None:
    """Return the node that admitted this one; ``None`` for one that nobody has, a root among them."""
    found = session.connection().execute(_ADMITTED).one_or_none()
    return None if found is None or found.node == found.signer else found.signer


_ADMITTED = select(CertificateRow.node, CertificateRow.signer).join(
    NodeRow, NodeRow.node == CertificateRow.node
)


def chain_of(session: Session, node: str) -> list[Signed]:
    """Return a node's certificate and those of its signers, as far as they are known."""
    chain: list[Signed] = []
    while (signed := certificate_of(session, node)) is not None and signed not in chain:
        chain.append(signed)
        node = signed.signer
    return chain


def line_of(node: str, known: Mapping[str, Signed]) -> list[str]:
    """Return a node, the one that admitted it, and so on up to the root, as far as certificates are known."""
    line = [node]
    while (signed := known.get(line[-1])) is not None and signed.signer not in line:
        line.append(signed.signer)
    return line


def sight_of(session: Session, node: Node, peer: Certificate) -> Sight:
    """Return what a node may be given by this one now."""
    signed = certificate_of(session, peer.node)
    return Sight(
        peer=peer,
        giver=standing(session).certificate,
        is_below=signed is not None and signed.signer == node.id,
        at_ms=node.clock(),
    )


def revoked_nodes(session: Session) -> set[str]:
    """Return the nodes whose keys were withdrawn."""
    return set(session.scalars(select(RevocationRow.node)))


def take_certificates(session: Session, papers: Sequence[Signed]) -> None:
    """Remember certificates that are new here, as far as they lead to our root, and not by a withdrawn key.

    Whom that key had certified and nobody knows yet joins anew, and brings what it recorded then. A later certificate
    of a node that is known counts if it is by the same hand, or by the root or a centre: no hub may make another one
    into a laptop.
    """
    if not papers:
        return
    root = standing(session).root
    known = vouched_for(session, _named(papers))
    withdrawn = revoked_nodes(session)
    vouching = {node: signed for node, signed in known.items() if node not in withdrawn}
    for paper in papers:
        try:
            certificate = identity.read_certificate(paper)
            if root is not None and _is_news(known, certificate, paper, root=root):
                identity.trusted(paper, known=vouching, root=root)
                keep_certificate(session, paper)
                known[certificate.node] = paper
                if certificate.node not in withdrawn:
                    vouching[certificate.node] = paper
        except CertificateError:
            continue  # its segments will say that their origin is unknown


def _named(papers: Sequence[Signed]) -> set[str]:
    """Return whom certificates are about and who signed them; what is no certificate names nobody."""
    found = set()
    for paper in papers:
        with suppress(CertificateError):
            found |= {read_certificate(paper).node, paper.signer}
    return found


def _is_news(known: Mapping[str, Signed], certificate: Certificate, paper: Signed, *, root: str) -> bool:
    present = known.get(certificate.node)
    if present is None:
        return True
    if certificate.node in {root, paper.signer}:
        return False
    if present.signer == certificate.node:  # made out to itself before it joined anybody
        return True
    if certificate.issued_ms <= read_certificate(present).issued_ms:
        return False
    above = known.get(paper.signer)
    is_of_the_centre = above is not None and read_certificate(above).role == "central"
    return paper.signer in {present.signer, root} or is_of_the_centre


# ---------------------------------------------------------------- lives


def ensure_epoch(session: Session, node: Node) -> bool:
    """Open a new epoch if this database is not the one that was here last; say whether it did."""
    row = lock_row(session)
    reason = _doubt(row, node)
    if reason is None:
        return False
    lived = (_copy_outside(node) or {}).get("epoch")
    if isinstance(lived, str) and session.get(EpochRow, lived) is None:
        session.add(EpochRow(epoch=lived, reason="told by the copy outside", opened_ms=node.clock()))
    open_epoch(session, node, reason=reason)
    return True


def past_lives(session: Session) -> tuple[str, ...]:
    """Return the epochs in which this node lived before its present one, as far as it knows."""
    present = select(NodeRow.epoch).where(NodeRow.id == 1).scalar_subquery()
    found = select(EpochRow.epoch).where(EpochRow.epoch != present).order_by(EpochRow.opened_ms.desc())
    return tuple(session.scalars(found.limit(_MOST_PAST)))


def open_epoch(session: Session, node: Node, *, reason: str) -> str:
    """Begin a new life of this node's logs; the old ones stay as they are and are never continued."""
    row = lock_row(session)
    row.epoch = node.new_epoch()
    row.generation += 1
    session.add(EpochRow(epoch=row.epoch, reason=reason, opened_ms=node.clock()))
    session.flush()
    log.warning("epoch_opened", extra={"node": node.id, "epoch": row.epoch, "reason": reason})
    return row.epoch


def remember_generation(node: Node) -> None:
    """Bring the copy outside the database up to date: after each numbering or receipt, before anything is sent."""
    with node.read() as session:
        row = session.get_one(NodeRow, 1)
        told = {"epoch": row.epoch, "generation": row.generation, "machine": node.machine, "node": row.node}
    if _copy_outside(node) == told:
        return
    target = node.folder / GENERATION_FILE
    beside = target.with_name(f"{GENERATION_FILE}.{os.getpid()}.{secrets.token_hex(4)}")
    with beside.open("w", encoding="utf-8") as file:
        json.dump(told, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(target)


def _doubt(row: NodeRow, node: Node) -> str | None:
    copy = _copy_outside(node)
    if copy is None:
        # A fresh install has numbered nothing, and nothing can be used twice.
        return None if row.generation == 0 else "no copy of the generation"
    if copy.get("epoch") != row.epoch or copy.get("node") != row.node:
        return "restored: another epoch was here last"
    if not isinstance(copy.get("generation"), int) or int(str(copy["generation"])) > row.generation:
        return "restored: the database is older than its copy"
    if copy.get("machine") != node.machine:
        return "cloned: another machine"
    return None


def _copy_outside(node: Node) -> dict[str, object] | None:
    try:
        copy = json.loads((node.folder / GENERATION_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return copy if isinstance(copy, dict) else None


def _signed(row: Any) -> Signed:
    return Signed(signer=row.signer, text=row.text, signature=row.signature)
