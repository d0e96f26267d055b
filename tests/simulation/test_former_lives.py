"""What a node said in a former life is not believed any more, whatever its clock says and by whatever way it comes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sync import ledger
from sync.messages import Receipt
from sync.node import standing
from sync.tables import ReceiptRow
from tests.simulation.world import World

YEAR_2000 = 946_684_800_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with closing(World(tmp_path)) as world:
        yield world


def root_life_believed(world: World, name: str) -> str:
    """Return the life of the centre whose receipt for laptop 1 counts on a node."""
    laptop, centre = world.nodes["laptop-1"].place.node.id, world.nodes["centre"].place.node.id
    with world.nodes[name].place.database.read() as session:
        return Receipt.model_validate_json(session.get_one(ReceiptRow, (centre, laptop)).text).issuer_epoch


def life_of(world: World, name: str) -> str:
    with world.nodes[name].place.database.read() as session:
        return standing(session).epoch


def restored_with_its_clock_behind(world: World) -> None:
    """Laptop 1 delivers by the hub, which leaves a stick with the receipts; the centre is put back to before that."""
    world.write("laptop-1", count=1, size=20)
    world.meet(("laptop-1", "hub"))
    world.meet(("hub", "centre"))
    world.back_up("centre")
    world.write("laptop-1", count=1, size=20)
    world.meet(("laptop-1", "hub"))
    world.meet(("hub", "centre"))
    world.meet(("laptop-1", "hub"))
    world.write_stick("hub", "laptop-1", with_records=True)
    world.restore("centre", whole=False)
    world.write("centre", count=1, size=20, clock_ms=YEAR_2000)


def test_a_restored_centre_whose_clock_is_behind_is_believed(world: World) -> None:
    restored_with_its_clock_behind(world)
    former = root_life_believed(world, "laptop-1")

    world.meet(("hub", "centre"))
    world.meet(("laptop-1", "hub"))

    assert former != life_of(world, "centre")
    assert root_life_believed(world, "laptop-1") == life_of(world, "centre")


def test_a_stick_with_receipts_of_a_former_life_changes_nothing(world: World) -> None:
    restored_with_its_clock_behind(world)
    world.meet(("hub", "centre"))
    world.meet(("laptop-1", "hub"))

    world.take_stick(0, "laptop-1", dies=None)

    assert root_life_believed(world, "laptop-1") == life_of(world, "centre")


def test_a_former_life_is_not_believed_where_the_present_one_was_met(world: World) -> None:
    """Though of this origin the present life has said nothing yet."""
    world.back_up("centre")
    world.write("laptop-1", count=1, size=20)
    world.meet(("laptop-1", "hub"))
    world.meet(("hub", "centre"))
    world.write_stick("hub", "laptop-1", with_records=True)
    world.restore("centre", whole=False)
    world.write("laptop-2", count=1, size=20, clock_ms=None)
    laptop = world.nodes["laptop-1"].place

    with laptop.database.write() as session:
        row = ledger.peer_row(session, world.nodes["centre"].place.node.id, now_ms=0)
        row.epoch = life_of(world, "centre")
    world.take_stick(0, "laptop-1", dies=None)

    with laptop.database.read() as session:
        counts = ledger.counts(session, laptop.node)
    assert counts["note"].delivered == 0


def test_a_centre_put_back_twice_names_the_life_between(world: World) -> None:
    world.back_up("centre")
    world.restore("centre", whole=False)
    world.write("centre", count=1, size=20)
    world.number("centre", dies=None)
    between = life_of(world, "centre")
    world.write("laptop-1", count=1, size=20)
    world.meet(("laptop-1", "centre"))
    world.write("laptop-1", count=1, size=20)

    world.restore("centre", whole=False)
    world.meet(("laptop-1", "centre"))

    laptop, centre = world.nodes["laptop-1"].place, world.nodes["centre"].place.node.id
    with laptop.database.read() as session:
        row = session.get_one(ReceiptRow, (centre, laptop.node.id))
    assert between in Receipt.model_validate_json(row.text).issuer_past
