"""What is told without being stored as asked: About, Activities, Agents (1.0.3 Communication §2.4, §2.5, §2.8)."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.xapi_builders import (
    V2,
    VERSION,
    a_statement,
    a_voiding,
    an_activity,
    key,
    sent,
    somebody,
    something,
)

# ---------------------------------------------------------------- about


@pytest.mark.parametrize("path", ["/about", "/about/", "//about"])
@pytest.mark.parametrize(
    "headers", [{}, {VERSION: "1.0.3"}, {VERSION: "0.95"}, {"Authorization": "Basic eDp5"}]
)
def test_anybody_may_ask_which_versions_are_spoken(
    client: TestClient, path: str, headers: dict[str, str]
) -> None:
    stranger = TestClient(client.app)

    answer = stranger.get(f"http://testserver{path}", headers=headers)

    assert (answer.status_code, answer.json()) == (200, {"version": ["1.0.3", "2.0.0"]})
    assert answer.headers[VERSION] == headers.get(VERSION, V2).replace("0.95", V2)


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
def test_about_is_only_read(either: TestClient, method: str) -> None:
    answer = either.request(method, "/about")

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"


# ---------------------------------------------------------------- activities


def known(client: TestClient, iri: str) -> dict[str, Any]:
    answer = client.get("/activities", params={"activityId": iri})
    assert answer.status_code == 200
    activity: dict[str, Any] = answer.json()
    return activity


def test_an_activity_nobody_told_of_is_no_more_than_its_id(either: TestClient) -> None:
    iri = something()

    assert known(either, iri) == {"objectType": "Activity", "id": iri}


def test_a_definition_grows_with_every_statement_and_newer_words_win(either: TestClient) -> None:
    iri = something()
    for definition in (
        {"name": {"en": "Old", "fr": "Vieux"}, "type": "urn:x:t", "extensions": {"urn:x:a": 1, "urn:x:b": 1}},
        {"name": {"en": "New"}, "description": {"en": "D"}, "extensions": {"urn:x:b": 2}},
    ):
        sent(either, a_statement(object=an_activity(iri, **definition)))
    sent(either, a_statement(object={"id": iri}))

    assert known(either, iri)["definition"] == {
        "name": {"en": "New", "fr": "Vieux"},
        "description": {"en": "D"},
        "type": "urn:x:t",
        "extensions": {"urn:x:a": 1, "urn:x:b": 2},
    }


def test_definitions_of_one_batch_are_taken_in_its_order(either: TestClient) -> None:
    iri = something()

    sent(either, *(a_statement(object=an_activity(iri, name={"en": word})) for word in ("first", "last")))

    assert known(either, iri)["definition"] == {"name": {"en": "last"}}


@pytest.mark.parametrize("place", ["plan", "around", "around a plan"])
def test_a_definition_may_stand_anywhere_in_a_statement(either: TestClient, place: str) -> None:
    iri = something()
    activity = an_activity(iri, name={"en": "Here"})
    around = {"contextActivities": {"grouping": [activity]}}
    plan = {"objectType": "SubStatement"} | a_statement()
    changes = {
        "plan": {"object": plan | {"object": activity}},
        "around": {"context": around},
        "around a plan": {"object": plan | {"context": around}},
    }

    sent(either, a_statement(**changes[place]))

    assert known(either, iri)["definition"] == {"name": {"en": "Here"}}


def test_what_a_voided_statement_told_stays_known(either: TestClient) -> None:
    iri = something()
    (statement_id,) = sent(either, a_statement(object=an_activity(iri, name={"en": "Told"})))

    sent(either, a_voiding(statement_id))

    assert known(either, iri)["definition"] == {"name": {"en": "Told"}}


def test_iris_are_compared_letter_by_letter(either: TestClient) -> None:
    iri = something()
    sent(either, a_statement(object=an_activity(iri, name={"en": "Lower"})))

    assert "definition" not in known(either, iri.replace("activity", "Activity"))


@pytest.mark.parametrize(
    "query", [{}, {"activityId": "no iri"}, {"activityId": ""}, {"activityId": "urn:x:y", "x": "y"}]
)
def test_an_activity_must_be_named(either: TestClient, query: dict[str, str]) -> None:
    answer = either.get("/activities", params=query)

    assert answer.status_code == 400
    assert answer.json()["error"]


# ---------------------------------------------------------------- agents


def person(client: TestClient, agent: dict[str, Any]) -> dict[str, Any]:
    answer = client.get("/agents", params={"agent": key(agent)})
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


@pytest.mark.parametrize(
    "agent",
    [
        {"mbox": "mailto:nobody@example.org"},
        {"mbox_sha1sum": "0123456789abcdef0123456789abcdef01234567"},
        {"openid": "https://nobody.example.org/"},
        {"account": {"homePage": "https://example.org", "name": "nobody"}},
    ],
)
def test_a_person_has_lists_of_what_an_agent_has_one_of(either: TestClient, agent: dict[str, Any]) -> None:
    ((name, value),) = agent.items()

    assert person(either, agent) == {"objectType": "Person", name: [value]}


def test_a_person_has_every_name_seen_anywhere(either: TestClient) -> None:
    agent = somebody()
    sent(
        either,
        a_statement(actor=agent | {"name": "Actor"}),
        a_statement(actor=agent | {"name": "Actor"}),
        a_statement(context={"instructor": agent | {"name": "Instructor"}}),
        a_statement(actor={"objectType": "Group", "member": [agent | {"name": "Member"}]}),
        a_statement(actor=agent),
    )

    assert person(either, agent | {"name": "Asked"}) == {
        "objectType": "Person",
        "name": ["Actor", "Instructor", "Member"],
        "mbox": [agent["mbox"]],
    }


@pytest.mark.parametrize(
    "agent", [None, "{}", "x", '{"objectType":"Group","mbox":"mailto:a@example.org"}', '{"mbox":"nobody"}']
)
def test_an_agent_must_be_named(either: TestClient, agent: str | None) -> None:
    answer = either.get("/agents", params={} if agent is None else {"agent": agent})

    assert answer.status_code == 400
    assert answer.json()["error"]
