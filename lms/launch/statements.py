"""From run-time data to statements: ADL's xAPI SCORM Profile (https://w3id.org/xapi/scorm) as tables.

Pure: what a unit had reported before and what it reports now go in, statements come out. No statement
names a person; the node that recorded it stands in an extension, by its public id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from content_packages.cmi import durations
from content_packages.cmi.responses import language_and_text
from content_packages.cmi.runtime import AttemptResult
from xapi_store.model.iri import LANGUAGE_PATTERN

PROFILE = {
    "id": "https://w3id.org/xapi/scorm",
    "definition": {"type": "http://adlnet.gov/expapi/activities/profile"},
}
PEOPLE = "https://outpost.invalid/people"
NODE = "https://outpost.invalid/xapi/node"
LAUNCH = "https://outpost.invalid/xapi/launch"
#: Of a result: an ISO 8601 duration, that part of ``duration`` in which the learner was at work.
LEARNING_TIME = "https://outpost.invalid/xapi/learning-time"

VERBS = {
    name: {"id": f"http://adlnet.gov/expapi/verbs/{name}", "display": {"en": name}}
    for name in (
        "attempted", "initialized", "resumed", "suspended", "terminated", "completed", "passed", "failed",
        "scored", "responded",
    )
}  # fmt: skip
TYPES = {name: f"http://adlnet.gov/expapi/activities/{name}" for name in ("course", "lesson", "attempt")}
INTERACTION = "http://adlnet.gov/expapi/activities/cmi.interaction"

SUCCESS = {"correct": True, "incorrect": False, "wrong": False}
UNJUDGED = frozenset({"unanticipated", "neutral"})
_OLD_SEPARATORS = {  # SCORM 1.2 RTE §3.4.4 writes lists with commas and pairs with dots
    "choice": (("{", ""), ("}", ""), (",", "[,]")),
    "sequencing": ((",", "[,]"),),
    "matching": (("{", ""), ("}", ""), (",", "[,]"), (".", "[.]")),
    "numeric": ((",", "[:]"),),
}
_OLD_TRUTH = {"t": "true", "1": "true", "f": "false", "0": "false"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """Whom and what the statements of a launch are about."""

    person: UUID
    registration: UUID
    launch: UUID
    node: str
    course: str  # IRI
    course_title: str
    unit: str  # IRI
    unit_title: str
    attempt: int
    language: str = "und"


def learner(person: UUID) -> dict[str, Any]:
    """Return the actor that stands for a person in every record."""
    return {"objectType": "Agent", "account": {"homePage": PEOPLE, "name": str(person)}}


def unit_statement(
    subject: Subject, verb: str, *, now: datetime, result: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return a statement about the unit."""
    about = _activity(subject.unit, "lesson", subject.unit_title, subject.language)
    around = {"parent": [_course(subject)], "grouping": [_attempt(subject), _course(subject)]}
    return _statement(subject, verb, about, around, now=now, result=result)


def course_statement(
    subject: Subject, verb: str, *, now: datetime, result: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return a statement about the course as a whole."""
    return _statement(
        subject, verb, _course(subject), {"grouping": [_attempt(subject)]}, now=now, result=result
    )


def lasted(seconds: int, *, learning_s: int) -> dict[str, Any]:
    """Return how long a session was: all of it, and the part of it that was learning.

    ``duration`` is "the period of time over which the Statement occurred" (xAPI 1.0.3 Data §2.4.5), and so has the
    pauses in it; what no property of the standard is for stands in an extension.
    """
    return {"duration": f"PT{seconds}S", "extensions": {LEARNING_TIME: f"PT{learning_s}S"}}


def changes(
    subject: Subject, before: Mapping[str, Any], after: AttemptResult, *, now: datetime, seconds: int
) -> Iterator[dict[str, Any]]:
    """Yield what the unit's status says that it did not say before, as kept by ``told``.

    *seconds* is the length of the session so far, as measured.
    """
    score = score_of(after)
    lasted = {"duration": f"PT{seconds}S"}
    if after.completion == "completed" and before.get("completion") != "completed":
        yield unit_statement(subject, "completed", now=now, result={"completion": True, **lasted})
    if after.success in {"passed", "failed"}:
        if after.success != before.get("success") or score != before.get("score", {}):
            result = {"success": after.success == "passed", **lasted, **({"score": score} if score else {})}
            yield unit_statement(subject, after.success, now=now, result=result)
    elif score and score != before.get("score", {}):
        yield unit_statement(subject, "scored", now=now, result={"score": score})


def told(after: AttemptResult) -> dict[str, Any]:
    """Return what :func:`changes` has told, to be kept for the next commit."""
    return {"completion": after.completion, "success": after.success, "score": score_of(after)}


def response(
    subject: Subject, place: int, interaction: Mapping[str, str], *, now: datetime, scorm12: bool
) -> dict[str, Any]:
    """Return a statement about an answer, with the patterns that would have been correct.

    A numeric result (SCORM 2004 RTE 4.2.9) has no bounds, and so is a raw score. Latency, from when the learner saw the
    question to her answer, is "the period of time over which the Statement occurred" (xAPI 1.0.3 Data §2.4.5).
    """
    kind = interaction.get("type", "other")
    key = "student_response" if scorm12 else "learner_response"

    def written(text: str) -> str:
        return _modern(kind, text) if scorm12 else text

    definition: dict[str, Any] = {"type": INTERACTION, "interactionType": kind}
    patterns = dict.fromkeys(
        written(value)
        for element, value in interaction.items()
        if element.startswith("correct_responses.") and element.endswith(".pattern")
    )
    if patterns:
        definition["correctResponsesPattern"] = list(patterns)
    definition |= _description(interaction.get("description", ""), otherwise=subject.language)
    result: dict[str, Any] = {}
    if key in interaction:
        result["response"] = written(interaction[key])
    judged = interaction.get("result", "")
    if judged in SUCCESS:
        result["success"] = SUCCESS[judged]
    elif judged and judged not in UNJUDGED:
        result["score"] = {"raw": float(judged)}
    if interaction.get("latency"):
        result["duration"] = _latency(interaction["latency"], scorm12=scorm12)
    about = {"id": f"{subject.unit}/interactions/{place}", "definition": definition}
    around = {
        "parent": [_activity(subject.unit, "lesson", subject.unit_title, subject.language)],
        "grouping": [_attempt(subject), _course(subject)],
    }
    return _statement(subject, "responded", about, around, now=now, result=result)


def score_of(result: AttemptResult) -> dict[str, float]:
    """Return the score as xAPI writes it; a bound or a raw score that contradicts the others is left out."""
    score = {}
    if result.scaled is not None and -1 <= result.scaled <= 1:
        score["scaled"] = round(result.scaled, 7)
    raw, low, high = result.raw, result.lowest, result.highest
    if low is not None and high is not None and low >= high:
        low = high = None
    if raw is not None and (low is None or raw >= low) and (high is None or raw <= high):
        score["raw"] = raw
    score |= {
        name: bound for name, bound in (("min", low), ("max", high)) if bound is not None and "raw" in score
    }
    return score


def _statement(
    subject: Subject,
    verb: str,
    about: dict[str, Any],
    around: dict[str, Any],
    *,
    now: datetime,
    result: dict[str, Any] | None,
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "actor": learner(subject.person),
        "verb": VERBS[verb],
        "object": {"objectType": "Activity", **about},
        "timestamp": now.isoformat(),
        "context": {
            "registration": str(subject.registration),
            "platform": "Outpost",
            "contextActivities": {**around, "category": [PROFILE]},
            "extensions": {NODE: subject.node, LAUNCH: str(subject.launch)},
        },
    }
    return {**made, "result": result} if result else made


def _activity(iri: str, kind: str, title: str, language: str) -> dict[str, Any]:
    return {"id": iri, "definition": {"type": TYPES[kind], "name": {language: title}}}


def _course(subject: Subject) -> dict[str, Any]:
    return _activity(subject.course, "course", subject.course_title, subject.language)


def _attempt(subject: Subject) -> dict[str, Any]:
    iri = f"{subject.unit}/attempts/{subject.registration}/{subject.attempt}"
    return {"id": iri, "definition": {"type": TYPES["attempt"]}}


def _description(text: str, *, otherwise: str) -> dict[str, Any]:
    """Return a text in its own language; a tag that xAPI does not take stays in the text, for nothing to be lost."""
    language, said = language_and_text(text)
    if language is not None and not re.fullmatch(LANGUAGE_PATTERN, language):
        language, said = None, text
    return {"description": {language or otherwise: said}} if said else {}


def _latency(text: str, *, scorm12: bool) -> str:
    return durations.duration(durations.hundredths_of_timespan(text)) if scorm12 else text


def _modern(kind: str, text: str) -> str:
    if kind == "true-false":
        return _OLD_TRUTH.get(text[:1].lower(), text)
    for old, new in _OLD_SEPARATORS.get(kind, ()):
        text = text.replace(old, new)
    return text
