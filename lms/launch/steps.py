"""The launch log of an attempt: every event sequencing decided on, so that it can be walked through and taken again.

``step`` is pure, and so the log holds what went in, and a digest of what came out. A state is kept only where it is
not the one that the step before left (something else changed it meanwhile, or the first steps have gone), and now
and then besides; so what a commit adds does not grow with the attempt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

import orjson
from sqlalchemy import bindparam, delete, func, insert, select
from sqlalchemy.orm import Session

from content_packages.sequencing.event import (
    Event,
    Outcome,
    RunTime,
    event_from_json,
    event_to_json,
    outcome_to_json,
)
from content_packages.sequencing.step import step
from content_packages.sequencing.trace import Change, Ran, changes, watch
from content_packages.sequencing.tracking import State
from content_packages.sequencing.tree import ActivityTree
from lms.launch.tables import LaunchStep
from xapi_store.tables.prepared import Prepared, Values

MOST_STEPS = 1_000  # of one registration
BASE_EVERY = 100
MOST_EVENT_BYTES = 32 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """An event, what came of it, and the states around it, in an edition's tree."""

    edition: UUID
    event: Event
    outcome: Outcome
    before: State
    after: State


def write_steps(
    session: Session, registration: UUID, steps: Sequence[Step], *, attempt: int, now: datetime
) -> None:
    """Add steps to the log of a registration, which the caller holds; where it is full the oldest go.

    What a unit saves without changing what sequencing knows of it is no step.
    """
    taken = [one for one in steps if one.event.kind is not RunTime.COMMIT or one.before != one.after]
    if not taken:
        return
    connection = session.connection()
    number, after, is_whole = _LAST.first(connection, registration=registration) or (0, b"", False)
    rows: list[Values] = []
    for one in taken:
        before, ends = digest(one.before), digest(one.after)
        number += 1
        follows = is_whole and before == after and number % BASE_EVERY
        event, after = event_to_json(one.event), ends
        is_whole = len(orjson.dumps(event)) <= MOST_EVENT_BYTES
        kept = event if is_whole else {"kind": event["kind"]}
        base = None if follows else dict(one.before)
        outcome = outcome_to_json(one.outcome)
        rows.append(
            (registration, number, now, one.edition, attempt, kept, is_whole, outcome, base, before, ends)
        )
    _ADDED.change(connection, rows)
    if number > MOST_STEPS:
        _DROP.run(connection, whose=registration, until=number - MOST_STEPS)


def digest(state: State) -> bytes:
    """Return what tells a state from others."""
    return hashlib.sha256(orjson.dumps(state, option=orjson.OPT_SORT_KEYS)).digest()[:16]


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed:
    """A step of the log, and the same taken again.

    Attributes:
        is_same: ``None`` where it cannot be taken again: the event was too large to keep, or what came before is gone.
    """

    row: LaunchStep
    is_same: bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One step taken again and watched; nothing of the kind where it cannot be."""

    replayed: Replayed
    changes: tuple[Change, ...]
    ran: tuple[Ran, ...]
    is_whole: bool


def count_steps(session: Session, registration: UUID) -> tuple[int, int]:
    """Return the numbers of the first and the last step that are kept; zero where there are none."""
    first, last = session.execute(_ENDS, {"registration": registration}).one()
    return first or 0, last or 0


def steps_from(session: Session, registration: UUID, first: int, last: int) -> Sequence[LaunchStep]:
    """Return steps by their numbers, both included, and before them those back to a state that is kept."""
    wanted = {"registration": registration, "first": first, "last": last}
    begin = session.scalar(_BASE, wanted)
    return session.scalars(_STEPS, {**wanted, "first": first if begin is None else begin}).all()


def replay(
    trees: dict[UUID, ActivityTree], rows: Sequence[LaunchStep]
) -> Iterator[tuple[Replayed, State | None]]:
    """Take steps again, by the trees of their editions; yield each with the state before it."""
    state: State | None = None
    for row in rows:
        if row.base is not None:
            state = cast("State", row.base)
        before, tree = state, trees.get(row.edition)
        if state is None or tree is None or not row.is_whole or digest(state) != row.before:
            yield Replayed(row=row, is_same=None), None
            state = None
            continue
        state, outcome = step(tree, state, event_from_json(row.event))
        is_same = outcome_to_json(outcome) == row.outcome and digest(state) == row.after
        yield Replayed(row=row, is_same=is_same), before


def show(
    trees: dict[UUID, ActivityTree],
    rows: Sequence[LaunchStep],
    *,
    by_the_book: Callable[[UUID], ActivityTree] | None = None,
) -> Shown:
    """Take the last of some steps again, and watch it: in a tree without short-cuts, where one is given."""
    *_, (replayed, before) = replay(trees, rows)
    if before is None:
        return Shown(replayed=replayed, changes=(), ran=(), is_whole=True)
    edition = replayed.row.edition
    tree = trees[edition] if by_the_book is None else by_the_book(edition)
    seen = watch(tree, before, event_from_json(replayed.row.event))
    return Shown(
        replayed=replayed,
        changes=tuple(changes(before, seen.state)),
        ran=seen.ran,
        is_whole=seen.is_whole,
    )


_OF = LaunchStep.registration == bindparam("registration")
# The first three for every commit that sequencing hears of.
_LAST = Prepared(
    select(LaunchStep.number, LaunchStep.after, LaunchStep.is_whole)
    .where(_OF)
    .order_by(LaunchStep.number.desc())
    .limit(1)
)
_ADDED = Prepared(
    insert(LaunchStep).inline(),
    columns=(
        "registration", "number", "at", "edition", "attempt", "event", "is_whole", "outcome", "base", "before",
        "after",
    ),
)  # fmt: skip
_DROP = Prepared(
    delete(LaunchStep).where(
        LaunchStep.registration == bindparam("whose"), LaunchStep.number <= bindparam("until")
    )
)
_ENDS = select(func.min(LaunchStep.number), func.max(LaunchStep.number)).where(_OF)
_BASE = select(func.max(LaunchStep.number)).where(
    _OF, LaunchStep.number <= bindparam("first"), LaunchStep.base.is_not(None)
)
_STEPS = (
    select(LaunchStep)
    .where(_OF, LaunchStep.number.between(bindparam("first"), bindparam("last")))
    .order_by(LaunchStep.number)
)
