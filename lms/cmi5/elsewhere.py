"""What a learner has earned under other registrations of her enrolment, as other nodes tell it.

A node writes an enrolment under a registration of its own, and a course is satisfied within one registration (cmi5
9.3.9). So who goes on with a course on another node would have to begin it anew; for what she has done, the standard
has the waiver of a unit to which an equivalent one was completed (9.3.7, 9.5.5.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from content_packages.cmi5.move_on import UNTOUCHED, UnitState, is_satisfied
from content_packages.cmi5.rules import unit_after
from content_packages.cmi5.vocabulary import CMI5, Verb
from content_packages.package import Activity
from lms.cmi5.registrations import Outline, states_of
from lms.cmi5.statements import ENROLMENT, NODES, REGISTRATIONS
from lms.cmi5.tables import Registration
from xapi_store.model.actor import actor_key
from xapi_store.query import StatementFilter, find_statements

#: The reason of a waiver, as cmi5 9.5.5.2 has it.
EQUIVALENT: Final = "Equivalent AU"
_AT_ONCE = 500


def earned_elsewhere(session: Session, row: Registration, outline: Outline) -> Iterator[Activity]:
    """Yield the units that are satisfied under another registration of the enrolment and not yet under this one."""
    if row.enrolment is None or not outline.is_cmi5:
        return
    theirs = _states(session, row)
    ours = states_of(session, row) if theirs else {}
    for unit in outline.package.root.units():
        known = theirs.get(outline.iri(unit), ())
        if any(is_satisfied(unit, one) for one in known) and not is_satisfied(
            unit, ours.get(unit.identifier, UNTOUCHED)
        ):
            yield unit


def _states(session: Session, row: Registration) -> Mapping[str, list[UnitState]]:
    """Return what counts of each unit, by its IRI, under each other registration."""
    found: dict[str, list[UnitState]] = {}
    for registration in _others(session, row):
        states: dict[str, UnitState] = {}
        for verb in (Verb.COMPLETED, Verb.PASSED, Verb.WAIVED):
            for statement in _said(session, StatementFilter(registration=registration, verb=verb)):
                if _counts(statement, registration):
                    unit = statement["object"]["id"]
                    states[unit] = unit_after(states.get(unit, UNTOUCHED), verb)
        for unit, state in states.items():
            found.setdefault(unit, []).append(state)
    return found


def _others(session: Session, row: Registration) -> set[UUID]:
    """Return the other registrations of the enrolment, among those of her last launches."""
    launches = StatementFilter(agent=actor_key(row.actor), verb=Verb.LAUNCHED)
    return {
        UUID(statement["context"]["registration"])
        for statement in _said(session, launches)
        if statement["context"].get("extensions", {}).get(ENROLMENT) == str(row.enrolment)
    } - {row.registration}


def _said(session: Session, wanted: StatementFilter) -> Iterator[dict[str, Any]]:
    for one in find_statements(session, wanted, limit=_AT_ONCE).statements:
        yield orjson.loads(one.raw)


def _counts(statement: Mapping[str, Any], registration: UUID) -> bool:
    """Say whether a unit said it in a session whose rules let it through, or a node said it."""
    account = statement.get("authority", {}).get("account", {})
    around = statement.get("context", {}).get("contextActivities", {}).get("category", ())
    vouched = account.get("homePage") == NODES or (
        account.get("homePage") == REGISTRATIONS and account.get("name") == str(registration)
    )
    return vouched and any(one["id"] == CMI5 for one in around)
