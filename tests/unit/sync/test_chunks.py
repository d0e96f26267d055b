"""Large files of which parts are here: what is put together is the file, and little more than what changed has come."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.chunks import MOST_BYTES, Mosaic, chunks_of, fill, packed, unpacked
from sync.messages import Message, Welcome
from tests.sync_builders import MemoryBlobs, MemoryLink, Place, meet, meet_over, open_place, pair

SIZE = 1_500_000
FILM = 9_000_000


def noise(dice: Random, size: int) -> bytes:
    """What a film looks like."""
    return dice.randbytes(size)


def text(dice: Random, size: int) -> bytes:
    """What a script or a table looks like."""
    words = [dice.randbytes(dice.randrange(1, 6)).hex() for _ in range(500)] + ["the", "elements", "be", "e="]
    return " ".join(dice.choice(words) for _ in range(size // 5)).encode()[:size]


def sound(dice: Random, size: int) -> bytes:
    """What a recording without compression looks like: quiet in two bytes, now and then silence."""
    quiet = bytes(dice.choice((0, 0, 1, 255, 254)) for _ in range(65_536))
    pieces, total = [], 0
    while total < size:
        piece = (
            bytes(40_000) if dice.random() < 0.1 else quiet[dice.randrange(60_000) :] + dice.randbytes(2_000)
        )
        pieces.append(piece)
        total += len(piece)
    return b"".join(pieces)[:size]


KINDS: dict[str, Callable[[Random, int], bytes]] = {"noise": noise, "text": text, "sound": sound}


def edited(data: bytes, dice: Random, *, places: int, share: float) -> bytes:
    """Return bytes in which some places were put in, taken out or written over, together so large a share."""
    each = max(1, int(len(data) * share / places))
    for _ in range(places):
        at = dice.randrange(len(data))
        put = dice.randbytes(dice.randrange(each + 1))
        taken = dice.choice((0, len(put), each))
        data = data[:at] + put + data[at + taken :]
    return data


def reading(data: bytes) -> Callable[[int, int], bytes]:
    return lambda offset, length: data[offset : offset + length]


# ------------------------------------------------------------------ cutting


@given(st.integers(0, 2**32), st.sampled_from(sorted(KINDS)), st.integers(0, 400_000))
@settings(max_examples=15, deadline=None)
def test_chunks_are_the_file_and_a_list_of_them_travels(seed: int, kind: str, size: int) -> None:
    data = KINDS[kind](Random(seed), size)

    chunks = list(chunks_of(reading(data)))

    assert b"".join(data[one.offset : one.offset + one.length] for one in chunks) == data
    assert all(one.length <= MOST_BYTES for one in chunks)
    assert unpacked(packed(chunks), len(data)) == chunks


@pytest.mark.parametrize("broken", [b"x", bytes(20), bytes(3) + b"\1" + bytes(16)])
def test_what_is_no_list_of_chunks_of_a_file_is_not_taken_for_one(broken: bytes) -> None:
    assert unpacked(broken, 500) is None


@given(st.integers(0, 2**32), st.sampled_from(sorted(KINDS)), st.integers(1, 2))
@settings(max_examples=15, deadline=None)
def test_whatever_was_edited_the_file_is_put_together_and_little_more_has_come(
    seed: int, kind: str, places: int
) -> None:
    dice = Random(seed)
    before = KINDS[kind](dice, SIZE)
    after = edited(before, dice, places=places, share=0.01)
    blobs, digest = MemoryBlobs(), hashlib.sha256(after).hexdigest()
    mosaic = Mosaic(list(chunks_of(reading(after))), chunks_of(reading(before)), reading(before))
    came = 0

    while (end := fill(blobs, digest, mosaic)) < len(after):
        offset, length = mosaic.gaps(end)[0]
        assert offset == end
        blobs.append(digest, offset, after[offset : offset + length])
        came += length

    assert blobs.finish(digest)
    assert (
        came <= len(after) * 0.01 + 4 * places * MOST_BYTES
    )  # sound is cut alike again after some chunks only


# ------------------------------------------------------------------ meeting


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Place]:
    centre = open_place(tmp_path / "centre", "The centre", "central")
    with closing(centre.database):
        yield centre


@pytest.fixture
def laptop(tmp_path: Path, centre: Place) -> Iterator[Place]:
    laptop = open_place(tmp_path / "laptop", "Post 4", "laptop")
    pair(centre, laptop)
    with closing(laptop.database):
        yield laptop


def next_edition(centre: Place, laptop: Place) -> tuple[str, str]:
    """Let the laptop have a film, and the centre its next edition; return the digests of both."""
    dice = Random(7)
    before = dice.randbytes(FILM)
    middle = FILM // 2
    after = b"packed anew" + before[100:middle] + dice.randbytes(FILM // 100) + before[middle:]
    old, new = laptop.blobs.put(before), centre.blobs.put(after)
    centre.write_note("course", f"blob:{new}:{len(after)}:{old}", scope="catalogue")
    return old, new


def test_of_an_edition_of_which_a_hundredth_changed_little_more_comes(centre: Place, laptop: Place) -> None:
    _, new = next_edition(centre, laptop)

    report = meet(laptop, centre)

    assert report.state == "done"
    assert laptop.blobs.whole[new] == centre.blobs.whole[new]
    assert report.bytes_down < 0.03 * FILM
    assert set(laptop.notes()) == {"course"}


def test_a_film_that_only_became_shorter_comes_without_a_byte_of_it(centre: Place, laptop: Place) -> None:
    dice = Random(7)
    before = dice.randbytes(SIZE)
    cut = list(chunks_of(reading(before)))[-5].offset
    old, new = laptop.blobs.put(before), centre.blobs.put(before[:cut])
    centre.write_note("course", f"blob:{new}:{cut}:{old}", scope="catalogue")
    other = centre.blobs.put(bytes(2_000_000))
    centre.write_note("other", f"blob:{other}:2000000", scope="catalogue")

    report = meet(laptop, centre)

    assert set(laptop.notes()) == {"course", "other"}
    assert report.bytes_down < 2_050_000


def test_over_a_link_that_breaks_all_the_time_no_byte_that_came_comes_again(
    centre: Place, laptop: Place
) -> None:
    _, new = next_edition(centre, laptop)
    bodies = count()

    def cut(size: int) -> int | None:
        return 3_000 if size and next(bodies) % 3 == 1 else None

    link = MemoryLink(laptop, centre, cut)

    report = meet_over(link, laptop, centre)

    assert report.state == "done"
    assert laptop.blobs.whole[new] == centre.blobs.whole[new]
    assert link.traffic.bytes_down < 0.04 * FILM


class OlderLink(MemoryLink):
    """A link to a program that has not heard of chunks."""

    def as_spoken(self, answer: Message) -> Message:
        return answer.model_copy(update={"tells_chunks": False}) if isinstance(answer, Welcome) else answer


def test_from_an_older_program_all_of_it_comes(centre: Place, laptop: Place) -> None:
    _, new = next_edition(centre, laptop)

    report = meet_over(OlderLink(laptop, centre), laptop, centre)

    assert report.state == "done"
    assert laptop.blobs.whole[new] == centre.blobs.whole[new]


@pytest.mark.parametrize("rotten", [slice(0, 10), slice(1_000_000, 2_000_000)])
def test_what_rotted_here_meanwhile_comes_too(centre: Place, laptop: Place, rotten: slice) -> None:
    old, new = next_edition(centre, laptop)

    reads = count()

    def rotting(digest: str, data: bytes) -> bytes:
        if digest != old or next(reads) < 5:  # it is sound while it is cut
            return data
        return data[: rotten.start] + bytes(rotten.stop - rotten.start) + data[rotten.stop :]

    laptop.blobs.disk = rotting

    report = meet(laptop, centre)

    assert report.state == "done"
    assert laptop.blobs.whole[new] == centre.blobs.whole[new]


def test_chunks_that_do_not_make_the_file_are_thrown_away_and_it_comes_whole(
    centre: Place, laptop: Place
) -> None:
    """A peer that is wrong about a file costs bytes, never the file."""
    old, new = next_edition(centre, laptop)
    right, reads = centre.blobs.whole[new], count()

    def wrong_at_first(digest: str, data: bytes) -> bytes:
        """Let the new film be cut as if it were the old one."""
        return (laptop.blobs.whole[old] * 2)[: len(data)] if digest == new and next(reads) < 2 else data

    centre.blobs.disk = wrong_at_first

    report = meet(laptop, centre)

    assert report.state == "done"
    assert laptop.blobs.whole[new] == right
