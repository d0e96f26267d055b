"""Keys: shown once, recognised, revoked at once."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.keys.actions import KeyNotFoundError, create_key, revoke_key
from lms.keys.queries import find_lrs_key, find_token
from lms.keys.scopes import ScopesMissingError, ScopesUnknownError
from lms.keys.tables import Key

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def basic(key: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()


def test_the_right_secret_opens(session: Session) -> None:
    made = create_key(session, "lrs", "Dashboard", ["statements/read"], now=NOON)

    found = find_lrs_key(session, basic(made.key, made.secret))

    assert found is not None
    assert (found.name, found.scopes) == ("Dashboard", ["statements/read"])


@pytest.mark.parametrize(
    "header",
    [None, "", "Basic", "Basic %%%", "Basic //79", "Bearer x.y", "Digest abc", "Basic é", "Basic YQA6Yg=="],
)
def test_anything_else_does_not(session: Session, header: str | None) -> None:
    create_key(session, "lrs", "Dashboard", ["all"], now=NOON)

    assert find_lrs_key(session, header) is None


def test_the_wrong_secret_and_the_wrong_kind_do_not(session: Session) -> None:
    lrs = create_key(session, "lrs", "Dashboard", ["all"], now=NOON)
    token = create_key(session, "token", "Script", ["all"], now=NOON)

    assert find_lrs_key(session, basic(lrs.key, "wrong")) is None
    assert find_lrs_key(session, basic(token.key, token.secret)) is None
    assert find_token(session, f"Bearer {lrs.key}.{lrs.secret}") is None
    assert find_token(session, f"Bearer {token.key}.{token.secret}") is not None


def test_a_revoked_key_is_refused_at_once(session: Session) -> None:
    made = create_key(session, "lrs", "Dashboard", ["all"], now=NOON)

    revoke_key(session, made.key, now=NOON)

    assert find_lrs_key(session, basic(made.key, made.secret)) is None
    with pytest.raises(KeyNotFoundError):
        revoke_key(session, made.key, now=NOON)


def test_the_secret_is_kept_nowhere(session: Session) -> None:
    made = create_key(session, "lrs", "Dashboard", ["all"], now=NOON)

    row = session.scalars(select(Key)).one()

    assert made.secret.encode() not in row.secret_digest
    assert made.secret not in repr(vars(row))


def test_a_scope_that_does_not_exist_makes_no_key(session: Session) -> None:
    with pytest.raises(ScopesUnknownError, match="statements/wirte"):
        create_key(session, "lrs", "Dashboard", ["statements/read", "statements/wirte"], now=NOON)
    with pytest.raises(ScopesMissingError):
        create_key(session, "lrs", "Dashboard", [], now=NOON)


def test_a_key_of_another_kind_is_not_revoked(session: Session) -> None:
    token = create_key(session, "token", "Script", ["all"], now=NOON)

    with pytest.raises(KeyNotFoundError):
        revoke_key(session, token.key, now=NOON, kind="lrs")
