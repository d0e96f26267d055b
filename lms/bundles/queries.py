"""Bundles written and taken here, and the nodes they can be for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.bundles.tables import Bundle, BundleKind, BundleState
from sync import identity, ledger
from sync.errors import CertificateError
from sync.node import known_certificates, standing


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """A node that a bundle can be sealed to."""

    node: str
    name: str
    role: str
    is_root: bool


def find_bundle(session: Session, bundle_id: UUID) -> Bundle | None:
    """Return a bundle by its public id."""
    return session.scalars(select(Bundle).where(Bundle.public_id == bundle_id)).one_or_none()


def recent_bundles(session: Session, *, limit: int) -> Sequence[Bundle]:
    """Return the bundles written or taken last."""
    return session.scalars(
        select(Bundle).order_by(Bundle.started.desc(), Bundle.id.desc()).limit(limit)
    ).all()


def recipients(session: Session) -> list[Recipient]:
    """Return the nodes of this network that are known here and still trusted, the root first, then by name."""
    me = standing(session)
    if me.root is None:
        return []
    known = known_certificates(session)
    found = []
    for node, signed in known.items():
        try:
            certificate = identity.trusted(signed, known=known, root=me.root)
        except CertificateError:
            continue
        if node != me.certificate.node and not ledger.is_revoked(session, node):
            found.append(
                Recipient(node=node, name=certificate.name, role=certificate.role, is_root=node == me.root)
            )
    return sorted(found, key=lambda one: (not one.is_root, one.name, one.node))


def receipts_due(session: Session) -> list[str]:
    """Return the nodes of which a bundle was taken and that were given nothing since."""
    newest: dict[str, bool] = {}
    query = (
        select(Bundle.kind, Bundle.nodes).where(Bundle.state == BundleState.DONE).order_by(Bundle.finished)
    )
    for kind, nodes in session.execute(query):
        newest |= dict.fromkeys(nodes, kind is BundleKind.IMPORT)
    return [node for node, is_due in newest.items() if is_due]
