"""When a peer is met by itself: terms, rests after good meetings and bad ones, as pure functions.

Instants carry the zone by which people set quiet hours and days begin: the node's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

SOON: Final = timedelta(minutes=10)
REST: Final = timedelta(hours=1)
FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(minutes=30)
LONGEST_REST: Final = REST * 1.1
LEAST_BYTES: Final = 4_096  # with less a greeting is not begun
LEAST_BUDGET: Final = 10_000  # of a day


def clock(minutes: int) -> str:
    """Return a time of day, as browsers write it too.

    >>> clock(6 * 60 + 5)
    '06:05'
    """
    return f"{minutes // 60:02}:{minutes % 60:02}"


@dataclass(frozen=True, slots=True)
class Quiet:
    """The hours in which nothing may pass, in minutes after midnight; ``to`` before ``begin`` is of the next day."""

    begin: int
    to: int

    def __post_init__(self) -> None:
        if self.begin == self.to:
            raise ValueError("quiet hours begin and end at two times")

    def __str__(self) -> str:
        """Return the hours as people write them.

        >>> str(Quiet(22 * 60, 6 * 60))
        '22:00-06:00'
        """
        return f"{clock(self.begin)}-{clock(self.to)}"

    def end_after(self, now: datetime) -> datetime | None:
        """Return when the quiet ends that covers a moment; ``None`` where none does.

        >>> Quiet(22 * 60, 6 * 60).end_after(datetime(2026, 11, 28, 23, 30))
        datetime.datetime(2026, 11, 29, 6, 0)
        """
        minute = now.hour * 60 + now.minute
        crosses = self.to <= self.begin
        covered = (minute >= self.begin or minute < self.to) if crosses else self.begin <= minute < self.to
        if not covered:
            return None
        end = _midnight(now) + timedelta(minutes=self.to)
        return end if end > now else end + timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What people have decided about the link to a peer; ``bytes_per_day`` counts both ways together."""

    by_hand: bool = False
    quiet: Quiet | None = None
    bytes_per_day: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How things stand with a peer.

    Attributes:
        asked: a person wants it met.
        all_the_same: whatever the terms.
        spent: bytes that have passed today.
        used_up: what is left of today's was too little for the next request.
        due: when it is met in any case; ``None``: at once.
        soon: when it is met if something waits for it.
        tries: in a row, in vain.
        waits: something does.
    """

    asked: bool = False
    all_the_same: bool = False
    spent: int = 0
    used_up: bool = False
    due: datetime | None = None
    soon: datetime | None = None
    tries: int = 0
    waits: bool = False


_NOTHING_SPENT = Standing()


class Why(StrEnum):
    """What a peer that is not met now waits for."""

    NOTHING = "nothing"
    REST = "rest"
    SILENT = "silent"
    QUIET = "quiet"
    BUDGET = "budget"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True)
class Turn:
    """When a peer is met next, by itself or as asked (``None``: never), and what it waits for."""

    at: datetime | None
    why: Why


def when(terms: Terms, standing: Standing, *, now: datetime) -> Turn:
    """Return when a peer is met next; *now* is in the node's zone."""
    if standing.asked:
        turn = Turn(now, Why.NOTHING)
    elif terms.by_hand:
        return Turn(None, Why.BY_HAND)
    else:
        turn = _by_itself(standing, now)
    if standing.asked and standing.all_the_same:
        return turn
    at, why = turn.at or now, turn.why
    for _ in range(2):  # a day that begins in quiet hours begins after them
        held = held_until(terms, standing if at.date() == now.date() else _NOTHING_SPENT, now=at)
        if held.at is not None:
            at, why = held.at, held.why
    return Turn(at, why)


def held_until(terms: Terms, standing: Standing, *, now: datetime) -> Turn:
    """Return until when the terms keep a peer from being met (``at`` is ``None`` where they do not), and which do."""
    quiet_ends = terms.quiet.end_after(now) if terms.quiet else None
    if quiet_ends is not None:
        return Turn(quiet_ends, Why.QUIET)
    allowed = terms.bytes_per_day
    if allowed is not None and (standing.used_up or allowed - standing.spent < LEAST_BYTES):
        return Turn(_midnight(now) + timedelta(days=1), Why.BUDGET)
    return Turn(None, Why.NOTHING)


def rest_after(tries: int, *, dice: Callable[[], float]) -> timedelta:
    """Return how long to rest after a meeting: an hour or so after a good one, ever longer after tries in vain.

    >>> rest_after(0, dice=lambda: 0.5), rest_after(1, dice=lambda: 1.0), rest_after(99, dice=lambda: 1.0)
    (datetime.timedelta(seconds=3600), datetime.timedelta(seconds=60), datetime.timedelta(seconds=1800))
    """
    if tries == 0:
        return REST * (0.9 + dice() * 0.2)
    longest = min(FIRST_PAUSE * 2.0 ** min(tries - 1, 16), LONGEST_PAUSE)
    return longest * (0.5 + dice() / 2)


def _by_itself(standing: Standing, now: datetime) -> Turn:
    due = standing.due
    if standing.soon is not None and standing.waits and (due is None or standing.soon < due):
        due = standing.soon
    # What is further off than any rest was noted by a clock that has been put right since.
    if due is None or due <= now or due - now > LONGEST_REST:
        return Turn(now, Why.NOTHING)
    return Turn(due, Why.SILENT if standing.tries else Why.REST)


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
