"""What sequencing decided, as lines for the log: the unit that is next, and how all units begun stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from sqlalchemy.orm import Session

from content_packages.sequencing.controls import Ahead, OutlineEntry
from lms.launch.course import Standing, Taking
from lms.launch.verdict import judged
from lms.trials.queries import last_launch
from lms.web.locale import Language
from lms.web.wording import mark

_DELIVERED = mark("Opened: %(unit)s, attempt %(attempt)s")
_TO_CHOOSE = mark("No unit is next by itself; one is to be chosen from the outline.")
_ENDED = mark("No unit is next: the course has ended.")
_SUSPENDED = mark("No unit is next: the course is interrupted and can be gone on with.")
_COMPLETED, _NOT_COMPLETED = mark("Completed"), mark("In progress")
_PASSED, _FAILED = mark("Passed"), mark("Not passed")
MOST_UNITS = 50  # whose standing a line tells


def delivered_what(session: Session, taking: Taking, standing: Standing, spoken: Language) -> str:
    """Return the line of a page with a unit, or with an outline to choose from, as JSON."""
    launch = last_launch(session)
    if launch is None or launch.ended is not None:
        return _line(taking, standing, spoken, spoken.gettext(_TO_CHOOSE), key="")
    facts = {
        "unit": taking.opened.activities[launch.identifier].title,
        "attempt": spoken.number(launch.attempt),
    }
    return _line(taking, standing, spoken, spoken.gettext(_DELIVERED) % facts, key=str(launch.public_id))


def nothing_delivered(session: Session, taking: Taking, standing: Standing, spoken: Language) -> str:
    """Return the line of the page that comes after, as JSON; none while a unit is open or nothing was."""
    launch = last_launch(session)
    if launch is None or standing.open or standing.waiting is not None:
        return ""
    said = _ENDED if standing.state["suspended"] is None else _SUSPENDED
    return _line(taking, standing, spoken, spoken.gettext(said), key=f"after {launch.public_id}")


def _line(taking: Taking, standing: Standing, spoken: Language, answer: str, *, key: str) -> str:
    outline = Ahead(taking.opened.tree, standing.state).outline()
    line: dict[str, Any] = {
        "key": key,  # a page that is loaded again says nothing new
        "answer": answer,
        "detail": "\n".join(_standings(outline, judged(taking.opened, standing), spoken)),
    }
    return orjson.dumps(line).decode()


def _standings(outline: Iterable[OutlineEntry], said: frozenset[str], spoken: Language) -> Iterator[str]:
    begun = [entry for entry in outline if entry.attempts]
    for entry in begun[:MOST_UNITS]:
        words = [spoken.gettext(_COMPLETED if entry.completed else _NOT_COMPLETED)]
        if entry.identifier in said and entry.satisfied is not None:
            words.append(spoken.gettext(_PASSED if entry.satisfied else _FAILED))
        if entry.measure is not None:
            words.append(spoken.percent(round(entry.measure, 2)))
        yield f"{entry.title}: {' · '.join(words)}"
    if len(begun) > MOST_UNITS:
        yield "…"
