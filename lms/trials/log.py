"""The part of a trial's log that only the server sees, kept in the trial's database and put into words when it is read.

What units ask of the record store comes from another origin than the page beside them, and what a page says as it
closes reaches nobody in the browser any more; so both are written here, and the page follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from content_packages.cmi5.move_on import UNTOUCHED
from content_packages.shelf import Shelf
from lms.cmi5.registrations import outline_of
from lms.cmi5.tables import Registration, UnitSession
from lms.courses.tables import OutlineItem, Unit
from lms.trials.queries import standings_of
from lms.trials.trial import LogLine, Trial
from lms.web.locale import Language
from lms.web.wording import mark

Kind = Literal["exchange", "launch", "standing", "trace"]
MOST_LINES = 5_000
MOST_AT_ONCE = 200
MOST_UNITS = 50  # whose standing a line tells

_OPENED = mark("Opened: %(unit)s, launch mode %(mode)s")
_COUNTS = mark("What counts now")
_SATISFIED = mark("Satisfied")
_WHOLE_COURSE = mark("The whole course")
COMPLETED, PASSED, FAILED, WAIVED = mark("Completed"), mark("Passed"), mark("Not passed"), mark("Waived")


def write_line(session: Session, kind: Kind, *, at: datetime, unit: str, facts: Mapping[str, Any]) -> None:
    """Add a line to the log; where it is full the oldest goes."""
    line = LogLine(kind=kind, at=at, unit=unit, facts=dict(facts))
    session.add(line)
    session.flush()
    session.execute(delete(LogLine).where(LogLine.position <= line.position - MOST_LINES))


def write_standing(session: Session, shelf: Shelf, *, at: datetime, unit: str) -> None:
    """Add what counts of the units now, unless the log says so already."""
    row = session.scalars(select(Registration)).first()
    if row is None:
        return
    outline = outline_of(session, shelf, row)
    root = outline.package.root
    titles = {one.identifier: one.title for one in root.walk() if one is not root}
    facts = {
        "units": [
            {"title": one.title, **asdict(one.state), "score": one.score, "satisfied": one.satisfied}
            for one in standings_of(session, row, outline)
            if one.state != UNTOUCHED
        ][:MOST_UNITS],
        "satisfied": [titles.get(one, "") for one in row.told],  # the course has no title here
    }
    last = session.scalars(_LAST_STANDING).one_or_none()
    if last != facts and (facts["units"] or facts["satisfied"]):
        write_line(session, "standing", at=at, unit=unit, facts=facts)


def title_of(session: Session, unit_session: int | None) -> str:
    """Return the title of the unit of a session; of none at all, that of the unit opened last."""
    newest = select(func.max(UnitSession.id)).scalar_subquery()
    query = select(UnitSession.identifier).where(
        UnitSession.id == (newest if unit_session is None else unit_session)
    )
    return title_in_outline(session, session.scalars(query).first() or "")


def title_in_outline(session: Session, identifier: str) -> str:
    """Return the title of a unit by its identifier."""
    query = select(OutlineItem.title).join(Unit, Unit.id == OutlineItem.unit_id)
    return session.scalars(query.where(Unit.identifier == identifier)).first() or ""


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """Lines of the log, and where to go on."""

    lines: list[dict[str, Any]]
    last: int


def lines_after(session: Session, trial: Trial, position: int, spoken: Language) -> News:
    """Return the lines behind a position, as the page of the trial shows them."""
    query = select(LogLine).where(LogLine.position > position).order_by(LogLine.position)
    found = session.scalars(query.limit(MOST_AT_ONCE)).all()
    lines = [_shown(one, trial, spoken) for one in found]
    return News(lines=lines, last=found[-1].position if found else position)


def _shown(line: LogLine, trial: Trial, spoken: Language) -> dict[str, Any]:
    if line.kind == "trace":
        return {"kind": "trace", "unit": line.unit, **line.facts}
    shown = {
        "kind": "decision",
        "at_ms": max(round((line.at - trial.opened).total_seconds() * 1000), 0),
        "unit": line.unit,
        "name": "",
        "arguments": [],
        "answer": "",
        "code": "",
        "meaning": "",
        "diagnostic": "",
    }
    facts = line.facts
    if line.kind == "launch":
        shown["answer"] = spoken.gettext(_OPENED) % {"unit": line.unit, "mode": facts["mode"]}
    elif line.kind == "standing":
        shown["answer"] = spoken.gettext(_COUNTS)
        shown["diagnostic"] = "\n".join(_standing(facts, spoken))
    else:
        shown |= {
            "kind": "exchange",
            "name": f"{facts['method']} {facts['resource']}",
            "arguments": [facts["about"], facts["query"], facts["sent"], facts["answered"]],
            "answer": str(facts["status"]),
            "code": facts["code"],
            "meaning": facts["problem"],
        }
    return shown


def _standing(facts: Mapping[str, Any], spoken: Language) -> Iterator[str]:
    for one in facts["units"]:
        words = [
            spoken.gettext(word)
            for word, said in (
                (COMPLETED, one["completed"]),
                (PASSED, one["passed"]),
                (FAILED, one["failed"]),
                (WAIVED, one["waived"]),
            )
            if said
        ]
        if one["score"] is not None:
            words.append(spoken.percent(round(one["score"], 2)))
        if one["satisfied"]:
            words.append(spoken.gettext(_SATISFIED))
        yield f"{one['title']}: {' · '.join(words)}"
    for title in facts["satisfied"]:
        yield f"{title or spoken.gettext(_WHOLE_COURSE)}: {spoken.gettext(_SATISFIED)}"


_LAST_STANDING = (
    select(LogLine.facts).where(LogLine.kind == "standing").order_by(LogLine.position.desc()).limit(1)
)
