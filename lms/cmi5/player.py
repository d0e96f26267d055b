"""What the player of units opens and shows: which unit is next, the bar around it, what the course amounts to.

Of a learner's course and of a trial alike (``lms.trials``): nothing here knows whose registration it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from urllib.parse import quote

from sqlalchemy.orm import Session

from content_packages.cmi5.move_on import UNTOUCHED, UnitState, is_satisfied, satisfied
from content_packages.cmi5.vocabulary import LaunchMode, Verb
from content_packages.package import Activity
from content_packages.sequencing.controls import OutlineEntry
from lms.cmi5.actions import Hosts, Launched, launch, mastery_of
from lms.cmi5.registrations import Outline, open_sessions, records_of, sessions_back, state_in, states_of
from lms.cmi5.tables import Registration
from lms.cmi5.verdict import course_success
from lms.cmi5.why import explain_units
from lms.courses.allowances import Allowance
from lms.courses.queries import pass_marks_of
from lms.launch.actions import Desk
from lms.launch.fence import sandbox
from lms.launch.pages import Bar
from lms.launch.sittings import Done, Sitting, last_sitting, sum_up
from lms.launch.verdict import NOT_BEGUN, Verdict
from lms.launch.why import Why
from lms.web.errors import NotFoundError


def open_unit(
    session: Session,
    desk: Desk,
    hosts: Hosts,
    row: Registration,
    *,
    outline: Outline,
    wanted: str,
    now: datetime,
) -> Launched | None:
    """Launch the unit wanted, or the next that is not satisfied; ``None`` where nothing is left to do.

    Raises:
        NotFoundError: there is no such unit.
        CourseWithdrawnError: nothing of the edition is launched any more.
    """
    states = states_of(session, row)
    chosen = outline.unit(wanted) if wanted else next_unit(outline, states, after=None)
    if chosen is None:
        if wanted:
            raise NotFoundError
        return None
    mode = mode_for(states.get(chosen.identifier, UNTOUCHED))
    return launch(session, desk, hosts, row.registration, chosen, mode=mode, now=now)


def following(session: Session, row: Registration | None, outline: Outline, wanted: str) -> str | None:
    """Return the unit to which a control leads from the one on the screen, by identifier; it may have ended by itself.

    ``continue`` leads to the next that is not satisfied, ``previous`` to the one before; others lead to none.
    """
    last = next(iter(sessions_back(session, row)), None) if row else None
    current = last.identifier if last else None
    if wanted == "continue":
        coming = next_unit(outline, states_of(session, row) if row else {}, after=current)
        return coming.identifier if coming else None
    units = [one.identifier for one in outline.package.root.units()]
    return units[units.index(current) - 1] if wanted == "previous" and current in units[1:] else None


def way_to(at: str, unit: str | None) -> str:
    """Return the address of a unit in the player at *at*, or of what comes after the units.

    >>> way_to("/learn/7/units", "https://example.org/1"), way_to("/learn/7/units", None)
    ('/learn/7/units?unit=https%3A%2F%2Fexample.org%2F1', '/learn/7/units/after')
    """
    return f"{at}/after" if unit is None else f"{at}?unit={quote(unit, safe='')}"


def scores_of(session: Session, row: Registration) -> list[float]:
    """Return the best score of each unit that has one."""
    return [one.score for one in records_of(session, row) if one.score is not None]


def begun_of(session: Session, row: Registration | None) -> frozenset[str]:
    """Return the units that were opened, by identifier, whether or not they have said anything."""
    return frozenset(one.identifier for one in sessions_back(session, row)) if row else frozenset()


def why_of(session: Session, row: Registration | None, outline: Outline) -> Why:
    """Explain how a learner stands in a course; she may not have begun."""
    records = records_of(session, row) if row else ()
    sessions = sessions_back(session, row) if row else ()
    marks = pass_marks_of(session, outline.course)
    states = {one.identifier: state_in(one) for one in records}
    return explain_units(
        outline.package,
        states,
        {one.identifier: one.score for one in records if one.score is not None},
        # Of units that ask for nothing a course is satisfied with its registration, which begins with the first launch.
        reached=verdict_on(outline, states, scores_of(session, row)) if row else NOT_BEGUN,
        running={one.identifier for one in open_sessions(session, row)} if row else (),
        begun={one.identifier for one in sessions},
        marks={identifier: marks[unit] for identifier, unit in outline.units.items() if unit in marks},
        # Of several sessions the first, which comes last here, has earned it.
        passed_at={
            one.identifier: mark
            for one in sessions
            if Verb.PASSED in one.said and (mark := mastery_of(one)) is not None
        },
    )


def sitting_of(session: Session, row: Registration | None, why: Why) -> Sitting:
    """Return what was done in the last sitting; units measure themselves, and pauses are not known.

    What a unit has come to is said as *why* says it: one that is looked at again says nothing of it a second time.
    """
    lines = {line.identifier: line for line in why.lines}
    done = []
    for one in last_sitting(sessions_back(session, row)) if row else ():
        seconds = max(round((one.last_seen - one.created).total_seconds()), 0)
        line = lines.get(one.identifier)  # none where another edition has no such unit
        done.append(
            Done(
                identifier=one.identifier,
                title=line.title if line else one.identifier,
                said=(line.state,) if line else (),
                seconds=seconds,
                learning_seconds=seconds,
            )
        )
    return sum_up(done)


def next_unit(outline: Outline, states: Mapping[str, UnitState], *, after: str | None) -> Activity | None:
    """Return the next unit that is not satisfied, from *after* on and then from the front.

    Without *after*, a course in which nothing is left to do begins again if it has one unit only.
    """
    units = outline.package.root.units()
    start = next((place for place, one in enumerate(units, 1) if one.identifier == after), 0)
    for one in (*units[start:], *units[:start]):
        if one.identifier != after and not is_satisfied(one, states.get(one.identifier, UNTOUCHED)):
            return one
    untouched = (one for one in units[start:] if one.identifier != after and one.identifier not in states)
    found = next(untouched, None)
    return units[0] if found is None and after is None and len(units) == 1 else found


def mode_for(state: UnitState) -> LaunchMode:
    """Return how a unit is opened: to look at again, once nothing more of it could be recorded (10.2.2)."""
    return "Review" if state.completed and state.passed else "Normal"


def fits_frame(unit: Activity, allowed: Allowance) -> bool:
    """Say whether a unit may stand in the player.

    Not where it asks for a window, which nobody need allow, nor where it is given one, nor if it lies elsewhere (8.1).
    """
    asks = unit.au is not None and unit.au.launch_method == "OwnWindow"
    return not asks and not allowed.own_window and unit.launch is not None and not unit.launch.address


def verdict_on(outline: Outline, states: Mapping[str, UnitState], scores: Collection[float]) -> Verdict:
    """Return what the course amounts to."""
    root = outline.package.root
    whole = root in tuple(satisfied(root, states))
    said = [verdict for state in states.values() if (verdict := state.verdict) is not None]
    return Verdict(
        completed=whole,
        satisfied=course_success(said, satisfied=whole),
        score=sum(scores) / len(scores) if scores else None,
    )


def frame_of(made: Launched, origin: str, allowed: Allowance) -> dict[str, str | None]:
    """Return where the unit's frame leads, what it is called, and how it is fenced."""
    # A frame of another name has another history: Back must not bring an old launch into this page.
    return {
        "origin": origin,
        "src": made.url,
        "name": str(made.session_id),
        "title": made.unit.title,
        "sandbox": sandbox(allowed),
    }


def bar_of(
    outline: Outline, states: Mapping[str, UnitState], *, begun: Collection[str], current: str | None
) -> Bar:
    """Say what is offered around a unit, or where there is none; *begun* are the units that were opened."""
    units = [one.identifier for one in outline.package.root.units()]
    entries = list(_entries(outline, states, begun=begun, current=current))
    return Bar(
        number=units.index(current) + 1 if current in units else 0,
        count=len(units),
        can_continue=current is not None and next_unit(outline, states, after=current) is not None,
        can_go_back=current in units[1:],
        can_suspend=current is not None,
        can_exit=False,
        outline=entries,
        judged=frozenset(one for one, state in states.items() if state.verdict is not None),
        waived=frozenset(one for one, state in states.items() if state.waived and not state.passed),
    )


def _entries(
    outline: Outline, states: Mapping[str, UnitState], *, begun: Collection[str], current: str | None
) -> Iterator[OutlineEntry]:
    """Yield the lines of the outline; how a unit stands is told in the words of :mod:`lms.cmi5.why`."""
    met = {one.identifier for one in satisfied(outline.package.root, states)}
    opened = {*begun, *states, current}
    waiting = [(child, 1) for child in reversed(outline.package.root.children)]
    while waiting:
        one, depth = waiting.pop()
        waiting += [(child, depth + 1) for child in reversed(one.children)]
        state = states.get(one.identifier, UNTOUCHED)
        is_unit = one.launch is not None
        yield OutlineEntry(
            identifier=one.identifier,
            title=one.title,
            depth=depth,
            listed=True,
            choosable=is_unit,
            current=one.identifier == current,
            active=one.identifier == current,
            suspended=False,
            attempts=int(any(unit.identifier in opened for unit in one.units())),
            # What asks for nothing is satisfied before it was opened; to a reader that is no completion.
            completed=(state.completed or state.waived) if is_unit else one.identifier in met,
            satisfied=state.passed,
            measure=None,
            progress=None,
        )
