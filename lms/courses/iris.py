"""The IRIs of courses and units: a fixed namespace plus public ids, the same on every node for ever."""

from __future__ import annotations

from uuid import UUID

COURSES = "https://outpost.invalid/courses/"


def course_iri(course: UUID) -> str:
    """Return the activity id of the course with this public id.

    >>> course_iri(UUID(int=7))
    'https://outpost.invalid/courses/00000000-0000-0000-0000-000000000007'
    """
    return f"{COURSES}{course}"


def unit_iri(course: UUID, unit: UUID) -> str:
    """Return the activity id of a unit of a course, from both public ids."""
    return f"{COURSES}{course}/units/{unit}"
