"""Entries as they stand: encoding 1 of a segment, for bodies that are no text and for whoever debugs.

One line of canonical JSON, the entries' facts as columns, then the bodies end to end.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

from sync.canonical import canonical_json
from sync.clock import Stamp
from sync.messages import Record

_COLUMNS = ("kind", "schema", "key", "wall", "counter", "length")


def encode(records: Sequence[Record]) -> bytes:
    """Return the entries, not yet compressed."""
    kinds = sorted({record.kind for record in records})
    place = {kind: index for index, kind in enumerate(kinds)}
    walls = [0, *(record.stamp.wall_ms for record in records)]
    facts = {
        "kinds": kinds,
        "kind": [place[record.kind] for record in records],
        "schema": [record.schema for record in records],
        "key": [record.key for record in records],
        "wall": [later - earlier for earlier, later in pairwise(walls)],
        "counter": [record.stamp.counter for record in records],
        "length": [len(record.body) for record in records],
    }
    return b"".join((canonical_json(facts), b"\n", *(record.body for record in records)))


def decode(data: bytes, *, first: int, max_bytes: int) -> list[Record]:  # noqa: ARG001 - no larger than the data
    """Return the entries of what ``encode`` wrote, numbered from ``first``.

    Raises:
        ValueError, LookupError, TypeError, RecursionError: the data is damaged.
    """
    line, feed, bodies = data.partition(b"\n")
    if not feed:
        raise ValueError("the entries' facts do not end")
    return _records(json.loads(line), bodies, first)


def _records(facts: dict[str, Any], bodies: bytes, first: int) -> list[Record]:
    columns = [facts[name] for name in _COLUMNS]
    lengths = facts["length"]
    if any(length < 0 for length in lengths) or sum(lengths) != len(bodies):
        raise ValueError("the bodies are not as long as they should be")
    ends = list(accumulate(lengths, initial=0))
    walls = accumulate(facts["wall"])
    kinds = facts["kinds"]
    return [
        Record(
            seq=first + index,
            kind=kinds[kind],
            key=key,
            schema=schema,
            body=bodies[ends[index] : ends[index + 1]],
            stamp=Stamp(wall, counter),
        )
        for index, (kind, schema, key, _, counter, _), wall in zip(
            range(len(lengths)), zip(*columns, strict=True), walls, strict=True
        )
    ]
