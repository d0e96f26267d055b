"""What a rule is, and the requirements and remedies that rules of several families share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """What a finding means for the import."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A rule, its source, its sentence (filled with the facts of a finding) and what to do."""

    severity: Severity
    requirement: str
    text: str
    remedy: str


OURS = "Limit of Outpost"
OFFLINE = "Works without a network"
BROWSERS = "Works in today’s browsers"
NOTHING = "Nothing to do."
ASK = "Ask the author to export the course again."
CHECK = "This alone keeps no course from being imported; try the course before you publish it."
ZIP_AGAIN = "Make the zip again with an ordinary tool, from the original export, and import that."
RAISE = "Ask an administrator to raise {setting:variable} ({setting} in lms.toml; by default {default})."
RAISE_BYTES = (
    "Ask an administrator to raise {setting:variable} ({setting} in lms.toml; by default {default:bytes})."
)
SPLIT = f"Split the course. {RAISE}"
SPLIT_BYTES = f"Split the course. {RAISE_BYTES}"


def error(requirement: str, text: str, remedy: str) -> Rule:
    """Return a rule that stops the import."""
    return Rule(severity=Severity.ERROR, requirement=requirement, text=text, remedy=remedy)


def warning(requirement: str, text: str, remedy: str = CHECK) -> Rule:
    """Return a rule of what may not work."""
    return Rule(severity=Severity.WARNING, requirement=requirement, text=text, remedy=remedy)


def note(requirement: str, text: str, remedy: str = NOTHING) -> Rule:
    """Return a rule of what was mended or is worth knowing."""
    return Rule(severity=Severity.NOTE, requirement=requirement, text=text, remedy=remedy)
