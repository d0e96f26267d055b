"""The filter by agent: identifiers, groups and their members, the related (1.0.3 Communication §2.1.3)."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.xapi_builders import (
    AUTHORITY,
    PASSED,
    a_statement,
    an_activity,
    found,
    key,
    sent,
    somebody,
    something,
)

IDENTIFIERS: list[dict[str, Any]] = [
    {"mbox": "mailto:ida@example.org"},
    {"mbox_sha1sum": "0123456789abcdef0123456789abcdef01234567"},
    {"openid": "https://ida.example.org/"},
    {"account": {"homePage": "https://example.org", "name": "ida"}},
]


@pytest.mark.parametrize("agent", IDENTIFIERS, ids=lambda agent: next(iter(agent)))
def test_an_agent_is_known_by_any_identifier_whatever_the_name(
    either: TestClient, agent: dict[str, Any]
) -> None:
    activity = something()
    statement = a_statement(actor=agent | {"name": "Ida"}, object=an_activity(activity))
    (mine,) = sent(either, statement)
    sent(either, statement | {"actor": somebody()})

    assert found(either, activity=activity, agent=key(agent | {"name": "I."})) == [mine]
    assert found(either, activity=activity, agent=key({"objectType": "Agent"} | agent)) == [mine]


def test_an_agent_is_found_as_actor_and_as_object(either: TestClient) -> None:
    agent = somebody()
    as_actor, as_object = sent(
        either, a_statement(actor=agent), a_statement(object={"objectType": "Agent"} | agent)
    )

    assert found(either, agent=key(agent)) == [as_object, as_actor]


def test_a_group_is_found_by_its_identifier_and_by_its_members(either: TestClient) -> None:
    member, team = somebody(), {"objectType": "Group", **somebody()}
    identified, anonymous, as_object = sent(
        either,
        a_statement(actor=team | {"member": [somebody(), member]}),
        a_statement(actor={"objectType": "Group", "member": [member, somebody()]}),
        a_statement(object={"objectType": "Group", "member": [member]}),
    )

    assert found(either, agent=key(member)) == [as_object, anonymous, identified]
    assert found(either, agent=key(team)) == [identified]
    assert found(either, agent=key(team | {"member": [somebody()]})) == [identified]


def test_an_anonymous_group_is_nobody_one_could_ask_for(either: TestClient) -> None:
    group = {"objectType": "Group", "member": [somebody()]}

    answer = either.get("/statements", params={"agent": key(group)})

    assert answer.status_code == 400
    assert "identifier" in answer.json()["error"]


def _around(agent: dict[str, Any]) -> dict[str, dict[str, Any]]:
    group = {"objectType": "Group", "member": [agent]}
    plan = {"objectType": "SubStatement", "verb": {"id": PASSED}, "object": an_activity(something())}
    return {
        "instructor": {"context": {"instructor": agent}},
        "member of the instructor": {"context": {"instructor": group}},
        "team": {"context": {"team": group}},
        "actor of a plan": {"object": plan | {"actor": agent}},
        "object of a plan": {
            "object": plan | {"actor": somebody(), "object": {"objectType": "Agent"} | agent}
        },
        "instructor of a plan": {"object": plan | {"actor": somebody(), "context": {"instructor": agent}}},
    }


@pytest.mark.parametrize("place", _around({}))
def test_related_agents_finds_those_around_and_agent_alone_does_not(either: TestClient, place: str) -> None:
    agent = somebody()
    (statement_id,) = sent(either, a_statement(**_around(agent)[place]))

    assert found(either, agent=key(agent)) == []
    assert found(either, agent=key(agent), related_agents="false") == []
    assert found(either, agent=key(agent), related_agents="true") == [statement_id]


@pytest.mark.parametrize("place", ["contextAgents", "contextGroups", "member of contextGroups"])
def test_related_agents_finds_the_context_agents_of_2_0(client_v2: TestClient, place: str) -> None:
    agent = somebody()
    group = (
        {"objectType": "Group", **agent}
        if place == "contextGroups"
        else {"objectType": "Group", "member": [agent]}
    )
    context = {
        "contextAgents": [{"objectType": "contextAgent", "agent": agent}],
        "contextGroups": [{"objectType": "contextGroup", "group": group}],
    }
    name = place.rsplit(maxsplit=1)[-1]
    (statement_id,) = sent(client_v2, a_statement(context={name: context[name]}))

    assert found(client_v2, agent=key(agent)) == []
    assert found(client_v2, agent=key(agent), related_agents="true") == [statement_id]


def test_related_agents_finds_the_authority(either: TestClient) -> None:
    activity = something()
    (statement_id,) = sent(either, a_statement(object=an_activity(activity)))

    assert found(either, agent=key(AUTHORITY), activity=activity) == []
    assert found(either, agent=key(AUTHORITY), activity=activity, related_agents="true") == [statement_id]


def test_who_is_both_actor_and_around_is_found_once(either: TestClient) -> None:
    agent = somebody()
    (statement_id,) = sent(either, a_statement(actor=agent, context={"instructor": agent}))

    assert found(either, agent=key(agent), related_agents="true") == [statement_id]
    assert found(either, agent=key(agent)) == [statement_id]
