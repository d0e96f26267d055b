"""What the LMS says itself about registrations and sessions (cmi5 9.3.1, 9.3.6, 9.3.7, 9.3.9; 10.2), as plain JSON.

No statement names a person. Behind what the standard asks for stand two extensions of ours: the node that recorded
it, and the enrolment that the registration belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeGuard
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from content_packages.cmi5 import vocabulary as cmi5
from content_packages.cmi5.vocabulary import Verb
from content_packages.package import Activity
from lms.launch.statements import NODE, TYPES
from xapi_store.model.iri import Iri, LanguageTag
from xapi_store.model.timestamps import format_timestamp

ENROLMENT = "https://outpost.invalid/xapi/enrolment"
#: Of what units send: its authority is an account here, named by the registration.
REGISTRATIONS = "https://outpost.invalid/registrations"
NODES = "https://outpost.invalid/nodes"


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """Whom a statement of the LMS is about, and who says it."""

    actor: Mapping[str, Any]
    registration: UUID
    enrolment: UUID | None
    node: str
    session_id: UUID
    is_cmi5: bool = True


def context_template(told: Told, publisher_id: str) -> dict[str, Any]:
    """Return what a unit must repeat in every statement (10.2.1)."""
    return {
        "contextActivities": {"grouping": [{"objectType": "Activity", "id": publisher_id}]},
        "extensions": {cmi5.SESSION_ID: str(told.session_id)},
    }


def launch_data(
    told: Told, unit: Activity, *, mode: str, mastery: Decimal | None, return_url: str
) -> dict[str, Any]:
    """Return the document ``LMS.LaunchData`` (10.2)."""
    au = unit.au
    assert au is not None  # noqa: S101 - a unit of cmi5
    data: dict[str, Any] = {
        "contextTemplate": context_template(told, unit.publisher_id or ""),
        "launchMode": mode,
        "launchMethod": au.launch_method,
        "moveOn": au.move_on,
        "returnURL": return_url,
    }
    if mastery is not None:
        data["masteryScore"] = float(mastery)
    if au.launch_parameters is not None:
        data["launchParameters"] = au.launch_parameters
    if au.entitlement_key is not None:
        data["entitlementKey"] = {"courseStructure": au.entitlement_key}
    return data


def launched(
    told: Told,
    unit: Activity,
    iri: str,
    *,
    url: str,
    mode: str,
    mastery: Decimal | None,
    now: datetime,
    new_id: UUID,
) -> dict[str, Any]:
    """Return that a unit is about to be opened at *url* (9.3.1)."""
    extensions: dict[str, Any] = {cmi5.LAUNCH_URL: url}
    if unit.au is not None:
        extensions |= {cmi5.LAUNCH_MODE: mode, cmi5.MOVE_ON_CRITERION: unit.au.move_on}
        if mastery is not None:
            extensions[cmi5.MASTERY_SCORE] = float(mastery)
        if unit.au.launch_parameters is not None:
            extensions[cmi5.LAUNCH_PARAMETERS] = unit.au.launch_parameters
    about = _unit(unit, iri)
    return _statement(told, Verb.LAUNCHED, about, unit, now=now, new_id=new_id, extensions=extensions)


def satisfied(
    told: Told, activity: Activity, iri: str, *, is_course: bool, now: datetime, new_id: UUID
) -> dict[str, Any]:
    """Return that all of a block, or of the course, is done (9.3.9)."""
    kind = TYPES["course"] if not told.is_cmi5 else cmi5.COURSE if is_course else cmi5.BLOCK
    about = {"objectType": "Activity", "id": iri, "definition": _definition(activity, kind)}
    return _statement(told, Verb.SATISFIED, about, activity, now=now, new_id=new_id)


def waived(
    told: Told, unit: Activity, iri: str, *, reason: str, now: datetime, new_id: UUID
) -> dict[str, Any]:
    """Return that a unit need not be taken (9.3.7)."""
    result = {"success": True, "completion": True, "extensions": {cmi5.REASON: reason}}
    about = _unit(unit, iri)
    return _statement(
        told, Verb.WAIVED, about, unit, now=now, new_id=new_id, result=result, categories=(cmi5.MOVE_ON,)
    )


def abandoned(
    told: Told, unit: Activity, iri: str, *, lasted: timedelta, now: datetime, new_id: UUID
) -> dict[str, Any]:
    """Return that a session ended without a word from the unit (9.3.6)."""
    result = {"duration": f"PT{round(lasted.total_seconds())}S"}
    about = _unit(unit, iri)
    return _statement(told, Verb.ABANDONED, about, unit, now=now, new_id=new_id, result=result)


def _unit(unit: Activity, iri: str) -> dict[str, Any]:
    return {
        "objectType": "Activity",
        "id": iri,
        "definition": _definition(
            unit, unit.activity_type if is_iri(unit.activity_type) else TYPES["lesson"]
        ),
    }


def is_iri(text: str | None) -> TypeGuard[str]:
    """Say whether records may use a name that a package gives; xAPI packages write what they like."""
    return text is not None and _fits(_IRI, text)


def _fits(shape: TypeAdapter[str], text: str) -> bool:
    try:
        shape.validate_python(text)
    except ValidationError:
        return False
    return True


_IRI: TypeAdapter[str] = TypeAdapter(Iri)
_LANGUAGE: TypeAdapter[str] = TypeAdapter(LanguageTag)


def _definition(activity: Activity, kind: str) -> dict[str, Any]:
    names = {tag: text for tag, text in activity.titles.items() if _fits(_LANGUAGE, tag)}
    return {"type": kind, "name": names or {"und": activity.title}}


def _statement(
    told: Told,
    verb: Verb,
    about: dict[str, Any],
    activity: Activity,
    *,
    now: datetime,
    new_id: UUID,
    result: dict[str, Any] | None = None,
    extensions: Mapping[str, Any] | None = None,
    categories: tuple[str, ...] = (),
) -> dict[str, Any]:
    own = {NODE: told.node} | ({ENROLMENT: str(told.enrolment)} if told.enrolment else {})
    around: dict[str, Any] = {}
    if is_iri(activity.publisher_id):
        around["grouping"] = [{"objectType": "Activity", "id": activity.publisher_id}]  # 9.6.2.3
    if told.is_cmi5:
        around["category"] = [{"objectType": "Activity", "id": one} for one in (cmi5.CMI5, *categories)]
    made: dict[str, Any] = {
        "id": str(new_id),
        "actor": dict(told.actor),
        "verb": {"id": str(verb), "display": {"en": verb.name.lower()}},
        "object": about,
        "timestamp": format_timestamp(now),
        "context": {
            "registration": str(told.registration),
            "contextActivities": around,
            "extensions": {cmi5.SESSION_ID: str(told.session_id), **own, **(extensions or {})},
        },
    }
    return {**made, "result": result} if result else made
