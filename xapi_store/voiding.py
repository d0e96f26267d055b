"""Which statement voided another (xAPI 1.0.3 Data §2.3.2; xAPI 2.0 §4.2.5)."""

from uuid import UUID

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from xapi_store.tables import StatementId


def voided_by(session: Session, statement_id: UUID) -> UUID | None:
    """Return the first statement that voids this one; `None` where none does."""
    query = select(StatementId.id).where(StatementId.refers_to == statement_id, StatementId.voiding == true())
    return session.scalar(query.order_by(StatementId.position).limit(1))
