"""Write accepted statements: rows, links, what a StatementRef inherits, and what is voided.

A statement whose object is a StatementRef is found by what its target mentions, and so on along the chain
(xAPI 1.0.3 Communication §2.1.3). The links of the target are therefore repeated at the position of every
statement that refers to it, whichever of them arrived first.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, Table, false, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from xapi_store.model.activity import merge_definitions
from xapi_store.model.actor import actor_key
from xapi_store.model.mentions import Mentions, mentions_of
from xapi_store.model.statement import VOIDED
from xapi_store.tables import (
    ActivityLink,
    ActivityRow,
    AgentLink,
    AgentName,
    AgentRow,
    Base,
    RegistrationLink,
    StatementRow,
    VerbLink,
    VerbRow,
    chunks,
    digest,
    next_positions,
    numbers,
    transaction_number,
)

#: How many StatementRefs in a row are followed. A longer chain is stored, and found by its nearer end.
MAX_CHAIN = 16

_Rows = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One statement ready to be written; `raw` is its JSON without `stored`."""

    id: UUID
    statement: dict[str, Any]
    raw: bytes

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


def find_stored(session: Session, ids: Iterable[UUID]) -> dict[UUID, Row[UUID, int, bytes]]:
    """Return `id`, `position` and `raw` of those statements that are here."""
    return {
        row.id: row
        for chunk in chunks(list(ids))
        for row in session.execute(
            select(StatementRow.id, StatementRow.position, StatementRow.raw).where(StatementRow.id.in_(chunk))
        )
    }


def stored_instant(session: Session, now: datetime) -> datetime:
    """Return the `stored` for statements taken in now.

    It never runs backwards, even if the clock does: who polls with `since` the last `stored` seen would miss
    everything a clock set back dates before it, and pages by time could not be ranges of positions.
    """
    newest = session.scalar(select(StatementRow.stored).order_by(StatementRow.position.desc()).limit(1))
    return now if newest is None else max(now, newest)


def write(
    session: Session, entries: Sequence[Entry], *, stored: datetime, define: bool, copied: bool
) -> dict[UUID, int]:
    """Write statements whose ids are not taken; return their positions."""
    if not entries:
        return {}
    mentioned = [mentions_of(entry.statement) for entry in entries]
    known = _numbers(session, mentioned)
    if define:
        _tell_names(session, mentioned, known)
        _tell_definitions(session, mentioned)
    positions = next_positions(session, StatementRow, len(entries))
    transaction = transaction_number(session)
    rows = [
        {
            "position": position,
            "id": entry.id,
            "stored": stored,
            "authority_id": known.agents.get(actor_key(entry.statement.get("authority", {})) or ""),
            "refers_to": entry.refers_to,
            "voiding": entry.voiding,
            "voided": False,
            "copied": copied,
            "transaction": transaction,
            "raw": entry.raw,
        }
        for position, entry in zip(positions, entries, strict=True)
    ]
    # Two writers that bring the same statements bring them in the same order, and cannot deadlock.
    _insert(session, StatementRow, sorted(rows, key=lambda row: row["id"]))
    links = _Links()
    for position, mentions in zip(positions, mentioned, strict=True):
        links.add(position, mentions, known)
    links.insert(session, repeated=False)
    _follow_references(session, entries)
    return {entry.id: position for entry, position in zip(entries, positions, strict=True)}


class _Links:
    """Rows that say at which positions something is found."""

    def __init__(self) -> None:
        self.agents: _Rows = []
        self.activities: _Rows = []
        self.verbs: _Rows = []
        self.registrations: _Rows = []

    def add(self, position: int, mentions: Mentions, known: _Numbers) -> None:
        verb_id = known.verbs[mentions.verb_id]
        self.verbs.append({"verb_id": verb_id, "position": position})
        for key, direct in mentions.agents.items():
            self.agents.append(
                {
                    "agent_id": known.agents[key],
                    "related": not direct,
                    "position": position,
                    "verb_id": verb_id,
                }
            )
        for iri, direct in mentions.activities.items():
            self.activities.append(
                {
                    "activity_id": known.activities[iri],
                    "related": not direct,
                    "position": position,
                    "verb_id": verb_id,
                }
            )
        if mentions.registration is not None:
            self.registrations.append({"registration": mentions.registration, "position": position})

    def insert(self, session: Session, *, repeated: bool) -> None:
        for row, rows in (
            (AgentLink, self.agents),
            (ActivityLink, self.activities),
            (VerbLink, self.verbs),
            (RegistrationLink, self.registrations),
        ):
            _insert(session, row, rows, or_ignore=repeated)


def _numbers(session: Session, mentioned: Iterable[Mentions]) -> _Numbers:
    agents: set[str] = set()
    activities: set[str] = set()
    verbs: set[str] = set()
    for mentions in mentioned:
        agents.update(mentions.agents)
        activities.update(mentions.activities)
        verbs.add(mentions.verb_id)
    return _Numbers(
        agents=numbers(session, AgentRow, agents),
        activities=numbers(session, ActivityRow, activities),
        verbs=numbers(session, VerbRow, verbs),
    )


def _tell_names(session: Session, mentioned: Iterable[Mentions], known: _Numbers) -> None:
    seen = {(key, name) for mentions in mentioned for key, name in mentions.names if "\0" not in name}
    rows = [
        {"agent_id": known.agents[key], "digest": digest(name), "name": name} for key, name in sorted(seen)
    ]
    _insert(session, AgentName, rows, or_ignore=True)


def _tell_definitions(session: Session, mentioned: Iterable[Mentions]) -> None:
    told: dict[str, dict[str, Any]] = {}
    for mentions in mentioned:
        for iri, definition in mentions.definitions.items():
            told[iri] = merge_definitions(told[iri], definition) if iri in told else definition
    by_digest = {digest(iri): definition for iri, definition in told.items()}
    for chunk in chunks(sorted(by_digest)):
        rows = session.execute(
            select(ActivityRow.id, ActivityRow.digest, ActivityRow.definition)
            .where(ActivityRow.digest.in_(chunk))
            .order_by(ActivityRow.id)
        ).all()
        for number, key, before in rows:
            definition = by_digest[key]
            after = orjson.dumps(
                merge_definitions(orjson.loads(before), definition) if before else definition
            )
            if after != before:
                session.execute(update(ActivityRow).where(ActivityRow.id == number).values(definition=after))


def _follow_references(session: Session, entries: Sequence[Entry]) -> None:
    new = [entry.id for entry in entries]
    referring = {entry.id for entry in entries if entry.refers_to is not None}
    voided = {entry.refers_to for entry in entries if entry.voiding and entry.refers_to is not None}
    frontier = new
    for depth in range(MAX_CHAIN):
        above = _referrers(session, frontier)
        if depth == 0:
            voided |= {target for _, target, voiding in above if voiding}
        frontier = [statement_id for statement_id, _, _ in above if statement_id not in referring]
        referring.update(frontier)
        if not frontier:
            break
    _inherit(session, referring)
    for chunk in chunks(sorted(voided)):
        # A voiding statement cannot itself be voided (1.0.3 Data §2.3.2).
        session.execute(
            update(StatementRow)
            .where(StatementRow.id.in_(chunk), StatementRow.voiding == false())
            .values(voided=True)
            .execution_options(synchronize_session=False)
        )


def _referrers(session: Session, targets: list[UUID]) -> list[tuple[UUID, UUID, bool]]:
    return [
        (row.id, row.refers_to, row.voiding)
        for chunk in chunks(targets)
        for row in session.execute(
            select(StatementRow.id, StatementRow.refers_to, StatementRow.voiding).where(
                StatementRow.refers_to.in_(chunk)
            )
        )
    ]


def _inherit(session: Session, referring: Iterable[UUID]) -> None:
    links = _Links()
    for statement_id in sorted(referring):
        below = list(_chain(session, statement_id))
        if len(below) > 1:
            mentioned = [mentions_of(statement) for _, statement in below[1:]]
            known = _numbers(session, mentioned)
            for mentions in mentioned:
                links.add(below[0][0], mentions, known)
    links.insert(session, repeated=True)


def _chain(session: Session, statement_id: UUID | None) -> Iterable[tuple[int, dict[str, Any]]]:
    """Yield position and content of a statement, its target, the target's target, as far as they are here."""
    passed: set[UUID] = set()
    while statement_id is not None and statement_id not in passed and len(passed) <= MAX_CHAIN:
        passed.add(statement_id)
        row = session.execute(
            select(StatementRow.position, StatementRow.raw, StatementRow.refers_to).where(
                StatementRow.id == statement_id
            )
        ).one_or_none()
        if row is None:
            return
        yield row.position, orjson.loads(row.raw)
        statement_id = row.refers_to


def _insert(session: Session, row: type[Base], rows: _Rows, *, or_ignore: bool = False) -> None:
    if not rows:
        return
    table = row.__table__
    assert isinstance(table, Table)  # noqa: S101 - SQLAlchemy types it as any FROM clause
    connection = session.connection()
    if or_ignore:
        special: Callable[[Table], Any] = (
            sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        )
        connection.execute(special(table).on_conflict_do_nothing(), rows)
    else:
        connection.execute(insert(table), rows)
