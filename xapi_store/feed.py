"""What was stored, in the order in which it became visible, from a position on.

A reader keeps the last position it has seen and asks for what follows. A statement is in the feed once; a
document is in it once, at its latest change, deletions included.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, bindparam, exists, false, func, select
from sqlalchemy.orm import Session

from xapi_store.model.document import DocumentKey
from xapi_store.packing import unpack
from xapi_store.tables import (
    ActivityLink,
    ActivityRow,
    AgentLink,
    AgentRow,
    DocumentRow,
    Prepared,
    PreparedForList,
    RegistrationLink,
    StatementRow,
    Values,
    VerbLink,
    VerbRow,
    digest,
    find_numbers,
    settled_to,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class StatementEntry:
    """A statement in the feed.

    `raw` is the same on every node, `stored` is when it came to this one, `copied` says that it was made elsewhere.
    """

    position: int
    statement_id: UUID
    stored: datetime
    raw: bytes
    copied: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedFilter:
    """Which statements a reader of the feed wants; what is left out asks for nothing.

    Activity and agent (`model.actor.actor_key`) are found wherever a statement has them. A statement that
    refers to another, such as one that voids it, is wanted where the other is.
    """

    verbs: Collection[str] = ()
    activity: str | None = None
    agent: str | None = None
    registration: UUID | None = None
    since: datetime | None = None
    made_here: bool = False
    voided: bool = True  # take those, too, that have been voided since


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentEntry:
    """A document in the feed; `content` is `None` where it was deleted."""

    position: int
    key: DocumentKey
    content: bytes | None
    content_type: str
    updated: datetime
    copied: bool


def statements_after(session: Session, position: int, *, limit: int) -> Sequence[StatementEntry]:
    """Return the next statements behind a position (0 for the beginning), oldest first."""
    return _read_on(session, _STATEMENTS, position, limit)


def statements_made_here_after(
    session: Session, position: int, *, limit: int
) -> tuple[Sequence[StatementEntry], int]:
    """Return the next statements behind a position that were made on this node, and the position to go on from."""
    newest = newest_position(session)  # first: what comes in between is told the next time
    entries = _read_on(session, _MADE_HERE, position, limit)
    return entries, _reached(entries, newest, position, limit)


def with_attachments_after(
    session: Session, position: int, *, limit: int
) -> tuple[Sequence[tuple[int, bytes]], int]:
    """Return those of the next statements made here that name attachments, and the position to go on from.

    At most *limit* statements are looked at; each is told with its position and its bytes.
    """
    entries, reached = statements_made_here_after(session, position, limit=limit)
    return [(one.position, one.raw) for one in entries if b'"sha2"' in one.raw], reached


def _reached(
    entries: Sequence[StatementEntry] | Sequence[DocumentEntry], newest: int, position: int, limit: int
) -> int:
    """Return how far a feed was read, in which there may be long stretches of what was made elsewhere."""
    last = entries[-1].position if entries else position
    return last if len(entries) == limit else max(last, newest)


def _read_on(session: Session, query: Prepared, position: int, limit: int) -> Sequence[StatementEntry]:
    connection = session.connection()
    last = settled_to(connection, StatementRow)
    rows = query.rows(connection, position=position, last=last, limit=limit)
    return [_statement_entry(connection, row) for row in rows]


def _statement_entry(connection: Connection, row: Values) -> StatementEntry:
    position, statement_id, stored, raw, copied = row
    return StatementEntry(
        position=position,
        statement_id=statement_id,
        stored=stored,
        raw=unpack(connection, raw),
        copied=copied,
    )


_ENTRY = select(
    StatementRow.position, StatementRow.id, StatementRow.stored, StatementRow.raw, StatementRow.copied
)
_NEXT = (
    _ENTRY.where(StatementRow.position > bindparam("position"), StatementRow.position <= bindparam("last"))
    .order_by(StatementRow.position)
    .limit(bindparam("limit"))
)
_STATEMENTS = Prepared(_NEXT)
_MADE_HERE = Prepared(_NEXT.where(~StatementRow.copied))


def wanted_among(session: Session, positions: Sequence[int], wanted: FeedFilter) -> dict[int, datetime]:
    """Return which statements of a stretch of the feed a reader wants, and when each was stored here."""
    conditions = _conditions(session, wanted)
    if conditions is None:
        return {}
    query = select(StatementRow.position, StatementRow.stored).where(
        StatementRow.position.in_(positions), *conditions
    )
    return {row.position: row.stored for row in session.execute(query)}


def newest_position(session: Session) -> int:
    """Return the position of the newest statement in the feed, 0 while there is none."""
    connection = session.connection()
    newest = _NEWEST.first(connection, last=settled_to(connection, StatementRow))
    return 0 if newest is None else int(newest[0])


_NEWEST = Prepared(
    select(StatementRow.position)
    .where(StatementRow.position <= bindparam("last"))
    .order_by(StatementRow.position.desc())
    .limit(1)
)


def unsettled_since(session: Session) -> datetime | None:
    """Return when the first statement was stored that can be seen and not be read in order yet; PostgreSQL only."""
    if session.get_bind().dialect.name == "sqlite":
        return None
    connection = session.connection()
    ((stored,),) = _UNSETTLED.rows(connection, last=settled_to(connection, StatementRow))
    first: datetime | None = stored
    return first


_UNSETTLED = Prepared(select(func.min(StatementRow.stored)).where(StatementRow.position > bindparam("last")))


def documents_after(session: Session, position: int, *, limit: int) -> Sequence[DocumentEntry]:
    """Return the next documents whose latest change is behind a position, oldest change first."""
    return _documents(session, position, limit, _documents_settled(session))


def documents_made_here_after(
    session: Session, position: int, *, limit: int
) -> tuple[Sequence[DocumentEntry], int]:
    """Return the next documents whose latest change was made on this node, and the position to go on from."""
    newest = newest_document(session)  # first, as above
    entries = _documents(session, position, limit, _documents_settled(session), ~DocumentRow.copied)
    return entries, _reached(entries, newest, position, limit)


def _documents_settled(session: Session) -> ColumnElement[bool]:
    return DocumentRow.position <= settled_to(session.connection(), DocumentRow)


def _documents(
    session: Session, position: int, limit: int, *conditions: ColumnElement[bool]
) -> Sequence[DocumentEntry]:
    query = _whole_documents().where(DocumentRow.position > position, *conditions)
    return [
        _document_entry(row) for row in session.scalars(query.order_by(DocumentRow.position).limit(limit))
    ]


def newest_document(session: Session) -> int:
    """Return the position of the newest document in the feed, 0 while there is none."""
    last = settled_to(session.connection(), DocumentRow)
    return session.scalar(select(func.max(DocumentRow.position)).where(DocumentRow.position <= last)) or 0


def statements_at(session: Session, positions: Collection[int]) -> Mapping[int, StatementEntry]:
    """Return the statements at these positions, as far as they are here."""
    connection = session.connection()
    rows = _STATEMENTS_AT.rows(connection, list(positions))
    return {row[0]: _statement_entry(connection, row) for row in rows}


_STATEMENTS_AT = PreparedForList(_ENTRY, StatementRow.position)


def statements_of(session: Session, agent: str, position: int, *, limit: int) -> Sequence[StatementEntry]:
    """Return the next statements behind a position whose actor is this agent (`model.actor.actor_key`)."""
    numbers = find_numbers(session.connection(), AgentRow, [agent])
    if agent not in numbers:
        return []
    link = AgentLink
    positions = session.scalars(
        select(link.position)
        .distinct()
        .where(link.agent_id == numbers[agent], link.related.is_(False), link.position > position)
        .order_by(link.position)
        .limit(limit)
    )
    found = statements_at(session, list(positions))
    return [found[place] for place in sorted(found)]


def documents_at(session: Session, positions: Collection[int]) -> Mapping[int, DocumentEntry]:
    """Return the documents whose latest change has one of these positions."""
    rows = session.scalars(_whole_documents().where(DocumentRow.position.in_(positions)))
    return {row.position: _document_entry(row) for row in rows}


def documents_of(session: Session, agent: str, position: int, *, limit: int) -> Sequence[DocumentEntry]:
    """Return the next documents of an agent whose latest change is behind a position, oldest change first."""
    whose = (DocumentRow.agent_digest == digest(agent), DocumentRow.agent == agent)
    return _documents(session, position, limit, *whose)


def _whole_documents() -> Select[DocumentRow]:
    return select(DocumentRow).execution_options(populate_existing=True)


def _document_entry(row: DocumentRow) -> DocumentEntry:
    return DocumentEntry(
        position=row.position,
        key=row.key,
        content=row.content,
        content_type=row.content_type,
        updated=row.updated,
        copied=row.copied,
    )


def statements_made_here(session: Session, position: int) -> int:
    """Count the statements behind a position that were made on this node."""
    ((count,),) = _STATEMENTS_MADE_HERE.rows(session.connection(), position=position)
    return int(count)


def documents_made_here(session: Session, position: int) -> int:
    """Count the documents whose latest change is behind a position and was made on this node."""
    ((count,),) = _DOCUMENTS_MADE_HERE.rows(session.connection(), position=position)
    return int(count)


def _conditions(session: Session, wanted: FeedFilter) -> list[ColumnElement[bool]] | None:
    """Return what the rows have to fulfil; `None` if the filter names what no statement mentions."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.made_here:
        conditions.append(StatementRow.copied == false())
    if not wanted.voided:
        conditions.append(StatementRow.voided == false())
    if wanted.since is not None:
        conditions.append(StatementRow.stored > wanted.since)
    if wanted.registration is not None:
        conditions.append(_linked(RegistrationLink, RegistrationLink.registration == wanted.registration))
    for values, dictionary, link, number in (
        (wanted.verbs, VerbRow, VerbLink, VerbLink.verb_id),
        (_one(wanted.activity), ActivityRow, ActivityLink, ActivityLink.activity_id),
        (_one(wanted.agent), AgentRow, AgentLink, AgentLink.agent_id),
    ):
        if not values:
            continue
        known = find_numbers(session.connection(), dictionary, values).values()
        if not known:
            return None
        conditions.append(_linked(link, number.in_(known)))
    return conditions


def _one(value: str | None) -> Collection[str]:
    return () if value is None else (value,)


def _linked(link: Any, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    # Both circles are named, or the index of a link could not be used as far as the position.
    circles = () if link in (VerbLink, RegistrationLink) else (link.related.in_((False, True)),)
    return exists().where(link.position == StatementRow.position, condition, *circles)


# Every page of the LMS asks.
_STATEMENTS_MADE_HERE = Prepared(
    select(func.count()).where(StatementRow.position > bindparam("position"), ~StatementRow.copied)
)
_DOCUMENTS_MADE_HERE = Prepared(
    select(func.count()).where(DocumentRow.position > bindparam("position"), ~DocumentRow.copied)
)
