"""How learners stand, for the pages; one query however many learners or units."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from lms.enrolment.tables import Enrolment
from lms.progress.tables import Progress

Status = Literal["not started", "in progress", "completed", "waived", "passed", "failed"]


class Known(NamedTuple):
    """What is known of one registration in one activity, as :class:`Progress` keeps it."""

    registration: UUID
    activity: str
    completed: bool
    success: bool | None
    waived: bool
    score: float | None
    seconds: int  # with pauses
    learning_seconds: int  # without
    last: datetime
    node: str | None


def progress_of(session: Session, registrations: Collection[UUID]) -> Mapping[UUID, Mapping[str, Known]]:
    """Return what is known of these registrations, by the activity's IRI; the course's own is among them."""
    return _by_registration(session.connection().execute(_KNOWN_OF, {"registrations": list(registrations)}))


def progress_of_person(session: Session, person: UUID) -> Mapping[UUID, Mapping[str, Known]]:
    """Return what is known of all that a person takes or took."""
    return _by_registration(session.connection().execute(_KNOWN_OF_PERSON, {"person": person}))


def _by_registration(rows: Iterable[Any]) -> Mapping[UUID, Mapping[str, Known]]:
    found: defaultdict[UUID, dict[str, Known]] = defaultdict(dict)
    for known in (Known(*row) for row in rows):
        found[known.registration][known.activity] = known
    return found


#: The columns a :class:`Known` is made of, for queries that join them to others.
KNOWN = (
    Progress.registration,
    Progress.activity,
    Progress.completed.is_not(None),
    Progress.success,
    Progress.waived,
    Progress.score,
    Progress.seconds,
    Progress.learning_seconds,
    Progress.last,
    Progress.node,
)
# Made once, and of columns alone: lists of people and of courses read hundreds of such rows.
_KNOWN = select(*KNOWN)
_KNOWN_OF = _KNOWN.where(Progress.registration.in_(bindparam("registrations", expanding=True)))
_KNOWN_OF_PERSON = _KNOWN.join(Enrolment, Enrolment.registration == Progress.registration).where(
    Enrolment.person == bindparam("person")
)


def status(row: Known | None) -> Status:
    """Return how an activity stands, in one word for the eye; a verdict says more than completion.

    Of what was waived only a pass says more.
    """
    if row is None:
        return "not started"
    if row.waived and not row.success:
        return "waived"
    if row.success is not None:
        return "passed" if row.success else "failed"
    return "completed" if row.completed else "in progress"
