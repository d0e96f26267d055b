"""Every edition has a host of its own, so that two courses cannot reach each other's storage or pages."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit
from uuid import UUID

from lms.web.reach import in_url
from lms.web.site import Site


def label_of(secret: bytes, edition: UUID) -> str:
    """Return the label of an edition's host: a keyed hash, so that no course can guess another's."""
    return "k" + hmac.new(secret, f"content-host\n{edition}".encode(), hashlib.sha256).hexdigest()[:20]


def origin_of(content_url: str, label: str) -> str:
    """Return the origin on which an edition is played.

    >>> origin_of("http://localhost:8001", "k1")
    'http://k1.localhost:8001'
    """
    address = urlsplit(content_url)
    return f"{address.scheme}://{label}.{address.netloc}"


def origin_for(site: Site, edition: UUID) -> str:
    """Return the origin on which an edition is played: a name below the host of courses, or a port at it.

    Raises:
        NoPortLeftError: more courses are played than there are ports.
    """
    if site.port_of is None:
        return origin_of(site.content_url, label_of(site.secret, edition))
    address = urlsplit(site.content_url)
    return f"{address.scheme}://{in_url(address.hostname or '')}:{site.port_of(edition)}"


def label_in(content_url: str, host: str) -> str | None:
    """Return the label in a Host header; ``None`` for a host that is not one of ours.

    >>> label_in("http://localhost:8001", "k1.localhost:8001")
    'k1'
    >>> label_in("http://localhost:8001", "localhost:8001") is None
    True
    """
    name, dot, rest = host.lower().partition(".")
    return name if dot and name and rest.partition(":")[0] == urlsplit(content_url).hostname else None
