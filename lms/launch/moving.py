"""Carry out, as an officer opens a course, what was decided on those in mid-course (``lms.courses.moves``).

What she has stored in a unit is kept by the unit's public id, which all editions share, and stays where it is.
What sequencing knows of her is carried over into the other edition's outline; what has no place there is put
aside with it, and comes back if she does.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from content_packages.sequencing.carry_over import carry_over
from content_packages.sequencing.event import Event, Request
from content_packages.shelf import Shelf
from lms.courses.moves import Settled, settle
from lms.courses.queries import find_edition, missing_files
from lms.launch.course import Opened, Standing, Taking, advance, open_package
from lms.launch.verdict import verdict_on


def follow_moves(
    session: Session, shelf: Shelf, taking: Taking, standing: Standing
) -> tuple[Taking, Standing]:
    """Return how she takes the course from now on; none of its launches may be open.

    Who has finished stays where she finished. Nobody is led to an edition that was withdrawn or is not whole on
    this node: she goes on as she is, and the decision is carried out another time.
    """
    if taking.kept is None:
        return taking, standing
    settled = settle(taking.moves, Settled(taking.edition, standing.followed), heard=standing.heard)
    known = tuple(move.id for move in taking.moves)
    if settled.edition == taking.edition:
        return taking, replace(standing, heard=known, followed=settled.followed)
    target = find_edition(session, settled.edition)
    if (
        target is None
        or target.withdrawn is not None
        or verdict_on(taking.opened, at_rest(taking, standing)).is_final
        or missing_files(shelf, target)
    ):
        return taking, standing
    there = replace(
        taking,
        edition=target.public_id,
        withdrawn=False,
        title=target.title,
        opened=open_package(shelf, target.manifest),
    )
    carried = carried_over(taking, standing, there.opened)
    return there, replace(carried, heard=known, followed=settled.followed)


def carried_over(taking: Taking, standing: Standing, there: Opened) -> Standing:
    """Return where she would stand in another edition; what she took with *taking* is left as it is."""
    steps = standing.steps
    standing = at_rest(taking, standing)
    state, aside = carry_over(taking.opened.tree, there.tree, standing.state, standing.aside)
    judged = standing.judged | standing.judged_aside
    has_place = {one for one in judged if there.tree.find(one) is not None}
    return replace(
        standing,
        state=state,
        judged=has_place,
        aside=aside,
        judged_aside=judged - has_place,
        refused=None,  # by the rules of the edition she leaves
        steps=steps,
    )


def as_if_left(taking: Taking, standing: Standing) -> Standing:
    """Return where she stands once all that was reported counts; what is open stays open, and ``told`` is shared."""
    return replace(at_rest(taking, standing), open=standing.open)


def at_rest(taking: Taking, standing: Standing) -> Standing:
    """Return where she would stand if she stopped for now; what a unit has reported counts then."""
    rested = replace(standing, steps=None)  # nothing that happens
    if rested.open and rested.state["current"] is not None:
        advance(taking, rested, Event(kind=Request.SUSPEND_ALL))
    return replace(rested, waiting=None, open=False)
