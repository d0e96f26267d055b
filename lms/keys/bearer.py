"""Programs that come with a bearer token: what they may do at ``/api/v1``.

A token is nobody: it has the rights its scopes name, and what it makes bears an id of its own that no person has.
It takes no courses.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid5

from lms.database import Database
from lms.keys.queries import find_token
from lms.keys.scopes import EVERYTHING, TOKEN_RIGHTS
from lms.web.viewer import Viewer

_TOKENS = UUID("7d9f3f8e-6c1c-4a55-9d0e-2c8f6f0b7a11")


def recognise_bearer(database: Database, token: str, _now: datetime) -> Viewer | None:
    """Return whom a bearer token stands for."""
    with database.read() as session:
        proven = find_token(session, f"Bearer {token}")
    if proven is None:
        return None
    granted = set(proven.scopes)
    rights = TOKEN_RIGHTS if EVERYTHING in granted else TOKEN_RIGHTS & granted
    return Viewer(
        public_id=uuid5(_TOKENS, proven.key),
        name=proven.name,
        roles=frozenset(),
        rights=rights,
        locale=None,
    )
