"""The IRIs of courses and units: a fixed namespace plus public ids, the same on every node for ever."""

from __future__ import annotations

COURSES = "https://outpost.invalid/courses/"


def course_iri(course: str) -> str:
    """Return the activity id of the course with this public id.

    >>> course_iri("k7")
    'https://outpost.invalid/courses/k7'
    """
    return f"{COURSES}{course}"


def unit_iri(course: str, unit: str) -> str:
    """Return the activity id of a unit of a course, from both public ids.

    >>> unit_iri("k7", "m2")
    'https://outpost.invalid/courses/k7/units/m2'
    """
    return f"{COURSES}{course}/units/{unit}"
