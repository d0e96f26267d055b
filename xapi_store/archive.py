"""Parts of the store on PostgreSQL: begin a new one, put an old one away, bring it back.

A part that is put away is in the schema `xapi_archive` of the same database, with its links: nothing reads it there,
and `pg_dump --schema=xapi_archive` takes it elsewhere. The ids of its statements stay taken. What was concluded from
them (progress, results, certificates) is kept elsewhere and stays too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from xapi_store.errors import LrsError
from xapi_store.tables import StatementRow, UtcDateTime
from xapi_store.tables.partitions import IN_PARTS, SPAN, bounds, create_part, part_name, part_of

SCHEMA = "xapi_archive"
_STATEMENTS = StatementRow.__tablename__
_LOCK = 7269747  # an advisory lock: one process at a time changes the parts


class PartError(LrsError):
    """There is no such part, or it cannot be moved now; the sentence says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One part: statements stored one after the other, the oldest and the newest `stored`, and its size.

    `is_open` says that new statements still go into it, `is_archived` that it was put away.
    """

    number: int
    oldest: datetime | None
    newest: datetime | None
    bytes: int
    is_open: bool
    is_archived: bool


def list_parts(session: Session) -> Sequence[Part]:
    """Return all parts, oldest first, those put away included."""
    current = _current(session)
    return [
        Part(
            number=number,
            oldest=_stored(session, schema, number, "min"),
            newest=_stored(session, schema, number, "max"),
            bytes=sum(_size(session, f"{schema}.{name}") for name in _names(number)),
            is_open=number == current,
            is_archived=schema == SCHEMA,
        )
        for number, schema in sorted(_found(session))
    ]


def part_due(session: Session, *, now: datetime) -> int | None:
    """Return the number of the part to begin, if statements of an earlier month are in the present one."""
    current = _current(session)
    oldest = session.scalar(
        select(StatementRow.stored)
        .where(StatementRow.position >= current * SPAN)
        .order_by(StatementRow.position)
        .limit(1)
    )
    if oldest is None or (oldest.year, oldest.month) >= (now.year, now.month):
        return None
    return current + 1


def prepare_part(session: Session, number: int) -> None:
    """Make the tables of a part; commit, and then `begin_part`, or a writer could find no place for a statement."""
    _lock(session)
    if number not in {known for known, _ in _found(session)}:
        for row in IN_PARTS:
            session.execute(text(create_part(row.__tablename__, number)))


def begin_part(session: Session, number: int) -> None:
    """Let the positions jump into a part that `prepare_part` has made, unless they are there already."""
    _lock(session)
    if _current(session) < number:
        sequence = func.pg_get_serial_sequence(_STATEMENTS, "position")
        session.execute(select(func.setval(sequence, number * SPAN, False)))


def put_away(session: Session, number: int) -> None:
    """Archive a part that no new statement goes into.

    Raises:
        PartError: it is still open, away already, or was never there.
    """
    _lock(session)
    if number >= _current(session):
        raise PartError(f"Part {number} is still open: new statements go into it.")
    _require(session, number, "public")
    session.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    for row, name in zip(IN_PARTS, _names(number), strict=True):
        session.execute(text(f"ALTER TABLE {row.__tablename__} DETACH PARTITION {name}"))
        session.execute(text(f"ALTER TABLE {name} SET SCHEMA {SCHEMA}"))


def bring_back(session: Session, number: int) -> None:
    """Take a part back from the archive.

    Raises:
        PartError: it is not in the archive.
    """
    _lock(session)
    _require(session, number, SCHEMA)
    for row, name in zip(IN_PARTS, _names(number), strict=True):
        session.execute(text(f"ALTER TABLE {SCHEMA}.{name} SET SCHEMA public"))
        session.execute(text(f"ALTER TABLE {row.__tablename__} ATTACH PARTITION {name} {bounds(number)}"))


def _lock(session: Session) -> None:
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _names(number: int) -> list[str]:
    return [part_name(row.__tablename__, number) for row in IN_PARTS]


def _found(session: Session) -> Iterator[tuple[int, str]]:
    """Yield number and schema of every part."""
    prefix = part_name(_STATEMENTS, 0).removesuffix("0")
    for name, schema in session.execute(
        text(
            "SELECT relname, nspname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
            " WHERE relkind = 'r' AND starts_with(relname, :prefix) AND nspname IN ('public', :archive)"
        ),
        {"prefix": prefix, "archive": SCHEMA},
    ):
        yield int(name.removeprefix(prefix)), schema


def _require(session: Session, number: int, schema: str) -> None:
    if (number, schema) not in set(_found(session)):
        where = "in the archive" if schema == SCHEMA else "in the store"
        raise PartError(f"There is no part {number} {where}.")


def _current(session: Session) -> int:
    """Return the number of the part into which the next statement goes."""
    sequence = session.scalar(select(func.pg_get_serial_sequence(_STATEMENTS, "position")))
    return part_of(session.execute(text(f"SELECT last_value FROM {sequence}")).scalar_one())  # noqa: S608 - its name


def _stored(session: Session, schema: str, number: int, end: str) -> datetime | None:
    name = part_name(_STATEMENTS, number)
    query = text(f"SELECT {end}(stored) AS stored FROM {schema}.{name}")  # noqa: S608 - our own names
    found: datetime | None = session.scalar(query.columns(stored=UtcDateTime))
    return found


def _size(session: Session, table: str) -> int:
    return int(session.execute(select(func.pg_total_relation_size(table))).scalar_one())
