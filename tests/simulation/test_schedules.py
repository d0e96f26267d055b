"""Random schedules of what happens in the field: nothing is lost, changed or doubled, and in the end all agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync import quarantine, sequencer
from sync.inbox import Intake
from sync.messages import Frame, Record
from sync.node import Node
from tests import sync_builders
from tests.simulation.world import CLONE, MEETINGS, ROLES, Death, World
from tests.sync_builders import NoteRow, Place

#: An act of the world by its name, and how it is done.
Act = tuple[str, dict[str, Any]]

LAPTOPS = [name for name in ROLES if name.startswith("laptop")]
NAMES = st.sampled_from([*LAPTOPS, *ROLES])
ALL_NAMES = st.sampled_from([*LAPTOPS, *ROLES, CLONE])
CUTS = st.lists(st.sampled_from([0, 1, 300, 1_000, 3_000, 10_000]), max_size=3)
DEATHS = st.one_of(
    st.none(),
    st.builds(Death, st.integers(0, 80), st.just("statements")),
    st.builds(Death, st.integers(0, 9), st.just("commits")),
)
CLOCKS = st.sampled_from([None, None, 0, 946_684_800_000, 1_764_003_700_000, 2_080_000_000_000])


def act(name: str, /, **how: st.SearchStrategy[Any]) -> st.SearchStrategy[Act]:
    """Return an act of this name."""
    return st.tuples(st.just(name), st.fixed_dictionaries(how))


WRITE = act(
    "write",
    name=ALL_NAMES,
    count=st.sampled_from([1, 3, 30]),
    size=st.sampled_from([20, 400]),
    in_directory=st.booleans(),
    with_file=st.booleans(),
    clock_ms=CLOCKS,
)
MEET = act(
    "meet",
    who=st.sampled_from([*MEETINGS, (CLONE, "hub"), (CLONE, "centre")]),
    cuts=CUTS,
    here_dies=DEATHS,
    there_dies=DEATHS,
)
COME_BACK = st.one_of(
    act("back_up", name=NAMES),
    act("restore", name=NAMES, whole=st.booleans()),
    act("clone", name=st.sampled_from(LAPTOPS), machine=st.sampled_from(["machine", "another machine"])),
)
CARRY = st.one_of(
    act("write_stick", here=NAMES, there=NAMES, with_records=st.booleans()),
    act("take_stick", which=st.integers(0, 9), there=ALL_NAMES, dies=DEATHS),
)
LIVE = st.one_of(act("number", name=ALL_NAMES, dies=DEATHS), act("reopen", name=ALL_NAMES))
ACTS = st.one_of(WRITE, WRITE, MEET, MEET, COME_BACK, CARRY, LIVE)
SCHEDULES = st.lists(ACTS, min_size=8, max_size=16)
#: Of one laptop and the centre: what breaks one rule is met sooner where less happens besides.
NARROW_SCHEDULES = st.lists(
    st.one_of(
        act("write", name=st.just("laptop-1"), count=st.just(1), size=st.just(20), clock_ms=CLOCKS),
        act("meet", who=st.just(("laptop-1", "centre")), there_dies=DEATHS),
        act("back_up", name=st.just("laptop-1")),
        act("restore", name=st.just("laptop-1"), whole=st.booleans()),
    ),
    min_size=8,
    max_size=16,
)


def run(schedule: Sequence[Act]) -> None:
    """Do what a schedule says, then have all meet in peace and compare them."""
    with TemporaryDirectory(prefix="outpost-schedule-") as folder, closing(World(Path(folder))) as world:
        note("\n".join(f"world.{name}(**{how})" for name, how in schedule))
        for name, how in schedule:
            getattr(world, name)(**how)
        world.settle()
        world.assert_all_agree()


def run_many(count: int, schedules: st.SearchStrategy[list[Act]] = SCHEDULES, **other: Any) -> None:
    """Run random schedules."""
    health = [HealthCheck.too_slow, HealthCheck.data_too_large]
    how = settings(max_examples=count, deadline=None, suppress_health_check=health, **other)
    how(given(schedules)(run))()


@pytest.mark.parametrize(("count", "schedules"), [(300, SCHEDULES), (100, NARROW_SCHEDULES)])
def test_nothing_is_lost_in_any_order(count: int, schedules: st.SearchStrategy[list[Act]]) -> None:
    run_many(count, schedules)


@pytest.mark.soak
def test_nothing_is_lost_in_ten_thousand() -> None:
    run_many(10_000)


# ---------------------------------------------------------------- rules broken on purpose


def without_epochs(patch: pytest.MonkeyPatch) -> None:
    """A restored or cloned database goes on numbering where it stands."""
    patch.setattr(sequencer, "ensure_epoch", lambda *_: False)
    patch.setattr(sync_builders, "ensure_epoch", lambda *_: False)
    patch.setattr(sequencer, "is_overtaken", lambda *_: False)


def with_a_cursor_of_time(patch: pytest.MonkeyPatch) -> None:
    """Changes are told by when they were made, not in the order in which they became visible."""

    def write_note(self: Place, key: str, text: str = "text", *, scope: str = "up") -> None:
        with self.database.write() as session:
            position = self.now[0] * 1_000
            later = select(func.max(NoteRow.position)).where(
                NoteRow.position.between(position, position + 999)
            )
            position = (session.scalar(later) or position) + 1
            session.add(NoteRow(position=position, key=key, scope=scope, text=text, made_here=True))

    patch.setattr(Place, "write_note", write_note)


def with_receipts_before_commit(patch: pytest.MonkeyPatch) -> None:
    """A segment is told as held before what it says is there: that comes in a transaction of its own."""
    later: list[tuple[Node, Sequence[Record], dict[str, Any]]] = []

    def put_off(_session: Session, node: Node, records: Sequence[Record], **how: Any) -> None:
        later.append((node, records, how))

    def finish_in_two(self: Intake, frame: Frame) -> None:
        later.clear()
        finish(self, frame)
        for node, records, how in later:
            with node.write() as session:
                apply(session, node, records, **how)

    apply, finish = quarantine.apply_records, Intake._finish_segment
    patch.setattr(quarantine, "apply_records", put_off)
    patch.setattr(Intake, "_finish_segment", finish_in_two)


@pytest.mark.parametrize("break_a_rule", [without_epochs, with_a_cursor_of_time, with_receipts_before_commit])
def test_a_rule_broken_on_purpose_is_noticed(
    break_a_rule: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    break_a_rule(monkeypatch)

    with pytest.raises(AssertionError):
        run_many(300, NARROW_SCHEDULES, phases=[Phase.generate], derandomize=True, database=None)
