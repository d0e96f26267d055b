"""Honest nodes with clocks years off, ended certificates and older programs: every fact is taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync import identity, ledger, quarantine
from sync.engine import converse
from tests.hostile_builders import Scene
from tests.sync_builders import MemoryLink, open_place, pair

YEAR_MS = 365 * 24 * 3600 * 1000


@pytest.mark.parametrize("years", [-55, -10, 10])
def test_facts_of_a_clock_that_is_years_off_are_taken_and_the_clock_is_told(
    tmp_path: Path, years: int
) -> None:
    centre = open_place(tmp_path / "centre", "centre", "central")
    laptop = open_place(tmp_path / "laptop", "laptop", "laptop")
    pair(centre, laptop)
    laptop.now[0] = max(0, laptop.now[0] + years * YEAR_MS)
    laptop.write_note("a fact")

    report = converse(laptop.node, centre.node.id, MemoryLink(laptop, centre))

    assert (report.state, report.waiting) == ("done", 0)
    assert centre.notes()["a fact"] == "text"
    with centre.database.read() as session:
        seen, _ = ledger.peers(session)[0]
    assert abs(seen.skew_ms or 0) >= 9 * YEAR_MS
    for place in (centre, laptop):
        place.database.close()


def test_facts_of_a_laptop_whose_certificate_ran_out_are_taken(tmp_path: Path) -> None:
    centre = open_place(tmp_path / "centre", "centre", "central")
    laptop = open_place(tmp_path / "laptop", "laptop", "laptop")
    pair(centre, laptop)
    for place in (centre, laptop):
        place.now[0] += 14 * YEAR_MS
    laptop.write_note("fourteen years")

    report = converse(laptop.node, centre.node.id, MemoryLink(laptop, centre))

    assert (report.state, report.waiting) == ("done", 0)
    assert centre.notes()["fourteen years"] == "text"
    for place in (centre, laptop):
        place.database.close()


def test_what_an_older_program_does_not_know_waits_there_and_the_rest_is_taken(tmp_path: Path) -> None:
    centre = open_place(tmp_path / "centre", "centre", "central", older=True)
    laptop = open_place(tmp_path / "laptop", "laptop", "laptop")
    pair(centre, laptop)
    laptop.write_note("memo of a new kind")
    laptop.write_note("a fact")

    report = converse(laptop.node, centre.node.id, MemoryLink(laptop, centre))

    assert (report.state, report.waiting) == ("done", 0)
    assert set(centre.notes()) == {"a fact"}
    with centre.database.read() as session:
        assert [kept.key for kept in quarantine.kept_aside(session, limit=10)] == ["memo of a new kind"]
    for place in (centre, laptop):
        place.database.close()


def test_the_signature_of_every_paper_is_bound_to_its_purpose(scene: Scene) -> None:
    """What is signed as one thing is no other: a request can never become a certificate."""
    key, data = scene.laptop.node.key, b"data"
    purposes = ("request", "segment", "certificate", "receipt", "join", "bundle", "bundle-end")

    fits = {
        (made, read)
        for made in purposes
        for read in purposes
        if identity.verify(key.public_key, read, data, key.sign(made, data))
    }

    assert fits == {(one, one) for one in purposes}
