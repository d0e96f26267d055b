"""Which files of an edition were found missing or damaged here, and which editions an import made whole again."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from content_packages.errors import ShelfError, StoredPackageError
from content_packages.intake import ImportReport
from content_packages.package import load_package
from content_packages.shelf import Shelf
from lms.courses.shelving import files_of_edition, files_of_original, was_whole_here
from lms.courses.tables import Course, Edition


@dataclass(frozen=True, kw_only=True, slots=True)
class Damage:
    """What an edition lost.

    Attributes:
        names: of the files that learners need, in order.
        has_manifest: whether what says which files there are is still here. If not, nothing of the edition opens.
    """

    edition: Edition
    names: tuple[str, ...] = ()
    has_manifest: bool = True

    @property
    def is_of_package(self) -> bool:
        """Whether it is the package it was imported from that is damaged, which no learner needs."""
        return self.has_manifest and not self.names


def damage_of(shelf: Shelf, editions: Iterable[Edition]) -> Iterator[Damage]:
    """Return what was lost of editions, of each that lost anything.

    Costs nothing to speak of while nothing is lost: packages are read only where something is.
    """
    lost = {ref.digest for ref in shelf.lost()}
    for edition in editions if lost else ():
        if edition.manifest in lost:
            yield Damage(edition=edition, has_manifest=False)
            continue
        try:
            files = load_package(shelf, edition.manifest).files
        except (ShelfError, StoredPackageError):
            continue  # on its way here, or of a newer release: not damaged as far as is known
        names = tuple(sorted(name for name, ref in files.items() if ref.digest in lost))
        if names or any(ref.digest in lost for ref in files_of_original(shelf, edition)):
            yield Damage(edition=edition, names=names)


def damage_in(session: Session, shelf: Shelf, courses: Collection[UUID]) -> dict[UUID, bool]:
    """Return which of some courses lost anything, and of each whether learners need it, editions of before included."""
    if not shelf.lost():
        return {}
    query = select(Course.public_id, Edition).join(Edition, Edition.course_id == Course.id)
    rows = session.execute(query.where(Course.public_id.in_(courses), Edition.withdrawn.is_(None))).all()
    course_of = {edition.public_id: course for course, edition in rows}
    found: dict[UUID, bool] = {}
    for damage in damage_of(shelf, (edition for _, edition in rows)):
        course = course_of[damage.edition.public_id]
        found[course] = found.get(course, False) or not damage.is_of_package
    return found


def made_whole(
    session: Session, shelf: Shelf, report: ImportReport, *, into: UUID | None
) -> list[tuple[Edition, Course]]:
    """Return the editions of which an import brought back what was lost, those that learners are given first.

    It is the same package for all of them; of another one that shares files with them, a course is to be made.
    With *into*, only editions of that course are looked at.
    """
    alike = [Edition.manifest == report.digest]
    if report.original is not None:  # a release that reads more of a package gives it another manifest
        alike.append(Edition.original == report.original.digest)
    query = (
        select(Edition, Course)
        .join(Course)
        .where(or_(*alike), Course.deleted.is_(None), Edition.withdrawn.is_(None))
    )
    if into is not None:
        query = query.where(Course.public_id == into)
    found = session.execute(
        query.order_by((Course.current_edition == Edition.public_id).desc().nulls_last(), Edition.id)
    )
    return [
        (edition, course)
        for edition, course in found
        if was_whole_here(session, edition) and _was_mended(shelf, edition, report.came)
    ]


def _was_mended(shelf: Shelf, edition: Edition, came: Container[str]) -> bool:
    try:
        needed = {ref.digest for ref in files_of_edition(shelf, edition)}
    except (ShelfError, StoredPackageError):
        return False
    kept = {ref.digest for ref in files_of_original(shelf, edition)}
    return any(digest in came for digest in needed | kept) and all(map(shelf.has, needed))
