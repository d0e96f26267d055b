"""Two or three nodes in one process, over an in-memory link: what arrives, what is counted, what is refused."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sync import ledger, log, pairing, quarantine, revocations
from sync.engine import SyncReport, converse
from sync.errors import PairingError
from sync.node import GENERATION_FILE
from sync.responder import Responder
from sync.sequencer import number_changes
from tests.bundle_builders import carry
from tests.sync_builders import MemoryLink, Place, open_place, pair


def meet(here: Place, there: Place, link: MemoryLink | None = None) -> SyncReport:
    return converse(here.node, there.node.id, link or MemoryLink(here, there), pause=lambda _: None)


def test_what_a_lone_laptop_made_reaches_the_centre_after_pairing(centre: Place, laptop: Place) -> None:
    for number in range(1200):
        laptop.write_note(f"n{number}", f"text {number}")
    pair(centre, laptop)

    report = meet(laptop, centre)

    assert report.state == "done", report
    assert centre.notes() == laptop.notes()
    assert (report.sent, report.waiting) == (1200, 0)


def test_a_fresh_install_numbers_all_it_has_in_one_life(laptop: Place) -> None:
    (laptop.node.folder / GENERATION_FILE).unlink()  # the set-up of a node writes none
    for number in range(1200):
        laptop.write_note(f"n{number}")

    number_changes(laptop.node)

    with laptop.database.read() as session:
        assert [head.seq for head in log.held(session).values()] == [1200]


def test_nothing_new_takes_one_turn(centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    laptop.write_note("a")
    centre.write_note("c", scope="directory")
    meet(laptop, centre)

    report = meet(laptop, centre)

    assert (report.turns, report.sent, report.received) == (1, 0, 0)


def test_the_directory_comes_down_and_is_not_echoed(centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    centre.write_note("person", scope="directory")

    first, second = meet(laptop, centre), meet(laptop, centre)

    assert laptop.notes() == {"person": "text"}
    assert (first.received, second.sent) == (1, 0)


def test_a_unit_sees_its_own_directory_only(centre: Place, laptop: Place) -> None:
    pair(centre, laptop, units=["post-4"])
    centre.write_note("ours", scope="directory/post-4")
    centre.write_note("theirs", scope="directory/post-5")

    meet(laptop, centre)

    assert set(laptop.notes()) == {"ours"}


def test_delivered_is_said_only_by_the_roots_receipt(centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    laptop.write_note("a")
    with laptop.database.read() as session:
        before = ledger.counts(session, laptop.node)["note"]

    meet(laptop, centre)

    with laptop.database.read() as session:
        after = ledger.counts(session, laptop.node)["note"]
    assert (before.waiting, before.delivered) == (1, 0)
    assert (after.waiting, after.delivered) == (0, 1)


def test_acknowledged_bytes_are_not_sent_again_after_cuts(centre: Place, laptop: Place) -> None:
    noise = random.Random(1)
    for number in range(300):
        laptop.write_note(f"n{number}", f"{noise.getrandbits(800):x}")
    pair(centre, laptop)
    passed = [0]

    def cut(length: int) -> int | None:
        passed[0] += length
        if length and passed[0] > 5000:
            passed[0] = 0
            return length // 2
        return None

    link = MemoryLink(laptop, centre, cut)
    report = meet(laptop, centre, link)

    with laptop.database.read() as session:
        (key,) = log.held(session)
        payload = sum(ref.size for ref in log.segments_after(session, key, 0))
    assert report.state == "done", report
    assert centre.notes() == laptop.notes()
    assert link.bodies_up == payload


def test_a_file_that_was_begun_goes_on_in_the_next_meeting(centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    digest = laptop.blobs.put(b"course file" * 10_000)
    laptop.write_note("course", f"blob:{digest}:110000", scope="offers")
    room = 40_000

    def cut(size: int) -> int | None:
        nonlocal room
        kept, room = min(size, room), room - min(size, room)
        return kept if size and kept < size else None

    first, second = MemoryLink(laptop, centre, cut), MemoryLink(laptop, centre)
    meet(laptop, centre, first)
    kept = centre.blobs.partial_size(digest)
    report = meet(laptop, centre, second)

    assert 0 < kept < 110_000
    assert report.state == "done"
    assert second.bodies_up == 110_000 - kept


def test_a_poisoned_record_does_not_stop_the_rest(centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    for key, text in (("a", "one"), ("b", "poison"), ("c", "three")):
        laptop.write_note(key, text)

    meet(laptop, centre)

    with centre.database.read() as session:
        (kept,) = quarantine.kept_aside(session, limit=10)
    assert set(centre.notes()) == {"a", "c"}
    assert (kept.key, kept.verdict, kept.reason) == ("b", "refused", "error")


@pytest.mark.parametrize("upward", [True, False])
def test_files_follow_the_record_that_names_them(centre: Place, laptop: Place, upward: bool) -> None:
    pair(centre, laptop)
    sender, receiver = (laptop, centre) if upward else (centre, laptop)
    digest = sender.blobs.put(bytes(range(256)) * 1000)
    sender.write_note("course", f"blob:{digest}:256000", scope="offers" if upward else "catalogue")

    report = meet(laptop, centre)

    assert report.state == "done", report
    assert receiver.blobs.whole == sender.blobs.whole
    assert set(receiver.notes()) == {"course"}


@pytest.mark.parametrize("upward", [True, False])
def test_a_file_that_was_lost_is_asked_for_again(centre: Place, laptop: Place, upward: bool) -> None:
    pair(centre, laptop)
    sender, receiver = (laptop, centre) if upward else (centre, laptop)
    digest = sender.blobs.put(bytes(range(256)) * 1000)
    receiver.blobs.gone[digest] = 256_000

    report = meet(laptop, centre)

    assert report.state == "done", report
    assert receiver.blobs.whole == sender.blobs.whole
    assert receiver.blobs.gone == {}


def test_a_lost_file_that_the_peer_does_not_have_holds_up_nothing(centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    laptop.blobs.gone["0" * 64] = 12
    laptop.write_note("note")

    report = meet(laptop, centre)

    assert report.state == "done", report
    assert set(centre.notes()) == {"note"}


def test_a_restored_laptop_begins_anew_and_gets_its_own_records_back(
    tmp_path: Path, centre: Place, laptop: Place
) -> None:
    pair(centre, laptop)
    laptop.write_note("before")
    meet(laptop, centre)
    laptop.database.close()
    database = tmp_path / "laptop" / "node.db"
    backup = database.read_bytes()
    laptop = open_place(tmp_path / "laptop", "Post 4", "laptop")
    laptop.write_note("lost with the disk")
    meet(laptop, centre)
    laptop.database.close()
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    database.write_bytes(backup)

    restored = open_place(tmp_path / "laptop", "Post 4", "laptop")
    restored.write_note("after")
    report = meet(restored, centre)

    assert report.state == "done", report
    assert restored.notes() == centre.notes()
    assert set(centre.notes()) == {"before", "lost with the disk", "after"}
    restored.database.close()


def test_a_clone_that_did_not_notice_is_told_by_its_peer(
    tmp_path: Path, centre: Place, laptop: Place
) -> None:
    pair(centre, laptop)
    laptop.write_note("before")
    meet(laptop, centre)
    laptop.database.close()
    twin_folder = tmp_path / "twin"
    twin_folder.mkdir()
    for file in (tmp_path / "laptop").iterdir():
        (twin_folder / file.name).write_bytes(file.read_bytes())
    laptop = open_place(tmp_path / "laptop", "Post 4", "laptop")
    twin = open_place(twin_folder, "Post 4", "laptop")
    laptop.write_note("from the first")
    twin.write_note("from the twin")

    meet(laptop, centre)
    report = meet(twin, centre)

    assert report.state == "done", report
    assert set(centre.notes()) == {"before", "from the first", "from the twin"}
    assert set(twin.notes()) == set(centre.notes())
    twin.database.close()
    laptop.database.close()


def test_a_revoked_laptop_is_refused_with_a_sentence(centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    with centre.database.write() as session:
        revocations.revoke(session, centre.node, laptop.node.id, reason="stolen")
    laptop.write_note("a")

    report = meet(laptop, centre)

    assert report.state == "refused"
    assert "withdrawn" in report.detail
    assert centre.notes() == {}


def test_a_code_is_good_for_one_node(tmp_path: Path, centre: Place, laptop: Place) -> None:
    with centre.database.write() as session:
        code = pairing.invite(session, role="laptop", units=(), now_ms=centre.now[0])
    first, _ = pairing.ask_to_join(laptop.node.key, name="One", role="laptop", code=code)
    other = open_place(tmp_path / "other", "Other", "laptop")
    second, _ = pairing.ask_to_join(other.node.key, name="Two", role="laptop", code=code)
    Responder(centre.node).join(first)

    assert Responder(centre.node).join(first).certificates
    with pytest.raises(PairingError, match="spent"):
        Responder(centre.node).join(second)
    other.database.close()


def test_a_hub_relays_a_laptops_segments_byte_for_byte(tmp_path: Path, centre: Place, laptop: Place) -> None:
    hub = open_place(tmp_path / "hub", "Hub", "hub")
    pair(centre, hub, units=["*"])
    pair(hub, laptop)
    laptop.write_note("a")

    meet(laptop, hub)
    with laptop.database.read() as session:
        at_hub = ledger.counts(session, laptop.node)["note"].at_hub
    report = meet(hub, centre)
    meet(laptop, hub)

    with laptop.database.read() as session:
        delivered = ledger.counts(session, laptop.node)["note"].delivered
    assert (at_hub, report.sent, delivered) == (1, 1, 1)
    assert centre.notes() == laptop.notes()
    hub.database.close()


def test_what_one_site_recorded_is_not_given_to_another(
    centre: Place, hub: Place, laptop: Place, tmp_path: Path
) -> None:
    """Facts go up. Each of 300 hubs would else fetch over its satellite what all others have recorded."""
    other = open_place(tmp_path / "other", "Other hub", "hub")
    pair(centre, hub, units=["*"])
    pair(centre, other, units=["*"])
    pair(hub, laptop)
    laptop.write_note("of the laptop")
    laptop.write_note("proposed", scope="offers")
    hub.write_note("of the hub")
    meet(laptop, hub)
    meet(hub, centre)
    other.write_note("of the other")

    assert meet(other, centre).received == 0

    assert set(centre.notes()) == {"of the laptop", "proposed", "of the hub", "of the other"}
    assert set(other.notes()) == {"of the other"}
    assert meet(other, centre).turns == 1
    other.database.close()


def test_a_hub_gives_no_facts_to_the_hubs_that_it_admitted_and_takes_theirs(
    centre: Place, hub: Place, laptop: Place, tmp_path: Path
) -> None:
    below = open_place(tmp_path / "below", "A van", "hub")
    pair(hub, laptop)
    pair(hub, below, units=["*"])  # before either joined a centre
    laptop.write_note("of the laptop")
    meet(laptop, hub)
    below.write_note("of the van")

    meet(below, hub)

    assert set(hub.notes()) == {"of the laptop", "of the van"}
    assert set(below.notes()) == {"of the van"}
    below.database.close()


def test_any_hub_takes_a_laptops_records_to_the_centre(
    centre: Place, hub: Place, laptop: Place, tmp_path: Path
) -> None:
    other = open_place(tmp_path / "other", "Other hub", "hub")
    pair(centre, hub, units=["*"])
    pair(centre, other, units=["*"])
    pair(centre, laptop)
    pair(hub, laptop)
    laptop.write_note("first")
    meet(laptop, hub)
    pair(other, laptop)
    laptop.write_note("second")

    carry(laptop, other, tmp_path)
    meet(other, centre)

    assert set(centre.notes()) == {"first", "second"}
    other.database.close()
