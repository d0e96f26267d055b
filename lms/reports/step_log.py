"""The launch log of an attempt as pages show it: a list of steps, and one step with the rule that decided.

What is shown was decided again just now; reading is apart from that, for a transaction should not wait for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from content_packages.shelf import Shelf
from lms.courses.queries import find_edition
from lms.launch.course import Opened, open_package
from lms.launch.steps import MOST_STEPS, Replayed, count_steps, replay, show, steps_from
from lms.launch.steps_wording import SaidStep, say_name, say_step, say_value
from lms.launch.tables import LaunchStep
from lms.web.errors import NotFoundError
from lms.web.locale import Language

STEPS_ON_A_PAGE = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class StepLine:
    """A step of the log as a list shows it."""

    row: LaunchStep
    said: SaidStep
    is_same: bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LogPage:
    """Steps as they are kept, in the order they were taken.

    Attributes:
        first: the number of the first step that is kept of the attempt; zero where there is none.
        last: the number of the last one.
        since: of the first that is to be shown; those before only lead to it.
        rows: from a state that is kept on.
        opened: the editions they were taken in, as far as they are here.
    """

    first: int
    last: int
    since: int
    rows: Sequence[LaunchStep]
    opened: dict[UUID, Opened]


def read_page(session: Session, shelf: Shelf, registration: UUID, *, page: int) -> LogPage:
    """Read a page of the log, the newest steps on the first."""
    first, last = count_steps(session, registration)
    until = last - STEPS_ON_A_PAGE * (page - 1)
    since = max(first, until - STEPS_ON_A_PAGE + 1)
    rows = steps_from(session, registration, since, until) if last else ()
    return LogPage(first=first, last=last, since=since, rows=rows, opened=_editions(session, shelf, rows))


def read_step(session: Session, shelf: Shelf, registration: UUID, *, number: int) -> LogPage:
    """Read one step.

    Raises:
        NotFoundError: it is not kept.
    """
    first, last = count_steps(session, registration)
    if not first <= number <= last or not last:
        raise NotFoundError
    rows = steps_from(session, registration, number, number)
    return LogPage(first=first, last=last, since=number, rows=rows, opened=_editions(session, shelf, rows))


def listed(log: LogPage, spoken: Language, *, page: int) -> dict[str, Any]:
    """Return what ``reports/attempt_log.html`` shows: the newest step first."""
    trees = {edition: one.tree for edition, one in log.opened.items()}
    lines = [
        _line(one, log.opened, spoken) for one, _ in replay(trees, log.rows) if one.row.number >= log.since
    ]
    return {
        "lines": lines[::-1],
        "first": log.first,
        "last": log.last,
        "page": page,
        "has_older": log.since > log.first,
        "most": MOST_STEPS,
        "differing": [one.row.number for one in lines if one.is_same is False],
        "unknown": [one.row.number for one in lines if one.is_same is None],
    }


def shown(log: LogPage, spoken: Language) -> dict[str, Any]:
    """Return what ``reports/attempt_step.html`` shows: states before and after, the decision, and what decided."""
    seen = show(
        {edition: one.tree for edition, one in log.opened.items()},
        log.rows,
        by_the_book=lambda edition: log.opened[edition].tree_by_the_book(),
    )
    row = seen.replayed.row
    titles = _titles(log.opened.get(row.edition))
    return {
        "line": _line(seen.replayed, log.opened, spoken),
        "first": log.first,
        "last": log.last,
        "changes": [
            {
                "place": titles.get(one.place, one.place),
                "name": say_name(one.name, spoken),
                "before": say_value(one.before, titles, spoken),
                "after": say_value(one.after, titles, spoken),
            }
            for one in seen.changes
        ],
        "ran": [
            {
                "number": one.process.number,
                "name": one.process.name,
                "depth": one.depth,
                "on": titles.get(one.activity, one.activity),
                "about": titles.get(one.about, one.about),
                "answer": one.exception or titles.get(one.answer, one.answer),
                "has_decided": one.has_decided,
            }
            for one in seen.ran
        ],
        "is_whole": seen.is_whole,
        "sent": sorted((row.event.get("result") or {}).items()),
    }


def _editions(session: Session, shelf: Shelf, rows: Sequence[LaunchStep]) -> dict[UUID, Opened]:
    """Open the editions that some steps were taken in, as far as they are here."""
    found = {}
    for edition in {row.edition for row in rows}:
        kept = find_edition(session, edition)
        if kept is not None and shelf.has(kept.manifest):
            found[edition] = open_package(shelf, kept.manifest)
    return found


def _titles(opened: Opened | None) -> dict[str, str]:
    return {} if opened is None else {one.identifier: one.title for one in opened.tree.activities}


def _line(one: Replayed, opened: dict[UUID, Opened], spoken: Language) -> StepLine:
    titles = _titles(opened.get(one.row.edition))
    said = say_step(one.row.event, one.row.outcome, titles, spoken)
    return StepLine(row=one.row, said=said, is_same=one.is_same)
