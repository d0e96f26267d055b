"""How long a certificate is good, how it is made good for longer, and how a node follows its root to another.

A certificate ends so that a laptop which was lost, and which nobody missed, is not given courses and names for ever. A
node that is met while its certificate is good has it renewed by itself; one that stayed away until it ended gives what
it recorded, is given nothing but revocations, and waits for a person who knows why it was away.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy.orm import Session

from sync import identity, ledger
from sync.errors import CertificateError, RenewalError
from sync.messages import Certificate, Hello, Signed
from sync.node import Node, certificate_of, chain_of, keep_certificate, lock_row, standing

DAY_MS = 24 * 60 * 60 * 1000
LIFE_MS = 400 * DAY_MS  # a post that is snowed in from one summer to the next

logger = logging.getLogger(__name__)


def is_due(certificate: Certificate, *, now_ms: int) -> bool:
    """Say whether a good certificate is to be renewed: more than half of its time has passed, or it has no end."""
    if certificate.expires_ms is None:
        return True
    half = (certificate.issued_ms + certificate.expires_ms) // 2
    return now_ms > half and not certificate.has_expired(now_ms)


def renew(session: Session, node: Node, who: str, *, now_ms: int) -> Certificate:
    """Give a node another certificate, as the one before but from now on; return what it says.

    It is later than the one before even where that was made by a clock that ran ahead.

    Raises:
        RenewalError: it is not known here, its key was withdrawn, or another node admitted it.
    """
    signed = certificate_of(session, who)
    if signed is None:
        raise RenewalError(f"No node {who} is known here.")
    before = identity.read_certificate(signed)
    if ledger.is_revoked(session, who):
        raise RenewalError(
            f"The key of {before.name!r} was withdrawn. It joins again once it is set up anew."
        )
    if not may_renew(session, node, signed):
        raise RenewalError(f"{before.name!r} was admitted by another node, which has to do this.")
    issued_ms = max(now_ms, before.issued_ms + 1)
    renewed = before.model_copy(update={"issued_ms": issued_ms, "expires_ms": issued_ms + LIFE_MS})
    keep_certificate(session, identity.sign_paper(node.key, renewed))
    logger.info("certificate_renewed", extra={"peer": who, "expires_ms": renewed.expires_ms})
    return renewed


def may_renew(session: Session, node: Node, signed: Signed) -> bool:
    """Say whether this node may renew a certificate: of another node, which it admitted, or as their root."""
    who = identity.read_certificate(signed).node
    return who != node.id and node.id in {signed.signer, standing(session).root}


def renew_if_due(session: Session, node: Node, who: str, *, now_ms: int) -> None:
    """Renew the certificate of a node that is met, while it is good, where this node may."""
    signed = certificate_of(session, who)
    if signed is None or not may_renew(session, node, signed):
        return
    if is_due(identity.read_certificate(signed), now_ms=now_ms):
        renew(session, node, who, now_ms=now_ms)


def lacking(session: Session, node: Node, hello: Hello) -> tuple[Signed, ...]:
    """Return the certificates that whoever greets does not know yet: its own, this node's, and those above them.

    One that rests on this node still needs those of the root on which to rest.
    """
    found: list[Signed] = []
    for who, known_ms in ((hello.node, hello.issued_ms), (node.id, hello.peer_issued_ms)):
        signed = certificate_of(session, who)
        if known_ms and signed is not None and identity.read_certificate(signed).issued_ms > known_ms:
            found += reversed(chain_of(session, who))
    if hello.root == node.id != standing(session).root:
        found += reversed(chain_of(session, node.id))
    return tuple(dict.fromkeys(found))


# ---------------------------------------------------------------- another root


def next_root(session: Session, node: Node, hello: Hello) -> Signed | None:
    """Return what this node says of its own root to one that rests on this node still: the root's certificate."""
    root = standing(session).root
    if root is None or root == node.id or hello.root != node.id:
        return None
    signed = certificate_of(session, root)
    return None if signed is None else identity.sign_paper(node.key, identity.read_certificate(signed))


def follow_root(session: Session, paper: Signed, certificates: Sequence[Signed]) -> None:
    """Rest on the node on which the present root rests itself now.

    Args:
        session: of a transaction that writes.
        paper: the certificate of that node, signed by the present root.
        certificates: among them the one that it made out to itself.

    Raises:
        CertificateError: the present root has not signed it, or it names no centre.
    """
    row = lock_row(session)
    root = certificate_of(session, row.root) if row.root else None
    if root is None or row.root != paper.signer:
        raise CertificateError(f"Another root was named by {paper.signer}, on whom this node does not rest.")
    key = identity.read_certificate(root).public_key
    if not identity.verify(key, "certificate", paper.text.encode("utf-8"), paper.signature):
        raise CertificateError("Another root was named with a wrong signature.")
    named = identity.read_certificate(paper)
    its_own = next((one for one in certificates if one.signer == named.node and one.text == paper.text), None)
    if its_own is None or named.role != "central":
        raise CertificateError(f"{named.name!r} was named as another root and is no centre.")
    identity.trusted(its_own, known={named.node: its_own}, root=named.node)
    keep_certificate(session, its_own)
    row.root = named.node
    session.flush()
    logger.warning("root_followed", extra={"before": paper.signer, "root": named.node})
