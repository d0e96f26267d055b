"""A registration, read whole: whose it is, what the course consists of, and what counts of each unit so far."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, aliased

from content_packages.cmi5.move_on import UnitState
from content_packages.package import Activity, Package
from content_packages.shelf import Shelf
from lms.cmi5.tables import Registration, UnitRecord, UnitSession
from lms.courses.iris import course_iri, unit_iri
from lms.courses.moves import Move
from lms.courses.naming import in_language
from lms.courses.queries import find_edition, find_playable, units_of
from lms.launch.course import CourseNotReadyError, nothing_given, open_edition
from lms.launch.queries import MOST_OF_A_SITTING

#: The standards whose units speak to the record store themselves.
STANDARDS = frozenset({"cmi5", "xapi"})


class RegistrationUnknownError(Exception):
    """There is no such registration of the course on this node."""

    def __init__(self, registration: UUID) -> None:
        self.registration = registration
        super().__init__(f"There is no registration {registration} of this course here.")


class UnitUnknownError(Exception):
    """The edition has no unit at this place."""

    def __init__(self, index: int) -> None:
        self.index = index
        super().__init__(f"The course has no unit {index}.")


class OtherEditionError(Exception):
    """The units were counted in another edition than the registration goes on in."""

    def __init__(self, edition: UUID) -> None:
        self.edition = edition
        super().__init__(f"The registration goes on in edition {edition}.")


class UnitHasNoMarkError(Exception):
    """The unit judges by itself: its package gives no masteryScore that could be replaced (cmi5 13.1.4)."""

    def __init__(self, index: int) -> None:
        self.index = index
        super().__init__(f"The package gives unit {index} no masteryScore.")


class UnitsOfOtherStandardError(Exception):
    """The units of the course are not launched with a record store of their own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outline:
    """An edition as its sessions need it."""

    course: UUID
    edition: UUID
    title: str  # as the package has it: records speak of it so
    withdrawn: bool
    package: Package
    units: Mapping[str, UUID]
    titles: Mapping[str, str] = field(default_factory=dict)  # as the catalogue has it, where a page asks
    moves: tuple[Move, ...] = ()  # what was decided on those in mid-course

    def title_in(self, language: str) -> str:
        """Return what the course is called in a language, or else by its package."""
        return in_language(self.titles, language) or self.title

    @property
    def is_cmi5(self) -> bool:
        """Whether it is of cmi5, and not an xAPI package."""
        return self.package.standard == "cmi5"

    def unit_at(self, index: int) -> Activity:
        """Return a unit by its place in document order.

        Raises:
            UnitUnknownError: there is none.
        """
        units = self.package.root.units()
        if not 0 <= index < len(units):
            raise UnitUnknownError(index)
        return units[index]

    def unit(self, identifier: str) -> Activity | None:
        """Return a unit by its identifier."""
        return next((one for one in self.package.root.units() if one.identifier == identifier), None)

    def iri(self, activity: Activity) -> str:
        """Return the activity id by which records speak of a unit, a block or the course (cmi5 8.1.5, 9.4)."""
        if activity is self.package.root or activity.identifier == self.package.root.identifier:
            return course_iri(self.course)
        return unit_iri(self.course, self.units[activity.identifier])


def open_outline(session: Session, shelf: Shelf, course: UUID, *, held: UUID | None) -> Outline:
    """Read the edition that a registration holds, or else the one learners of the course are given.

    Raises:
        CourseNotReadyError: neither is here, or it was damaged.
        UnitsOfOtherStandardError: its units have no record store of their own.
    """
    edition = find_playable(session, course, held=held)
    if edition is None:
        raise nothing_given(session, course)
    package = open_edition(shelf, edition.manifest, course).package
    if package.standard not in STANDARDS:
        raise UnitsOfOtherStandardError
    return Outline(
        course=course,
        edition=edition.public_id,
        title=edition.title,
        withdrawn=edition.is_withdrawn,
        package=package,
        units=units_of(session, edition.public_id),
        titles=edition.titles,
        moves=edition.moves,
    )


def outline_of(session: Session, shelf: Shelf, registration: Registration) -> Outline:
    """Read the edition of a registration, whether or not its course is still given to anybody.

    Raises:
        CourseNotReadyError: its files are not here.
    """
    edition = find_edition(session, registration.edition)
    if edition is None:
        raise CourseNotReadyError(registration.course)
    return Outline(
        course=registration.course,
        edition=edition.public_id,
        title=edition.title,
        withdrawn=edition.withdrawn is not None,
        package=open_edition(shelf, edition.manifest, registration.course).package,
        units=units_of(session, edition.public_id),
    )


def own_registration(enrolment: UUID, node: str) -> UUID:
    """Return the registration under which a node writes what belongs to an enrolment.

    Each node has its own, and another laptop another: so it needs to ask nobody before it writes.
    """
    return uuid5(enrolment, node)


def find_registration(session: Session, registration: UUID) -> Registration | None:
    """Return a registration that this node writes."""
    return session.scalars(_REGISTRATION, {"registration": registration}).one_or_none()


def find_own(
    session: Session, shelf: Shelf, course: UUID, *, enrolment: UUID, node: str
) -> tuple[Registration | None, Outline]:
    """Return the registration under which a node writes an enrolment, if it has begun, and the edition it is for.

    Raises:
        CourseNotReadyError: there is no such edition here.
        UnitsOfOtherStandardError: its units have no record store of their own.
    """
    found = find_registration(session, own_registration(enrolment, node))
    return found, open_outline(session, shelf, course, held=found.edition if found else None)


def edition_begun(session: Session, enrolment: UUID) -> UUID | None:
    """Return the edition of the registration this node writes for an enrolment; ``None`` before the first launch."""
    return session.scalar(_EDITION, {"enrolment": enrolment})


def hold_registrations(session: Session, registrations: Collection[UUID]) -> None:
    """Let nobody else change these registrations until the transaction ends; always in the same order."""
    for registration in sorted(set(registrations)):
        session.connection().execute(_HOLD, {"registration": registration})


def states_of(session: Session, registration: Registration) -> Mapping[str, UnitState]:
    """Return what counts of each unit that has said something."""
    return {row.identifier: state_in(row) for row in records_of(session, registration)}


def records_of(session: Session, registration: Registration) -> Collection[UnitRecord]:
    """Return what is kept of each unit that has said something."""
    return session.scalars(_RECORDS, {"registration": registration.id}).all()


def find_record(session: Session, registration_id: int, identifier: str) -> UnitRecord | None:
    """Return what is kept of one unit."""
    wanted = {"registration": registration_id, "identifier": identifier}
    return session.scalars(_RECORD, wanted).one_or_none()


def state_in(row: UnitRecord | None) -> UnitState:
    """Return what counts of a unit."""
    if row is None:
        return UnitState()
    return UnitState(completed=row.completed, passed=row.passed, failed=row.failed, waived=row.waived)


def open_sessions(session: Session, registration: Registration) -> Collection[UnitSession]:
    """Return the sessions of a registration that have not ended; there is at most one."""
    return session.scalars(_OPEN, {"registration": registration.id}).all()


def sessions_back(session: Session, registration: Registration) -> Sequence[UnitSession]:
    """Return the sessions of a registration, the newest first, as far back as a sitting may go."""
    return session.scalars(_BACK, {"registration": registration.id}).all()


def newer_session(session: Session, session_id: UUID) -> UUID | None:
    """Return the newest session under the registration of this one, if another came after it."""
    return session.scalar(_NEWER, {"session": session_id})


def bare(actor: Mapping[str, Any]) -> dict[str, Any]:
    """Return an actor without a name: only what identifies one is passed on (cmi5 8.1.3)."""
    account = actor["account"]
    return {
        "objectType": "Agent",
        "account": {"homePage": account["homePage"], "name": account["name"]},
    }


_LATER = aliased(UnitSession)
_REGISTRATION = select(Registration).where(Registration.registration == bindparam("registration"))
_EDITION = select(Registration.edition).where(Registration.enrolment == bindparam("enrolment"))
_HOLD = _REGISTRATION.with_only_columns(Registration.id).with_for_update()
_RECORDS = select(UnitRecord).where(UnitRecord.registration_id == bindparam("registration"))
_RECORD = _RECORDS.where(UnitRecord.identifier == bindparam("identifier"))
_BACK = (
    select(UnitSession)
    .where(UnitSession.registration_id == bindparam("registration"))
    .order_by(UnitSession.id.desc())
    .limit(MOST_OF_A_SITTING)
)
_NEWER = (
    select(_LATER.public_id)
    .join(UnitSession, UnitSession.registration_id == _LATER.registration_id)
    .where(UnitSession.public_id == bindparam("session"), _LATER.id > UnitSession.id)
    .order_by(_LATER.id.desc())
    .limit(1)
)
_OPEN = (
    select(UnitSession)
    .where(UnitSession.registration_id == bindparam("registration"), UnitSession.ended.is_(None))
    .order_by(UnitSession.id)
)
