"""Read statements back (xAPI 1.0.3 Communication §2.1.3; xAPI 2.0 §4.1.6.1).

Every query is a walk along one index that ends with the position, from where the last page stopped, and
looks each candidate up in the indexes of the other filters. No page therefore depends on how many
statements are stored.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, and_, bindparam, exists, false, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from xapi_store.model.actor import agent_of_key
from xapi_store.tables import (
    ActivityLink,
    ActivityRow,
    AgentLink,
    AgentName,
    AgentRow,
    RegistrationLink,
    StatementRow,
    VerbLink,
    VerbRow,
    chunks,
    digest,
    find_numbers,
    settled,
)

#: On PostgreSQL, `stored` can run behind a lower position by as long as a transaction stays open.
_SLACK = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class StatementFilter:
    """What a reader asks for; `None` means that the filter is absent.

    `agent` and `authority` are keys (`model.actor.actor_key`). `after` and `before` are positions, not
    included.
    """

    agent: str | None = None
    related_agents: bool = False
    verb: str | None = None
    activity: str | None = None
    related_activities: bool = False
    registration: UUID | None = None
    authority: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    ascending: bool = False
    after: int | None = None
    before: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredStatement:
    """One statement as kept: `raw` is its JSON without `stored`."""

    position: int
    id: UUID
    stored: datetime
    raw: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class StatementPage:
    """Some statements, and whether there are more; the next page starts beside the last position."""

    statements: Sequence[StoredStatement]
    has_more: bool


def find_statements(session: Session, wanted: StatementFilter, *, limit: int) -> StatementPage:
    """Return statements that match every filter, newest first unless `ascending`.

    Voided statements are left out (1.0.3 Data §2.3.2). A statement that refers to another is found where
    the other would be; `since` and `until` look at its own `stored`.

    Args:
        session: a reading or writing transaction.
        wanted: what to look for.
        limit: the most statements in the page, at least 1.
    """
    positions = _find_positions(session, wanted, limit + 1)
    rows = {
        row.position: row
        for chunk in chunks(positions[:limit])
        for row in session.execute(
            select(StatementRow.position, StatementRow.id, StatementRow.stored, StatementRow.raw).where(
                StatementRow.position.in_(chunk)
            )
        )
    }
    return StatementPage(
        statements=[
            StoredStatement(position=row.position, id=row.id, stored=row.stored, raw=row.raw)
            for row in (rows[position] for position in positions[:limit])
        ],
        has_more=len(positions) > limit,
    )


def find_statement(
    session: Session, statement_id: UUID, *, voided: bool = False, authority: str | None = None
) -> StoredStatement | None:
    """Return one statement by its id: one that is not voided, or one that is.

    Args:
        session: a reading or writing transaction.
        statement_id: whose.
        voided: whether to look among the voided ones (`voidedStatementId`).
        authority: the key of the only authority whose statements the reader may see.
    """
    row = session.connection().execute(_ONE, {"id": statement_id, "voided": voided}).one_or_none()
    if row is None:
        return None
    if authority is not None and row.authority_id != session.scalar(select(_number_of_agent(authority))):
        return None
    return StoredStatement(position=row.position, id=row.id, stored=row.stored, raw=row.raw)


# Made once, and of columns alone: building the query cost more than finding the row.
_ONE = select(
    StatementRow.position, StatementRow.id, StatementRow.stored, StatementRow.raw, StatementRow.authority_id
).where(StatementRow.id == bindparam("id"), StatementRow.voided == bindparam("voided"))


def newest_stored(session: Session) -> datetime | None:
    """Return the `stored` of the newest statement."""
    return session.scalar(select(StatementRow.stored).order_by(StatementRow.position.desc()).limit(1))


def definitions(session: Session, iris: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the canonical definitions of those activities that have one."""
    return {
        row.value: orjson.loads(row.definition)
        for chunk in chunks([digest(iri) for iri in iris])
        for row in session.execute(
            select(ActivityRow.value, ActivityRow.definition).where(
                ActivityRow.digest.in_(chunk), ActivityRow.definition.is_not(None)
            )
        )
    }


def find_activity(session: Session, iri: str) -> dict[str, Any]:
    """Return an Activity object with all that is known of it (1.0.3 Communication §2.5)."""
    definition = definitions(session, [iri]).get(iri)
    activity: dict[str, Any] = {"objectType": "Activity", "id": iri}
    return activity if definition is None else activity | {"definition": definition}


def find_person(session: Session, agent: str) -> dict[str, Any]:
    """Return the Person object of an agent's key (1.0.3 Communication §2.4): one id, every name seen."""
    names = session.scalars(
        select(AgentName.name).where(AgentName.agent_id == _number_of_agent(agent)).order_by(AgentName.name)
    ).all()
    identifier = {name: [value] for name, value in agent_of_key(agent).items() if name != "objectType"}
    return {"objectType": "Person", **({"name": list(names)} if names else {}), **identifier}


def _number_of_agent(key: str) -> Any:
    return select(AgentRow.id).where(AgentRow.digest == digest(key)).scalar_subquery()


@dataclass(frozen=True, slots=True)
class _Index:
    """One filter: the ranges of its index to walk along, and the condition to look a candidate up."""

    position: InstrumentedAttribute[int]
    ranges: tuple[ColumnElement[bool], ...]
    lookup: ColumnElement[bool]


def _find_positions(session: Session, wanted: StatementFilter, count: int) -> list[int]:
    indexes = _indexes(session, wanted)
    if indexes is None:
        return []
    everything = _Index(StatementRow.position, (true(),), true())
    walked, *others = indexes or [everything]
    conditions = [
        *_common_conditions(session, wanted),
        *(exists().where(other.lookup, other.position == walked.position) for other in others),
    ]
    # Direct and related mentions are two ranges: the page is merged from the head of each.
    found: set[int] = set()
    for walked_range in walked.ranges:
        query = select(walked.position).where(walked_range, *conditions).distinct()
        if walked.position is not StatementRow.position:
            query = query.join(StatementRow, StatementRow.position == walked.position)
        order = walked.position.asc() if wanted.ascending else walked.position.desc()
        query = query.where(*_bounds(session, walked.position, wanted))
        found.update(session.scalars(query.order_by(order).limit(count)))
    return sorted(found, reverse=not wanted.ascending)[:count]


def _indexes(session: Session, wanted: StatementFilter) -> list[_Index] | None:
    """Return the indexes of the filters, the narrowest first; `None` if one names what nobody mentioned."""
    verb_id = None
    if wanted.verb is not None:
        verb_id = find_numbers(session, VerbRow, [wanted.verb]).get(wanted.verb)
        if verb_id is None:
            return None
    found: list[_Index] = []
    if wanted.registration is not None:
        condition = RegistrationLink.registration == wanted.registration
        found.append(_Index(RegistrationLink.position, (condition,), condition))
    for key, dictionary, link, number, related in (
        (wanted.agent, AgentRow, AgentLink, AgentLink.agent_id, wanted.related_agents),
        (wanted.authority, AgentRow, AgentLink, AgentLink.agent_id, True),
        (wanted.activity, ActivityRow, ActivityLink, ActivityLink.activity_id, wanted.related_activities),
    ):
        if key is None:
            continue
        known = find_numbers(session, dictionary, [key]).get(key)
        if known is None:
            return None
        found.append(_mentions(link, number == known, verb_id, related=related))
    if verb_id is not None and (not found or found[0].position is RegistrationLink.position):
        condition = VerbLink.verb_id == verb_id
        found.append(_Index(VerbLink.position, (condition,), condition))
    return found


def _mentions(
    link: type[AgentLink] | type[ActivityLink],
    mentioned: ColumnElement[bool],
    verb_id: int | None,
    *,
    related: bool,
) -> _Index:
    if verb_id is not None:
        mentioned = and_(mentioned, link.verb_id == verb_id)
    circles = (False, True) if related else (False,)
    return _Index(
        link.position,
        tuple(and_(mentioned, link.related == circle) for circle in circles),
        and_(mentioned, link.related.in_(circles)),
    )


def _common_conditions(session: Session, wanted: StatementFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [StatementRow.voided == false()]
    if wanted.authority is not None:
        conditions.append(StatementRow.authority_id == _number_of_agent(wanted.authority))
    if wanted.since is not None:
        conditions.append(StatementRow.stored > wanted.since)
    if wanted.until is not None:
        conditions.append(StatementRow.stored <= wanted.until)
    if wanted.ascending:  # or the next page could start behind a statement that was not visible yet
        conditions.append(settled(session, StatementRow))
    return conditions


def _bounds(
    session: Session, position: InstrumentedAttribute[int], wanted: StatementFilter
) -> Iterable[ColumnElement[bool]]:
    """Yield the positions between which the walk has to go.

    `stored` rises with the position (`ingest.writing.stored_instant`), so a time becomes a place in the
    index.
    """
    if wanted.after is not None:
        yield position > wanted.after
    if wanted.before is not None:
        yield position < wanted.before
    by_time = select(StatementRow.position).limit(1)
    if wanted.since is not None:
        first = by_time.where(StatementRow.stored > _slack(session, wanted.since, -1))
        lowest = session.scalar(first.order_by(StatementRow.stored, StatementRow.position))
        yield position >= lowest if lowest is not None else false()
    if wanted.until is not None:
        last = by_time.where(StatementRow.stored <= _slack(session, wanted.until, 1))
        highest = session.scalar(last.order_by(StatementRow.stored.desc(), StatementRow.position.desc()))
        yield position <= highest if highest is not None else false()


def _slack(session: Session, instant: datetime, sign: int) -> datetime:
    if session.get_bind().dialect.name == "sqlite":
        return instant
    try:
        return instant + sign * _SLACK
    except OverflowError:  # the first or last hour that a datetime can name
        return instant
