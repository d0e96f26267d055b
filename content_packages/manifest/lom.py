"""Read a package's learning object metadata (IEEE 1484.12.1; its 1.2 binding writes all names in lower case)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from content_packages.manifest.document import Node, collapse
from content_packages.package import Metadata

NO_LANGUAGE = frozenset({"", "und", "none", "x-none"})  # Articulate tags every text x-none
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?)?")
_CLOCK = re.compile(r"(\d{1,4}):(\d{2})(?::\d{2}(?:\.\d+)?)?")
_VCARD_NAME = re.compile(r"^(ORG|FN)(?:;[^:]*)?:(.+)$", re.IGNORECASE | re.MULTILINE)


def read_metadata(root: Node, organization: Node | None) -> Metadata:
    """Return what the record of the package, or else of its organization, says that a catalogue may take over."""
    record = root.first("metadata") or (organization.first("metadata") if organization else None)
    lom = record.first("lom", "lom") if record else None
    if lom is None:
        return Metadata(version=collapse(root.get("version") or "") or None) if record else Metadata()
    return Metadata(
        titles=_texts(lom, "general", "title"),
        descriptions=_texts(lom, "general", "description"),
        keywords=tuple(dict.fromkeys(_texts_of_all(lom, "general", "keyword"))),
        version=collapse(root.get("version") or "") or None,
        minutes=_minutes(lom),
        rights=next(_texts_of_all(lom, "rights", "description"), None),
        publisher=_publisher(lom),
    )


def minutes_of(text: str) -> int | None:
    """Return a time in minutes, rounded up; it is written ``PT1H30M`` or, as SCORM 1.2 has it, ``01:30:00``."""
    duration, clock = _DURATION.fullmatch(text), _CLOCK.fullmatch(text)
    if duration and text != "P":
        days, hours, minutes, seconds = (int(part or 0) for part in duration.groups())
        return (days * 1440 + hours * 60 + minutes + bool(seconds)) or None
    return (int(clock[1]) * 60 + int(clock[2]) or None) if clock else None


def _category(lom: Node, category: str, name: str) -> Iterator[Node]:
    for block in lom.all(category, "lom"):
        yield from (node for node in block.children if node.name.lower() == name)


def _texts(lom: Node, category: str, name: str) -> dict[str, str]:
    return {tag: text for node in _category(lom, category, name) for tag, text in _strings(node)}


def _texts_of_all(lom: Node, category: str, name: str) -> Iterator[str]:
    return (text for node in _category(lom, category, name) for _, text in _strings(node))


def _strings(node: Node) -> Iterator[tuple[str, str]]:
    for string in node.children:
        if string.name in {"langstring", "string"} and string.text.strip():
            tag = string.attributes.get(("xml", "lang")) or string.get("language") or ""
            yield "und" if tag.lower() in NO_LANGUAGE else tag, collapse(string.text)


def _minutes(lom: Node) -> int | None:
    """Return 5.9 Typical Learning Time in minutes."""
    for node in _category(lom, "educational", "typicallearningtime"):
        for child in node.children:
            minutes = minutes_of(collapse(child.text))
            if minutes is not None:
                return minutes
    return None


def _publisher(lom: Node) -> str | None:
    """Return the name in the vCard of 2.3 Contribute with the role publisher."""
    for node in _category(lom, "lifecycle", "contribute"):
        roles = {
            collapse(part.text).lower()
            for child in node.children
            if child.name.lower() == "role"
            for part in child.walk()
        }
        names = [
            found
            for child in node.children
            if child.name.lower() in {"entity", "centity"}
            for part in child.walk()
            for found in _VCARD_NAME.findall(part.text)
        ]
        if "publisher" in roles and names:
            return (
                collapse(min(names, key=lambda named: named[0].upper() != "ORG")[1].replace(";", " ")) or None
            )
    return None
