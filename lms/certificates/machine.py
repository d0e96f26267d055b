"""The names and addresses by which a machine is found in its network."""

from __future__ import annotations

import ipaddress
import re
import socket

import ifaddr

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def own_names() -> list[str]:
    """Return the machine's name, as networks without a name server have it (mDNS, RFC 6762), and plain."""
    name = socket.gethostname().partition(".")[0].lower()
    if name == "localhost" or not _NAME.fullmatch(name):
        return []
    return [f"{name}.local", name]


def own_addresses() -> list[str]:
    """Return the addresses of the machine that others may ask for, the older kind first."""
    found = {
        ipaddress.ip_address(one.ip if isinstance(one.ip, str) else one.ip[0])
        for adapter in ifaddr.get_adapters()
        for one in adapter.ips
    }
    useful = [one for one in found if not (one.is_loopback or one.is_link_local)]
    return [str(one) for one in sorted(useful, key=lambda one: (one.version, int(one)))]
