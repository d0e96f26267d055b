"""Write accepted statements: rows, links, what a StatementRef inherits, and what is voided.

A statement whose object is a StatementRef is found by what its target mentions, and so on along the chain
(xAPI 1.0.3 Communication §2.1.3). The links of the target are therefore repeated at the position of every
statement that refers to it, whichever of them arrived first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Connection, bindparam, select, true, update
from sqlalchemy.orm import Session

from xapi_store.ingest.ids import SAME_PLACE, Entry
from xapi_store.model.activity import merge_definitions
from xapi_store.model.actor import actor_key
from xapi_store.model.mentions import Mentions, mentions_of
from xapi_store.packing import pack, unpack
from xapi_store.query import newest_stored
from xapi_store.tables import (
    ActivityLink,
    ActivityRow,
    AgentLink,
    AgentName,
    AgentRow,
    Base,
    Inserted,
    Prepared,
    PreparedForList,
    RegistrationLink,
    StatementId,
    StatementRow,
    Values,
    VerbLink,
    VerbRow,
    digest,
    insert_all,
    insert_or_ignore,
    numbers,
    transaction_number,
)

#: How many StatementRefs in a row are followed. A longer chain is stored, and found by its nearer end.
MAX_CHAIN = 16


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The dictionaries, as far as one batch needs them."""

    agents: dict[str, int]
    activities: dict[str, int]
    verbs: dict[str, int]


def stored_instant(session: Session, now: datetime) -> datetime:
    """Return the `stored` for statements taken in now.

    It never runs backwards, even if the clock does: who polls with `since` the last `stored` seen would miss
    everything a clock set back dates before it, and pages by time could not be ranges of positions.
    """
    newest = newest_stored(session)
    return now if newest is None else max(now, newest)


def write(
    connection: Connection,
    entries: Sequence[Entry],
    positions: Mapping[UUID, int],
    *,
    stored: datetime,
    copied: bool,
) -> None:
    """Write statements at the positions that they have got with their ids (`take_ids`)."""
    if not entries:
        return
    mentioned = [mentions_of(entry.statement) for entry in entries]
    known = _numbers(connection, mentioned)
    telling = [mentions for entry, mentions in zip(entries, mentioned, strict=True) if entry.define]
    _tell_names(connection, telling, known)
    _tell_definitions(connection, telling)
    transaction = transaction_number(connection)
    kept = pack(connection, [entry.raw for entry in entries])
    rows = [
        (
            positions[entry.id],
            entry.id,
            stored,
            known.agents.get(actor_key(entry.statement.get("authority", {})) or ""),
            False,
            copied,
            transaction,
            raw,
        )
        for entry, raw in zip(entries, kept, strict=True)
    ]
    _ADDED.change(connection, rows)
    links = _Links()
    for entry, mentions in zip(entries, mentioned, strict=True):
        links.add(positions[entry.id], mentions, known)
    links.insert(connection, _NEW_LINKS)
    _follow_references(connection, entries)


_ADDED = insert_all(
    StatementRow,
    columns=("position", "id", "stored", "authority_id", "voided", "copied", "transaction", "raw"),
)


_MENTION = ("related", "position", "verb_id")
_LINKS: Sequence[tuple[type[Base], Sequence[str]]] = (
    (AgentLink, ("agent_id", *_MENTION)),
    (ActivityLink, ("activity_id", *_MENTION)),
    (VerbLink, ("verb_id", "position")),
    (RegistrationLink, ("registration", "position")),
)
_NEW_LINKS = [insert_all(row, columns=columns) for row, columns in _LINKS]
# A statement that refers to another repeats its links, some of which it may have of itself.
_REPEATED_LINKS = [insert_or_ignore(row, columns=columns) for row, columns in _LINKS]


class _Links:
    """Rows that say at which positions something is found."""

    def __init__(self) -> None:
        self.agents: list[Values] = []
        self.activities: list[Values] = []
        self.verbs: list[Values] = []
        self.registrations: list[Values] = []

    def add(self, position: int, mentions: Mentions, known: _Numbers) -> None:
        verb_id = known.verbs[mentions.verb_id]
        self.verbs.append((verb_id, position))
        self.agents += [
            (known.agents[key], not direct, position, verb_id) for key, direct in mentions.agents.items()
        ]
        self.activities += [
            (known.activities[iri], not direct, position, verb_id)
            for iri, direct in mentions.activities.items()
        ]
        if mentions.registration is not None:
            self.registrations.append((mentions.registration, position))

    def insert(self, connection: Connection, tables: Sequence[Inserted]) -> None:
        rows = (self.agents, self.activities, self.verbs, self.registrations)
        for table, some in zip(tables, rows, strict=True):
            table.change(connection, some)


def _numbers(connection: Connection, mentioned: Iterable[Mentions]) -> _Numbers:
    agents: set[str] = set()
    activities: set[str] = set()
    verbs: set[str] = set()
    for mentions in mentioned:
        agents.update(mentions.agents)
        activities.update(mentions.activities)
        verbs.add(mentions.verb_id)
    return _Numbers(
        agents=numbers(connection, AgentRow, agents),
        activities=numbers(connection, ActivityRow, activities),
        verbs=numbers(connection, VerbRow, verbs),
    )


def _tell_names(connection: Connection, mentioned: Iterable[Mentions], known: _Numbers) -> None:
    seen = {(key, name) for mentions in mentioned for key, name in mentions.names if "\0" not in name}
    _NAMES.change(connection, [(known.agents[key], digest(name), name) for key, name in sorted(seen)])


_NAMES = insert_or_ignore(AgentName, columns=("agent_id", "digest", "name"))


def _tell_definitions(connection: Connection, mentioned: Iterable[Mentions]) -> None:
    told: dict[str, dict[str, Any]] = {}
    for mentions in mentioned:
        for iri, definition in mentions.definitions.items():
            told[iri] = merge_definitions(told[iri], definition) if iri in told else definition
    by_digest = {digest(iri): definition for iri, definition in told.items()}
    changed = _redefined(_DEFINITIONS.rows(connection, list(by_digest)), by_digest)
    if changed and connection.dialect.name != "sqlite":
        # What another writer is telling of them at this moment is waited for, and merged with.
        changed = _redefined(_LOCKED_DEFINITIONS.rows(connection, [key for _, _, key in changed]), by_digest)
    _REDEFINED.change(connection, [(after, number) for after, number, _ in changed])


def _redefined(
    rows: Iterable[Values], told: Mapping[bytes, dict[str, Any]]
) -> list[tuple[bytes, int, bytes]]:
    """Return the new definition of each activity that gets one, with the activity's number and digest."""
    changed = []
    for number, key, before in sorted(rows):
        after = orjson.dumps(merge_definitions(orjson.loads(before), told[key]) if before else told[key])
        if after != before:
            changed.append((after, number, key))
    return changed


_DEFINED = select(ActivityRow.id, ActivityRow.digest, ActivityRow.definition)
_DEFINITIONS = PreparedForList(_DEFINED, ActivityRow.digest)
_LOCKED_DEFINITIONS = PreparedForList(_DEFINED.order_by(ActivityRow.id).with_for_update(), ActivityRow.digest)
_REDEFINED = Prepared(
    update(ActivityRow).where(ActivityRow.id == bindparam("row_id")).inline(),
    columns=("definition", "row_id"),
)


def _follow_references(connection: Connection, entries: Sequence[Entry]) -> None:
    new = [entry.id for entry in entries]
    referring = {entry.id for entry in entries if entry.refers_to is not None}
    voided = {entry.refers_to for entry in entries if entry.voiding and entry.refers_to is not None}
    frontier = new
    for depth in range(MAX_CHAIN):
        above = _REFERRERS.rows(connection, frontier)
        if depth == 0:
            voided |= {target for _, target, voiding in above if voiding}
        frontier = [statement_id for statement_id, _, _ in above if statement_id not in referring]
        referring.update(frontier)
        if not frontier:
            break
    _inherit(connection, referring)
    # A voiding statement cannot itself be voided (1.0.3 Data §2.3.2).
    places = sorted(_PLACES.rows(connection, sorted(voided)))
    _VOIDED.change(connection, [(position,) for _, position, voiding in places if not voiding])


_REFERRERS = PreparedForList(
    select(StatementId.id, StatementId.refers_to, StatementId.voiding), StatementId.refers_to
)
_PLACES = PreparedForList(select(StatementId.id, StatementId.position, StatementId.voiding), StatementId.id)
_VOIDED = Prepared(
    update(StatementRow).where(StatementRow.position == bindparam("place")).values(voided=true()).inline()
)


def places_in_links(
    connection: Connection, ids: Iterable[UUID]
) -> Iterable[tuple[type[Base], Sequence[ColumnElement[bool]]]]:
    """Yield where statements are found by what they mention, or inherit: tables, and conditions for their rows."""
    links = _Links()
    for statement_id in ids:
        chain = list(_chain(connection, statement_id))
        if chain:
            mentioned = [mentions_of(statement) for _, statement in chain]
            known = _numbers(connection, mentioned)
            for mentions in mentioned:
                links.add(chain[0][0], mentions, known)
    rows = (links.agents, links.activities, links.verbs, links.registrations)
    for (table, columns), some in zip(_LINKS, rows, strict=True):
        for row in some:
            yield (
                table,
                [getattr(table, name) == value for name, value in zip(columns, row, strict=True)],
            )


def _inherit(connection: Connection, referring: Iterable[UUID]) -> None:
    links = _Links()
    for statement_id in sorted(referring):
        below = list(_chain(connection, statement_id))
        if len(below) > 1:
            mentioned = [mentions_of(statement) for _, statement in below[1:]]
            known = _numbers(connection, mentioned)
            for mentions in mentioned:
                links.add(below[0][0], mentions, known)
    links.insert(connection, _REPEATED_LINKS)


def _chain(connection: Connection, statement_id: UUID | None) -> Iterable[tuple[int, dict[str, Any]]]:
    """Yield position and content of a statement, its target, the target's target, as far as they are here."""
    passed: set[UUID] = set()
    while statement_id is not None and statement_id not in passed and len(passed) <= MAX_CHAIN:
        passed.add(statement_id)
        row = _LINK_OF_CHAIN.first(connection, id=statement_id)
        if row is None:
            return
        position, raw, statement_id = row
        yield position, orjson.loads(unpack(connection, raw))


_LINK_OF_CHAIN = Prepared(
    select(StatementId.position, StatementRow.raw, StatementId.refers_to)
    .join(StatementRow, SAME_PLACE)
    .where(StatementId.id == bindparam("id"))
)
