"""The first person of a lone laptop begins, signs out, and is refused with a wrong password."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from content_packages.shelf import Shelf
from lms.database import Database
from lms.people.pages import router
from lms.people.passwords import Cost, Passwords
from lms.people.sessions import recognise
from lms.people.troubles import TROUBLES
from lms.web.frame import frame
from lms.web.site import Chip, Site

FIRST = {"personnel_number": "A1", "name": "Ada", "password": "long enough", "again": "long enough"}


@pytest.fixture
def client(database: Database, tmp_path: Path) -> TestClient:
    site = Site(
        database=database,
        now=lambda: datetime.now(UTC),
        public_url="http://localhost:8000",
        content_url="http://localhost:8001",
        secret=b"s" * 32,
        node_name="Post 4",
        shelf=Shelf(tmp_path / "shelf"),
        uploads=tmp_path,
        assets={"app.css": "/static/app.css"},
        chip=lambda _session, _now: Chip(state="alone"),
        recognise=recognise,
        first_person_here=True,
    )
    app = FastAPI()
    app.routes.extend(router.routes)
    app.state.passwords = Passwords(Cost(1024, 1))
    frame(app, site, host_names=["localhost"], troubles=[TROUBLES])
    return TestClient(app, base_url="http://localhost:8000", follow_redirects=False)


def token(client: TestClient, path: str) -> dict[str, str]:
    found = re.search(r'name="csrf_token" value="(\w+)"', client.get(path).text)
    assert found is not None
    return {"csrf_token": found[1]}


def test_the_first_person_is_signed_in_at_once(client: TestClient) -> None:
    client.post("/first-person", data=FIRST | token(client, "/sign-in"))

    assert "Ada" in client.get("/account").text


def test_a_language_chosen_before_signing_in_is_hers_from_then_on(client: TestClient) -> None:
    client.post("/first-person", data=FIRST | token(client, "/sign-in"))
    client.post("/language", data={"locale": "en"} | token(client, "/account"))
    client.post("/sign-out", data=token(client, "/account"))
    who = {"personnel_number": "a1", "password": "long enough"}

    client.post("/language", data={"locale": "ar"} | token(client, "/sign-in"))
    client.post("/sign-in", data=who | token(client, "/sign-in"))
    chosen = client.get("/account").text
    client.post("/language", data={"locale": "en"} | token(client, "/account"))
    client.post("/sign-out", data=token(client, "/account"))
    client.post("/sign-in", data=who | token(client, "/sign-in"))

    assert 'lang="ar"' in chosen
    assert 'lang="en"' in client.get("/account").text


def test_a_form_without_the_token_changes_nothing(client: TestClient) -> None:
    client.post("/first-person", data=FIRST | token(client, "/sign-in"))

    assert client.post("/sign-out", data={"csrf_token": "x"}).status_code == 403
    assert client.get("/account").status_code == 200


def test_another_site_cannot_sign_anybody_out(client: TestClient) -> None:
    answer = client.post("/sign-out", headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403


def test_a_foreign_name_is_refused(client: TestClient) -> None:
    assert client.get("/sign-in", headers={"Host": "evil.example"}).status_code == 421


def test_the_sixth_wrong_password_has_to_wait(client: TestClient) -> None:
    client.post("/first-person", data=FIRST | token(client, "/sign-in"))
    client.post("/sign-out", data=token(client, "/account"))
    wrong = {"personnel_number": "a1", "password": "not the one"} | token(client, "/sign-in")

    statuses = [client.post("/sign-in", data=wrong).status_code for _ in range(6)]

    assert statuses == [422] * 5 + [429]


@pytest.mark.parametrize(
    "origin", ["null", "http://[", "http://", "https://elsewhere.example", "localhost:8000"]
)
def test_a_change_from_another_origin_is_refused_however_it_is_written(
    client: TestClient, origin: str
) -> None:
    answer = client.post("/sign-out", headers={"Origin": origin})

    assert answer.status_code == 403
