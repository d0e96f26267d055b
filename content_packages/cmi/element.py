"""Take the name of a data model element apart.

``cmi.objectives.3.score.raw`` is member 3 of row ``cmi.objectives.n.score.raw``. A name comes from a course
and may be anything; what cannot name an element simply matches no row.
"""

from dataclasses import dataclass
from functools import lru_cache

_TARGET = ".{target="
_MOST_DIGITS = 6
_KEPT_CHARS = 128  # of a name that is remembered: a course may make up others as long as it likes
_KEYWORDS = frozenset({"_children", "_count", "_version"})
_FIRST = ("id", "type")


@dataclass(frozen=True, slots=True)
class Place:
    """One index in a name: member ``index`` of collection ``path`` (whose row is ``row``)."""

    path: str
    row: str
    index: int


@dataclass(frozen=True, slots=True)
class Name:
    """A name taken apart.

    Attributes:
        path: the name with every index written the one usual way (``01`` is ``1``): the key of a value.
        row: the name of its row in the table.
        places: its indexes, outermost first.
        keyword: ``_children``, ``_count`` or ``_version`` when the name ended so; the others are without it.
    """

    path: str
    row: str
    places: tuple[Place, ...]
    keyword: str = ""

    def beside(self, row: str) -> str:
        """Return the path of another row that belongs to the same members."""
        indexes = (str(place.index) for place in self.places)
        return ".".join(next(indexes) if part == "n" else part for part in row.split("."))


def parse(element: str) -> Name:
    """Take a name apart."""
    return _parsed(element) if len(element) <= _KEPT_CHARS else _parsed.__wrapped__(element)


@lru_cache(maxsize=4_096)  # lessons say the same few hundred names with every commit
def _parsed(element: str) -> Name:
    at = element.find(_TARGET)
    head, target = (element, "") if at < 0 else (element[:at], element[at:])
    parts = head.split(".")
    keyword = parts.pop() if not target and len(parts) > 1 and parts[-1] in _KEYWORDS else ""
    path: list[str] = []
    row: list[str] = []
    places: list[Place] = []
    for part in parts:
        if _is_index(part):
            places.append(Place(".".join(path), ".".join(row), int(part)))
            path.append(str(int(part)))
            row.append("n")
        else:
            path.append(part)
            row.append(
                "?" if part in {"n", "{target}"} else part
            )  # those stand for something; nobody may say them
    tail = ""
    if target:
        tail = ".{target}" if len(target) > len(_TARGET) + 1 and target.endswith("}") else ".?"
    return Name(".".join(path) + target, ".".join(row) + tail, tuple(places), keyword)


def order(element: str) -> tuple[tuple[int, str], ...]:
    """Sort key: members by number, and in a member ``id`` first, then ``type``: the rest depends on them."""
    return tuple(_rank(part) for part in element.split("."))


def _rank(part: str) -> tuple[int, str]:
    if part in _FIRST:
        return _FIRST.index(part) - len(_FIRST), ""
    if _is_index(part):
        return int(part), ""
    return 10**_MOST_DIGITS, part


def _is_index(part: str) -> bool:
    return part.isascii() and part.isdigit() and len(part) <= _MOST_DIGITS
