"""Who may use the record store: whoever proves one of its keys that is in force."""

from __future__ import annotations

from sqlalchemy.orm import Session

from lms.keys.queries import find_lrs_key
from xapi_store.http.lrs import Credentials

KEYS = "https://outpost.invalid/keys"


def authenticate(session: Session, header: str | None) -> Credentials | None:
    """Return whom an ``Authorization`` header proves.

    Nothing is remembered from one request to the next, so a key that is revoked opens nothing from then on,
    whichever process revoked it. Looking one up takes a few microseconds: a secret is random, and needs no slow
    hash.
    """
    key = find_lrs_key(session, header)
    if key is None:
        return None
    authority = {"objectType": "Agent", "account": {"homePage": KEYS, "name": key.key}}
    return Credentials(authority=authority, scopes=frozenset(key.scopes))
