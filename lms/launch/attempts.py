"""Read what explains an attempt: how its learner stands, what each unit has stored, and what was done last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from sqlalchemy.orm import Session

from content_packages.sequencing.tracking import Tracking
from content_packages.shelf import Shelf
from lms.courses.iris import course_iri
from lms.launch.course import (
    CourseNotPlayedError,
    CourseNotReadyError,
    Standing,
    Taking,
    open_course,
    read_standing,
)
from lms.launch.moving import at_rest
from lms.launch.next_opening import NextOpening, next_opening
from lms.launch.queries import former_attempts_ended, heard_in_launches, launches_back, open_launches
from lms.launch.sittings import Done, Sitting, last_sitting, sum_up
from lms.launch.statements import VERBS
from lms.launch.unit import read_units
from lms.launch.why import Earned, Why, explain
from xapi_store.query import StatementFilter, find_statements


def why_of(session: Session, taking: Taking, standing: Standing | None = None) -> Why:
    """Explain how a learner stands in a course of SCORM or of single files.

    *standing* is where, at rest (``moving.at_rest``), for whoever has asked already.
    """
    standing = standing or at_rest(taking, read_standing(session, taking))
    why = explain(
        taking.opened,
        standing,
        read_units(session, taking),
        running={
            one.identifier for one in open_launches(session, taking.registration) if one.phase == "running"
        },
        former=_done_before(session, taking, standing),
    )
    return why if why.reached.is_final else replace(why, stands=_stands(session, taking, standing))


def opening_of(
    session: Session, shelf: Shelf, *, person: UUID, registration: UUID, course: UUID
) -> NextOpening:
    """Return what opening a course will do next; of what cannot be played here nothing is known to stop it."""
    try:
        taking = open_course(session, shelf, person=person, registration=registration, course=course)
    except (CourseNotPlayedError, CourseNotReadyError):
        return "goes on"
    return next_opening(taking.opened, at_rest(taking, read_standing(session, taking)))


def sitting_of(session: Session, taking: Taking, standing: Standing) -> Sitting:
    """Return what was done in the last sitting, in the attempt at the course in which *standing* is."""
    activities = taking.opened.activities
    ended = former_attempts_ended(session, taking.registration, attempt=standing.attempt)
    return sum_up(
        [
            Done(
                identifier=one.identifier,
                title=activities[one.identifier].title if one.identifier in activities else one.identifier,
                said=tuple(one.said),
                seconds=one.session_time_s,
                learning_seconds=one.learning_time_s,
            )
            for one in last_sitting(launches_back(session, taking.registration))
            if one.phase != "launched" and (ended is None or one.created > ended)
        ]
    )


def _done_before(session: Session, taking: Taking, standing: Standing) -> Mapping[str, Earned]:
    """Return what lessons came to on this node in attempts before their present one, by identifier.

    A new attempt at a lesson of SCORM 1.2 finds all it had stored, and has nothing to make up for.
    """
    attempts = Tracking(taking.opened.tree, standing.state).attempts
    if taking.opened.is_scorm12 or not any(
        attempts(one) > 1 for one in taking.opened.tree.activities if one.is_leaf
    ):
        return {}
    found: dict[str, Earned] = {}
    for one in heard_in_launches(session, taking.registration):
        lesson = taking.opened.tree.find(one.identifier)
        if lesson is None or one.attempt >= attempts(lesson):
            continue
        if "passed" in one.said:
            found[one.identifier] = "passed"
        elif "completed" in one.said:
            found.setdefault(one.identifier, "completed")
    return found


def _stands(session: Session, taking: Taking, standing: Standing) -> Earned | None:
    """Return what statements said of the course before: what was earned is not taken away (``lms.progress``)."""
    if standing.attempt == 1 and not {"completed", "satisfied"} & standing.told.keys():
        return None

    def is_said(verb: str) -> bool:
        wanted = StatementFilter(
            registration=taking.registration, activity=course_iri(taking.course), verb=str(VERBS[verb]["id"])
        )
        return bool(find_statements(session, wanted, limit=1).statements)

    if is_said("passed"):
        return "passed"
    return "completed" if is_said("completed") and not is_said("failed") else None
