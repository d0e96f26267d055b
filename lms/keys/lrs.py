"""Who may use the record store: its keys, looked up once and remembered until one is revoked."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

from lms.database import Database
from lms.keys.queries import find_lrs_key
from xapi_store.http.lrs import Credentials

KEYS = "https://outpost.invalid/keys"
REMEMBERED_S = 5.0
MOST_REMEMBERED = 1000


def lrs_authentication(database: Database) -> Callable[[str | None], Credentials | None]:
    """Return what the record store calls with each request's ``Authorization`` header.

    What a header proved is remembered for a few seconds, by digest: other processes learn of a revocation
    within that time, and a request does not cost a query.
    """
    remembered: dict[bytes, tuple[float, Credentials | None]] = {}

    def authenticate(header: str | None) -> Credentials | None:
        if not header:
            return None
        digest, now = hashlib.sha256(header.encode()).digest(), time.monotonic()
        known = remembered.get(digest)
        if known is not None and known[0] > now:
            return known[1]
        with database.read() as session:
            key = find_lrs_key(session, header)
        found = None
        if key is not None:
            authority = {"objectType": "Agent", "account": {"homePage": KEYS, "name": key.key}}
            found = Credentials(authority=authority, scopes=frozenset(key.scopes))
        if len(remembered) >= MOST_REMEMBERED:
            remembered.clear()
        remembered[digest] = (now + REMEMBERED_S, found)
        return found

    return authenticate
