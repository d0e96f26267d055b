"""`more` leads through all statements, once each, whatever happens meanwhile (1.0.3 Communication §2.1.3)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from lms.database import Database
from tests.xapi_builders import (
    AUTHORITY,
    BASIC,
    NOON,
    V1,
    V2,
    VERSION,
    a_client,
    a_statement,
    a_voiding,
    an_activity,
    an_attachment,
    an_lrs,
    key,
    sent,
    somebody,
    something,
)
from xapi_store.attachments import Part
from xapi_store.ingest import store_statements

FILTERS: list[dict[str, str]] = [
    {},
    {"agent": "AGENT"},
    {"agent": "AGENT", "related_agents": "true"},
    {"activity": "ACTIVITY"},
    {"activity": "ACTIVITY", "related_activities": "true"},
    {"verb": "VERB"},
    {"agent": "AGENT", "verb": "VERB"},
    {"agent": "AGENT", "activity": "ACTIVITY", "verb": "VERB", "since": "2001-01-01T00:00:00Z"},
    {"until": "2999-01-01T00:00:00+01:00"},
]


@pytest.mark.parametrize("version", [V1, V2])
@pytest.mark.parametrize("ascending", ["true", "false"])
@pytest.mark.parametrize("query", FILTERS, ids=lambda query: " ".join(query) or "all")
def test_more_survives_a_restart_and_reaches_each_statement_once_while_others_arrive(
    lasting_database: Database, query: dict[str, str], ascending: str, version: str
) -> None:
    values = {"AGENT": key(somebody()), "ACTIVITY": something(), "VERB": something("verb")}
    agent, activity, verb = values.values()
    query = {name: values.get(value, value) for name, value in query.items()}

    def arriving(count: int) -> list[str]:
        statement = a_statement(actor={"mbox": agent[9:-2]}, verb={"id": verb}, object=an_activity(activity))
        return sent(a_client(an_lrs(lasting_database), version), *(statement for _ in range(count)))

    first = arriving(7)
    everything = {"since": "2001-01-01T00:00:00Z"} | query
    link = "/statements"
    parameters: dict[str, str] | None = {**everything, "limit": "3", "ascending": ascending}
    later: list[str] = []
    seen: list[str] = []
    while link:
        client = a_client(an_lrs(lasting_database), version)  # nothing is remembered but the link
        answer = client.get(link, params=parameters)
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["statements"]) <= 3
        seen += [one["id"] for one in answer.json()["statements"]]
        link, parameters = answer.json()["more"], None
        if link and len(later) < 4:
            later += arriving(1)

    assert len(seen) == len(set(seen))
    assert [one for one in seen if one in first] == (first if ascending == "true" else first[::-1])
    if query.keys() & {"agent", "activity", "verb"}:
        assert seen == [*first, *later] if ascending == "true" else seen == first[::-1]


def test_the_last_page_has_no_more_though_it_is_full(either: TestClient) -> None:
    activity = something()
    sent(either, *(a_statement(object=an_activity(activity)) for _ in range(4)))

    first = either.get("/statements", params={"activity": activity, "limit": 2}).json()
    last = either.get(first["more"]).json()

    assert len(last["statements"]) == 2
    assert last["more"] == ""


def test_more_keeps_how_statements_were_asked_for(either: TestClient) -> None:
    activity = something()
    words = {"name": {"en": "One", "fr": "Un"}}
    sent(either, *(a_statement(object=an_activity(activity, **words)) for _ in range(2)))

    first = either.get("/statements", params={"activity": activity, "limit": 1, "format": "ids"}).json()
    second = either.get(first["more"]).json()

    assert first["more"].startswith("/statements?")
    assert second["statements"][0]["object"] == {"id": activity}


def test_more_asks_again_who_asks_and_in_which_version(either: TestClient) -> None:
    activity = something()
    sent(either, *(a_statement(object=an_activity(activity)) for _ in range(2)))
    more = either.get("/statements", params={"activity": activity, "limit": 1}).json()["more"]

    assert either.get(more, headers={"Authorization": "Basic eDp5"}).status_code == 401
    assert either.get(more, headers={VERSION: "0.95"}).status_code == 400
    assert either.get(more, headers={"Authorization": BASIC}).status_code == 200


def test_what_is_voided_between_two_pages_is_left_out_and_nothing_else(either: TestClient) -> None:
    activity = something()
    ids = sent(either, *(a_statement(object=an_activity(activity)) for _ in range(6)))
    first = either.get("/statements", params={"activity": activity, "limit": 2}).json()
    sent(either, a_voiding(ids[3]), a_voiding(first["statements"][-1]["id"]))

    rest: list[dict[str, Any]] = either.get(first["more"]).json()["statements"]

    assert [one["id"] for one in rest] == [ids[2], ids[1]]


def test_more_begins_where_the_store_is_mounted(database: Database) -> None:
    client = TestClient(
        a_client(an_lrs(database)).app, root_path="/xapi", headers={"Authorization": BASIC, VERSION: V1}
    )
    client.post("/xapi/statements", json=[a_statement(), a_statement()])

    more = client.get("/xapi/statements", params={"limit": 1}).json()["more"]

    assert more.startswith("/xapi/statements?")
    assert len(client.get(more).json()["statements"]) == 1


def all_pages(client: TestClient, **query: str) -> list[list[str]]:
    """Return the ids of each page until the last."""
    pages, answer = [], client.get("/statements", params=query)
    while True:
        assert answer.status_code == 200
        text = answer.text
        start = text.index("{")
        told, _ = json.JSONDecoder().raw_decode(text[start:])
        pages.append([one["id"] for one in told["statements"]])
        if not told["more"]:
            return pages
        answer = client.get(told["more"])


def test_a_page_ends_before_it_takes_more_memory_than_it_may(database: Database) -> None:
    client, activity = a_client(an_lrs(database)), something()
    large = {"response": "x" * (3 * 1024 * 1024)}
    ids = [sent(client, a_statement(object=an_activity(activity), result=large))[0] for _ in range(5)]

    pages = all_pages(client, activity=activity, ascending="true")

    assert [one for page in pages for one in page] == ids
    assert [len(page) for page in pages] == [2, 2, 1]


def test_a_page_with_files_ends_before_they_are_too_many(database: Database) -> None:
    client, activity, ids = a_client(an_lrs(database)), something(), []
    with database.write() as session:
        for number in range(4):
            content = bytes([number]) * (7 * 1024 * 1024)
            statement = a_statement(object=an_activity(activity), attachments=[an_attachment(content)])
            part = Part(sha2=an_attachment(content)["sha2"], content=content, content_type="text/plain")
            ids += store_statements(session, [statement], authority=AUTHORITY, now=NOON, parts=[part])

    pages = all_pages(client, activity=activity, ascending="true", attachments="true")

    assert [one for page in pages for one in page] == [str(one) for one in ids]
    assert [len(page) for page in pages] == [2, 2]
