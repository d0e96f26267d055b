"""No page needs more queries, or much more of the network, because a school is large."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from lms.app import ServingNode, build_pages
from lms.nodes.local import make_identity
from lms.people.tables import PasswordCost
from lms.settings import Settings
from tests.conftest import fresh_schema
from tests.large_school import LargeSchool, Size, fill, joined, pages, signed_in
from tests.postgres import Postgres
from tests.school_builders import counted

SMALL = Size(people=3, begun=2, courses=3, taken=2, groups=1, units=3)
LARGE = Size(people=1000, begun=10, courses=100, taken=40, groups=8, units=20)
NAMES = (
    "home", "outline", "player", "player, 4 units", "result", "account", "sync", "courses", "import", "editions",
    "report", "roster", "people", "a person", "groups", "a group", "records", "a statement", "validator", "keys",
)  # fmt: skip


@dataclass
class Asked:
    """What a page of a school took."""

    status: int
    queries: int
    size: int


@dataclass
class Place:
    """A school and the pages of its node."""

    node: ServingNode
    school: LargeSchool
    client: TestClient

    def ask(self, name: str) -> Asked:
        path, person = pages(self.school)[name]
        cookie, value = signed_in(self.node, person)
        self.client.cookies = {cookie: value}  # type: ignore[assignment]
        with counted(self.node.database) as made:
            page = self.client.get(path)
        return Asked(status=page.status_code, queries=len(made), size=len(page.content))


@contextmanager
def a_place(folder: Path, url: str, size: Size) -> Iterator[Place]:
    folder.mkdir()
    node = ServingNode(Settings(data=folder, database_url=url))
    fresh_schema(node.database)
    with node.database.write() as session:
        make_identity(session, folder, name="Post 4", role="laptop")
        session.add(PasswordCost(id=1, memory_kib=8, time=1))
    with joined(node, folder):
        school = fill(node, folder, size)
        yield Place(node, school, TestClient(build_pages(node), base_url="http://localhost:8000"))
    node.close()


@pytest.fixture(scope="module")
def places(
    request: pytest.FixtureRequest, database_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Place, Place]]:
    """A small school and a large one."""
    folder = tmp_path_factory.mktemp("schools")
    with ExitStack() as opened:
        made = []
        # The large one first, which takes long: what was stored in the last minute is counted by a query of its own.
        for name, size in (("large", LARGE), ("small", SMALL)):
            url = f"sqlite:///{(folder / f'{name}.db').as_posix()}"
            if database_kind == "postgresql":
                server: Postgres = request.getfixturevalue("postgres")
                url = server.create()
            made.append(opened.enter_context(a_place(folder / name, url, size)))
        yield made[1], made[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_takes_the_same_queries_in_a_school_of_a_thousand(
    places: tuple[Place, Place], name: str
) -> None:
    small, large = places

    few, many = small.ask(name), large.ask(name)

    assert (few.status, many.status) == (200, 200)
    assert few.queries == many.queries
    assert many.size < 60_000  # styles and a font are the other 40 kB of 100


def test_no_page_is_left_out(places: tuple[Place, Place]) -> None:
    assert set(pages(places[0].school)) == set(NAMES)
