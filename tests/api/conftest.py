"""A laptop and a centre with a directory that never met."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lms.database import Database
from tests.nodes_builders import Place, a_place, a_small_node


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Place]:
    with a_small_node(tmp_path, "laptop", "laptop") as place:
        yield place


@pytest.fixture
def centre(database: Database, tmp_path: Path) -> Place:
    return a_place(database, tmp_path / "central", "central")
