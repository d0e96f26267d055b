"""Read what a page says of itself to catalogues: a schema.org ``Course`` or the like, as JSON-LD (JSON-LD 1.1 §7).

What is not of the right form is passed over: nobody is kept from taking a course because its page says nonsense of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from content_packages.manifest.lom import minutes_of
from content_packages.package import Metadata

#: What of schema.org a course may call itself.
TYPES = frozenset({"Course", "LearningResource", "CreativeWork", "WebPage", "WebSite"})
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_BLOCK = re.compile(
    r"<script[^<>]*\stype\s*=\s*[\"']?application/ld\+json[\"']?[^<>]*>((?:(?!<script).)*?)</script",
    re.IGNORECASE | re.DOTALL,
)


def read_schema_org(page: str, language: str = "und") -> Metadata | None:
    """Return what a page says of a course, `None` if it says nothing; texts without a language are in the page's."""
    for block in _BLOCK.finditer(page):
        try:
            said: Any = orjson.loads(block[1])
        except orjson.JSONDecodeError:
            continue
        for thing in _things(said):
            return Metadata(
                titles=dict(_texts(thing.get("name"), language)),
                descriptions=dict(_texts(thing.get("description"), language)),
                keywords=tuple(dict.fromkeys(_words(thing.get("keywords")))),
                version=next((text for _, text in _texts(thing.get("version"), language)), None),
                minutes=minutes_of(_text(thing.get("timeRequired"))),
                rights=_text(thing.get("license")) or None,
                publisher=_name(thing.get("provider")) or _name(thing.get("publisher")) or None,
            )
    return None


def _things(said: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(said, dict) and isinstance(said.get("@graph"), list):
        said = said["@graph"]
    for thing in said if isinstance(said, list) else [said]:
        kinds = thing.get("@type") if isinstance(thing, dict) else None
        if any(isinstance(kind, str) and kind in TYPES for kind in _listed(kinds)):
            yield thing


def _texts(value: Any, language: str) -> Iterator[tuple[str, str]]:
    """Yield language and text of a string, a value with its language, or a list of them."""
    for one in _listed(value):
        tag = one.get("@language") if isinstance(one, dict) else None
        text = _text(one.get("@value") if isinstance(one, dict) else one)
        if text:
            yield tag if isinstance(tag, str) and _TAG.fullmatch(tag) else language, text


def _words(value: Any) -> Iterator[str]:
    for _, text in _texts(value, ""):
        yield from (word.strip() for word in text.split(",") if word.strip())


def _name(value: Any) -> str:
    for one in _listed(value):
        for _, text in _texts(one.get("name") if isinstance(one, dict) else one, ""):
            return text
    return ""


def _text(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return " ".join(value.split()) if isinstance(value, str) else ""


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
