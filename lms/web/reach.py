"""Where browsers find a node: at one address that is set, or at every address and name of its machine.

A training-room hub is asked for by whatever its network gave it: ``http://10.0.0.5:8000``, ``http://hub.local:8000``.
Such a request is answered when it names the very address at which it arrived, or a name of the machine; a page of
another site that had its name lead here (DNS rebinding) names itself and is refused. Nothing need be known in advance.

Where there are no names for courses, each is played on a port of its own at the same address.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from starlette.types import Scope

from lms.settings import is_address
from lms.web.host_header import asked_for, host_header

ROOT_NAME = "outpost-root.crt"  # of the file in which a node hands out its own root
_USUAL_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """How a node may be asked for.

    Args:
        public_url: where its pages are found, as set.
        content_url: where its courses are, as set.
        names: host names under which the pages are asked for, at any port.
        by_address: whether every address of the machine, and its *own_names*, will do as well.
        port: of the pages.
        content_ports: a port for each course, where courses have no names.
        port_of: the port of an edition.
    """

    public_url: str
    content_url: str
    names: frozenset[str]
    by_address: bool = False
    own_names: frozenset[str] = frozenset()
    port: int = 8000
    content_ports: range = range(0)
    port_of: Callable[[UUID], int] | None = None

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""
        return urlsplit(self.public_url).scheme

    @property
    def courses_by_port(self) -> bool:
        """Whether courses have ports at the address that is set for them, and not names below it."""
        return bool(self.content_ports) and is_address(urlsplit(self.content_url).hostname or "")

    def is_pages(self, scope: Scope) -> bool:
        """Say whether a request asks for the pages under a name of this node."""
        return asked_for(scope) in self.names or self.own_host(scope) is not None

    def own_host(self, scope: Scope) -> str | None:
        """Return the address or name of this machine that a request asks for; ``None`` for any other."""
        name = asked_for(scope)
        if not self.by_address or name in self.names:
            return None
        if name in self.own_names:
            return name
        return name if _is_same_address(name, (scope.get("server") or ("", 0))[0]) else None

    def pages_at(self, scope: Scope) -> str:
        """Return the origin of the pages for whoever sent this request, to the pages or to a course."""
        host = self.own_host(scope)
        if host is None:
            return self.public_url
        if server_port(scope) in self.content_ports:
            usual = self.port == _USUAL_PORTS[self.scheme]
            return f"{self.scheme}://{in_url(host)}" + f":{self.port}" * (not usual)
        return f"{self.scheme}://{host_header(scope)}"

    def is_port_of_a_course(self, scope: Scope) -> bool:
        """Say whether a request came in on a port that courses are played on, at an address where they are."""
        port = server_port(scope)
        if port not in self.content_ports:
            return False
        at_set_address = self.courses_by_port and asked_for(scope) == urlsplit(self.content_url).hostname
        if not at_set_address and self.own_host(scope) is None:
            return False
        return host_header(scope).rpartition(":")[2] == str(port)  # a port is all that tells courses apart


def server_port(scope: Scope) -> int | None:
    """Return the port at which a request arrived."""
    return (scope.get("server") or ("", None))[1]


def in_url(host: str) -> str:
    """Return a host as it stands in an address.

    >>> in_url("fd00::5"), in_url("hub.local")
    ('[fd00::5]', 'hub.local')
    """
    return f"[{host}]" if ":" in host else host


def _is_same_address(asked: str, arrived_at: str) -> bool:
    one, other = _address(asked), _address(arrived_at)
    return one is not None and one == other and not one.is_loopback


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found  # as a listener for both kinds sees the older one
