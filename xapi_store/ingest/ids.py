"""Ids of statements: who has them, and taking them before anything else is written.

On PostgreSQL several writers may bring the same statement at the same moment. Whoever takes its id first has it; the
others wait until that transaction has ended, and then find what it stored. They take in the same order, so nobody
waits in a circle, and nobody's work is in vain.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, select

from xapi_store.model.statement import VOIDED
from xapi_store.packing import unpack
from xapi_store.tables import (
    Prepared,
    PreparedForList,
    StatementId,
    StatementRow,
    Values,
    insert_all,
    insert_or_ignore,
    next_positions,
)


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


#: Below it stand the ids of statements that were erased (`erasing`): each where it was, with the other sign.
ERASED = 0

SAME_PLACE = StatementRow.position == StatementId.position


def find_stored(connection: Connection, ids: Sequence[UUID]) -> Sequence[Values]:
    """Return `id`, `position` and `raw` of those statements that are here or were.

    Of those archived `raw` is `None`, of those erased it is empty.
    """
    return [
        (statement_id, position, b"" if position < ERASED else raw and unpack(connection, raw))
        for statement_id, position, raw in _STORED.rows(connection, ids)
    ]


_STORED = PreparedForList(
    select(StatementId.id, StatementId.position, StatementRow.raw).outerjoin(StatementRow, SAME_PLACE),
    StatementId.id,
)


def take_ids(connection: Connection, entries: Collection[Entry]) -> dict[UUID, int]:
    """Take the ids of new statements, and return the positions that they have got.

    An id is missing from the answer if another writer has taken it since `find_stored` looked, which happens on
    PostgreSQL only; its statement can be found by now.

    A statement that refers to another takes that one's id too, until the ids are in: so whoever is writing the other
    one at this moment is waited for, or waits, and one of the two sees what the other has written.
    """
    if not entries:
        return {}
    positions = next_positions(connection, StatementRow, len(entries))
    rows = [
        (entry.id, position, entry.refers_to, entry.voiding)
        for position, entry in zip(positions, entries, strict=True)
    ]
    if connection.dialect.name == "sqlite":
        _FREE.change(connection, sorted(rows, key=_by_id))
        return {entry.id: position for entry, position in zip(entries, positions, strict=True)}
    targets = {row[2] for row in rows if row[2] is not None} - {row[0] for row in rows}
    held: list[Values] = [(target, _NOWHERE, None, False) for target in targets]
    taken: dict[UUID, int] = dict(_PERHAPS_FREE.changed(connection, sorted([*rows, *held], key=_by_id)))
    release_ids(
        connection, [statement_id for statement_id, position in taken.items() if position == _NOWHERE]
    )
    return {statement_id: position for statement_id, position in taken.items() if position != _NOWHERE}


def release_ids(connection: Connection, ids: Iterable[UUID]) -> None:
    """Give back ids that were taken in this transaction, and under which nothing is stored after all."""
    _RELEASED.change(connection, [(statement_id,) for statement_id in ids])


def _by_id(row: Values) -> bytes:
    statement_id: UUID = row[0]
    return statement_id.bytes


_NOWHERE = 0  # the position of an id that is only held
_COLUMNS = ("id", "position", "refers_to", "voiding")
_FREE = insert_all(StatementId, columns=_COLUMNS)
_PERHAPS_FREE = insert_or_ignore(StatementId, columns=_COLUMNS, telling=("id", "position"))
_RELEASED = Prepared(
    delete(StatementId).where(StatementId.id == bindparam("released")), columns=("released",)
)
