"""Give learners an edition, and decide on those in mid-course in others, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from content_packages.shelf import Shelf
from lms.courses.actions import EditionNotFoundError, move_officers, publish
from lms.courses.moves import Move
from lms.courses.queries import find_course, find_edition


def take_up(
    session: Session,
    shelf: Shelf,
    course_id: UUID,
    edition_id: UUID,
    *,
    move_from: Iterable[UUID],
    by: UUID | None,
    now: datetime,
    new_id: Callable[[], UUID],
) -> list[Move]:
    """Publish an edition, unless learners have it already; those in mid-course in *move_from* go over to it.

    All others stay where they are.

    Raises:
        EditionNotFoundError: the course has no such edition.
        EditionIncompleteError: not all of its files are here.
        MoveImpossibleError: what they did in one of the editions means nothing in this one.
    """
    course, edition = find_course(session, course_id), find_edition(session, edition_id)
    if course is None or edition is None or edition.course_id != course.id:
        raise EditionNotFoundError(edition_id)
    if course.current_edition != edition_id:
        publish(session, shelf, edition_id, now=now)
    return [
        move_officers(session, course_id, source=source, target=edition_id, by=by, now=now, new_id=new_id)
        for source in dict.fromkeys(move_from)
    ]
