"""Every filter of the Statement resource, alone and together (1.0.3 Communication §2.1.3; 2.0 §4.1.6.1)."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from lms.database import Database
from tests.xapi_builders import (
    BASIC,
    NOON,
    PASSED,
    V1,
    a_client,
    a_statement,
    an_activity,
    an_id,
    an_lrs,
    found,
    key,
    sent,
    somebody,
    something,
)

# ---------------------------------------------------------------- activity, verb, registration


@pytest.mark.parametrize("place", ["parent", "grouping", "category", "other", "plan", "around a plan"])
def test_related_activities_finds_those_around_and_activity_alone_does_not(
    either: TestClient, place: str
) -> None:
    activity = an_activity(something())
    plan = {
        "objectType": "SubStatement",
        "actor": somebody(),
        "verb": {"id": PASSED},
        "object": an_activity(something()),
    }
    changes = {
        "plan": {"object": plan | {"object": activity}},
        "around a plan": {"object": plan | {"context": {"contextActivities": {"other": [activity]}}}},
    }.get(place, {"context": {"contextActivities": {place: [activity]}}})
    (statement_id,) = sent(either, a_statement(**changes))

    assert found(either, activity=activity["id"]) == []
    assert found(either, activity=activity["id"], related_activities="true") == [statement_id]


def test_a_verb_and_a_registration_are_found(either: TestClient) -> None:
    verb, registration = something("verb"), an_id()
    one, both, other = sent(
        either,
        a_statement(verb={"id": verb}),
        a_statement(verb={"id": verb}, context={"registration": registration.upper()}),
        a_statement(context={"registration": registration}),
    )

    assert found(either, verb=verb) == [both, one]
    assert found(either, registration=registration) == [other, both]
    assert found(either, registration=registration.upper(), verb=verb) == [both]


@pytest.mark.parametrize(
    "query",
    [
        {"agent": key({"mbox": "mailto:never@example.org"})},
        {"activity": "https://example.org/never"},
        {"verb": "https://example.org/never"},
        {"registration": "39e24cc4-69af-4b01-a824-1fdc6ea8a3aa"},
        {"until": "1999-01-01T00:00:00Z"},
        {"since": "2999-01-01T00:00:00Z"},
    ],
)
def test_what_nobody_mentioned_is_an_empty_list(either: TestClient, query: dict[str, str]) -> None:
    sent(either, a_statement())

    answer = either.get("/statements", params=query)

    assert answer.json() == {"statements": [], "more": ""}


# ---------------------------------------------------------------- time and order


def test_since_excludes_and_until_includes_to_the_microsecond(database: Database) -> None:
    clock = iter(NOON + timedelta(microseconds=place) for place in itertools.count())
    client = a_client(an_lrs(database, now=lambda: next(clock), oldest_write=lambda _session: None))
    ids = [sent(client, a_statement())[0] for _ in range(3)]
    first, middle, last = (
        client.get("/statements", params={"statementId": one}).json()["stored"] for one in ids
    )

    assert found(client, since=middle) == [ids[2]]
    assert found(client, until=middle) == [ids[1], ids[0]]
    assert found(client, since=first, until=middle) == [ids[1]]
    assert found(client, since=middle, until=middle) == []
    assert found(client, since=last) == []
    assert found(client, until=last, ascending="true") == ids
    assert found(client, since=middle.replace("Z", "+00:00")) == [ids[2]]


def test_order_is_newest_first_unless_ascending(either: TestClient) -> None:
    activity = something()
    ids = sent(either, *(a_statement(object=an_activity(activity)) for _ in range(4)))

    assert found(either, activity=activity) == ids[::-1]
    assert found(either, activity=activity, ascending="false") == ids[::-1]
    assert found(either, activity=activity, ascending="true") == ids


@pytest.mark.parametrize(("limit", "expected"), [(1, 1), (3, 3), (4, 4), (0, 4), (999999, 4)])
def test_a_page_has_no_more_than_its_limit_and_0_asks_for_all_the_store_gives(
    either: TestClient, limit: int, expected: int
) -> None:
    activity = something()
    sent(either, *(a_statement(object=an_activity(activity)) for _ in range(4)))

    answer = either.get("/statements", params={"activity": activity, "limit": limit})

    assert len(answer.json()["statements"]) == expected
    assert bool(answer.json()["more"]) == (expected < 4)


# ---------------------------------------------------------------- together


def test_filters_together_find_what_each_of_them_finds(lasting_database: Database) -> None:
    """Statements of every mixture of two values each; every query is compared with what it says."""
    agents, activities, verbs = (
        [somebody(), somebody()],
        [something(), something()],
        [something(), something()],
    )
    registrations = [an_id(), an_id()]
    authorities = [{"objectType": "Agent", **somebody()} for _ in range(2)]
    made: list[tuple[str, tuple[int, ...]]] = []
    for place in (0, 1):
        writer = a_client(an_lrs(lasting_database, authority=authorities[place]))
        mixtures = list(itertools.product((0, 1), repeat=4))
        ids = sent(
            writer,
            *(
                a_statement(
                    actor=agents[agent],
                    verb={"id": verbs[verb]},
                    object=an_activity(activities[activity]),
                    context={
                        "registration": registrations[registration],
                        "instructor": agents[1 - agent],
                        "contextActivities": {"other": [an_activity(activities[1 - activity])]},
                    },
                )
                for agent, activity, verb, registration in mixtures
            ),
        )
        made += [(one, (*mixture, place)) for one, mixture in zip(ids, mixtures, strict=True)]
    everything = a_client(an_lrs(lasting_database))
    mine = a_client(an_lrs(lasting_database, "statements/read/mine", authority=authorities[1]))
    border = everything.get("/statements", params={"statementId": made[7][0]}).json()["stored"]
    named = {
        "agent": key(agents[1]),
        "activity": activities[1],
        "verb": verbs[1],
        "registration": registrations[1],
    }

    for choice in itertools.product((False, True), repeat=8):
        by_agent, by_activity, by_verb, by_registration, outer_agents, outer_activities, since, ascending = (
            choice
        )
        chosen = [by_agent, by_activity, by_verb, by_registration]
        if not any(chosen):
            continue
        query = {name: value for (name, value), asked in zip(named.items(), chosen, strict=True) if asked}
        query |= {
            "related_agents": str(outer_agents).lower(),
            "related_activities": str(outer_activities).lower(),
        }
        query |= {"since": border} if since else {}
        counts = [
            by_agent and not outer_agents, by_activity and not outer_activities, by_verb, by_registration,
        ]  # fmt: skip
        expected = [
            (one, mixture[4])
            for one, mixture in made
            if all(value or not asked for value, asked in zip(mixture, counts, strict=False))
            and (not since or mixture[4] == 1)  # a batch is stored at one instant
        ]
        expected = expected if ascending else expected[::-1]
        asked = query | {"ascending": str(ascending).lower()}

        assert found(everything, **asked) == [one for one, _ in expected], asked
        assert found(mine, **asked) == [one for one, place in expected if place == 1], asked


def test_filters_hold_over_pages(lasting_database: Database) -> None:
    agent, activity, verb = somebody(), something(), something("verb")
    client = a_client(an_lrs(lasting_database), V1)
    wanted: list[str] = []
    for place in range(12):
        statement = a_statement(
            actor=agent if place % 2 else somebody(),
            verb={"id": verb if place % 3 else something("verb")},
            object=an_activity(activity),
        )
        (statement_id,) = sent(client, statement)
        wanted += [statement_id] if place % 2 and place % 3 else []

    answer = client.get(
        "/statements", params={"agent": key(agent), "verb": verb, "activity": activity, "limit": 2}
    )
    pages = [answer.json()]
    while pages[-1]["more"]:
        pages.append(client.get(pages[-1]["more"], headers={"Authorization": BASIC}).json())

    assert [len(page["statements"]) for page in pages] == [2, 2]
    assert [one["id"] for page in pages for one in page["statements"]] == wanted[::-1]
