"""What is kept of a person here, for whoever is about to have her erased."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms.enrolment.tables import Enrolment
from lms.forwarding.tables import Target
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
