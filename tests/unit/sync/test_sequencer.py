"""Segments are small enough for a bad link, and no smaller than they need be."""

from __future__ import annotations

import json
import random

import pytest
from sqlalchemy import select

from sync.segment import USUAL_ENCODED_BYTES
from sync.sequencer import number_changes
from sync.tables import SegmentRow
from tests.bundle_builders import noise, write_notes
from tests.sync_builders import Place


def sealed(place: Place) -> list[tuple[int, int]]:
    """Seal what was written; return the entries and the bytes of each segment."""
    number_changes(place.node)
    with place.database.read() as session:
        rows = session.scalars(select(SegmentRow).where(SegmentRow.scope == "up").order_by(SegmentRow.first))
        return [(row.last - row.first + 1, row.size) for row in rows]


def test_what_hardly_gets_smaller_is_sealed_in_segments_of_the_usual_size(laptop: Place) -> None:
    write_notes(laptop, noise(random.Random(1), "n", 400))

    segments = sealed(laptop)

    assert sum(entries for entries, _ in segments) == 400
    assert all(size <= USUAL_ENCODED_BYTES for _, size in segments)
    assert len(segments) <= 2 * (sum(size for _, size in segments) // USUAL_ENCODED_BYTES + 1)


def test_one_large_change_is_sealed_alone_and_leaves_the_others_together(laptop: Place) -> None:
    large = json.dumps(random.Random(1).randbytes(150_000).hex())
    write_notes(laptop, {f"n{number}": "a word" for number in range(300)} | {"large": large})
    write_notes(laptop, {f"m{number}": "a word" for number in range(100)})

    segments = sealed(laptop)

    assert [entries for entries, _ in segments] == [300, 1, 100]


@pytest.mark.parametrize("letters", [0, 1])
def test_names_alone_are_parted_too(laptop: Place, letters: int) -> None:
    dice = random.Random(1)
    write_notes(laptop, {dice.randbytes(1500).hex(): "x" * letters for _ in range(100)})

    segments = sealed(laptop)

    assert sum(entries for entries, _ in segments) == 100
    assert all(size <= USUAL_ENCODED_BYTES for _, size in segments)
