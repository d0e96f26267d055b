"""Open a trial: the course is copied into a database of its own, and everything else is what launching does anyway."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from content_packages.limits import variable
from lms.courses.actions import CourseNotFoundError, EditionNotFoundError
from lms.courses.queries import missing_files
from lms.courses.tables import Course, Edition, OutlineItem, Unit
from lms.database import Base
from lms.launch.actions import Desk
from lms.launch.course import lacking
from lms.settings import Settings
from lms.trials.databases import TrialDatabases, token_prefix
from lms.trials.errors import OwnTrialsFullError, TrialsFullError
from lms.trials.queries import trials_here
from lms.trials.trial import Trial

Row = TypeVar("Row", bound=Base)


def open_trial(
    session: Session, databases: TrialDatabases, desk: Desk, edition: UUID, *, by: UUID, now: datetime
) -> Trial:
    """Make a database for trying an edition, published or not, and return the trial.

    The copy of the edition has the trial's own id. So it is played on a host of its own, and what it stores in the
    browser is not found by a real launch there. Of the node's database, *session*, nothing is written.

    Raises:
        EditionNotFoundError: there is no such edition.
        CourseNotReadyError: files of it are not here, or were damaged.
        TrialsFullError: there are as many trials as this node takes.
    """
    found = session.scalars(select(Edition).where(Edition.public_id == edition)).one_or_none()
    if found is None:
        raise EditionNotFoundError(edition)
    course = session.get(Course, found.course_id)
    if course is None or course.deleted is not None:
        raise CourseNotFoundError(edition)
    if missing := missing_files(desk.shelf, found):
        raise lacking(desk.shelf, course.public_id, missing)
    units = session.scalars(select(Unit).where(Unit.course_id == course.id)).all()
    lines = session.scalars(select(OutlineItem).where(OutlineItem.edition_id == found.id)).all()
    trial = Trial(
        public_id=desk.new_id(),
        opened=now,
        opened_by=by,
        title=found.title,
        course=course.public_id,
        edition=found.public_id,
        number=found.number,
        person=desk.new_id(),
        registration=desk.new_id(),
    )
    with databases.counted():
        _require_room(databases, by)
        with databases.create(trial.public_id) as sandbox:
            sandbox.add(trial)
            sandbox.add(
                _copy(course, current_edition=trial.public_id, coming_edition=None, moves=[], catalogue=None)
            )
            sandbox.flush()
            sandbox.add(_copy(found, public_id=trial.public_id, withdrawn=None, report=None, original=None))
            sandbox.add_all(_copy(unit) for unit in units)
            sandbox.flush()
            sandbox.add_all(_copy(line) for line in lines)
    return trial


def trial_desk(desk: Desk, trial: UUID) -> Desk:
    """Return the desk with which a trial is launched: its tokens say whose they are."""
    return replace(desk, new_token=lambda: token_prefix(trial) + desk.new_token())


def _require_room(databases: TrialDatabases, by: UUID) -> None:
    here = trials_here(databases)
    if sum(one.opened_by == by for one in here) >= databases.most_each:
        raise OwnTrialsFullError(most=databases.most_each, **_named("max_trials_each"))
    if len(here) >= databases.most:
        raise TrialsFullError(most=databases.most, **_named("max_trials"))


def _named(setting: str) -> dict[str, Any]:
    """Return what a refusal says of a setting besides its value: how one types it, and its default."""
    default = Settings.model_fields[setting].default
    return {"variable": variable(setting), "setting": setting, "default": default}


def _copy(row: Row, **changes: object) -> Row:
    """Return a row as it is, for another database."""
    kept = {column.key: getattr(row, column.key) for column in inspect(type(row)).column_attrs}
    return type(row)(**{**kept, **changes})
