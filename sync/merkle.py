"""Hash trees as in RFC 6962: a root over leaves, and the path by which one leaf is shown to stand under it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def leaf_hash(content: bytes) -> bytes:
    """Return the hash of a leaf, which is none of a node's."""
    return hashlib.sha256(b"\0" + content).digest()


def root_of(leaves: Sequence[bytes]) -> str:
    """Return the root over the hashes of one leaf or more."""
    return _levels(leaves)[-1][0].hex()


def paths_of(leaves: Sequence[bytes]) -> list[list[str]]:
    """Return for each leaf its path: the hashes beside it, from the bottom up. One that has none beside it moves up."""
    levels = _levels(leaves)[:-1]
    return [
        [
            level[beside].hex()
            for height, level in enumerate(levels)
            if (beside := (place >> height) ^ 1) < len(level)
        ]
        for place in range(len(leaves))
    ]


def root_by_path(leaf: bytes, *, place: int, count: int, path: Sequence[str]) -> str | None:
    """Return the root under which a leaf stands at a place among *count*; ``None`` if the path does not fit that."""
    at, width, left = leaf, count, list(path)
    if not 0 <= place < count:
        return None
    while width > 1:
        if (place ^ 1) < width:
            if not left:
                return None
            beside = bytes.fromhex(left.pop(0))
            at = _node(beside, at) if place & 1 else _node(at, beside)
        place, width = place >> 1, (width + 1) >> 1
    return None if left else at.hex()


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        paired = [_node(below[place], below[place + 1]) for place in range(0, len(below) - 1, 2)]
        levels.append(paired + below[len(paired) * 2 :])
    return levels


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()
