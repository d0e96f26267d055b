"""Find keys, and recognise who shows one."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.keys.tables import Key


def digest(secret: str) -> bytes:
    """Return what is kept of a secret.

    A secret is 256 random bits, so that a plain digest cannot be searched backwards and a slow one would
    only slow every request down.
    """
    return hashlib.sha256(secret.encode()).digest()


def list_keys(session: Session, kind: str) -> Sequence[Key]:
    """Return the keys of one kind, oldest first, revoked ones included."""
    return session.scalars(select(Key).where(Key.kind == kind).order_by(Key.id)).all()


def find_lrs_key(session: Session, authorization: str | None) -> Key | None:
    """Return the LRS key that an ``Authorization: Basic`` header proves, if any."""
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        key, _, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except ValueError:  # not Base64, or not UTF-8 inside
        return None
    return _find(session, "lrs", key, secret)


def find_token(session: Session, authorization: str | None) -> Key | None:
    """Return the token that an ``Authorization: Bearer KEY.SECRET`` header proves, if any."""
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    key, _, secret = value.strip().partition(".")
    return _find(session, "token", key, secret)


def _find(session: Session, kind: str, key: str, secret: str) -> Key | None:
    if not key.isprintable():  # no key is like that, and PostgreSQL takes no NUL
        return None
    row = session.scalars(
        select(Key).where(Key.kind == kind, Key.key == key, Key.revoked.is_(None))
    ).one_or_none()
    kept = row.secret_digest if row is not None else bytes(32)
    return row if hmac.compare_digest(kept, digest(secret)) else None
