"""Files on their way: small ones together, large ones by several hands, and those that are not what they are called."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import event, select

from sync import ledger
from sync.client import HttpReply
from sync.errors import LinkError
from sync.inbox import Intake
from sync.ledger import KindCount
from sync.messages import Frame, Message, Pull, Signed
from sync.outbox import read_frames
from sync.tables import ReceiptRow
from tests.sync_builders import MemoryLink, Place, a_site, meet, meet_over, open_place, pair


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


# ---------------------------------------------------------------- of facts, on their way up


def kept_here(place: Place, data: bytes, *, key: str, whole: bool = True) -> str:
    """Note a fact that names a file; unless it is *whole*, the file itself is nowhere."""
    digest = hashlib.sha256(data).hexdigest()
    if whole:
        place.blobs.put(data)
    place.write_note(key, f"blob:{digest}:{len(data)}")
    return digest


def stands(place: Place) -> KindCount:
    with place.database.read() as session:
        return ledger.counts(session, place.node)["note"]


def waiting(place: Place, root: Place) -> int:
    with place.database.read() as session:
        return ledger.undelivered(session, place.node, root=root.node.id)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[dict[str, Place]]:
    with a_site(tmp_path / "site") as places:
        yield places


def test_a_fact_is_delivered_once_the_root_has_its_files(site: dict[str, Place]) -> None:
    laptop, hub, centre = site["laptop"], site["hub"], site["centre"]
    digest = kept_here(laptop, b"bytes", key="with a file", whole=False)
    laptop.write_note("without one")

    meet(laptop, hub)
    meet(hub, centre)
    meet(laptop, hub)
    nowhere = stands(laptop), waiting(laptop, centre)
    laptop.blobs.put(b"bytes")
    meet(laptop, hub)
    at_hub = stands(laptop), waiting(laptop, centre)
    meet(hub, centre)
    meet(laptop, hub)

    assert nowhere == (KindCount(waiting=1, at_hub=0, delivered=1), 1)
    assert at_hub == (KindCount(waiting=0, at_hub=1, delivered=1), 1)
    assert (stands(laptop), waiting(laptop, centre)) == (KindCount(delivered=2), 0)
    assert centre.blobs.size(digest) == 5


def test_a_receipt_that_says_less_of_the_same_comes_too_late(site: dict[str, Place]) -> None:
    """By way of another hub, an older receipt may come after a newer one."""
    laptop, centre = site["laptop"], site["centre"]
    kept_here(laptop, b"bytes", key="with a file", whole=False)
    meet(laptop, centre)
    older = receipts(laptop)
    laptop.blobs.put(b"bytes")
    meet(laptop, centre)

    with laptop.database.write() as session:
        ledger.keep_receipts(session, older, root=centre.node.id)

    assert stands(laptop) == KindCount(delivered=1)


def receipts(place: Place) -> list[Signed]:
    with place.database.read() as session:
        rows = session.scalars(select(ReceiptRow)).all()
        return [Signed(signer=row.issuer, text=row.text, signature=row.signature) for row in rows]


class Listening(MemoryLink):
    """A link on which somebody hears which files are asked for."""

    def __init__(self, here: Place, there: Place) -> None:
        super().__init__(here, there)
        self.asked: list[str] = []

    @contextmanager
    def ask(self, message: Message, body: Iterable[bytes] = ()) -> Iterator[HttpReply]:
        if isinstance(message, Pull):
            self.asked += [one.digest for one in message.wanted]
        with super().ask(message, body) as reply:
            yield reply


def test_a_hub_asks_its_centre_for_files_of_courses_and_not_for_those_that_come_from_below(
    site: dict[str, Place],
) -> None:
    laptop, hub, centre = site["laptop"], site["hub"], site["centre"]
    kept_here(laptop, b"bytes", key="with a file", whole=False)
    meet(laptop, hub)
    course = offered(centre, b"a page")

    link = Listening(hub, centre)
    meet_over(link, hub, centre)

    assert link.asked == [course]


def test_files_of_laptops_that_stay_away_do_not_crowd_out_those_of_one_that_is_here(
    site: dict[str, Place],
) -> None:
    laptop, hub, centre = site["laptop"], site["hub"], site["centre"]
    for number in range(600):
        kept_here(hub, bytes(number), key=f"of the hub {number}", whole=False)
    meet(hub, centre)
    film = kept_here(laptop, bytes(100_000), key="of the laptop")

    meet(laptop, centre)

    assert centre.blobs.size(film) == 100_000
