"""What pages need from the node they run on; built once in ``lms.app``, found at ``request.app.state.site``.

Features further up (people, keys, nodes) hand in functions here, so that the base template can show the
person and the sync chip on every page although this package knows neither.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sqlalchemy.orm import Session
from starlette.requests import HTTPConnection

from lms.database import Database
from lms.web.viewer import Viewer

if TYPE_CHECKING:
    from content_packages.shelf import Shelf


@dataclass(frozen=True, kw_only=True, slots=True)
class Chip:
    """How the records of this node stand with the others, in one line.

    ``alone``: paired with no one yet. ``since``: of the oldest waiting record, or of the last delivery.
    """

    state: Literal["delivered", "waiting", "refused", "alone"]
    count: int = 0
    since: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NavItem:
    """One place in the top navigation, shown to those who have the right."""

    label: str  # a message id: write mark("…")
    href: str
    right: str


def _no_bearer(_database: Database, _token: str, _now: datetime) -> Viewer | None:
    return None


@dataclass(frozen=True, kw_only=True)
class Site:
    """One node as its pages see it."""

    database: Database
    now: Callable[[], datetime]
    public_url: str
    content_url: str
    secret: bytes  # at least 32 random bytes, kept for the life of the node
    node_name: str
    shelf: Shelf
    uploads: Path
    assets: Mapping[str, str]
    chip: Callable[[Session, datetime], Chip]
    recognise: Callable[[Database, str, datetime], Viewer | None]
    """Whose session this cookie opens (``lms.people.sessions.recognise``)."""
    recognise_bearer: Callable[[Database, str, datetime], Viewer | None] = _no_bearer
    """Whose API token this is (``lms.keys``)."""
    navigation: tuple[NavItem, ...] = ()
    first_person_here: bool = False
    """Whether a browser may create the first administrator: on laptops, which only their owner reaches."""
    grants_travel: bool = False
    """Whether roles given here count on all nodes below: at the centre."""

    @property
    def is_https(self) -> bool:
        """Whether browsers reach this node through TLS."""
        return self.public_url.startswith("https://")

    def sign(self, purpose: str, value: str) -> str:
        """Return a keyed hash of *value* that only this node can make, apart for every purpose."""
        return hmac.new(self.secret, f"{purpose}\n{value}".encode(), hashlib.sha256).hexdigest()


def site_of(request: HTTPConnection) -> Site:
    """Return the site a request arrived at."""
    site: Site = request.app.state.site
    return site
