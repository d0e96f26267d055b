"""Which section of the standard a rule stands in: xAPI 1.0.3, part Data, and xAPI 2.0 (IEEE 9274.1.1).

Three tables, asked in this order: what was broken as such (`BY_KIND`), the format a string should have had
(`BY_PATTERN`), the place in the statement (`BY_PLACE`). Both standards can be laid beside them.
"""

from collections.abc import Iterable
from typing import NamedTuple

from xapi_store.model.iri import (
    DURATION_PATTERN,
    IRI_PATTERN,
    LANGUAGE_PATTERN,
    MAILTO_PATTERN,
    SHA1_PATTERN,
    UUID_PATTERN,
)
from xapi_store.model.version import Version


class Section(NamedTuple):
    """One rule's place in both standards."""

    v1: str
    v2: str


_FORMAT = Section(
    "2.2", "4.2.1"
)  # null, wrong type, unknown property: "Formatting Requirements", "Table Guidelines"
_STATEMENT = Section("2.4", "4.2.2")
ID = Section("2.4.1", "4.2.2")
_IDENTIFIER = Section("2.4.2.3", "4.2.2.1")
_ACTIVITY = Section("2.4.4.1", "4.2.2.3")
_CONTEXT = Section("2.4.6", "4.2.2.5")
_AUTHORITY = Section("2.4.9", "4.2.4.2")
ATTACHMENTS = Section("2.4.11", "4.2.2.6")
SIGNED = Section("2.6", "4.2.6")
_EXTENSIONS = Section("4.1", "4.2.7")
_LANGUAGE_MAP = Section("4.2", "4.2.7")

#: Kinds of fault, as Pydantic and the shapes call them; every kind that ends in `_type` is a wrong type.
BY_KIND: dict[str, Section] = {
    "extra_forbidden": _FORMAT,
    "too_many": _FORMAT,
    "identifier": _IDENTIFIER,
    "anonymous_group": Section("2.4.2.2", "4.2.2.1"),
    "authority": _AUTHORITY,
    "component_ids": _ACTIVITY,
    "context": _CONTEXT,
    "duration": Section("4.6", "4.2.7"),
    "interaction": _ACTIVITY,
    "score": Section("2.4.5.1", "4.2.2.4"),
    "timestamp": Section("4.5", "4.2.7"),
    "voiding": Section("2.3.2", "4.2.5"),
}

BY_PATTERN: dict[str, Section] = {
    IRI_PATTERN: Section("4.3", "4.2.7"),
    UUID_PATTERN: Section("4.4", "4.2.7"),
    DURATION_PATTERN: Section("4.6", "4.2.7"),
    MAILTO_PATTERN: _IDENTIFIER,
    SHA1_PATTERN: _IDENTIFIER,
}

#: Names of properties and, behind =, of the shape that was chosen; the innermost one that stands here decides.
BY_PLACE: dict[str, Section] = {
    "id": ID,
    "actor": Section("2.4.2", "4.2.2.1"),
    "=Agent": Section("2.4.2.1", "4.2.2.1"),
    "=Group": Section("2.4.2.2", "4.2.2.1"),
    "member": Section("2.4.2.2", "4.2.2.1"),
    "mbox": _IDENTIFIER,
    "mbox_sha1sum": _IDENTIFIER,
    "openid": _IDENTIFIER,
    "account": Section("2.4.2.4", "4.2.2.1"),
    "verb": Section("2.4.3", "4.2.2.2"),
    "object": Section("2.4.4", "4.2.2.3"),
    "=Activity": _ACTIVITY,
    "=StatementRef": Section("2.4.4.3", "4.2.2.3"),
    "=SubStatement": Section("2.4.4.3", "4.2.2.3"),
    "definition": _ACTIVITY,
    "result": Section("2.4.5", "4.2.2.4"),
    "score": Section("2.4.5.1", "4.2.2.4"),
    "context": _CONTEXT,
    "registration": Section("2.4.6.1", "4.2.2.5"),
    "contextActivities": Section("2.4.6.2", "4.2.2.5"),
    "contextAgents": _CONTEXT,
    "contextGroups": _CONTEXT,
    "timestamp": Section("2.4.7", "4.2.2"),
    "stored": Section("2.4.8", "4.2.4.2"),
    "authority": _AUTHORITY,
    "version": Section("2.4.10", "4.2.2"),
    "attachments": ATTACHMENTS,
}
_MAPS = {
    "display": _LANGUAGE_MAP,
    "description": _LANGUAGE_MAP,
    "name": _LANGUAGE_MAP,
    "extensions": _EXTENSIONS,
}


def section_of(kind: str, location: Iterable[int | str], pattern: str | None = None) -> Section:
    """Return where the rule stands that a fault breaks.

    Args:
        kind: what Pydantic or a shape calls the fault.
        location: the steps that lead to it, as Pydantic tells them.
        pattern: what a string did not match.
    """
    steps = [step for step in location if isinstance(step, str)]
    if steps[-1:] == ["[key]"]:  # of a map: the map's own section says what a key may be
        return _MAPS.get(steps[-3], _FORMAT) if len(steps) > 2 else _FORMAT
    if kind in BY_KIND:
        return BY_KIND[kind]
    if kind.endswith("_type") and kind != "object_type":
        return _FORMAT
    if pattern in BY_PATTERN:
        return BY_PATTERN[pattern]
    if pattern == LANGUAGE_PATTERN:
        return _CONTEXT
    # An id alone is the statement's; any other belongs to what it identifies.
    known = [step for step in steps if step in BY_PLACE and (step != "id" or len(steps) == 1)]
    return BY_PLACE[known[-1]] if known else _STATEMENT


def cite(section: Section, version: Version | None) -> str:
    """Name a section as people look it up; of both standards where no version was spoken.

    >>> cite(Section("2.4.3", "4.2.2.2"), Version.V1)
    'xAPI 1.0.3 Data §2.4.3'
    """
    first, second = f"xAPI 1.0.3 Data §{section.v1}", f"xAPI 2.0 (IEEE 9274.1.1) §{section.v2}"
    return {Version.V1: first, Version.V2: second, None: f"{first}; {second}"}[version]
