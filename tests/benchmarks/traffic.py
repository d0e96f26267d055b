"""Statements as courses send them: the same stream for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
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


OFFICERS, POST_COURSES, POST_UNITS, QUESTIONS = 40, 12, 8, 12
CMI5 = "https://w3id.org/xapi/cmi5/context"
WORDS = (
    *(
        "passport",
        "visa",
        "queue",
        "vehicle",
        "trailer",
        "cargo",
        "seal",
        "search",
        "witness",
        "minor",
        "family",
    ),
    *(
        "interpreter",
        "rights",
        "consent",
        "record",
        "report",
        "custody",
        "handover",
        "radio",
        "shelter",
        "medical",
    ),
    *("referral", "dignity", "evidence", "photograph", "statement", "complaint"),
)


def of_a_post(
    seed: int, *, start: datetime = datetime(2026, 9, 1, 6, tzinfo=UTC)
) -> Iterator[dict[str, Any]]:
    """Yield statements without end as one post makes them, sitting after sitting, in the words of cmi5.

    40 officers in 12 courses of 8 units, each with questions: some 850 bytes a statement. A sitting is opened, answers
    some questions, is judged, completed if passed, and left.
    """
    chance = random.Random(seed)
    officers = [_account(chance) for _ in range(OFFICERS)]
    courses = [_course_of_a_post(chance) for _ in range(POST_COURSES)]
    while True:
        start += timedelta(seconds=chance.expovariate(1 / 400))
        (course_id, units), officer = chance.choice(courses), chance.choice(officers)
        yield from _sitting(chance, officer, course_id, chance.choice(units), start)


class Unit(NamedTuple):
    """A unit and its questions: of each the name and the right answer."""

    iri: str
    title: str
    questions: list[tuple[str, str]]


def _account(chance: random.Random) -> dict[str, Any]:
    return {"objectType": "Agent", "account": {"homePage": f"{BASE}/people", "name": _uuid(chance)}}


def _course_of_a_post(chance: random.Random) -> tuple[str, list[Unit]]:
    iri = f"{BASE}/courses/{_uuid(chance)}"
    units = []
    for number in range(POST_UNITS):
        title = " ".join(chance.choices(WORDS, k=4)).capitalize()
        questions = [(f"question-{one}", f"answer-{chance.choice('abcd')}") for one in range(QUESTIONS)]
        units.append(Unit(f"{iri}/units/{number}", title, questions))
    return iri, units


def _sitting(
    chance: random.Random, officer: dict[str, Any], course_id: str, unit: Unit, start: datetime
) -> Iterator[dict[str, Any]]:
    registration, session_id, now = _uuid(chance), _uuid(chance), start
    about_unit = {
        "objectType": "Activity",
        "id": unit.iri,
        "definition": {
            "type": "http://adlnet.gov/expapi/activities/lesson",
            "name": {"en-US": unit.title},
        },
    }

    def says(
        said: str, about: dict[str, Any], result: dict[str, Any] | None = None, *categories: str
    ) -> dict[str, Any]:
        nonlocal now
        now += timedelta(seconds=0.3 + chance.expovariate(1 / 25))
        around: dict[str, Any] = {"parent": [{"id": unit.iri}], "grouping": [{"id": course_id}]}
        if categories:
            around["category"] = [{"id": f"{CMI5}/categories/{one}"} for one in categories]
        made = {
            "id": _uuid(chance),
            "actor": officer,
            "verb": {"id": verb(said), "display": {"en-US": said}},
            "object": about,
            "context": {
                "registration": registration,
                "contextActivities": around,
                "extensions": {f"{CMI5}/extensions/sessionid": session_id},
            },
            "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        return {**made, "result": result} if result else made

    yield says("initialized", about_unit, None, "cmi5")
    asked = chance.sample(unit.questions, chance.randint(4, 10))
    right = 0
    for name, answer in asked:
        response = answer if chance.random() < 0.7 else f"answer-{chance.choice('abcd')}"
        right += response == answer
        question = {
            "objectType": "Activity",
            "id": f"{unit.iri}/{name}",
            "definition": {
                "type": "http://adlnet.gov/expapi/activities/cmi.interaction",
                "interactionType": "choice",
                "correctResponsesPattern": [answer],
            },
        }
        result = {
            "success": response == answer,
            "response": response,
            "duration": f"PT{chance.expovariate(1 / 20):.2f}S",
        }
        yield says("answered", question, result)
    scaled = round(right / len(asked), 2)
    lasted = f"PT{(now - start).seconds}S"
    score = {"scaled": scaled, "raw": round(scaled * 100), "min": 0, "max": 100}
    judged = {"score": score, "success": scaled >= 0.7, "duration": lasted}
    yield says("passed" if scaled >= 0.7 else "failed", about_unit, judged, "cmi5", "moveon")
    if scaled >= 0.7:
        yield says("completed", about_unit, {"completion": True, "duration": lasted}, "cmi5", "moveon")
    yield says("terminated", about_unit, {"duration": lasted}, "cmi5")
