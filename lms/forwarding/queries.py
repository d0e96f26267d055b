"""Look at targets, how far they are, and what they refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, exists, func, or_, select
from sqlalchemy.orm import Session

from lms.forwarding.errors import TargetNotFoundError
from lms.forwarding.tables import DeadLetter, Target, TargetState
from lms.web.paging import ROWS, Page, first_row
from xapi_store.counts import positions_taken
from xapi_store.feed import newest_position


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """One target as people ask about it; ``lag`` counts positions of the feed that it has still to see."""

    target: Target
    lag: int
    refused: int


def targets(session: Session) -> Sequence[Target]:
    """Return all targets, by name."""
    return session.scalars(select(Target).order_by(Target.name)).all()


def find_target(session: Session, name: str) -> Target:
    """Return the target of a name.

    Raises:
        TargetNotFoundError: there is none.
    """
    found = session.scalars(select(Target).where(Target.name == name)).one_or_none()
    if found is None:
        raise TargetNotFoundError(target=name)
    return found


def get_target(session: Session, target_id: int) -> Target:
    """Return a target by its number.

    Raises:
        TargetNotFoundError: there is none.
    """
    found = session.get(Target, target_id)
    if found is None:
        raise TargetNotFoundError(target=target_id)
    return found


def standings(session: Session) -> Sequence[Standing]:
    """Return how every target stands, by name."""
    newest = newest_position(session)
    counted = select(DeadLetter.target_id, func.count()).group_by(DeadLetter.target_id)
    refused = {row[0]: row[1] for row in session.execute(counted)}
    return [
        Standing(
            target=one, lag=positions_taken(session, one.cursor + 1, newest), refused=refused.get(one.id, 0)
        )
        for one in targets(session)
    ]


def standing_of(session: Session, target: Target) -> Standing:
    """Return how one target stands."""
    refused = select(func.count()).select_from(DeadLetter).where(DeadLetter.target_id == target.id)
    return Standing(
        target=target,
        lag=positions_taken(session, target.cursor + 1, newest_position(session)),
        refused=session.scalar(refused) or 0,
    )


def dead_letters(session: Session, target: Target | None = None) -> Sequence[tuple[Target, DeadLetter]]:
    """Return what one target refused, or all, oldest first."""
    query = select(Target, DeadLetter).join(DeadLetter, DeadLetter.target_id == Target.id)
    if target is not None:
        query = query.where(Target.id == target.id)
    return [(row[0], row[1]) for row in session.execute(query.order_by(Target.name, DeadLetter.id))]


def dead_letters_page(session: Session, target: Target, *, number: int = 1) -> Page[DeadLetter]:
    """Return one page of what a target refused, oldest first."""
    theirs = DeadLetter.target_id == target.id
    return Page(
        rows=session.scalars(
            select(DeadLetter).where(theirs).order_by(DeadLetter.id).offset(first_row(number)).limit(ROWS)
        ).all(),
        number=max(number, 1),
        total=session.scalar(select(func.count()).select_from(DeadLetter).where(theirs)) or 0,
    )


def asked_again(session: Session, target: Target, *, limit: int) -> Sequence[DeadLetter]:
    """Return refused statements that somebody asked to send once more, oldest first."""
    return session.scalars(
        select(DeadLetter)
        .where(DeadLetter.target_id == target.id, DeadLetter.replay_asked)
        .order_by(DeadLetter.id)
        .limit(limit)
    ).all()


def is_due(target: Target, now: datetime) -> bool:
    """Return whether something may be sent to a target now."""
    return target.state == TargetState.RUNNING and (target.retry_at is None or target.retry_at <= now)


def due(session: Session, *, now: datetime) -> Sequence[int]:
    """Return the numbers of the targets for which there is something to do."""
    waiting = session.connection().execute(_RUNNING, {"now": now}).all()
    if not waiting:
        return ()
    newest = newest_position(session)
    return [row.id for row in waiting if row.cursor < newest or row.asked]


# Made once: asked after everything that is written.
_RUNNING = select(
    Target.id,
    Target.cursor,
    exists().where(DeadLetter.target_id == Target.id, DeadLetter.replay_asked).label("asked"),
).where(
    Target.state == TargetState.RUNNING,
    or_(Target.retry_at.is_(None), Target.retry_at <= bindparam("now")),
)
