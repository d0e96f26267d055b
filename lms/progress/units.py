"""Take statements of cmi5 and xAPI units into account: what the LMS says of them, and what they say themselves.

A node writes an enrolment under a registration of its own, and an xAPI package calls its unit by a name of its own.
``launched``, which comes before anything a unit can say, tells whose registration it is and which unit is meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from content_packages.cmi.durations import hundredths_of_duration
from content_packages.cmi5.vocabulary import CMI5, REASON, SESSION_ID, Verb
from lms.cmi5.elsewhere import EQUIVALENT
from lms.cmi5.statements import ENROLMENT, NODES, REGISTRATIONS
from lms.cmi5.verdict import course_success
from lms.launch.statements import NODE
from lms.progress.rows import judge, progress_row
from lms.progress.tables import Progress, ProgressLaunch


def take_unit_statement(session: Session, statement: Mapping[str, Any], *, when: datetime) -> bool:
    """Take a statement of that time into account if it is of this kind; say whether it is.

    Who vouches for it decides: a node for what the LMS says, a registration of ours for what a unit says, which the
    rules of its session have let through.
    """
    account = statement.get("authority", {}).get("account", {})
    context = statement.get("context", {})
    if account.get("homePage") == REGISTRATIONS:
        _take_unit(session, statement, UUID(account["name"]), when)
        return True
    if account.get("homePage") == NODES and SESSION_ID in context.get("extensions", {}):
        _take_lms(session, statement, context, when)
        return True
    return False


def _take_lms(
    session: Session, statement: Mapping[str, Any], context: Mapping[str, Any], when: datetime
) -> None:
    extensions = context["extensions"]
    registration = UUID(context["registration"])
    enrolment = UUID(extensions.get(ENROLMENT, context["registration"]))
    about = statement["object"]["id"]
    course = about.partition("/units/")[0]
    verb = statement["verb"]["id"]
    if verb == Verb.SATISFIED and about != course:
        return  # a block: nobody asks about those
    row = _touched(session, enrolment, about, course, when, node=extensions.get(NODE))
    if verb == Verb.LAUNCHED:
        _know(session, statement, registration, enrolment, course)
    elif verb in {Verb.SATISFIED, Verb.WAIVED}:
        row.completed = when if row.completed is None else min(row.completed, when)
        reason = statement.get("result", {}).get("extensions", {}).get(REASON)
        row.waived = row.waived or (verb == Verb.WAIVED and reason != EQUIVALENT)  # that was earned elsewhere
    elif verb == Verb.ABANDONED:
        _add_time(session, row, statement)
    _roll_up(session, enrolment, course, when, node=extensions.get(NODE))


def _take_unit(session: Session, statement: Mapping[str, Any], registration: UUID, when: datetime) -> None:
    known = session.get(ProgressLaunch, (registration, statement["object"].get("id", "")))
    verb = statement["verb"]["id"]
    if known is None or verb not in {Verb.COMPLETED, Verb.PASSED, Verb.FAILED, Verb.TERMINATED}:
        return
    around = statement.get("context", {}).get("contextActivities", {})
    if known.is_cmi5 and all(one["id"] != CMI5 for one in around.get("category", ())):
        return  # "cmi5 allowed": kept, and counts for nothing (cmi5 7.1.3)
    row = _touched(session, known.enrolment, known.unit, known.course, when)
    if verb == Verb.COMPLETED:
        row.completed = when if row.completed is None else min(row.completed, when)
    if verb in {Verb.PASSED, Verb.FAILED}:
        judge(row, when, passed=verb == Verb.PASSED)
    scaled = statement.get("result", {}).get("score", {}).get("scaled")
    if scaled is not None:
        row.score = scaled if row.score is None else max(row.score, scaled)
    if verb == Verb.TERMINATED:
        _add_time(session, row, statement)
    _roll_up(session, known.enrolment, known.course, when)


def _know(
    session: Session, statement: Mapping[str, Any], registration: UUID, enrolment: UUID, course: str
) -> None:
    """Remember by which name a unit will speak of itself under this registration."""
    around = statement["context"]["contextActivities"]
    is_cmi5 = any(one["id"] == CMI5 for one in around.get("category", ()))
    unit = statement["object"]["id"]
    names = [unit] if is_cmi5 else [one["id"] for one in around.get("grouping", ())] or [unit]
    for name in names:
        if session.get(ProgressLaunch, (registration, name)) is None:
            session.add(
                ProgressLaunch(
                    registration=registration,
                    activity=name,
                    enrolment=enrolment,
                    unit=unit,
                    course=course,
                    is_cmi5=is_cmi5,
                )
            )
    session.flush()


def _touched(
    session: Session,
    enrolment: UUID,
    activity: str,
    course: str,
    when: datetime,
    *,
    node: str | None = None,
) -> Progress:
    row = progress_row(session, enrolment, activity, course, when)
    if when >= row.last and node is not None:
        row.node = node
    row.first, row.last = min(row.first, when), max(row.last, when)
    return row


def _add_time(session: Session, row: Progress, statement: Mapping[str, Any]) -> None:
    """Add how long a session took, to its unit and to the course."""
    seconds = hundredths_of_duration(statement.get("result", {}).get("duration", "PT0S")) // 100
    row.seconds += seconds
    row.learning_seconds += seconds  # units measure themselves, and may know of pauses
    around = progress_row(session, row.registration, row.course, row.course, row.last)
    if around is not row:
        around.seconds += seconds
        around.learning_seconds += seconds


def _roll_up(
    session: Session, enrolment: UUID, course: str, when: datetime, *, node: str | None = None
) -> None:
    """Work the course's verdict and score out anew from its units: the same, in whichever order they came."""
    whole = _touched(session, enrolment, course, course, when, node=node)
    session.flush()
    units = session.execute(_UNITS, {"registration": enrolment, "course": course}).all()
    said = [one.success for one in units if one.success or (one.success is False and not one.waived)]
    scores = [one.score for one in units if one.score is not None]
    success = course_success(said, satisfied=whole.completed is not None)
    if success != whole.success:
        whole.success, whole.decided = success, None if success is None else when
    whole.score = sum(scores) / len(scores) if scores else None
    session.flush()


_UNITS = select(Progress.success, Progress.waived, Progress.score).where(
    Progress.registration == bindparam("registration"),
    Progress.course == bindparam("course"),
    Progress.activity != bindparam("course"),
)
