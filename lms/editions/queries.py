"""Who is in mid-course in which edition, and what each would keep by going over to another.

What this node knows counts: officers on laptops that have not synced yet are in no number here, and are
reached by a decision all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from content_packages.shelf import Shelf
from lms.courses.actions import CourseNotFoundError, EditionNotFoundError
from lms.courses.iris import course_iri
from lms.courses.moves import Move, Settled, moves_of, settle
from lms.courses.queries import editions_of, find_course, outline, speak_alike
from lms.courses.tables import Course, Edition
from lms.enrolment.queries import in_force
from lms.enrolment.tables import Enrolment
from lms.launch.course import Standing, open_package, standing_from
from lms.launch.documents import COURSE_STATE, read, state_key
from lms.launch.verdict import verdict_on


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """Titles of units that two editions share, that are gone, and that are new; in document order."""

    kept: tuple[str, ...]
    gone: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Former:
    """An edition officers may come from.

    Attributes:
        officers: how many are in mid-course in it.
        leaving: how many of them will leave it by what was decided before.
        finished: how many have finished in it; they stay.
        begun_kept: units begun by those in mid-course that go on in the other edition, all officers together.
        begun_gone: units begun that the other edition does not have.
        may_move: whether what they did means anything in the other edition.
    """

    edition: Edition
    officers: int
    leaving: int
    finished: int
    begun_kept: int
    begun_gone: int
    difference: Difference
    may_move: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """A decision, the numbers of its editions, and how many it took along or will, as known here."""

    move: Move
    source: int
    target: int
    followed: int
    to_follow: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What giving learners an edition would mean for those in mid-course in others."""

    course: Course
    edition: Edition
    formers: Sequence[Former]
    decided: Sequence[Decided]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Officer:
    """Somebody who has begun."""

    edition: UUID
    standing: Standing


def preview(session: Session, shelf: Shelf, course_id: UUID, edition_id: UUID) -> Preview:
    """Return what becomes of whom if learners are given this edition.

    Raises:
        CourseNotFoundError: there is no such course.
        EditionNotFoundError: it has no such edition.
    """
    course = find_course(session, course_id)
    if course is None:
        raise CourseNotFoundError(course_id)
    editions = editions_of(session, course)
    target = next((one for one in editions if one.public_id == edition_id), None)
    if target is None:
        raise EditionNotFoundError(edition_id)
    moves = moves_of(course.moves)
    officers = list(_officers(session, course))
    counted = _Counted.of(officers, editions, shelf, moves)
    formers = [
        _former(session, one, target, counted)
        for one in editions
        if one is not target and (one.published is not None or one.public_id in counted.busy)
    ]
    return Preview(
        course=course, edition=target, formers=formers, decided=_decided(moves, editions, officers, counted)
    )


@dataclass(kw_only=True, slots=True)
class _Counted:
    """Those in mid-course by the edition they are in, those who finished there, and where decisions lead."""

    busy: dict[UUID, list[_Officer]] = field(default_factory=dict)
    finished: dict[UUID, int] = field(default_factory=dict)
    leads: dict[int, Settled] = field(default_factory=dict)  # by the identity of the officer's record

    @classmethod
    def of(
        cls, officers: Iterable[_Officer], editions: Iterable[Edition], shelf: Shelf, moves: Sequence[Move]
    ) -> _Counted:
        counted = cls()
        manifests = {edition.public_id: edition.manifest for edition in editions}
        for officer in officers:
            manifest = manifests.get(officer.edition)
            if manifest is None:
                continue
            if shelf.has(manifest) and verdict_on(open_package(shelf, manifest), officer.standing).is_final:
                counted.finished[officer.edition] = counted.finished.get(officer.edition, 0) + 1
                continue
            counted.busy.setdefault(officer.edition, []).append(officer)
            standing = officer.standing
            counted.leads[id(officer)] = settle(
                moves, Settled(officer.edition, standing.followed), heard=standing.heard
            )
        return counted


def _officers(session: Session, course: Course) -> Iterator[_Officer]:
    query = select(Enrolment.person, Enrolment.registration)
    for person, registration in session.execute(
        query.where(Enrolment.course == course.public_id, in_force())
    ):
        kept = read(session, state_key(course_iri(course.public_id), person, registration, COURSE_STATE))
        if kept is not None:
            yield _Officer(edition=UUID(kept["edition"]), standing=standing_from(kept))


def _former(session: Session, edition: Edition, target: Edition, counted: _Counted) -> Former:
    there = {line.identifier for line in outline(session, target) if line.launchable}
    here = {line.identifier for line in outline(session, edition) if line.launchable}
    busy = counted.busy.get(edition.public_id, [])
    begun = [
        identifier
        for officer in busy
        for identifier, record in officer.standing.state["activities"].items()
        if record.get("attempts", 0) and identifier in here
    ]
    kept = sum(identifier in there for identifier in begun)
    return Former(
        edition=edition,
        officers=len(busy),
        leaving=sum(counted.leads[id(officer)].edition != edition.public_id for officer in busy),
        finished=counted.finished.get(edition.public_id, 0),
        begun_kept=kept,
        begun_gone=len(begun) - kept,
        difference=difference(session, edition, target),
        may_move=speak_alike(edition, target),
    )


def difference(session: Session, old: Edition, new: Edition) -> Difference:
    """Return which units two editions share; a unit is the same where its identifier is."""
    before = _titles(session, old)
    after = _titles(session, new)
    return Difference(
        kept=tuple(title for identifier, title in after.items() if identifier in before),
        gone=tuple(title for identifier, title in before.items() if identifier not in after),
        new=tuple(title for identifier, title in after.items() if identifier not in before),
    )


def _titles(session: Session, edition: Edition) -> Mapping[str, str]:
    return {line.identifier: line.title for line in outline(session, edition) if line.launchable}


def _decided(
    moves: Sequence[Move], editions: Iterable[Edition], officers: Iterable[_Officer], counted: _Counted
) -> list[Decided]:
    numbers = {edition.public_id: edition.number for edition in editions}
    standings = [(officer.standing, counted.leads.get(id(officer))) for officer in officers]
    return [
        Decided(
            move=move,
            source=numbers.get(move.source, 0),
            target=numbers.get(move.target, 0),
            followed=sum(move.id in standing.followed for standing, _ in standings),
            to_follow=sum(
                leads is not None and move.id in leads.followed and move.id not in standing.followed
                for standing, leads in standings
            ),
        )
        for move in moves
    ]
