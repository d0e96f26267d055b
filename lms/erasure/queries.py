"""What is kept of a person here, before she is erased; and who has confirmed an order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms.enrolment.tables import Enrolment
from lms.forwarding.tables import Target
from sync import erasures
from sync.node import Node
from xapi_store import erasing
from xapi_store.tables import DocumentRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Traces:
    """What is kept of a person here, counted for whoever is about to have her erased.

    Attributes:
        statements: those with her as actor or object.
        in_passing: those about others that name her; they go too.
        targets: names of record stores that statements were forwarded to, and from which nothing is erased.
    """

    statements: int
    in_passing: int
    documents: int
    enrolments: int
    targets: tuple[str, ...]


def traces_of(session: Session, person: UUID) -> Traces:
    """Count what is kept of a person here."""
    agents = erasing.find_agents(session, lambda key: str(person) in key.lower())
    statements, in_passing = erasing.count_mentions(session, agents)
    documents = select(func.count(DocumentRow.id)).where(DocumentRow.agent.in_(list(agents)))
    enrolments = select(func.count(Enrolment.id)).where(Enrolment.person == person)
    targets = session.scalars(select(Target.name).where(Target.forwarded > 0).order_by(Target.name))
    return Traces(
        statements=statements,
        in_passing=in_passing,
        documents=session.scalar(documents) or 0,
        enrolments=session.scalar(enrolments) or 0,
        targets=tuple(targets),
    )


# ---------------------------------------------------------------- orders


@dataclass(frozen=True, kw_only=True, slots=True)
class Outstanding:
    """A node that has not confirmed; whose key was withdrawn is out of reach, and may hold everything."""

    name: str
    last_seen: datetime | None
    withdrawn: bool
    is_here: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderShown:
    """One order; it does not say whom it was about, and nobody can tell any more."""

    id: str
    ordered: datetime
    orderer: str
    reason: str
    confirmed: tuple[str, ...]
    outstanding: tuple[Outstanding, ...]


def orders(session: Session, node: Node) -> list[OrderShown]:
    """Return all orders, the newest first, and by name which nodes have confirmed and which have not."""
    return [
        OrderShown(
            id=one.id,
            ordered=_instant(one.ordered_ms),
            orderer=one.orderer,
            reason=one.reason,
            confirmed=tuple(each.name for each in one.nodes if each.done_ms is not None),
            outstanding=tuple(
                Outstanding(
                    name=each.name,
                    last_seen=None if each.last_seen_ms is None else _instant(each.last_seen_ms),
                    withdrawn=each.withdrawn,
                    is_here=each.node == node.id,
                )
                for each in one.outstanding
            ),
        )
        for one in erasures.ordered(session, node)
    ]


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
