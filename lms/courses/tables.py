"""Courses, their editions, the units in them, and imports under way.

A course has a random public id that is the same on every node. An edition names a manifest on the shelf by
digest; the manifest names the files. A unit keeps its public id through all editions of its course, because
records of learners speak of it; where it stands in the outline belongs to an edition.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Enum, ForeignKey, Index, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column

from content_packages.package import standard_name
from lms.courses.naming import in_language, search_key
from lms.database import Base


class Course(Base):
    """One course, whatever its edition."""

    __tablename__ = "course"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(unique=True)
    identifier: Mapped[str] = mapped_column(index=True)  # of the manifest; a package made anew keeps it
    title: Mapped[str] = mapped_column(index=True)
    languages: Mapped[list[str]] = mapped_column(JSON)
    created: Mapped[datetime]
    created_by: Mapped[UUID | None]  # public id of a person; nobody for the command line
    # Public ids of editions: the one learners are given, and one that will be as soon as all its files are
    # here. No foreign keys: the two tables would point at each other.
    current_edition: Mapped[UUID | None]
    coming_edition: Mapped[UUID | None] = mapped_column(index=True)
    moves: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)  # see lms.courses.moves
    # What instructors want for "passed", 0 to 1 as written, by public id of the unit; none: nobody ever said.
    pass_marks: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    # What content may do beyond its fence, every decision in its order (lms.courses.allowances); none: nobody said.
    allowances: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    provisional: Mapped[bool] = mapped_column(default=True)  # offered by this node, not yet taken up
    deleted: Mapped[datetime | None]  # kept as a row, so that the deletion travels
    changed: Mapped[datetime] = mapped_column(default=lambda row: row.get_current_parameters()["created"])
    catalogue: Mapped[dict[str, Any] | None] = mapped_column(
        JSON
    )  # what people wrote over what the package says
    # Of the catalogue's entry, for lists and searches; made anew on each node with every change of either.
    titles: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    descriptions: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    search_key: Mapped[str] = mapped_column(
        default=lambda row: search_key(row.get_current_parameters()["title"])
    )
    # Of this node alone, see lms.carrying: whether its files are to be here, and since when somebody here wants them,
    # or has removed them.
    carried: Mapped[bool] = mapped_column(default=True, server_default=true())
    asked: Mapped[datetime | None]
    removed: Mapped[datetime | None]

    def title_in(self, language: str) -> str:
        """Return what it is called in a language, or else by its package."""
        return in_language(self.titles, language) or self.title

    def description_in(self, language: str) -> str:
        """Return what is said of it in a language."""
        return in_language(self.descriptions, language) or ""


class Edition(Base):
    """One import of a course: a manifest on the shelf and what was found while reading it."""

    __tablename__ = "course_edition"
    __table_args__ = (Index(None, "course_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(unique=True)
    course_id: Mapped[int] = mapped_column(ForeignKey(Course.id, ondelete="CASCADE"))
    number: Mapped[int]  # for people; two nodes that never met may both have made a second edition
    manifest: Mapped[str] = mapped_column(index=True)  # sha-256 of the manifest on the shelf
    standard: Mapped[str]
    standard_edition: Mapped[str]
    title: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)  # bytes of all its files
    files: Mapped[int]
    imported: Mapped[datetime]
    imported_by: Mapped[UUID | None]
    report: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # none on nodes that received the course
    # The file it was imported from: its digest on the shelf, its name and its bytes; on the node of the import.
    original: Mapped[str | None]
    original_name: Mapped[str | None]
    original_size: Mapped[int | None] = mapped_column(BigInteger)
    published: Mapped[datetime | None]
    withdrawn: Mapped[datetime | None]
    catalogue: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # what people wrote of this edition alone
    manifest_size: Mapped[int | None] = mapped_column(
        BigInteger
    )  # as another node told it; sync asks by size too
    # Whoever decides has it, with its files; of one that was imported here that is so once it came back as decided.
    held_above: Mapped[bool] = mapped_column(default=False, server_default=false())

    @property
    def standard_name(self) -> str:
        """What people call its standard."""
        return standard_name(self.standard, self.standard_edition)


class Unit(Base):
    """One activity of a course: what statements and run-time state are about."""

    __tablename__ = "course_unit"
    __table_args__ = (UniqueConstraint("course_id", "identifier"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(unique=True)
    course_id: Mapped[int] = mapped_column(ForeignKey(Course.id, ondelete="CASCADE"))
    identifier: Mapped[str]  # of the activity in the manifest


class OutlineItem(Base):
    """One line of an edition's outline, in document order."""

    __tablename__ = "course_outline_item"

    edition_id: Mapped[int] = mapped_column(ForeignKey(Edition.id, ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey(Unit.id, ondelete="CASCADE"), index=True)
    parent: Mapped[int | None]  # position of the block it stands in; none at the top
    depth: Mapped[int]
    title: Mapped[str]
    launchable: Mapped[bool]
    visible: Mapped[bool]


class ImportState(StrEnum):
    """How far an import has come."""

    WAITING = "waiting"
    READING = "reading"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class CourseImport(Base):
    """One upload on its way to becoming an edition, and its report afterwards."""

    __tablename__ = "course_import"
    __table_args__ = (Index(None, "started"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(unique=True)
    file_name: Mapped[str]  # as the person calls it; the upload itself is named by public_id
    size: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[ImportState] = mapped_column(
        Enum(ImportState, native_enum=False, length=16, values_callable=list), default=ImportState.WAITING
    )
    files_done: Mapped[int] = mapped_column(default=0)
    files_total: Mapped[int] = mapped_column(default=0)
    bytes_done: Mapped[int] = mapped_column(BigInteger, default=0)
    bytes_total: Mapped[int] = mapped_column(BigInteger, default=0)
    publish: Mapped[bool] = mapped_column(default=False)
    into_course: Mapped[UUID | None]  # public id of the course this becomes an edition of; none: a new course
    course: Mapped[UUID | None]  # public ids of what it became
    edition: Mapped[UUID | None] = mapped_column(index=True)
    report: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    started: Mapped[datetime]
    started_by: Mapped[UUID | None]
    finished: Mapped[datetime | None]
