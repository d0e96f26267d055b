"""How somebody stands in a course or unit, in words for pages, made from the read model of progress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lms.courses.iris import course_iri
from lms.launch.scores import score_said
from lms.launch.sittings import in_minutes
from lms.progress.queries import Known, Status, status
from lms.web.wording import mark

# Kind of state (its colour and icon) and word; message ids.
WORDS: Mapping[Status, tuple[str, str]] = {
    "not started": ("information", mark("Not started")),
    "in progress": ("waiting", mark("In progress")),
    "completed": ("done", mark("Completed")),
    "waived": ("done", mark("Waived")),
    "passed": ("done", mark("Passed")),
    "failed": ("refused", mark("Not passed")),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How one registration stands in its course; ``unit`` and ``node`` are where it was last worked at."""

    status: Status = "not started"
    score: float | None = None
    seconds: int = 0  # with pauses
    learning_seconds: int = 0  # without
    last: datetime | None = None
    node: str | None = None
    unit: str | None = None  # IRI

    @property
    def kind(self) -> str:
        """The state's colour and icon."""
        return WORDS[self.status][0]

    @property
    def word(self) -> str:
        """The state's message id."""
        return WORDS[self.status][1]

    @property
    def minutes(self) -> int:
        """The learning time, rounded up."""
        return in_minutes(self.learning_seconds)

    @property
    def minutes_with_pauses(self) -> int:
        """The time from beginning to end of all sessions, rounded up."""
        return in_minutes(self.seconds)


def standing_of(known: Mapping[str, Known], course: UUID) -> Standing:
    """Sum up what is known of a registration, by activity; units count where the course itself says nothing."""
    if not known:
        return Standing()
    own = known.get(course_iri(course))
    units = [row for row in known.values() if row is not own]
    latest = max(known.values(), key=lambda row: row.last)
    said = status(own)
    return Standing(
        status="in progress" if said == "not started" else said,
        score=score_said(own.score if own else None, [row.score for row in units if row.score is not None]),
        seconds=max(own.seconds if own else 0, sum(row.seconds for row in units)),
        learning_seconds=max(own.learning_seconds if own else 0, sum(row.learning_seconds for row in units)),
        last=latest.last,
        node=latest.node,
        unit=max(units, key=lambda row: row.last).activity if units else None,
    )
