"""Who is in mid-course in which edition, and what each would keep by going over to another.

What this node knows counts: officers on laptops that have not synced yet are in no number here, and are
reached by a decision all the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from content_packages.shelf import Shelf
from lms.cmi5.moving import is_finished
from lms.cmi5.registrations import outline_of, records_of
from lms.cmi5.tables import Registration
from lms.courses.actions import CourseNotFoundError, EditionNotFoundError
from lms.courses.iris import course_iri
from lms.courses.moves import Move, Settled, moves_of, settle
from lms.courses.queries import editions_of, find_course, outline, speak_alike
from lms.courses.tables import Course, Edition
from lms.enrolment.queries import in_force
from lms.enrolment.tables import Enrolment
from lms.launch.course import CourseNotReadyError, open_package, standing_from
from lms.launch.documents import COURSE_STATE, state_key
from lms.launch.verdict import verdict_on
from xapi_store.documents import get_documents

_OFFICERS_OF_A_QUERY = 500


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
    tally = _Tally()
    manifests = {edition.public_id: edition.manifest for edition in editions}
    for place in (*_standings(session, shelf, course, manifests), *_registrations(session, shelf, course)):
        _count(tally, moves, place, known=place.edition in manifests)
    formers = [
        _former(session, one, target, tally.editions[one.public_id])
        for one in editions
        if one is not target and (one.published is not None or tally.editions[one.public_id].officers)
    ]
    numbers = {edition.public_id: edition.number for edition in editions}
    decided = [
        Decided(
            move=move,
            source=numbers.get(move.source, 0),
            target=numbers.get(move.target, 0),
            followed=tally.followed[move.id],
            to_follow=tally.to_follow[move.id],
        )
        for move in moves
    ]
    return Preview(course=course, edition=target, formers=formers, decided=decided)


@dataclass(kw_only=True, slots=True)
class _InEdition:
    """Who is in one edition; ``begun`` counts units, by identifier, of those in mid-course."""

    officers: int = 0
    leaving: int = 0
    finished: int = 0
    begun: Counter[str] = field(default_factory=Counter)


@dataclass(kw_only=True, slots=True)
class _Tally:
    """What is counted of those who have begun: by edition, and by decision."""

    editions: defaultdict[UUID, _InEdition] = field(default_factory=lambda: defaultdict(_InEdition))
    followed: Counter[UUID] = field(default_factory=Counter)
    to_follow: Counter[UUID] = field(default_factory=Counter)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where somebody stands who has begun; units by identifier."""

    edition: UUID
    finished: bool
    begun: tuple[str, ...]
    heard: tuple[UUID, ...]
    followed: tuple[UUID, ...]


def _count(tally: _Tally, moves: Sequence[Move], place: _Place, *, known: bool) -> None:
    tally.followed.update(place.followed)
    if not known:  # an edition this node has never heard of
        return
    there = tally.editions[place.edition]
    if place.finished:
        there.finished += 1
        return
    leads = settle(moves, Settled(place.edition, place.followed), heard=place.heard)
    there.officers += 1
    there.leaving += leads.edition != place.edition
    there.begun.update(place.begun)
    tally.to_follow.update(set(leads.followed) - set(place.followed))


def _standings(
    session: Session, shelf: Shelf, course: Course, manifests: Mapping[UUID, str]
) -> Iterator[_Place]:
    """Yield where everybody stands who has begun in the player; a query for each of some hundred."""
    query = select(Enrolment.person, Enrolment.registration).where(
        Enrolment.course == course.public_id, in_force()
    )
    for some in session.execute(query).partitions(_OFFICERS_OF_A_QUERY):
        iri = course_iri(course.public_id)
        keys = [state_key(iri, person, registration, COURSE_STATE) for person, registration in some]
        for document in get_documents(session, keys).values():
            kept = orjson.loads(document.content)
            edition, standing = UUID(kept["edition"]), standing_from(kept)
            manifest = manifests.get(edition)
            yield _Place(
                edition=edition,
                finished=manifest is not None
                and shelf.has(manifest)
                and verdict_on(open_package(shelf, manifest), standing).is_final,
                begun=tuple(
                    identifier
                    for identifier, record in standing.state["activities"].items()
                    if record.get("attempts", 0)
                ),
                heard=standing.heard,
                followed=standing.followed,
            )


def _registrations(session: Session, shelf: Shelf, course: Course) -> Iterator[_Place]:
    """Yield where everybody stands whose units speak to the record store, as far as this node writes it."""
    query = (
        select(Registration)
        .join(Enrolment, Enrolment.registration == Registration.enrolment)
        .where(Registration.course == course.public_id, in_force())
    )
    for row in session.scalars(query):
        try:
            finished = is_finished(row, outline_of(session, shelf, row))
        except CourseNotReadyError:
            finished = False
        yield _Place(
            edition=row.edition,
            finished=finished,
            begun=tuple(record.identifier for record in records_of(session, row)),
            heard=tuple(map(UUID, row.heard)),
            followed=tuple(map(UUID, row.followed)),
        )


def _former(session: Session, edition: Edition, target: Edition, there: _InEdition) -> Former:
    titles, titles_of_target = _titles(session, edition), _titles(session, target)
    begun = {identifier: count for identifier, count in there.begun.items() if identifier in titles}
    kept = sum(count for identifier, count in begun.items() if identifier in titles_of_target)
    return Former(
        edition=edition,
        officers=there.officers,
        leaving=there.leaving,
        finished=there.finished,
        begun_kept=kept,
        begun_gone=sum(begun.values()) - kept,
        difference=_difference(titles, titles_of_target),
        may_move=speak_alike(edition, target),
    )


def _difference(before: Mapping[str, str], after: Mapping[str, str]) -> Difference:
    """Return which units two editions share; a unit is the same where its identifier is."""
    return Difference(
        kept=tuple(title for identifier, title in after.items() if identifier in before),
        gone=tuple(title for identifier, title in before.items() if identifier not in after),
        new=tuple(title for identifier, title in after.items() if identifier not in before),
    )


def _titles(session: Session, edition: Edition) -> Mapping[str, str]:
    return {line.identifier: line.title for line in outline(session, edition) if line.launchable}
