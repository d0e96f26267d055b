"""Schedules of what happens in the field, drawn at random, and how they are run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, note, seed, settings
from hypothesis import strategies as st

from tests.simulation.world import CLONE, MEETINGS, PEOPLE, ROLES, Death, World

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
    memo=st.booleans(),
    about=st.sampled_from([None, None, *PEOPLE]),
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
LIVE = st.one_of(
    act("number", name=ALL_NAMES, dies=DEATHS), act("reopen", name=ALL_NAMES, older=st.booleans())
)
#: A moment is one of those that notes are stamped with: their places in the feed.
TRUSTED = st.one_of(st.none(), st.just("held"), st.integers(1, 20))
REVOKE = act("revoke", name=st.sampled_from([*LAPTOPS, "hub"]), trusted=TRUSTED)
ERASE = st.one_of(act("erase", who=st.sampled_from(PEOPLE)), act("carry_out", name=ALL_NAMES, dies=DEATHS))
ROT = st.one_of(
    act("rot", name=ALL_NAMES, which=st.integers(0, 9), of_others=st.booleans()),
    act("mend", name=ALL_NAMES, dies=DEATHS),
    act("verify", name=ALL_NAMES, dies=DEATHS),
)
#: Who was erased is looked for everywhere in the end, which takes its time; there are schedules about it besides.
RARE = st.integers(0, 9).flatmap(lambda drawn: REVOKE if drawn > 2 else ROT if drawn else ERASE)
ACTS = st.one_of(WRITE, WRITE, MEET, MEET, COME_BACK, CARRY, LIVE, RARE)
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
_WRITE_ONE = act(
    "write",
    name=st.just("laptop-1"),
    count=st.sampled_from([1, 3]),
    size=st.just(20),
    memo=st.booleans(),
)
_REVOKE_ONE = act("revoke", name=st.just("laptop-1"), trusted=TRUSTED)


def in_any_order(*acts: st.SearchStrategy[Act]) -> st.SearchStrategy[list[Act]]:
    """Return schedules that do each of these, in any order."""
    return st.tuples(*acts).flatmap(st.permutations)


def meet(here: str, there: str) -> st.SearchStrategy[Act]:
    """Return a meeting over a link that holds."""
    return act("meet", who=st.just((here, there)))


#: Of a laptop that is withdrawn, a hub that hears of it early or late, and the stick that the laptop left, by which
#: alone the hub gets what the laptop gave the centre.
REVOCATION_SCHEDULES = in_any_order(
    _WRITE_ONE,
    _WRITE_ONE,
    meet("laptop-1", "centre"),
    meet("laptop-1", "hub"),
    meet("hub", "centre"),
    meet("hub", "centre"),
    _REVOKE_ONE,
    _REVOKE_ONE,
    act("write_stick", here=st.just("laptop-1"), there=st.just("hub"), with_records=st.just(True)),
    act("take_stick", which=st.just(-1), there=st.just("hub"), dies=st.none()),
    act("take_stick", which=st.just(-1), there=st.just("hub"), dies=st.none()),
    act("reopen", name=st.just("hub"), older=st.booleans()),
)
_MEET_ONE = act("meet", who=st.sampled_from([("laptop-1", "centre"), ("hub", "centre"), ("laptop-1", "hub")]))
#: Of somebody who is erased, a hub and a laptop that hear of it early or late, and a stick that lay in a drawer.
ERASURE_SCHEDULES = st.lists(
    st.one_of(
        act(
            "write",
            name=st.sampled_from(["laptop-1", "hub"]),
            count=st.sampled_from([1, 3]),
            size=st.just(20),
            memo=st.booleans(),
            about=st.sampled_from([None, *PEOPLE]),
        ),
        _MEET_ONE,
        _MEET_ONE,
        act("erase", who=st.sampled_from(PEOPLE)),
        act("carry_out", name=st.sampled_from(["laptop-1", "hub", "centre"]), dies=DEATHS),
        st.sampled_from(
            [
                ("write_stick", {"here": "laptop-1", "there": "hub", "with_records": True}),
                ("take_stick", {"which": -1, "there": "hub", "dies": None}),
                ("reopen", {"name": "hub", "older": True}),
                ("reopen", {"name": "hub", "older": False}),
                ("back_up", {"name": "hub"}),
                ("restore", {"name": "hub", "whole": False}),
            ]
        ),
    ),
    min_size=8,
    max_size=14,
)
_THREE = st.sampled_from(["laptop-1", "hub", "centre"])
#: Of disks that damage what is kept on them, of whomever it is, before and after it is met.
ROT_SCHEDULES = st.lists(
    st.one_of(
        act(
            "write",
            name=_THREE,
            count=st.sampled_from([1, 3]),
            size=st.just(20),
            in_directory=st.booleans(),
        ),
        act("number", name=st.sampled_from(["laptop-1", "hub"]), dies=st.none()),
        act("meet", who=st.sampled_from(MEETINGS), cuts=CUTS, here_dies=DEATHS, there_dies=DEATHS),
        _MEET_ONE,
        act(
            "rot",
            name=st.sampled_from(["laptop-1", "hub", "centre"]),
            which=st.integers(0, 9),
            of_others=st.booleans(),
        ),
        act("mend", name=st.sampled_from(["laptop-1", "hub", "centre"]), dies=DEATHS),
        act("verify", name=st.sampled_from(["laptop-1", "hub", "centre"]), dies=DEATHS),
        st.sampled_from(
            [
                ("write_stick", {"here": "laptop-1", "there": "hub", "with_records": True}),
                ("take_stick", {"which": -1, "there": "hub", "dies": None}),
                ("back_up", {"name": "laptop-1"}),
                ("restore", {"name": "laptop-1", "whole": False}),
            ]
        ),
    ),
    min_size=8,
    max_size=16,
)
#: Of one laptop whose disk is bad, and the centre.
NARROW_ROT_SCHEDULES = st.lists(
    st.one_of(
        act("write", name=st.just("laptop-1"), count=st.just(1), size=st.just(20)),
        act("number", name=st.just("laptop-1"), dies=st.none()),
        act("rot", name=st.just("laptop-1"), which=st.just(-1), of_others=st.just(False)),
        act("meet", who=st.just(("laptop-1", "centre"))),
    ),
    min_size=8,
    max_size=12,
)


def run(schedule: Sequence[Act]) -> None:
    """Do what a schedule says, then have all meet in peace and compare them."""
    with TemporaryDirectory(prefix="outpost-schedule-") as folder, closing(World(Path(folder))) as world:
        note("\n".join(f"world.{name}(**{how})" for name, how in schedule))
        for name, how in schedule:
            getattr(world, name)(**how)
        world.settle()
        world.assert_all_agree()


def run_many(
    count: int,
    schedules: st.SearchStrategy[list[Act]] = SCHEDULES,
    *,
    number: int | None = None,
    **other: Any,
) -> None:
    """Run random schedules: others each time, or always those of a *number*."""
    health = [HealthCheck.too_slow, HealthCheck.data_too_large]
    how = settings(max_examples=count, deadline=None, suppress_health_check=health, **other)
    tried = given(schedules)(run)
    how(tried if number is None else seed(number)(tried))()
