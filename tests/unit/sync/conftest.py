"""A laptop and a centre that never met."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile_builders import Scene, a_scene
from tests.sync_builders import Place, open_place, pair


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


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Place]:
    place = open_place(tmp_path / "hub", "Hub", "hub")
    yield place
    place.database.close()


@pytest.fixture
def network(centre: Place, hub: Place, laptop: Place) -> None:
    """Pair all with the centre, and the laptop with the hub too."""
    pair(centre, hub, units=["*"])
    pair(hub, laptop)
    pair(centre, laptop)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with a_scene(tmp_path_factory.mktemp("scene")) as made:
        yield made
