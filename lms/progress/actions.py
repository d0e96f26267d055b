"""Read the statement feed on, one step at a time.

Statements of several nodes arrive in any order, so every rule gives the same whatever the order: the first
completion, a pass over any failure (what was earned is not taken away by another try, on another laptop or later),
the best score, the sum of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import delete
from sqlalchemy.orm import Session

from content_packages.cmi.durations import hundredths_of_duration
from content_packages.cmi5.vocabulary import CMI5, SESSION_ID
from lms.cmi5.statements import NODES, REGISTRATIONS
from lms.database import Database
from lms.launch.statements import LEARNING_TIME, NODE, PROFILE, VERBS
from lms.progress.rows import judge, progress_row
from lms.progress.tables import Progress, ProgressCursor, ProgressLaunch
from lms.progress.units import take_unit_statement
from xapi_store.feed import statements_after
from xapi_store.model.timestamps import parse_timestamp

_VERBS = {verb["id"]: name for name, verb in VERBS.items()}
_COURSE = "http://adlnet.gov/expapi/activities/course"


def advance(session: Session, *, limit: int = 200) -> bool:
    """Take the next statements into account; return whether more may be waiting."""
    cursor = session.get(ProgressCursor, 1, with_for_update=True)  # one server at a time
    if cursor is None:
        cursor = ProgressCursor(id=1, position=0)
        session.add(cursor)
    entries = statements_after(session, cursor.position, limit=limit)
    for entry in entries:
        statement = orjson.loads(entry.raw)
        # A clock that runs ahead is not believed beyond the moment at which its statement came here.
        _take(session, statement, when=min(parse_timestamp(statement["timestamp"]), entry.stored))
        cursor.position = entry.position
    session.flush()
    return len(entries) == limit


def is_behind(session: Session) -> bool:
    """Say whether statements wait to be taken into account; it takes no lock."""
    cursor = session.get(ProgressCursor, 1)
    return bool(statements_after(session, cursor.position if cursor else 0, limit=1))


def catch_up(database: Database) -> bool:
    """Take what waits into account, one step of it; return whether more may be waiting.

    Pages that a learner comes to from a lesson ask for it, to say what she has just done.
    """
    with database.read() as session:
        if not is_behind(session):
            return False
    with database.write() as session:
        return advance(session)


def rebuild(session: Session) -> None:
    """Forget everything; :func:`advance` builds it again."""
    session.execute(delete(Progress))
    session.execute(delete(ProgressLaunch))
    session.execute(delete(ProgressCursor))


def tells_progress(statement: Mapping[str, Any]) -> bool:
    """Say whether how a learner stands may depend on a statement."""
    context = statement.get("context", {})
    if "registration" not in context:
        return False
    vouching = statement.get("authority", {}).get("account", {}).get("homePage")
    around = context.get("contextActivities", {}).get("category", ())
    return (
        vouching == REGISTRATIONS
        or any(one["id"] in {PROFILE["id"], CMI5} for one in around)
        or (vouching == NODES and SESSION_ID in context.get("extensions", {}))
    )


def _take(session: Session, statement: dict[str, Any], *, when: datetime) -> None:
    if take_unit_statement(session, statement, when=when):
        return
    context = statement.get("context", {})
    around = context.get("contextActivities", {})
    verb = _VERBS.get(statement["verb"]["id"])
    ours = any(one["id"] == PROFILE["id"] for one in around.get("category", ()))
    if verb is None or verb == "responded" or not ours or "registration" not in context:
        return
    about = statement["object"]
    is_course = about.get("definition", {}).get("type") == _COURSE
    course = about["id"] if is_course else next((one["id"] for one in around.get("parent", ())), about["id"])
    row = progress_row(session, UUID(context["registration"]), about["id"], course, when)
    if when >= row.last:
        row.node = context.get("extensions", {}).get(NODE, row.node)
    row.first, row.last = min(row.first, when), max(row.last, when)
    result = statement.get("result", {})
    if verb == "completed":
        row.completed = when if row.completed is None else min(row.completed, when)
    if verb in {"passed", "failed"}:
        judge(row, when, passed=verb == "passed")
    scaled = result.get("score", {}).get("scaled")
    if scaled is not None:
        row.score = scaled if row.score is None else max(row.score, scaled)
    if verb == "terminated" and "duration" in result:  # the others repeat the time of the same session
        lasted = hundredths_of_duration(result["duration"]) // 100
        row.seconds += lasted
        row.learning_seconds += _learning(result, lasted)


def _learning(result: Mapping[str, Any], lasted: int) -> int:
    """Return how much of a session was learning, in seconds; a node of before measured no pauses."""
    learning = result.get("extensions", {}).get(LEARNING_TIME)
    return lasted if learning is None else min(hundredths_of_duration(learning) // 100, lasted)
