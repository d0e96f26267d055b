"""What was done in one sitting: the launches of a registration that followed one another without a long break."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

Launched = TypeVar("Launched", bound="Opened")
BREAK = timedelta(minutes=30)  # a longer one between two launches makes two sittings


class Opened(Protocol):
    """One launch of a unit, of whatever standard."""

    @property
    def created(self) -> datetime:
        """When it was launched."""

    @property
    def last_seen(self) -> datetime:
        """When it was heard of last."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """What was done in one unit; ``said`` is what it came to, in verbs such as completed or passed."""

    identifier: str  # titles may be alike
    title: str
    said: tuple[str, ...]
    seconds: int
    learning_seconds: int

    @property
    def minutes(self) -> int:
        """Learning time, rounded up."""
        return in_minutes(self.learning_seconds)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sitting:
    """A sitting, unit by unit, in the order they were opened."""

    units: tuple[Done, ...]

    @property
    def minutes(self) -> int:
        """Learning time, rounded up."""
        return in_minutes(sum(one.learning_seconds for one in self.units))

    @property
    def minutes_with_pauses(self) -> int:
        """The time from beginning to end of its sessions, rounded up."""
        return in_minutes(sum(one.seconds for one in self.units))


def in_minutes(seconds: int) -> int:
    """Return seconds as people are told them: in minutes, rounded up."""
    return -(-seconds // 60)


def last_sitting(launches: Iterable[Launched]) -> list[Launched]:
    """Return the launches of the last sitting, oldest first; *launches* come newest first."""
    found: list[Launched] = []
    for one in launches:
        if found and found[-1].created - one.last_seen > BREAK:
            break
        found.append(one)
    return found[::-1]


def sum_up(units: Sequence[Done]) -> Sitting:
    """Put what was done in one unit at several times together."""
    together: dict[str, Done] = {}
    for one in units:
        before = together.get(one.identifier)
        together[one.identifier] = (
            one
            if before is None
            else Done(
                identifier=one.identifier,
                title=one.title,
                said=tuple(dict.fromkeys((*before.said, *one.said))),
                seconds=before.seconds + one.seconds,
                learning_seconds=before.learning_seconds + one.learning_seconds,
            )
        )
    return Sitting(units=tuple(together.values()))
