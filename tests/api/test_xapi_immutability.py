"""Statements never change: the same again is accepted, another under the same id refused (1.0.3 Data §2.3.1)."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.xapi_builders import a_reference, a_statement, an_activity, an_id, read_by, sent

MEMBERS = [{"mbox": f"mailto:{name}@example.org"} for name in "abc"]
KEPT = a_statement(
    actor={"objectType": "Group", "mbox": "mailto:team@example.org", "member": MEMBERS},
    object=an_activity("https://example.org/immutable", name={"en": "One"}),
    result={
        "duration": "PT1.503S",
        "score": {"raw": 1, "max": 10},
        "extensions": {"urn:x:e": {"a": 1, "b": [1, 2]}},
    },
    context={
        "registration": "39e24cc4-69af-4b01-a824-1fdc6ea8a3af",
        "contextActivities": {"parent": [an_activity("urn:x:1"), an_activity("urn:x:2")]},
        "statement": a_reference("39e24cc4-69af-4b01-a824-1fdc6ea8a3ae"),
    },
    timestamp="2026-01-02T03:04:05.600Z",
)


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _reversed(inner) for name, inner in reversed(value.items())}
    return [_reversed(inner) for inner in value] if isinstance(value, list) else value


def _with(path: str, value: Any) -> dict[str, Any]:
    """The statement with one thing changed, or left out (`...`)."""
    changed = copied = dict(KEPT)
    *outer, last = path.split(".")
    for name in outer:
        copied[name] = dict(copied[name])
        copied = copied[name]
    copied[last] = value
    if value is ...:
        del copied[last]
    return changed


@pytest.mark.parametrize(
    "again",
    [
        KEPT,
        _reversed(KEPT),
        _with("timestamp", "2026-01-02T04:04:05.6+01:00"),
        _with("timestamp", "2026-01-02T03:04:05.600000Z"),
        _with("timestamp", "20260102T030405.6Z"),
        _with("timestamp", ...),
        _with("result.duration", "PT1.50S"),
        _with("result.duration", "PT1,509S"),
        _with("result.score", {"raw": 1.0, "max": 10.0}),
        _with("actor.member", MEMBERS[::-1]),
        _with("context.contextActivities", {"parent": [an_activity("urn:x:2"), {"id": "urn:x:1"}]}),
        _with("context.registration", "39E24CC4-69AF-4B01-A824-1FDC6EA8A3AF"),
        _with("object.definition", {"name": {"en": "Another"}}),
        _with("object", {"id": "https://example.org/immutable"}),
        _with("verb.display", {"fr": "réussi"}),
        _with("authority", {"mbox": "mailto:else@example.org"}),
        _with("stored", "2001-01-01T00:00:00Z"),
        _with("version", "1.0.3"),
    ],
)
def test_the_same_statement_again_is_accepted_and_changes_nothing(
    either: TestClient, again: dict[str, Any]
) -> None:
    statement_id = an_id()
    sent(either, KEPT | {"id": statement_id})
    kept = read_by(either, statement_id)

    answers = [
        either.post("/statements", json=again | {"id": statement_id.upper()}),
        either.put("/statements", params={"statementId": statement_id}, json=again),
    ]

    assert [one.status_code for one in answers] == [200, 204]
    assert read_by(either, statement_id) == kept


@pytest.mark.parametrize(
    ("different", "named"),
    [
        (_with("actor.member", MEMBERS[:2]), "actor"),
        (_with("actor.mbox", "mailto:other@example.org"), "actor"),
        (_with("verb.id", "urn:x:other"), "verb"),
        (_with("object.id", "https://example.org/Immutable"), "object"),
        (_with("result", ...), "result"),
        (_with("result.duration", "PT1.51S"), "result"),
        (_with("result.score.raw", 2), "result"),
        (_with("result.success", False), "result"),
        (_with("result.extensions", {"urn:x:e": {"a": 1, "b": [2, 1]}}), "result"),
        (_with("result.extensions", {"urn:x:e": {"a": True, "b": [1, 2]}}), "result"),
        (_with("context.contextActivities", {"parent": [an_activity("urn:x:1")]}), "context"),
        (
            _with("context.contextActivities", {"other": KEPT["context"]["contextActivities"]["parent"]}),
            "context",
        ),
        (_with("context.registration", "39e24cc4-69af-4b01-a824-1fdc6ea8a3a0"), "context"),
        (_with("context.platform", "Outpost"), "context"),
        (_with("timestamp", "2026-01-02T03:04:05.601Z"), "timestamp"),
    ],
)
def test_another_statement_under_a_taken_id_is_refused(
    either: TestClient, different: dict[str, Any], named: str
) -> None:
    statement_id = an_id()
    sent(either, KEPT | {"id": statement_id})
    kept = read_by(either, statement_id)

    answers = [
        either.post("/statements", json=different | {"id": statement_id}),
        either.put("/statements", params={"statementId": statement_id}, json=different),
    ]

    assert [one.status_code for one in answers] == [409, 409]
    assert f"different {named};" in answers[0].json()["error"]
    assert read_by(either, statement_id) == kept
