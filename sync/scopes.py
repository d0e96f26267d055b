"""Which logs there are, who writes them, and who may see them.

A scope is a name, or a name and a unit (``directory/post-4``). Facts and proposals go up to the root; what
the root decides comes down to the units it is for. What is known of the people whom a node looks after comes down to it
one step at a time: each node on the way tells it anew, of what it holds itself.

| scope         | written by               | given to                                         |
|---------------|--------------------------|--------------------------------------------------|
| `revocations` | the root, its delegates  | everybody                                        |
| `directory`   | the root, its delegates  | the unit's nodes; without unit, everybody        |
| `people/NODE` | who admitted that node   | that node, by its writer and nobody else         |
| `offers`      | any node                 | its writer, the centre, hubs on the way to it    |
| `up`          | any node                 | its writer, the centre, hubs on the way to it    |
| `catalogue`   | the root, its delegates  | the unit's nodes; without unit, everybody        |

The table's order is the order in which a conversation moves them.
"""

from __future__ import annotations

from dataclasses import dataclass

from sync.messages import Certificate
from sync.vector import LogKey

REVOCATIONS = "revocations"
DIRECTORY = "directory"
PEOPLE = "people"
OFFERS = "offers"
UP = "up"
CATALOGUE = "catalogue"

UPWARD = frozenset({OFFERS, UP})
DOWNWARD = frozenset({REVOCATIONS, DIRECTORY, PEOPLE, CATALOGUE})
_ORDER = {name: place for place, name in enumerate((REVOCATIONS, DIRECTORY, PEOPLE, OFFERS, UP, CATALOGUE))}


def scope_for(name: str, unit: str | None = None) -> str:
    """Return the scope of a name, narrowed to one unit if one is given."""
    return f"{name}/{unit}" if unit else name


def parts_of(scope: str) -> tuple[str, str]:
    """Return a scope's name and its unit (empty for all).

    >>> parts_of("directory/post-4"), parts_of("up")
    (('directory', 'post-4'), ('up', ''))
    """
    name, _, unit = scope.partition("/")
    return name, unit


def priority(key: LogKey) -> tuple[int, LogKey]:
    """Sort logs in the order in which they are moved."""
    return _ORDER.get(parts_of(key.scope)[0], len(_ORDER)), key


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """What a node may be given by another.

    Attributes:
        peer: the one that is given.
        giver: the one that gives.
        is_below: the giver admitted the peer: facts and offers come from there, and do not go there.
        at_ms: when, by the giver's clock.
    """

    peer: Certificate
    giver: Certificate
    is_below: bool
    at_ms: int

    def covers(self, key: LogKey) -> bool:
        """Say whether the peer may be given this log.

        Its own entries it may always have back. Revocations reach also the one whose certificate has ended.
        """
        name, _ = parts_of(key.scope)
        if key.origin == self.peer.node:
            return True
        if self.peer.has_expired(self.at_ms) and name != REVOCATIONS:
            return False
        if name in UPWARD and not self.is_upward:
            return False
        if name == PEOPLE and key.origin != self.giver.node:
            return False
        return wants(self.peer, key)

    @property
    def is_upward(self) -> bool:
        """Whether facts and offers go from the giver to the peer."""
        return self.peer.role == "central" or not (self.is_below or self.giver.role == "central")


def wants(node: Certificate, key: LogKey) -> bool:
    """Say whether a log is for a node of this role and these units, which keeps it when offered it.

    A centre keeps unknown scopes too, so that a newer node's records pass through an older one.
    """
    name, unit = parts_of(key.scope)
    if key.origin == node.node:
        return True
    if name == PEOPLE:
        return unit == node.node
    if node.role == "central":
        return True
    if name in UPWARD:
        return node.role == "hub"
    return name in DOWNWARD and _speaks_for(node, unit)


def is_authority(origin: Certificate, scope: str, *, at_ms: int) -> bool:
    """Say whether an origin may decide in this scope (downward), not only propose (upward).

    The centre may; a hub may for its own units. This is a privilege, so it ends with the certificate:
    ``at_ms`` is when the entry was written, for what was decided in time may arrive years later.
    """
    name, unit = parts_of(scope)
    if origin.has_expired(at_ms):
        return False
    if name == PEOPLE:  # whether it is the one that may write to this node, the node itself knows
        return origin.role in {"hub", "central"}
    return origin.role == "central" or (origin.role == "hub" and bool(unit) and _speaks_for(origin, unit))


def may_write(origin: Certificate, scope: str, *, at_ms: int) -> bool:
    """Say whether entries of this scope are taken from this origin. Facts always are."""
    name, _ = parts_of(scope)
    return name not in DOWNWARD or is_authority(origin, scope, at_ms=at_ms)


def _speaks_for(node: Certificate, unit: str) -> bool:
    return not unit or "*" in node.units or unit in node.units
