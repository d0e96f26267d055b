"""Who may do what (1.0.3 Communication §4.2; 2.0 §4.1.9): a table of scopes and operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from lms.database import Database
from tests.xapi_builders import (
    AUTHORITY,
    COURSE,
    LEARNER,
    V1,
    V2,
    a_client,
    a_reference,
    a_statement,
    a_voiding,
    an_activity,
    an_attachment,
    an_lrs,
    found,
    key,
    sent,
    somebody,
    something,
    with_files,
)

pytestmark = pytest.mark.one_database

STATE = {"activityId": COURSE, "agent": key(LEARNER), "stateId": "scopes"}
PROFILE = {"activityId": COURSE, "profileId": "scopes"}
PERSON = {"agent": key(LEARNER), "profileId": "scopes"}


def _document(path: str, method: str, where: dict[str, str]) -> Callable[[TestClient], Any]:
    body = {"json": {"a": 1}} if method in ("PUT", "POST") else {}
    return lambda client: client.request(method, path, params=where, headers={"If-None-Match": '"x"'}, **body)  # type: ignore[arg-type]


def _without_name(where: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in where.items() if name not in ("stateId", "profileId")}


WRITE, READ, READ_MINE = "statements/write", "statements/read", "statements/read/mine"
ANY_READER = {READ, READ_MINE, "all/read", "profile", "state", "all"}

#: What is done, and which scopes allow it.
OPERATIONS: dict[str, tuple[Callable[[TestClient], Any], set[str]]] = {
    "POST statements": (lambda client: client.post("/statements", json=a_statement()), {WRITE, "all"}),
    "PUT statements": (
        lambda client: client.put("/statements", params={"statementId": STATEMENT}, json=a_statement()),
        {WRITE, "all"},
    ),
    "POST multipart": (
        lambda client: with_files(client, a_statement(attachments=[an_attachment(b"x")]), b"x"),
        {WRITE, "all"},
    ),
    "GET statements": (lambda client: client.get("/statements"), {READ, READ_MINE, "all/read", "all"}),
    "GET a statement": (
        lambda client: client.get("/statements", params={"statementId": STATEMENT}),
        {READ, READ_MINE, "all/read", "all"},
    ),
    "HEAD statements": (lambda client: client.head("/statements"), {READ, READ_MINE, "all/read", "all"}),
    "GET activities": (lambda client: client.get("/activities", params={"activityId": COURSE}), ANY_READER),
    "GET agents": (lambda client: client.get("/agents", params={"agent": key(LEARNER)}), ANY_READER),
    "GET about": (lambda client: client.get("/about"), {WRITE, "define", *ANY_READER}),
} | {
    f"{method} {what}": (_document(path, method, where), {scope, "all", *({"all/read"} if method == "GET" else ())})
    for path, scope, what, where in (
        ("/activities/state", "state", "state", STATE),
        ("/activities/profile", "profile", "activity profile", PROFILE),
        ("/agents/profile", "profile", "agent profile", PERSON),
    )
    for method in ("PUT", "POST", "GET", "DELETE")
} | {
    "GET names of state": (_document("/activities/state", "GET", _without_name(STATE)), {"state", "all/read", "all"}),
    "DELETE all state": (_document("/activities/state", "DELETE", _without_name(STATE)), {"state", "all"}),
    "GET names of profiles": (
        _document("/activities/profile", "GET", _without_name(PROFILE)), {"profile", "all/read", "all"},
    ),
}  # fmt: skip
SCOPES = [WRITE, READ, READ_MINE, "state", "profile", "define", "all/read", "all"]
STATEMENT = "39e24cc4-69af-4b01-a824-1fdc6ea8a3ab"


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_scope_allows_what_it_says_and_nothing_else(
    lasting_database: Database, scope: str, operation: str
) -> None:
    everything = a_client(an_lrs(lasting_database), V2)
    everything.put("/statements", params={"statementId": STATEMENT}, json=a_statement())
    for path, where in (
        ("/activities/state", STATE),
        ("/activities/profile", PROFILE),
        ("/agents/profile", PERSON),
    ):
        everything.put(path, params=where, json={}, headers={"If-None-Match": "*"})
    do, allowed = OPERATIONS[operation]

    answer = do(a_client(an_lrs(lasting_database, scope), V2))

    assert (answer.status_code in (200, 204)) == (scope in allowed), answer.text
    if scope not in allowed:
        assert answer.status_code == 403
        assert operation.startswith("HEAD") or "scopes" in answer.json()["error"]


def test_scopes_add_up(lasting_database: Database) -> None:
    client = a_client(an_lrs(lasting_database, WRITE, "state"))

    assert client.post("/statements", json=a_statement()).status_code == 200
    assert client.put("/activities/state", params=STATE, json={}).status_code == 204
    assert client.get("/statements").status_code == 403


def test_who_may_not_learns_nothing_of_whether_it_is_there(lasting_database: Database) -> None:
    client = a_client(an_lrs(lasting_database, "state"))

    for query in (
        {"statementId": STATEMENT},
        {"statementId": "39e24cc4-69af-4b01-a824-1fdc6ea8a3ff"},
        {"x": "y"},
    ):
        assert client.get("/statements", params=query).status_code == 403


# ---------------------------------------------------------------- statements/read/mine


@pytest.fixture(params=[V1, V2])
def two(request: pytest.FixtureRequest, lasting_database: Database) -> tuple[TestClient, TestClient]:
    """Two who may write, and read what is theirs."""
    one, other = (
        a_client(
            an_lrs(lasting_database, WRITE, READ_MINE, authority={"objectType": "Agent", **somebody()}),
            request.param,
        )
        for _ in range(2)
    )
    return one, other


def test_who_reads_her_own_finds_no_statement_of_another(two: tuple[TestClient, TestClient]) -> None:
    activity = something()
    mine, theirs = (sent(one, a_statement(object=an_activity(activity)))[0] for one in two)

    assert found(two[0], activity=activity) == [mine]
    assert found(two[1], activity=activity) == [theirs]
    assert two[0].get("/statements", params={"statementId": mine}).status_code == 200
    assert two[0].get("/statements", params={"statementId": theirs}).status_code == 404
    sent(two[0], a_voiding(mine))
    sent(two[1], a_voiding(theirs))
    assert two[0].get("/statements", params={"voidedStatementId": mine}).status_code == 200
    assert two[0].get("/statements", params={"voidedStatementId": theirs}).status_code == 404


@pytest.mark.parametrize("outer", ["false", "true"])
def test_her_own_by_agent_activity_verb_and_time(two: tuple[TestClient, TestClient], outer: str) -> None:
    agent, activity, verb = somebody(), something(), something("verb")
    statement = a_statement(actor=agent, verb={"id": verb}, object=an_activity(activity))
    around = a_statement(
        context={"instructor": agent, "contextActivities": {"other": [an_activity(activity)]}}
    )
    ids = [sent(one, statement, around) for one in (two[0], two[1], two[0])]
    mine = [*ids[0], *ids[2]] if outer == "true" else [ids[0][0], ids[2][0]]
    query = {"related_agents": outer, "related_activities": outer, "ascending": "true"}

    assert found(two[0], agent=key(agent), **query) == mine
    assert found(two[0], activity=activity, **query) == mine
    assert found(two[0], agent=key(agent), activity=activity, **query) == mine
    assert found(two[0], agent=key(agent), verb=verb, **query) == [ids[0][0], ids[2][0]]
    assert found(two[0], verb=verb, **query) == [ids[0][0], ids[2][0]]
    assert (
        found(two[0], agent=key(agent), since="2001-01-01T00:00:00Z", until="2999-01-01T00:00:00Z", **query)
        == mine
    )
    assert found(two[0], **query) == [*ids[0], *ids[2]]


def test_her_own_who_is_also_an_agent_of_statements(two: tuple[TestClient, TestClient]) -> None:
    """The authority as actor, as one around, and as nobody: only what she vouches for is hers."""
    me = somebody()
    one, other = two
    activity = something()
    by_me = [
        sent(one, a_statement(actor=me, object=an_activity(activity)))[0],
        sent(one, a_statement(context={"instructor": me}, object=an_activity(activity)))[0],
    ]
    sent(other, a_statement(actor=me, object=an_activity(activity)))
    sent(other, a_statement(context={"instructor": me}, object=an_activity(activity)))

    assert found(one, agent=key(me)) == [by_me[0]]
    assert found(one, agent=key(me), related_agents="true", ascending="true") == by_me


def test_the_authority_itself_as_the_agent_asked_for(lasting_database: Database) -> None:
    authority = {"objectType": "Agent", **somebody()}
    me = a_client(an_lrs(lasting_database, WRITE, READ_MINE, authority=authority))
    other = a_client(an_lrs(lasting_database, authority=AUTHORITY))
    as_actor, as_nobody = sent(me, a_statement(actor=authority), a_statement())
    of_another, around = sent(
        other, a_statement(actor=authority), a_statement(context={"instructor": authority})
    )

    assert found(me) == [as_nobody, as_actor]
    assert found(me, agent=key(authority)) == [as_actor]
    assert found(me, agent=key(authority), related_agents="true") == [as_nobody, as_actor]
    assert found(other, agent=key(authority)) == [of_another, as_actor]
    assert found(other, agent=key(authority), related_agents="true") == [
        around,
        of_another,
        as_nobody,
        as_actor,
    ]


def test_her_remark_about_a_statement_of_another_is_hers_and_that_is_not(
    two: tuple[TestClient, TestClient],
) -> None:
    activity = something()
    (theirs,) = sent(two[1], a_statement(object=an_activity(activity)))
    (remark,) = sent(two[0], a_statement(actor=somebody(), object=a_reference(theirs)))

    assert found(two[0], activity=activity) == [remark]
    assert found(two[1], activity=activity) == [theirs]


def test_her_own_over_pages(two: tuple[TestClient, TestClient]) -> None:
    agent = somebody()
    mine = []
    for place in range(12):
        ids = sent(two[place % 2], a_statement(actor=agent))
        mine += ids if place % 2 == 0 else []

    for ascending, expected in (("false", mine[::-1]), ("true", mine)):
        for query in ({"agent": key(agent)}, {}):
            seen: list[str] = []
            answer = two[0].get("/statements", params={**query, "limit": 2, "ascending": ascending}).json()
            while True:
                assert len(answer["statements"]) <= 2
                seen += [one["id"] for one in answer["statements"]]
                if not answer["more"]:
                    break
                answer = two[0].get(answer["more"]).json()
            assert seen == expected


def test_who_has_no_identifier_has_no_statements_of_her_own(lasting_database: Database) -> None:
    members = [{"objectType": "Agent", **somebody()}, {"account": {"homePage": "https://a.b", "name": "app"}}]
    group = {"objectType": "Group", "member": members}
    client = a_client(an_lrs(lasting_database, WRITE, READ_MINE, authority=group))
    sent(client, a_statement())

    assert client.get("/statements").status_code == 403
