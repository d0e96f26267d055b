"""Which files on the shelf are named, by which edition; the sweep of all others.

A row names a manifest, the manifest names files; the edition also names the original it was imported from, and that the
pieces it is made of.
Whoever is about to write such a row claims the files first (``Shelf.claim``), which keeps them for :data:`GRACE`. So
what a sweep takes was neither named when it looked, nor claimed for a day before.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from content_packages.errors import FileMissingError, ShelfError, StoredPackageError
from content_packages.original import load_original
from content_packages.package import load_package
from content_packages.shelf import PARTS, FileRef, Shelf
from lms.courses.tables import Course, Edition, OutlineItem
from lms.database import Database

log = logging.getLogger(__name__)

GRACE = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """What is named: files by digest, and the editions whose manifest cannot tell any more what it named.

    Attributes:
        files: every digest, manifests and originals included.
        unreadable: editions that were whole here once and whose manifest is missing or damaged now.
    """

    files: frozenset[str]
    unreadable: tuple[Edition, ...]


def named_files(session: Session, shelf: Shelf, *, offered: Iterable[str] = ()) -> Named:
    """Return what is named by editions of courses that are not deleted; of those removed here, their manifests alone.

    The manifests say what is to be fetched, should somebody want the course again. Nor does the original of a course go
    that was imported here: it is nowhere else.

    Args:
        session: to read with.
        shelf: where the manifests are.
        offered: manifests of courses that are on their way, which no edition names yet.
    """
    found: set[str] = set()
    unreadable: list[Edition] = []
    query = select(Edition, Course.removed).join(Course).where(Course.deleted.is_(None))
    for edition, removed in session.execute(query.order_by(Edition.id)):
        found.add(edition.manifest)
        found.update(ref.digest for ref in files_of_original(shelf, edition))
        if removed is not None:
            continue
        files = _files_of(shelf, edition.manifest)
        if files is None and was_whole_here(session, edition):
            unreadable.append(edition)
        found |= files or frozenset()
    for manifest in offered:
        found.add(manifest)
        found |= _files_of(shelf, manifest) or frozenset()
    return Named(files=frozenset(found), unreadable=tuple(unreadable))


def files_of_one_course(
    session: Session, shelf: Shelf, *, offered: Iterable[str] = ()
) -> dict[UUID, dict[str, FileRef]]:
    """Return, by the courses' public ids, the files here that no other course names, nor an original, nor an offer.

    These are what the removal of a course would free: what it shares stays. Manifests stay, too. A course of which a
    manifest cannot be read is left out.
    """
    owners: dict[str, UUID | None] = {}
    files: dict[UUID, dict[str, FileRef]] = {}
    unread: set[UUID] = set()
    query = select(Edition, Course.public_id).join(Course)
    query = query.where(Course.deleted.is_(None), Course.removed.is_(None)).order_by(Edition.id)
    for edition, course in session.execute(query):
        owners.update((ref.digest, None) for ref in files_of_original(shelf, edition))
        try:
            named = load_package(shelf, edition.manifest).files.values()
        except FileMissingError:
            continue
        except (ShelfError, StoredPackageError):
            unread.add(course)
            continue
        own = files.setdefault(course, {})
        for ref in named:
            if owners.setdefault(ref.digest, course) == course:
                own[ref.digest] = ref
            else:
                owners[ref.digest] = None
    for manifest in offered:
        owners.update((digest, None) for digest in _files_of(shelf, manifest) or ())
    return {
        course: {
            digest: ref for digest, ref in some.items() if owners[digest] == course and shelf.has(digest)
        }
        for course, some in files.items()
        if course not in unread
    }


def files_of_edition(shelf: Shelf, edition: Edition) -> list[FileRef]:
    """Return the files that learners need of an edition, its manifest first.

    Raises:
        FileMissingError: the manifest is not here.
        StoredPackageError: it cannot be read.
    """
    package = load_package(shelf, edition.manifest)
    refs = {
        edition.manifest: FileRef(digest=edition.manifest, size=shelf.path(edition.manifest).stat().st_size)
    }
    refs |= {ref.digest: ref for ref in package.files.values()}
    return list(refs.values())


def files_of_original(shelf: Shelf, edition: Edition) -> list[FileRef]:
    """Return what the original of an edition is made of, first what says how; that alone if it cannot be read."""
    if edition.original is None:
        return []
    try:
        pieces = load_original(shelf, edition.original).files()
        size = shelf.path(edition.original).stat().st_size
    except (ShelfError, StoredPackageError):
        return [FileRef(digest=edition.original, size=0)]
    return [FileRef(digest=edition.original, size=size), *pieces]


def find_named(session: Session, shelf: Shelf, digest: str) -> FileRef | None:
    """Return a file as editions of courses that are not deleted name it, with the size it should have.

    Of a manifest, and of what says how an original is put together, nobody but the file itself knows the size.
    """
    for edition in session.scalars(select(Edition).join(Course).where(Course.deleted.is_(None))):
        if digest in {edition.manifest, edition.original}:
            seen = shelf.stamp(digest)
            return FileRef(digest=digest, size=0 if seen is None else seen.size)
        with suppress(ShelfError, StoredPackageError):
            for ref in (*files_of_edition(shelf, edition), *files_of_original(shelf, edition)):
                if ref.digest == digest:
                    return ref
    return None


def editions_here(session: Session) -> list[tuple[Edition, Course]]:
    """Return the editions that should be whole on this node: that were once, and were neither withdrawn nor removed."""
    query = select(Edition, Course).join(Course).where(Course.deleted.is_(None), Edition.withdrawn.is_(None))
    query = query.where(Course.removed.is_(None))
    rows = session.execute(query.order_by(Course.title, Edition.number))
    return [(edition, course) for edition, course in rows if was_whole_here(session, edition)]


@dataclass(kw_only=True)
class Sweeper:
    """Takes away, in steps, what nothing names. One step is one folder of the shelf.

    Args:
        offered: the manifests of courses that are on their way here.
    """

    database: Database
    shelf: Shelf
    now: Callable[[], datetime]
    offered: Callable[[Session], Collection[str]]
    _left: list[str] = field(default_factory=list)
    _keep: frozenset[str] = frozenset()
    _before: datetime | None = None

    def step(self) -> bool:
        """Sweep one folder; say whether more are left of this round."""
        if not self._left and not self._begin():
            return False
        assert self._before is not None  # noqa: S101 - set as the round began
        swept = self.shelf.sweep(self._keep, before=self._before, parts=[self._left.pop()])
        if swept.files:
            log.info("shelf_swept", extra={"files": swept.files, "bytes": swept.size})
        return bool(self._left)

    def _begin(self) -> bool:
        self._before = (
            self.now() - GRACE
        )  # before the rows are read: what is named meanwhile was claimed since
        self.shelf.sweep_incoming(before=self._before)
        with self.database.read() as session:
            named = named_files(session, self.shelf, offered=self.offered(session))
        if named.unreadable:
            log.warning("shelf_not_swept", extra={"unreadable": len(named.unreadable)})
            return False
        self.shelf.forget_lost(but=named.files)
        self._keep, self._left = named.files, list(PARTS)
        return True


def _files_of(shelf: Shelf, manifest: str) -> frozenset[str] | None:
    """Return what a manifest names; one whose bytes have changed may name anything."""
    try:
        return load_package(shelf, manifest).digests()
    except (ShelfError, StoredPackageError):
        return None


def was_whole_here(session: Session, edition: Edition) -> bool:
    """Say whether the edition's outline was read here, which is done when its last file has come."""
    laid_out = select(OutlineItem.position).where(OutlineItem.edition_id == edition.id).limit(1)
    return session.scalar(laid_out) is not None
