"""Who looks at a page: plain values, so that every feature and template may read them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Viewer:
    """The person a session or a bearer token belongs to, and what she may do.

    ``rights`` is made from the roles by the one policy table (``lms.people.policy``).
    """

    public_id: UUID
    name: str
    roles: frozenset[str]
    rights: frozenset[str]
    locale: str | None
    session_id: int | None = None
    password_temporary: bool = False

    def may(self, right: str) -> bool:
        """Return whether this right was granted; what is not granted is denied."""
        return right in self.rights
