"""Lengths of time: ``HHHH:MM:SS.SS`` in SCORM 1.2 (RTE §3.4.3), ``P…T…S`` in SCORM 2004 (RTE §4.1.1.7).

Inside they are whole hundredths of a second: both standards are exact to 0.01 s, and so must sums be.
"""

import re

_TIMESPAN = re.compile(r"([0-9]{2,4}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,2}))?")
_DURATION = re.compile(
    r"P(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)D)?"
    r"(?:T(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)(?:\.([0-9]{1,2}))?S)?)?"
)
_SECOND, _MINUTE, _HOUR = 100, 6_000, 360_000
_DAY = 24 * _HOUR
_MONTH, _YEAR = 30 * _DAY, 365 * _DAY  # the standard leaves their length open
_LONGEST_TIMESPAN = 10_000 * _HOUR - 1


def hundredths_of_timespan(text: str) -> int:
    """Read a SCORM 1.2 time span; raise ``ValueError`` when it is none."""
    found = _TIMESPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a time span of the form HHHH:MM:SS.SS")
    hours, minutes, seconds, fraction = found.groups()
    return int(hours) * _HOUR + int(minutes) * _MINUTE + int(seconds) * _SECOND + _fraction(fraction)


def timespan(hundredths: int) -> str:
    """Write a SCORM 1.2 time span; what is longer than four digits of hours becomes 9999:59:59.99.

    >>> timespan(5405)
    '0000:00:54.05'
    """
    hours, rest = divmod(min(hundredths, _LONGEST_TIMESPAN), _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    seconds, fraction = divmod(rest, _SECOND)
    return f"{hours:04}:{minutes:02}:{seconds:02}" + (f".{fraction:02}" if fraction else "")


def hundredths_of_duration(text: str) -> int:
    """Read a SCORM 2004 duration; raise ``ValueError`` when it is none.

    A month counts 30 days and a year 365.
    """
    found = _DURATION.fullmatch(text)
    if found is None or text.endswith(("P", "T")) or len(text) > 255:
        raise ValueError(f"{text!r} is not a duration of the form P1DT2H3M4.05S")
    *whole, fraction = found.groups()
    units = (_YEAR, _MONTH, _DAY, _HOUR, _MINUTE, _SECOND)
    return sum(int(n) * unit for n, unit in zip(whole, units, strict=True) if n) + _fraction(fraction)


def duration(hundredths: int) -> str:
    """Write a SCORM 2004 (and xAPI) duration in hours, minutes and seconds.

    >>> duration(9005)
    'PT0H1M30.05S'
    """
    hours, rest = divmod(hundredths, _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    seconds, fraction = divmod(rest, _SECOND)
    return f"PT{hours}H{minutes}M{seconds}" + (f".{fraction:02}S" if fraction else "S")


def _fraction(digits: str | None) -> int:
    return int(digits.ljust(2, "0")) if digits else 0
