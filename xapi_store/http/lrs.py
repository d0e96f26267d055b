"""What the app needs from its host: a database, a clock, and the word on who may do what."""

import errno
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from xapi_store.attachments import Files
from xapi_store.errors import ForbiddenError, TakenMeanwhileError
from xapi_store.feed import unsettled_since
from xapi_store.ingest import Arriving, Following

Answer = TypeVar("Answer")
_MOMENT = timedelta(microseconds=1)
_ATTEMPTS = 3
_TRY_AGAIN = ("40001", "40P01")  # PostgreSQL: serialization failure, deadlock


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """Who asks.

    Args:
        authority: the agent that becomes the authority of statements.
        scopes: what is granted.
        registration: under which state is kept, and looked for, where a request names none.
    """

    authority: dict[str, Any]
    scopes: frozenset[str]
    registration: UUID | None = None

    def require(self, *any_of: str) -> None:
        """Refuse unless one of some scopes, or `all`, was granted.

        Raises:
            ForbiddenError: none of them was.
        """
        if self.scopes.isdisjoint({"all", *any_of}):
            raise ForbiddenError(f"This needs one of the scopes {', '.join(any_of)} or all.")


def _now() -> datetime:
    return datetime.now(UTC)


def _no_open_write(_session: Session) -> datetime | None:
    return None


def _admit_all(_session: Session, _credentials: Credentials, _arriving: Sequence[Arriving]) -> None:
    """Refuse nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A request as the host may look at it: `resource` is its path below the store, HEAD counts as GET."""

    resource: str
    method: str
    parameters: Mapping[str, str]
    content_type: str
    body: bytes


def _look_away(_session: Session, _credentials: Credentials, _asked: Asked) -> None:
    """Refuse nothing, note nothing."""


def _hold_nothing(_session: Session, _credentials: Sequence[Credentials]) -> None:
    """Lock nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lrs:
    """The host's side of the record store.

    `write` does a work in a transaction and returns its answer once that is durable; `read` never commits.
    `glance` gives a session for looking single rows up, of which none ever waits, each as it is at that moment;
    a host whose database may keep one waiting has none, and then everything runs in worker threads.
    `authenticate` finds whom an Authorization header proves, `None` for nobody. `look` sees each request of somebody
    known before it is carried out, and may raise an `LrsError`; what it returns is noted with a change of documents
    or the reading of one row, before that is answered. `hold` locks what new statements of these credentials will
    change, before anything is looked up. `admit` sees the statements inside the transaction, may raise
    `ForbiddenError`, and says what follows from them. `oldest_write` says since when the oldest write that
    has not committed is open. `files` keeps large attachments; without it they are kept in the database.
    """

    write: Callable[[Callable[[Session], Any]], Any]
    read: Callable[[], AbstractContextManager[Session]]
    authenticate: Callable[[Session, str | None], Credentials | None]
    glance: Callable[[], Session] | None = None
    look: Callable[[Session, Credentials, Asked], Callable[[Session], object] | None] = _look_away
    hold: Callable[[Session, Sequence[Credentials]], None] = _hold_nothing
    admit: Callable[[Session, Credentials, Sequence[Arriving]], Sequence[Following] | None] = _admit_all
    oldest_write: Callable[[Session], datetime | None] = _no_open_write
    files: Files | None = None
    now: Callable[[], datetime] = _now

    def consistent_through(self, session: Session) -> datetime:
        """Return up to which `stored` a reader misses nothing.

        That is now, or just before the oldest open write, or before what waits for one to end (`feed.unsettled_since`).
        """
        now, open_writes = self.now(), (self.oldest_write(session), unsettled_since(session))
        return min([now, *(since - _MOMENT for since in open_writes if since is not None)])

    def change(self, work: Callable[[Session], Answer]) -> Answer:
        """Run one writing transaction and return its answer after it is durable.

        On PostgreSQL two writers may make the same document at once, or bring the same statement. The slower one fails,
        runs again, and finds it.
        """
        for _ in range(_ATTEMPTS - 1):
            try:
                answer: Answer = self.write(work)
            except TakenMeanwhileError:
                continue
            except DBAPIError as error:
                if not isinstance(error, IntegrityError) and _code(error) not in _TRY_AGAIN:
                    raise
                continue
            return answer
        last: Answer = self.write(work)
        return last


def is_full(error: Exception) -> bool:
    """Say whether the disk under the database, or under files, has no room left."""
    original = getattr(error, "orig", None)
    return (
        getattr(original, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        or getattr(original, "sqlstate", None) == "53100"
        or (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT))
    )


def _code(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)
