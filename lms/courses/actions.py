"""Add editions, publish and withdraw them, delete courses, and take over what other nodes made.

What is done here travels to the other nodes; what arrived from one does not go back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from content_packages.errors import StoredPackageError
from content_packages.package import Activity, Package, load_package
from content_packages.shelf import Shelf
from lms.courses.allowances import Allowance, Decision, allowed_by
from lms.courses.catalogue import (
    OF_EDITION,
    Entry,
    entry_of_package,
    packaged_entry,
    said_of_course,
    written_entry,
)
from lms.courses.moves import Move, moves_of
from lms.courses.naming import search_key
from lms.courses.queries import (
    current_edition,
    editions_of,
    editions_on_their_way,
    find_course,
    find_edition,
    speak_alike,
    whole_package,
)
from lms.courses.tables import Course, CourseImport, Edition, OutlineItem, Unit
from lms.people.changes import record_change

KIND: Final = "course"
WITHDRAWAL: Final = "withdrawal"


class CourseNotFoundError(Exception):
    """There is no such course, or it has been deleted."""

    def __init__(self, public_id: UUID) -> None:
        self.public_id = public_id
        super().__init__(f"There is no course {public_id}.")


class EditionNotFoundError(Exception):
    """The course has no such edition."""

    def __init__(self, public_id: UUID) -> None:
        self.public_id = public_id
        super().__init__(f"There is no edition {public_id}.")


class EditionElsewhereError(Exception):
    """A course that arrived claims the edition of another course."""

    def __init__(self, public_id: UUID) -> None:
        self.public_id = public_id
        super().__init__(f"Edition {public_id} belongs to another course.")


class EditionIncompleteError(Exception):
    """Not all files of the edition are on this node."""

    def __init__(self, public_id: UUID, missing: int) -> None:
        self.public_id = public_id
        self.missing = missing
        super().__init__(f"Edition {public_id} lacks {missing} files on this node.")


class MoveNotFoundError(Exception):
    """The course holds no such decision."""

    def __init__(self, move: UUID) -> None:
        self.move = move
        super().__init__(f"There is no move {move}.")


class MoveImpossibleError(Exception):
    """What officers have done in one edition cannot be carried over into the other."""

    def __init__(self, source: int, target: int) -> None:
        self.source = source
        self.target = target
        super().__init__(
            f"Officers cannot go over from edition {source} to edition {target}: their lessons keep records of "
            "different kinds, or the second was never published."
        )


def add_edition(
    session: Session,
    package: Package,
    digest: str,
    report: Mapping[str, Any],
    *,
    into: UUID | None,
    by: UUID | None,
    now: datetime,
    new_id: Callable[[], UUID],
    provisional: bool = True,
) -> tuple[Course, Edition]:
    """Make an imported package an edition, of a new course or of the one named by *into*.

    Its files and manifest are on the shelf already. Learners are given it only once it is published.

    Raises:
        CourseNotFoundError: *into* names no course.
    """
    if into is None:
        course = Course(
            public_id=new_id(),
            identifier=package.identifier,
            title=package.title,
            languages=list(package.languages),
            created=now,
            created_by=by,
            provisional=provisional,
        )
        session.add(course)
        session.flush()
    else:
        course = _course(session, into)
        course.changed = now
    last = session.scalar(select(func.max(Edition.number)).where(Edition.course_id == course.id)) or 0
    edition = Edition(
        public_id=new_id(),
        course_id=course.id,
        number=last + 1,
        manifest=digest,
        standard=package.standard,
        standard_edition=package.edition,
        title=package.title,
        size=sum(ref.size for ref in package.files.values()),
        files=len(package.files),
        imported=now,
        imported_by=by,
        report=dict(report),
    )
    session.add(edition)
    if course.current_edition is None:
        _name(course, entry_of_package(package.metadata, {}))
    session.flush()
    _lay_out(session, course, edition, package, new_id=new_id)
    record_change(session, KIND, course.public_id)
    return course, edition


def join_course(
    session: Session,
    shelf: Shelf,
    done: CourseImport,
    into: UUID,
    *,
    now: datetime,
    new_id: Callable[[], UUID],
) -> Edition:
    """Make what was imported as a course of its own an edition of another; the course of its own goes.

    It becomes another edition, under an id of its own: nodes may have heard of the first already.

    Raises:
        CourseNotFoundError: there is no such course, or the import made none.
        EditionNotFoundError: the edition it made is given to learners already.
    """
    own = done.course if done.into_course is None else None
    alone = None if own is None else find_course(session, own)
    made = None if done.edition is None else find_edition(session, done.edition)
    if alone is None or made is None or alone.public_id == into:
        raise CourseNotFoundError(into)
    if made.published is not None:
        raise EditionNotFoundError(made.public_id)
    package = load_package(shelf, made.manifest)
    course, edition = add_edition(
        session,
        package,
        made.manifest,
        made.report or {},
        into=into,
        by=made.imported_by,
        now=now,
        new_id=new_id,
    )
    edition.original, edition.original_name = made.original, made.original_name
    edition.original_size = made.original_size
    done.course, done.edition = course.public_id, edition.public_id
    delete_course(session, alone.public_id, now=now)
    return edition


def publish(session: Session, shelf: Shelf, public_id: UUID, *, now: datetime) -> Course:
    """Give learners this edition from now on; an older one is taken up again in the same way.

    Who is in mid-course keeps the edition her registration began with.

    Raises:
        EditionNotFoundError: there is no such edition.
        EditionIncompleteError: not all of its files are here.
    """
    edition, course = _edition(session, public_id)
    package, missing = whole_package(shelf, edition)
    if package is None or missing:
        raise EditionIncompleteError(public_id, len(missing))
    was_withdrawn = edition.withdrawn is not None
    edition.published = edition.published or now
    edition.withdrawn = None
    course.coming_edition = None
    course.changed = now
    _switch_on(course, edition, package)
    session.flush()
    record_change(session, KIND, course.public_id)
    if was_withdrawn:
        record_change(session, WITHDRAWAL, edition.public_id)
    return course


def withdraw_edition(session: Session, public_id: UUID, *, now: datetime) -> Course:
    """Stop an edition being launched, here and on every node that hears of it; records stay.

    No older edition takes its place by itself: publish one.

    Raises:
        EditionNotFoundError: there is no such edition.
    """
    edition, course = _edition(session, public_id)
    edition.withdrawn = course.changed = now
    _switch_off(course, edition)
    session.flush()
    record_change(session, KIND, course.public_id)
    record_change(session, WITHDRAWAL, edition.public_id)
    return course


def apply_withdrawal(session: Session, public_id: UUID, entry: Mapping[str, Any]) -> None:
    """Write what another node says of one edition: that it is withdrawn, or that it is no more.

    It comes before the catalogue does, which says the same. An edition that is not known here is withdrawn there, too.
    """
    edition = find_edition(session, public_id)
    if edition is None:
        return
    edition.withdrawn = _instant(entry["withdrawn"])
    if edition.withdrawn is not None:
        _switch_off(session.get_one(Course, edition.course_id), edition)
    session.flush()


def describe_in_catalogue(
    session: Session,
    shelf: Shelf,
    public_id: UUID,
    entry: Entry,
    *,
    of_editions: Mapping[UUID, Entry],
    now: datetime,
) -> None:
    """Keep what people wrote of a course; what is left empty, the package goes on to say.

    What is of an edition, as ``version_notes`` are, is taken from *of_editions*, by the editions' public ids; other
    editions stay as they are.

    Raises:
        CourseNotFoundError: there is no such course.
        EditionNotFoundError: one of the editions is not of this course.
    """
    course = _course(session, public_id)
    course.catalogue = said_of_course(entry.to_json()) or None
    for edition_id, said in of_editions.items():
        edition = find_edition(session, edition_id)
        if edition is None or edition.course_id != course.id:
            raise EditionNotFoundError(edition_id)
        written = {name: text for name, text in said.to_json().items() if name in OF_EDITION}
        edition.catalogue = written or (None if edition.catalogue is None else {})
    course.changed = now
    _name(course, _packaged(session, shelf, course))
    session.flush()
    record_change(session, KIND, course.public_id)


def move_officers(
    session: Session,
    public_id: UUID,
    *,
    source: UUID,
    target: UUID,
    by: UUID | None,
    now: datetime,
    new_id: Callable[[], UUID],
) -> Move:
    """Decide that those in mid-course in edition *source* go over to *target*, wherever they learn.

    Raises:
        CourseNotFoundError: there is no such course.
        EditionNotFoundError: one of the two is not of this course.
        MoveImpossibleError: the two do not speak alike, or are the same, or *target* was never published.
    """
    course = _course(session, public_id)
    editions = [find_edition(session, source), find_edition(session, target)]
    for wanted, found in zip((source, target), editions, strict=True):
        if found is None or found.course_id != course.id:
            raise EditionNotFoundError(wanted)
    old, new = (edition for edition in editions if edition is not None)
    if not speak_alike(old, new) or new.published is None or new.withdrawn is not None:
        raise MoveImpossibleError(old.number, new.number)
    move = Move(id=new_id(), source=source, target=target, decided=now, by=by)
    _keep_moves(session, course, [*moves_of(course.moves), move], now=now)
    return move


def undo_move(session: Session, public_id: UUID, move_id: UUID, *, now: datetime) -> Move:
    """Let those whom a decision took along go back, and nobody follow it any more.

    Raises:
        CourseNotFoundError: there is no such course.
        MoveNotFoundError: it holds no such decision.
    """
    course = _course(session, public_id)
    moves = moves_of(course.moves)
    undone = next((replace(move, undone=move.undone or now) for move in moves if move.id == move_id), None)
    if undone is None:
        raise MoveNotFoundError(move_id)
    _keep_moves(session, course, [undone if move.id == move_id else move for move in moves], now=now)
    return undone


def set_pass_marks(
    session: Session, public_id: UUID, marks: Mapping[UUID, Decimal], *, now: datetime
) -> None:
    """Say what units want for "passed" in place of what the package says, on every node, from the next launch on.

    Marks are by public id of the unit, 0 to 1 with at most four decimals (cmi5 13.1.4); of all others the package
    decides.

    Raises:
        CourseNotFoundError: there is no such course.
        ValueError: a mark is none.
    """
    course = _course(session, public_id)
    for mark in marks.values():
        if not 0 <= mark <= 1 or mark != round(mark, 4):
            raise ValueError(f"{mark} is not a share of 1 with at most four decimals")
    course.pass_marks = {str(unit): format(mark.normalize(), "f") for unit, mark in marks.items()}
    course.changed = now
    session.flush()
    record_change(session, KIND, course.public_id)


def allow(
    session: Session, public_id: UUID, allowed: Allowance, *, by: UUID | None, now: datetime
) -> Decision | None:
    """Say what a course's content may do beyond its fence, from the next launch on; ``None`` where it may that already.

    Decided at the root it holds on every node that hears of it; decided below, on that node only, until the root says
    something (``lms.streams.directory``). What was decided before stays on record.

    Raises:
        CourseNotFoundError: there is no such course.
    """
    course = _course(session, public_id)
    if allowed == allowed_by(course.allowances):
        return None
    decision = Decision(allowed=allowed, decided=now, by=by)
    course.allowances = [*(course.allowances or ()), decision.to_json()]
    course.changed = now
    session.flush()
    record_change(session, KIND, course.public_id)
    return decision


def delete_course(session: Session, public_id: UUID, *, now: datetime) -> None:
    """Take a course away from every list; what learners did in it stays recorded.

    Raises:
        CourseNotFoundError: there is no such course.
    """
    course = _course(session, public_id)
    course.deleted = course.changed = now
    session.flush()
    record_change(session, KIND, course.public_id)


def apply_course(
    session: Session,
    shelf: Shelf,
    public_id: UUID,
    described: Mapping[str, Any],
    *,
    new_id: Callable[[], UUID],
) -> None:
    """Take over a course from another node, as ``describe_course`` wrote it there.

    The edition learners shall be given is switched on at once if all its files are here, otherwise by
    ``switch_on_complete`` as soon as they are; until then learners keep the one they had.

    Raises:
        EditionElsewhereError: it claims an edition that belongs to another course.
    """
    course = session.scalars(select(Course).where(Course.public_id == public_id)).one_or_none()
    if course is None:
        course = Course(
            public_id=public_id,
            created=datetime.fromisoformat(described["created"]),
            created_by=_id(described["created_by"]),
        )
        session.add(course)
    course.identifier = described["identifier"]
    course.title = described["title"]
    course.languages = list(described["languages"])
    course.provisional = bool(described["provisional"])
    said = described.get("catalogue", course.catalogue)  # an older node says nothing of it
    course.catalogue = said_of_course(said) or None
    course.deleted = _instant(described["deleted"])
    course.changed = datetime.fromisoformat(described["changed"])
    course.moves = [move.to_json() for move in moves_of(described.get("moves", course.moves or ()))]
    course.pass_marks = described.get("pass_marks", course.pass_marks)
    course.allowances = described.get("allowances", course.allowances)
    session.flush()
    _apply_units(session, course, described["units"])
    for entry in described["editions"]:
        _apply_edition(session, course, entry)
    given = _id(described["current_edition"])
    _apply_notes(session, course, given, (said or {}).get("version_notes"))
    course.coming_edition = given if given != course.current_edition else None
    if given is None:
        course.current_edition = None
    _name(course, _packaged(session, shelf, course))
    session.flush()
    switch_on_complete(session, shelf, new_id=new_id)


def note_manifest_sizes(session: Session, sizes: Mapping[str, int]) -> None:
    """Keep what another node told of the sizes of manifests, by digest: they are asked for by size."""
    for digest, size in sizes.items():
        session.execute(update(Edition).where(Edition.manifest == digest).values(manifest_size=size))


def ask_for(session: Session, public_id: UUID, *, now: datetime) -> Course:
    """Have a course's files here from now on, whatever else says so; they come from other nodes.

    What was removed and not swept yet is here at once (``switch_on_complete``).

    Raises:
        CourseNotFoundError: there is no such course.
    """
    course = _course(session, public_id)
    course.asked, course.removed = now, None
    session.flush()
    return course


def remove_here(session: Session, public_id: UUID, *, now: datetime) -> Course:
    """Have a course's files on this node no more; the course, and what people did in it, stay.

    It comes back when somebody asks for it, or an officer who learns here is enrolled later. Nothing of this travels.
    Whether its files may go is for ``lms.carrying`` to say.

    Raises:
        CourseNotFoundError: there is no such course.
    """
    course = _course(session, public_id)
    course.asked, course.removed, course.carried = None, now, False
    course.coming_edition = course.coming_edition or course.current_edition
    course.current_edition = None
    session.flush()
    return course


def switch_on_complete(session: Session, shelf: Shelf, *, new_id: Callable[[], UUID]) -> int:
    """Give learners every published edition whose files have all arrived; return how many those were."""
    switched = 0
    for edition in editions_on_their_way(session):
        try:
            package, missing = whole_package(shelf, edition)
        except StoredPackageError:
            continue  # a newer release wrote it: an upgrade of this node will read it
        if package is None or missing:
            continue
        course = session.get_one(Course, edition.course_id)
        if session.scalar(_LAID_OUT, {"edition": edition.id}) is None:
            _lay_out(session, course, edition, package, new_id=new_id)
        _switch_on(course, edition, package)
        switched += 1
    session.flush()
    return switched


# ---------------------------------------------------------------------- parts

_LAID_OUT = select(OutlineItem.position).where(OutlineItem.edition_id == bindparam("edition")).limit(1)


def _lay_out(
    session: Session, course: Course, edition: Edition, package: Package, *, new_id: Callable[[], UUID]
) -> None:
    """Write an edition's outline; activities met for the first time in this course become units."""
    units = _unit_numbers(session, course)
    laid: list[tuple[Activity, int | None, int]] = []

    def lay(activity: Activity, parent: int | None, depth: int) -> None:
        for child in activity.children:
            laid.append((child, parent, depth))
            lay(child, len(laid) - 1, depth + 1)

    if package.root.launch is not None:  # a course that is one activity and nothing else
        laid.append((package.root, None, 0))
    lay(package.root, None, 0)
    new = [one for one in dict.fromkeys(activity.identifier for activity, _, _ in laid) if one not in units]
    if new:
        session.execute(
            insert(Unit),
            [{"public_id": new_id(), "course_id": course.id, "identifier": identifier} for identifier in new],
        )
        units = _unit_numbers(session, course)
    outline = [
        {
            "edition_id": edition.id,
            "position": position,
            "unit_id": units[activity.identifier],
            "parent": parent,
            "depth": depth,
            "title": activity.title,
            "launchable": activity.launch is not None,
            "visible": activity.visible,
        }
        for position, (activity, parent, depth) in enumerate(laid)
    ]
    if outline:
        session.execute(insert(OutlineItem), outline)


def _unit_numbers(session: Session, course: Course) -> dict[str, int]:
    query = select(Unit.identifier, Unit.id).where(Unit.course_id == course.id)
    return {identifier: number for identifier, number in session.execute(query)}  # noqa: C416 - rows are not pairs to the type checker


def _switch_on(course: Course, edition: Edition, package: Package) -> None:
    course.current_edition = edition.public_id
    course.coming_edition = None
    course.carried = True
    course.title = edition.title
    course.languages = list(package.languages)
    _name(course, entry_of_package(package.metadata, {}))


def _name(course: Course, packaged: Entry) -> None:
    """Keep what lists show and searches find of a course: what people wrote, over what its package says."""
    entry = written_entry(course, None).over(packaged)
    course.titles, course.descriptions = dict(entry.titles), dict(entry.descriptions)
    course.search_key = search_key(course.title, *entry.titles.values())


def _packaged(session: Session, shelf: Shelf, course: Course) -> Entry:
    """Return what the package says of an edition learners are given, or would be if it were published."""
    edition = current_edition(session, course) or next(iter(editions_of(session, course)), None)
    return packaged_entry(shelf, edition, {})


def _switch_off(course: Course, edition: Edition) -> None:
    if course.current_edition == edition.public_id:
        course.current_edition = None
    if course.coming_edition == edition.public_id:
        course.coming_edition = None


def _apply_units(session: Session, course: Course, units: Mapping[str, str]) -> None:
    known = {unit.identifier for unit in session.scalars(select(Unit).where(Unit.course_id == course.id))}
    session.add_all(
        Unit(public_id=UUID(public_id), course_id=course.id, identifier=identifier)
        for identifier, public_id in units.items()
        if identifier not in known
    )
    session.flush()


def _apply_edition(session: Session, course: Course, entry: Mapping[str, Any]) -> None:
    public_id = UUID(entry["public_id"])
    edition = find_edition(session, public_id)
    if edition is None:
        edition = Edition(
            public_id=public_id,
            course_id=course.id,
            number=entry["number"],
            manifest=entry["manifest"],
            standard=entry["standard"],
            standard_edition=entry["standard_edition"],
            title=entry["title"],
            size=entry["size"],
            files=entry["files"],
            imported=datetime.fromisoformat(entry["imported"]),
            imported_by=_id(entry["imported_by"]),
        )
        session.add(edition)
    elif edition.course_id != course.id:
        raise EditionElsewhereError(public_id)
    edition.published = _instant(entry["published"])
    edition.withdrawn = _instant(entry["withdrawn"])
    edition.held_above = edition.held_above or not course.provisional
    edition.catalogue = entry.get("catalogue", edition.catalogue)  # an older node says nothing of it
    if edition.withdrawn is not None:
        _switch_off(course, edition)


def _apply_notes(session: Session, course: Course, given: UUID | None, notes: str | None) -> None:
    """Take over what a node of before wrote to be new in the edition it gives.

    Such a node keeps one text for all editions. One that is here already, of whichever edition, is no news.
    """
    editions = {edition.public_id: edition for edition in editions_of(session, course)}
    known = {(edition.catalogue or {}).get("version_notes") for edition in editions.values()}
    if notes and notes not in known and given in editions:
        edition = editions[given]
        edition.catalogue = {**(edition.catalogue or {}), "version_notes": notes}


def _keep_moves(session: Session, course: Course, moves: Sequence[Move], *, now: datetime) -> None:
    course.moves = [move.to_json() for move in moves]
    course.changed = now
    session.flush()
    record_change(session, KIND, course.public_id)


def _course(session: Session, public_id: UUID) -> Course:
    course = find_course(session, public_id)
    if course is None:
        raise CourseNotFoundError(public_id)
    return course


def _edition(session: Session, public_id: UUID) -> tuple[Edition, Course]:
    edition = find_edition(session, public_id)
    course = session.get(Course, edition.course_id) if edition else None
    if edition is None or course is None or course.deleted is not None:
        raise EditionNotFoundError(public_id)
    return edition, course


def _id(text: str | None) -> UUID | None:
    return UUID(text) if text else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
