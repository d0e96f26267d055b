"""Statements as readers ask for them: exact, ids, canonical (1.0.3 Communication §2.1.3; 2.0 §4.1.6.1)."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from lms.database import Database
from tests.xapi_builders import (
    AUTHORITY,
    V2,
    a_client,
    a_statement,
    an_activity,
    an_lrs,
    read_by,
    sent,
    somebody,
    something,
)

pytestmark = pytest.mark.one_database


def told(iri: str, **definition: Any) -> dict[str, Any]:
    return a_statement(object=an_activity(iri, **definition))


# ---------------------------------------------------------------- exact


def test_exact_is_what_was_sent_and_the_default(either: TestClient) -> None:
    statement = a_statement(
        actor={"objectType": "Group", "name": "Team", **somebody(), "member": [somebody(name="A")]},
        object=an_activity(something(), name={"en": "One", "fr": "Un"}, extensions={"urn:x:e": None}),
        result={"response": 'é\u2028"', "duration": "PT1H"},
        timestamp="2026-01-02T03:04:05+02:00",
    )
    (statement_id,) = sent(either, statement)

    exact = read_by(either, statement_id, format="exact")

    assert {name: value for name, value in exact.items() if name in statement} == statement
    assert read_by(either, statement_id) == exact


# ---------------------------------------------------------------- ids


def test_ids_leaves_no_more_than_identifies(client_v2: TestClient) -> None:
    person, member = somebody(), somebody()
    words = {"name": {"en": "One"}}
    activity = an_activity(something(), **words)
    plan = {
        "objectType": "SubStatement",
        "actor": person | {"name": "P"},
        "verb": {"id": "urn:x:plan", "display": {"en": "plans"}},
        "object": activity,
    }
    named = {"objectType": "Group", "name": "Named", **somebody(), "member": [member]}
    context = {
        "instructor": person | {"name": "P"},
        "team": {"objectType": "Group", "name": "Anonymous", "member": [member | {"name": "M"}]},
        "contextActivities": {"parent": [activity]},
        "contextAgents": [{"objectType": "contextAgent", "agent": person | {"name": "P"}}],
        "contextGroups": [{"objectType": "contextGroup", "group": named}],
    }
    (statement_id,) = sent(client_v2, a_statement(actor=named, object=plan, context=context))

    ids = read_by(client_v2, statement_id, format="ids")

    only_named = {"objectType": "Group", "mbox": named["mbox"]}
    assert ids["actor"] == only_named
    assert ids["verb"] == {"id": a_statement()["verb"]["id"]}
    assert ids["authority"] == AUTHORITY
    assert ids["object"] == {
        "objectType": "SubStatement",
        "actor": person,
        "verb": {"id": "urn:x:plan"},
        "object": {"id": activity["id"]},
    }
    assert ids["context"] == {
        "instructor": person,
        "team": {"objectType": "Group", "member": [member]},
        "contextActivities": {"parent": [{"id": activity["id"]}]},
        "contextAgents": [{"objectType": "contextAgent", "agent": person}],
        "contextGroups": [{"objectType": "contextGroup", "group": only_named}],
    }


def test_ids_keeps_the_type_of_an_object_that_is_no_activity(either: TestClient) -> None:
    agent = {"objectType": "Agent", **somebody()}
    (statement_id,) = sent(either, a_statement(object=agent | {"name": "N"}))

    assert read_by(either, statement_id, format="ids")["object"] == agent


# ---------------------------------------------------------------- canonical


def test_canonical_tells_what_is_known_of_an_activity_not_what_this_statement_said(
    either: TestClient,
) -> None:
    iri = something()
    first, last = sent(either, told(iri, name={"en": "Old"}, type="urn:x:t"), told(iri, name={"en": "New"}))

    assert read_by(either, first, format="canonical")["object"]["definition"] == {
        "name": {"en": "New"},
        "type": "urn:x:t",
    }
    assert read_by(either, first)["object"]["definition"] == {"name": {"en": "Old"}, "type": "urn:x:t"}
    assert read_by(either, last, format="canonical")["object"]["definition"]["type"] == "urn:x:t"


def test_canonical_reaches_activities_around_and_in_plans(either: TestClient) -> None:
    iri = something()
    sent(either, told(iri, name={"en": "Known"}))
    plan = {"objectType": "SubStatement"} | a_statement(object={"id": iri})
    (statement_id,) = sent(
        either, a_statement(object=plan, context={"contextActivities": {"parent": [{"id": iri}]}})
    )

    canonical = read_by(either, statement_id, format="canonical")

    assert canonical["object"]["object"]["definition"] == {"name": {"en": "Known"}}
    assert canonical["context"]["contextActivities"]["parent"][0]["definition"] == {"name": {"en": "Known"}}


WORDS = {"en-US": "color", "en": "colour", "fr": "couleur", "de-CH": "Farbe", "zh-Hant-TW": "顏色"}


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("fr", "fr"),
        ("FR", "fr"),
        ("fr-CA", "fr"),  # looked up ever shorter (RFC 4647 §3.4)
        ("de", "de-CH"),
        ("de-AT", "de-CH"),
        ("zh-Hant", "zh-Hant-TW"),
        ("en-US", "en-US"),
        ("en-GB", "en"),
        ("fr;q=0.3, de-CH;q=0.9", "de-CH"),
        ("de-CH;q=0.3, fr;q=0.9, *;q=0.1", "fr"),
        ("fr;q=0.9,de-CH", "de-CH"),
        ("fr; q=0.3, de-CH ;q=0.9", "de-CH"),
        ("fr;Q=0.3, de-CH;Q=0.9", "de-CH"),
        ("fr;q=0, de-CH;q=0.1", "de-CH"),
        ("es, it;q=0.8, fr;q=0.1", "fr"),
        ("es", "en-US"),  # the first English that there is
        ("*", "en-US"),
        ("", "en-US"),
        (None, "en-US"),
        ("not a language;;q=x", "en-US"),
    ],
)
def test_canonical_gives_one_language_the_best_one_for_the_reader(
    either: TestClient, asked: str | None, given: str
) -> None:
    iri = something()
    statement = told(
        iri,
        name=WORDS,
        description=WORDS,
        interactionType="choice",
        choices=[{"id": "a", "description": WORDS}],
    )
    (statement_id,) = sent(either, statement | {"verb": {"id": "urn:x:v", "display": WORDS}})
    headers = {} if asked is None else {"Accept-Language": asked}

    answer = either.get(
        "/statements", params={"statementId": statement_id, "format": "canonical"}, headers=headers
    ).json()

    in_one = {given: WORDS[given]}
    definition = answer["object"]["definition"]
    assert definition["name"] == definition["description"] == in_one
    assert definition["choices"] == [{"id": "a", "description": in_one}]
    assert answer["verb"]["display"] == in_one


def test_without_english_the_first_language_is_given(either: TestClient) -> None:
    (statement_id,) = sent(either, told(something(), name={"fr": "Un", "de": "Eins"}))

    answer = read_by(either, statement_id, format="canonical")

    assert answer["object"]["definition"]["name"] == {"fr": "Un"}


def test_exact_keeps_every_language_whatever_the_reader_speaks(either: TestClient) -> None:
    (statement_id,) = sent(either, told(something(), name=WORDS))

    answer = either.get(
        "/statements", params={"statementId": statement_id}, headers={"Accept-Language": "fr"}
    )

    assert answer.json()["object"]["definition"]["name"] == WORDS


# ---------------------------------------------------------------- who may tell what an activity is


def test_without_define_what_is_known_of_activities_and_agents_stays(lasting_database: Database) -> None:
    iri, agent = something(), somebody()
    definer = a_client(an_lrs(lasting_database, "statements/write", "define"), V2)
    writer = a_client(an_lrs(lasting_database, "statements/write"), V2)
    reader = a_client(an_lrs(lasting_database, "all/read"), V2)
    sent(definer, told(iri, name={"en": "True"}) | {"actor": agent | {"name": "Right"}})

    (mine,) = sent(
        writer,
        told(iri, name={"en": "False"}, type="urn:x:t")
        | {"actor": agent | {"name": "Wrong"}, "context": {"instructor": agent | {"name": "Wronger"}}},
    )

    known = reader.get("/activities", params={"activityId": iri}).json()
    person = reader.get("/agents", params={"agent": f'{{"mbox":"{agent["mbox"]}"}}'}).json()
    assert known["definition"] == {"name": {"en": "True"}}
    assert person["name"] == ["Right"]
    assert read_by(reader, mine, format="canonical")["object"]["definition"] == {"name": {"en": "True"}}
    assert read_by(reader, mine)["object"]["definition"] == {"name": {"en": "False"}, "type": "urn:x:t"}


def test_without_define_an_unknown_activity_stays_unknown(lasting_database: Database) -> None:
    iri = something()
    writer = a_client(an_lrs(lasting_database, "statements/write", "all/read"), V2)

    sent(writer, told(iri, name={"en": "Mine"}))

    known = writer.get("/activities", params={"activityId": iri}).json()
    assert known == {"objectType": "Activity", "id": iri}
