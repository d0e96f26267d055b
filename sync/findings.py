"""What the verification found, as it is kept: what may be wrong, where, and since when it is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from sync.ports import Difference
from sync.tables import FindingRow, VerificationRow
from sync.vector import LogKey

MOST_FINDINGS = 1000


class Fault(StrEnum):
    """What may be wrong."""

    DAMAGED = "damaged"  # the bytes are not those that were kept: a disk, most likely
    CHANGED = "changed"  # they are, and are not what the origin signed
    MISPLACED = "misplaced"  # a segment stands where it was not signed for
    REMOVED = "removed"  # numbers are missing
    BROKEN = "broken"  # it does not continue the segment before it
    HEAD = "head"  # a log ends elsewhere than its head says
    CUT = "cut"  # more was held, or signed for, than is here
    OTHER = "other"  # another content was signed for
    DATED = "dated"  # stamps run backwards
    HOLE = "hole"  # entries are missing, and no order says so
    STRANGER = "stranger"  # nothing shows that the origin is of this network
    COUNT = "count"  # the row says other kinds or numbers than the segment
    RECORD_REMOVED = "record-removed"
    RECORD_CHANGED = "record-changed"
    RECORD_ADDED = "record-added"
    RECORD_MOVED = "record-moved"
    RECORD_DATED = "record-dated"


#: What must be looked at again before a finding may go: its log, the ends of all logs, what the host keeps. What a
#: root said otherwise than before stays.
LOG, ENDS, KEPT, WORD = "log", "ends", "kept", "word"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that is not as it was signed; ``first`` and ``last`` are numbers of entries, 0 where none is meant."""

    fault: Fault
    log: LogKey
    first: int = 0
    last: int = 0
    key: str = ""
    kept_ms: int | None = None
    detail: str = ""


def findings(session: Session) -> list[tuple[Finding, int]]:
    """Return what was found and stands, and when each was, oldest first."""
    rows = session.scalars(select(FindingRow).order_by(FindingRow.id))
    return [(_finding_of(row), row.found_ms) for row in rows]


def keep(session: Session, part: str, found: Sequence[Finding], *, now_ms: int) -> list[int]:
    """Keep findings, those that stand already as they are; return the rows in which they are."""
    if not found:
        return []
    present = verification_row(session)
    known = {
        _finding_of(row): row for row in session.scalars(select(FindingRow).where(FindingRow.part == part))
    }
    room = MOST_FINDINGS - (session.scalar(select(func.count(FindingRow.id))) or 0)
    rows = []
    for one in dict.fromkeys(_shortened(each) for each in found):
        row = known.get(one)
        if row is None and room > 0:
            room -= 1
            origin, epoch, scope = one.log
            row = FindingRow(
                part=part,
                fault=one.fault.value,
                origin=origin,
                epoch=epoch,
                scope=scope,
                first=one.first,
                last=one.last,
                key=one.key,
                kept_ms=one.kept_ms,
                detail=one.detail,
                found_ms=now_ms,
            )
            session.add(row)
        if row is None:
            present.unlisted += 1
            continue
        row.whole = present.whole
        rows.append(row)
    session.flush()
    return [row.id for row in rows]


def forget_older(session: Session, whole: int, *which: ColumnElement[bool]) -> None:
    """Forget findings that the present reading of everything, by its number, has not seen again."""
    session.execute(delete(FindingRow).where(*which, FindingRow.whole < whole))


def _shortened(one: Finding) -> Finding:
    return replace(one, key=one.key[:200], detail=one.detail[:500])


def _finding_of(row: FindingRow) -> Finding:
    return Finding(
        fault=Fault(row.fault),
        log=LogKey(row.origin, row.epoch, row.scope),
        first=row.first,
        last=row.last,
        key=row.key,
        kept_ms=row.kept_ms,
        detail=row.detail,
    )


def finding_from(key: LogKey, one: Difference, *, kept_ms: int | None = None) -> Finding:
    """Return what the host keeps otherwise as a finding in a log."""
    seq = one.seq or 0
    many = f"{one.count} records" if one.count > 1 else ""
    return Finding(
        fault=Fault(one.fault),
        log=key,
        first=seq,
        last=seq,
        key=one.key,
        kept_ms=kept_ms,
        detail="; ".join(filter(None, (many, one.detail))),
    )


def verification_row(session: Session) -> VerificationRow:
    """Return how the verification stands, for changing it: of two that verify at one moment, one is the later."""
    row = session.get(VerificationRow, 1, with_for_update=True)
    if row is None:
        row = VerificationRow(id=1, whole=0, whole_done=0, kept_to=0, unlisted=0)
        session.add(row)
        session.flush()
    return row


def verification_now(session: Session) -> VerificationRow:
    """Return how the verification stands, for looking at it."""
    return session.get(VerificationRow, 1) or _NEVER


_NEVER = VerificationRow(id=1, whole=0, whole_done=0, kept_to=0, unlisted=0)
