"""Statements, held against the logs that tell of them (``sync.ports.Kept``).

Forwards, each entry is looked up: its statement is there, byte for byte. Backwards, each statement has to have been
told of by an entry; which were is kept as one bit for each, so that memory does not grow with the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lms.evidence.tables import PAGE, ToldPage
from lms.streams.statements import KIND, SCHEMA, StatementStream
from sync.findings import Fault
from sync.messages import Record
from sync.ports import Compared, Difference, Looked
from xapi_store import comparing
from xapi_store.comparing import Comparison, Likeness, Place

ROWS_AT_ONCE = 2000
#: Two writers on PostgreSQL may take positions in another order than they looked at the clock.
SAME_TIME = timedelta(minutes=1)

_FAULTS = {
    Likeness.ABSENT: Fault.RECORD_REMOVED,
    Likeness.ERASED: Fault.RECORD_REMOVED,  # of what an order covers the entry would be blacked out
    Likeness.DIFFERENT: Fault.RECORD_CHANGED,
}


@dataclass(frozen=True, slots=True)
class _Told:
    """Positions of statements that entries tell: byte for byte, and in other words."""

    exact: Sequence[int]
    alike: Sequence[int]


class StatementsKept:
    """Holds the statements of the record store against logs."""

    def forget(self, session: Session) -> None:
        """Forget which statements were told of."""
        session.execute(delete(ToldPage))

    def compare(
        self, session: Session, records: Sequence[Record], *, made_here: bool, in_order: bool, state: int
    ) -> Compared:
        """Hold entries against the statements they tell; ``state`` is the position of the last that was made here."""
        told = [(record, found) for record in records if (found := _statement_of(record)) is not None]
        compared = comparing.compare(session, [statement for _, statement in told])
        differences = []
        for (record, _), one in zip(told, compared, strict=True):
            fault = _FAULTS.get(one.likeness)
            if made_here and not one.copied and one.position is not None:
                if in_order and one.position <= state and fault is None:
                    fault = Fault.RECORD_MOVED
                state = max(state, one.position)
            if fault is not None:
                said = ", ".join(one.differing)
                differences.append(Difference(fault=fault, seq=record.seq, key=record.key, detail=said))
        return Compared(differences=differences, state=state, told=_told_of(compared))

    def note(self, session: Session, compared: Sequence[Compared]) -> None:
        """Keep in mind that statements were told of."""
        told = [one.told for one in compared if isinstance(one.told, _Told)]
        _set_bits(session, (place for one in told for place in one.exact), exact=True)
        _set_bits(session, (place for one in told for place in one.alike), exact=False)

    def look(self, session: Session, position: int, *, numbered: Mapping[str, int]) -> Looked:
        """Look through statements for those that no log tells, and for times that run backwards."""
        numbered_to = numbered.get(StatementStream.name, 0)
        places = comparing.places_after(session, position, limit=ROWS_AT_ONCE)
        known = _numbered(places, numbered_to)
        found = [*_untold(session, known), *_dated(comparing.stored_at(session, position), known)]
        return Looked(
            differences=found,
            position=known[-1].position if known else position,
            more=len(places) == ROWS_AT_ONCE and len(known) == len(places),
        )


def _statement_of(record: Record) -> tuple[UUID, bytes] | None:
    if record.kind != KIND or record.schema != SCHEMA:
        return None
    with suppress(ValueError):
        return UUID(record.key), record.body
    with suppress(
        ValueError, KeyError, TypeError
    ):  # named otherwise than it should: what it says itself counts
        return UUID(orjson.loads(record.body)["id"]), record.body
    return None


def _told_of(compared: Iterable[Comparison]) -> _Told:
    exact, alike = list[int](), list[int]()
    for one in compared:
        if one.position is not None and one.likeness in {Likeness.SAME, Likeness.DIFFERENT}:
            exact.append(one.position)  # that it is different was found by then, and is not found again
        elif one.position is not None and one.likeness is Likeness.ALIKE:
            alike.append(one.position)
    return _Told(exact, alike)


def _numbered(places: Sequence[Place], numbered_to: int) -> Sequence[Place]:
    """Return the statements up to the first that waits for its number."""
    waiting = (at for at, one in enumerate(places) if not one.copied and one.position > numbered_to)
    return places[: next(waiting, len(places))]


def _untold(session: Session, places: Sequence[Place]) -> Iterator[Difference]:
    """Return the statements that no log tells; neighbours together."""
    pages = _pages(session, {one.position // PAGE for one in places})
    run: list[Place] = []
    for one in places:
        if not _has(pages, one.position, exact=True):
            if not _has(pages, one.position, exact=False):
                run.append(one)
                continue
            yield Difference(
                fault=Fault.RECORD_CHANGED,
                key=str(one.statement_id),
                detail="no entry tells it in these words",
            )
        yield from _together(run)
        run = []
    yield from _together(run)


def _together(run: Sequence[Place]) -> Iterator[Difference]:
    if run:
        yield Difference(fault=Fault.RECORD_ADDED, key=str(run[0].statement_id), count=len(run))


def _dated(before: datetime | None, places: Sequence[Place]) -> Iterator[Difference]:
    for one in places:
        if before is not None and one.stored < before - SAME_TIME:
            said = f"stored {one.stored:%Y-%m-%d %H:%M:%S}, after one of {before:%Y-%m-%d %H:%M:%S}"
            yield Difference(fault=Fault.RECORD_DATED, key=str(one.statement_id), detail=said)
        before = one.stored


# ---------------------------------------------------------------- one bit for each


def _set_bits(session: Session, positions: Iterable[int], *, exact: bool) -> None:
    by_page: dict[int, list[int]] = {}
    for position in positions:
        by_page.setdefault(position // PAGE, []).append(position % PAGE)
    for number, places in sorted(by_page.items()):
        page = session.get(ToldPage, (number, exact))
        if page is None:
            page = ToldPage(number=number, exact=exact, bits=bytes(PAGE // 8))
            session.add(page)
        bits = bytearray(page.bits)
        for place in places:
            bits[place // 8] |= 1 << place % 8
        page.bits = bytes(bits)
    session.flush()


def _pages(session: Session, numbers: Iterable[int]) -> dict[tuple[int, bool], bytes]:
    found = session.scalars(select(ToldPage).where(ToldPage.number.in_(list(numbers))))
    return {(page.number, page.exact): page.bits for page in found}


def _has(pages: Mapping[tuple[int, bool], bytes], position: int, *, exact: bool) -> bool:
    bits = pages.get((position // PAGE, exact))
    place = position % PAGE
    return bits is not None and bool(bits[place // 8] >> place % 8 & 1)
