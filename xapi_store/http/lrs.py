"""What the app needs from its host: a database, a clock, and the word on who may do what."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from xapi_store.errors import ForbiddenError

Answer = TypeVar("Answer")
_ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """Who asks: the agent that becomes the authority of statements, and the scopes granted."""

    authority: dict[str, Any]
    scopes: frozenset[str]

    def require(self, *any_of: str) -> None:
        """Refuse unless one of some scopes, or `all`, was granted.

        Raises:
            ForbiddenError: none of them was.
        """
        if self.scopes.isdisjoint({"all", *any_of}):
            raise ForbiddenError(f"This needs one of the scopes {', '.join(any_of)} or all.")


def _now() -> datetime:
    return datetime.now(UTC)


def _admit_all(_session: Session, _credentials: Credentials, _statements: Sequence[dict[str, Any]]) -> None:
    """Refuse nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lrs:
    """The host's side of the record store.

    `write` does a work in a transaction and returns its answer once that is durable (works of several requests
    may share a transaction, each whole or not at all); `read` never commits; `authenticate` gets the Authorization
    header and answers `None` for nobody; `admit` sees new statements inside the transaction and may raise
    `ForbiddenError`.
    """

    write: Callable[[Callable[[Session], Any]], Any]
    read: Callable[[], AbstractContextManager[Session]]
    authenticate: Callable[[str | None], Credentials | None]
    admit: Callable[[Session, Credentials, Sequence[dict[str, Any]]], None] = _admit_all
    now: Callable[[], datetime] = _now

    def change(self, work: Callable[[Session], Answer]) -> Answer:
        """Run one writing transaction and return its answer after it is durable.

        On PostgreSQL two writers may bring the same id at once. The slower one fails, runs again, and finds
        it.
        """
        for _ in range(_ATTEMPTS - 1):
            try:
                answer: Answer = self.write(work)
            except IntegrityError:
                continue
            return answer
        last: Answer = self.write(work)
        return last
