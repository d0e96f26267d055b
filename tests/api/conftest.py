"""A laptop and a centre with a directory that never met; record stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from lms.database import Database
from tests.nodes_builders import Place, a_place, a_small_node
from tests.xapi_builders import V1, V2, a_client, an_lrs
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


@pytest.fixture(scope="module")
def client(lasting_database: Database) -> TestClient:
    """Who may do everything in the record store of the module, in 1.0.3."""
    return a_client(an_lrs(lasting_database), V1)


@pytest.fixture(scope="module")
def client_v2(lasting_database: Database) -> TestClient:
    """The same in 2.0."""
    return a_client(an_lrs(lasting_database), V2)


@pytest.fixture(params=[V1, V2])
def either(request: pytest.FixtureRequest, lasting_database: Database) -> TestClient:
    """The same in both, one after the other."""
    return a_client(an_lrs(lasting_database), request.param)
