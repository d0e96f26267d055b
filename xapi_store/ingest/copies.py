"""Take statements that were made and accepted elsewhere, as sync brings them.

A copy is a statement that another record store already vouches for: its bytes, timestamp, authority and
version stay as they come, and no rule of admission runs again. Only `stored` is this store's own. Copies
come from machines that were cut off for months, so one that cannot be taken is reported and holds up no
other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from xapi_store.equality import differing
from xapi_store.errors import InvalidStatementError, LrsError
from xapi_store.ingest.ids import Entry, find_stored, take_ids
from xapi_store.ingest.writing import stored_instant, write
from xapi_store.model.statement import check_statement
from xapi_store.model.strict_json import load_object
from xapi_store.model.version import Version


class Outcome(Enum):
    """What became of a copy."""

    STORED = "stored"
    PRESENT = "present"
    CONFLICT = "conflict"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class CopyOutcome:
    """What became of one copy, and why.

    `position` is where the statement stands in the feed here (stored and present); `differing` names the
    properties in which a conflicting copy differs from ours; `reason` says why a copy was refused.
    """

    outcome: Outcome
    statement_id: UUID | None = None
    position: int | None = None
    differing: tuple[str, ...] = ()
    reason: str = ""


def store_copies(session: Session, copies: Iterable[bytes], *, now: datetime) -> list[CopyOutcome]:
    """Store copies of statements made elsewhere; answer for each, in the order given.

    A copy is the `raw` of a feed entry: a complete statement but for `stored`, which is dropped if it is
    there.
    """
    read = [_read(copy) for copy in copies]
    connection = session.connection()
    stored = stored_instant(session, now)
    known = _known(connection, [entry.id for entry in read if isinstance(entry, Entry)])
    new: dict[UUID, Entry] = {}
    for entry in read:
        if isinstance(entry, Entry) and entry.id not in known:
            new.setdefault(entry.id, entry)
    positions = take_ids(connection, new.values())
    known |= _known(connection, list(new.keys() - positions.keys()))  # another writer has them since
    new = {statement_id: new[statement_id] for statement_id in positions}
    write(connection, list(new.values()), positions, stored=stored, copied=True)

    outcomes = []
    for entry in read:
        if isinstance(entry, CopyOutcome):
            outcomes.append(entry)
        elif new.get(entry.id) is entry:
            outcomes.append(
                CopyOutcome(outcome=Outcome.STORED, statement_id=entry.id, position=positions[entry.id])
            )
        else:
            there = known.get(entry.id) or (positions[entry.id], new[entry.id].statement)
            outcomes.append(_compare(entry, *there))
    return outcomes


def _known(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, tuple[int, Any]]:
    return {
        statement_id: (position, raw and orjson.loads(raw))
        for statement_id, position, raw in find_stored(connection, ids)
    }


def _read(copy: bytes) -> Entry | CopyOutcome:
    try:
        statement = load_object(copy)
        check_statement(
            statement, Version.V2 if str(statement.get("version")).startswith("2") else Version.V1
        )
        for name in ("id", "timestamp", "version"):
            if name not in statement:
                raise InvalidStatementError(
                    f"$.{name}", "is missing; a copy has what its first store gave it"
                )
    except LrsError as error:
        return CopyOutcome(outcome=Outcome.REFUSED, reason=str(error))
    raw = copy.strip()
    if "stored" in statement:
        del statement["stored"]
        raw = orjson.dumps(statement)
    return Entry(id=UUID(statement["id"]), statement=statement, raw=raw)


def _compare(entry: Entry, position: int, ours: dict[str, Any] | None) -> CopyOutcome:
    different = () if not ours else differing(ours, entry.statement)  # archived or erased: the id is left
    if different:
        return CopyOutcome(outcome=Outcome.CONFLICT, statement_id=entry.id, differing=different)
    return CopyOutcome(outcome=Outcome.PRESENT, statement_id=entry.id, position=position)


def statement_of_copy(session: Session, statement_id: UUID) -> dict[str, Any] | None:
    """Return a statement to which something belongs that was brought by itself; `None` if it is not here (yet).

    Of one that was erased, nothing is left to belong to: it is empty.
    """
    for _, _, raw in find_stored(session.connection(), [statement_id]):
        if raw is not None:
            found: dict[str, Any] = orjson.loads(raw or b"{}")
            return found
    return None
