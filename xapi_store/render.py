"""Statements as readers ask for them: `exact`, `ids` or `canonical` (xAPI 1.0.3 Communication §2.1.3).

`exact` costs no parsing: the kept bytes are closed with the `stored` of this store.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson

from xapi_store.model.actor import IDENTIFIERS
from xapi_store.model.mentions import activities_in, actors_in
from xapi_store.model.timestamps import format_timestamp

#: As many languages, and as many subtags in one, as a person may want; each is looked up for each word.
MAX_LANGUAGES = 20
_LANGUAGE_RANGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,7}")
_WORDS = ("name", "description")
_COMPONENTS = ("choices", "scale", "source", "target", "steps")


class Format(StrEnum):
    """How much of a statement a reader wants."""

    EXACT = "exact"
    IDS = "ids"
    CANONICAL = "canonical"


def exact(raw: bytes, stored: datetime) -> bytes:
    """Return a statement as kept, with the time at which this store took it in."""
    return b'%s,"stored":"%s"}' % (raw[:-1], format_timestamp(stored).encode())


def ids(raw: bytes, stored: datetime) -> bytes:
    """Return a statement with no more than identifies its agents, activities and verb."""
    statement = orjson.loads(exact(raw, stored))
    for actor in actors_in(statement):
        _keep_identifiers(actor)
    for activity in activities_in(statement):
        activity.pop("definition", None)
        activity.pop("objectType", None)  # an object without a type is an Activity
    statement["verb"].pop("display", None)
    if statement["object"].get("objectType") == "SubStatement":
        statement["object"]["verb"].pop("display", None)
    return orjson.dumps(statement)


def canonical(
    raw: bytes, stored: datetime, *, definitions: Mapping[str, dict[str, Any]], languages: Iterable[str]
) -> bytes:
    """Return a statement with canonical definitions, in one language each.

    Args:
        raw: the statement as kept.
        stored: when this store took it in.
        definitions: the canonical definition by activity id; activities not in it keep their own.
        languages: the reader's, best first (`preferred_languages`).
    """
    wanted = tuple(languages)
    statement = orjson.loads(exact(raw, stored))
    for activity in activities_in(statement):
        definition = definitions.get(activity["id"], activity.get("definition"))
        if definition is not None:
            activity["definition"] = _in_one_language(definition, wanted)
    _one_word(statement["verb"], "display", wanted)
    if statement["object"].get("objectType") == "SubStatement":
        _one_word(statement["object"]["verb"], "display", wanted)
    return orjson.dumps(statement)


def activity_ids(raw: bytes) -> set[str]:
    """Return the activities of a statement whose definitions `canonical` wants."""
    return {activity["id"] for activity in activities_in(orjson.loads(raw))}


def preferred_languages(accept_language: str | None) -> tuple[str, ...]:
    """Read an Accept-Language header: tags, best first.

    >>> preferred_languages("fr;q=0.5, en-GB, *;q=0.1")
    ('en-GB', 'fr')
    """
    weighed = []
    for part in (accept_language or "").split(","):
        tag, _, parameter = part.partition(";")
        weight = parameter.strip().lower().removeprefix("q=") if parameter else "1"
        try:
            quality = float(weight)
        except ValueError:
            continue
        if _LANGUAGE_RANGE.fullmatch(tag.strip()) and quality > 0:
            weighed.append((-quality, tag.strip()))
    return tuple(tag for _, tag in sorted(weighed, key=lambda entry: entry[0]))[:MAX_LANGUAGES]


def _keep_identifiers(actor: dict[str, Any]) -> None:
    identified = any(name in actor for name in IDENTIFIERS)
    actor.pop("name", None)
    if identified:
        actor.pop("member", None)
    for member in actor.get("member", ()):  # an anonymous group is its members
        member.pop("name", None)


def _in_one_language(definition: dict[str, Any], wanted: tuple[str, ...]) -> dict[str, Any]:
    plain = dict(definition)
    for name in _WORDS:
        _one_word(plain, name, wanted)
    for name in _COMPONENTS:
        if name in plain:
            plain[name] = [dict(component) for component in plain[name]]
            for component in plain[name]:
                _one_word(component, "description", wanted)
    return plain


def _one_word(holder: dict[str, Any], name: str, wanted: tuple[str, ...]) -> None:
    words = holder.get(name)
    if words and len(words) > 1:
        tag = _best(tuple(words), wanted)
        holder[name] = {tag: words[tag]}


def _best(offered: tuple[str, ...], wanted: tuple[str, ...]) -> str:
    """Look a language up (RFC 4647 §3.4): the tag itself, then ever shorter, then a longer one."""
    by_folded = {tag.casefold(): tag for tag in offered}
    for tag in wanted:
        subtags = tag.casefold().split("-")
        for length in range(len(subtags), 0, -1):
            shorter = "-".join(subtags[:length])
            if shorter in by_folded:
                return by_folded[shorter]
        longer = next((folded for folded in by_folded if folded.startswith(subtags[0] + "-")), None)
        if longer is not None:
            return by_folded[longer]
    return next((by_folded[tag] for tag in by_folded if tag.split("-")[0] in ("en", "und")), offered[0])
