"""Erase agents: statements that name them, documents about them, and what was learnt from those to pack others.

A statement goes and its id stays taken: its place in `xapi_statement_id` becomes negative. Queries and feeds find
nothing, as if it had never been here; who sends it again is told that it is stored, and nothing is. What stands at
other places about its target or its agents by inheritance alone stays, without the agents' links.

Everything is done in steps that a writer may take in short transactions, and that may be repeated.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson
from sqlalchemy import Integer, Select, cast, delete, func, select, update
from sqlalchemy.orm import Session

from xapi_store import archive
from xapi_store.attachments import attachments_of
from xapi_store.ingest.ids import ERASED
from xapi_store.ingest.writing import places_in_links
from xapi_store.model.mentions import mentions_of
from xapi_store.packing import unpack
from xapi_store.tables import (
    AgentLink,
    AgentName,
    AgentRow,
    AttachmentAuthority,
    AttachmentRow,
    DocumentRow,
    StatementId,
    StatementRow,
)

_READ_AT_ONCE = 500

Agents = Mapping[str, int]
"""Agents by their key (`model.actor.actor_key`), with their numbers."""


def find_agents(session: Session, is_meant: Callable[[str], bool]) -> dict[str, int]:
    """Return the agents that are meant, by their keys; all agents of the store are looked at."""
    found = session.execute(select(AgentRow.value, AgentRow.id)).yield_per(_READ_AT_ONCE)
    return {row.value: row.id for row in found if is_meant(row.value)}


def names_of(session: Session, agents: Agents) -> set[str]:
    """Return the names under which agents were seen."""
    return set(session.scalars(select(AgentName.name).where(AgentName.agent_id.in_(agents.values()))))


def count_mentions(session: Session, agents: Agents) -> tuple[int, int]:
    """Return how many statements have an agent as actor or object, and how many name one in passing."""
    circle = func.min(cast(AgentLink.related, Integer))  # PostgreSQL has no least truth value
    places = select(AgentLink.position, circle).where(AgentLink.agent_id.in_(agents.values()))
    related = [row[1] for row in session.execute(places.group_by(AgentLink.position))]
    return sum(not one for one in related), sum(bool(one) for one in related)


@dataclass(frozen=True, kw_only=True, slots=True)
class Doomed:
    """Some statements that are to go, the places at which agents are linked, and attachments nobody else has."""

    statements: Sequence[tuple[UUID, int]]
    places: Sequence[int]
    attachments: frozenset[str]


def next_doomed(session: Session, agents: Agents, *, limit: int) -> Doomed:
    """Return the next statements that name agents; nothing is at any place once all are gone.

    Args:
        session: a reading transaction: where statements have attachments, the whole store is looked through for others
            that have the same.
        agents: of :func:`find_agents`.
        limit: the most places.
    """
    linked = select(AgentLink.position).where(AgentLink.agent_id.in_(agents.values())).distinct()
    places = list(session.scalars(linked.order_by(AgentLink.position).limit(limit)))
    rows = select(StatementRow.id, StatementRow.position, StatementRow.raw).where(
        StatementRow.position.in_(places)
    )
    statements = []
    attachments: set[str] = set()
    for statement_id, position, raw in session.execute(rows):
        statement = orjson.loads(unpack(session.connection(), raw))
        if not mentions_of(statement).agents.keys().isdisjoint(agents):
            statements.append((statement_id, position))
            attachments |= {one["sha2"].lower() for one in attachments_of(statement)}
    if attachments:
        attachments -= _needed_by_others(session, attachments, agents)
    return Doomed(statements=statements, places=places, attachments=frozenset(attachments))


def erase_statements(session: Session, doomed: Doomed, agents: Agents) -> list[str]:
    """Erase statements; return the files of the host in which attachments were that nothing names any more."""
    connection = session.connection()
    ids = [statement_id for statement_id, _ in doomed.statements]
    for table, conditions in places_in_links(connection, ids):
        session.execute(delete(table).where(*conditions))
    session.execute(
        delete(AgentLink).where(
            AgentLink.agent_id.in_(agents.values()), AgentLink.position.in_(doomed.places)
        )
    )
    session.execute(
        delete(StatementRow).where(StatementRow.position.in_([place for _, place in doomed.statements]))
    )
    gone = update(StatementId).where(StatementId.id.in_(ids), StatementId.position > ERASED)
    session.execute(gone.values(position=-StatementId.position, refers_to=None, voiding=False))
    return _erase_attachments(session, doomed.attachments)


def erase_documents(session: Session, is_meant: Callable[[str], bool], *, limit: int) -> bool:
    """Erase the next documents of agents that are meant; return whether there were any."""
    named = session.scalars(select(DocumentRow.agent).where(DocumentRow.agent.is_not(None)).distinct())
    meant = [agent for agent in named if agent is not None and is_meant(agent)]
    ids = list(session.scalars(select(DocumentRow.id).where(DocumentRow.agent.in_(meant)).limit(limit)))
    session.execute(delete(DocumentRow).where(DocumentRow.id.in_(ids)))
    return bool(ids)


def erase_agents(session: Session, agents: Agents) -> None:
    """Forget agents themselves, and what they are called."""
    numbers = list(agents.values())
    session.execute(delete(AttachmentAuthority).where(AttachmentAuthority.authority_id.in_(numbers)))
    session.execute(delete(AgentName).where(AgentName.agent_id.in_(numbers)))
    session.execute(delete(AgentRow).where(AgentRow.id.in_(numbers)))


def bring_parts_back(session: Session) -> bool:
    """Take back the next part that was put away, since nothing is erased there; return whether there was one."""
    if session.get_bind().dialect.name == "sqlite":
        return False
    away = [part.number for part in archive.list_parts(session) if part.is_archived]
    if away:
        archive.bring_back(session, away[0])
    return bool(away)


def is_erased(session: Session, statement_id: UUID) -> bool:
    """Say whether a statement was here and was erased."""
    place = session.scalar(select(StatementId.position).where(StatementId.id == statement_id))
    return place is not None and place < ERASED


def _needed_by_others(session: Session, sha2s: Collection[str], agents: Agents) -> set[str]:
    needed: set[str] = set()
    connection = session.connection()
    position = 0
    # Not the feed, which ends before what may be written at this moment.
    while rows := session.execute(_all_after(position)).all():
        position = rows[-1].position
        for row in rows:
            raw = unpack(connection, row.raw)
            if b'"sha2"' not in raw:
                continue
            statement = orjson.loads(raw)
            if mentions_of(statement).agents.keys().isdisjoint(agents):
                needed |= {one["sha2"].lower() for one in attachments_of(statement)} & set(sha2s)
    return needed


def _all_after(position: int) -> Select[int, bytes]:
    query = select(StatementRow.position, StatementRow.raw).where(StatementRow.position > position)
    return query.order_by(StatementRow.position).limit(_READ_AT_ONCE)


def _erase_attachments(session: Session, sha2s: Iterable[str]) -> list[str]:
    gone = list(sha2s)
    files = session.scalars(
        select(AttachmentRow.file).where(AttachmentRow.sha2.in_(gone), AttachmentRow.file.is_not(None))
    )
    named = {file for file in files if file is not None}
    session.execute(delete(AttachmentAuthority).where(AttachmentAuthority.sha2.in_(gone)))
    session.execute(delete(AttachmentRow).where(AttachmentRow.sha2.in_(gone)))
    kept = set(session.scalars(select(AttachmentRow.file).where(AttachmentRow.file.in_(named))))
    return sorted(named - kept)
