"""Statements as courses send them: the same stream for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

PEOPLE, UNITS, COURSES = 200, 60, 6
VERBS = ("initialized", "experienced", "answered", "completed", "passed", "failed", "suspended", "terminated")
BASE = "https://courses.example.org"


def person(number: int) -> dict[str, Any]:
    """Return the actor of a number."""
    return {"objectType": "Agent", "account": {"homePage": f"{BASE}/people", "name": f"officer-{number:05d}"}}


def verb(name: str) -> str:
    """Return a verb's IRI."""
    return f"http://adlnet.gov/expapi/verbs/{name}"


def course(number: int) -> str:
    """Return a course's IRI."""
    return f"{BASE}/courses/{number}"


def statements(seed: int, *, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> Iterator[dict[str, Any]]:
    """Yield statements without end: about 1 kB each, of 200 people in 6 courses of 10 units."""
    chance = random.Random(seed)
    registrations = {(who, which): _uuid(chance) for who in range(PEOPLE) for which in range(COURSES)}
    while True:
        who, unit, said = chance.randrange(PEOPLE), chance.randrange(UNITS), chance.choice(VERBS)
        which = unit % COURSES
        start += timedelta(milliseconds=chance.randrange(60_000))
        made: dict[str, Any] = {
            "id": _uuid(chance),
            "actor": person(who),
            "verb": {"id": verb(said), "display": {"en": said, "fr": said}},
            "object": {
                "objectType": "Activity",
                "id": f"{course(which)}/units/{unit}",
                "definition": {
                    "type": "http://adlnet.gov/expapi/activities/lesson",
                    "name": {"en": f"Unit {unit}", "fr": f"Unité {unit}"},
                    "description": {"en": "A lesson of some pages, with questions at its end."},
                },
            },
            "context": {
                "registration": registrations[who, which],
                "platform": "benchmark",
                "contextActivities": {
                    "parent": [{"objectType": "Activity", "id": course(which)}],
                    "grouping": [{"objectType": "Activity", "id": f"{BASE}/programmes/{which % 2}"}],
                    "category": [
                        {"objectType": "Activity", "id": "https://w3id.org/xapi/cmi5/context/categories/cmi5"}
                    ],
                },
                "extensions": {f"{BASE}/session": _uuid(chance)},
            },
            "timestamp": start.isoformat(timespec="milliseconds"),
        }
        if said == "answered":
            made["result"] = {"response": chance.choice("abcd"), "success": chance.random() < 0.7}
        elif said in {"passed", "failed"}:
            scaled = round(chance.random(), 2)
            made["result"] = {
                "success": said == "passed",
                "duration": f"PT{chance.randrange(3000)}S",
                "score": {"scaled": scaled, "raw": round(scaled * 100), "min": 0, "max": 100},
            }
        yield made


def about(
    traffic: Iterator[dict[str, Any]], *, who: int | None = None, said: str | None = None
) -> Iterator[dict[str, Any]]:
    """Yield statements as they come, but of one person, or with one verb."""
    for made in traffic:
        changes: dict[str, Any] = {}
        if who is not None:
            changes["actor"] = person(who)
        if said is not None:
            changes["verb"] = {"id": verb(said), "display": {"en": said}}
        yield made | changes


def _uuid(chance: random.Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))
