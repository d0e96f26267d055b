"""For which hosts a node's certificate has to be good, and having it so while the machine moves between networks."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from lms.certificates.authority import Authority, NoRootError, make_authority, open_authority
from lms.certificates.machine import own_addresses, own_names
from lms.settings import Settings


def hosts_of(settings: Settings) -> list[str]:
    """Return the names, wildcards and addresses under which browsers find the node now."""
    public = urlsplit(settings.public_url).hostname or "localhost"
    content = urlsplit(settings.content_url).hostname or "localhost"
    hosts = ["localhost", public, *settings.allowed_hosts, content, f"*.{content}"]
    if settings.by_address:
        hosts += [*own_names(), *own_addresses()]
    return [host for host in hosts if not (host.startswith("*.") and host[2:].replace(".", "").isdigit())]


def authority_of(settings: Settings, *, now: datetime) -> Authority:
    """Return the node's root, made if there was none, with a server's certificate that is good now."""
    try:
        authority = open_authority(settings.data)
    except NoRootError:
        authority = make_authority(settings.data, node_name=settings.name, hosts=hosts_of(settings), now=now)
    authority.show(hosts_of(settings), now=now)
    return authority


def renew(settings: Settings, authority: Authority, *, now: datetime) -> bool:
    """Make the certificate anew if it ends soon or the machine has other addresses; return whether it was."""
    return authority.show(hosts_of(settings), now=now)
