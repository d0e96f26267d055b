"""Write accepted statements: rows, links, what a StatementRef inherits, and what is voided.

A statement whose object is a StatementRef is found by what its target mentions, and so on along the chain
(xAPI 1.0.3 Communication §2.1.3). The links of the target are therefore repeated at the position of every
statement that refers to it, whichever of them arrived first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, bindparam, delete, literal_column, select, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from xapi_store.model.activity import merge_definitions
from xapi_store.model.actor import actor_key
from xapi_store.model.mentions import Mentions, mentions_of
from xapi_store.model.statement import VOIDED
from xapi_store.packing import pack, unpack
from xapi_store.query import newest_stored
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
    Values,
    VerbLink,
    VerbRow,
    digest,
    insert_all,
    insert_or_ignore,
    next_positions,
    numbers,
    transaction_number,
)

#: How many StatementRefs in a row are followed. A longer chain is stored, and found by its nearer end.
MAX_CHAIN = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One statement ready to be written; `raw` is its JSON without `stored`.

    `define` says whether it may tell activities and agents anew.
    """

    id: UUID
    statement: dict[str, Any]
    raw: bytes
    define: bool = True

    @property
    def refers_to(self) -> UUID | None:
        """The target of a StatementRef as object."""
        thing = self.statement["object"]
        return UUID(thing["id"]) if thing.get("objectType") == "StatementRef" else None

    @property
    def voiding(self) -> bool:
        """Whether it voids its target."""
        return bool(self.statement["verb"]["id"] == VOIDED)


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The dictionaries, as far as one batch needs them."""

    agents: dict[str, int]
    activities: dict[str, int]
    verbs: dict[str, int]


_SAME_PLACE = StatementRow.position == StatementId.position


def find_stored(connection: Connection, ids: Sequence[UUID]) -> Sequence[Values]:
    """Return `id`, `position` and `raw` of those statements that are here; `raw` is `None` of those archived."""
    return [
        (statement_id, position, raw and unpack(connection, raw))
        for statement_id, position, raw in _STORED.rows(connection, ids)
    ]


_STORED = PreparedForList(
    select(StatementId.id, StatementId.position, StatementRow.raw).outerjoin(StatementRow, _SAME_PLACE),
    StatementId.id,
)


def stored_instant(session: Session, now: datetime) -> datetime:
    """Return the `stored` for statements taken in now.

    It never runs backwards, even if the clock does: who polls with `since` the last `stored` seen would miss
    everything a clock set back dates before it, and pages by time could not be ranges of positions.
    """
    newest = newest_stored(session)
    return now if newest is None else max(now, newest)


def write(
    connection: Connection, entries: Sequence[Entry], *, stored: datetime, copied: bool
) -> dict[UUID, int]:
    """Write statements whose ids are not taken; return their positions."""
    if not entries:
        return {}
    mentioned = [mentions_of(entry.statement) for entry in entries]
    known = _numbers(connection, mentioned)
    telling = [mentions for entry, mentions in zip(entries, mentioned, strict=True) if entry.define]
    _tell_names(connection, telling, known)
    _tell_definitions(connection, telling)
    positions = next_positions(connection, StatementRow, len(entries))
    transaction = transaction_number(connection)
    ids = [
        (entry.id, position, entry.refers_to, entry.voiding)
        for position, entry in zip(positions, entries, strict=True)
    ]
    _take_ids(connection, ids)
    kept = pack(connection, [entry.raw for entry in entries])
    rows = [
        (
            position,
            entry.id,
            stored,
            known.agents.get(actor_key(entry.statement.get("authority", {})) or ""),
            False,
            copied,
            transaction,
            raw,
        )
        for position, entry, raw in zip(positions, entries, kept, strict=True)
    ]
    _ADDED.change(connection, rows)
    links = _Links()
    for position, mentions in zip(positions, mentioned, strict=True):
        links.add(position, mentions, known)
    links.insert(connection)
    _follow_references(connection, entries)
    return {entry.id: position for entry, position in zip(entries, positions, strict=True)}


def _take_ids(connection: Connection, ids: list[Values]) -> None:
    """Take the ids of new statements.

    Two writers that bring the same statements bring them in the same order, and cannot deadlock. On PostgreSQL a
    statement that refers to another takes that one's id too, until the ids are in: so whoever is writing the other
    one at this moment is waited for, or waits, and one of the two sees what the other has written.

    Raises:
        IntegrityError: another writer has taken one of them meanwhile.
    """
    own = {row[0] for row in ids}
    targets = {row[2] for row in ids if row[2] is not None} - own
    if connection.dialect.name == "sqlite" or not targets:
        _IDS.change(connection, sorted(ids, key=lambda row: row[0].bytes))
        return
    held = [(target, _NOWHERE, None, False) for target in targets]
    _IDS_OR_HELD.change(connection, sorted([*ids, *held], key=lambda row: row[0].bytes))
    _RELEASED.change(connection, [(target,) for target in sorted(targets)])
    taken = {(statement_id, position) for statement_id, position, _ in _PLACES.rows(connection, list(own))}
    if taken != {(row[0], row[1]) for row in ids}:
        raise IntegrityError("take ids", None, ValueError("an id was taken by another writer meanwhile"))


_NOWHERE = 0  # the position of an id that is only held
_IDS = insert_all(StatementId, columns=("id", "position", "refers_to", "voiding"))
_IDS_OR_HELD = insert_or_ignore(StatementId, columns=("id", "position", "refers_to", "voiding"))
_RELEASED = Prepared(
    delete(StatementId).where(
        StatementId.id == bindparam("held"), StatementId.position == literal_column(str(_NOWHERE))
    )
)
_ADDED = insert_all(
    StatementRow,
    columns=("position", "id", "stored", "authority_id", "voided", "copied", "transaction", "raw"),
)


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

    def insert(self, connection: Connection) -> None:
        _AGENT_LINKS.change(connection, self.agents)
        _ACTIVITY_LINKS.change(connection, self.activities)
        _VERB_LINKS.change(connection, self.verbs)
        _REGISTRATION_LINKS.change(connection, self.registrations)


_MENTION = ("related", "position", "verb_id")
# A statement that refers to another repeats its links, some of which it may have of itself.
_AGENT_LINKS = insert_or_ignore(AgentLink, columns=("agent_id", *_MENTION))
_ACTIVITY_LINKS = insert_or_ignore(ActivityLink, columns=("activity_id", *_MENTION))
_VERB_LINKS = insert_or_ignore(VerbLink, columns=("verb_id", "position"))
_REGISTRATION_LINKS = insert_or_ignore(RegistrationLink, columns=("registration", "position"))


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
    changed = []
    for number, key, before in sorted(_DEFINITIONS.rows(connection, list(by_digest))):
        definition = by_digest[key]
        after = orjson.dumps(merge_definitions(orjson.loads(before), definition) if before else definition)
        if after != before:
            changed.append((after, number))
    _REDEFINED.change(connection, changed)


_DEFINITIONS = PreparedForList(
    select(ActivityRow.id, ActivityRow.digest, ActivityRow.definition), ActivityRow.digest
)
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


def _inherit(connection: Connection, referring: Iterable[UUID]) -> None:
    links = _Links()
    for statement_id in sorted(referring):
        below = list(_chain(connection, statement_id))
        if len(below) > 1:
            mentioned = [mentions_of(statement) for _, statement in below[1:]]
            known = _numbers(connection, mentioned)
            for mentions in mentioned:
                links.add(below[0][0], mentions, known)
    links.insert(connection)


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
    .join(StatementRow, _SAME_PLACE)
    .where(StatementId.id == bindparam("id"))
)
