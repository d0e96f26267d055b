"""Nobody overwrites a document they have not read: ETags and conditions (1.0.3 Communication §3.1; 2.0 §4.1.4)."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from lms.database import Database
from tests.xapi_builders import V1, V2, a_client, an_lrs, key, somebody, something

STATE, OF_ACTIVITY, OF_AGENT = "/activities/state", "/activities/profile", "/agents/profile"
WHERE = {
    STATE: lambda: {"activityId": something(), "agent": key(somebody()), "stateId": "d"},
    OF_ACTIVITY: lambda: {"activityId": something(), "profileId": "d"},
    OF_AGENT: lambda: {"agent": key(somebody()), "profileId": "d"},
}

#: What a PUT without a condition is answered: where there is no document yet, and where there is one.
UNCONDITIONAL = {
    (V1, STATE): (204, 204),
    (V1, OF_ACTIVITY): (400, 409),
    (V1, OF_AGENT): (400, 409),
    (V2, STATE): (204, 409),
    (V2, OF_ACTIVITY): (204, 409),
    (V2, OF_AGENT): (204, 409),
}


@pytest.fixture(params=[STATE, OF_ACTIVITY, OF_AGENT])
def resource(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


def a_document(client: TestClient, resource: str) -> tuple[dict[str, str], str]:
    """A document that is there, and its ETag."""
    where = WHERE[resource]()
    put = client.put(resource, params=where, json={"a": 1}, headers={"If-None-Match": "*"})
    assert put.status_code == 204
    return where, client.get(resource, params=where).headers["ETag"]


@pytest.mark.parametrize(("version", "resource"), UNCONDITIONAL)
def test_a_put_without_a_condition(lasting_database: Database, version: str, resource: str) -> None:
    client = a_client(an_lrs(lasting_database), version)
    new, (there, etag) = WHERE[resource](), a_document(client, resource)

    answers = [client.put(resource, params=where, json={"b": 2}) for where in (new, there)]

    statuses = tuple(answer.status_code for answer in answers)
    assert statuses == UNCONDITIONAL[version, resource]
    assert (client.get(resource, params=new).status_code == 200) == (statuses[0] == 204)
    assert (client.get(resource, params=there).headers["ETag"] == etag) == (statuses[1] != 204)
    if statuses[1] == 409:
        assert "If-Match" in answers[1].json()["error"]


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"If-Match": "ETAG"}, True),
        ({"If-Match": '"other", ETAG'}, True),
        ({"If-Match": "*"}, True),
        ({"If-Match": '"other"'}, False),
        ({"If-Match": '"ETA"'}, False),
        ({"If-Match": ""}, False),
        ({"If-None-Match": "*"}, False),
        ({"If-None-Match": "ETAG"}, False),
        ({"If-None-Match": '"other"'}, True),
        ({"If-Match": "ETAG", "If-None-Match": '"other"'}, True),
        ({"If-Match": "ETAG", "If-None-Match": "*"}, False),
    ],
    ids=str,
)
def test_a_change_is_made_if_its_condition_holds(
    either: TestClient, resource: str, method: str, condition: dict[str, str], holds: bool
) -> None:
    where, etag = a_document(either, resource)
    headers = {name: value.replace("ETAG", etag) for name, value in condition.items()}

    answer = either.request(method, resource, params=where, json={"b": 2}, headers=headers)

    after = either.get(resource, params=where)
    assert answer.status_code == (204 if holds else 412)
    assert (after.headers.get("ETag") == etag) != holds
    if holds:
        expected = {"PUT": {"b": 2}, "POST": {"a": 1, "b": 2}}.get(method)
        assert (after.json() if expected else after.status_code) == (expected or 404)


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize(("condition", "holds"), [({"If-Match": "*"}, False), ({"If-None-Match": "*"}, True)])
def test_a_condition_on_a_document_that_is_not_there(
    either: TestClient, resource: str, method: str, condition: dict[str, str], holds: bool
) -> None:
    where = WHERE[resource]()

    answer = either.request(method, resource, params=where, json={"b": 2}, headers=condition)

    assert answer.status_code == (204 if holds else 412)
    assert (either.get(resource, params=where).status_code == 200) == (holds and method != "DELETE")


def test_a_document_deleted_is_not_there_for_a_condition(either: TestClient, resource: str) -> None:
    where, etag = a_document(either, resource)
    either.delete(resource, params=where)

    stale = either.put(resource, params=where, json={}, headers={"If-Match": etag})
    new = either.put(resource, params=where, json={}, headers={"If-None-Match": "*"})

    assert (stale.status_code, new.status_code) == (412, 204)


def test_a_merge_changes_the_etag_and_needs_no_condition(either: TestClient, resource: str) -> None:
    where, etag = a_document(either, resource)

    merged = either.post(resource, params=where, json={"b": 2})
    stale = either.put(resource, params=where, json={}, headers={"If-Match": etag})

    assert (merged.status_code, stale.status_code) == (204, 412)
    assert either.get(resource, params=where).json() == {"a": 1, "b": 2}
