"""Read statements back (xAPI 1.0.3 Communication §2.1.3; xAPI 2.0 §4.1.6.1).

Every query is a walk along one index that ends with the position, from where the last page stopped, and
looks each candidate up in the indexes of the other filters. No page therefore depends on how many
statements are stored.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Connection, bindparam, false, or_, select
from sqlalchemy.orm import Session, aliased

from xapi_store.model.actor import agent_of_key
from xapi_store.packing import unpack
from xapi_store.tables import (
    ActivityLink,
    ActivityRow,
    AgentLink,
    AgentName,
    AgentRow,
    Prepared,
    PreparedForList,
    RegistrationLink,
    StatementId,
    StatementRow,
    VerbLink,
    VerbRow,
    digest,
    find_numbers,
    settled_to,
)

#: On PostgreSQL, `stored` can run behind a lower position by as long as a transaction stays open.
_SLACK = timedelta(hours=1)

#: A statement may have megabytes, and a page hundreds of statements.
MAX_PAGE_BYTES = 8 * 1024 * 1024
_AT_ONCE = 16  # read together, before it is known how large they are


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
        limit: the most statements in the page, at least 1. A page that would be larger than `MAX_PAGE_BYTES` ends
            before that, with more to come.
    """
    connection = session.connection()
    positions = _find_positions(connection, wanted, limit + 1)
    statements: list[StoredStatement] = []
    size = 0
    for start in range(0, min(limit, len(positions)), _AT_ONCE):
        part = positions[start : min(start + _AT_ONCE, limit)]
        found = {row[0]: row for row in _AT_POSITIONS.rows(connection, part)}
        for position in part:
            one = _stored_statement(connection, *found[position])
            size += len(one.raw)
            if statements and size > MAX_PAGE_BYTES:
                return StatementPage(statements=statements, has_more=True)
            statements.append(one)
    return StatementPage(statements=statements, has_more=len(positions) > limit)


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
    connection = session.connection()
    row = _ONE.first(connection, id=statement_id, voided=voided)
    if row is None:
        return None
    position, stored, raw, authority_id = row
    if authority is not None and authority_id != _number(connection, AgentRow, authority):
        return None
    return _stored_statement(connection, position, statement_id, stored, raw)


_COLUMNS = (StatementRow.position, StatementRow.id, StatementRow.stored, StatementRow.raw)
_ONE = Prepared(
    select(StatementRow.position, StatementRow.stored, StatementRow.raw, StatementRow.authority_id)
    .join(StatementId, StatementId.position == StatementRow.position)
    .where(StatementId.id == bindparam("id"), StatementRow.voided == bindparam("voided"))
)
_AT_POSITIONS = PreparedForList(select(*_COLUMNS), StatementRow.position)


def _stored_statement(
    connection: Connection, position: int, statement_id: UUID, stored: datetime, raw: bytes
) -> StoredStatement:
    return StoredStatement(position=position, id=statement_id, stored=stored, raw=unpack(connection, raw))


def newest_stored(session: Session) -> datetime | None:
    """Return the `stored` of the newest statement."""
    row = _NEWEST.first(session.connection())
    return None if row is None else row[0]


_NEWEST = Prepared(select(StatementRow.stored).order_by(StatementRow.position.desc()).limit(1))


def definitions(session: Session, iris: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the canonical definitions of those activities that have one."""
    return {
        iri: orjson.loads(definition)
        for iri, definition in _DEFINITIONS.rows(session.connection(), [digest(iri) for iri in iris])
    }


_DEFINITIONS = PreparedForList(
    select(ActivityRow.value, ActivityRow.definition).where(ActivityRow.definition.is_not(None)),
    ActivityRow.digest,
)


def find_activity(session: Session, iri: str) -> dict[str, Any]:
    """Return an Activity object with all that is known of it (1.0.3 Communication §2.5)."""
    definition = definitions(session, [iri]).get(iri)
    activity: dict[str, Any] = {"objectType": "Activity", "id": iri}
    return activity if definition is None else activity | {"definition": definition}


def find_person(session: Session, agent: str) -> dict[str, Any]:
    """Return the Person object of an agent's key (1.0.3 Communication §2.4): one id, every name seen."""
    names = [name for (name,) in _NAMES.rows(session.connection(), digest=digest(agent))]
    identifier = {name: [value] for name, value in agent_of_key(agent).items() if name != "objectType"}
    return {"objectType": "Person", **({"name": names} if names else {}), **identifier}


_NAMES = Prepared(
    select(AgentName.name)
    .join(AgentRow, AgentRow.id == AgentName.agent_id)
    .where(AgentRow.digest == bindparam("digest"))
    .order_by(AgentName.name)
)


# ---------------------------------------------------------------- pages


@dataclass(frozen=True, kw_only=True, slots=True)
class _Walk:
    """The form of one query, whatever its values: which index it walks along, and what it looks up on the way.

    `index` and `others` are keys of `_INDEXES`; without an index the walk goes along the statements themselves.
    """

    index: str | None
    others: tuple[str, ...]
    with_verb: bool  # links of agents and activities are also keyed by verb
    related: bool  # whether it goes through the outer circle of mentions, or the inner
    circles: tuple[tuple[str, bool], ...]  # of the others: whether the outer circle counts
    conditions: frozenset[str]
    ascending: bool


#: Which links answer a filter; the narrowest come first, and that one is walked.
_INDEXES: dict[str, tuple[Any, str]] = {
    "registration": (RegistrationLink, "registration"),
    "agent": (AgentLink, "agent_id"),
    "activity": (ActivityLink, "activity_id"),
    "verb": (VerbLink, "verb_id"),
    "authority": (AgentLink, "agent_id"),
}
_IN_CIRCLES = ("agent", "activity", "authority")


def _find_positions(connection: Connection, wanted: StatementFilter, count: int) -> list[int]:
    values = _values(connection, wanted)
    if values is None:
        return []
    names = [name for name in _INDEXES if name in values]
    with_verb = "verb" in names and not {"agent", "activity"}.isdisjoint(names)
    if with_verb:
        names.remove("verb")
    if len(names) > 1 and "authority" in names:
        names.remove("authority")  # the statements themselves say whose they are
    index, others = (names[0], names[1:]) if names else (None, [])
    outer = {"agent": wanted.related_agents, "activity": wanted.related_activities, "authority": True}
    conditions = frozenset(
        values.keys() & {"authority", "since", "until", "lowest", "highest", "after", "before"}
    )
    settled = {"settled": settled_to(connection, StatementRow)} if wanted.ascending else {}
    # Direct and related mentions are two ranges of the index: the page is merged from the head of each.
    found: set[int] = set()
    for related in (False, True) if outer.get(index or "") else (False,):
        walk = _walk(
            _Walk(
                index=index,
                others=tuple(others),
                with_verb=with_verb,
                related=related,
                circles=tuple((name, outer[name]) for name in others if name in _IN_CIRCLES),
                conditions=conditions,
                ascending=wanted.ascending,
            )
        )
        found.update(position for (position,) in walk.rows(connection, **values, **settled, count=count))
    return sorted(found, reverse=not wanted.ascending)[:count]


def _values(connection: Connection, wanted: StatementFilter) -> dict[str, Any] | None:
    """Return what the filters stand for in the tables; `None` if one names what nobody mentioned."""
    values: dict[str, Any] = {
        name: value
        for name, value in (
            ("registration", wanted.registration),
            ("after", wanted.after),
            ("before", wanted.before),
            ("since", wanted.since),
            ("until", wanted.until),
        )
        if value is not None
    }
    for name, dictionary, value in (
        ("agent", AgentRow, wanted.agent),
        ("activity", ActivityRow, wanted.activity),
        ("verb", VerbRow, wanted.verb),
        ("authority", AgentRow, wanted.authority),
    ):
        if value is not None:
            number = _number(connection, dictionary, value)
            if number is None:
                return None
            values[name] = number
    # `stored` rises with the position (`ingest.writing.stored_instant`): a time becomes a place in the index.
    for name, end, query, sign in (
        ("since", "lowest", _FIRST_AFTER, -1),
        ("until", "highest", _LAST_UNTIL, 1),
    ):
        if name in values:
            place = query.first(connection, instant=_slack(connection, values[name], sign))
            if place is None:
                return None
            (values[end],) = place
    return values


def _number(connection: Connection, dictionary: Any, value: str) -> int | None:
    return find_numbers(connection, dictionary, [value]).get(value)


_FIRST_AFTER = Prepared(
    select(StatementRow.position)
    .where(StatementRow.stored > bindparam("instant"))
    .order_by(StatementRow.stored, StatementRow.position)
    .limit(1)
)
_LAST_UNTIL = Prepared(
    select(StatementRow.position)
    .where(StatementRow.stored <= bindparam("instant"))
    .order_by(StatementRow.stored.desc(), StatementRow.position.desc())
    .limit(1)
)


def _slack(connection: Connection, instant: datetime, sign: int) -> datetime:
    if connection.dialect.name == "sqlite":
        return instant
    try:
        return instant + sign * _SLACK
    except OverflowError:  # the first or last hour that a datetime can name
        return instant


@lru_cache(maxsize=1024)
def _walk(form: _Walk) -> Prepared:
    """Return the query of a form; a few dozen forms occur."""
    query = select(StatementRow.position)
    position: Any = StatementRow.position
    if form.index is not None:
        links, key = _INDEXES[form.index]
        links = aliased(links)
        position = links.position
        query = select(position).distinct().join(StatementRow, StatementRow.position == position)
        query = query.where(getattr(links, key) == bindparam(form.index))
        if form.index in _IN_CIRCLES:
            query = query.where(links.related == form.related)
            if form.with_verb:
                query = query.where(links.verb_id == bindparam("verb"))
    for name in form.others:
        query = query.where(_looked_up(form, name, position))
    query = query.where(StatementRow.voided == false())
    bounds = {
        "authority": StatementRow.authority_id == bindparam("authority"),
        "since": StatementRow.stored > bindparam("since"),
        "until": StatementRow.stored <= bindparam("until"),
        "lowest": position >= bindparam("lowest"),
        "highest": position <= bindparam("highest"),
        "after": position > bindparam("after"),
        "before": position < bindparam("before"),
    }
    query = query.where(*(bounds[name] for name in sorted(form.conditions)))
    if form.ascending:  # or the next page could start behind a statement that was not visible yet
        query = query.where(position <= bindparam("settled"))
    order = position.asc() if form.ascending else position.desc()
    return Prepared(query.order_by(order).limit(bindparam("count")))


def _looked_up(form: _Walk, name: str, position: Any) -> ColumnElement[bool]:
    """Return the condition that a statement on the way is also in the index of another filter."""
    if name not in _IN_CIRCLES:
        return _in_index(name, position)
    circles = (False, True) if dict(form.circles)[name] else (False,)
    # One look into each circle: a list of both would not let the index be used to its end.
    return or_(*(_in_index(name, position, related=related, with_verb=form.with_verb) for related in circles))


def _in_index(
    name: str, position: Any, *, related: bool | None = None, with_verb: bool = False
) -> ColumnElement[bool]:
    links, key = _INDEXES[name]
    links = aliased(links)
    found = select(links.position).where(getattr(links, key) == bindparam(name), links.position == position)
    if related is not None:
        found = found.where(links.related == related)
    if with_verb:
        found = found.where(links.verb_id == bindparam("verb"))
    return found.exists()
