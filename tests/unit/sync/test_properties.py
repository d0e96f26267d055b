"""What must hold for any vectors, stamps, versions and entries."""

from __future__ import annotations

import dataclasses

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from sync import clock, codec, merge, segment, vector
from sync.clock import Stamp
from sync.errors import SegmentError
from sync.identity import new_key
from sync.merge import Decision, Version
from sync.messages import Record
from sync.vector import Head, LogKey, Relation

KEY = new_key(random=bytes(32))
LOG = LogKey(KEY.node, "0" * 13, "up")

keys = st.builds(LogKey, st.sampled_from("abc"), st.sampled_from("12"), st.just("up"))
vectors = st.dictionaries(keys, st.integers(1, 50).map(lambda seq: Head(seq, f"r{seq}")))
stamps = st.builds(Stamp, st.integers(0, 2**40), st.integers(0, 99))
bodies = st.lists(st.binary(max_size=200), min_size=1, max_size=20)


def records(contents: list[bytes], first: int = 1) -> list[Record]:
    return [
        Record(seq=first + at, kind="note", key=f"k{at}", schema=1, body=body, stamp=Stamp(1000 + at, at % 3))
        for at, body in enumerate(contents)
    ]


@given(vectors, vectors, vectors)
def test_merging_vectors_does_not_depend_on_order(
    a: dict[LogKey, Head], b: dict[LogKey, Head], c: dict[LogKey, Head]
) -> None:
    assert vector.merged(a, b) == vector.merged(b, a)
    assert vector.merged(vector.merged(a, b), c) == vector.merged(a, vector.merged(b, c))
    assert vector.relation(vector.merged(a, b), a) in (Relation.EQUAL, Relation.AHEAD)


@given(vectors)
def test_a_vector_survives_being_kept(a: dict[LogKey, Head]) -> None:
    assert vector.from_rows(vector.rows(a)) == a


@given(stamps, st.integers(0, 2**40))
def test_the_clock_never_goes_back(last: Stamp, now_ms: int) -> None:
    assert clock.tick(last, now_ms) > last


@given(stamps, stamps, st.integers(0, 2**40))
def test_a_wild_clock_elsewhere_moves_ours_by_a_day_at_most(last: Stamp, seen: Stamp, now_ms: int) -> None:
    moved = clock.observe(last, seen, now_ms)

    assert moved >= last
    assert moved == last or moved.wall_ms <= now_ms + clock.MOST_AHEAD_MS


@given(stamps, stamps, st.dictionaries(st.sampled_from("ab"), st.integers(1, 3)))
def test_two_nodes_choose_the_same_version(one: Stamp, two: Stamp, seen: dict[str, int]) -> None:
    a, b = Version(stamp=one, origin="a", seen=seen), Version(stamp=two, origin="b")

    at_a, at_b = merge.last_writer(a, b), merge.last_writer(b, a)

    assert {at_a.decision, at_b.decision} == {Decision.TAKE, Decision.KEEP}
    assert at_a.conflict == at_b.conflict


@given(bodies, st.integers(1, 1000))
def test_a_sealed_segment_opens_to_the_same_entries(contents: list[bytes], first: int) -> None:
    made = records(contents, first)

    encoded = segment.seal(made, log=LOG, previous="", key=KEY)

    assert segment.open_segment(segment.take_apart(encoded), public_key=KEY.public_key) == made


@given(bodies, st.data())
def test_no_altered_byte_goes_unnoticed(contents: list[bytes], data: st.DataObject) -> None:
    encoded = bytearray(segment.seal(records(contents), log=LOG, previous="", key=KEY))
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] ^= data.draw(st.integers(1, 255))

    try:
        opened = segment.open_segment(segment.take_apart(bytes(encoded)), public_key=KEY.public_key)
    except SegmentError:
        return
    assert opened == records(contents)  # a bit of zstd's framing that carries nothing


def test_another_key_cannot_sign_for_the_origin() -> None:
    forged = segment.seal(records([b"x"]), log=LOG, previous="", key=new_key())

    with pytest.raises(SegmentError, match="signature"):
        segment.open_segment(segment.take_apart(forged), public_key=KEY.public_key)


def test_a_bomb_is_refused_before_it_fills_memory() -> None:
    bomb = zstandard.ZstdCompressor().compress(b"\n" + bytes(200_000_000))

    with pytest.raises(SegmentError, match="too_large"):
        codec.decode(bomb, codec=1, first=1)


def test_an_entry_moved_to_another_place_breaks_the_root() -> None:
    one, two = records([b"a", b"b"])
    swapped = [dataclasses.replace(two, seq=1), dataclasses.replace(one, seq=2)]

    assert segment.merkle_root([one, two]) != segment.merkle_root(swapped)
