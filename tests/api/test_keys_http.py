"""Keys of the record store by page and by API: made, shown once, used, revoked; for administrators alone."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lms.database import Database
from lms.keys.actions import create_key
from lms.keys.scopes import LRS_SCOPES
from lms.node import utc_now
from lms.people.policy import Right
from tests.records_builders import Records, some_records
from tests.school_builders import token
from tests.xapi_builders import a_statement

API = "/api/v1/lrs-keys"


@pytest.fixture
def records(database: Database, tmp_path: Path) -> Iterator[Records]:
    with some_records(database, tmp_path / "node") as made:
        yield made


def send(client: TestClient, made: dict[str, str]) -> Any:
    basic = base64.b64encode(f"{made['key']}:{made['secret']}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "X-Experience-API-Version": "1.0.3"}
    return client.post(f"{made['endpoint']}/statements", json=a_statement(), headers=headers)


def form(client: TestClient) -> dict[str, str]:
    """Return the hidden fields of the form for a new key."""
    return dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', client.get("/records/keys/new").text))


def test_a_key_made_by_the_api_opens_the_record_store_until_it_is_revoked(records: Records) -> None:
    client = records.client()

    made = client.post(API, json={"name": "Simulator", "scopes": ["statements/write"]})
    sent = send(client, made.json())
    (listed,) = client.get(API).json()["keys"]
    removed = client.delete(f"{API}/{made.json()['key']}")
    again = client.delete(f"{API}/{made.json()['key']}")

    assert made.status_code == 201
    assert set(made.json()) == {"endpoint", "key", "secret"}
    assert made.json()["endpoint"] == "http://localhost:8000/xapi"
    assert sent.status_code == 200
    assert (listed["name"], listed["scopes"], listed["revoked"]) == ("Simulator", ["statements/write"], None)
    assert made.json()["secret"] not in client.get(API).text
    assert (removed.status_code, again.status_code) == (204, 404)
    assert client.get(API).json()["keys"][0]["revoked"] is not None


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"name": "A", "scopes": ["statements/wirte"]}, "There is no scope statements/wirte. There are: "),
        ({"name": "A", "scopes": []}, "Choose at least one"),
        ({"name": " \0", "scopes": ["all"]}, "Say what the key is for"),
        ({"name": "A"}, ""),
        ({"name": "A" * 201, "scopes": ["all"]}, ""),
        ({"name": 1, "scopes": "all"}, ""),
    ],
)
def test_a_key_that_makes_no_sense_is_refused_with_the_reason(
    records: Records, body: object, told: str
) -> None:
    client = records.client()

    answer = client.post(API, json=body)

    assert answer.status_code == 422
    assert told in answer.json().get("detail", "")
    assert client.get(API).json() == {"keys": []}


def test_a_key_is_made_on_a_page_and_its_secret_shown_once(records: Records) -> None:
    client = records.client()
    offered = client.get("/records/keys/new").text

    made = client.post(
        "/records/keys/new",
        data=form(client) | {"name": "<b>Sim</b>", "scopes": ["state", "define"]},
    )
    values = dict(re.findall(r'data-testid="(\w+)">([^<]*)<', made.text))
    listed = client.get("/records/keys").text

    assert all(f'value="{scope}"' in offered for scope in LRS_SCOPES)
    assert send(client, values).status_code == 403  # it opens state, not statements
    assert "&lt;b&gt;Sim&lt;/b&gt;" in listed
    assert values["key"] in listed
    assert values["secret"] not in listed
    assert made.headers["cache-control"] == "no-store"


def test_a_form_sent_again_makes_no_second_key_and_shows_no_secret(records: Records) -> None:
    client = records.client()
    filled = form(client) | {"name": "Simulator", "scopes": ["statements/write"]}

    made = client.post("/records/keys/new", data=filled)
    again = client.post("/records/keys/new", data=filled)

    values = dict(re.findall(r'data-testid="(\w+)">([^<]*)<', made.text))
    assert (made.status_code, again.status_code) == (200, 409)
    assert "This key was made already" in again.text
    assert "secret" not in dict(re.findall(r'data-testid="(\w+)">([^<]*)<', again.text))
    assert [one["key"] for one in client.get(API).json()["keys"]] == [values["key"]]
    assert send(client, values).status_code == 200


@pytest.mark.parametrize("key", ["", "a:b", "0" * 19, "G" * 20, "0" * 21])
def test_a_key_is_called_as_the_form_said_or_not_at_all(records: Records, key: str) -> None:
    client = records.client()

    answer = client.post(
        "/records/keys/new", data=form(client) | {"key": key, "name": "A", "scopes": ["all"]}
    )

    assert answer.status_code == 422
    assert client.get(API).json() == {"keys": []}


def test_what_was_chosen_stays_when_something_is_missing(records: Records) -> None:
    client = records.client()
    fields = form(client)

    nameless = client.post("/records/keys/new", data=fields | {"scopes": ["state"]})
    scopeless = client.post("/records/keys/new", data=fields | {"name": "Simulator"})

    assert nameless.status_code == scopeless.status_code == 422
    assert f'name="key" value="{fields["key"]}"' in nameless.text
    assert 'value="state" checked' in nameless.text
    assert "Say what the key is for" in nameless.text
    assert 'value="Simulator"' in scopeless.text
    assert "Choose at least one thing" in html.unescape(scopeless.text)


def test_a_key_is_revoked_after_a_question(records: Records) -> None:
    client = records.client()
    key = client.post(API, json={"name": "Simulator", "scopes": ["all"]}).json()["key"]

    asked = client.get(f"/records/keys/{key}/revoke")
    revoked = client.post(f"/records/keys/{key}/revoke", data=token(client, f"/records/keys/{key}/revoke"))
    listed = client.get("/records/keys").text

    assert "Revoke this key for good" in asked.text
    assert revoked.status_code == 303
    assert "No longer in force" in listed
    assert client.get(f"/records/keys/{key}/revoke").status_code == 404


@pytest.mark.parametrize("role", ["officer", "instructor"])
def test_nobody_else_has_to_do_with_keys(records: Records, role: str) -> None:
    client = records.client(role)
    fields = token(client, "/account") | {"key": "0" * 20}

    assert [
        client.get(path).status_code
        for path in ("/records/keys", "/records/keys/new", "/records/keys/x/revoke", API)
    ] == [403] * 4
    assert client.post(API, json={"name": "A", "scopes": ["all"]}).status_code == 403
    assert client.delete(f"{API}/x").status_code == 403
    assert client.post("/records/keys/new", data=fields | {"name": "A", "scopes": ["all"]}).status_code == 403
    assert client.post("/records/keys/x/revoke", data=fields).status_code == 403


def test_a_token_opens_what_its_scopes_name(records: Records) -> None:
    with records.database.write() as session:
        made = create_key(session, "token", "Dashboard", [Right.MANAGE_KEYS], now=utc_now())
    program = TestClient(records.app, base_url="http://localhost:8000", follow_redirects=False)
    headers = {"Authorization": f"Bearer {made.key}.{made.secret}"}

    keys = program.get(API, headers=headers)
    courses = program.get("/api/v1/courses", headers=headers)
    wrong = program.get(API, headers={"Authorization": f"Bearer {made.key}.nonsense"})
    page = program.get("/records/keys", headers=headers)

    assert (keys.status_code, courses.status_code, wrong.status_code) == (200, 403, 401)
    assert keys.json() == {"keys": []}
    assert page.status_code in (303, 401)  # pages know no tokens


def test_a_token_makes_a_key_without_a_form(records: Records) -> None:
    with records.database.write() as session:
        made = create_key(session, "token", "Set-up", ["all"], now=utc_now())
    program = TestClient(records.app, base_url="http://localhost:8000", follow_redirects=False)

    answer = program.post(
        API,
        json={"name": "Simulator", "scopes": ["statements/write"]},
        headers={"Authorization": f"Bearer {made.key}.{made.secret}"},
    )

    assert answer.status_code == 201
    assert send(program, answer.json()).status_code == 200
