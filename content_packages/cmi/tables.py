"""The tables of the two standards, read once from ``scorm12.json`` and ``scorm2004.json``.

The player bundles the same files, so a browser and a server cannot come to hold different rules.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any


class Standard(StrEnum):
    """Which data model a unit speaks; the value is the name of its table."""

    SCORM_12 = "scorm12"
    SCORM_2004 = "scorm2004"


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """What a value must look like; ``None`` and empty mean that nothing is asked.

    A value is right when it is one of ``values``, or else fits ``pattern`` and lies from ``least`` to
    ``greatest``. ``spm`` is the length the standard makes every LMS keep: more is kept too, and reported;
    more than ``most`` is refused.
    """

    values: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None
    ranged: bool = False
    least: float | None = None
    greatest: float | None = None
    spm: int | None = None
    most: int | None = None
    localized: bool = False
    response: str = ""

    def holds(self, number: float) -> bool:
        """Tell whether a number lies in the range."""
        return (self.least is None or number >= self.least) and (
            self.greatest is None or number <= self.greatest
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Element:
    """One row of a data model table."""

    access: str
    format: Format
    default: str | None = None
    needs: tuple[str, ...] = ()
    append: bool = False
    unique: bool = False
    fixed: bool = False
    own_access: bool = False
    empty_is_unset: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """A status that follows from a measure once its threshold is given (RTE 4th Ed. §4.2.4.1, §4.2.22.1)."""

    measure: str
    threshold: str
    reached: str
    below: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """How many members the standard asks for, and how many are taken; a closed collection never grows."""

    spm: int
    most: int
    closed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """The data model of one standard; in names ``n`` stands for an index, ``{target}`` for a named target."""

    standard: Standard
    version: Mapping[str, str]
    errors: Mapping[str, str]
    rules: Mapping[str, str | None]
    elements: Mapping[str, Element]
    nodes: frozenset[str]
    children: Mapping[str, str]
    collections: Mapping[str, Limit]
    evaluated: Mapping[str, Evaluation]
    languages: frozenset[str]


@cache
def table(standard: Standard) -> Table:
    """Return the table of a standard."""
    raw = json.loads(files(__package__).joinpath(f"{standard}.json").read_text(encoding="utf-8"))
    formats = {name: _format(spec) for name, spec in raw["formats"].items()}
    elements = {name: _element(spec, formats) for name, spec in raw["elements"].items()}
    below: dict[str, list[str]] = {}
    for name in elements:
        parts = name.split(".")
        for depth in range(1, len(parts)):
            names = below.setdefault(".".join(parts[:depth]), [])
            if parts[depth] not in names:
                names.append(parts[depth])
    return Table(
        standard=standard,
        version=raw["version"],
        errors=raw["errors"],
        rules=raw["rules"],
        elements=elements,
        nodes=frozenset(below),
        children={
            name: ",".join(below[f"{name}.n" if f"{name}.n" in below else name]) for name in raw["children"]
        },
        collections={name: Limit(**spec) for name, spec in raw["collections"].items()},
        evaluated={name: Evaluation(**spec) for name, spec in raw["evaluated"].items()},
        languages=frozenset(raw.get("languages", "").split()),
    )


def _format(spec: dict[str, Any]) -> Format:
    least, greatest = spec.get("range", (None, None))
    return Format(
        values=frozenset(spec.get("values", ())),
        pattern=re.compile(spec["pattern"]) if "pattern" in spec else None,
        ranged="range" in spec,
        least=least,
        greatest=greatest,
        spm=spec.get("spm"),
        most=spec.get("most"),
        localized=spec.get("localized", False),
        response=spec.get("response", ""),
    )


def _element(spec: dict[str, Any], formats: Mapping[str, Format]) -> Element:
    return Element(
        access=spec["access"],
        format=formats[spec["format"]],
        default=spec.get("default"),
        needs=tuple(spec.get("needs", ())),
        append=spec.get("append", False),
        unique=spec.get("unique", False),
        fixed=spec.get("fixed", False),
        own_access=spec.get("own_access", False),
        empty_is_unset=spec.get("empty_is_unset", False),
    )
