"""Files whose receiver dies as they become whole: what waits for them is taken at the next meeting, at either side."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.simulation.world import Death, World


@pytest.mark.parametrize("commits", range(14))
def test_what_waits_for_a_file_is_taken_by_a_centre_that_died_as_it_came(
    tmp_path: Path, commits: int
) -> None:
    with closing(World(tmp_path)) as world:
        world.write("laptop-1", count=1, size=20, with_file=True)
        world.meet(("laptop-1", "centre"), there_dies=Death(commits, "commits"))

        world.settle()

        world.assert_all_agree()


@pytest.mark.parametrize("commits", range(14))
def test_what_waits_for_a_file_is_taken_by_a_laptop_that_died_as_it_came(
    tmp_path: Path, commits: int
) -> None:
    with closing(World(tmp_path)) as world:
        world.write("centre", count=1, size=20, in_directory=True, with_file=True)
        world.meet(("laptop-1", "centre"), here_dies=Death(commits, "commits"))

        world.settle()

        assert world.nodes["laptop-1"].holds.items() >= world.nodes["centre"].holds.items()
