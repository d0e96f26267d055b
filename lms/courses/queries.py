"""Look at courses, editions, outlines and imports."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from content_packages.errors import FileMissingError
from content_packages.package import Package, load_package, standard_name
from content_packages.shelf import Shelf
from lms.courses.allowances import NOTHING, Allowance, allowed_by
from lms.courses.catalogue import said_of_course
from lms.courses.moves import Move, moves_of
from lms.courses.naming import in_language
from lms.courses.tables import Course, CourseImport, Edition, OutlineItem, Unit
from lms.people.names import plain
from lms.web.paging import ROWS, Page, first_row
from xapi_store.tables.prepared import Prepared

_OTHER = aliased(Edition)
MOST_ALIKE = 3  # courses an import is offered to become an edition of


@dataclass(frozen=True, kw_only=True, slots=True)
class OutlineLine:
    """One activity of an edition; ``index`` is its place among those that can be launched."""

    unit: UUID
    identifier: str
    position: int
    parent: int | None
    depth: int
    title: str
    launchable: bool
    visible: bool
    index: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CourseLine:
    """One course in a list, with the edition learners are given."""

    public_id: UUID
    title: str  # as its package has it
    titles: Mapping[str, str]  # as the catalogue has it, by language
    languages: tuple[str, ...]
    number: int | None  # of the edition learners are given
    standard: str | None
    size: int | None
    coming: bool  # an edition is published, and its files are on their way here
    elsewhere: bool  # it is published, and its files are not to be here
    removed: bool  # because somebody took them off this node
    withdrawn: bool  # an edition was taken away from learners, and none took its place

    def title_in(self, language: str) -> str:
        """Return what it is called in a language, or else by its package."""
        return in_language(self.titles, language) or self.title


def find_course(session: Session, public_id: UUID) -> Course | None:
    """Return a course that has not been deleted."""
    return session.scalars(_COURSE, {"public_id": public_id}).one_or_none()


def courses_page(
    session: Session, *, search: str = "", language: str | None = None, number: int = 1
) -> Page[CourseLine]:
    """Return one page of the courses whose titles, of all languages together, have every word of *search*.

    They stand by title, by that in *language* where there is one.
    """
    query = LINES
    for word in plain(search).split():
        query = query.where(Course.search_key.contains(word, autoescape=True))
    rows = session.connection()
    total = rows.scalar(select(func.count()).select_from(query.subquery())) or 0
    title = func.coalesce(Course.titles[language].as_string(), Course.title) if language else Course.title
    ordered = query.order_by(title, Course.id).offset(first_row(number)).limit(ROWS)
    lines = [line_of(row) for row in rows.execute(ordered)]
    return Page(rows=lines, number=max(number, 1), total=total)


def courses_given(session: Session) -> Sequence[CourseLine]:
    """Return all courses of which learners are given an edition, here or elsewhere, by title."""
    given = or_(Course.current_edition.is_not(None), Course.coming_edition.is_not(None))
    rows = session.connection().execute(LINES.where(given).order_by(Course.title, Course.id))
    return [line_of(row) for row in rows]


def courses_not_here(session: Session) -> Sequence[CourseLine]:
    """Return the courses of which an edition is given whose files are not here, by title."""
    coming = LINES.where(Course.coming_edition.is_not(None)).order_by(Course.title, Course.id)
    return [line_of(row) for row in session.connection().execute(coming)]


def lines_of(session: Session, courses: Collection[UUID]) -> dict[UUID, CourseLine]:
    """Return some courses as lists show them, by public id."""
    rows = session.connection().execute(LINES.where(Course.public_id.in_(courses)))
    return {row.public_id: line_of(row) for row in rows}


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """The edition by which people know a course: the one learners are given, or else the newest."""

    number: int
    standard: str
    size: int
    imported: datetime
    file_name: str | None  # of the package, at the node of its import


def editions_shown(session: Session, courses: Collection[UUID]) -> dict[UUID, Shown]:
    """Return the editions by which people know some courses, by the courses' public ids."""
    newest = select(func.max(_OTHER.id)).where(_OTHER.course_id == Course.id).scalar_subquery()
    query = (
        select(
            Course.public_id,
            Edition.number,
            Edition.standard,
            Edition.standard_edition,
            Edition.size,
            Edition.imported,
            Edition.original_name,
        )
        .join(Edition, Edition.course_id == Course.id)
        .where(
            Course.public_id.in_(courses),
            or_(
                Edition.public_id == Course.current_edition,
                and_(Course.current_edition.is_(None), Edition.id == newest),
            ),
        )
    )
    return {
        row.public_id: Shown(
            number=row.number,
            standard=standard_name(row.standard, row.standard_edition),
            size=row.size,
            imported=row.imported,
            file_name=row.original_name,
        )
        for row in session.execute(query)
    }


def courses_alike(session: Session, identifier: str, *, but: UUID | None = None) -> Sequence[Course]:
    """Return the courses a package with this identifier may be an edition of: a package made anew keeps it.

    Where learners are given some of them, the others are drafts and left out. The oldest come first.
    """
    query = select(Course).where(Course.identifier == identifier, Course.deleted.is_(None))
    found = session.scalars(query.order_by(Course.created, Course.id)).all()
    others = [course for course in found if course.public_id != but]
    return [course for course in others if course.current_edition is not None] or others


def looks_like(session: Session, done: CourseImport) -> Sequence[Course]:
    """Return the courses that what was imported may be a new edition of, though nobody said so."""
    course = find_course(session, done.course) if done.course and not done.into_course else None
    return () if course is None else courses_alike(session, course.identifier, but=course.public_id)


def find_edition(session: Session, public_id: UUID) -> Edition | None:
    """Return an edition by its public id."""
    return session.scalars(_EDITION, {"public_id": public_id}).one_or_none()


def number_of(session: Session, edition: UUID) -> int | None:
    """Return the number by which people call an edition."""
    return session.scalar(select(Edition.number).where(Edition.public_id == edition))


def is_manifest(session: Session, digest: str) -> bool:
    """Say whether a file on the shelf is the manifest of an edition."""
    return bool(session.scalar(select(exists().where(Edition.manifest == digest))))


def edition_played(session: Session, public_id: UUID) -> tuple[Edition | None, Allowance]:
    """Return an edition whose files are asked for, and what its content may do beyond its fence."""
    found = session.execute(_PLAYED, {"edition": public_id}).one_or_none()
    return (None, NOTHING) if found is None else (found[0], allowed_by(found[1]))


def current_edition(session: Session, course: Course) -> Edition | None:
    """Return the edition learners are given; ``None`` while there is none."""
    return None if course.current_edition is None else find_edition(session, course.current_edition)


def given_edition(session: Session, course: UUID) -> Edition | None:
    """Return the edition learners of a course are given, by the course's public id; ``None`` while there is none."""
    found = find_course(session, course)
    return None if found is None else current_edition(session, found)


def is_withdrawn(session: Session, course: UUID) -> bool:
    """Say whether an edition of a course was taken away from learners, and none took its place nor is on its way."""
    query = select(_WITHDRAWN).where(Course.public_id == course, Course.coming_edition.is_(None))
    return bool(session.scalar(query))


def withdrawn_editions(course: UUID) -> Select[UUID]:
    """Return the query for the public ids of the editions of a course that were withdrawn."""
    of_course = select(Course.id).where(Course.public_id == course).scalar_subquery()
    return select(Edition.public_id).where(Edition.course_id == of_course, Edition.withdrawn.is_not(None))


class Playable(NamedTuple):
    """What playing an edition needs to know of it."""

    id: int
    public_id: UUID
    manifest: str
    title: str  # as its package has it
    titles: Mapping[str, str]  # of its course, as the catalogue has it, by language
    is_withdrawn: bool
    moves: tuple[Move, ...]  # of its course


def find_playable(session: Session, course: UUID, *, held: UUID | None) -> Playable | None:
    """Return the edition that a registration holds, or else the one learners of the course are given."""
    row = _PLAYABLE.first(session.connection(), course=course, held=held)
    return None if row is None else Playable._make((*row[:-1], moves_of(row[-1])))


def unit_of(session: Session, course: UUID, identifier: str) -> UUID | None:
    """Return the public id of a course's unit, the same in all its editions; ``None`` where none was laid out here."""
    row = _UNIT.first(session.connection(), course=course, identifier=identifier)
    return None if row is None else row[0]


def units_of(session: Session, edition: UUID) -> dict[str, UUID]:
    """Return the public ids of an edition's units by the identifiers of their activities: there may be thousands."""
    return {identifier: unit for identifier, unit in session.execute(_UNITS, {"edition": edition})}  # noqa: C416 - rows are not pairs to the type checker


def editions_of(session: Session, course: Course) -> Sequence[Edition]:
    """Return all editions of a course, the newest first."""
    query = select(Edition).where(Edition.course_id == course.id)
    return session.scalars(query.order_by(Edition.number.desc(), Edition.imported.desc())).all()


def allowance_of(session: Session, edition: UUID) -> Allowance:
    """Return what the content of an edition may do beyond its fence; nothing, where the edition is not known."""
    return allowed_by(session.scalar(_ALLOWANCES, {"edition": edition}))


_PLAYED = (
    select(Edition, Course.allowances)
    .join(Course, Edition.course_id == Course.id)
    .where(Edition.public_id == bindparam("edition"))
)
_ALLOWANCES = _PLAYED.with_only_columns(Course.allowances)


def courses_allowed(session: Session) -> Sequence[Course]:
    """Return the courses whose content is allowed anything, by title."""
    query = select(Course).where(Course.allowances.is_not(None), Course.deleted.is_(None))
    return [
        one for one in session.scalars(query.order_by(Course.title, Course.id)) if allowed_by(one.allowances)
    ]


def pass_marks_of(session: Session, course: UUID) -> Mapping[UUID, Decimal]:
    """Return what instructors want for "passed", 0 to 1, by public id of the unit."""
    kept = session.scalar(select(Course.pass_marks).where(Course.public_id == course))
    return {UUID(unit): Decimal(mark) for unit, mark in (kept or {}).items()}


def speak_alike(old: Edition, new: Edition) -> bool:
    """Say whether what officers did in one edition means something in the other.

    Each standard keeps data of its own kind: a lesson could not read what it had stored itself.
    """
    return old.public_id != new.public_id and old.standard == new.standard


def outline(session: Session, edition: Edition) -> Sequence[OutlineLine]:
    """Return every activity of an edition in document order, blocks and hidden ones included."""
    lines, launchable = [], 0
    for row in session.execute(_OUTLINE, {"edition": edition.id}):
        index = launchable if row.launchable else None
        launchable += row.launchable
        lines.append(OutlineLine(**row._mapping, index=index))  # noqa: SLF001 - public, in spite of its name
    return lines


def units_in(session: Session, edition: UUID) -> Sequence[tuple[UUID, str]]:
    """Return the units of an edition, each with its title, in order."""
    return [(unit, title) for unit, title in session.execute(_UNITS_IN, {"edition": edition})]


# ------------------------------------------------------------------ imports under way or past


def find_import(session: Session, public_id: UUID) -> CourseImport | None:
    """Return an import, under way or past."""
    return session.scalars(select(CourseImport).where(CourseImport.public_id == public_id)).one_or_none()


def imports_under_way(session: Session) -> Sequence[UUID]:
    """Return the imports that have not ended."""
    return session.scalars(select(CourseImport.public_id).where(CourseImport.finished.is_(None))).all()


def recent_imports(session: Session, *, limit: int) -> Sequence[CourseImport]:
    """Return the imports begun last."""
    query = select(CourseImport).order_by(CourseImport.started.desc(), CourseImport.id.desc())
    return session.scalars(query.limit(limit)).all()


# ---------------------------------------------------------------------- for other nodes


def describe_withdrawal(session: Session, public_id: UUID) -> dict[str, Any] | None:
    """Return whether an edition is withdrawn, as other nodes are told before the catalogue says it."""
    row = session.execute(
        select(Edition.withdrawn, Course.changed).join(Course).where(Edition.public_id == public_id)
    ).one_or_none()
    if row is None:
        return None
    withdrawn, changed = row
    return {"withdrawn": withdrawn.isoformat() if withdrawn else None, "changed": changed.isoformat()}


def describe_course(session: Session, public_id: UUID) -> dict[str, Any] | None:
    """Return a course as it travels to other nodes, deleted or not; ``None`` if there is no such one.

    Reports of imports stay where the import was; outlines are read from the manifest on arrival, and only
    the units' public ids travel.
    """
    course = session.scalars(select(Course).where(Course.public_id == public_id)).one_or_none()
    if course is None:
        return None
    editions = session.scalars(
        select(Edition).where(Edition.course_id == course.id).order_by(Edition.imported, Edition.id)
    ).all()
    units = session.scalars(select(Unit).where(Unit.course_id == course.id).order_by(Unit.id))
    given = course.coming_edition or course.current_edition
    return {
        "identifier": course.identifier,
        "title": course.title,
        "languages": course.languages,
        "created": course.created.isoformat(),
        "created_by": str(course.created_by) if course.created_by else None,
        "current_edition": str(given) if given else None,
        "provisional": course.provisional,
        "catalogue": _catalogue(course, next((one for one in editions if one.public_id == given), None)),
        "deleted": course.deleted.isoformat() if course.deleted else None,
        "changed": course.changed.isoformat(),
        "editions": [
            {
                "public_id": str(edition.public_id),
                "number": edition.number,
                "manifest": edition.manifest,
                "standard": edition.standard,
                "standard_edition": edition.standard_edition,
                "title": edition.title,
                "size": edition.size,
                "files": edition.files,
                "imported": edition.imported.isoformat(),
                "imported_by": str(edition.imported_by) if edition.imported_by else None,
                "published": edition.published.isoformat() if edition.published else None,
                "withdrawn": edition.withdrawn.isoformat() if edition.withdrawn else None,
                # Nodes of before know of none; said once, it goes on being said, or none could be taken back.
                **({"catalogue": edition.catalogue} if edition.catalogue is not None else {}),
            }
            for edition in editions
        ],
        "units": {unit.identifier: str(unit.public_id) for unit in units},
        **({"moves": course.moves} if course.moves else {}),  # nodes of before know of none
        # Once said, it goes on being said, or none could be taken back.
        **({"pass_marks": course.pass_marks} if course.pass_marks is not None else {}),
        **({"allowances": course.allowances} if course.allowances is not None else {}),
    }


def _catalogue(course: Course, given: Edition | None) -> dict[str, Any] | None:
    """Return what people wrote of a course; nodes of before look there for what is new in its edition too."""
    notes = (given.catalogue or {}).get("version_notes") if given else None
    said = said_of_course(course.catalogue) | ({"version_notes": notes} if notes else {})
    return said or None


def missing_files(shelf: Shelf, edition: Edition) -> frozenset[str]:
    """Return the digests an edition still needs; at first only its manifest, which names the rest.

    What is here is claimed: whoever asks is about to name it, and no sweep may come between.
    """
    return whole_package(shelf, edition)[1]


def whole_package(shelf: Shelf, edition: Edition) -> tuple[Package | None, frozenset[str]]:
    """Return an edition's package, if it is here, and what `missing_files` does."""
    try:
        package = load_package(shelf, edition.manifest)
    except FileMissingError:
        return None, frozenset({edition.manifest})
    return package, shelf.claim({*package.digests(), edition.manifest})


def editions_on_their_way(session: Session) -> Sequence[Edition]:
    """Return published editions whose files are not all here yet, in the order they were imported.

    Those of courses that were removed here are not on their way, though some of their files may lie here still.
    """
    query = select(Edition).join(Course, Course.coming_edition == Edition.public_id)
    query = query.where(Course.deleted.is_(None), Course.removed.is_(None))
    return session.scalars(query.order_by(Edition.imported, Edition.id)).all()


# Made once: most pages of a course ask.
_COURSE = select(Course).where(Course.public_id == bindparam("public_id"), Course.deleted.is_(None))
_EDITION = select(Edition).where(Edition.public_id == bindparam("public_id"))
_OUTLINE = (
    select(
        Unit.public_id.label("unit"),
        Unit.identifier,
        OutlineItem.position,
        OutlineItem.parent,
        OutlineItem.depth,
        OutlineItem.title,
        OutlineItem.launchable,
        OutlineItem.visible,
    )
    .join(Unit, Unit.id == OutlineItem.unit_id)
    .where(OutlineItem.edition_id == bindparam("edition"))
    .order_by(OutlineItem.position)
)

_HELD = bindparam("held", type_=Edition.public_id.type)
_PLAYABLE = Prepared(
    select(
        Edition.id,
        Edition.public_id,
        Edition.manifest,
        Edition.title,
        Course.titles,
        Edition.withdrawn.is_not(None).label("is_withdrawn"),
        Course.moves,
    )
    .join(Course, Edition.public_id.in_((Course.current_edition, _HELD)))
    .where(Course.public_id == bindparam("course"), Course.deleted.is_(None), Course.removed.is_(None))
    .order_by((Edition.public_id == _HELD).desc().nulls_last())
    .limit(1)
)
_UNIT = Prepared(
    select(Unit.public_id)
    .join(Course, Course.id == Unit.course_id)
    .where(Course.public_id == bindparam("course"), Unit.identifier == bindparam("identifier"))
)
_UNITS = (
    select(Unit.identifier, Unit.public_id)
    .join(OutlineItem, OutlineItem.unit_id == Unit.id)
    .join(Edition, Edition.id == OutlineItem.edition_id)
    .where(Edition.public_id == bindparam("edition"))
)

_WITHDRAWN = and_(
    Course.current_edition.is_(None),
    exists().where(_OTHER.course_id == Course.id, _OTHER.withdrawn.is_not(None)),
)
# What a line of a list shows, and no more: an edition's report and a course's history may be long.
LINES = (
    select(
        Course.public_id,
        Course.title,
        Course.titles,
        Course.languages,
        Edition.number,
        Edition.standard,
        Edition.standard_edition,
        Edition.size,
        Course.coming_edition.is_not(None).label("coming"),
        Course.carried,
        Course.removed.is_not(None).label("removed"),
        _WITHDRAWN.label("withdrawn"),
    )
    .outerjoin(Edition, Edition.public_id == Course.current_edition)
    .where(Course.deleted.is_(None))
)


def line_of(row: Any) -> CourseLine:
    """Return a course in a list from a row of :data:`LINES`, which may have more columns behind."""
    return CourseLine(
        public_id=row.public_id,
        title=row.title,
        titles=row.titles,
        languages=tuple(row.languages),
        number=row.number,
        standard=None if row.number is None else standard_name(row.standard, row.standard_edition),
        size=row.size,
        coming=row.coming and row.carried,
        elsewhere=row.coming and not row.carried,
        removed=row.removed,
        withdrawn=bool(row.withdrawn) and not row.coming,
    )


_UNITS_IN = (
    select(Unit.public_id, OutlineItem.title)
    .join(OutlineItem, OutlineItem.unit_id == Unit.id)
    .join(Edition, Edition.id == OutlineItem.edition_id)
    .where(Edition.public_id == bindparam("edition"), OutlineItem.launchable)
    .order_by(OutlineItem.position)
)
