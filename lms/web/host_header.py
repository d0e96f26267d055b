"""The Host of a request: which of a node's names it was asked for under."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from starlette.types import Scope


def asked_for(scope: Scope) -> str:
    """Return the host name a request asks for, without its port."""
    return host_name(host_header(scope))


def host_header(scope: Scope) -> str:
    """Return the Host of a request, as it came."""
    said = next((value for name, value in scope["headers"] if name == b"host"), b"")
    return str(said.decode("latin-1"))


@lru_cache(maxsize=256)
def host_name(host: str) -> str:
    """Return the name in a Host header, without its port.

    >>> host_name("LocalHost:8000"), host_name("[::1]:8000"), host_name("a@b:c")
    ('localhost', '::1', '')
    """
    try:
        address = urlsplit(f"//{host}")
    except ValueError:
        return ""
    return address.hostname or "" if address.username is None else ""
