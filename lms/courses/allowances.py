"""What a course's content is allowed beyond its fence: windows, hosts outside, frames, a window of its own.

Nothing is allowed until an administrator says so. What was decided stands in the course's own record, in the order it
was decided, and is never taken out of it: so who opened what, and when, can be read later. The last decision holds.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from lms.settings import is_address
from lms.web.wording import FieldError, mark

MOST_HOSTS = 20
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}", re.ASCII)
_SOURCE = re.compile(
    r"https://(?P<name>[^/:?#@\\\s]+)(?::(?P<port>[1-9][0-9]{0,4}))?/?", re.ASCII | re.IGNORECASE
)
# Of this machine, of the network it stands in, or of nobody (RFC 6761, 6762, 8375).
_NEAR = frozenset({"localhost", "local", "internal", "lan", "home", "arpa", "test", "invalid", "onion"})


class HostRefusedError(FieldError):
    """A host that content cannot be allowed to reach; the fact ``host`` is what was written."""

    field = "hosts"
    sentence = mark(
        "%(host)s cannot be allowed. Write each host in full, as https://media.example.org: no path, no star, no bare "
        "address, and no host of this network."
    )


class TooManyHostsError(FieldError):
    """More hosts than one course may reach; the fact ``most`` is how many may be."""

    field = "hosts"
    sentence = mark("A course may reach at most %(most)s hosts.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """What content may do beyond its fence.

    Args:
        windows: it may open windows; they are fenced as it is.
        hosts: origins it may load pictures, sound, films, data and frames from, and send to, as `sources_of` has them.
        frames: its frames may lead each other, which no browser has behind a sandbox: it may open windows too, and lead
            the player page away.
        own_window: it is opened in place of the player page, and not in a frame of it.
    """

    windows: bool = False
    hosts: tuple[str, ...] = ()
    frames: bool = False
    own_window: bool = False

    def __bool__(self) -> bool:
        """Say whether anything is allowed."""
        return self.windows or bool(self.hosts) or self.frames or self.own_window

    def hosts_but(self, ours: Collection[str]) -> tuple[str, ...]:
        """Return the hosts that are neither one of *ours* nor below one; another node may not know our names."""
        return tuple(one for one in self.hosts if not _is_below(urlsplit(one).hostname or "", ours))


NOTHING = Allowance()


def hosts_of(*addresses: str) -> frozenset[str]:
    """Return the host names in addresses, of this node as a rule."""
    return frozenset(urlsplit(one).hostname or "" for one in addresses)


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """That something is allowed, or no longer; *by* is a person's public id."""

    allowed: Allowance
    decided: datetime
    by: UUID | None

    def to_json(self) -> dict[str, Any]:
        """Return it as the course keeps it."""
        return {
            "windows": self.allowed.windows,
            "hosts": list(self.allowed.hosts),
            "frames": self.allowed.frames,
            "own_window": self.allowed.own_window,
            "decided": self.decided.isoformat(),
            "by": str(self.by) if self.by else None,
        }


def decisions_of(kept: Iterable[Mapping[str, Any]] | None) -> tuple[Decision, ...]:
    """Read the decisions a course keeps, in the order they were taken."""
    return tuple(
        Decision(
            allowed=Allowance(
                windows=one["windows"] is True,
                hosts=tuple(one["hosts"]),
                frames=one.get("frames") is True,  # decisions of older nodes do not speak of it
                own_window=one["own_window"] is True,
            ),
            decided=datetime.fromisoformat(one["decided"]),
            by=UUID(one["by"]) if one["by"] else None,
        )
        for one in kept or ()
    )


def allowed_by(kept: Iterable[Mapping[str, Any]] | None) -> Allowance:
    """Return what is allowed now by the decisions a course keeps.

    What came from another node is judged here as well: a host that this node would not take is not opened.
    """
    decided = decisions_of(kept)
    if not decided:
        return NOTHING
    last = decided[-1].allowed
    hosts = tuple(one for one in last.hosts if _source(one) == one)[:MOST_HOSTS]
    return replace(last, hosts=hosts)


def sources_of(written: Iterable[str], *, ours: Collection[str]) -> tuple[str, ...]:
    """Judge hosts as people write them, and return them as a policy names them, each once.

    Args:
        written: one host each; what is empty is passed over.
        ours: host names of this node, which no content may be allowed to reach.

    Raises:
        HostRefusedError: one of them is no host that can be allowed.
        TooManyHostsError: there are more than ``MOST_HOSTS``.
    """
    found: dict[str, None] = {}
    for text in filter(None, map(str.strip, written)):
        source = _source(text)
        if source is None or _is_below(urlsplit(source).hostname or "", ours):
            raise HostRefusedError(host=text[:100])
        found[source] = None
    if len(found) > MOST_HOSTS:
        raise TooManyHostsError(most=MOST_HOSTS)
    return tuple(found)


def _source(text: str) -> str | None:
    """Return a host as a source of a Content-Security-Policy; ``None`` for what is none, or is near.

    >>> _source("HTTPS://Media.Example.org/"), _source("https://media.example.org:8443")
    ('https://media.example.org', 'https://media.example.org:8443')
    >>> [_source(one) for one in ("https://*.example.org", "https://10.0.0.7", "https://hub.local", "https://a.org;b")]
    [None, None, None, None]
    """
    found = _SOURCE.fullmatch(text)
    if found is None:
        return None
    name, port = found["name"].lower(), found["port"]
    if len(name) > 253 or _NAME.fullmatch(name) is None or _is_near(name) or int(port or 443) > 65535:
        return None
    return f"https://{name}" + f":{port}" * (port not in {None, "443"})


def _is_near(name: str) -> bool:
    top = name.rpartition(".")[2]
    # Browsers read 0x7f.1 and 127.1 as addresses too.
    return top in _NEAR or top.isdigit() or top.startswith("0x") or is_address(name)


def _is_below(name: str, ours: Collection[str]) -> bool:
    return any(name == one or name.endswith(f".{one}") for one in ours if one)
