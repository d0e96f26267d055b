"""The record store over HTTP."""

from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from lms.database import Database
from tests.xapi_builders import BASIC, COURSE, LEARNER, a_statement, an_lrs
from xapi_store.http import create_lrs_app
from xapi_store.model.actor import actor_key

HEADERS = {"Authorization": BASIC, "X-Experience-API-Version": "1.0.3"}


@pytest.fixture
def client(database: Database) -> TestClient:
    return TestClient(create_lrs_app(an_lrs(database)), headers=HEADERS)


def test_a_statement_comes_back(client: TestClient) -> None:
    statement_id = str(uuid4())

    put = client.put("/statements", params={"statementId": statement_id}, json=a_statement())
    got = client.get("/statements", params={"statementId": statement_id})

    assert put.status_code == 204
    assert got.json()["id"] == statement_id
    assert got.headers["X-Experience-API-Version"] == "1.0.3"
    assert "X-Experience-API-Consistent-Through" in got.headers


def test_more_leads_through_all_statements(client: TestClient) -> None:
    sent = client.post("/statements", json=[a_statement() for _ in range(5)]).json()
    answer = client.get("/statements", params={"limit": 2, "activity": COURSE}).json()
    found = [one["id"] for one in answer["statements"]]
    while answer["more"]:
        answer = client.get(answer["more"]).json()
        found += [one["id"] for one in answer["statements"]]

    assert found == sent[::-1]


@pytest.mark.parametrize(
    ("body", "path", "section"),
    [
        (a_statement(verb={"id": "passed"}), "$.verb.id", "4.3"),
        (a_statement(result=None), "$.result", "2.2"),
        (a_statement(surprise=1), "$.surprise", "2.2"),
        ([a_statement(), a_statement(actor={})], "$[1].actor", "2.4.2.3"),
    ],
)
def test_a_malformed_statement_says_where(client: TestClient, body: object, path: str, section: str) -> None:
    answer = client.post("/statements", json=body)

    assert answer.status_code == 400
    assert answer.json()["path"] == path
    assert answer.json()["section"] == f"xAPI 1.0.3 Data §{section}"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"actor":NaN}', 400),
        (b'{"a":1,"a":2}', 400),
        (b'["\\ud800"]', 400),
        (b"[" * 65 + b"]" * 65, 400),
        (b"[" + b" " * (4 * 1024 * 1024) + b"]", 413),
    ],
)
def test_json_that_is_not_plain_is_refused(client: TestClient, body: bytes, status: int) -> None:
    answer = client.post("/statements", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == status


def test_who_is_not_known_is_asked_to_sign_in(client: TestClient) -> None:
    answer = client.get("/statements", headers={"Authorization": "Basic eDp5"})

    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer.headers


def test_a_scope_that_was_not_granted_is_refused(database: Database) -> None:
    client = TestClient(create_lrs_app(an_lrs(database, "statements/read")), headers=HEADERS)

    assert client.post("/statements", json=a_statement()).status_code == 403
    assert client.get("/statements").status_code == 200


def test_a_request_without_a_version_is_refused_but_about_answers(client: TestClient) -> None:
    del client.headers["X-Experience-API-Version"]

    assert client.get("/statements").status_code == 400
    assert client.get("http://testserver//about/").json()["version"] == ["1.0.3", "2.0.0"]


def test_state_has_an_etag_and_can_be_merged(client: TestClient) -> None:
    where = {"activityId": COURSE, "agent": actor_key(LEARNER), "stateId": "s"}

    assert client.put("/activities/state", params=where, json={"a": 1}).status_code == 204
    etag = client.get("/activities/state", params=where).headers["ETag"]
    assert client.post("/activities/state", params=where, json={"b": 2}).status_code == 204
    stale = client.put("/activities/state", params=where, json={}, headers={"If-Match": etag})

    assert stale.status_code == 412
    assert client.get("/activities/state", params=where).json() == {"a": 1, "b": 2}
