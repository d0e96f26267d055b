"""The rows of the read model, as every kind of statement changes them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from lms.progress.tables import Progress


def judge(row: Progress, when: datetime, *, passed: bool) -> None:
    """Note a verdict: a pass stands over any failure, whichever came first."""
    said = (passed, when)
    if row.decided is None or said > (bool(row.success), row.decided):
        row.success, row.decided = said


def progress_row(
    session: Session, registration: UUID, activity: str, course: str, when: datetime
) -> Progress:
    """Return what is known of an activity, which begins if nothing is."""
    row = session.get(Progress, (registration, activity))
    if row is None:
        row = Progress(
            registration=registration,
            activity=activity,
            course=course,
            first=when,
            last=when,
            seconds=0,
            learning_seconds=0,
        )
        session.add(row)
        session.flush()
    return row
