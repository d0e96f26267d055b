"""Say which courses go to which nodes; what is said at the node that decides travels to all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from lms.carrying.queries import decides_here
from lms.carrying.rules import Mode, Orders
from lms.carrying.tables import Assignment
from lms.people.changes import record_change

KIND: Final = "assignment"
_ASSIGNMENTS: Final = UUID("0f1c7a5e-3c0b-4d6e-9a55-6a5f2f4f2c11")


class AssignedElsewhereError(Exception):
    """This node does not decide which courses go where."""

    def __init__(self) -> None:
        super().__init__(
            "This node does not decide which courses go where. Its centre does, or the hub on which it rests."
        )


def assign(session: Session, target: str, orders: Orders, *, by: UUID | None, now: datetime) -> Assignment:
    """Say which courses come to a node and to those below it that have nothing of their own.

    Raises:
        AssignedElsewhereError: this node does not decide that.
    """
    if not decides_here(session):
        raise AssignedElsewhereError
    row = _row(session, assignment_id(target), target)
    row.mode = orders.mode
    row.courses = sorted(str(one) for one in orders.courses) if orders.mode is Mode.CHOSEN else []
    row.languages = sorted(orders.languages) if orders.mode is Mode.LANGUAGES else []
    row.groups = sorted(str(one) for one in orders.groups)
    row.made_by, row.changed = by, now
    session.flush()
    record_change(session, KIND, row.public_id)
    return row


def apply_assignment(session: Session, public_id: UUID, described: Mapping[str, Any]) -> None:
    """Take over what another node decided, as ``describe_assignment`` wrote it there.

    Raises:
        ValueError: it is not written as such an entry is.
    """
    if public_id != assignment_id(described["target"]):
        raise ValueError("the id of an assignment follows from the node that it is for")
    row = _row(session, public_id, described["target"])
    row.mode = Mode(described["mode"])
    row.courses = [str(UUID(one)) for one in described["courses"]]
    row.languages = [str(one) for one in described["languages"]]
    row.groups = [str(UUID(one)) for one in described["groups"]]
    row.made_by = UUID(described["made_by"]) if described["made_by"] else None
    row.changed = datetime.fromisoformat(described["changed"])
    session.flush()


def assignment_id(target: str) -> UUID:
    """Return the id of what is said of a node, the same wherever it is said."""
    return uuid5(_ASSIGNMENTS, target)


def _row(session: Session, public_id: UUID, target: str) -> Assignment:
    row = session.get(Assignment, target)
    if row is None:
        row = Assignment(target=target, public_id=public_id)
        session.add(row)
    return row
