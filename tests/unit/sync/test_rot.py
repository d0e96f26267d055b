"""A segment that rotted is mended from what is left of it anywhere, and declared lost where nothing is."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from sync import erasures, losses, rot
from sync.engine import converse
from sync.errors import SegmentError
from sync.findings import findings
from sync.inbox import take_segment
from sync.losses import Losses
from sync.node import standing
from sync.sequencer import number_changes
from sync.tables import SegmentRow
from sync.verification import verify
from tests.bundle_builders import take, write
from tests.sync_builders import MemoryLink, NoteRow, Place, a_site, meet

DAY_MS = 24 * 60 * 60 * 1000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "site"
    with a_site(folder):
        return folder


@pytest.fixture
def site(made: Path, tmp_path: Path) -> Iterator[dict[str, Place]]:
    with a_site(Path(shutil.copytree(made, tmp_path / "site"))) as places:
        yield places


@pytest.fixture
def laptop(site: dict[str, Place]) -> Place:
    return site["laptop"]


@pytest.fixture
def hub(site: dict[str, Place]) -> Place:
    return site["hub"]


@pytest.fixture
def centre(site: dict[str, Place]) -> Place:
    return site["centre"]


def write_and_seal(place: Place, *keys: str) -> None:
    for key in keys:
        place.write_note(key, f"text of {key}")
    number_changes(place.node)


def spoil(place: Place, which: int, *, of: Place | None = None) -> bytes:
    """Change a byte of one of the segments of facts that are kept of a node; return what they were."""
    origin = (of or place).node.id
    with place.database.write() as session:
        rows = session.scalars(
            select(SegmentRow)
            .where(SegmentRow.origin == origin, SegmentRow.scope == "up")
            .order_by(SegmentRow.kept_ms, SegmentRow.first)
        ).all()
        row = rows[which]
        before = row.encoded
        row.encoded = before[:-2] + bytes([before[-2] ^ 1]) + before[-1:]
    return before


def forget(place: Place, *keys: str) -> None:
    """Take notes away, so that what told of them cannot be made again."""
    with place.database.write() as session:
        session.execute(delete(NoteRow).where(NoteRow.key.in_(keys)))


def rotten(place: Place) -> int:
    with place.database.read() as session:
        return len(rot.noted(session))


def lost(place: Place) -> list[tuple[int, bool]]:
    """Return of each loss that a node knows of how many entries, and whether they were found since."""
    with place.database.read() as session:
        return [(row.count, found) for row, found in losses.losses(session)]


def faults(place: Place) -> list[str]:
    verify(place.node, everything=True)
    with place.database.read() as session:
        return [one.fault.value for one, _ in findings(session)]


def epoch(place: Place) -> str:
    with place.database.read() as session:
        return standing(session).epoch


def test_what_is_still_in_the_store_is_sealed_again_to_the_same_bytes(laptop: Place, centre: Place) -> None:
    for keys in (("1", "2"), ("3", "4"), ("5",)):
        write_and_seal(laptop, *keys)
    life, before = epoch(laptop), spoil(laptop, 1)

    report = meet(laptop, centre)

    assert (report.state, report.waiting) == ("done", 0)
    assert centre.notes().keys() == {"1", "2", "3", "4", "5"}
    assert (epoch(laptop), rotten(laptop), lost(laptop)) == (life, 0, [])
    with laptop.database.read() as session:
        assert before in session.scalars(select(SegmentRow.encoded)).all()
    assert faults(laptop) == faults(centre) == []


def test_what_another_node_has_is_asked_of_it(laptop: Place, hub: Place, centre: Place) -> None:
    write_and_seal(laptop, "1", "2")
    write_and_seal(laptop, "3")
    meet(laptop, hub)
    spoil(laptop, 0)
    forget(laptop, "2")
    assert faults(laptop) == ["damaged"]

    assert meet(laptop, centre).state == "done"
    assert (centre.notes(), lost(laptop), rotten(laptop)) == ({}, [], 1)
    report = meet(laptop, hub)
    assert (rotten(laptop), faults(laptop), report.received) == (0, [], 0)
    assert meet(laptop, centre).state == "done"

    assert centre.notes().keys() == {"1", "2", "3"}


def test_what_nobody_has_is_declared_lost_and_all_else_arrives(laptop: Place, centre: Place) -> None:
    write_and_seal(laptop, "1")
    meet(laptop, centre)
    write_and_seal(laptop, "2", "gone", "3")
    write_and_seal(laptop, "4")
    forget(laptop, "gone")
    spoil(laptop, 1)
    life = epoch(laptop)

    report = meet(laptop, centre)

    assert (report.state, report.waiting) == ("done", 0)
    assert epoch(laptop) != life
    assert centre.notes().keys() == {"1", "2", "3", "4"}
    assert lost(laptop) == lost(centre) == [(1, False)]
    assert faults(laptop) == faults(centre) == []
    write_and_seal(laptop, "5")
    meet(laptop, centre)
    assert "5" in centre.notes()


def test_nothing_is_declared_lost_that_somebody_signed_for_until_he_was_asked_for_long(
    laptop: Place, hub: Place, centre: Place
) -> None:
    write_and_seal(laptop, "1", "gone")
    meet(laptop, hub)
    forget(laptop, "gone")
    spoil(laptop, 0)
    spoil(hub, 0, of=laptop)

    meet(laptop, centre)
    assert (lost(laptop), centre.notes()) == ([], {})
    laptop.now[0] += 15 * DAY_MS
    meet(laptop, centre)

    assert lost(centre) == [(1, False)]
    assert centre.notes().keys() == {"1"}


def test_a_copy_that_turns_up_after_all_is_taken(
    laptop: Place, hub: Place, centre: Place, tmp_path: Path
) -> None:
    write_and_seal(laptop, "1", "gone")
    stick = write(laptop, [hub], tmp_path / "stick.outpost")
    forget(laptop, "gone")
    spoil(laptop, 0)
    meet(laptop, centre)
    assert lost(centre) == [(1, False)]

    take(hub, *stick.paths)
    meet(hub, centre)

    assert centre.notes().keys() == {"1", "gone"}
    assert lost(centre) == [(1, True)]
    meet(laptop, centre)
    assert laptop.notes().keys() == {"1", "gone"}
    assert faults(laptop) == faults(centre) == []


def test_a_copy_on_a_stick_mends_as_well(laptop: Place, hub: Place, tmp_path: Path) -> None:
    write_and_seal(laptop, "1", "2")
    stick = write(laptop, hub, tmp_path / "stick.outpost")
    meet(laptop, hub)
    spoil(hub, 0, of=laptop)
    assert faults(hub) == ["damaged"]

    take(hub, *stick.paths)

    assert (rotten(hub), faults(hub)) == (0, [])


def test_what_was_lost_and_found_may_be_lost_again(
    laptop: Place, hub: Place, centre: Place, tmp_path: Path
) -> None:
    write_and_seal(laptop, "1", "gone")
    stick = write(laptop, hub, tmp_path / "stick.outpost")
    forget(laptop, "gone")
    spoil(laptop, 0)
    meet(laptop, centre)
    take(hub, *stick.paths)
    meet(laptop, hub)  # which gives it back
    spoil(laptop, 0)  # that one, or what was told again
    assert faults(laptop) == ["damaged"]

    assert meet(laptop, centre).state == "done"
    meet(hub, centre)
    meet(laptop, centre)

    assert centre.notes().keys() == {"1", "gone"}
    assert faults(laptop) == faults(centre) == []


def test_a_hub_asks_again_for_what_it_holds_of_others(laptop: Place, hub: Place, centre: Place) -> None:
    """It is met by the laptop, which brings it, though it has told the hub before."""
    write_and_seal(laptop, "1")
    write_and_seal(laptop, "2", "3")
    write_and_seal(laptop, "4")
    meet(laptop, hub)
    spoil(hub, 1, of=laptop)

    assert meet(hub, centre).state == "done"
    assert centre.notes().keys() == {"1"}
    assert rotten(hub) == 1
    meet(laptop, hub)
    assert (rotten(hub), faults(hub)) == (0, [])
    meet(hub, centre)

    assert centre.notes().keys() == {"1", "2", "3", "4"}


def test_nothing_but_the_copy_is_sent_again(laptop: Place, hub: Place) -> None:
    """One that is larger than what is sent at once, as are those after it."""
    for key in "abc":
        laptop.write_note(key, random.Random(key).randbytes(20_000).hex())
        number_changes(laptop.node)
    meet(laptop, hub)
    copy = spoil(hub, 0, of=laptop)
    assert faults(hub) == ["damaged"]

    link = MemoryLink(laptop, hub)
    converse(laptop.node, hub.node.id, link)

    assert rotten(hub) == 0
    assert link.bodies_up <= len(copy) + 32_768  # the last of three pushes, each twice the one before


def test_who_is_to_be_erased_is_not_told_again(laptop: Place, centre: Place) -> None:
    for key, text in (("1", "one"), ("her", "about Zenobia:a secret"), ("gone", "text")):
        laptop.write_note(key, text)
    number_changes(laptop.node)
    forget(laptop, "gone")
    spoil(laptop, 0)
    with centre.database.write() as session:
        erasures.order(session, centre.node, "Zenobia", reason="asked for it")

    report = meet(laptop, centre)

    assert (report.state, report.waiting) == ("done", 0)
    assert centre.notes().keys() == {"1"}


def test_a_hub_is_given_facts_again_by_whoever_recorded_them(
    laptop: Place, hub: Place, centre: Place
) -> None:
    """The centre has them and does not give them down; nobody waits for the hub's copy."""
    for keys in (("1",), ("2", "3"), ("4",)):
        write_and_seal(laptop, *keys)
    meet(laptop, hub)
    meet(hub, centre)
    spoil(hub, 1, of=laptop)
    assert faults(hub) == ["damaged"]

    assert meet(hub, centre).state == "done"
    assert rotten(hub) == 1
    meet(laptop, hub)

    assert (rotten(hub), faults(hub)) == (0, [])


def test_a_centre_is_given_again_what_rotted_there(laptop: Place, centre: Place) -> None:
    for keys in (("1",), ("2", "3"), ("4",)):
        write_and_seal(laptop, *keys)
    meet(laptop, centre)
    spoil(centre, 0, of=laptop)
    assert faults(centre) == ["damaged"]
    write_and_seal(laptop, "5")

    assert meet(laptop, centre).state == "done"

    assert (rotten(centre), faults(centre)) == (0, [])
    assert centre.notes().keys() == {"1", "2", "3", "4", "5"}


def test_what_comes_down_is_sealed_again_by_the_centre(laptop: Place, centre: Place) -> None:
    centre.write_note("one", scope="directory")
    number_changes(centre.node)
    with centre.database.write() as session:
        row = session.scalars(select(SegmentRow)).one()
        row.encoded = row.encoded[:-1]

    meet(laptop, centre)
    assert laptop.notes() == {}
    while rot.mend_some(centre.node):  # as the worker does
        pass
    meet(laptop, centre)

    assert laptop.notes().keys() == {"one"}


def test_an_older_program_takes_all_else_and_keeps_the_declaration(laptop: Place, centre: Place) -> None:
    write_and_seal(laptop, "1", "gone")
    forget(laptop, "gone")
    spoil(laptop, 0)
    known = [one for one in centre.node.streams if not isinstance(one, Losses)]
    older = replace(centre, node=replace(centre.node, streams=known))

    meet(laptop, older)

    assert centre.notes().keys() == {"1"}
    assert lost(centre) == []
    write_and_seal(laptop, "2")
    meet(laptop, centre)  # upgraded since
    assert lost(centre) == [(1, False)]


def test_what_a_stranger_brings_mends_nothing(laptop: Place, centre: Place) -> None:
    write_and_seal(laptop, "1")
    good = spoil(laptop, 0)
    assert faults(laptop) == ["damaged"]
    bad = good[:-3] + bytes([good[-3] ^ 1]) + good[-2:]

    with pytest.raises(SegmentError), laptop.database.write() as session:
        take_segment(session, laptop.node, bad)

    assert rotten(laptop) == 1
    with laptop.database.write() as session:
        take_segment(session, laptop.node, good)
    assert (rotten(laptop), faults(laptop)) == (0, [])
