"""What the host says because of statements that arrive: right behind them, with them or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.launch_builders import statements
from tests.xapi_builders import AUTHORITY, NOON, a_statement, an_id
from xapi_store.errors import ForbiddenError, InvalidStatementError
from xapi_store.ingest import Arriving, Following, store_statements

HOST = {"objectType": "Agent", "account": {"homePage": "https://outpost.invalid/nodes", "name": "n1"}}


def following(place: int, **changes: Any) -> Following:
    statement = a_statement(id=an_id(), verb={"id": "https://w3id.org/xapi/adl/verbs/satisfied"}, **changes)
    return Following(place=place, statement=statement, authority=HOST)


def test_what_follows_stands_right_behind_its_cause(session: Session) -> None:
    first, second = a_statement(id=an_id()), a_statement(id=an_id())
    added = [following(0), following(0), following(1)]

    ids = store_statements(session, [first, second], authority=AUTHORITY, now=NOON, admit=lambda _: added)

    order = [first["id"], added[0].statement["id"], added[1].statement["id"], second["id"]]
    assert [one["id"] for one in statements(session)] == [*order, added[2].statement["id"]]
    assert [str(one) for one in ids] == [first["id"], second["id"]]  # the sender is told of its own
    assert [one["authority"] == HOST for one in statements(session)] == [False, True, True, False, True]


def test_the_host_sees_what_the_sender_left_out(session: Session) -> None:
    seen: list[Arriving] = []

    def admit(arriving: Sequence[Arriving]) -> None:
        seen.extend(arriving)

    store_statements(session, [a_statement()], authority=AUTHORITY, now=NOON, admit=admit)
    store_statements(
        session,
        [a_statement(id=an_id(), timestamp="2026-11-24T11:00:00Z")],
        authority=AUTHORITY,
        now=NOON,
        admit=admit,
    )

    assert [{"id", "timestamp"} & one.added for one in seen] == [{"id", "timestamp"}, set()]


def test_a_refusal_leaves_neither(session: Session) -> None:
    def admit(_: Sequence[Arriving]) -> None:
        raise ForbiddenError("Not here.")

    with pytest.raises(ForbiddenError):
        store_statements(session, [a_statement()], authority=AUTHORITY, now=NOON, admit=admit)

    assert statements(session) == []


def test_the_host_keeps_to_the_standard_as_well(session: Session) -> None:
    wrong = following(0, object={"id": "no address"})

    with pytest.raises(InvalidStatementError):
        store_statements(session, [a_statement()], authority=AUTHORITY, now=NOON, admit=lambda _: [wrong])
