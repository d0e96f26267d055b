"""A laptop and a centre that never met."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sync_builders import Place, open_place


@pytest.fixture
def centre(tmp_path: Path, database_url: str) -> Iterator[Place]:
    place = open_place(tmp_path / "centre", "Centre", "central", url=database_url)
    yield place
    place.database.close()


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Place]:
    place = open_place(tmp_path / "laptop", "Post 4", "laptop")
    yield place
    place.database.close()
