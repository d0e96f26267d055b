"""State, activity profile and agent profile documents (1.0.3 Communication §2.2, §2.3, §2.6, §2.7; 2.0 §4.1.6)."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from starlette.testclient import TestClient

from lms.database import Database
from tests.xapi_builders import NOON, V1, V2, VERSION, a_client, an_id, an_lrs, key, somebody, something

RESOURCES = ["/activities/state", "/activities/profile", "/agents/profile"]


def place(resource: str, name: str | None = "d", **others: str) -> dict[str, str]:
    """The parameters of a new document."""
    owners = {
        "/activities/state": {"activityId": something(), "agent": key(somebody())},
        "/activities/profile": {"activityId": something()},
        "/agents/profile": {"agent": key(somebody())},
    }
    which = "stateId" if resource.endswith("state") else "profileId"
    return owners[resource] | ({which: name} if name is not None else {}) | others


def named(where: dict[str, str], name: str) -> dict[str, str]:
    """Another document of the same owner."""
    return where | {"stateId" if "stateId" in where else "profileId": name}


def owner(where: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in where.items() if name not in ("stateId", "profileId")}


def put(client: TestClient, resource: str, where: dict[str, str], content: Any, **headers: str) -> int:
    body = {"content": content} if isinstance(content, bytes) else {"json": content}
    said = {"If-None-Match": "*"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return client.put(resource, params=where, headers=said, **body).status_code


# ---------------------------------------------------------------- one document


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_document_comes_back_byte_for_byte_with_its_type(either: TestClient, resource: str) -> None:
    where, content = place(resource), bytes(range(256))

    assert put(either, resource, where, content, Content_Type="image/x-odd; a=b") == 204

    got = either.get(resource, params=where)
    assert (got.status_code, got.content) == (200, content)
    assert got.headers["Content-Type"] == "image/x-odd; a=b"
    assert got.headers["ETag"] == f'"{hashlib.sha1(content).hexdigest()}"'
    assert got.headers["Last-Modified"].endswith(" GMT")


@pytest.mark.parametrize("resource", RESOURCES)
def test_json_comes_back_as_it_was_spelled(either: TestClient, resource: str) -> None:
    where = place(resource)
    text = b'{ "b" : 1e2,\n "a": "\\u00e9" }'

    put(either, resource, where, text, Content_Type="application/json")

    assert either.get(resource, params=where).content == text


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_document_without_a_type_is_bytes(either: TestClient, resource: str) -> None:
    where = place(resource)

    put(either, resource, where, b"x")

    assert either.get(resource, params=where).headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize("resource", RESOURCES)
def test_what_says_it_is_json_must_be_json(either: TestClient, resource: str) -> None:
    where = place(resource)

    answers = [
        put(either, resource, where, text, Content_Type="application/json") for text in (b"{", b"[1", b"NaN")
    ]

    assert answers == [400, 400, 400]
    assert either.get(resource, params=where).status_code == 404


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_document_deleted_is_gone_and_deleting_it_again_does_no_harm(
    either: TestClient, resource: str
) -> None:
    where = place(resource)
    put(either, resource, where, b"x")
    put(either, resource, named(where, "other"), b"y")

    answers = [either.delete(resource, params=where).status_code for _ in range(2)]

    assert answers == [204, 204]
    assert either.get(resource, params=where).status_code == 404
    assert either.get(resource, params=owner(where)).json() == ["other"]
    assert put(either, resource, where, b"z") == 204
    assert either.get(resource, params=where).content == b"z"


def test_profiles_are_deleted_one_by_one_only(either: TestClient) -> None:
    where = place("/activities/profile")
    put(either, "/activities/profile", where, b"x")

    assert either.delete("/activities/profile", params=owner(where)).status_code == 400
    assert either.get("/activities/profile", params=where).status_code == 200


@pytest.mark.parametrize("resource", RESOURCES)
def test_an_agent_or_activity_has_its_own_documents(either: TestClient, resource: str) -> None:
    mine, theirs = place(resource), place(resource)
    put(either, resource, mine, b"mine")
    put(either, resource, theirs, b"theirs")

    assert either.get(resource, params=mine).content == b"mine"
    assert either.get(resource, params=theirs).content == b"theirs"


def test_an_agent_is_the_same_under_another_name(either: TestClient) -> None:
    agent = somebody()
    where = {"agent": key(agent | {"name": "A"}), "profileId": "d"}
    put(either, "/agents/profile", where, b"x")

    got = either.get("/agents/profile", params=where | {"agent": key({"objectType": "Agent"} | agent)})

    assert got.content == b"x"


# ---------------------------------------------------------------- POST


@pytest.mark.parametrize("resource", RESOURCES)
def test_posting_merges_properties_at_the_top(either: TestClient, resource: str) -> None:
    where = place(resource)

    answers = [
        either.post(resource, params=where, json={"a": 1, "b": {"c": 1}}).status_code,
        either.post(resource, params=where, json={"b": {"d": 2}, "e": None}).status_code,
    ]

    assert answers == [204, 204]
    got = either.get(resource, params=where)
    assert got.json() == {"a": 1, "b": {"d": 2}, "e": None}
    assert got.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("content", [b"[1,2]", b'"bookmark"', b"5", b"null"])
def test_any_json_may_be_put_and_only_objects_merged(
    either: TestClient, resource: str, content: bytes
) -> None:
    where, new = place(resource), place(resource)

    assert put(either, resource, where, content, Content_Type="application/json") == 204
    posted = either.post(resource, params=new, content=content, headers={"Content-Type": "application/json"})

    assert either.get(resource, params=where).content == content
    assert posted.status_code == 400
    assert either.get(resource, params=new).status_code == 404


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize(
    ("there", "added"),
    [
        ((b"text", "text/plain"), (b'{"a":1}', "application/json")),
        ((b'{"a":1}', "application/json"), (b"text", "text/plain")),
        ((b'{"a":1}', "application/json"), (b'{"b":1}', "text/plain")),
        ((b'{"a":1}', "application/json"), (b"[1]", "application/json")),
        ((b'{"a":1}', "application/json"), (b"{", "application/json")),
    ],
)
def test_what_cannot_be_merged_is_refused_and_changes_nothing(
    either: TestClient, resource: str, there: tuple[bytes, str], added: tuple[bytes, str]
) -> None:
    where = place(resource)
    put(either, resource, where, there[0], Content_Type=there[1])

    answer = either.post(resource, params=where, content=added[0], headers={"Content-Type": added[1]})

    assert answer.status_code == 400
    assert answer.json()["error"]
    assert either.get(resource, params=where).content == there[0]


# ---------------------------------------------------------------- many documents


@pytest.mark.parametrize("resource", RESOURCES)
def test_the_names_of_all_documents_or_of_those_changed_since(either: TestClient, resource: str) -> None:
    where = place(resource)
    for name in ("b", "a", "é"):
        put(either, resource, named(where, name), b"x")
    all_of_them = either.get(resource, params=owner(where))
    border = all_of_them.headers["Last-Modified"]
    put(either, resource, named(where, "c"), b"x")

    assert all_of_them.json() == ["a", "b", "é"]
    assert border.endswith(" GMT")
    assert either.get(resource, params=owner(where) | {"since": "2999-01-01T00:00:00Z"}).json() == []
    assert either.get(resource, params=owner(where) | {"since": "2001-01-01T00:00:00Z"}).json() == [
        "a",
        "b",
        "c",
        "é",
    ]
    assert either.get(resource, params=owner(place(resource))).json() == []


@pytest.mark.parametrize("resource", RESOURCES)
def test_since_excludes_the_instant_of_a_change(lasting_database: Database, resource: str) -> None:
    client, where = a_client(an_lrs(lasting_database, now=lambda: NOON), V2), place(resource)
    put(client, resource, where, b"x")

    listed = [
        client.get(resource, params=owner(where) | {"since": instant}).json()
        for instant in ("2026-11-24T11:59:59.999999Z", "2026-11-24T12:00:00Z", "2026-11-24T13:00:00+01:00")
    ]

    assert listed == [["d"], [], []]


def test_state_with_and_without_a_registration_is_apart(either: TestClient) -> None:
    where = place("/activities/state")
    registrations = [an_id(), an_id()]
    put(either, "/activities/state", where, b"none")
    for place_of, registration in enumerate(registrations):
        put(either, "/activities/state", where | {"registration": registration}, str(place_of).encode())
    put(either, "/activities/state", named(where, "x") | {"registration": registrations[1]}, b"x")

    def read(**more: str) -> bytes:
        return either.get("/activities/state", params=where | more).content

    def names(**more: str) -> list[str]:
        listed: list[str] = either.get("/activities/state", params=owner(where) | more).json()
        return listed

    assert read() == b"none"
    assert [read(registration=one.upper()) for one in registrations] == [b"0", b"1"]
    assert names() == ["d", "x"]
    assert [names(registration=one) for one in registrations] == [["d"], ["d", "x"]]


def test_all_state_of_an_agent_in_an_activity_is_deleted_together_or_that_of_a_registration(
    either: TestClient,
) -> None:
    where, other = place("/activities/state"), place("/activities/state")
    registration = an_id()
    for one in (where, named(where, "x"), where | {"registration": registration}, other):
        put(either, "/activities/state", one, b"x")

    def left() -> list[int]:
        return [
            either.get("/activities/state", params=one).status_code
            for one in (where, named(where, "x"), where | {"registration": registration}, other)
        ]

    only_one = either.delete("/activities/state", params=owner(where) | {"registration": registration})
    after_one = left()
    every = either.delete("/activities/state", params=owner(where))

    assert (only_one.status_code, after_one) == (204, [200, 200, 404, 200])
    assert (every.status_code, left()) == (204, [404, 404, 404, 200])
    assert either.delete("/activities/state", params=owner(where)).status_code == 204


# ---------------------------------------------------------------- parameters


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_what_is_missing_or_wrong_in_a_parameter_is_refused(
    either: TestClient, resource: str, method: str
) -> None:
    where = place(resource)
    wrong = [
        {name: value for name, value in where.items() if name != missing}
        for missing in where
        if not (missing.endswith("Id") and missing != "activityId" and (method in ("GET", "DELETE")))
    ]
    wrong += [where | {"unknown": "x"}, named(where, "")]
    wrong += [
        where | {"agent": value}
        for value in ("{}", "x", '{"objectType":"Group","member":[]}')
        if "agent" in where
    ]
    wrong += [where | {"activityId": value} for value in ("x", "") if "activityId" in where]
    wrong += (
        [where | {"registration": "x"}] if resource.endswith("state") else [where | {"registration": an_id()}]
    )

    for parameters in wrong:
        answer = either.request(
            method, resource, params=parameters, content=b"" if method in ("GET", "DELETE") else b"x"
        )
        assert answer.status_code == 400, parameters
        assert answer.json()["error"]


def test_the_two_versions_see_the_same_documents(client: TestClient) -> None:
    where = place("/activities/state")
    put(client, "/activities/state", where, b"x")

    got = client.get("/activities/state", params=where, headers={VERSION: V2})

    assert (got.content, got.headers[VERSION], client.headers[VERSION]) == (b"x", V2, V1)
