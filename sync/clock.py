"""A hybrid logical clock: near the wall clock, never backwards, whatever the battery did.

After Kulkarni et al., "Logical Physical Clocks" (2014). A laptop whose clock fell to 1970 still orders its
own records; one whose clock runs ten years ahead drags nobody else along, because what comes from
elsewhere moves our clock by at most ``MOST_AHEAD_MS``.
"""

from __future__ import annotations

from typing import NamedTuple

MOST_AHEAD_MS = 24 * 60 * 60 * 1000


class Stamp(NamedTuple):
    """When something was recorded: milliseconds of the wall clock, then a counter within them."""

    wall_ms: int
    counter: int


BEGINNING = Stamp(0, 0)


def tick(last: Stamp, now_ms: int) -> Stamp:
    """Return the stamp of a local change made at ``now_ms``; always later than ``last``.

    >>> tick(Stamp(100, 0), 105), tick(Stamp(100, 0), 40)
    (Stamp(wall_ms=105, counter=0), Stamp(wall_ms=100, counter=1))
    """
    if now_ms > last.wall_ms:
        return Stamp(now_ms, 0)
    return Stamp(last.wall_ms, last.counter + 1)


def observe(last: Stamp, seen: Stamp, now_ms: int) -> Stamp:
    """Return where our clock stands once ``seen`` came in from elsewhere.

    A stamp more than a day ahead of ``now_ms`` is taken as if it were a day ahead.
    """
    return max(last, clamped(seen, now_ms))


def clamped(seen: Stamp, now_ms: int) -> Stamp:
    """Return ``seen``, or the latest stamp believed at ``now_ms`` when it lies beyond."""
    return min(seen, Stamp(now_ms + MOST_AHEAD_MS, 0))


def is_suspect(seen: Stamp, now_ms: int) -> bool:
    """Say whether a stamp lies so far ahead that reports should flag it."""
    return seen.wall_ms > now_ms + MOST_AHEAD_MS
