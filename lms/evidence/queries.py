"""How the check of what is kept here stands, and what it found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from lms.evidence.wording import MEANINGS, Meaning
from sync import verification
from sync.days import newest_day
from sync.findings import Fault, findings
from sync.losses import losses
from sync.node import names_of

SHOWN_LOSSES = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingShown:
    """One finding: what it means, whose records, which by their numbers (0: none is meant), and since when it is known.

    ``kept`` is when this node got the records; ``key`` and ``detail`` are for whoever looks into it.
    """

    fault: Fault
    meaning: Meaning
    origin: str
    first: int
    last: int
    key: str
    detail: str
    kept: datetime | None
    found: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class LossShown:
    """Records that a node could not read any more: how many, of which day, and whether a copy was found since."""

    origin: str
    count: int
    recorded: datetime
    found: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckShown:
    """How the check stands.

    Attributes:
        entries, of_entries: signed records that were read in the present check of everything, or the last; all.
        latest: up to when everything that came was checked.
        whole: when everything was last checked from the first record on.
        stated: when the root last signed what it holds, as far as is known here.
    """

    entries: int
    of_entries: int
    erased: int
    checking_all: bool
    latest: datetime | None
    whole: datetime | None
    findings: Sequence[FindingShown]
    unlisted: int
    stated: datetime | None
    losses: Sequence[LossShown]


def check(session: Session) -> CheckShown:
    """Return how the check stands, and what it found, the newest last."""
    stands = verification.verified(session)
    found = findings(session)
    day = newest_day(session)
    lost = losses(session, limit=SHOWN_LOSSES)
    origins = {one.log.origin for one, _ in found} | {row.origin for row, _ in lost}
    names = names_of(session, origins)
    return CheckShown(
        entries=stands.entries,
        of_entries=stands.of_entries,
        erased=stands.erased,
        checking_all=stands.reading_all,
        latest=_instant(stands.latest_ms),
        whole=_instant(stands.whole_ms),
        findings=[
            FindingShown(
                fault=one.fault,
                meaning=MEANINGS[one.fault],
                origin=names.get(one.log.origin, one.log.origin),
                first=one.first,
                last=one.last,
                key=one.key,
                detail=one.detail,
                kept=_instant(one.kept_ms),
                found=datetime.fromtimestamp(found_ms / 1000, UTC),
            )
            for one, found_ms in found
        ],
        unlisted=stands.unlisted,
        stated=None if day is None else _instant(day.made_ms),
        losses=[
            LossShown(
                origin=names.get(row.origin, row.origin),
                count=row.count,
                recorded=datetime.fromtimestamp(row.kept_ms / 1000, UTC),
                found=was_found,
            )
            for row, was_found in lost
        ],
    )


def _instant(ms: int | None) -> datetime | None:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)
