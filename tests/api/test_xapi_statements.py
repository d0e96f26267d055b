"""Statements are stored once, whole batches or nothing, and never change (1.0.3 Data §2.3; 2.0 §4.1.6.1, §4.2.4)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.xapi_builders import (
    AUTHORITY,
    V2,
    VERSION,
    a_statement,
    an_activity,
    an_id,
    found,
    read_by,
    sent,
    somebody,
    something,
)

# ---------------------------------------------------------------- stored


def test_a_statement_put_comes_back(either: TestClient) -> None:
    statement_id = an_id()

    put = either.put("/statements", params={"statementId": statement_id}, json=a_statement())

    assert (put.status_code, put.content) == (204, b"")
    assert read_by(either, statement_id)["id"] == statement_id


def test_a_statement_posted_alone_is_answered_with_a_list_of_its_id(either: TestClient) -> None:
    named, given = an_id(), either.post("/statements", json=a_statement())

    answer = either.post("/statements", json=a_statement(id=named))

    assert answer.json() == [named]
    assert answer.headers["Content-Type"] == "application/json"
    assert read_by(either, given.json()[0])["id"] == given.json()[0]


def test_a_batch_is_answered_with_its_ids_in_its_order(either: TestClient) -> None:
    named = [an_id() for _ in range(5)]

    answer = either.post("/statements", json=[a_statement(id=one) for one in named])

    assert answer.json() == named


def test_an_empty_batch_stores_nothing(either: TestClient) -> None:
    answer = either.post("/statements", json=[])

    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize(
    "bad",
    [
        {"actor": {"mbox": "nobody"}},
        {"verb": {}},
        {"object": {"objectType": "Nothing", "id": "urn:x:y"}},
        {"context": {"registration": "7"}},
        {"result": {"score": {"scaled": 2}}},
    ],
)
def test_one_bad_statement_and_none_of_the_batch_is_stored(either: TestClient, bad: dict[str, Any]) -> None:
    actor = somebody()

    answer = either.post("/statements", json=[a_statement(actor=actor), a_statement() | bad])

    assert answer.status_code == 400
    assert answer.json()["path"].startswith(f"$[1].{next(iter(bad))}")
    assert found(either, agent=f'{{"mbox":"{actor["mbox"]}"}}') == []


def test_a_conflict_stores_none_of_the_batch(either: TestClient) -> None:
    taken, fresh = an_id(), an_id()
    sent(either, a_statement(id=taken))

    answer = either.post("/statements", json=[a_statement(id=fresh), a_statement(id=taken, actor=somebody())])

    assert answer.status_code == 409
    assert taken in answer.json()["error"]
    assert either.get("/statements", params={"statementId": fresh}).status_code == 404


def test_the_id_of_a_put_may_stand_in_both_places_or_one_and_must_be_the_same(either: TestClient) -> None:
    statement_id = an_id()

    same = either.put(
        "/statements", params={"statementId": statement_id}, json=a_statement(id=statement_id.upper())
    )
    other = either.put("/statements", params={"statementId": statement_id}, json=a_statement(id=an_id()))
    without = either.put("/statements", json=a_statement(id=statement_id))
    many = either.put("/statements", params={"statementId": an_id()}, json=[a_statement()])

    assert (same.status_code, other.status_code, without.status_code, many.status_code) == (
        204,
        400,
        400,
        400,
    )


# ---------------------------------------------------------------- what the store sets


def test_the_store_sets_what_is_missing(either: TestClient) -> None:
    before = datetime.now(UTC)
    (statement_id,) = sent(either, a_statement())

    statement = read_by(either, statement_id)

    assert before <= datetime.fromisoformat(statement["stored"]) <= datetime.now(UTC)
    assert statement["timestamp"] == statement["stored"]
    assert statement["authority"] == AUTHORITY
    assert statement["version"] == ("2.0.0" if either.headers[VERSION] == V2 else "1.0.0")


def test_what_the_writer_said_of_time_and_version_stays(either: TestClient) -> None:
    (statement_id,) = sent(either, a_statement(timestamp="2020-02-29T23:59:59.5+01:00", version="1.0.1"))

    statement = read_by(either, statement_id)

    assert statement["timestamp"] == "2020-02-29T23:59:59.5+01:00"
    assert statement["version"] == "1.0.1"


def test_nobody_vouches_for_a_statement_but_the_store(either: TestClient) -> None:
    claimed = {"objectType": "Agent", "mbox": "mailto:the-minister@example.org"}

    (statement_id,) = sent(either, a_statement(authority=claimed, stored="2001-01-01T00:00:00Z"))

    answer = either.get("/statements", params={"statementId": statement_id})
    assert answer.json()["authority"] == AUTHORITY
    assert "2001-01-01" not in answer.text


def test_context_activities_alone_become_a_list(either: TestClient) -> None:
    parent = an_activity(something())
    plan = {"objectType": "SubStatement"} | a_statement(context={"contextActivities": {"other": parent}})

    (statement_id,) = sent(
        either, a_statement(context={"contextActivities": {"parent": parent}}, object=plan)
    )

    statement = read_by(either, statement_id)
    assert statement["context"]["contextActivities"] == {"parent": [parent]}
    assert statement["object"]["context"]["contextActivities"] == {"other": [parent]}


# ---------------------------------------------------------------- the two versions

AROUND = {
    "contextAgents": [{"objectType": "contextAgent", "agent": {"mbox": "mailto:a@example.org"}}],
    "contextGroups": [
        {
            "objectType": "contextGroup",
            "group": {"objectType": "Group", "member": [{"mbox": "mailto:b@example.org"}]},
            "relevantTypes": ["https://example.org/type"],
        }
    ],
}


@pytest.mark.parametrize("name", AROUND)
def test_context_agents_and_groups_belong_to_2_0(
    client: TestClient, client_v2: TestClient, name: str
) -> None:
    statement = a_statement(context={name: AROUND[name]})

    refused = client.post("/statements", json=statement)
    (statement_id,) = sent(client_v2, statement)

    assert refused.status_code == 400
    assert refused.json()["path"] == f"$.context.{name}"
    assert read_by(client_v2, statement_id)["context"] == {name: AROUND[name]}


@pytest.mark.parametrize("header", ["1.0", "1.0.0", "1.0.9", "2.0", "2.0.0", "2.0.1"])
def test_every_patch_of_a_version_is_spoken(client: TestClient, header: str) -> None:
    answer = client.post("/statements", json=a_statement(), headers={VERSION: header})

    assert answer.status_code == 200
    assert answer.headers[VERSION] == ("1.0.3" if header.startswith("1") else "2.0.0")


@pytest.mark.parametrize(
    ("version", "status"), [("1.0.0", 200), ("2.0.0", 400), ("0.9", 400), ("1.1.0", 400)]
)
def test_a_statement_of_1_0_3_is_of_no_later_version(client: TestClient, version: str, status: int) -> None:
    assert client.post("/statements", json=a_statement(version=version)).status_code == status
