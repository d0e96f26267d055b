"""Instants and durations as the standard writes them (xAPI 1.0.3 Data §4.5, §4.6; xAPI 2.0 §4.2.7)."""

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

from xapi_store.model.iri import DURATION_PATTERN

_TIMESTAMP = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?P<fraction>\.\d+)?)?(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)?",
    re.ASCII,
)
_BASIC = re.compile(
    r"(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(?:(\d{2}(?:\.\d+)?))?(Z|[+-]\d{2}(?::?\d{2})?)?", re.ASCII
)
_NO_ZONE_KNOWN = ("-00", "-0000", "-00:00")
_DURATION = re.compile(
    r"P(?:(?P<weeks>[\d.]+)W)?(?:(?P<years>[\d.]+)Y)?(?:(?P<months>[\d.]+)M)?(?:(?P<days>[\d.]+)D)?"
    r"(?:T(?:(?P<hours>[\d.]+)H)?(?:(?P<minutes>[\d.]+)M)?(?:(?P<seconds>[\d.]+)S)?)?",
    re.ASCII,
)
_SECONDS = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
_MONTHS = {"years": 12, "months": 1}
_COMPARED_CHARS = 100  # what is longer has as many digits, and means nothing to anybody


def parse_timestamp(text: str) -> datetime:
    """Return the instant a timestamp names; one without a zone is taken as UTC.

    Raises:
        ValueError: not ISO 8601, not a day of the calendar, or the offset `-00:00`, which says that the
        zone is
            unknown.
    """
    basic = _BASIC.fullmatch(text)
    if basic:
        year, month, day, hour, minute, second, zone = basic.groups()
        text = f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}{zone or ''}"
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise ValueError("not an ISO 8601 timestamp")
    zone = match["zone"]
    if zone in _NO_ZONE_KNOWN:
        raise ValueError("the offset -00:00 says that the zone is unknown")
    if match["fraction"] and len(match["fraction"]) > 7:  # Python reads no finer than a microsecond
        text = text.replace(match["fraction"], match["fraction"][:7], 1)
    leap = text[17:19] == "60"  # Python has no such second: it is taken for the next
    instant = datetime.fromisoformat(text[:17] + "59" + text[19:] if leap else text)
    instant = instant.replace(tzinfo=UTC) if zone is None else instant.astimezone(UTC)
    return _after_leap_second(instant) if leap else instant


def _after_leap_second(before: datetime) -> datetime:
    if (before.hour, before.minute) != (23, 59):
        raise ValueError("leap seconds come at the end of a day, by UTC")
    return before + timedelta(seconds=1)


def format_timestamp(instant: datetime) -> str:
    """Write an instant as the store does: UTC, microseconds, `Z`."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def comparable_duration(text: str) -> str:
    """Return a duration in months and hundredths of a second; what lies beyond, no comparison may see.

    >>> comparable_duration("PT1M1,509S"), comparable_duration("PT61.50S"), comparable_duration("P1Y")
    ('0 months, 6150 cs', '0 months, 6150 cs', '12 months, 0 cs')
    """
    found = _DURATION.fullmatch(text.replace(",", "."))
    if found is None or len(text) > _COMPARED_CHARS:
        return text

    def total(units: dict[str, int]) -> Fraction:
        return sum(
            (Fraction(found[unit]) * worth for unit, worth in units.items() if found[unit]), Fraction()
        )

    return f"{total(_MONTHS)} months, {int(total(_SECONDS) * 100)} cs"


def _is_timestamp(text: str) -> str:
    try:
        parse_timestamp(text)
    except (ValueError, OverflowError):
        raise PydanticCustomError(
            "timestamp", "must be an ISO 8601 timestamp with a known zone, such as '2026-11-24T09:30:00.000Z'"
        ) from None
    return text


def _is_duration(text: str) -> str:
    if text.endswith(("P", "T")):
        raise PydanticCustomError("duration", "must be an ISO 8601 duration, such as 'PT1H30M'")
    return text


Timestamp = Annotated[str, AfterValidator(_is_timestamp)]
Duration = Annotated[str, StringConstraints(pattern=DURATION_PATTERN), AfterValidator(_is_duration)]
