"""Carry out, as an officer opens a course of units, what was decided on those in mid-course (``lms.courses.moves``).

The registration goes on: it is her enrolment (cmi5 3.0), and that has not changed. A unit is the same where its id is;
it keeps the activity id it was launched under before (8.1.5), so what it has stored is there, and what counts of it
counts on. What a block of the new edition asks for and is done already is said to be satisfied at once; nothing
is said twice (9.3.9). Of units that are gone the record is kept, and counts again if she goes back.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from lms.cmi5.actions import go_over
from lms.cmi5.registrations import Outline, hold_registrations, open_outline
from lms.cmi5.tables import Registration
from lms.courses.moves import Settled, settle
from lms.courses.queries import find_edition, missing_files
from lms.launch.actions import Desk


def follow_moves(
    session: Session, desk: Desk, row: Registration, outline: Outline, *, now: datetime
) -> Outline:
    """Return the edition in which the registration goes on.

    Who has finished stays where she finished. Nobody is led to an edition that was withdrawn or is not whole on this
    node: she goes on as she is, and the decision is carried out another time.
    """
    hold_registrations(session, [row.registration])
    followed = tuple(map(UUID, row.followed))
    settled = settle(outline.moves, Settled(row.edition, followed), heard=map(UUID, row.heard))
    target = outline
    if settled.edition != row.edition:
        edition = find_edition(session, settled.edition)
        if (
            is_finished(row, outline)
            or edition is None
            or edition.withdrawn is not None
            or missing_files(desk.shelf, edition)
        ):
            return outline
        target = open_outline(session, desk.shelf, row.course, held=settled.edition)
        go_over(session, desk, row, outline, target, now=now)
    row.heard = [str(move.id) for move in outline.moves]
    row.followed = [str(one) for one in settled.followed]
    session.flush()
    return target


def is_finished(row: Registration, outline: Outline) -> bool:
    """Say whether nothing of the course is left to do."""
    return outline.package.root.identifier in row.told
