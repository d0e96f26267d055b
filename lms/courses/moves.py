"""Decisions that officers in mid-course go over from one edition to another.

A decision stands in the course's own record and so reaches every node that has the course, whether the officer's
laptop is in reach or not. It is carried out where she opens the course next. No clock is asked: her standing
names the decisions that were known when her edition was last settled, so that one taken before she began does
not concern her, and those she followed, so that undoing one takes back only whom it had taken along.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """Those in mid-course in edition *source* go over to *target*; editions and person by public id."""

    id: UUID
    source: UUID
    target: UUID
    decided: datetime
    by: UUID | None
    undone: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as the course keeps it."""
        return {
            "id": str(self.id),
            "source": str(self.source),
            "target": str(self.target),
            "decided": self.decided.isoformat(),
            "by": str(self.by) if self.by else None,
            "undone": self.undone.isoformat() if self.undone else None,
        }


def moves_of(kept: Iterable[Mapping[str, Any]]) -> tuple[Move, ...]:
    """Read the decisions a course keeps, in the order they were taken."""
    return tuple(
        Move(
            id=UUID(one["id"]),
            source=UUID(one["source"]),
            target=UUID(one["target"]),
            decided=datetime.fromisoformat(one["decided"]),
            by=UUID(one["by"]) if one["by"] else None,
            undone=datetime.fromisoformat(one["undone"]) if one["undone"] else None,
        )
        for one in kept
    )


class Settled(NamedTuple):
    """The edition somebody is in, and the decisions that led her there, in their order."""

    edition: UUID
    followed: tuple[UUID, ...]


def settle(moves: Sequence[Move], settled: Settled, *, heard: Iterable[UUID]) -> Settled:
    """Return where somebody belongs who is in mid-course and has *heard* of some decisions already."""
    edition, followed, known = settled.edition, list(settled.followed), set(heard)
    for move in reversed(moves):
        if move.undone is not None and move.id in followed:
            followed.remove(move.id)
            if edition == move.target:
                edition = move.source
    for move in moves:
        if move.undone is None and move.id not in known and move.source == edition:
            edition = move.target
            followed.append(move.id)
    return Settled(edition, tuple(followed))
