"""How far each log was seen: one head per (origin, epoch, scope).

A log is what one origin wrote in one epoch for one scope. A node holds every log from its first entry up to
a head, without gaps, so one number says all. The root beside the number is the Merkle root of the last
segment held: two nodes with the same number and different roots have met a forked log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import NamedTuple

from sync.canonical import canonical_json, digest_of


class LogKey(NamedTuple):
    """Which log: who wrote it, in which of its lives, for whom."""

    origin: str
    epoch: str
    scope: str


class Head(NamedTuple):
    """How far a log is held: the last entry's number, and the root of the segment that ends there."""

    seq: int
    root: str


Vector = Mapping[LogKey, Head]

NOTHING = Head(0, "")


class Relation(Enum):
    """How what one node holds relates to what another holds."""

    EQUAL = "equal"
    BEHIND = "behind"
    AHEAD = "ahead"
    APART = "apart"


def merged(ours: Vector, theirs: Vector) -> dict[LogKey, Head]:
    """Return, for every log, the farther head.

    >>> a, b = LogKey("a", "1", "up"), LogKey("b", "1", "up")
    >>> merged({a: Head(4, "x")}, {a: Head(2, "w"), b: Head(1, "z")}) == {a: Head(4, "x"), b: Head(1, "z")}
    True
    """
    result = dict(ours)
    for key, head in theirs.items():
        if head > result.get(key, NOTHING):
            result[key] = head
    return result


def ahead(ours: Vector, theirs: Vector) -> dict[LogKey, Head]:
    """Return, per log of which we hold more, the head at which the other side stands.

    >>> a = LogKey("a", "1", "up")
    >>> ahead({a: Head(4, "x")}, {})
    {LogKey(origin='a', epoch='1', scope='up'): Head(seq=0, root='')}
    """
    return {
        key: theirs.get(key, NOTHING) for key, head in ours.items() if head.seq > theirs.get(key, NOTHING).seq
    }


def forks(ours: Vector, theirs: Vector) -> list[LogKey]:
    """Return the logs that stand at the same number with different content."""
    return sorted(
        key
        for key, head in ours.items()
        if key in theirs and theirs[key].seq == head.seq and theirs[key].root != head.root
    )


def relation(ours: Vector, theirs: Vector) -> Relation:
    """Say who holds more; ``APART`` when each holds something the other lacks."""
    we_lead, they_lead = bool(ahead(ours, theirs)), bool(ahead(theirs, ours))
    if we_lead and they_lead:
        return Relation.APART
    if we_lead:
        return Relation.AHEAD
    return Relation.BEHIND if they_lead else Relation.EQUAL


def covers(vector: Vector, key: LogKey, seq: int) -> bool:
    """Say whether entry ``seq`` of a log is inside the vector."""
    return seq <= vector.get(key, NOTHING).seq


def changed(now: Vector, before: Vector) -> dict[LogKey, Head]:
    """Return the heads that are new or different since ``before``."""
    return {key: head for key, head in now.items() if before.get(key) != head}


def vector_digest(vector: Vector) -> str:
    """Return 32 hexadecimal digits that two nodes share only when they hold the same."""
    return digest_of(canonical_json(rows(vector)))[:32]


def rows(vector: Vector) -> list[tuple[str, str, str, int, str]]:
    """Return the vector as sorted rows of plain values, the form in which it is signed, sent and kept."""
    return [(*key, *head) for key, head in sorted(vector.items())]


def from_rows(listed: Iterable[Iterable[str | int]]) -> dict[LogKey, Head]:
    """Read rows back.

    Raises:
        ValueError: a row has other than five fields, or a number below zero.
    """
    result = {}
    for origin, epoch, scope, seq, root in listed:
        if int(seq) < 0:
            raise ValueError("a head is never below zero")
        result[LogKey(str(origin), str(epoch), str(scope))] = Head(int(seq), str(root))
    return result
