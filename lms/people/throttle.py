"""Wrong passwords make the next try wait, twice as long each time; kept in the database, per name.

The first tries are free, because people mistype. The longest wait lets 1,000 tries take more than a day
and an honest person in within two minutes. A try counts before the password is checked, so many at once
do not slip through. Names nobody has are counted alike, or the wait would tell who exists.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from lms.people.tables import LoginThrottle

FREE_TRIES = 4
FIRST_WAIT_S = 5
LONGEST_WAIT_S = 120
_FORGOTTEN_AFTER = timedelta(days=30)


def count_try(session: Session, sign_in_name: str, *, now: datetime) -> int:
    """Count a try and return 0, or return the seconds to wait and count nothing."""
    digest = _digest(sign_in_name)
    row = session.get(LoginThrottle, digest, with_for_update=True)
    if row is None:
        session.execute(delete(LoginThrottle).where(LoginThrottle.last_try < now - _FORGOTTEN_AFTER))
        session.add(LoginThrottle(name_digest=digest, tries=1, last_try=now))
        session.flush()
        return 0
    # When the clock was set back the wait begins again; it does not last until the clock catches up.
    row.last_try = min(row.last_try, now)
    left_s = (row.last_try + timedelta(seconds=wait_s(row.tries)) - now).total_seconds()
    if left_s > 0:
        return max(1, round(left_s))
    row.tries += 1
    row.last_try = now
    session.flush()
    return 0


def forget_tries(session: Session, sign_in_name: str) -> None:
    """Let a name begin afresh: the right password was given, or an administrator gave a new one."""
    session.execute(delete(LoginThrottle).where(LoginThrottle.name_digest == _digest(sign_in_name)))


def wait_s(tries: int) -> int:
    """Return how long to wait after so many wrong tries.

    >>> [wait_s(tries) for tries in (0, 4, 5, 6, 9, 1000)]
    [0, 0, 5, 10, 80, 120]
    """
    if tries <= FREE_TRIES:
        return 0
    doublings = min(tries - FREE_TRIES - 1, 10)
    return min(FIRST_WAIT_S << doublings, LONGEST_WAIT_S)


def _digest(sign_in_name: str) -> bytes:
    return hashlib.sha256(sign_in_name.encode()).digest()
