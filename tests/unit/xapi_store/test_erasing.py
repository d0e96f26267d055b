"""An agent is erased: nothing of her statements is found or kept, nothing else is touched, and ids stay taken."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from uuid import UUID

import orjson
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.database import Database
from tests.benchmarks.traffic import statements
from tests.xapi_builders import AUTHORITY, NOON, a_reference, a_statement, a_voiding, an_attachment, an_id
from xapi_store import documents, erasing, feed, packing
from xapi_store.attachments import Part
from xapi_store.ingest import Outcome, store_copies, store_statements
from xapi_store.model.actor import actor_key
from xapi_store.model.document import DocumentKey
from xapi_store.query import StatementFilter, find_statement, find_statements
from xapi_store.tables import (
    ActivityLink,
    AgentLink,
    AgentName,
    AgentRow,
    AttachmentRow,
    DictionaryRow,
    RegistrationLink,
    StatementRow,
    VerbLink,
)

HER_ID = "5f0c6c4e-83a1-4f5e-9f2b-1d2c3b4a5968"
HER = {"account": {"homePage": "https://outpost.invalid/people", "name": HER_ID}, "name": "Zenobia Quux"}
OTHER = {"account": {"homePage": "https://outpost.invalid/people", "name": "other"}}


def is_her(key: str) -> bool:
    return HER_ID in key


def erase(session: Session, *, limit: int = 2) -> int:
    """Erase all of hers; return how many steps that took."""
    agents = erasing.find_agents(session, is_her)
    steps = 0
    while (doomed := erasing.next_doomed(session, agents, limit=limit)).places:
        erasing.erase_statements(session, doomed, agents)
        steps += 1
    while erasing.erase_documents(session, is_her, limit=limit):
        steps += 1
    erasing.erase_agents(session, agents)
    return steps


def store(session: Session, *some: dict[str, object], parts: tuple[Part, ...] = ()) -> list[UUID]:
    return store_statements(session, list(some), authority=AUTHORITY, now=NOON, parts=parts)


def ids_found(session: Session, **wanted: object) -> list[UUID]:
    return [one.id for one in find_statements(session, StatementFilter(**wanted), limit=100).statements]


def test_nothing_of_hers_is_found_and_all_else_is(session: Session) -> None:
    hers, others = store(session, a_statement(actor=HER), a_statement(actor=OTHER))

    erase(session)

    assert ids_found(session) == [others]
    assert find_statement(session, hers) is None
    assert not list(session.scalars(select(AgentRow).where(AgentRow.value.contains(HER_ID))))
    assert not list(session.scalars(select(AgentName)))
    for link in (AgentLink, ActivityLink, VerbLink, RegistrationLink):
        assert set(session.scalars(select(link.position))) <= set(
            session.scalars(select(StatementRow.position))
        )


def test_feeds_step_over_what_was_hers(database: Database) -> None:
    with database.write() as session:
        _, others, _ = store(
            session, a_statement(actor=HER), a_statement(actor=OTHER), a_statement(actor=HER)
        )
        for agent, name in ((HER, "hers"), (OTHER, "others")):
            key = DocumentKey.state(activity="https://a.example/", agent=agent, name=name, registration=None)
            documents.put_document(session, key, b"{}", "application/json", now=NOON)

    with database.write() as session:
        erase(session)

    with database.read() as session:
        assert [one.statement_id for one in feed.statements_after(session, 0, limit=9)] == [others]
        assert [one.key.name for one in feed.documents_after(session, 0, limit=9)] == ["others"]


@pytest.mark.parametrize(
    "named",
    [
        {"object": {"objectType": "Agent", **HER}},
        {"context": {"instructor": HER}},
        {"context": {"team": {"objectType": "Group", "member": [HER, OTHER]}}},
        {"actor": {"objectType": "Group", "member": [HER, OTHER]}},
        {
            "object": {
                "objectType": "SubStatement",
                "actor": HER,
                "verb": {"id": "https://v.example/"},
                "object": {"id": "https://a.example/"},
            }
        },
    ],
)
def test_a_statement_that_names_her_goes_wherever_it_does(session: Session, named: dict[str, object]) -> None:
    store(session, a_statement(actor=OTHER, **named) if "actor" not in named else a_statement(**named))
    agents = erasing.find_agents(session, is_her)
    assert sum(erasing.count_mentions(session, agents)) == 1

    erase(session)

    assert ids_found(session) == []


def test_what_refers_to_her_statement_stays_and_is_not_found_by_her(session: Session) -> None:
    (hers,) = store(session, a_statement(actor=HER))
    referring, voiding = store(
        session, a_statement(actor=OTHER, object=a_reference(hers)), a_voiding(hers, actor=OTHER)
    )
    key = actor_key(HER)
    assert referring in ids_found(session, agent=key)

    erase(session)

    assert set(ids_found(session)) == {referring, voiding}
    assert ids_found(session, agent=key) == []


def test_an_id_comes_back_with_nothing(session: Session) -> None:
    hers = a_statement(actor=HER, id=an_id())
    copy = orjson.dumps({**hers, "timestamp": NOON.isoformat(), "authority": AUTHORITY, "version": "1.0.0"})
    store(session, hers)
    erase(session)

    assert store(session, hers, a_statement(actor=OTHER))[0] == UUID(str(hers["id"]))
    (outcome,) = store_copies(session, [copy], now=NOON)

    assert outcome.outcome is Outcome.PRESENT
    assert len(ids_found(session)) == 1
    assert erasing.is_erased(session, UUID(str(hers["id"])))
    assert erasing.find_agents(session, is_her) == {}


def test_it_is_done_in_steps(session: Session) -> None:
    store(session, *(a_statement(actor=HER) for _ in range(5)))
    store(session, a_statement(actor=OTHER))

    assert erase(session, limit=2) == 3
    assert len(ids_found(session)) == 1


def test_attachments_go_that_nobody_else_has(session: Session) -> None:
    own, shared = an_attachment(b"hers alone"), an_attachment(b"of both")
    parts = tuple(
        Part(sha2=one["sha2"], content=content, content_type=one["contentType"])
        for one, content in ((own, b"hers alone"), (shared, b"of both"))
    )
    store(session, a_statement(actor=HER, attachments=[own, shared]), parts=parts)
    store(session, a_statement(actor=OTHER, attachments=[shared]), parts=parts[1:])

    erase(session)

    assert set(session.scalars(select(AttachmentRow.sha2))) == {shared["sha2"]}


def test_what_others_were_packed_with_forgets_her(database: Database) -> None:
    traffic = statements(3)
    with database.write() as session:
        for _ in range(packing.FIRST_AT // 250):
            store_statements(session, list(islice(traffic, 250)), authority=AUTHORITY, now=NOON)
            store(session, *(a_statement(actor=HER) for _ in range(250)))
    learn(database, packing.train)
    with database.write() as session:
        store(session, *(a_statement(actor=OTHER) for _ in range(3)))
    with database.write() as session:
        before = [
            one.raw for one in feed.statements_after(session, 0, limit=5000) if HER_ID.encode() not in one.raw
        ]
        assert packing.dictionaries_with(session, [HER_ID])
        erase(session, limit=500)

    learn(database, packing.train_another)
    after: int | None = 0
    while after is not None:
        with database.write() as session:
            numbers = packing.dictionaries_with(session, [HER_ID])
            after = packing.pack_anew(session, numbers, after=after, limit=100)

    with database.read() as session:
        assert [one.raw for one in feed.statements_after(session, 0, limit=5000)] == before
        assert all(
            HER_ID.encode() not in content for content in session.scalars(select(DictionaryRow.content))
        )


def learn(database: Database, how: Callable[[Session], packing.Trained]) -> None:
    with database.read() as session:
        trained = how(session)
    with database.write() as session:
        packing.keep_dictionary(session, trained)


def test_a_dictionary_can_be_trained_on_next_to_nothing(session: Session) -> None:
    store(session, a_statement(actor=OTHER))

    packing.keep_dictionary(session, packing.train_another(session))
    store(session, a_statement(actor=OTHER))

    assert len(ids_found(session)) == 2
