"""The page that tells an administrator whether what is kept here is what was signed."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from lms.database import Database
from lms.evidence.pages import router
from sync.sequencer import number_changes
from sync.tables import LossRow, SegmentRow
from sync.verification import verify, verify_some
from tests.nodes_builders import Place, a_place
from tests.school_builders import School, a_school, token

PATH = "/sync-status/check"


@pytest.fixture
def place(database: Database, tmp_path: Path) -> Place:
    return a_place(database, tmp_path / "central", "central")


@pytest.fixture
def school(place: Place, tmp_path: Path) -> School:
    made = a_school(place.database, tmp_path)
    made.app.routes.extend(router.routes)
    made.app.state.sync = place.node
    place.person("A-1")
    number_changes(place.node)
    return made


@pytest.fixture
def administrator(school: School) -> TestClient:
    return school.client("hub_admin")


def test_it_says_when_all_is_well_and_up_to_when(place: Place, administrator: TestClient) -> None:
    assert "Nothing was checked yet" in administrator.get(PATH).text

    verify(place.node)

    page = administrator.get(PATH).text
    assert "Nothing was removed, changed, reordered or back-dated." in page
    assert "Checked up to" in page


def test_what_was_found_is_told_with_what_to_do(place: Place, administrator: TestClient) -> None:
    with place.database.write() as session:
        row = session.scalars(select(SegmentRow)).one()
        row.encoded = row.encoded[:-1] + bytes([row.encoded[-1] ^ 1])

    verify(place.node)

    page = administrator.get(PATH).text
    assert "1 thing is not as it was signed." in page
    assert "the disk is damaged, most likely" in page
    assert "asks the others for a good copy" in page
    assert "The central" in page


def test_an_administrator_has_everything_checked(place: Place, administrator: TestClient) -> None:
    answer = administrator.post(PATH, data=token(administrator, PATH), follow_redirects=False)

    assert answer.status_code == 303
    assert "signed records checked" in administrator.get(PATH).text
    while verify_some(place.node):
        pass
    assert "Check everything now" in administrator.get(PATH).text


def test_what_a_node_has_lost_is_told_with_its_name_and_the_day(
    place: Place, administrator: TestClient
) -> None:
    march_ms = 1_773_489_600_000
    with place.database.write() as session:
        session.add(
            LossRow(
                origin=place.node.id,
                epoch="0" * 13,
                scope="up",
                first=4,
                last=9,
                root="ab" * 32,
                count=3,
                kinds='{"statement": 3}',
                kept_ms=march_ms,
                declared_ms=march_ms,
                told_ms=march_ms,
                made_here=False,
            )
        )

    page = " ".join(administrator.get(PATH).text.split())

    assert "3 records of 14 March 2026 could not be read on <bdi>The central</bdi>: disk damage." in page


def test_others_are_not_shown_it(school: School) -> None:
    assert school.client("instructor").get(PATH).status_code == 403
