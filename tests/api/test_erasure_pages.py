"""The page on which somebody is erased: who may, what is asked before, and who has not confirmed."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from lms.database import Database
from lms.erasure.errors import TROUBLES
from lms.erasure.pages import router
from lms.people.directory_pages import router as directory_pages
from lms.people.troubles import TROUBLES as PEOPLE_TROUBLES
from lms.web.answers import install_errors
from sync import erasures
from sync.tables import CertificateRow, NodeRow
from tests.nodes_builders import Place, a_place
from tests.school_builders import School, a_school, token


@pytest.fixture
def place(database: Database, tmp_path: Path) -> Place:
    return a_place(database, tmp_path / "central", "central")


@pytest.fixture
def school(place: Place, tmp_path: Path) -> School:
    made = a_school(place.database, tmp_path)
    made.app.routes.extend([*router.routes, *directory_pages.routes])
    made.app.state.sync = place.node
    install_errors(made.app, [PEOPLE_TROUBLES, TROUBLES])
    return made


@pytest.fixture
def her(school: School) -> UUID:
    return school.person("Q-77", role="officer")


@pytest.fixture
def administrator(school: School) -> TestClient:
    return school.client("central_admin")


def asked(client: TestClient, her: UUID, *, reason: str = "asked for it", typed: str = " q-77") -> int:
    path = f"/people/{her}/erase"
    form = token(client, path) | {"reason": reason, "typed": typed}
    return client.post(path, data=form).status_code


def orders(place: Place) -> list[str]:
    with place.database.read() as session:
        return [one.reason for one in erasures.ordered(session, place.node)]


def test_an_administrator_of_the_centre_orders_it_and_sees_who_has_not_confirmed(
    school: School, place: Place, administrator: TestClient, her: UUID
) -> None:
    assert f"/people/{her}/erase" in administrator.get(f"/people/{her}").text

    assert asked(administrator, her) == 303

    assert orders(place) == ["asked for it"]
    page = administrator.get("/erasures").text
    assert "asked for it" in page
    assert "The central" in page.partition("Not confirmed")[2]
    while erasures.carry_out_some(place.node):
        pass
    erasures.carry_out_some(place.node)
    assert "All nodes have confirmed." in administrator.get("/erasures").text
    assert administrator.get(f"/people/{her}").status_code == 404


@pytest.mark.parametrize(("reason", "typed"), [(" ", "Q-77"), ("asked", ""), ("asked", "Q-78")])
def test_nothing_is_ordered_without_a_reason_and_her_number(
    place: Place, administrator: TestClient, her: UUID, reason: str, typed: str
) -> None:
    assert asked(administrator, her, reason=reason, typed=typed) == 422

    assert orders(place) == []


@pytest.mark.parametrize("role", ["officer", "instructor", "hub_admin"])
def test_nobody_else_orders_it(school: School, place: Place, her: UUID, role: str) -> None:
    client = school.client(role)

    assert client.get(f"/people/{her}/erase").status_code == 403
    assert client.get("/erasures").status_code == 403
    assert f"/people/{her}/erase" not in client.get(f"/people/{her}").text
    form = {} if role == "officer" else token(client, "/people/new")
    answer = client.post(f"/people/{her}/erase", data=form | {"reason": "r", "typed": "Q-77"})
    assert answer.status_code == 403
    assert orders(place) == []


def test_a_node_below_the_centre_orders_nothing(school: School, laptop: Place, her: UUID) -> None:
    school.app.state.sync = laptop.node
    client = school.client("central_admin")
    with school.database.write() as session:
        session.query(CertificateRow).delete()
    with laptop.database.read() as session:
        row = session.get_one(NodeRow, 1)
        papers = session.query(CertificateRow).all()
        session.expunge_all()
    with school.database.write() as session:
        session.query(NodeRow).update({"node": row.node, "root": None})
        for paper in papers:
            session.merge(paper)

    assert client.get(f"/people/{her}/erase").status_code == 409


def test_nobody_erases_herself(school: School, place: Place) -> None:
    own = school.person("Q-78", role="central_admin")

    assert school.signed_in(own).get(f"/people/{own}/erase").status_code == 409
