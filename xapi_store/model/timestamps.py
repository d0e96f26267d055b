"""Instants and durations as the standard writes them (xAPI 1.0.3 Data §4.5, §4.6; xAPI 2.0 §4.2.7)."""

import re
from datetime import UTC, datetime
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
_FRACTION_OF_SECONDS = re.compile(r"[.,](\d+)S$")


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
    instant = datetime.fromisoformat(text)
    return instant.replace(tzinfo=UTC) if zone is None else instant.astimezone(UTC)


def format_timestamp(instant: datetime) -> str:
    """Write an instant as the store does: UTC, microseconds, `Z`."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def comparable_duration(text: str) -> str:
    """Return a duration without what lies beyond 0.01 s, which no comparison may see.

    >>> comparable_duration("PT1,509S"), comparable_duration("PT2.00S")
    ('PT1.5S', 'PT2S')
    """
    return _FRACTION_OF_SECONDS.sub(lambda found: f".{found[1][:2]}".rstrip("0").rstrip(".") + "S", text)


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
