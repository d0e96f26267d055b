"""Read a package's learning object metadata (IEEE 1484.12.1; its 1.2 binding writes all names in lower case)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from content_packages.manifest.document import Node, collapse
from content_packages.manifest.vcard import Card, read_card
from content_packages.package import Metadata

NO_LANGUAGE = frozenset({"", "und", "none", "x-none"})  # Articulate tags every text x-none
_MOST_MINUTES = 10 * 366 * 24 * 60  # ten years: more is a slip, or meant for the number to overflow somewhere
_DURATION = re.compile(
    r"P(?:([0-9]{1,3})Y)?(?:([0-9]{1,4})M)?(?:([0-9]{1,9})D)?(?:T(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})(?:\.[0-9]+)?S)?)?"
)
_NO_TIME = re.compile("[PYMDTHS0:.]*")  # what tools write where nobody said
_CLOCK = re.compile(r"([0-9]{1,4}):([0-9]{2})(?::[0-9]{2}(?:\.[0-9]+)?)?")


def read_metadata(root: Node, organization: Node | None) -> Metadata:
    """Return what the record of the package, or else of its organization, says that a catalogue may take over."""
    lom = _record(root, organization)
    if lom is None:
        return Metadata()
    people = [*_contributors(lom, "lifecycle"), *_contributors(lom, "metametadata")]
    return Metadata(
        titles=_texts(lom, "general", "title"),
        descriptions=_texts(lom, "general", "description"),
        keywords=tuple(dict.fromkeys(_words(lom))),
        audience=", ".join(dict.fromkeys(_audience(lom))) or None,
        version=next(_texts_of_all(lom, "lifecycle", "version"), None),
        minutes=_minutes(lom),
        rights=next(_texts_of_all(lom, "rights", "description"), None),
        publisher=_publisher(people),
        contact=_contact(people),
    )


def unread_times(root: Node, organization: Node | None) -> Iterator[Node]:
    """Yield the elements of 5.9 Typical Learning Time that hold no time a course could take."""
    lom = _record(root, organization)
    for node in () if lom is None else _category(lom, "educational", "typicallearningtime"):
        for time in (*_below(node, "duration"), *_below(node, "datetime")):
            written = collapse(time.text)
            if minutes_of(written) is None and not _NO_TIME.fullmatch(written):
                yield time


def minutes_of(text: str) -> int | None:
    """Return a time in minutes, rounded up; it is written ``PT1H30M`` or, as SCORM 1.2 has it, ``01:30:00``.

    Of none, or of more than any course takes, nothing is said.
    """
    duration, clock = _DURATION.fullmatch(text), _CLOCK.fullmatch(text)
    total = 0
    if duration:
        years, months, days, hours, minutes, seconds = (int(part or 0) for part in duration.groups())
        total = (365 * years + 30 * months + days) * 1440 + hours * 60 + minutes + bool(seconds)
    elif clock:
        total = int(clock[1]) * 60 + int(clock[2])
    return total if 0 < total <= _MOST_MINUTES else None


def _record(root: Node, organization: Node | None) -> Node | None:
    """Return the record of the package, or else of its organization."""
    metadata = root.first("metadata") or (organization.first("metadata") if organization else None)
    return metadata.first("lom", "lom") if metadata else None


def _category(lom: Node, category: str, name: str) -> Iterator[Node]:
    """Yield the elements of this name; the bindings differ in where they write capitals."""
    for block in lom.children:
        if block.name.lower() == category:
            yield from _below(block, name)


def _below(node: Node, name: str) -> Iterator[Node]:
    return (child for child in node.children if child.name.lower() == name)


def _texts(lom: Node, category: str, name: str) -> dict[str, str]:
    return {tag: text for node in _category(lom, category, name) for tag, text in _strings(node)}


def _texts_of_all(lom: Node, category: str, name: str) -> Iterator[str]:
    return (text for node in _category(lom, category, name) for _, text in _strings(node))


def _strings(node: Node) -> Iterator[tuple[str, str]]:
    for string in node.children:
        if string.name in {"langstring", "string"} and string.text.strip():
            tag = string.attributes.get(("xml", "lang")) or string.get("language") or ""
            yield "und" if tag.lower() in NO_LANGUAGE else tag, collapse(string.text)


def _terms(node: Node) -> Iterator[str]:
    """Yield the values of a vocabulary; the 1.2 binding has a text with a language in each."""
    for value in _below(node, "value"):
        yield from (collapse(part.text) for part in value.walk() if part.text.strip())


def _words(lom: Node) -> Iterator[str]:
    """Yield what it is about: 1.5 Keyword, and of 9 Classification keywords, entries and their codes."""
    yield from _texts_of_all(lom, "general", "keyword")
    yield from _texts_of_all(lom, "classification", "keyword")
    for path in _category(lom, "classification", "taxonpath"):
        for taxon in (one for one in path.walk() if one.name.lower() == "taxon"):
            yield from (collapse(code.text) for code in _below(taxon, "id") if code.text.strip())
            yield from (text for entry in _below(taxon, "entry") for _, text in _strings(entry))


def _audience(lom: Node) -> Iterator[str]:
    """Yield 5.5 Intended End User Role and 5.6 Context."""
    for name in ("intendedenduserrole", "context"):
        for node in _category(lom, "educational", name):
            yield from _terms(node)


def _minutes(lom: Node) -> int | None:
    """Return 5.9 Typical Learning Time in minutes."""
    for node in _category(lom, "educational", "typicallearningtime"):
        for child in node.children:
            minutes = minutes_of(collapse(child.text))
            if minutes is not None:
                return minutes
    return None


def _contributors(lom: Node, category: str) -> Iterator[tuple[str, Card]]:
    """Yield role and card of those who had a hand in it (2.3 and 3.2 Contribute)."""
    for node in _category(lom, category, "contribute"):
        role = next((term.lower() for one in _below(node, "role") for term in _terms(one)), "")
        for child in (*_below(node, "entity"), *_below(node, "centity")):
            text = "\n".join(part.text for part in child.walk() if part.text.strip())
            if text:
                yield role, read_card(text)


def _publisher(people: Iterable[tuple[str, Card]]) -> str | None:
    """Return who it is that published it."""
    named = (card.organization or card.name for role, card in people if role == "publisher")
    return next(filter(None, named), None)


def _contact(people: Iterable[tuple[str, Card]]) -> str | None:
    """Return whom to ask: the publisher if she can be reached, or else whoever can."""
    reached = sorted(
        (role != "publisher", n, card.contact) for n, (role, card) in enumerate(people) if card.contact
    )
    return reached[0][2] if reached else None
