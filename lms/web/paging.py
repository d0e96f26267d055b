"""One page of a long list: which rows it holds and how many pages there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Row = TypeVar("Row")

ROWS = 25


@dataclass(frozen=True, kw_only=True, slots=True)
class Page(Generic[Row]):
    """Rows of one page; ``number`` counts from 1."""

    rows: Sequence[Row]
    number: int
    total: int

    @property
    def last(self) -> int:
        """The number of the last page, at least 1."""
        return max(1, -(-self.total // ROWS))


def first_row(number: int) -> int:
    """Return how many rows stand before this page."""
    return (max(number, 1) - 1) * ROWS
