"""Two or three nodes that meet by file only: what arrives, what is counted, what a receipt changes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sync import ledger, log, quarantine, revocations
from sync.bundle_export import LEAST_PART_BYTES, make_plan
from sync.bundle_import import find_bundle, look_into
from sync.engine import converse
from sync.errors import BundleError
from sync.ledger import KindCount
from tests.bundle_builders import carry, noise, take, write, write_notes
from tests.sync_builders import MemoryLink, Place, open_place, pair


def counts(place: Place) -> KindCount:
    with place.database.read() as session:
        return ledger.counts(session, place.node)["note"]


def state_of(place: Place) -> tuple[object, ...]:
    """Return all that a bundle could change."""
    with place.database.read() as session:
        return (
            place.notes(),
            dict(place.blobs.whole),
            log.held(session),
            ledger.newest_position(session),
            [kept.key for kept in quarantine.kept_aside(session, limit=100)],
        )


def meet(here: Place, there: Place) -> None:
    converse(here.node, there.node.id, MemoryLink(here, there), pause=lambda _: None)


def test_records_go_out_by_file_and_the_receipt_comes_back_by_another(
    tmp_path: Path, centre: Place, laptop: Place
) -> None:
    pair(centre, laptop)
    write_notes(laptop, {f"n{number}": f"text {number}" for number in range(1200)})

    report = carry(laptop, centre, tmp_path)
    before = counts(laptop)
    receipt = carry(centre, laptop, tmp_path, with_records=False)

    assert (report.accepted, report.duplicate, report.refused, report.is_complete) == (1200, 0, [], True)
    assert centre.notes() == laptop.notes()
    assert (before.waiting, before.delivered) == (1200, 0)
    assert (counts(laptop).waiting, counts(laptop).delivered) == (0, 1200)
    assert (receipt.receipts, receipt.accepted) == (1, 0)


def test_taking_a_bundle_again_changes_nothing(tmp_path: Path, centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    laptop.write_note("a")
    laptop.write_note("b", "poison")
    paths = write(laptop, centre, tmp_path / "a.outpost").paths
    take(centre, *paths)
    before = state_of(centre)

    again = take(centre, *paths)

    assert (again.accepted, again.duplicate) == (0, 2)
    assert state_of(centre) == before


def test_after_the_receipt_only_what_is_new_goes_out(tmp_path: Path, centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    laptop.write_note("a")
    carry(laptop, centre, tmp_path)
    carry(centre, laptop, tmp_path, with_records=False)
    laptop.write_note("b")

    report = carry(laptop, centre, tmp_path)

    assert (report.accepted, report.duplicate) == (1, 0)


def test_a_node_that_lost_its_database_is_sent_everything(
    tmp_path: Path, centre: Place, laptop: Place
) -> None:
    pair(centre, laptop)
    laptop.write_note("a")
    carry(laptop, centre, tmp_path)
    carry(centre, laptop, tmp_path, with_records=False)

    nothing = write(laptop, centre, tmp_path / "new.outpost").paths
    everything = write(laptop, centre, tmp_path / "all.outpost", from_start=True).paths

    assert look_into(centre.node, find_bundle(nothing)).records == 0
    assert look_into(centre.node, find_bundle(everything)).records == 1


def test_the_order_of_two_bundles_does_not_matter(tmp_path: Path, centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    laptop.write_note("a")
    first = write(laptop, centre, tmp_path / "first.outpost").paths
    laptop.write_note("b")
    second = write(laptop, centre, tmp_path / "second.outpost").paths

    later = take(centre, *second)
    earlier = take(centre, *first)

    assert (later.accepted, earlier.accepted, earlier.duplicate) == (2, 0, 1)
    assert set(centre.notes()) == {"a", "b"}


def test_a_bundle_and_a_link_take_turns(tmp_path: Path, centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    laptop.write_note("by link")
    meet(laptop, centre)
    laptop.write_note("by file")
    report = carry(laptop, centre, tmp_path)
    laptop.write_note("by link again")

    meet(laptop, centre)

    assert report.accepted == 1
    assert set(centre.notes()) == {"by link", "by file", "by link again"}
    assert counts(laptop).delivered == 3


def test_the_directory_comes_down_by_file_to_its_unit_only(
    tmp_path: Path, centre: Place, laptop: Place
) -> None:
    pair(centre, laptop, units=["post-4"])
    centre.write_note("ours", scope="directory/post-4")
    centre.write_note("theirs", scope="directory/post-5")

    carry(centre, laptop, tmp_path)

    assert set(laptop.notes()) == {"ours"}


def test_a_stick_passes_through_a_hub_that_the_centre_never_met_the_laptop_of(
    tmp_path: Path, centre: Place, laptop: Place
) -> None:
    hub = open_place(tmp_path / "hub", "Hub", "hub")
    pair(centre, hub, units=["*"])
    pair(hub, laptop)
    laptop.write_note("a")

    carry(laptop, hub, tmp_path)
    onwards = carry(hub, centre, tmp_path)
    carry(centre, hub, tmp_path, with_records=False)
    carry(hub, laptop, tmp_path, with_records=False)

    assert (onwards.accepted, onwards.refused) == (1, [])
    assert counts(laptop).delivered == 1
    hub.database.close()


def test_a_courier_carries_what_it_cannot_open(tmp_path: Path, centre: Place, laptop: Place) -> None:
    courier = open_place(tmp_path / "courier", "Courier", "laptop")
    pair(centre, laptop)
    pair(centre, courier)
    laptop.write_note("a", "in confidence")
    paths = write(laptop, centre, tmp_path / "a.outpost").paths

    with pytest.raises(BundleError) as refused:
        take(courier, *paths)

    assert refused.value.code == "not_for_us"
    assert b"in confidence" not in paths[0].read_bytes()
    courier.database.close()


def test_one_bundle_for_two_nodes_holds_what_both_may_see(
    tmp_path: Path, centre: Place, laptop: Place
) -> None:
    other = open_place(tmp_path / "other", "Post 5", "laptop")
    pair(centre, laptop, units=["post-4"])
    pair(centre, other, units=["post-5"])
    centre.write_note("for all", scope="directory")
    centre.write_note("post 4", scope="directory/post-4")

    paths = write(centre, [laptop, other], tmp_path / "both.outpost").paths
    take(laptop, *paths)
    take(other, *paths)

    assert set(laptop.notes()) == set(other.notes()) == {"for all"}
    other.database.close()


@pytest.mark.parametrize("upward", [True, False])
def test_files_that_were_asked_for_travel_with_the_next_bundle(
    tmp_path: Path, centre: Place, laptop: Place, upward: bool
) -> None:
    pair(centre, laptop)
    sender, receiver = (laptop, centre) if upward else (centre, laptop)
    digest = sender.blobs.put(random.Random(1).randbytes(3_000_000))
    sender.write_note("course", f"blob:{digest}:3000000", scope="offers" if upward else "catalogue")

    named = carry(sender, receiver, tmp_path)
    carry(receiver, sender, tmp_path, with_records=False)
    brought = carry(sender, receiver, tmp_path)

    assert (named.files, named.kept_aside) == (0, {"files": 1})
    assert (brought.files, brought.kept_aside) == (1, {})
    assert receiver.blobs.whole == sender.blobs.whole
    assert set(receiver.notes()) == {"course"}


def test_parts_are_small_enough_and_make_one_bundle(tmp_path: Path, centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    dice = random.Random(1)
    write_notes(laptop, noise(dice, "n", 400))
    digest = laptop.blobs.put(dice.randbytes(900_000))
    laptop.write_note("course", f"blob:{digest}:900000")
    carry(laptop, centre, tmp_path, with_files=False)
    carry(centre, laptop, tmp_path, with_records=False)
    write_notes(laptop, noise(dice, "m", 400))

    paths = write(laptop, centre, tmp_path / "small.outpost", most_bytes=LEAST_PART_BYTES).paths
    report = take(centre, paths[-1])

    assert len(paths) > 4
    assert all(path.stat().st_size <= LEAST_PART_BYTES for path in paths)
    assert (report.accepted, report.files, report.missing) == (400, 1, ())
    assert centre.notes() == laptop.notes()


def test_a_part_that_is_missing_is_named_and_taken_once_it_is_there(
    tmp_path: Path, centre: Place, laptop: Place
) -> None:
    pair(centre, laptop)
    dice = random.Random(1)
    write_notes(laptop, noise(dice, "n", 700))
    paths = list(write(laptop, centre, tmp_path / "small.outpost", most_bytes=LEAST_PART_BYTES).paths)
    apart = paths[1].rename(tmp_path / "second part")

    without = take(centre, *paths[:1], *paths[2:])
    whole = take(centre, apart, *reversed(paths[2:]), paths[0])

    assert (without.missing, without.is_complete) == ((2,), False)
    assert 0 < without.early < 700
    assert without.accepted + without.early + whole.accepted - without.early == 700
    assert whole.is_complete
    assert centre.notes() == laptop.notes()


def test_what_is_inside_is_told_only_to_those_who_can_open_it(
    tmp_path: Path, centre: Place, laptop: Place
) -> None:
    pair(centre, laptop)
    for number in range(3):
        laptop.write_note(f"n{number}")
    path = write(laptop, centre, tmp_path / "a.outpost").paths[0]
    before = state_of(centre)

    found = find_bundle([path])
    contents = look_into(centre.node, found)

    assert (found.header.writer, found.missing) == (laptop.node.id, ())
    assert (contents.segments, contents.records) == (1, 3)
    assert state_of(centre) == before
    with pytest.raises(BundleError, match="sealed for other nodes"):
        look_into(laptop.node, found)


def test_a_laptop_put_back_from_an_image_learns_it_from_a_bundle_and_gets_its_records_back(
    tmp_path: Path, centre: Place, laptop: Place
) -> None:
    pair(centre, laptop)
    laptop.write_note("before")
    meet(laptop, centre)
    laptop.database.close()
    folder = tmp_path / "laptop"
    backup = {
        path.name: path.read_bytes() for path in folder.iterdir()
    }  # with its generation: an image of the disk
    laptop = open_place(folder, "Post 4", "laptop")
    laptop.write_note("lost with the disk")
    meet(laptop, centre)
    laptop.database.close()
    for path in folder.iterdir():
        path.unlink()
    for name, content in backup.items():
        (folder / name).write_bytes(content)
    restored = open_place(folder, "Post 4", "laptop")
    restored.now[0] += 1
    restored.write_note("after")

    carry(centre, restored, tmp_path)  # tells how far the centre is
    report = carry(restored, centre, tmp_path)  # in a new life, with how far the laptop is
    carry(centre, restored, tmp_path)

    assert report.refused == []
    assert restored.notes() == centre.notes()
    assert set(centre.notes()) == {"before", "lost with the disk", "after"}
    restored.database.close()


@pytest.mark.parametrize(
    ("case", "code"),
    [("lone", "alone"), ("stranger", "recipient"), ("nobody", "recipient"), ("me", "recipient")],
)
def test_nothing_is_written_to_those_who_cannot_be_sealed_to(
    centre: Place, laptop: Place, case: str, code: str
) -> None:
    if case != "lone":
        pair(centre, laptop)
    to = {"lone": [centre.node.id], "stranger": ["0" * 26], "nobody": [], "me": [laptop.node.id]}[case]

    with pytest.raises(BundleError) as refused:
        make_plan(laptop.node, to)

    assert refused.value.code == code


def test_nothing_is_sealed_to_a_node_whose_key_was_withdrawn(centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    with centre.database.write() as session:
        revocations.revoke(session, centre.node, laptop.node.id, reason="stolen")

    with pytest.raises(BundleError) as refused:
        make_plan(centre.node, [laptop.node.id])

    assert refused.value.code == "revoked"
