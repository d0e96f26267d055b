"""Journeys of a network, in real processes, each ending in the right numbers at the centre."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.journeys.network import (
    away_since,
    copied,
    fourteen_months_ago,
    ids_in,
    ids_of,
    join,
    record,
    rows,
    served,
    sync,
    waiting,
)
from tests.servers import NodeUnderTest, node


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[NodeUnderTest]:
    with node(tmp_path / "centre", role="central", name="The centre") as centre:
        yield centre


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[NodeUnderTest]:
    with node(tmp_path / "laptop", name="Post 4") as laptop:
        yield laptop


def test_a_van_that_was_its_own_root_joins_a_centre_and_all_its_laptops_recorded_is_there(
    tmp_path: Path, centre: NodeUnderTest
) -> None:
    """Its laptops follow it: for them, too, delivered means at the centre from then on."""
    with ExitStack() as opened:
        van = opened.enter_context(node(tmp_path / "van", role="hub", name="The van"))
        laptops = [opened.enter_context(node(tmp_path / f"laptop {n}", name=f"Laptop {n}")) for n in (1, 2)]
        alone = [record(van, 1, 20)]
        with served(van):
            for number, laptop in enumerate(laptops):
                join(laptop, van)
                alone.append(record(laptop, 10 + number, 30))
                assert sync(laptop)["state"] == "done"
                assert waiting(laptop) == 0
        assert ids_in(van) == ids_of(*alone)

        with served(centre):
            join(van, centre, role="hub")
            assert sync(van)["state"] == "done"
            with served(van):
                later = [record(laptop, 20 + number, 10) for number, laptop in enumerate(laptops)]
                for laptop in laptops:
                    assert sync(laptop)["state"] == "done"
                assert [waiting(laptop) for laptop in laptops] == [10, 10]  # at the van
                assert sync(van)["state"] == "done"
                for laptop in laptops:
                    assert sync(laptop)["state"] == "done"

        assert ids_in(centre) == ids_in(van) == ids_of(*alone, *later)
        assert [waiting(place) for place in (van, *laptops)] == [0, 0, 0]


@pytest.mark.parametrize("count", [3, pytest.param(10, marks=pytest.mark.soak)])
def test_laptops_imaged_from_one_disk_become_origins_of_their_own(
    tmp_path: Path, centre: NodeUnderTest, laptop: NodeUnderTest, count: int
) -> None:
    """They have one key and one machine id: what one has written the others only learn of from the centre."""
    with served(centre):
        join(laptop, centre)
        before = record(laptop, 1, 10)
        sync(laptop)
        images = [copied(laptop, tmp_path / f"image {n}") for n in range(count)]
        told = [before]
        for again in range(2):
            told += [record(image, 10 * again + n + 2, 15) for n, image in enumerate(images)]
            for image in images:
                assert sync(image)["state"] == "done"
        for image in images:  # each hears of what the last of them gave
            assert sync(image)["state"] == "done"

    assert ids_in(centre) == ids_of(*told)
    assert [waiting(image) for image in images] == [0] * count
    assert rows(centre, "SELECT count(*) FROM sync_refused") == [(0,)]
    lives = rows(centre, "SELECT count(DISTINCT epoch) FROM sync_log WHERE scope = 'up' AND seq > 0")
    assert lives[0][0] >= count


def test_a_centre_put_back_from_an_older_backup_is_filled_again(
    tmp_path: Path, centre: NodeUnderTest, laptop: NodeUnderTest
) -> None:
    with served(centre):
        join(laptop, centre)
        told = [record(laptop, 1, 40)]
        sync(laptop)
    backup = Path(shutil.copytree(centre.data, tmp_path / "backup"))
    with served(centre):
        told.append(record(laptop, 2, 40))
        sync(laptop)
    assert ids_in(centre) == ids_of(*told)
    assert waiting(laptop) == 0

    shutil.rmtree(centre.data)
    shutil.copytree(backup, centre.data)
    assert len(ids_in(centre)) == 40
    with served(centre):
        first = sync(laptop)
        told.append(record(laptop, 3, 5))
        second = sync(laptop)

    assert (first["state"], second["state"]) == ("done", "done")
    assert ids_in(centre) == ids_of(*told)
    assert waiting(laptop) == 0


def test_a_laptop_that_burnt_is_declared_dead_and_all_that_had_left_it_counts(
    tmp_path: Path, centre: NodeUnderTest, laptop: NodeUnderTest
) -> None:
    """What went by the hub before the fire arrives although the laptop's key was withdrawn meanwhile."""
    with node(tmp_path / "hub", role="hub", name="The hub") as hub, served(centre):
        join(hub, centre, role="hub")
        with served(hub):
            join(laptop, hub)
            told = [record(laptop, 1, 25)]
            sync(laptop)
            sync(hub)
            told.append(record(laptop, 2, 25))
            sync(laptop)
        burnt = laptop.facts("node", "show")["node"]
        shutil.rmtree(laptop.data)
        lost = centre.facts("node", "revoke", burnt, "--reason", "burnt", "--held")
        report = sync(hub)

    assert report["state"] == "done"
    assert lost["trusted"] >= 25
    held = rows(centre, "SELECT count(*) FROM sync_quarantine WHERE reason = 'revoked'")[0][0]
    assert len(ids_in(centre)) + held == len(ids_of(*told))
    assert set(ids_in(centre)) >= set(ids_of(told[0]))


def test_a_laptop_that_was_away_for_fourteen_months_gives_all_and_waits_for_a_person(
    centre: NodeUnderTest, laptop: NodeUnderTest
) -> None:
    """Its certificate has ended. Nothing it recorded is lost by that, and what comes down waits."""
    with served(centre):
        join(laptop, centre)
        told = [record(laptop, 1, 20)]
        sync(laptop)
        away_since(fourteen_months_ago(), centre, laptop)
        centre.people({"P-2": "officer"}, password="correct horse")
        told.append(record(laptop, 2, 300))
        report = sync(laptop)

        assert report["state"] == "done"
        assert waiting(laptop) == 0
        assert ids_in(centre) == ids_of(*told)
        assert rows(laptop, "SELECT personnel_number FROM person WHERE personnel_number = 'P-2'") == []
        peers = {peer["node"]: peer["has_ended"] for peer in centre.facts("node", "list")}
        assert list(peers.values()) == [True]

        centre.facts("node", "renew", *peers)
        told.append(record(laptop, 3, 5))
        assert sync(laptop)["state"] == "done"

    assert ids_in(centre) == ids_of(*told)
    assert rows(laptop, "SELECT personnel_number FROM person WHERE personnel_number = 'P-2'") == [("P-2",)]


def test_segments_that_rotted_on_a_laptop_and_on_its_hub_hold_up_nothing(
    tmp_path: Path, centre: NodeUnderTest, laptop: NodeUnderTest
) -> None:
    """The hub asks the laptop again; what only the laptop had is told again, but for a record that went with it."""
    with node(tmp_path / "hub", role="hub", name="The hub") as hub, served(centre):
        join(hub, centre, role="hub")
        with served(hub):
            join(laptop, hub)
            told = [record(laptop, 1, 25)]
            sync(laptop)
        told.append(record(laptop, 2, 40))
        laptop.run("bundle", "export", str(tmp_path / "never sent.outpost"))  # that seals them
        told.append(record(laptop, 3, 10))
        spoil(hub, laptop.facts("node", "show")["node"])
        spoil(laptop, laptop.facts("node", "show")["node"])
        gone = forget_newest(laptop)

        assert sync(hub)["state"] == "done"
        assert ids_in(centre) == []
        with served(hub):
            assert sync(laptop)["state"] == "done"
        assert sync(hub)["state"] == "done"
        with served(hub):
            sync(laptop)  # to hear what the centre has signed for

        assert ids_in(centre) == [one for one in ids_of(*told) if one != gone]
        assert [waiting(place) for place in (laptop, hub)] == [0, 0]
        assert rows(centre, "SELECT count, kinds FROM sync_loss") == [(1, '{"statement": 1}')]
        for place in (laptop, hub, centre):
            found = {one["about"]: one for one in place.facts("doctor", "--all")["checks"]}
            assert found["records"]["state"] in {"well", "told"}, found["records"]


def spoil(place: NodeUnderTest, origin: str) -> None:
    """Have the disk of a node damage what it keeps of the last segment of somebody's facts."""
    with closing(sqlite3.connect(place.data / "outpost.db", timeout=60)) as file, file:
        row, encoded = file.execute(
            "SELECT rowid, encoded FROM sync_segment WHERE origin = ? AND scope = 'up' ORDER BY first DESC LIMIT 1",
            (origin,),
        ).fetchone()
        file.execute("UPDATE sync_segment SET encoded = ? WHERE rowid = ?", (encoded[:-9] + bytes(9), row))


def forget_newest(place: NodeUnderTest) -> str:
    """Take away the newest statement that is numbered, as if the disk had; return its id."""
    with closing(sqlite3.connect(place.data / "outpost.db", timeout=60)) as file, file:
        (position,) = file.execute("SELECT position FROM sync_feed WHERE name = 'statements'").fetchone()
        (statement,) = file.execute(
            "SELECT id FROM xapi_statement WHERE position = ?", (position,)
        ).fetchone()
        file.execute("DELETE FROM xapi_statement WHERE position = ?", (position,))
        file.execute("DELETE FROM xapi_statement_id WHERE id = ?", (statement,))
    return bytes(statement).hex()
