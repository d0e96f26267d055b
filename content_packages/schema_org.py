"""Read what is said of a course to catalogues: a schema.org ``Course`` or the like, as JSON-LD (JSON-LD 1.1 §7).

It stands in a page, or in a file in or beside a package, as ``lms export`` writes one.
What is not of the right form is passed over: nobody is kept from taking a course because its page says nonsense of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import orjson

from content_packages.manifest.addresses import is_harmful
from content_packages.manifest.lom import minutes_of
from content_packages.package import Metadata

#: What of schema.org a course may call itself.
TYPES = frozenset({"Course", "LearningResource", "CreativeWork", "WebPage", "WebSite"})
#: The set that the product's own terms for subjects are of.
SUBJECTS: Final = "https://outpost.invalid/subjects"
SUFFIX: Final = ".jsonld"
MOST_SAID_BYTES: Final = 1024 * 1024

_MOST_LANGUAGES = 100
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
# In two steps: a tag that says its type again and again would be gone through as often.
_SCRIPT = re.compile(r"<script([^<>]*)>((?:(?!<script).)*?)</script", re.IGNORECASE | re.DOTALL)
_IS_JSON_LD = re.compile(r"\stype\s*=\s*[\"']?application/ld\+json", re.IGNORECASE)


def read_schema_org(page: str, language: str = "und") -> Metadata | None:
    """Return what a page says of a course, `None` if it says nothing; texts without a language are in the page's."""
    blocks = (script[2] for script in _SCRIPT.finditer(page) if _IS_JSON_LD.search(script[1]))
    return next(filter(None, (read_json_ld(block, language) for block in blocks)), None)


def read_json_ld(text: str | bytes, language: str = "und") -> Metadata | None:
    """Return what JSON-LD says of a course, `None` if it says nothing or is none."""
    try:
        said: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return next((_metadata(thing, language) for thing in _things(said)), None)


def _metadata(thing: Mapping[str, Any], language: str) -> Metadata:
    terms = [*_listed(thing.get("about")), *_listed(thing.get("keywords"))]
    behind = [*_listed(thing.get("provider")), *_listed(thing.get("publisher"))]
    asked = [*behind, *_listed(thing.get("author")), *_listed(thing.get("creator")), thing]
    return Metadata(
        titles=dict(_texts(thing.get("name"), language)),
        descriptions=dict(_texts(thing.get("description"), language, _paragraphs)),
        keywords=tuple(dict.fromkeys(word for term in terms for word in _words(term))),
        subjects=tuple(dict.fromkeys(code for term in terms if (code := _subject(term)))),
        audience=", ".join(dict.fromkeys(_audience(thing))) or None,
        version=next((text for _, text in _texts(thing.get("version"), language)), None),
        version_notes=next((text for _, text in _texts(thing.get("releaseNotes"), "", _paragraphs)), None),
        minutes=minutes_of(_line(thing.get("timeRequired"))),
        rights=_licence(thing.get("license")),
        publisher=next(filter(None, (_name(one, "name", "legalName") for one in behind)), None),
        contact=next(filter(None, (_contact(one) for one in asked)), None),
        languages=tuple(dict.fromkeys(_languages(thing.get("inLanguage"))))[:_MOST_LANGUAGES],
    )


def _licence(value: Any) -> str | None:
    """Return what a licence is called, or where it can be read."""
    said = _name(value, "name", "url", "@id")
    return said if said and not is_harmful(said) else None


def _things(said: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(said, dict) and isinstance(said.get("@graph"), list):
        said = said["@graph"]
    for thing in said if isinstance(said, list) else [said]:
        kinds = thing.get("@type") if isinstance(thing, dict) else None
        if any(isinstance(kind, str) and kind in TYPES for kind in _listed(kinds)):
            yield thing


def _line(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return " ".join(value.split()) if isinstance(value, str) else ""


def _paragraphs(value: Any) -> str:
    return "\n".join(value.strip().splitlines()) if isinstance(value, str) else ""


def _texts(value: Any, language: str, read: Callable[[Any], str] = _line) -> Iterator[tuple[str, str]]:
    """Yield language and text of a string, a value with its language, or a list of them."""
    for one in _listed(value):
        tag = one.get("@language") if isinstance(one, dict) else None
        text = read(one.get("@value") if isinstance(one, dict) else one)
        if text:
            yield tag if isinstance(tag, str) and _TAG.fullmatch(tag) else language, text


def _words(term: Any) -> Iterator[str]:
    """Yield the words of a text with commas between, or code and names of a defined term."""
    for _, text in _texts(term, ""):
        yield from (word.strip() for word in text.split(",") if word.strip())
    if isinstance(term, dict):
        for name in ("termCode", "name", "alternateName"):
            yield from (text for _, text in _texts(term.get(name), ""))


def _subject(term: Any) -> str:
    """Return the code of one of the product's own terms."""
    if not isinstance(term, dict) or term.get("inDefinedTermSet") != SUBJECTS:
        return ""
    return _line(term.get("termCode"))


def _audience(thing: Mapping[str, Any]) -> Iterator[str]:
    """Yield whom it is for (``Audience``, ``EducationalAudience``, or a text)."""
    for one in _listed(thing.get("audience")):
        said = _name(one, "audienceType", "educationalRole", "name")
        if said:
            yield said


def _contact(who: Any) -> str:
    """Return how somebody is reached: a contact point, or what stands with the name."""
    if not isinstance(who, dict):
        return ""
    for point in _listed(who.get("contactPoint")):
        found = _reached(point) or _name(point, "name")
        if found:
            return found
    return _reached(who)


def _reached(who: Any) -> str:
    if not isinstance(who, dict):
        return ""
    ways = [_name(who.get(name), "@value").removeprefix("mailto:") for name in ("email", "telephone")]
    return ", ".join(filter(None, (_name(who.get("name"), "@value"), *ways))) if any(ways) else ""


def _languages(value: Any) -> Iterator[str]:
    """Yield tags of languages, which may stand with a name (``Language``)."""
    for one in _listed(value):
        tag = _name(one, "alternateName", "identifier", "name", "@value")
        if _TAG.fullmatch(tag):
            yield tag


def _name(value: Any, *names: str) -> str:
    """Return the first text of a value, or of the first that is there of these properties of it."""
    for one in _listed(value):
        said = [one.get(name) for name in names] if isinstance(one, dict) else [one]
        for each in said:
            for _, text in _texts(each, ""):
                return text
    return ""


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
