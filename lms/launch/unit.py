"""One unit's run-time data: what it may read, what it stored, and what sequencing is told of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from content_packages.cmi.data_model import Refusal
from content_packages.cmi.runtime import AttemptResult, UnitSettings, launch_values
from content_packages.cmi.tables import Standard
from content_packages.package import Activity
from content_packages.sequencing.controls import Controls, controls
from content_packages.sequencing.event import ObjectiveResult, Request, RunTimeResult
from content_packages.sequencing.tracking import State
from lms.courses.iris import unit_iri
from lms.courses.queries import units_of
from lms.launch.course import Opened, Standing, Taking
from lms.launch.documents import UNIT_STATE, read_bytes, replace, state_key
from lms.launch.shared_data import PREFIX as SHARED
from lms.launch.shared_data import read_buckets
from xapi_store.documents import get_documents
from xapi_store.model.document import DocumentKey

LEARNER_NAME = "Learner"  # packages are told a pseudonym: what they are given they may send anywhere
# Of values that were refused, as `shim/outbox.js` tells them: the newest, and how they begin.
MOST_REFUSED = 8
SHOWN_CHARACTERS = 60
STATUS_12 = "cmi.core.lesson_status"  # the one value that the end of a session sets
_UNITS_OF_A_QUERY = 300  # databases bound the number of values
_ENTRIES = frozenset({"cmi.core.entry", "cmi.entry"})
_VALID = "adl.nav.request_valid"
_REQUESTS = (
    Request.CONTINUE,
    Request.PREVIOUS,
)  # of which the data model speaks, besides those with a target
_TARGETED = re.compile(r"\{target=([^}]+)\}(choice|jump)")


@dataclass(kw_only=True, slots=True)
class UnitState:
    """What a unit has stored in its attempt, without what the LMS gives it to read."""

    attempt: int
    values: dict[str, str] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)  # what statements have said already
    # What it wanted to store and has not stored otherwise since (``refused_still``).
    refused: dict[str, Any] = field(default_factory=dict)
    # What was set for it as it ended, by element: ``sent`` by the unit, or ``None``, and what is ``set`` instead.
    made: dict[str, Any] = field(default_factory=dict)
    found: bytes | None = field(default=None, compare=False)  # its document, as this transaction has read it


def read_unit(session: Session, taking: Taking, unit: UUID) -> UnitState | None:
    """Return what the unit has stored under this registration."""
    kept = read_bytes(session, _key(taking, unit))
    return _state_in(kept) if kept else None


def read_units(session: Session, taking: Taking) -> dict[str, UnitState]:
    """Return what each unit has stored that has stored anything, by identifier; a query for each of some hundred."""
    units = units_of(session, taking.edition)
    keys = {_key(taking, unit): identifier for identifier, unit in units.items()}
    wanted, found = list(keys), dict[str, UnitState]()
    for start in range(0, len(wanted), _UNITS_OF_A_QUERY):
        for key, document in get_documents(session, wanted[start : start + _UNITS_OF_A_QUERY]).items():
            found[keys[key]] = _state_in(document.content)
    return found


def _state_in(found: bytes) -> UnitState:
    kept = orjson.loads(found)
    return UnitState(
        attempt=kept["attempt"],
        values=kept["values"],
        told=kept["told"],
        refused=kept.get("refused", {}),
        made=kept.get("made", {}),
        found=found,
    )


def keep_unit(session: Session, taking: Taking, unit: UUID, state: UnitState, *, now: datetime) -> None:
    """Write what the unit has stored."""
    content = {"format": 1, "attempt": state.attempt, "values": state.values, "told": state.told}
    if state.refused:
        content["refused"] = state.refused
    if state.made:
        content["made"] = state.made
    key = _key(taking, unit)
    was = read_bytes(session, key) if state.found is None else state.found
    state.found = replace(session, key, content, was=was, now=now)


def made_of(kept: UnitState, ended: Mapping[str, str]) -> dict[str, Any]:
    """Return what the end of a session sets in place of what the unit has sent (SCORM 1.2 RTE 3.4.4).

    Args:
        kept: the unit before its session ended; what was set for it earlier and stands still is nothing it has sent.
        ended: its values afterwards.
    """
    found, before = kept.values.get(STATUS_12), kept.made.get(STATUS_12)
    sent = before["sent"] if before is not None and before["set"] == found else found
    after = ended.get(STATUS_12)
    return {} if after == sent else {STATUS_12: {"sent": sent, "set": after}}


def refused_still(
    known: Mapping[str, Any],
    values: Mapping[str, str],
    by_shim: Mapping[str, Any],
    here: Sequence[Refusal],
) -> dict[str, Any]:
    """Return what a unit wanted to store and could not, once a commit has come, which goes before older ones.

    Args:
        known: before it, by element: ``code``, ``length`` in characters, ``value`` as it begins.
        values: what the commit carries; what is stored now is refused no longer.
        by_shim: what the unit was refused in the browser.
        here: what of the values is refused here.
    """
    still = {element: one for element, one in known.items() if element not in values}
    for one in here:
        value = values[one.element]
        still[one.element] = {"code": one.code, "length": len(value), "value": value[:SHOWN_CHARACTERS]}
    still |= by_shim
    return dict(list(still.items())[-MOST_REFUSED:])


def given_values(session: Session, taking: Taking, activity: Activity, standing: Standing) -> dict[str, str]:
    """Return what the unit finds and does not keep itself: what it may only read, and shared stores.

    Which requests are valid is not among it: no unit can set that, and of a large course it is thousands of values.
    """
    standard = Standard(taking.opened.package.data_model)
    given = launch_values(
        standard,
        {},
        learner_id=str(taking.person),
        learner_name=LEARNER_NAME,
        unit=_settings(activity),
        buckets=read_buckets(session, taking, activity, attempt=standing.attempt),
    )
    return {element: value for element, value in given.items() if element not in _ENTRIES}


def own_values(values: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return what the unit keeps itself of all it holds."""
    return {
        element: value
        for element, value in values.items()
        if element not in given and not element.startswith(SHARED)
    }


def navigation_values(opened: Opened, state: State) -> dict[str, str]:
    """Return which requests the engine would follow now (SN 5.6.5)."""
    return _said_of(
        controls(opened.tree, state), _REQUESTS, [activity.identifier for activity in opened.tree.activities]
    )


def navigation_news(opened: Opened, before: State, after: State, told: Mapping[str, str]) -> dict[str, str]:
    """Return which requests are valid now, as far as that has changed since the unit's page was opened.

    Not since the last commit only: its answer may have been lost on the way, and this one makes up for it.

    Args:
        opened: the edition.
        before: where the learner stood when *told* was said.
        after: where she stands now.
        told: what the last answer said of it; empty while there was none.
    """
    if before == after:
        return dict(told)
    was, now = controls(opened.tree, before), controls(opened.tree, after)
    targets = (was.choices ^ now.choices) | (was.jumps ^ now.jumps)
    return {**told, **_said_of(now, was.requests ^ now.requests, targets)}


def _said_of(valid: Controls, requests: Iterable[Request], targets: Iterable[str]) -> dict[str, str]:
    """Return what the data model says of some requests, and of a choice and a jump to some targets."""
    values = {
        f"{_VALID}.{request.value}": _truth(request in valid.requests)
        for request in requests
        if request in _REQUESTS
    }
    for target in targets:
        values[f"{_VALID}.choice.{{target={target}}}"] = _truth(target in valid.choices)
        values[f"{_VALID}.jump.{{target={target}}}"] = _truth(target in valid.jumps)
    return values


def reported(result: AttemptResult, values: Mapping[str, str], *, leave: str | None = None) -> RunTimeResult:
    """Return what sequencing is told; *leave* replaces the unit's own ``exit`` in a session that was cut."""
    request, target = _request(result.navigation)
    scorm12 = any(element.startswith("cmi.core.") for element in values)
    says_success = result.success != "unknown" or "cmi.success_status" in values
    return RunTimeResult(
        completion_status=result.completion
        if result.completion_reported or result.completion != "unknown"
        else None,
        success_status=result.success if says_success else None,
        progress_measure=result.progress,
        score_scaled=result.scaled,
        score_raw=result.raw,
        score_min=result.lowest,
        score_max=result.highest,
        objectives=() if scorm12 else tuple(_objective(one) for one in result.objectives if "id" in one),
        exit=result.exit if leave is None else leave,
        request=request,
        request_target=target,
    )


def _objective(member: Mapping[str, str]) -> ObjectiveResult:
    def number(name: str) -> float | None:
        return float(member[name]) if member.get(name) else None

    return ObjectiveResult(
        objective_id=member["id"],
        success_status=member.get("success_status"),
        completion_status=member.get("completion_status"),
        progress_measure=number("progress_measure"),
        score_scaled=number("score.scaled"),
        score_raw=number("score.raw"),
        score_min=number("score.min"),
        score_max=number("score.max"),
    )


def _request(written: str) -> tuple[Request | None, str | None]:
    if written in {"", "_none_"}:
        return None, None
    targeted = _TARGETED.fullmatch(written)
    if targeted:
        return Request(targeted[2]), targeted[1]
    return Request(written), None


def _settings(activity: Activity) -> UnitSettings:
    threshold, passing = activity.completion_threshold, activity.scaled_passing_score
    return UnitSettings(
        launch_data=activity.data_from_lms,
        mastery_score=activity.mastery_score,
        max_time_allowed=activity.max_time_allowed,
        time_limit_action=activity.time_limit_action,
        completion_threshold=None if threshold is None else str(threshold),
        scaled_passing_score=None if passing is None else str(passing),
    )


def _truth(claim: bool) -> str:
    return "true" if claim else "false"


def _key(taking: Taking, unit: UUID) -> DocumentKey:
    return state_key(unit_iri(taking.course, unit), taking.person, taking.registration, UNIT_STATE)
