"""Find keys, and recognise who shows one."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from lms.keys.tables import Key
from xapi_store.tables.prepared import Prepared


def digest(secret: str) -> bytes:
    """Return what is kept of a secret.

    A secret is 256 random bits, so that a plain digest cannot be searched backwards and a slow one would
    only slow every request down.
    """
    return hashlib.sha256(secret.encode()).digest()


def list_keys(session: Session, kind: str) -> Sequence[Key]:
    """Return the keys of one kind, oldest first, revoked ones included."""
    return session.scalars(select(Key).where(Key.kind == kind).order_by(Key.id)).all()


def find_key(session: Session, kind: str, key: str) -> Key | None:
    """Return a credential, in force or revoked."""
    return session.scalars(select(Key).where(Key.kind == kind, Key.key == key)).one_or_none()


@dataclass(frozen=True, slots=True)
class Proven:
    """A key in force whose secret somebody has shown."""

    key: str
    name: str
    scopes: list[str]


def find_lrs_key(session: Session, authorization: str | None) -> Proven | None:
    """Return the LRS key that an ``Authorization`` header proves, if any: Basic, or Bearer KEY.SECRET."""
    scheme, _, value = (authorization or "").partition(" ")
    match scheme.lower():
        case "basic":
            try:
                key, _, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
            except ValueError:  # not Base64, or not UTF-8 inside
                return None
        case "bearer":
            key, _, secret = value.strip().partition(".")
        case _:
            return None
    return _find(session, "lrs", key, secret)


def find_token(session: Session, authorization: str | None) -> Proven | None:
    """Return the token that an ``Authorization: Bearer KEY.SECRET`` header proves, if any."""
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    key, _, secret = value.strip().partition(".")
    return _find(session, "token", key, secret)


def _find(session: Session, kind: str, key: str, secret: str) -> Proven | None:
    if not key.isprintable():  # no key is like that, and PostgreSQL takes no NUL
        return None
    row = _IN_FORCE.first(session.connection(), kind=kind, key=key)
    kept = row[0] if row is not None else bytes(32)
    return Proven(*row[1:]) if hmac.compare_digest(kept, digest(secret)) and row is not None else None


# Every request of the record store asks.
_IN_FORCE = Prepared(
    select(Key.secret_digest, Key.key, Key.name, Key.scopes).where(
        Key.kind == bindparam("kind"), Key.key == bindparam("key"), Key.revoked.is_(None)
    )
)
