"""Statements and a record store with plain defaults."""

import base64
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from lms.database import Database
from xapi_store.http import Credentials, Lrs

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LEARNER = {"objectType": "Agent", "account": {"homePage": "https://outpost.invalid/people", "name": "p1"}}
AUTHORITY = {"objectType": "Agent", "account": {"homePage": "https://outpost.invalid/keys", "name": "k1"}}
PASSED = "http://adlnet.gov/expapi/verbs/passed"
VOIDED = "http://adlnet.gov/expapi/verbs/voided"
COURSE = "https://outpost.invalid/courses/c1"
BASIC = "Basic " + base64.b64encode(b"user:secret").decode()


def a_statement(**changes: Any) -> dict[str, Any]:
    return {
        "actor": LEARNER,
        "verb": {"id": PASSED, "display": {"en-US": "passed"}},
        "object": {"objectType": "Activity", "id": COURSE},
    } | changes


def a_voiding(target: UUID | str, **changes: Any) -> dict[str, Any]:
    return a_statement(
        verb={"id": VOIDED}, object={"objectType": "StatementRef", "id": str(target)}, **changes
    )


def an_lrs(database: Database, *scopes: str) -> Lrs:
    """A record store that knows one user, with the scopes given or all."""
    known = Credentials(authority=AUTHORITY, scopes=frozenset(scopes or {"all"}))
    return Lrs(
        write=database.change,
        read=database.read,
        authenticate=lambda _session, header: known if header == BASIC else None,
        glance=database.glance if database.is_sqlite else None,
        oldest_write=database.oldest_write,
    )
