"""The alternate request syntax of 1.0.3: method, headers and parameters as a form (1.0.3 Communication §1.3)."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from tests.xapi_builders import (
    BASIC,
    COURSE,
    LEARNER,
    THROUGH,
    V1,
    V2,
    VERSION,
    a_statement,
    an_activity,
    an_id,
    ids_in,
    key,
    read_by,
    sent,
    something,
)


@pytest.fixture(scope="module")
def page(client: TestClient) -> TestClient:
    """A page that may set no headers at all."""
    return TestClient(client.app)


def asked(page: TestClient, method: str, path: str, *, version: str = V1, **fields: str) -> Any:
    known = {"Authorization": BASIC, VERSION: version}
    return page.post(
        path, params={"method": method}, data=known | {n.replace("__", "-"): v for n, v in fields.items()}
    )


def text_of(value: Any) -> str:
    return orjson.dumps(value).decode()


def test_statements_are_put_posted_and_read(page: TestClient) -> None:
    put, activity = an_id(), something()
    statement = text_of(a_statement(object=an_activity(activity), result={"response": "é+&=%"}))

    stored = asked(page, "PUT", "/statements", statementId=put, content=statement)
    posted = asked(page, "POST", "/statements", content=statement, Content__Type="application/json")
    listed = asked(page, "GET", "/statements", activity=activity, limit="1")
    single = asked(page, "GET", "/statements", statementId=put)

    assert (stored.status_code, posted.status_code) == (204, 200)
    assert ids_in(listed) == posted.json()
    assert listed.headers[VERSION] == V1
    assert THROUGH in listed.headers
    assert single.json()["result"]["response"] == "é+&=%"


def test_more_of_a_form_leads_on(page: TestClient, client: TestClient) -> None:
    activity = something()
    ids = sent(client, *(a_statement(object=an_activity(activity)) for _ in range(3)))

    first = asked(page, "GET", "/statements", activity=activity, limit="2")

    assert ids_in(first) == ids[:0:-1]
    assert ids_in(client.get(first.json()["more"])) == ids[:1]


@pytest.mark.parametrize("resource", ["/activities/state", "/activities/profile", "/agents/profile"])
def test_documents_are_written_with_conditions_and_read_and_deleted(page: TestClient, resource: str) -> None:
    where = {
        "/activities/state": {
            "activityId": something(),
            "agent": key(LEARNER),
            "stateId": "d",
            "registration": an_id(),
        },
        "/activities/profile": {"activityId": something(), "profileId": "d"},
        "/agents/profile": {"agent": key(LEARNER), "profileId": something()},
    }[resource]
    new = {"If__None__Match": "*"}

    put = asked(page, "PUT", resource, **where, content='{"a": 1}', Content__Type="application/json", **new)
    again = asked(page, "PUT", resource, **where, content="{}", Content__Type="application/json", **new)
    got = asked(page, "GET", resource, **where)
    posted = asked(
        page,
        "POST",
        resource,
        **where,
        content='{"b":2}',
        Content__Type="application/json",
        If__Match=got.headers["ETag"],
    )
    merged = asked(page, "GET", resource, **where)
    stale = asked(page, "DELETE", resource, **where, If__Match=got.headers["ETag"])
    deleted = asked(page, "DELETE", resource, **where, If__Match=merged.headers["ETag"])

    assert (put.status_code, again.status_code) == (204, 412)
    assert (got.content, got.headers["Content-Type"]) == (b'{"a": 1}', "application/json")
    assert (posted.status_code, merged.json()) == (204, {"a": 1, "b": 2})
    assert (stale.status_code, deleted.status_code) == (412, 204)
    assert asked(page, "GET", resource, **where).status_code == 404


def test_what_is_only_read_is_read(page: TestClient, client: TestClient) -> None:
    sent(client, a_statement(object=an_activity(COURSE, name={"en": "One", "fr": "Un"})))

    activity = asked(page, "GET", "/activities", activityId=COURSE)
    person = asked(page, "GET", "/agents", agent=key(LEARNER))
    canonical = asked(
        page, "GET", "/statements", activity=COURSE, format="canonical", limit="1", Accept__Language="fr"
    )

    assert activity.json()["id"] == COURSE
    assert person.json()["objectType"] == "Person"
    assert canonical.json()["statements"][0]["object"]["definition"]["name"] == {"fr": "Un"}
    assert page.post("/about", params={"method": "GET"}).json()["version"]


def test_names_of_headers_are_known_in_any_case(page: TestClient) -> None:
    form = {"authorization": BASIC, "X-EXPERIENCE-API-VERSION": V1}

    assert page.post("/statements", params={"method": "get"}, data=form).status_code == 200


def test_a_form_proves_who_asks_as_headers_do(page: TestClient) -> None:
    unknown = {"Authorization": "Basic eDp5", VERSION: V1}

    assert page.post("/statements", params={"method": "GET"}, data=unknown).status_code == 401
    assert page.post("/statements", params={"method": "GET"}, data={VERSION: V1}).status_code == 401


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
@pytest.mark.parametrize("said", ["in the headers", "in the form"])
def test_2_0_has_no_such_syntax(page: TestClient, method: str, said: str) -> None:
    statement_id = an_id()
    form = {
        "Authorization": BASIC,
        "content": text_of(a_statement(id=statement_id)),
        "statementId": statement_id,
    }
    headers = {VERSION: V2} if said == "in the headers" else {}
    form |= {} if said == "in the headers" else {VERSION: V2}
    if method == "GET":
        del form["content"]

    answer = page.post("/statements", params={"method": method}, data=form, headers=headers)

    assert answer.status_code == 400
    assert "1.0.3" in answer.json()["error"]
    assert answer.headers[VERSION] == V2
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_other_parameters_stand_in_the_form_only(page: TestClient, client: TestClient) -> None:
    statement_id = an_id()
    form = {"Authorization": BASIC, VERSION: V1, "content": text_of(a_statement())}

    answer = page.post("/statements", params={"method": "PUT", "statementId": statement_id}, data=form)

    assert answer.status_code == 400
    assert client.get("/statements", params={"statementId": statement_id}).status_code == 404


def test_a_form_without_method_is_no_statement(client: TestClient) -> None:
    answer = client.post("/statements", data={"content": text_of(a_statement())})

    assert answer.status_code == 400


def test_content_is_utf_8(page: TestClient, client: TestClient) -> None:
    statement_id = an_id()

    asked(
        page,
        "PUT",
        "/statements",
        statementId=statement_id,
        content=text_of(a_statement(result={"response": "日本"})),
    )

    assert read_by(client, statement_id)["result"] == {"response": "日本"}
