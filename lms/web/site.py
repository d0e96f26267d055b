"""What pages need from the node they run on; built once in ``lms.app``, found at ``request.app.state.site``.

Features further up (people, keys, nodes) hand in functions here, so that the base template can show the
person and the sync chip on every page although this package knows neither.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from sqlalchemy.orm import Session
from starlette.requests import HTTPConnection
from starlette.types import Scope

from lms.database import Database
from lms.web.reach import Reach, in_url
from lms.web.viewer import Viewer

if TYPE_CHECKING:
    from content_packages.shelf import Shelf


@dataclass(frozen=True, kw_only=True, slots=True)
class Chip:
    """How the records of this node stand with the others, in one line.

    Attributes:
        state: ``alone``: paired with no one yet.
        count: of records that wait.
        since: when another node was met last.
        goal: where records are delivered in the end; a hub that has joined no centre is that itself.
        passed: while one is being met: records that have passed,
        to_pass: of how many that are known.
        days_alone: since one was met, where some wait.
    """

    state: Literal["delivered", "waiting", "refused", "alone"]
    count: int = 0
    since: datetime | None = None
    goal: Literal["here", "hub", "centre"] = "centre"
    passed: int = 0
    to_pass: int = 0
    days_alone: int = 0


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
    reach: Reach | None = None
    """Other addresses at which it is found; ``site_of`` gives the site as seen from the one a request names."""
    own_root: bool = False
    """Whether its HTTPS rests on a root of its own, beside which it has a plain door to hand that out."""
    port_of: Callable[[UUID], int] | None = None
    """The port of an edition at the host of ``content_url``; ``None`` where editions have names below it."""

    @property
    def is_https(self) -> bool:
        """Whether browsers reach this node through TLS."""
        return self.public_url.startswith("https://")

    def sign(self, purpose: str, value: str) -> str:
        """Return a keyed hash of *value* that only this node can make, apart for every purpose."""
        return hmac.new(self.secret, f"{purpose}\n{value}".encode(), hashlib.sha256).hexdigest()


def site_of(request: HTTPConnection) -> Site:
    """Return the site a request arrived at, with the addresses by which whoever sent it finds the node."""
    return seen_from(request.app.state.site, request.scope)


def seen_from(site: Site, scope: Scope) -> Site:
    """Return a site with its addresses as they are for whoever sent a request."""
    reach = site.reach
    host = reach.own_host(scope) if reach is not None else None
    if reach is None or host is None:
        return site
    content = f"{reach.scheme}://{in_url(host)}"
    return replace(site, public_url=reach.pages_at(scope), content_url=content, port_of=reach.port_of)
