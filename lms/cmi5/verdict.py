"""What a course of units with verdicts of their own amounts to; cmi5 itself says no more of it than "satisfied"."""

from __future__ import annotations

from collections.abc import Collection


def course_success(units: Collection[bool], *, satisfied: bool) -> bool | None:
    """Return whether a course is passed: with all that judge, once it is satisfied; failed while one of them is.

    >>> course_success([True], satisfied=False) is None, course_success([True, True], satisfied=True)
    (True, True)
    >>> course_success([True, False], satisfied=True), course_success([], satisfied=True) is None
    (False, True)
    """
    if not all(units):
        return False
    return True if units and satisfied else None
