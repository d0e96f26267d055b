"""What is assigned to a node, and how much a course is needed there: rules without a database."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID


class Mode(StrEnum):
    """How the courses of a node are chosen."""

    ABOVE = "above"  # as those of the node that admitted it
    ALL = "all"
    LANGUAGES = "languages"  # those in some languages, and those that say none
    CHOSEN = "chosen"


@dataclass(frozen=True, kw_only=True, slots=True)
class Orders:
    """What is assigned to a node.

    Attributes:
        courses: public ids; of use with ``CHOSEN``.
        languages: BCP 47, of which the first part counts; of use with ``LANGUAGES``.
        groups: public ids of groups that learn there, whatever the mode.
    """

    mode: Mode
    courses: frozenset[UUID] = frozenset()
    languages: frozenset[str] = frozenset()
    groups: frozenset[UUID] = frozenset()

    def cover(self, course: UUID, languages: Collection[str]) -> bool:
        """Say whether a course in some languages is assigned.

        >>> Orders(mode=Mode.LANGUAGES, languages=frozenset({"ar"})).cover(UUID(int=1), ["ar-EG"])
        True
        """
        match self.mode:
            case Mode.CHOSEN:
                return course in self.courses
            case Mode.LANGUAGES:
                spoken = {first_part(one) for one in languages} - _NO_LANGUAGE
                return not spoken or bool(spoken & {first_part(one) for one in self.languages})
            case _:
                return True


EVERYTHING: Final = Orders(mode=Mode.ALL)
_NO_LANGUAGE: Final = frozenset({"", "und", "zxx", "x"})

# How much a course is needed: the smaller, the more. What is due comes in the order of its day.
ENROLLED: Final = date.max.toordinal() + 1
ASKED: Final = ENROLLED + 1
ASSIGNED: Final = ENROLLED + 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """That somebody who learns here takes a course; ``due`` is the first day on which it is due for anybody."""

    due: date | None


def rank_of(*, taken: Taken | None, asked: bool, assigned: bool) -> int | None:
    """Return how much a course is needed on a node; ``None``: its files are not to come.

    >>> rank_of(taken=Taken(due=date(2026, 12, 1)), asked=False, assigned=False) < ENROLLED
    True
    """
    if taken is not None:
        return ENROLLED if taken.due is None else taken.due.toordinal()
    if asked:
        return ASKED
    return ASSIGNED if assigned else None


def first_part(language: str) -> str:
    """Return the language of a tag, without script and region."""
    return language.replace("_", "-").partition("-")[0].lower()
