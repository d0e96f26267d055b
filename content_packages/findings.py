"""What an import has to say: each finding names its rule, the facts, and the place.

A finding stores the code of its rule and the facts; its sentence is made from the rule's template
(``rules.RULES``), so a caller may translate the template and fill in the same facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from content_packages.rules import RULES, Severity


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
    facts: Mapping[str, str | int] = field(default_factory=dict, hash=False)
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
        return RULES[self.code].text.format_map(self.facts)

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return RULES[self.code].remedy

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
        }


def finding(code: str, *, file: str | None = None, line: int | None = None, **facts: str | int) -> Finding:
    """Make a finding; the facts are named as in the rule's sentence and cut to a length one can read."""
    return Finding(
        code=code, facts={name: _legible(fact) for name, fact in facts.items()}, file=file, line=line
    )


def blocking(findings: Iterable[Finding]) -> bool:
    """Tell whether any of them refuses the package."""
    return any(found.severity is Severity.ERROR for found in findings)


def _legible(fact: str | int) -> str | int:
    """Show control characters as escapes, and no more than a reader can take in."""
    if isinstance(fact, int):
        return fact
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in fact)
    return shown if len(shown) <= 160 else f"{shown[:120]}…{shown[-30:]}"
