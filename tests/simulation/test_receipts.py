"""Receipts where the node that gives them dies: they come with the next meeting, though nothing is new then."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.simulation.world import Death, World


@pytest.mark.parametrize("commits", range(12))
def test_a_centre_that_died_before_it_signed_signs_at_the_next_meeting(tmp_path: Path, commits: int) -> None:
    with closing(World(tmp_path)) as world:
        world.write("laptop-1", count=3, size=20)

        world.meet(
            ("laptop-1", "centre"), there_dies=Death(commits, "commits"), here_dies=Death(200, "statements")
        )
        world.meet(("laptop-1", "centre"))

        assert world.waiting("laptop-1") == 0
