"""Until when a node is admitted: what its certificate says of that, and who may admit it again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from lms.nodes.actions import node_called
from lms.nodes.links import instant
from sync import ledger, renewal
from sync.messages import Certificate
from sync.node import Node, certificate_of, names_of

SOON: Final = timedelta(days=60)


@dataclass(frozen=True, kw_only=True, slots=True)
class Admission:
    """Until when a node is given what comes down.

    Attributes:
        until: ``None``: for ever, as a node that rests on nobody.
        has_ended, ends_soon: by this node's clock.
        by: what the node is called that admitted it; empty where it is not known.
        may_renew: this node may admit it again.
    """

    until: datetime | None
    has_ended: bool
    ends_soon: bool
    by: str
    may_renew: bool


def admission_of(session: Session, node: Node, certificate: Certificate) -> Admission:
    """Return until when a node is admitted whose certificate is known here."""
    signed = certificate_of(session, certificate.node)
    until = moment_of(certificate.expires_ms)
    now = instant(node)
    return Admission(
        until=until,
        has_ended=certificate.has_expired(node.clock()),
        ends_soon=until is not None and until - SOON < now <= until,
        by="" if signed is None else names_of(session, [signed.signer]).get(signed.signer, ""),
        may_renew=signed is not None
        and renewal.may_renew(session, node, signed)
        and not ledger.is_revoked(session, certificate.node),
    )


def admit_again(session: Session, node: Node, other: str) -> Certificate:
    """Make another node's certificate good for another 400 days, by its name or id.

    Raises:
        PeerNotFoundError: no node, or more than one, is called so.
        RenewalError: its key was withdrawn, or another node admitted it.
    """
    return renewal.renew(session, node, node_called(session, other), now_ms=node.clock())


def moment_of(ms: int | None) -> datetime | None:
    """Return an instant; one that lies beyond all calendars, as of a clock gone wild, is for ever."""
    try:
        return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
