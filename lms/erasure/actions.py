"""Erase a person: everything this node keeps of her, in steps (``sync.ports.Erasure``).

Orders name a digest, so the first thing each step does is to find out who is meant, among all ids of people that stand
anywhere. Her entry in the directory and her enrolments go in the last step but one: a process that was killed before
finds her again by them. Once nobody is found, the file of the database is rebuilt, for what stood in freed pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, delete, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from content_packages.shelf import Shelf
from lms.bundles.tables import Bundle
from lms.carrying.tables import Assignment
from lms.cmi5.tables import Registration
from lms.courses.tables import Course, CourseImport, Edition
from lms.database import Database
from lms.enrolment.tables import Enrolment
from lms.following.tables import Follow, Tell
from lms.forwarding.tables import DeadLetter, Target
from lms.launch.tables import LateWork, Launch, LaunchStep
from lms.people.changes import Kind, record_change, was_changed_here
from lms.people.tables import DirectoryChange, LoginSession, Membership, Person, Presence
from lms.people.throttle import forget_tries
from lms.progress.tables import Progress, ProgressLaunch
from lms.records.tables import RecordExport
from lms.streams.tables import Proposal
from sync.blackout import subject_of
from sync.messages import Record
from sync.quarantine import kinds_wanting
from xapi_store import erasing
from xapi_store.packing import dictionaries_with, keep_dictionary, pack_anew, train_another
from xapi_store.tables import DocumentRow

STATEMENTS_AT_ONCE = 100
DOCUMENTS_AT_ONCE = 100
ROWS_AT_ONCE = 500
MOST_BYTES_REBUILT = 1024**3

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_ID_IN_BYTES = re.compile(_ID.pattern.encode(), re.IGNORECASE)

#: Rows that are hers alone, but for those by which she is found again.
HERS: tuple[InstrumentedAttribute[Any], ...] = (
    Launch.person,
    LateWork.person,
    Registration.person,
    Membership.person_id,
    LoginSession.person_id,
    Presence.person,
    Follow.person,
    Tell.answer,
)
#: Columns that tell who did something, in rows that say nothing else of her.
DOERS: tuple[InstrumentedAttribute[Any], ...] = (
    Enrolment.made_by,
    Course.created_by,
    Edition.imported_by,
    CourseImport.started_by,
    RecordExport.started_by,
    Bundle.started_by,
    Assignment.made_by,
)


class StillNamedError(Exception):
    """All steps were done, and still something names the person: erasing does not know that place."""

    def __init__(self) -> None:
        super().__init__("Something names the person that no step erases; the order stays unconfirmed.")


class PersonErasure:
    """Answers ``sync.ports.Erasure`` from the tables of the product."""

    def __init__(self, database: Database, *, attachments: Shelf, exports: Path) -> None:
        self._database = database
        self._attachments = attachments
        self._exports = exports
        self._packing: tuple[frozenset[int], int] | None = None  # from which dictionaries, and how far
        self._packed: set[UUID] = set()

    def subjects_of(self, record: Record) -> Collection[str]:
        """Return every id that stands in a record: whatever names her is about her."""
        found = {one.decode().lower() for one in _ID_IN_BYTES.findall(record.body)}
        return found | {one.lower() for one in _ID.findall(record.key)}

    def erase_some(self, subject: str) -> bool:
        """Do the next step: long things first, and last what she is found again by.

        Raises:
            StillNamedError: she is found even after that; the worker says so in the log, and tries again later.
        """
        with self._database.read() as session:
            person = _who(session, subject)
        if person is None:
            self._rebuild()
            return False
        for step in (self._parts, self._statements, self._documents, self._dictionaries, self._steps):
            if step(person):
                return True
        self._rest(person)
        self._files_on_their_way()
        with self._database.read() as session:
            if _who(session, subject) is not None:
                raise StillNamedError
        return True

    # ------------------------------------------------------------ the record store

    def _parts(self, _person: UUID) -> bool:
        with self._database.write() as session:
            return erasing.bring_parts_back(session)

    def _statements(self, person: UUID) -> bool:
        with self._database.read() as session:
            agents = erasing.find_agents(session, _naming(person))
            doomed = erasing.next_doomed(session, agents, limit=STATEMENTS_AT_ONCE)
        if not doomed.places:
            return False
        with self._database.write() as session:
            files = erasing.erase_statements(session, doomed, agents)
            ids = [statement_id for statement_id, _ in doomed.statements]
            session.execute(delete(DeadLetter).where(DeadLetter.statement_id.in_(ids)))
        for file in files:
            self._attachments.discard(file)
        return True

    def _documents(self, person: UUID) -> bool:
        with self._database.write() as session:
            return erasing.erase_documents(session, _naming(person), limit=DOCUMENTS_AT_ONCE)

    def _dictionaries(self, person: UUID) -> bool:
        """Have no dictionary hold pieces of her statements; her names are still known here.

        Once, and never the newest: a name may be a word that stands in everybody's statements.
        """
        if self._packing is None:
            return person not in self._packed and self._begin_packing(person)
        numbers, place = self._packing
        with self._database.write() as session:
            reached = pack_anew(session, numbers, after=place, limit=ROWS_AT_ONCE)
        self._packing = None if reached is None else (numbers, reached)
        if reached is None:
            self._packed.add(person)
        return True

    def _begin_packing(self, person: UUID) -> bool:
        with self._database.read() as session:
            numbers = dictionaries_with(session, [str(person), *_names(session, person)])
            trained = train_another(session) if numbers else None
        if trained is None:
            return False
        with self._database.write() as session:
            keep_dictionary(session, trained)
        self._packing = frozenset(numbers) - {trained.number}, 0
        return True

    # ------------------------------------------------------------ the product's own

    def _steps(self, person: UUID) -> bool:
        """Drop the logs of what she did in lessons, which are long."""
        with self._database.write() as session:
            theirs = LaunchStep.registration.in_(_registrations(session, person))
            ids = list(session.scalars(select(LaunchStep.id).where(theirs).limit(ROWS_AT_ONCE)))
            session.execute(delete(LaunchStep).where(LaunchStep.id.in_(ids)))
        return bool(ids)

    def _rest(self, person: UUID) -> None:
        with self._database.write() as session:
            exports = [str(one) for one in session.scalars(select(RecordExport.public_id))]
            session.execute(delete(RecordExport))
            _forget_agents(session, person)
            _forget_deeds(session, person)
            _forget_rows(session, person)
        for export in exports:
            for file in self._exports.glob(f"{export}.*"):
                file.unlink(missing_ok=True)

    def _files_on_their_way(self) -> None:
        """Forget what has come of files for which nothing waits any more: the entries that did are hers, and gone."""
        begun = self._attachments.unfinished()
        with self._database.read() as session:
            wanted = kinds_wanting(session, begun)
        for digest in begun:
            if digest not in wanted:
                self._attachments.give_up(digest)

    def _rebuild(self) -> None:
        """Leave nothing in pages that were freed, nor in the copy from before the last upgrade."""
        if not self._database.is_sqlite or not self._database.url.database:
            return
        file = Path(self._database.url.database)
        file.with_suffix(".before-upgrade").unlink(missing_ok=True)
        if file.stat().st_size <= MOST_BYTES_REBUILT:
            self._database.rebuild()


# ---------------------------------------------------------------- who is meant


def _who(session: Session, subject: str) -> UUID | None:
    """Return the person of whom something is kept here and whose digest this is."""
    for name in _people(session):
        if subject_of(name) == subject:
            return UUID(name)
    return None


def _people(session: Session) -> Iterator[str]:
    """Yield the ids of all people who may stand somewhere, some of them more than once."""
    for column in (Person.public_id, Enrolment.person, *HERS, *DOERS):
        for one in session.scalars(select(column).where(column.is_not(None)).distinct()):
            yield str(one)
    for key in erasing.find_agents(session, lambda _: True):
        yield from (one.lower() for one in _ID.findall(key))
    for agent in session.scalars(select(DocumentRow.agent).where(DocumentRow.agent.is_not(None)).distinct()):
        yield from (one.lower() for one in _ID.findall(agent or ""))


def _naming(person: UUID) -> Callable[[str], bool]:
    return lambda key: str(person) in key.lower()


def _names(session: Session, person: UUID) -> set[str]:
    """Return what she is called here."""
    row = session.get(Person, person)
    known = erasing.names_of(session, erasing.find_agents(session, _naming(person)))
    return known | ({row.display_name} if row is not None else set())


def _registrations(session: Session, person: UUID) -> list[UUID]:
    own = select(Enrolment.registration).where(Enrolment.person == person)
    written = select(Registration.registration).where(_is_hers(person))
    launched = select(Launch.registration).where(Launch.person == person)
    return list(session.scalars(own.union(written, launched)))


def _is_hers(person: UUID) -> ColumnElement[bool]:
    return or_(Registration.person == person, cast(Registration.actor, Text).contains(str(person)))


# ---------------------------------------------------------------- rows


def _forget_agents(session: Session, person: UUID) -> None:
    agents = erasing.find_agents(session, _naming(person))
    session.execute(delete(Target).where(Target.agent.in_(list(agents))))
    erasing.erase_agents(session, agents)


def _forget_deeds(session: Session, person: UUID) -> None:
    """Take her out of what she did for others; where that is told to other nodes from here, tell it anew."""
    told: list[tuple[Kind, UUID]] = [
        ("enrolment", one)
        for one in session.scalars(select(Enrolment.public_id).where(Enrolment.made_by == person))
    ]
    told += [
        ("course", course.public_id)
        for course in session.scalars(select(Course))
        if _forget_in_course(session, course, person)
    ]
    for column in DOERS:
        session.execute(update(column.class_).where(column == person).values({column.key: None}))
    session.flush()
    for kind, public_id in told:
        if was_changed_here(session, kind, public_id):
            record_change(session, kind, public_id)


def _forget_in_course(session: Session, course: Course, person: UUID) -> bool:
    imported = select(Edition.id).where(Edition.course_id == course.id, Edition.imported_by == person)
    moves = _without_doer(course.moves, person)
    allowances = None if course.allowances is None else _without_doer(course.allowances, person)
    changed = moves != course.moves or allowances != course.allowances or course.created_by == person
    course.moves, course.allowances = moves, allowances
    return changed or session.scalar(imported.limit(1)) is not None


def _without_doer(decisions: list[dict[str, Any]], person: UUID) -> list[dict[str, Any]]:
    return [{**one, "by": None} if one.get("by") == str(person) else one for one in decisions]


def _forget_rows(session: Session, person: UUID) -> None:
    registrations = _registrations(session, person)
    row = session.get(Person, person)
    if row is not None and row.sign_in_name:
        forget_tries(session, row.sign_in_name)
    hers = {
        person,
        *session.scalars(select(Membership.public_id).where(Membership.person_id == person)),
        *session.scalars(select(Enrolment.public_id).where(Enrolment.person == person)),
    }
    for column in (Progress.registration, ProgressLaunch.registration, ProgressLaunch.enrolment):
        session.execute(delete(column.class_).where(column.in_(registrations)))
    session.execute(delete(Registration).where(_is_hers(person)))
    for column in HERS:
        session.execute(delete(column.class_).where(column == person))
    session.execute(delete(DirectoryChange).where(DirectoryChange.public_id.in_(hers)))
    session.execute(delete(Proposal).where(Proposal.public_id.in_(hers)))
    session.execute(delete(Enrolment).where(Enrolment.person == person))
    session.execute(delete(Person).where(Person.public_id == person))
