"""Make and revoke keys."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lms.keys.queries import digest
from lms.keys.scopes import KeyNameMissingError, checked_scopes
from lms.keys.tables import Key

MOST_NAME_CHARS = 200
KEY_PATTERN = "^[0-9a-f]{20}$"


class KeyNotFoundError(Exception):
    """There is no such key, or it has been revoked already."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"No key {key!r} is in force.")


class KeyMadeAlreadyError(Exception):
    """A form for a new key was sent once more; the secret that it made was shown then."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"Key {key!r} was made already.")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; the secret is shown this once and kept nowhere."""

    key: str
    secret: str


def unused_key() -> str:
    """Return what a new key can be called."""
    return secrets.token_hex(10)


def create_key(
    session: Session, kind: str, name: str, scopes: Sequence[str], *, now: datetime, key: str | None = None
) -> NewKey:
    """Make a credential of *kind* ``"lrs"`` or ``"token"``.

    Where a form may be sent twice, *key* is what it offered (:func:`unused_key`): so it makes one all the same.

    Raises:
        KeyMadeAlreadyError: there is such a key.
        KeyNameMissingError: the name is empty, or too long to be one.
        ScopesMissingError, ScopesUnknownError: it would open nothing, or what there is not.
    """
    name = "".join(sign for sign in name if sign.isprintable()).strip()
    if not 0 < len(name) <= MOST_NAME_CHARS:
        raise KeyNameMissingError
    scopes = checked_scopes(kind, scopes)
    made = NewKey(key=key or unused_key(), secret=secrets.token_hex(32))
    session.add(
        Key(
            kind=kind,
            name=name,
            key=made.key,
            secret_digest=digest(made.secret),
            scopes=list(scopes),
            created=now,
        )
    )
    try:
        session.flush()
    except IntegrityError as error:
        raise KeyMadeAlreadyError(made.key) from error
    return made


def revoke_key(session: Session, key: str, *, now: datetime, kind: str | None = None) -> None:
    """Put a key out of force, at once; of one *kind* only, where that is said.

    Raises:
        KeyNotFoundError: no such key is in force.
    """
    row = session.scalars(select(Key).where(Key.key == key, Key.revoked.is_(None))).one_or_none()
    if row is None or kind not in {None, row.kind}:
        raise KeyNotFoundError(key)
    row.revoked = now
    session.flush()
