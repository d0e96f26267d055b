"""Several nodes over a link that breaks, repeats and forgets; processes that die, databases put back.

Every run ends by letting everybody meet in peace and comparing all nodes: nothing lost that reached another node,
nothing doubled, the same logs everywhere.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sync import log
from sync.engine import converse
from sync.vector import Head, LogKey
from tests.sync_builders import MemoryLink, Place, open_place, pair

ROUNDS = 12


class Field:
    """Three laptops, a hub and a centre, and a die that decides everything."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.folder = folder
        self.roles = {"centre": "central", "hub": "hub", "laptop-1": "laptop", "laptop-2": "laptop"}
        self.places: dict[str, Place] = {name: self.open(name) for name in self.roles}
        pair(self.places["centre"], self.places["hub"], units=["*"])
        for name in self.laptops:
            pair(self.places["hub"], self.places[name])
            pair(self.places["centre"], self.places[name])
        self.backups: dict[str, bytes] = {}
        self.alive: set[str] = set()
        self.written = 0

    @property
    def laptops(self) -> list[str]:
        return [name for name in self.roles if name.startswith("laptop")]

    def open(self, name: str) -> Place:
        return open_place(self.folder / name, name, self.roles[name])  # type: ignore[arg-type]

    def run(self, rounds: int) -> None:
        for _ in range(rounds):
            act = self.random.choices(
                [self.write, self.meet, self.back_up, self.restore, self.kill], weights=[5, 5, 1, 1, 1]
            )[0]
            act()
        for _ in range(2):
            for name in [*self.laptops, "hub"]:
                self.meet_in_peace(name, "hub" if name != "hub" else "centre")
                self.meet_in_peace(name, "centre")

    # ------------------------------------------------------------ what may happen

    def write(self) -> None:
        name = self.random.choice(list(self.roles))
        scope = "directory" if name == "centre" and self.random.random() < 0.5 else "up"
        for _ in range(self.random.choice([1, 3, 40])):
            self.written += 1
            text = f"{self.random.getrandbits(400):x}"
            self.places[name].write_note(f"{name}-{self.written}", text, scope=scope)

    def meet(self) -> None:
        here = self.random.choice([*self.laptops, "hub"])
        there = "centre" if here == "hub" else self.random.choice(["hub", "centre"])
        budget = [self.random.choice([500, 3000, 10_000, 10**9])]

        def cut(length: int) -> int | None:
            budget[0] -= length + 100
            if budget[0] >= 0:
                return None
            budget[0] = self.random.choice([500, 3000, 10_000])
            return self.random.randint(0, length)

        link = MemoryLink(self.places[here], self.places[there], cut)
        converse(self.places[here].node, self.places[there].node.id, link, pause=lambda _: None)
        self.note_what_others_hold()

    def kill(self) -> None:
        name = self.random.choice(list(self.roles))
        self.places[name].database.close()
        self.places[name] = self.reopened(name)

    def back_up(self) -> None:
        name = self.random.choice(self.laptops)
        self.places[name].database.close()
        self.backups[name] = (self.folder / name / "node.db").read_bytes()

    def restore(self) -> None:
        if not self.backups:
            return
        name = self.random.choice(sorted(self.backups))
        self.places[name].database.close()
        database = self.folder / name / "node.db"
        for suffix in ("-wal", "-shm"):
            database.with_name(database.name + suffix).unlink(missing_ok=True)
        database.write_bytes(self.backups[name])
        self.places[name] = self.reopened(name)

    # ------------------------------------------------------------ how it ends

    def meet_in_peace(self, here: str, there: str) -> None:
        if here == there:
            return
        link = MemoryLink(self.places[here], self.places[there])
        report = converse(self.places[here].node, self.places[there].node.id, link, pause=lambda _: None)
        assert report.state == "done", report

    def note_what_others_hold(self) -> None:
        self.alive |= set(self.places["hub"].notes()) | set(self.places["centre"].notes())

    def reopened(self, name: str) -> Place:
        place = self.open(name)
        place.blobs.whole.update(self.places[name].blobs.whole)
        return place

    def logs(self, name: str) -> dict[LogKey, Head]:
        with self.places[name].database.read() as session:
            return log.held(session)


@pytest.fixture
def field_of(tmp_path: Path, request: pytest.FixtureRequest) -> Field:
    return Field(tmp_path, request.param)


def assert_all_agree(field: Field) -> None:
    centre, hub = field.places["centre"], field.places["hub"]
    at_centre = field.logs("centre")
    assert field.alive <= set(centre.notes()), "something that reached another node was lost"
    for name in field.roles:
        notes = field.places[name].notes()
        assert set(notes.items()) <= set(centre.notes().items()), name
        for key, head in field.logs(name).items():
            assert at_centre[key] == head, (name, key)
    assert set(hub.notes()) == set(centre.notes())


@pytest.mark.parametrize("field_of", range(20), indirect=True)
def test_nodes_agree_after_a_bad_day(field_of: Field) -> None:
    field_of.run(ROUNDS)

    assert_all_agree(field_of)


@pytest.mark.soak
@pytest.mark.parametrize("field_of", range(1000, 3000), indirect=True)
def test_nodes_agree_after_a_bad_month(field_of: Field) -> None:
    field_of.run(ROUNDS * 5)

    assert_all_agree(field_of)
