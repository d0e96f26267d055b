"""The courses whose files are on this node, the least needed first, and the removal of one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session

from content_packages.shelf import FileRef, Shelf, Swept
from lms.carrying.queries import decides_here, groups_in, learners_here, orders_carried
from lms.courses.actions import CourseNotFoundError, remove_here
from lms.courses.naming import in_language
from lms.courses.shelving import files_of_one_course
from lms.courses.tables import Course, Edition
from lms.enrolment.tables import Enrolment
from lms.progress.tables import Progress
from sync import wishes
from sync.node import standing

SETTLED: Final = timedelta(hours=1)  # what was claimed since may be about to be named by an import


class Use(IntEnum):
    """What those who learn here do with a course; the greater, the more it is needed."""

    NOBODY = 0  # takes it
    FINISHED = 1  # by all who take it
    TAKEN = 2  # and not begun by anybody
    BEGUN = 3  # and not finished: somebody is in the middle of it


@dataclass(frozen=True, kw_only=True, slots=True)
class CourseHere:
    """A course whose files are on this node.

    Attributes:
        enrolled, begun: people who learn here and take it; who have begun and not finished.
        last: when it was last worked at on this node.
        frees: bytes that its removal frees; what it shares with others stays.
        is_assigned: it is to be on this node.
        only_here: it was imported here, and is not known to be held above: it may not go.
        keeps_original: the package it was imported from is here, and stays.
    """

    public_id: UUID
    title: str
    titles: Mapping[str, str]
    languages: Sequence[str]
    enrolled: int
    begun: int
    finished: int
    last: datetime | None
    frees: int
    is_assigned: bool
    only_here: bool
    keeps_original: bool

    def title_in(self, language: str) -> str:
        """Return what it is called in a language, or else by its package."""
        return in_language(self.titles, language) or self.title

    @property
    def use(self) -> Use:
        """What is done with it here."""
        if self.begun:
            return Use.BEGUN
        if self.enrolled > self.finished:
            return Use.TAKEN
        return Use.FINISHED if self.enrolled else Use.NOBODY


class OnlyHereError(Exception):
    """The files of a course are nowhere else, as far as this node knows."""

    def __init__(self, course: UUID) -> None:
        self.course = course
        super().__init__(
            f"Course {course} was made here and is not at the centre yet, or this node is the one that decides. "
            "Its files stay, for they may be nowhere else."
        )


class InTheMiddleError(Exception):
    """Somebody is in the middle of a course that is to be removed."""

    def __init__(self, course: UUID, begun: int) -> None:
        self.course = course
        self.begun = begun
        super().__init__(
            f"Of those who learn here, {begun} are in the middle of course {course}. Nothing was removed; "
            "`lms course remove --all-the-same` removes it nevertheless."
        )


def courses_here(session: Session, shelf: Shelf, *, offered: Collection[str] = ()) -> list[CourseHere]:
    """Return the courses whose files are here, the least needed first: what is used least, longest ago, and is large.

    Args:
        session: to read with.
        shelf: where the files are.
        offered: manifests of courses on offer, which name files too.
    """
    return sorted(_used(session, files_of_one_course(session, shelf, offered=offered)), key=_need)


def remove(
    session: Session,
    shelf: Shelf,
    public_id: UUID,
    *,
    all_the_same: bool,
    offered: Collection[str] = (),
    now: datetime,
) -> Collection[str]:
    """Take a course off this node; return the files that nothing names once this is committed, for ``let_go``.

    The course stays listed, with all that was done in it, and can be had again. With *all_the_same* it goes though
    somebody is in the middle of it.

    Raises:
        CourseNotFoundError: there is no such course, or it is not here.
        OnlyHereError: it may be nowhere else.
        InTheMiddleError: somebody is in the middle of it.
    """
    files = files_of_one_course(session, shelf, offered=offered).get(public_id)
    found = next(iter(_used(session, {public_id: files})), None) if files is not None else None
    if files is None or found is None:
        raise CourseNotFoundError(public_id)
    if found.only_here:
        raise OnlyHereError(public_id)
    if found.begun and not all_the_same:
        raise InTheMiddleError(public_id, found.begun)
    remove_here(session, public_id, now=now)
    wishes.forget(session, [str(public_id)])
    return files.keys()


def let_go(shelf: Shelf, digests: Collection[str], *, now: datetime) -> Swept:
    """Remove files of a course that was removed, once that is committed; what is too fresh the next sweep takes."""
    return shelf.let_go(digests, before=now - SETTLED)


def _used(session: Session, files: Mapping[UUID, Mapping[str, FileRef]]) -> list[CourseHere]:
    """Return the courses of which these are the files, with what is done with them here."""
    orders = orders_carried(session)
    groups = groups_in(orders)
    courses = session.scalars(select(Course).where(Course.public_id.in_(files))).all()
    used = {row.course: row for row in session.execute(_use_of(session, list(files), groups))}
    kept = _only_here(session, files)
    imported = select(Course.public_id).join(Edition, Edition.course_id == Course.id)
    originals = set(
        session.scalars(imported.where(Course.public_id.in_(files), Edition.original.is_not(None)))
    )
    return [
        CourseHere(
            public_id=course.public_id,
            title=course.title,
            titles=course.titles,
            languages=course.languages,
            enrolled=use.enrolled if (use := used.get(course.public_id)) else 0,
            begun=use.begun if use else 0,
            finished=use.finished if use else 0,
            last=use.last if use else None,
            frees=sum(ref.size for ref in files[course.public_id].values()),
            is_assigned=any(one.cover(course.public_id, course.languages) for one in orders),
            only_here=course.public_id in kept,
            keeps_original=course.public_id in originals,
        )
        for course in courses
        if course.current_edition is not None or files[course.public_id]
    ]


def _need(one: CourseHere) -> tuple[Any, ...]:
    last = one.last.timestamp() if one.last else 0.0
    return one.only_here, one.use, one.is_assigned, last, -one.frees, one.title


def _only_here(session: Session, courses: Collection[UUID]) -> frozenset[UUID]:
    """Return the courses of which an edition was imported here and is not known to be held above."""
    if decides_here(session):
        return frozenset(courses)
    query = select(Course.public_id, Course.provisional, Edition.report).join(
        Edition, Edition.course_id == Course.id
    )
    query = query.where(Course.public_id.in_(courses), ~Edition.held_above)
    return frozenset(
        course for course, provisional, report in session.execute(query) if provisional or report is not None
    )


def _use_of(session: Session, courses: Collection[UUID], groups: Collection[UUID]) -> Any:
    """Return the query for who learns here and takes which of some courses, and how far they are."""
    me = standing(session).certificate.node
    of_course = Progress.activity == Progress.course
    is_finished: ColumnElement[bool] = of_course & (
        Progress.completed.is_not(None) | Progress.success.is_(True)
    )
    worked = (
        select(
            Progress.registration,
            func.max(case((is_finished, 1), else_=0)).label("finished"),
            func.max(case((Progress.node == me, Progress.last))).label("last"),
        )
        .join(Enrolment, Enrolment.registration == Progress.registration)
        .where(Enrolment.course.in_(courses))
        .group_by(Progress.registration)
        .subquery()
    )
    return (
        select(
            Enrolment.course,
            func.count().label("enrolled"),
            func.sum(case((worked.c.finished == 0, 1), else_=0)).label("begun"),
            func.sum(case((worked.c.finished == 1, 1), else_=0)).label("finished"),
            func.max(worked.c.last).label("last"),
        )
        .outerjoin(worked, worked.c.registration == Enrolment.registration)
        .where(
            Enrolment.course.in_(courses),
            Enrolment.withdrawn.is_(None),
            or_(Enrolment.person.in_(learners_here(groups)), worked.c.last.is_not(None)),
        )
        .group_by(Enrolment.course)
    )
