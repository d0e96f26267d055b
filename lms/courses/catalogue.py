"""What the catalogue says of a course: what its package brings, and what people wrote over it.

Exported as a schema.org ``Course`` (https://schema.org/Course), so that institutions can share what they have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, fields
from itertools import islice
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked
from pydantic_core import ErrorDetails

from content_packages.errors import PackageError
from content_packages.package import Metadata, load_package
from content_packages.schema_org import SUBJECTS
from content_packages.shelf import Shelf
from content_packages.texts import MOST_TEXT_CHARS, MOST_TITLE_CHARS, without_controls
from lms.courses.iris import course_iri
from lms.courses.subjects import Subject, subjects_named
from lms.courses.tables import Course, Edition
from lms.web.wording import Count, Worded, mark

MAX_MINUTES = 100_000
MOST_OF_A_KIND = 100  # languages and subjects that are taken from a package
#: What is said of an edition; all else is said of the course.
OF_EDITION: Final = ("version", "version_notes")
_LONGEST_TAG = 35
_TAG = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$"


def _on_one_line(text: str) -> str:
    return " ".join(without_controls(text).split())


def _in_lines(text: str) -> str:
    return "\n".join(without_controls(text).splitlines())


LanguageTag = Annotated[str, StringConstraints(pattern=_TAG, max_length=_LONGEST_TAG)]
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=MOST_TITLE_CHARS), AfterValidator(_on_one_line)
]
Text = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=MOST_TEXT_CHARS), AfterValidator(_in_lines)
]


class TooLongError(Worded):
    """A text is longer than what is kept."""

    sentence = mark("Write at most %(limit)s characters; these are %(length)s.")


class MinutesError(Worded):
    """The time it takes is no number, or out of all bounds."""

    sentence = mark("Write a whole number of minutes, from 1 to %(limit)s.")


class LanguageTagError(Worded):
    """What was given for a language is no tag of one (RFC 5646)."""

    sentence = mark("“%(tag)s” is not the tag of a language. Write one such as fr, km or pt-BR.")


class FormError(Worded):
    """A value is of another kind; only programs send such."""

    sentence = mark("This has not the form it must have: %(problem)s.")


class EntryError(Worded):
    """Something in a catalogue entry is not as it must be.

    Args:
        wrong: what is wrong with each field, by its path such as ``titles.fr``.
    """

    sentence = mark("The catalogue cannot take this for %(field)s: %(problem)s")

    def __init__(self, wrong: Mapping[str, Worded]) -> None:
        self.wrong = wrong
        field_name, problem = next(iter(wrong.items()))
        super().__init__(field=field_name, problem=problem)


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
        version: what its makers call this version; ``version_notes``: what is new in it.
    """

    titles: Mapping[LanguageTag, Line] = field(default_factory=dict)
    descriptions: Mapping[LanguageTag, Text] = field(default_factory=dict)
    subjects: tuple[Line, ...] = ()
    audience: Line = ""
    minutes: Annotated[int, Field(ge=1, le=MAX_MINUTES)] | None = None
    licence: Line = ""
    owner: Line = ""
    contact: Line = ""
    version: Line = ""
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
        raise EntryError(dict(map(_wrong, error.errors(include_url=False)))) from error


def written_entry(course: Course, edition: Edition | None) -> Entry:
    """Return what people wrote of a course, and of an edition of it."""
    of_edition = edition.catalogue if edition else None
    return entry_from({**said_of_course(course.catalogue), **(of_edition or {})})


def said_of_course(said: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the part of an entry that is the same for all editions."""
    return {name: value for name, value in (said or {}).items() if name not in OF_EDITION}


def entry_of_package(metadata: Metadata, subjects: Mapping[str, Subject]) -> Entry:
    """Return what a package says of itself, as far as it can be shown; words are taken where they name a subject."""
    codes = [code for code in metadata.subjects if len(code) <= MOST_TITLE_CHARS]
    return Entry(
        titles=_known(metadata.titles, MOST_TITLE_CHARS),
        descriptions=_known(metadata.descriptions, MOST_TEXT_CHARS),
        subjects=tuple(dict.fromkeys((*codes, *subjects_named(metadata.keywords, subjects))))[
            :MOST_OF_A_KIND
        ],
        audience=(metadata.audience or "")[:MOST_TITLE_CHARS],
        minutes=metadata.minutes if metadata.minutes and metadata.minutes <= MAX_MINUTES else None,
        licence=(metadata.rights or "")[:MOST_TITLE_CHARS],
        owner=(metadata.publisher or "")[:MOST_TITLE_CHARS],
        contact=(metadata.contact or "")[:MOST_TITLE_CHARS],
        version=(metadata.version or "")[:MOST_TITLE_CHARS],
        version_notes=(metadata.version_notes or "")[:MOST_TEXT_CHARS],
    )


def packaged_entry(shelf: Shelf, edition: Edition | None, subjects: Mapping[str, Subject]) -> Entry:
    """Return what the package of an edition says of itself, and at least what it is called."""
    if edition is None:
        return Entry()
    try:
        said = entry_of_package(load_package(shelf, edition.manifest).metadata, subjects)
    except PackageError:  # it is on its way here, or a newer release wrote it
        said = Entry()
    return said if said.titles else said.over(Entry(titles={"und": edition.title[:MOST_TITLE_CHARS]}))


def is_language_tag(tag: str) -> bool:
    """Say whether it has the form of the tag of a language (RFC 5646)."""
    return bool(re.match(_TAG, tag)) and len(tag) <= _LONGEST_TAG


def _known(texts: Mapping[str, str], most: int) -> dict[str, str]:
    known = ((tag, text[:most]) for tag, text in texts.items() if is_language_tag(tag))
    return dict(islice(known, MOST_OF_A_KIND))


def _wrong(error: ErrorDetails) -> tuple[str, Worded]:
    """Return the path of a field, and what is wrong with it in words for people."""
    path, kind = [str(part) for part in error["loc"]], error["type"]
    if path[-1] == "[key]":
        return ".".join(path[:-1]), LanguageTagError(tag=path[1])
    if path[0] == "minutes":
        return "minutes", MinutesError(limit=Count(MAX_MINUTES))
    if kind == "string_too_long":
        limit, length = error["ctx"]["max_length"], len(error["input"].strip())
        return ".".join(path), TooLongError(limit=Count(limit), length=Count(length))
    return ".".join(path), FormError(problem=error["msg"])


def json_ld(
    entry: Entry,
    *,
    course: UUID,
    languages: tuple[str, ...],
    subjects: Mapping[str, Subject],
) -> dict[str, Any]:
    """Return an entry as a schema.org Course in JSON-LD: what is said, and no more, so that it comes back the same."""
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
                "inDefinedTermSet": SUBJECTS,
                "name": _in_languages(subjects[code].labels if code in subjects else {"und": code}),
            }
            for code in entry.subjects
        ],
        "inLanguage": list(languages),
        "audience": {"@type": "Audience", "audienceType": entry.audience} if entry.audience else None,
        "timeRequired": f"PT{entry.minutes}M" if entry.minutes else None,
        "license": entry.licence,
        "provider": _provider(entry),
        "version": entry.version,
        "releaseNotes": entry.version_notes,
    }
    return {name: value for name, value in made.items() if value}


def _provider(entry: Entry) -> dict[str, Any] | None:
    named = {"name": entry.owner} if entry.owner else {}
    reached = {"contactPoint": {"@type": "ContactPoint", "name": entry.contact}} if entry.contact else {}
    return {"@type": "Organization", **named, **reached} if named or reached else None


def _in_languages(texts: Mapping[str, str]) -> list[dict[str, str]]:
    # "und" is written out: without a language a text is in that of the page or document it is put into.
    return [{"@value": text, "@language": tag} for tag, text in texts.items()]
