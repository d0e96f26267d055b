"""What a node lacks of courses, and tells those above: what its people need, and what it has no room for.

It is told when it changes, not when the room does: which courses are concerned is news, a few megabytes are not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.carrying.rules import ASKED
from lms.carrying.tables import Lack
from sync.node import standing

KIND: Final = "carrying"
MOST_TOLD: Final = 100


class NoRoom(BaseModel):
    """A course for which there is no room, and how many bytes of it are to come."""

    model_config = ConfigDict(frozen=True)

    course: UUID
    bytes: int = Field(ge=0, lt=2**53)


class LackTold(BaseModel):
    """What one node tells, as it travels.

    Attributes:
        needed: courses that people there take, or that somebody asked for, and that are not there.
        no_room: courses that are to come and find no room, the most needed first.
        room: bytes of files that the node may take now.
        told: when, by its own clock.
    """

    model_config = ConfigDict(frozen=True)

    needed: list[UUID] = Field(max_length=MOST_TOLD)
    no_room: list[NoRoom] = Field(max_length=MOST_TOLD)
    room: int = Field(ge=0, lt=2**63)
    told: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Wished:
    """A course on its way: how much it is needed, and how many bytes of it are wished for."""

    course: UUID
    rank: int
    bytes: int


def lack_of(wished: Collection[Wished], *, room: int, now: datetime) -> LackTold:
    """Return what is lacking where so much is wished for and there is so much room; no I/O."""
    in_order = sorted(wished, key=lambda one: (one.rank, one.bytes))
    left, no_room = room, list[NoRoom]()
    for one in in_order:
        left -= one.bytes
        if left < 0:
            no_room.append(NoRoom(course=one.course, bytes=one.bytes))
    needed = sorted(one.course for one in in_order if one.rank <= ASKED)
    return LackTold(needed=needed[:MOST_TOLD], no_room=no_room[:MOST_TOLD], room=room, told=now)


def note_lack(session: Session, lack: LackTold) -> bool:
    """Have what this node lacks told to those above, if it is other than what was told; say whether it is."""
    me = standing(session)
    if me.decides:
        return False
    row = session.get(Lack, me.certificate.node)
    if row is None:
        if not lack.needed and not lack.no_room:
            return False
        row = Lack(node=me.certificate.node, position=0)
        session.add(row)
    elif (set(row.needed), {one["course"] for one in row.no_room}) == (
        {str(one) for one in lack.needed},
        {str(one.course) for one in lack.no_room},
    ):
        return False
    _write(row, lack)
    row.position += 1
    session.flush()
    return True


def take_lack(session: Session, node: str, lack: LackTold) -> bool:
    """Keep what another node tells; say whether it was news."""
    row = session.get(Lack, node)
    if row is None:
        row = Lack(node=node)
        session.add(row)
    elif row.told >= lack.told:
        return False
    _write(row, lack)
    session.flush()
    return True


def own_lack(session: Session, *, after: int) -> Lack | None:
    """Return what this node tells, if that changed behind a position."""
    return session.scalars(
        select(Lack).where(Lack.node == standing(session).certificate.node, Lack.position > after)
    ).one_or_none()


def lack_told_by(session: Session, node: str) -> Lack | None:
    """Return what a node told last that it lacks."""
    return session.get(Lack, node)


def needed_below(session: Session) -> frozenset[UUID]:
    """Return the courses that are needed on nodes below this one, and are not there."""
    me = standing(session).certificate.node
    rows: Sequence[list[str]] = session.scalars(select(Lack.needed).where(Lack.node != me)).all()
    return frozenset(UUID(course) for needed in rows for course in needed)


def described(row: Lack) -> Mapping[str, Any]:
    """Return what a node tells, as it travels."""
    told = LackTold(needed=row.needed, no_room=row.no_room, room=row.room, told=row.told)
    return told.model_dump(mode="json")


def _write(row: Lack, lack: LackTold) -> None:
    row.needed = [str(one) for one in lack.needed]
    row.no_room = [one.model_dump(mode="json") for one in lack.no_room]
    row.room, row.told = lack.room, lack.told
