"""Which courses' files this node wishes for, and how much: looked at again whenever that may have changed.

A course that others decided stands in the catalogue at once. Whether its files come is another question, with another
answer on each node and another one tomorrow (``lms.carrying``), so no record waits for them: the node wishes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from content_packages.errors import FileMissingError, StoredPackageError
from content_packages.shelf import Shelf
from lms.carrying.lacks import Wished, lack_of, note_lack
from lms.carrying.queries import needs_here
from lms.courses.actions import switch_on_complete
from lms.courses.queries import describe_course, editions_of
from lms.courses.shelving import was_whole_here
from lms.courses.tables import Course
from lms.streams.course_files import lacking
from sync import wishes
from sync.ports import BlobRef

log = logging.getLogger(__name__)


class CourseWishes:
    """Answers ``sync.ports.Wishes``; a wish goes by the public id of its course."""

    def __init__(self, shelf: Shelf, *, new_id: Callable[[], UUID], leave_free: int) -> None:
        self._shelf = shelf
        self._new_id = new_id
        self._leave_free = leave_free

    def came(self, session: Session, name: str) -> None:
        """Wish for what a manifest names that came, or give learners the edition that is whole now."""
        self.settle(session, [UUID(name)])

    def look(self, session: Session) -> None:
        """Look again at all courses: who learns here, and what she takes, may have changed."""
        self.settle(session)
        self._tell_lack(session)

    def settle(self, session: Session, courses: Collection[UUID] | None = None) -> None:
        """Wish for the files that these courses lack here, as much as they are needed; for all, where the need changed.

        Which files a course lacks is only found out anew for *courses*, or where its need changed.
        """
        coming = _coming(session, courses)
        needs, wished = needs_here(session, coming) if coming else {}, wishes.ranks(session)
        for course in coming:
            name, rank = str(course.public_id), needs.get(course.public_id)
            course.carried = rank is not None
            if rank is not None and course.removed is not None:  # somebody was enrolled since
                course.asked, course.removed = datetime.now(UTC), None
            if rank is not None and (courses is not None or wished.get(name) != rank):
                files, leads = self._lacking(session, course)
                wishes.wish(session, name, files, rank=rank, leads=leads)
        about = wished.keys() if courses is None else wished.keys() & {str(one) for one in courses}
        if given_up := about - {str(one) for one in needs}:
            wishes.forget(session, given_up)
        session.flush()
        if needs:
            switch_on_complete(session, self._shelf, new_id=self._new_id)

    def _tell_lack(self, session: Session) -> None:
        """Have those above hear what is needed here and not here, and what finds no room, if that changed."""
        sizes, ranks = wishes.bytes_wished(session), wishes.ranks(session)
        wished = [Wished(course=UUID(name), rank=rank, bytes=sizes[name]) for name, rank in ranks.items()]
        room = max(0, self._shelf.free() - self._leave_free)
        note_lack(session, lack_of(wished, room=room, now=datetime.now(UTC)))

    def _lacking(self, session: Session, course: Course) -> tuple[tuple[BlobRef, ...], bool]:
        """Return what a course lacks of the edition that comes, and of those that were here before it was removed.

        And whether there is a manifest among it, which names more.
        """
        described = describe_course(session, course.public_id)
        editions = editions_of(session, course)
        sizes = {one.manifest: one.manifest_size for one in editions if one.manifest_size is not None}
        again = [one for one in editions if course.asked is not None and was_whole_here(session, one)]
        wanted = {str(course.coming_edition), *(str(one.public_id) for one in again)}
        try:
            found = lacking(self._shelf, described or {}, sizes, editions=wanted)
        except (StoredPackageError, FileMissingError) as error:  # of a newer release: read after an upgrade
            log.warning("course_not_read", extra={"course": str(course.public_id), "why": str(error)})
            return (), False
        manifests = {one.manifest for one in editions}
        return found or (), any(one.digest in manifests for one in found or ())


def _coming(session: Session, courses: Collection[UUID] | None) -> Sequence[Course]:
    """Return the courses of which an edition is given that is not here."""
    query = select(Course).where(Course.coming_edition.is_not(None), Course.deleted.is_(None))
    if courses is not None:
        query = query.where(Course.public_id.in_(courses))
    return session.scalars(query.order_by(Course.id)).all()
