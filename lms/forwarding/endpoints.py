"""The address of another record store: what is one, and whether the way there is protected."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from lms.forwarding.errors import EndpointError, UnprotectedEndpointError

MOST_CHARS = 500


def checked_endpoint(text: str, *, unprotected_allowed: bool) -> str:
    """Return an endpoint without the slash at its end.

    Without TLS only this machine and addresses of a private network are taken, written as numbers: what a name
    stands for may be another machine tomorrow.

    Raises:
        EndpointError: it is no http or https address, or has parts that no endpoint has.
        UnprotectedEndpointError: it begins with http://, and nobody said that this is meant.
    """
    trimmed = text.strip().rstrip("/")
    try:
        parts = urlsplit(trimmed)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise EndpointError from error
    printable = (
        trimmed.isascii() and trimmed.isprintable() and not any(sign in trimmed for sign in ' "<>\\^`{|}')
    )
    extra = parts.username is not None or parts.query or parts.fragment or "?" in trimmed or "#" in trimmed
    if (
        parts.scheme not in {"http", "https"}
        or not host
        or extra
        or not printable
        or len(trimmed) > MOST_CHARS
    ):
        raise EndpointError
    if parts.scheme == "http" and not unprotected_allowed and not _is_near(host):
        raise UnprotectedEndpointError
    return trimmed


def _is_near(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_private or address.is_link_local
