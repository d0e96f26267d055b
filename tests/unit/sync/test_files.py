"""Files on their way: small ones together, large ones by several hands, and those that are not what they are called."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import event

from sync.errors import LinkError
from sync.inbox import Intake
from sync.messages import Frame
from sync.outbox import read_frames
from tests.sync_builders import Place, meet, open_place, pair


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


def offered(centre: Place, data: bytes) -> str:
    digest = centre.blobs.put(data)
    centre.write_note(digest[:8], f"blob:{digest}:{len(data)}", scope="catalogue")
    return digest


def test_many_small_files_come_in_few_requests_and_few_commits(centre: Place, laptop: Place) -> None:
    dice, commits = Random(1), []
    for _ in range(400):
        offered(centre, dice.randbytes(dice.randrange(100, 9_000)))
    event.listen(laptop.database.engine, "commit", lambda _: commits.append(1))

    report = meet(laptop, centre)

    assert laptop.blobs.whole == centre.blobs.whole
    assert report.turns < 10
    assert len(commits) < 40


def test_a_file_that_a_peer_gives_otherwise_is_not_asked_of_it_again_and_holds_up_no_other(
    centre: Place, laptop: Place
) -> None:
    """A disk rots; without an end to it, a laptop would load the same film for ever."""
    rotten = offered(centre, Random(1).randbytes(900_000))
    sound = offered(centre, Random(2).randbytes(950_000))
    centre.blobs.whole[rotten] = bytes(900_000)

    report = meet(laptop, centre)

    assert report.state == "done"
    assert report.bytes_down < 3_000_000
    assert set(laptop.blobs.whole) == {sound}
    assert laptop.blobs.parts == {}


def test_a_file_that_two_conversations_bring_at_once_loses_nothing(centre: Place, laptop: Place) -> None:
    """The one that is behind has nothing to add, and must not judge what the other has not brought to its end."""
    data = Random(1).randbytes(700_000)
    digest = hashlib.sha256(data).hexdigest()
    laptop.blobs.gone[digest] = len(data)
    frame = Frame(what="blob", digest=digest, size=len(data), offset=0, length=len(data))
    slow, quick = (Intake(laptop.node, centre.node.id, [frame]) for _ in range(2))
    slow.feed(data[:100])
    laptop.blobs.append(digest, 0, data[:300_000])  # of a third
    quick.feed(data)
    quick.stop()
    slow.feed(data[100:])
    slow.stop()

    assert laptop.blobs.partial_size(digest) == 300_000


def test_what_follows_a_file_that_went_away_is_not_taken_for_its_rest(centre: Place) -> None:
    frames = [
        Frame(what="blob", digest=digest, size=500, offset=0, length=500)
        for digest in (centre.blobs.put(bytes(400)), centre.blobs.put(bytes([1]) * 500))
    ]

    with pytest.raises(LinkError):
        list(read_frames(centre.node, frames))


def test_files_that_find_no_room_are_not_asked_for_and_come_once_there_is_some(
    centre: Place, laptop: Place
) -> None:
    small, large = offered(centre, bytes(5_000)), offered(centre, Random(1).randbytes(900_000))
    centre.write_note("note", scope="catalogue")
    laptop.blobs.space = 100_000

    full = meet(laptop, centre)
    laptop.blobs.space = 10_000_000
    again = meet(laptop, centre)

    assert (full.state, full.no_room) == ("done", 800_000)
    assert full.bytes_down < 50_000
    assert (again.state, again.no_room) == ("done", 0)
    assert set(laptop.blobs.whole) == {small, large}


def test_a_node_that_was_pushed_a_file_keeps_its_disk_free(centre: Place, laptop: Place) -> None:
    digest = laptop.blobs.put(Random(1).randbytes(900_000))
    laptop.write_note("course", f"blob:{digest}:900000", scope="offers")
    centre.blobs.space = 100_000

    meet(laptop, centre)

    assert centre.blobs.whole == {}
    assert centre.blobs.parts == {}
