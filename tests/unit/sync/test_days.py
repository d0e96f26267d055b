"""Once a day a root says what it holds; nobody tells it otherwise later, at a node or at the root, unseen."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from sync import days, merkle, segment
from sync.canonical import canonical_json, digest_of
from sync.findings import Fault, findings
from sync.messages import Proof
from sync.node import open_epoch
from sync.sequencer import number_changes
from sync.tables import DayRow, LogRow, ProofRow, SegmentRow
from sync.vector import LogKey
from sync.verification import verify
from tests.sync_builders import Place, a_site, meet

DAY_MS = 24 * 60 * 60 * 1000
NOW_MS = 1_764_000_000_000 + 2 * DAY_MS


def write(place: Place, *keys: str) -> None:
    for key in keys:
        place.write_note(key)
    number_changes(place.node)


def next_day(*places: Place) -> None:
    for place in places:
        place.now[0] += DAY_MS


def found(place: Place) -> set[Fault]:
    verify(place.node, everything=True)
    with place.database.read() as session:
        return {one.fault for one, _ in findings(session)}


def told(place: Place) -> list[days.Day]:
    """Return the statements that a node knows."""
    with place.database.read() as session:
        rows = session.scalars(select(DayRow).order_by(DayRow.number))
        return [days.Day.model_validate_json(row.body) for row in rows]


def proof(place: Place, of: Place) -> Proof | None:
    with place.database.read() as session:
        text = session.scalar(select(ProofRow.text).where(ProofRow.origin == of.node.id))
    return None if text is None else Proof.model_validate_json(text)


def facts(place: Place, of: Place) -> list[str]:
    with place.database.read() as session:
        row = SegmentRow
        query = select(row.digest).where(row.origin == of.node.id, row.scope == "up").order_by(row.first)
        return list(session.scalars(query))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A laptop recorded on two days, and heard each time what the centre said of it at the end of the day."""
    folder = tmp_path_factory.mktemp("made") / "site"
    with a_site(folder) as site:
        laptop, centre = site["laptop"], site["centre"]
        for keys in (("1", "2"), ("3",)):
            write(laptop, *keys)
            meet(laptop, centre)
            next_day(*site.values())
            assert days.make_day(centre.node)
            meet(laptop, centre)
        write(laptop, "4")
        meet(laptop, centre)
    return folder


@pytest.fixture
def site(made: Path, tmp_path: Path) -> Iterator[dict[str, Place]]:
    with a_site(Path(shutil.copytree(made, tmp_path / "site")), now_ms=NOW_MS) as places:
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


def test_each_node_holds_all_statements_and_its_own_proof(laptop: Place, centre: Place) -> None:
    assert told(laptop) == told(centre)
    assert [one.number for one in told(laptop)] == [1, 2]
    assert proof(laptop, laptop) == proof(centre, laptop)
    assert found(laptop) == found(centre) == set()


def test_one_statement_is_made_in_a_day_and_only_by_the_root(
    laptop: Place, hub: Place, centre: Place
) -> None:
    assert [days.make_day(place.node) for place in (centre, hub, laptop)] == [False, False, False]
    next_day(centre)
    assert days.make_day(centre.node)
    assert not days.make_day(centre.node)


def test_a_laptop_that_meets_only_the_hub_hears_it_there(laptop: Place, hub: Place, centre: Place) -> None:
    write(laptop, "5")
    meet(laptop, hub)
    meet(hub, centre)
    next_day(centre)
    days.make_day(centre.node)
    meet(hub, centre)
    meet(laptop, hub)

    assert proof(laptop, laptop) == proof(centre, laptop)
    assert [one.number for one in told(laptop)] == [1, 2, 3]
    assert found(laptop) == found(hub) == set()


def test_who_has_the_key_cannot_tell_anew_what_the_day_covers(laptop: Place) -> None:
    """Receipts cover the end of a log only: here the first segment is told otherwise, and the end is as it was."""
    with laptop.database.write() as session:
        rows = session.scalars(
            select(SegmentRow)
            .where(SegmentRow.origin == laptop.node.id, SegmentRow.scope == "up")
            .order_by(SegmentRow.first)
        ).all()
        previous = ""
        for row in rows:
            records = segment.read(segment.take_apart(row.encoded))
            if row is rows[0]:
                records = [replace(one, body=b"otherwise") for one in records]
            key = LogKey(row.origin, row.epoch, row.scope)
            row.encoded = segment.seal(records, log=key, previous=previous, key=laptop.node.key)
            row.digest, row.size = digest_of(row.encoded), len(row.encoded)
            row.root = previous = segment.take_apart(row.encoded).header.root

    assert found(laptop) == {Fault.OTHER}


def test_a_centre_that_drops_what_it_said_it_held_is_found_out_by_the_laptop(
    laptop: Place, centre: Place
) -> None:
    with centre.database.write() as session:
        gone = facts(centre, laptop)[1:]
        session.execute(delete(SegmentRow).where(SegmentRow.digest.in_(gone)))
        (root,) = session.scalars(
            select(SegmentRow.root).where(SegmentRow.digest == facts(centre, laptop)[0])
        )
        session.execute(
            update(LogRow)
            .where(LogRow.origin == laptop.node.id, LogRow.scope == "up")
            .values(seq=2, root=root)
        )
    next_day(centre)
    days.make_day(centre.node)

    with laptop.database.write() as session:  # whose own log has no news for the centre
        days.keep_proofs(session, laptop.node, [one for one in [proof(centre, laptop)] if one])

    assert found(laptop) == {Fault.CUT}


@pytest.mark.parametrize(
    ("number", "changes"),
    [
        (1, {"heads": "ab" * 32}),
        (1, {"number": 7}),
        (2, {"heads": "ab" * 32}),
        (2, {"previous": "ab" * 32}),
        (2, {"own": []}),
        (2, {"number": 7}),
    ],
)
def test_a_statement_that_was_changed_afterwards_is_found(
    laptop: Place, number: int, changes: dict[str, Any]
) -> None:
    with laptop.database.write() as session:
        row = session.scalars(select(DayRow).where(DayRow.number == number)).one()
        row.body = canonical_json(json.loads(row.body) | changes).decode()

    assert found(laptop) & {Fault.BROKEN, Fault.OTHER}


def test_a_statement_that_was_removed_is_missed(laptop: Place) -> None:
    with laptop.database.write() as session:
        session.execute(delete(DayRow).where(DayRow.number == 1))

    assert found(laptop) == {Fault.BROKEN, Fault.OTHER}


def test_a_proof_that_was_changed_does_not_stand_under_its_statement(laptop: Place) -> None:
    with laptop.database.write() as session:
        row = session.scalars(select(ProofRow).where(ProofRow.origin == laptop.node.id)).one()
        kept = Proof.model_validate_json(row.text)
        epoch, scope, seq, chain = kept.rows[0]
        row.text = kept.model_copy(update={"rows": ((epoch, scope, seq - 1, chain),)}).model_dump_json()

    assert found(laptop) == {Fault.OTHER}


def test_a_centre_that_was_put_back_begins_its_statements_anew(laptop: Place, centre: Place) -> None:
    with centre.database.write() as session:
        open_epoch(session, centre.node, reason="restored")
    meet(laptop, centre)
    next_day(centre)

    assert days.make_day(centre.node)

    meet(laptop, centre)
    assert [one.number for one in told(laptop)] == [1, 1, 2]
    assert proof(laptop, laptop) == proof(centre, laptop)
    assert found(laptop) == found(centre) == set()


def test_a_proof_for_one_of_three_thousand_laptops_is_small() -> None:
    leaves = [merkle.leaf_hash(str(number).encode()) for number in range(3000)]
    path = merkle.paths_of(leaves)[1234]
    row = ("0" * 13, "up", 123_456, "ab" * 32)
    one = Proof(
        issuer="0" * 26,
        epoch="0" * 13,
        number=365,
        origin="0" * 26,
        rows=(row, row),
        place=1234,
        count=3000,
        path=tuple(path),
    )

    assert len(one.model_dump_json()) < 1400


@given(st.integers(1, 40), st.data())
def test_a_path_leads_to_the_root_and_no_other_leaf_does(count: int, data: st.DataObject) -> None:
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(count)]
    place = data.draw(st.integers(0, count - 1))
    path = merkle.paths_of(leaves)[place]

    def leads_to(leaf: bytes, place: int, path: list[str]) -> str | None:
        return merkle.root_by_path(leaf, place=place, count=count, path=path)

    assert leads_to(leaves[place], place, path) == merkle.root_of(leaves)
    assert leads_to(merkle.leaf_hash(b"other"), place, path) != merkle.root_of(leaves)
    assert leads_to(leaves[place], place, [*path, "ab" * 32]) is None
    if path:
        assert leads_to(leaves[place], place, path[:-1]) is None
