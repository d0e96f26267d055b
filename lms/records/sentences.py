"""One readable sentence for each statement, in the reader's language.

An officer's name comes from the directory while the page is drawn; it is kept nowhere else. Everything else a
statement says was written by others: it is cut short, and signs that would turn the text around are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson

from lms.launch.statements import PEOPLE
from lms.records.verbs import VERBS
from lms.web.locale import Language
from lms.web.wording import mark
from xapi_store.model.timestamps import parse_timestamp
from xapi_store.query import StoredStatement
from xapi_store.render import canonical

MOST_CHARS = 120
_SHORT_ID = 8
_UNKNOWN = mark("Unknown officer %(id)s")
_GROUP = mark("A group")
_STATEMENT = mark("the statement %(id)s")
_OUT_OF = mark("%(raw)s of %(most)s points")
_POINTS = mark("%(raw)s points")
_RIGHT, _WRONG = mark("right"), mark("wrong")
_WITH_SUCCESS, _WITHOUT_SUCCESS = mark("with success"), mark("without success")
_ABOUT_ANSWERS = frozenset({"answered", "responded", "interacted"})
_SAY_SO_THEMSELVES = frozenset({"passed", "failed", "scored"})

# Control characters, line breaks, and the marks that embed, override or isolate a direction (UAX 9).
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sentence:
    """Who did what with what, how it went, and when; each part stands alone, whatever its script."""

    who: str
    verb: str
    what: str
    outcome: str
    when: datetime


def sentence_of(
    stored: StoredStatement,
    spoken: Language,
    *,
    names: Mapping[UUID, str],
    definitions: Mapping[str, dict[str, Any]],
) -> Sentence:
    """Return the sentence of a stored statement.

    Args:
        stored: as found.
        spoken: the reader's language.
        names: of officers, by public id (``people_in`` says whose are needed).
        definitions: canonical ones, by activity id.
    """
    text = canonical(
        stored.raw, stored.stored, definitions=definitions, languages=(spoken.code.replace("_", "-"), "en")
    )
    return _sentence(orjson.loads(text), spoken, names, stored.stored)


def sentence_of_text(
    statement: dict[str, Any], spoken: Language, *, names: Mapping[UUID, str], now: datetime
) -> Sentence:
    """Return the sentence of a valid statement that is stored nowhere."""
    one = StoredStatement(position=0, id=UUID(int=0), stored=now, raw=orjson.dumps(statement))
    return sentence_of(one, spoken, names=names, definitions={})


def people_in(statements: Iterable[dict[str, Any]]) -> frozenset[UUID]:
    """Return the officers whom sentences of these statements name."""
    return frozenset(
        person
        for statement in statements
        for actor in _actors(statement)
        if (person := person_of(actor)) is not None
    )


def person_of(actor: Mapping[str, Any]) -> UUID | None:
    """Return the officer an actor stands for; ``None`` where it is no officer of this school."""
    account = actor.get("account", {})
    if account.get("homePage") != PEOPLE:
        return None
    try:
        return UUID(account["name"])
    except ValueError:
        return None


def seen(text: str, most: int = MOST_CHARS) -> str:
    """Return a text that others wrote as it may stand in a page: in one line, and not too long.

    >>> seen("evil\u202etxt.exe")
    'evil txt.exe'
    """
    cut = text[: most * 4]  # no need to clean megabytes of which a line is shown
    plain = " ".join(_UNSEEN.sub(" ", cut).split())
    return plain if len(plain) <= most else f"{plain[:most].rstrip()}…"


def said_in(words: Mapping[str, str], spoken: Language, most: int = MOST_CHARS) -> str:
    """Return what a language map says to the reader: in her language, or else in English, or in any; or nothing."""
    word = _word_in(words, spoken.code) or _word_in(words, "en")
    return seen(word or next((word for word in words.values() if word.strip()), ""), most)


def _word_in(words: Mapping[str, str], language: str) -> str:
    wanted, _, _ = language.partition("_")
    for tag, word in words.items():
        if word.strip() and tag.casefold().partition("-")[0] == wanted:
            return word
    return ""


def _sentence(
    statement: dict[str, Any], spoken: Language, names: Mapping[UUID, str], stored: datetime
) -> Sentence:
    verb = statement["verb"]
    return Sentence(
        who=_who(statement["actor"], spoken, names),
        verb=_verb(verb, spoken),
        what=_what(statement["object"], spoken, names),
        outcome=_outcome(statement.get("result", {}), verb["id"], spoken),
        when=_when(statement, stored),
    )


def _actors(statement: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield statement["actor"]
    thing = statement["object"]
    match thing.get("objectType"):
        case "Agent" | "Group":
            yield thing
        case "SubStatement":
            yield from _actors(thing)


def _who(actor: dict[str, Any], spoken: Language, names: Mapping[UUID, str]) -> str:
    person = person_of(actor)
    if person is not None:
        known = names.get(person)
        return known or spoken.gettext(_UNKNOWN) % {"id": str(person)[:_SHORT_ID]}
    return seen(_called(actor)) or spoken.gettext(_GROUP)


def _called(actor: dict[str, Any]) -> str:
    """Return what an actor of elsewhere calls itself, or else what identifies it."""
    match actor:
        case {"name": str(name)} if name.strip():
            called = name
        case {"mbox": str(mbox)}:
            called = mbox.removeprefix("mailto:")
        case {"account": {"name": str(name), "homePage": str(home)}}:
            called = f"{name} @ {_host(home)}"
        case {"openid": str(openid)}:
            called = openid
        case {"mbox_sha1sum": str(digest)}:
            called = digest[:_SHORT_ID]
        case _:
            called = ""
    return called


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or address
    except ValueError:
        return address


def _verb(verb: dict[str, Any], spoken: Language) -> str:
    told = verb.get("display") or {}
    usual = VERBS.get(verb["id"])
    if usual is not None and not _word_in(told, spoken.code):
        return spoken.gettext(usual)
    return said_in(told, spoken) or seen(verb["id"].rstrip("/#").rpartition("/")[2] or verb["id"])


def _what(thing: dict[str, Any], spoken: Language, names: Mapping[UUID, str]) -> str:
    match thing.get("objectType", "Activity"):
        case "Agent" | "Group":
            return _who(thing, spoken, names)
        case "StatementRef":
            return spoken.gettext(_STATEMENT) % {"id": thing["id"][:_SHORT_ID]}
        case "SubStatement":
            inner = (
                _who(thing["actor"], spoken, names),
                _verb(thing["verb"], spoken),
                _what(thing["object"], spoken, names),
            )
            return " · ".join(inner)
    told = thing.get("definition", {}).get("name") or {}
    name = next((seen(word) for word in told.values() if word.strip()), "")
    return name or seen(thing["id"])


def _outcome(result: dict[str, Any], verb: str, spoken: Language) -> str:
    score, said = result.get("score", {}), []
    if "scaled" in score:
        said.append(spoken.percent(round(score["scaled"], 2)))
    elif "raw" in score and "max" in score:
        facts = {"raw": spoken.number(score["raw"]), "most": spoken.number(score["max"])}
        said.append(spoken.gettext(_OUT_OF) % facts)
    elif "raw" in score:
        said.append(spoken.gettext(_POINTS) % {"raw": spoken.number(score["raw"])})
    word = verb.rpartition("/")[2]
    if "success" in result and word not in _SAY_SO_THEMSELVES:
        yes, no = (_RIGHT, _WRONG) if word in _ABOUT_ANSWERS else (_WITH_SUCCESS, _WITHOUT_SUCCESS)
        how = yes if result["success"] else no
        said.append(spoken.gettext(how))
    return " · ".join(said)


def _when(statement: dict[str, Any], stored: datetime) -> datetime:
    try:
        return parse_timestamp(statement["timestamp"])
    except (
        KeyError,
        ValueError,
        OverflowError,
    ):  # a copy may say 24:00, or nothing where it is not stored yet
        return stored


# ---------------------------------------------------------------- the JSON itself


def shown_json(text: bytes, *, most: int) -> tuple[str, bool]:
    """Return JSON for people to read, and whether it was cut: indented, nothing in it that hides or turns text."""
    if len(text) <= most:  # indenting what is deep makes it many times as long
        text = orjson.dumps(orjson.loads(text), option=orjson.OPT_INDENT_2)
    shown = text[: most * 4].decode(errors="ignore")[:most]
    return plain(shown), len(text) > most


def plain(text: str) -> str:
    """Return a text of others in which every sign that hides or turns text is written as its number."""
    return _UNSEEN_IN_JSON.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)


_UNSEEN_IN_JSON = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
