"""Read what explains an attempt: how its learner stands, what each unit has stored, and what was done last."""

from __future__ import annotations

from sqlalchemy.orm import Session

from lms.launch.course import Standing, Taking, read_standing
from lms.launch.moving import at_rest
from lms.launch.queries import former_attempts_ended, launches_back, open_launches
from lms.launch.sittings import Done, Sitting, last_sitting, sum_up
from lms.launch.unit import read_units
from lms.launch.why import Why, explain


def why_of(session: Session, taking: Taking, standing: Standing | None = None) -> Why:
    """Explain how a learner stands in a course of SCORM or of single files.

    *standing* is where, at rest (``moving.at_rest``), for whoever has asked already.
    """
    standing = standing or at_rest(taking, read_standing(session, taking))
    return explain(
        taking.opened,
        standing,
        read_units(session, taking),
        running={
            one.identifier for one in open_launches(session, taking.registration) if one.phase == "running"
        },
    )


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
