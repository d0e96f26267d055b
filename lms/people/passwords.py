"""Passwords: argon2id (RFC 9106), as costly as this machine can bear, at most two at once.

A check takes as long for a name nobody has: the caller passes ``None`` and a hash of the same cost is
computed. Waiting is bounded too, so a flood of sign-ins cannot take every thread from those who learn.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.orm import Session
from starlette.requests import HTTPConnection

from lms.database import Database
from lms.people.errors import PasswordsBusyError, PasswordTooShortError
from lms.people.tables import PasswordCost

SHORTEST = 8
LONGEST = 1000  # more would only make the server work
AT_ONCE = 2
IN_LINE = 8
ENOUGH_S = 0.25
TOO_MUCH_S = 0.5
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another when read from paper


@dataclass(frozen=True, slots=True)
class Cost:
    """What one hashing takes: KiB of memory and passes over it."""

    memory_kib: int
    time: int


FLOOR = Cost(19 * 1024, 2)  # OWASP's least
LADDER = (
    FLOOR,
    Cost(46 * 1024, 2),
    Cost(64 * 1024, 3),
    Cost(64 * 1024, 5),
    Cost(64 * 1024, 8),
    Cost(64 * 1024, 12),
)


class Passwords:
    """Makes and checks password hashes of one cost.

    Args:
        cost: of new hashes; older ones say their own.
        at_once: how many are computed at the same time; each takes its memory.
        in_line: how many may be at it or wait; the next one is told to come back.
    """

    def __init__(self, cost: Cost, *, at_once: int = AT_ONCE, in_line: int = IN_LINE) -> None:
        self.cost = cost
        self._hasher = PasswordHasher(time_cost=cost.time, memory_cost=cost.memory_kib, parallelism=1)
        self._at_work = threading.BoundedSemaphore(at_once)
        self._in_line = threading.BoundedSemaphore(in_line)
        self._nobodys = self._hasher.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        """Return the hash to keep.

        Raises:
            PasswordTooShortError: it has fewer than :data:`SHORTEST` characters.
            PasswordsBusyError: too many wait already.
        """
        if len(password) < SHORTEST:
            raise PasswordTooShortError(least=SHORTEST)
        with self._turn():
            return self._hasher.hash(password[:LONGEST])

    def matches(self, kept: str | None, password: str) -> bool:
        """Return whether *password* belongs to the hash *kept*; ``None`` takes as long and never matches.

        Raises:
            PasswordsBusyError: too many wait already.
        """
        with self._turn():
            try:
                self._hasher.verify(self._nobodys if kept is None else kept, password[:LONGEST])
            except (VerificationError, InvalidHashError):
                return False
            return kept is not None

    def is_weak(self, kept: str) -> bool:
        """Return whether a hash is worth making anew.

        Hashes travel between machines of differing strength; only one that costs less than half of ours
        is replaced, or two machines would replace each other's for ever.
        """
        parameters = extract_parameters(kept)
        return parameters.memory_cost * parameters.time_cost * 2 < self.cost.memory_kib * self.cost.time

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._in_line.acquire(blocking=False):
            raise PasswordsBusyError
        try:
            with self._at_work:
                yield
        finally:
            self._in_line.release()


def first_password(choose: Callable[[str], str] = secrets.choice) -> str:
    """Return a password to hand to somebody, who must choose her own when she first signs in.

    >>> first_password(lambda letters: letters[0])
    'aaaa-aaaa-aaaa'
    """
    return "-".join("".join(choose(_LETTERS) for _ in range(4)) for _ in range(3))


def passwords_of(request: HTTPConnection) -> Passwords:
    """Return the hashing of the node a request arrived at."""
    passwords: Passwords = request.app.state.passwords
    return passwords


def prepare_passwords(database: Database) -> Passwords:
    """Return the hashing of this node; the first call measures the machine and keeps the result."""
    with database.read() as session:
        cost = _kept_cost(session)
    if cost is None:
        cost = calibrate(_took_s)
        with database.write() as session:
            session.merge(PasswordCost(id=1, memory_kib=cost.memory_kib, time=cost.time))
    return Passwords(cost)


def calibrate(took_s: Callable[[Cost], float]) -> Cost:
    """Return the first cost that takes long enough, or the one before if that takes too long.

    Args:
        took_s: measures one hashing, in seconds.
    """
    best = FLOOR
    for cost in LADDER:
        spent = took_s(cost)
        if spent > TOO_MUCH_S:
            return best
        best = cost
        if spent >= ENOUGH_S:
            return best
    return best


def _took_s(cost: Cost) -> float:
    hasher = PasswordHasher(time_cost=cost.time, memory_cost=cost.memory_kib, parallelism=1)
    start = time.perf_counter()
    hasher.hash("how long does this machine take")
    return time.perf_counter() - start


def _kept_cost(session: Session) -> Cost | None:
    row = session.get(PasswordCost, 1)
    return Cost(row.memory_kib, row.time) if row else None
