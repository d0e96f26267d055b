"""What an import has to say: each finding names its rule, the facts, and the place.

A finding stores the code of its rule and the facts; its sentence is made from the rule's template
(``rules.RULES``), so a caller may translate the template and fill in the same facts.
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from content_packages.limits import size_in_english, variable
from content_packages.rules import RULES, Severity

Fact = str | int
MOST_OF_A_KIND = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Writing:
    """How a language writes what stands in a sentence: a number, a count of bytes, a phrase of ``rules.PHRASES``."""

    number: Callable[[int], str]
    size: Callable[[int], str]
    phrase: Callable[[str], str]


ENGLISH = Writing(number=str, size=size_in_english, phrase=str)


def fill(template: str, facts: Mapping[str, Fact], writing: Writing = ENGLISH) -> str:
    """Return a sentence with its facts; ``{size:bytes}`` is a count of bytes, ``{setting:variable}`` its other name.

    >>> fill("{name} has {size:bytes}.", {"name": "a.mp4", "size": 3_100_000})
    'a.mp4 has 3.1 MB.'
    >>> fill("Raise {setting:variable}.", {"setting": "max_items"})
    'Raise LMS_MAX_ITEMS.'

    Raises:
        KeyError: a fact is missing.
    """
    return _Filler(writing).vformat(template, (), facts)


class _Filler(string.Formatter):
    def __init__(self, writing: Writing) -> None:
        self._writing = writing

    def format_field(self, value: Any, format_spec: str) -> str:
        if not isinstance(value, int):
            return self._writing.phrase(variable(value) if format_spec == "variable" else value)
        return self._writing.size(value) if format_spec == "bytes" else self._writing.number(value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing an instructor should know.

    Args:
        code: the key of its rule in ``RULES``.
        facts: what fills the rule's sentence.
        file: the path inside the package, or ``None`` for the package as a whole.
        line: the line in ``file``, from 1.
    """

    code: str
    facts: Mapping[str, Fact] = field(default_factory=dict, hash=False)
    file: str | None = None
    line: int | None = None

    @property
    def severity(self) -> Severity:
        """Whether it blocks the import (error), may surprise a learner (warning), or was put right (note)."""
        return RULES[self.code].severity

    @property
    def requirement(self) -> str:
        """The sentence of a standard, or the limit of this product, that the rule comes from."""
        return RULES[self.code].requirement

    @property
    def detail(self) -> str:
        """One sentence for a person: what it is and where."""
        return fill(RULES[self.code].text, self.facts)

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return fill(RULES[self.code].remedy, self.facts)

    @property
    def location(self) -> str | None:
        """``file:line`` as far as they are known."""
        return self.file if self.line is None else f"{self.file or ''}:{self.line}"

    def to_json(self) -> dict[str, Any]:
        """Return everything about it as plain values."""
        return {
            "severity": self.severity.value,
            "code": self.code,
            "requirement": self.requirement,
            "detail": self.detail,
            "file": self.file,
            "line": self.line,
            "location": self.location,
            "remedy": self.remedy,
            "facts": dict(self.facts),
        }


def finding(code: str, *, file: str | None = None, line: int | None = None, **facts: Fact) -> Finding:
    """Make a finding; the facts are named as in the rule's sentence and cut to a length one can read."""
    return Finding(
        code=code, facts={name: _legible(fact) for name, fact in facts.items()}, file=file, line=line
    )


def placed(found: Finding) -> Finding:
    """Return a finding about an entry of an archive with the name that its sentence tells as its place."""
    return replace(found, file=found.file or str(found.facts.get("name", "")) or None)


def legible(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings a person can read: each once, the first of each code, and how many more there are of it."""
    kept: list[Finding] = []
    seen: Counter[str] = Counter()
    for found in _each_once(findings):
        seen[found.code] += 1
        if seen[found.code] <= MOST_OF_A_KIND:
            kept.append(found)
    more = [
        finding("report.more", name=code, count=count - MOST_OF_A_KIND)
        for code, count in seen.items()
        if count > MOST_OF_A_KIND
    ]
    return (*kept, *more)


def _each_once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield what differs: a file that ten items name is looked at ten times."""
    told = set()
    for found in findings:
        said = (found.code, found.file, found.line, tuple(found.facts.items()))
        if said not in told:
            told.add(said)
            yield found


def blocking(findings: Iterable[Finding]) -> bool:
    """Tell whether any of them refuses the package."""
    return any(found.severity is Severity.ERROR for found in findings)


def _legible(fact: Fact) -> Fact:
    """Show control characters as escapes, and no more than a reader can take in."""
    if isinstance(fact, int):
        return fact
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in fact)
    return shown if len(shown) <= 160 else f"{shown[:120]}…{shown[-30:]}"
