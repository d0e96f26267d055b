"""How learners stand, for the pages; one query however many learners or units."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.progress.tables import Progress

Status = Literal["not started", "in progress", "completed", "passed", "failed"]


def progress_of(session: Session, registrations: Collection[UUID]) -> Mapping[UUID, Mapping[str, Progress]]:
    """Return what is known of these registrations, by the activity's IRI; the course's own is among them."""
    found: defaultdict[UUID, dict[str, Progress]] = defaultdict(dict)
    for row in session.scalars(select(Progress).where(Progress.registration.in_(registrations))):
        found[row.registration][row.activity] = row
    return found


def status(row: Progress | None) -> Status:
    """Return how an activity stands, in one word for the eye; a verdict says more than completion."""
    if row is None:
        return "not started"
    if row.success is not None:
        return "passed" if row.success else "failed"
    return "completed" if row.completed else "in progress"
