"""A laptop and a centre with a directory that never met; record stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.types import ASGIApp

from lms.database import Database
from tests.nodes_builders import Place, a_place, a_small_node
from tests.xapi_builders import an_lrs
from xapi_store.http import create_lrs_app


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Place]:
    with a_small_node(tmp_path, "laptop", "laptop") as place:
        yield place


@pytest.fixture
def centre(database: Database, tmp_path: Path) -> Place:
    return a_place(database, tmp_path / "central", "central")


@pytest.fixture(scope="module")
def store(lasting_database: Database) -> ASGIApp:
    """A record store that the tests of a module share."""
    return create_lrs_app(an_lrs(lasting_database))


@pytest.fixture
def own_store(database: Database) -> ASGIApp:
    """A record store for one test."""
    return create_lrs_app(an_lrs(database))
