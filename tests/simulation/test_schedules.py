"""Random schedules of what happens in the field: nothing is lost, changed or doubled, and in the end all agree."""

from __future__ import annotations

import pytest

from tests.simulation.schedules import run_many


def test_nothing_is_lost_in_any_order() -> None:
    run_many(300)


@pytest.mark.soak
def test_nothing_is_lost_in_ten_thousand() -> None:
    run_many(10_000)
