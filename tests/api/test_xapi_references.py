"""StatementRefs: voiding, and being found where the target is (1.0.3 Data §2.3.2, Communication §2.1.3)."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.xapi_builders import (
    VOIDED,
    a_reference,
    a_statement,
    a_voiding,
    an_activity,
    an_id,
    found,
    key,
    read_by,
    sent,
    somebody,
    something,
)

# ---------------------------------------------------------------- voiding


@pytest.mark.parametrize("order", ["target first", "voiding first", "together", "together, voiding first"])
def test_a_voided_statement_is_found_as_such_only(either: TestClient, order: str) -> None:
    activity, target, voiding = something(), an_id(), an_id()
    pair = [a_statement(id=target, object=an_activity(activity)), a_voiding(target, id=voiding)]
    pair = pair[::-1] if "voiding first" in order else pair
    for batch in [pair] if "together" in order else [[one] for one in pair]:
        sent(either, *batch)

    as_voided = either.get("/statements", params={"voidedStatementId": target})

    assert either.get("/statements", params={"statementId": target}).status_code == 404
    assert as_voided.json()["id"] == target
    assert found(either, activity=activity) == [voiding]
    assert read_by(either, voiding)["verb"]["id"] == VOIDED
    assert either.get("/statements", params={"voidedStatementId": voiding}).status_code == 404


def test_what_is_not_voided_is_not_among_the_voided(either: TestClient) -> None:
    (statement_id,) = sent(either, a_statement())

    assert either.get("/statements", params={"voidedStatementId": statement_id}).status_code == 404
    assert either.get("/statements", params={"voidedStatementId": an_id()}).status_code == 404


@pytest.mark.parametrize("order", ["one by one", "second first", "together"])
def test_a_voiding_statement_cannot_be_voided(either: TestClient, order: str) -> None:
    target, first, second = an_id(), an_id(), an_id()
    sent(either, a_statement(id=target))
    voidings = [a_voiding(target, id=first), a_voiding(first, id=second)]
    for batch in [voidings] if order == "together" else [[one] for one in voidings]:
        sent(either, *(batch[::-1] if order == "second first" else batch))

    assert read_by(either, first)["object"]["id"] == target
    assert either.get("/statements", params={"statementId": target}).status_code == 404


def test_voiding_names_its_target_in_any_case_and_needs_a_reference(either: TestClient) -> None:
    target = an_id()
    sent(either, a_statement(id=target))

    refused = either.post("/statements", json=a_voiding(target) | {"object": an_activity(something())})
    sent(either, a_voiding(target.upper()))

    assert refused.status_code == 400
    assert "StatementRef" in refused.json()["error"]
    assert either.get("/statements", params={"statementId": target}).status_code == 404


def test_a_plan_to_void_voids_nothing(either: TestClient) -> None:
    (target,) = sent(either, a_statement())
    plan = {
        "objectType": "SubStatement",
        "actor": somebody(),
        "verb": {"id": VOIDED},
        "object": a_reference(target),
    }

    sent(either, a_statement(object=plan))

    assert read_by(either, target)["id"] == target


def test_a_voided_statement_is_still_the_one_of_its_id(either: TestClient) -> None:
    (target,) = sent(either, a_statement())
    sent(either, a_voiding(target))

    same = either.put("/statements", params={"statementId": target}, json=a_statement())
    other = either.put("/statements", params={"statementId": target}, json=a_statement(actor=somebody()))

    assert (same.status_code, other.status_code) == (204, 409)
    assert either.get("/statements", params={"statementId": target}).status_code == 404


def test_what_refers_to_a_voided_statement_is_still_found_where_that_would_be(either: TestClient) -> None:
    activity, target = something(), an_id()
    remark = a_statement(actor=somebody(), object=a_reference(target))
    sent(either, a_statement(id=target, object=an_activity(activity)))
    (before,) = sent(either, remark)
    (voiding,) = sent(either, a_voiding(target))
    (after,) = sent(either, remark)

    assert found(either, activity=activity) == [after, voiding, before]


# ---------------------------------------------------------------- found where the target is


def _chain(target: dict[str, Any], length: int) -> list[dict[str, Any]]:
    """A statement and others, each about the one before."""
    chain = [target | {"id": an_id()}]
    for _ in range(length):
        chain.append(
            a_statement(
                id=an_id(),
                actor=somebody(),
                verb={"id": something("verb")},
                object=a_reference(chain[-1]["id"]),
            )
        )
    return chain


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0), (0, 2, 1), (2, 0, 1)])
def test_a_chain_is_found_by_all_that_its_end_mentions_in_whatever_order_it_arrived(
    either: TestClient, order: tuple[int, ...]
) -> None:
    agent, related, verb = somebody(), somebody(), something("verb")
    activity, around, registration = something(), something(), an_id()
    target = a_statement(
        actor=agent,
        verb={"id": verb},
        object=an_activity(activity),
        context={
            "registration": registration,
            "instructor": related,
            "contextActivities": {"parent": [an_activity(around)]},
        },
    )
    chain = _chain(target, 2)
    for place in order:
        sent(either, chain[place])

    arrived = [chain[place]["id"] for place in order][::-1]
    for query in (
        {"agent": key(agent)},
        {"verb": verb},
        {"activity": activity},
        {"registration": registration},
        {"agent": key(related), "related_agents": "true"},
        {"activity": around, "related_activities": "true"},
        {"agent": key(agent), "verb": verb, "activity": activity, "registration": registration},
    ):
        assert found(either, **query) == arrived, query
    assert found(either, agent=key(related)) == []
    assert found(either, agent=key(chain[1]["actor"])) == [one for one in arrived if one != chain[0]["id"]]


def test_time_is_that_of_the_statement_itself_not_of_its_target(either: TestClient) -> None:
    activity = something()
    (target,) = sent(either, a_statement(object=an_activity(activity)))
    (remark,) = sent(either, a_statement(actor=somebody(), object=a_reference(target)))
    border = read_by(either, target)["stored"]

    assert found(either, activity=activity, since=border) == [remark]
    assert found(either, activity=activity, until=border) == [target]


def test_two_statements_about_each_other_are_stored_and_found_by_both(either: TestClient) -> None:
    one, other = an_id(), an_id()
    agents = [somebody(), somebody()]
    sent(either, a_statement(id=one, actor=agents[0], object=a_reference(other)))
    sent(either, a_statement(id=other, actor=agents[1], object=a_reference(one)))

    for agent in agents:
        assert set(found(either, agent=key(agent))) == {one, other}


def test_a_statement_about_itself_is_stored(either: TestClient) -> None:
    itself, agent = an_id(), somebody()

    sent(either, a_statement(id=itself, actor=agent, object=a_reference(itself)))

    assert found(either, agent=key(agent)) == [itself]


def test_a_reference_in_the_context_or_in_a_plan_inherits_nothing(either: TestClient) -> None:
    activity = something()
    (target,) = sent(either, a_statement(object=an_activity(activity)))
    plan = {"objectType": "SubStatement", "actor": somebody(), "verb": {"id": something("verb")}}

    sent(
        either,
        a_statement(context={"statement": a_reference(target)}),
        a_statement(object=plan | {"object": a_reference(target)}),
    )

    assert found(either, activity=activity) == [target]
