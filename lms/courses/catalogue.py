"""What the catalogue says of a course: what its package brings, and what people wrote over it.

Exported as a schema.org ``Course`` (https://schema.org/Course), so that institutions can share what they have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, fields
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from content_packages.errors import PackageError
from content_packages.intake import load_package
from content_packages.package import Metadata
from content_packages.shelf import Shelf
from lms.courses.iris import course_iri
from lms.courses.subjects import Subject
from lms.courses.tables import Edition
from lms.web.wording import Worded, mark

MAX_MINUTES = 100_000
_TAG = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$"

LanguageTag = Annotated[str, StringConstraints(pattern=_TAG, max_length=35)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=5000)]


class EntryError(Worded):
    """Something in a catalogue entry is not as it must be; the facts name the ``field`` and the ``problem``."""

    sentence = mark("The catalogue cannot take this for %(field)s: %(problem)s")


@checked(frozen=True, kw_only=True, slots=True)
class Entry:
    """One entry of the catalogue; what is empty is not said.

    Args:
        titles, descriptions: by language tag (RFC 5646); ``und`` where the package names none.
        subjects: codes of the taxonomy.
        audience: whom it is for.
        minutes: how long it takes to learn.
        licence: a name or an address.
        owner: the institution it belongs to.
        contact: whom to ask: a name, an address, a number.
        version_notes: what is new in it.
    """

    titles: Mapping[LanguageTag, Line] = field(default_factory=dict)
    descriptions: Mapping[LanguageTag, Text] = field(default_factory=dict)
    subjects: tuple[Line, ...] = ()
    audience: Line = ""
    minutes: Annotated[int, Field(ge=1, le=MAX_MINUTES)] | None = None
    licence: Line = ""
    owner: Line = ""
    contact: Line = ""
    version_notes: Text = ""

    def over(self, other: Entry) -> Entry:
        """Return this entry with what it does not say taken from another; texts language by language."""
        own = {name: getattr(self, name) or getattr(other, name) for name in _NAMES}
        own["titles"] = {**other.titles, **self.titles}
        own["descriptions"] = {**other.descriptions, **self.descriptions}
        return Entry(**own)

    def to_json(self) -> dict[str, Any]:
        """Return what is said, as plain values."""
        plain: dict[str, Any] = _ENTRY.dump_python(self, mode="json")
        return {name: value for name, value in plain.items() if value}


_NAMES = tuple(one.name for one in fields(Entry))
_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)


def entry_from(values: Mapping[str, Any] | None) -> Entry:
    """Read an entry.

    Raises:
        EntryError: a value is not as it must be.
    """
    try:
        return _ENTRY.validate_python({} if values is None else dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise EntryError(field=".".join(map(str, first["loc"])), problem=first["msg"]) from error


def entry_of_package(metadata: Metadata) -> Entry:
    """Return what a package says of itself, as far as it can be shown."""
    return Entry(
        titles=_known(metadata.titles, 300),
        descriptions=_known(metadata.descriptions, 5000),
        minutes=metadata.minutes if metadata.minutes and metadata.minutes <= MAX_MINUTES else None,
        licence=(metadata.rights or "")[:300],
        owner=(metadata.publisher or "")[:300],
    )


def packaged_entry(shelf: Shelf, edition: Edition | None) -> Entry:
    """Return what the package of an edition says of itself, and at least what it is called."""
    if edition is None:
        return Entry()
    try:
        said = entry_of_package(load_package(shelf, edition.manifest).metadata)
    except PackageError:  # it is on its way here, or a newer release wrote it
        said = Entry()
    return said if said.titles else said.over(Entry(titles={"und": edition.title[:300]}))


def _known(texts: Mapping[str, str], most: int) -> dict[str, str]:
    return {tag: text[:most] for tag, text in texts.items() if re.match(_TAG, tag)}


def json_ld(
    entry: Entry,
    *,
    course: UUID,
    languages: tuple[str, ...],
    edition: int | None,
    subjects: Mapping[str, Subject],
) -> dict[str, Any]:
    """Return an entry as a schema.org Course in JSON-LD."""
    made: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Course",
        "@id": course_iri(course),
        "identifier": str(course),
        "name": _in_languages(entry.titles),
        "description": _in_languages(entry.descriptions),
        "about": [
            {
                "@type": "DefinedTerm",
                "termCode": code,
                "name": _in_languages(subjects[code].labels if code in subjects else {"und": code}),
            }
            for code in entry.subjects
        ],
        "inLanguage": list(languages),
        "audience": {"@type": "Audience", "audienceType": entry.audience} if entry.audience else None,
        "timeRequired": f"PT{entry.minutes}M" if entry.minutes else None,
        "license": entry.licence,
        "provider": _provider(entry),
        "version": edition,
        "releaseNotes": entry.version_notes,
    }
    return {name: value for name, value in made.items() if value}


def _provider(entry: Entry) -> dict[str, Any] | None:
    named = {"name": entry.owner} if entry.owner else {}
    reached = {"contactPoint": {"@type": "ContactPoint", "name": entry.contact}} if entry.contact else {}
    return {"@type": "Organization", **named, **reached} if named or reached else None


def _in_languages(texts: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"@value": text} | ({} if tag == "und" else {"@language": tag}) for tag, text in texts.items()]
