"""Which of two versions stands: union, last writer, authority. Pure, and the same on every node.

Nothing here looks inside a record. The adapters in ``lms.streams`` compare what they hold with what came
and do as told; the loser of a real conflict is kept and listed, never dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from sync.clock import Stamp


class Decision(Enum):
    """What to do with the version that came in."""

    SAME = "same"
    TAKE = "take"
    KEEP = "keep"


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """One version of a thing that changes: who wrote it when, and which writes it had seen.

    ``seen`` counts writes per node, the writer's own included. Without it (empty) only the clock decides
    and every change counts as having seen what was there before it.
    """

    stamp: Stamp
    origin: str
    seen: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ruling:
    """The decision, and whether the loser was written without knowledge of the winner."""

    decision: Decision
    conflict: bool = False


def union(ours: bytes | None, theirs: bytes) -> Ruling:
    """Rule for things that never change: take what is new; other content under a known id is a conflict.

    ``ours`` and ``theirs`` are digests or canonical forms; ``None`` when nothing is held.

    >>> union(None, b"x").decision, union(b"x", b"x").decision, union(b"x", b"y").conflict
    (<Decision.TAKE: 'take'>, <Decision.SAME: 'same'>, True)
    """
    if ours is None:
        return Ruling(Decision.TAKE)
    return Ruling(Decision.SAME) if ours == theirs else Ruling(Decision.KEEP, conflict=True)


def last_writer(ours: Version | None, theirs: Version) -> Ruling:
    """Rule for opaque state: a version that saw the other stands; otherwise the later one, and a conflict.

    Equal stamps are decided by the origin's id, so that every node decides alike.
    """
    if ours is None:
        return Ruling(Decision.TAKE)
    if (ours.stamp, ours.origin, ours.seen) == (theirs.stamp, theirs.origin, theirs.seen):
        return Ruling(Decision.SAME)
    they_saw_ours = _includes(theirs.seen, ours.seen)
    we_saw_theirs = _includes(ours.seen, theirs.seen)
    if they_saw_ours != we_saw_theirs:
        return Ruling(Decision.TAKE if they_saw_ours else Decision.KEEP)
    later = (theirs.stamp, theirs.origin) > (ours.stamp, ours.origin)
    known = not (ours.seen or theirs.seen)
    return Ruling(Decision.TAKE if later else Decision.KEEP, conflict=not (they_saw_ours or known))


def authority_wins(
    ours: Version | None, theirs: Version, *, ours_adopted: bool, theirs_adopted: bool
) -> Ruling:
    """Rule for the directory: what the root adopted stands over what the field proposed; then the later."""
    if ours is None:
        return Ruling(Decision.TAKE)
    if ours_adopted != theirs_adopted:
        return Ruling(Decision.TAKE if theirs_adopted else Decision.KEEP)
    return last_writer(ours, theirs)


def _includes(seen: Mapping[str, int], other: Mapping[str, int]) -> bool:
    return all(seen.get(node, 0) >= count for node, count in other.items())
