"""Hypothesis strategies for the record store: valid statements, one change of meaning, one broken rule."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from xapi_store.model.activity import COMPONENTS
from xapi_store.model.statement import VOIDED
from xapi_store.model.version import Version

Json = Any
Path = tuple[str | int, ...]

# ---------------------------------------------------------------- plain values

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_iri_tails = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters='<>"{}|\\^`'),
    min_size=1,
    max_size=12,
)
iris = st.builds(
    "{}{}".format, st.sampled_from(["https://example.org/", "urn:x:", "tag:a,2026:", "HTTP://"]), _iri_tails
)
uuids = st.uuids(version=4).map(str).flatmap(lambda text: st.sampled_from([text, text.upper()]))
language_tags = st.sampled_from(
    [
        "en",
        "en-GB",
        "fr-CA",
        "sr-Latn-RS",
        "zh-Hant-TW",
        "de-CH-1996",
        "x-post",
        "i-klingon",
        "es-419",
        "EN-us",
    ]
)
language_maps = st.dictionaries(language_tags, texts, max_size=3)
numbers = st.one_of(
    st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False), st.integers(-3, 3)
)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
extensions = st.dictionaries(iris, json_values, max_size=2)
durations = st.one_of(
    st.sampled_from(["PT0S", "P3W", "P1Y2M3DT4H5M6.789S", "PT1,5H", "P0D", "PT36H"]),
    st.builds("PT{}.{}S".format, st.integers(0, 10**6), st.integers(0, 10**6)),
)
_zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@st.composite
def timestamps(draw: st.DrawFn) -> str:
    """ISO 8601 in one of its spellings; never with the offset -00:00."""
    instant = draw(st.datetimes(datetime(1971, 1, 1), datetime(2999, 1, 1)))  # noqa: DTZ001 - gets its zone below
    match draw(st.sampled_from(["zulu", "offset", "none", "minutes", "basic"])):
        case "zulu":
            return instant.isoformat() + "Z"
        case "offset":
            return instant.replace(tzinfo=draw(_zones)).isoformat()
        case "minutes":
            return instant.strftime("%Y-%m-%dT%H:%MZ")
        case "basic":
            return instant.strftime("%Y%m%dT%H%M%SZ")
        case _:
            return instant.isoformat()


# ---------------------------------------------------------------- actors and activities

_mails = st.from_regex(r"\Amailto:[a-z.+é]{1,8}@[a-z-]{1,8}\.[a-z]{2}\Z")
_accounts = st.fixed_dictionaries({"homePage": iris, "name": texts})
identifiers = st.one_of(
    st.fixed_dictionaries({"mbox": _mails}),
    st.fixed_dictionaries({"mbox_sha1sum": st.from_regex(r"\A[0-9a-fA-F]{40}\Z")}),
    st.fixed_dictionaries({"openid": iris}),
    st.fixed_dictionaries({"account": _accounts}),
)


def _merged(*parts: st.SearchStrategy[dict[str, Json]]) -> st.SearchStrategy[dict[str, Json]]:
    return st.tuples(*parts).map(
        lambda found: {name: value for part in found for name, value in part.items()}
    )


named = st.fixed_dictionaries({}, optional={"name": texts})
_agent_type = st.fixed_dictionaries({}, optional={"objectType": st.just("Agent")})
agents = _merged(_agent_type, named, identifiers)
typed_agents = _merged(st.just({"objectType": "Agent"}), named, identifiers)
_members = st.lists(agents, max_size=3)
groups = st.one_of(
    _merged(
        st.just({"objectType": "Group"}),
        named,
        identifiers,
        st.fixed_dictionaries({}, optional={"member": _members}),
    ),
    _merged(st.just({"objectType": "Group"}), named, st.fixed_dictionaries({"member": _members})),
)
actors = agents | groups


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Json]:
    """What an activity is; now and then an interaction with its components."""
    definition: dict[str, Json] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "name": language_maps,
                "description": language_maps,
                "type": iris,
                "moreInfo": iris,
                "extensions": extensions,
            },
        )
    )
    if draw(st.integers(0, 3)) == 0:
        kind = draw(st.sampled_from(sorted(COMPONENTS)))
        definition["interactionType"] = kind
        if draw(st.booleans()):
            definition["correctResponsesPattern"] = draw(st.lists(texts, max_size=2))
        component = st.fixed_dictionaries({"id": texts}, optional={"description": language_maps})
        for name in COMPONENTS[kind]:
            definition[name] = draw(st.lists(component, max_size=3, unique_by=lambda one: one["id"]))
    return definition


activities = st.fixed_dictionaries(
    {"id": iris}, optional={"objectType": st.just("Activity"), "definition": definitions()}
)
references = st.fixed_dictionaries({"objectType": st.just("StatementRef"), "id": uuids})

# ---------------------------------------------------------------- the other parts


@st.composite
def scores(draw: st.DrawFn) -> dict[str, Json]:
    """A score whose raw lies between its min and its max."""
    low, raw, high = sorted(draw(st.lists(st.integers(-100, 100), min_size=3, max_size=3, unique=True)))
    whole: dict[str, Json] = {"scaled": draw(st.floats(-1, 1)), "min": low, "raw": raw + 0.5, "max": high}
    return {name: value for name, value in whole.items() if draw(st.booleans())}


results = st.fixed_dictionaries(
    {},
    optional={
        "score": scores(),
        "success": st.booleans(),
        "completion": st.booleans(),
        "response": texts,
        "duration": durations,
        "extensions": extensions,
    },
)
_around = st.lists(activities, max_size=2) | activities
context_activities = st.fixed_dictionaries(
    {}, optional={"parent": _around, "grouping": _around, "category": _around, "other": _around}
)


def _of_context(kind: str, name: str, who: st.SearchStrategy[Json]) -> st.SearchStrategy[list[Json]]:
    entry = st.fixed_dictionaries(
        {"objectType": st.just(kind), name: who},
        optional={"relevantTypes": st.lists(iris, min_size=1, max_size=2)},
    )
    return st.lists(entry, max_size=2)


def contexts(version: Version, *, about_activity: bool) -> st.SearchStrategy[dict[str, Json]]:
    """Where and with whom; `revision` and `platform` only where the object is an activity."""
    optional: dict[str, st.SearchStrategy[Json]] = {
        "registration": uuids,
        "instructor": actors,
        "team": groups,
        "contextActivities": context_activities,
        "language": language_tags,
        "statement": references,
        "extensions": extensions,
    }
    if about_activity:
        optional |= {"revision": texts, "platform": texts}
    if version is Version.V2:
        optional["contextAgents"] = _of_context("contextAgent", "agent", agents)
        optional["contextGroups"] = _of_context("contextGroup", "group", groups)
    return st.fixed_dictionaries({}, optional=optional)


attachments = st.fixed_dictionaries(
    {
        "usageType": iris,
        "display": language_maps,
        "contentType": st.sampled_from(["text/plain", "image/svg+xml", "text/html; charset=utf-8"]),
        "length": st.integers(0, 2**53),
        "sha2": st.from_regex(r"\A[0-9a-f]{64}\Z"),
        "fileUrl": iris,
    },
    optional={"description": language_maps},
)
_verbs = st.fixed_dictionaries({"id": iris}, optional={"display": language_maps})


@st.composite
def _deeds(draw: st.DrawFn, version: Version, *, sub_statements: bool) -> dict[str, Json]:
    objects = [activities, activities, typed_agents, groups, references]
    if sub_statements:
        objects.append(
            _deeds(version, sub_statements=False).map(lambda d: {"objectType": "SubStatement"} | d)
        )
    thing = draw(st.sampled_from(objects).flatmap(lambda chosen: chosen))
    kind = thing.get("objectType", "Activity")
    deed: dict[str, Json] = {"actor": draw(actors), "verb": draw(_verbs), "object": thing}
    if kind == "StatementRef" and draw(st.integers(0, 3)) == 0:
        deed["verb"] = {"id": VOIDED}
    for name, values in (
        ("result", results),
        ("context", contexts(version, about_activity=kind == "Activity")),
        ("timestamp", timestamps()),
        ("attachments", st.lists(attachments, max_size=2)),
    ):
        if draw(st.booleans()):
            deed[name] = draw(values)
    return deed


@st.composite
def statements(draw: st.DrawFn, version: Version = Version.V2) -> dict[str, Json]:
    """A valid statement with an id, its properties in any order."""
    statement = draw(_deeds(version, sub_statements=True)) | {"id": draw(uuids)}
    if draw(st.booleans()):
        statement["version"] = "1.0.3" if version is Version.V1 else "2.0.0"
    return {name: statement[name] for name in draw(st.permutations(sorted(statement)))}


# ---------------------------------------------------------------- the same, said otherwise


def said_otherwise(statement: dict[str, Json]) -> dict[str, Json]:
    """The same statement: other order, other spelling, other display and definition (Data §2.3.1)."""
    other: dict[str, Json] = dict(reversed(copy.deepcopy(statement).items()))
    other["id"] = other["id"].swapcase()
    other["verb"]["display"] = {"en": "something else"}
    _with_type(other["actor"], "Agent")
    for member in other["actor"].get("member", ()):
        _with_type(member, "Agent")
    if "member" in other["actor"]:
        other["actor"]["member"].reverse()
    _with_type(other["object"], "Activity")
    if other["object"]["objectType"] == "Activity":
        other["object"]["definition"] = {"name": {"en": "something else"}}
    if other["object"]["objectType"] == "StatementRef":
        other["object"]["id"] = other["object"]["id"].swapcase()
    context = other.get("context", {})
    if "registration" in context:
        context["registration"] = context["registration"].swapcase()
    if "statement" in context:
        context["statement"]["id"] = context["statement"]["id"].swapcase()
    for name in ("contextAgents", "contextGroups"):
        context.get(name, []).reverse()
    if other.get("timestamp", "").endswith("Z") and "-" in other["timestamp"]:
        other["timestamp"] = other["timestamp"].removesuffix("Z") + "+00:00"
    return other


def _with_type(thing: dict[str, Json], default: str) -> None:
    thing.setdefault("objectType", default)


# ---------------------------------------------------------------- one change of meaning


def _other_actor(statement: dict[str, Json]) -> None:
    statement["actor"] = {"mbox": "mailto:nobody-else@example.invalid"}


def _other_verb(statement: dict[str, Json]) -> None:
    statement["verb"]["id"] = VOIDED + "/not"


def _other_object(statement: dict[str, Json]) -> None:
    thing = statement["object"]
    match thing.get("objectType", "Activity"):
        case "Activity":
            thing["id"] += "x"
        case "SubStatement":
            _other_actor(thing)
        case "StatementRef":
            thing["id"] = "00000000-0000-4000-8000-000000000000"
        case _:
            thing["name"] = thing.get("name", "") + "x"


def _other_success(statement: dict[str, Json]) -> None:
    result = statement.setdefault("result", {})
    result["success"] = not result.get("success", False)


def _other_score(statement: dict[str, Json]) -> None:
    scaled = statement.get("result", {}).get("score", {}).get("scaled")
    statement.setdefault("result", {}).setdefault("score", {})["scaled"] = 0.25 if scaled != 0.25 else 0.5


def _other_response(statement: dict[str, Json]) -> None:
    result = statement.setdefault("result", {})
    result["response"] = result.get("response", "") + "\0"


def _other_duration(statement: dict[str, Json]) -> None:
    statement.setdefault("result", {})["duration"] = "PT999999999.25S"


def _other_extension(statement: dict[str, Json]) -> None:
    told = statement.setdefault("result", {}).setdefault("extensions", {})
    name = next(iter(told), "https://example.org/e")
    told[name] = [told.get(name)]


def _other_registration(statement: dict[str, Json]) -> None:
    statement.setdefault("context", {})["registration"] = "00000000-0000-4000-8000-000000000000"


def _other_context_statement(statement: dict[str, Json]) -> None:
    reference = {"objectType": "StatementRef", "id": "00000000-0000-4000-8000-000000000000"}
    statement.setdefault("context", {})["statement"] = reference


def _other_parent(statement: dict[str, Json]) -> None:
    around = statement.setdefault("context", {}).setdefault("contextActivities", {})
    parent = around.get("parent", [])
    around["parent"] = [*(parent if isinstance(parent, list) else [parent]), {"id": "urn:x:one-more"}]


def _other_instructor(statement: dict[str, Json]) -> None:
    statement.setdefault("context", {})["instructor"] = {"mbox": "mailto:nobody-else@example.invalid"}


def _other_context_agent(statement: dict[str, Json]) -> None:
    entry = {"objectType": "contextAgent", "agent": {"mbox": "mailto:nobody-else@example.invalid"}}
    statement.setdefault("context", {}).setdefault("contextAgents", []).append(entry)


def _other_timestamp(statement: dict[str, Json]) -> None:
    statement["timestamp"] = "1970-12-31T23:59:59.999Z"


def _other_attachment(statement: dict[str, Json]) -> None:
    found = statement.setdefault("attachments", [])
    if found:
        found[0]["length"] += 1
    else:
        found.append(
            {
                "usageType": "urn:x:u",
                "display": {},
                "contentType": "text/plain",
                "length": 1,
                "sha2": "0" * 64,
                "fileUrl": "urn:x:f",
            }
        )


MEANINGS: tuple[Callable[[dict[str, Json]], None], ...] = (
    _other_actor, _other_object, _other_verb, _other_success, _other_score, _other_response, _other_duration,
    _other_extension, _other_registration, _other_context_statement, _other_parent, _other_instructor,
    _other_context_agent, _other_timestamp, _other_attachment,
)  # fmt: skip


# ---------------------------------------------------------------- one broken rule


@dataclass(frozen=True, kw_only=True, slots=True)
class Broken:
    """A statement that breaks one rule, and the place where it does."""

    statement: dict[str, Json]
    at: Path


#: What stands under these means nothing to the standard, or is keyed by language.
_FREE = ("extensions",)
_MAPS = ("display", "description", "name")
_FORMATTED = {
    "id": "not an identifier", "usageType": "x", "fileUrl": "://", "homePage": "no iri", "moreInfo": "x y:z",
    "type": "", "openid": "http://a b", "mbox": "a@example.org", "mbox_sha1sum": "12345", "sha2": "0" * 40 + "g" * 24,
    "contentType": "text/plain\r\nX-Header: y", "registration": "00000000-0000-4000-0000-000000000000",
    "timestamp": "2026-02-30T00:00:00Z", "duration": "PT", "language": "en--GB", "version": "0.95",
    "length": -1, "scaled": 1.0001, "success": "true", "completion": 1, "raw": "3", "min": True, "max": [],
    "response": 5, "revision": 1, "platform": {}, "member": {}, "contextActivities": [], "attachments": {},
    "result": [], "context": "x", "actor": "me", "verb": ["x"], "object": None, "score": 1, "agent": [], "group": 7,
    "relevantTypes": [], "contextAgents": {}, "contextGroups": "x", "interactionType": "quiz",
}  # fmt: skip
_REQUIRED = {
    "actor",
    "verb",
    "object",
    "usageType",
    "display",
    "contentType",
    "length",
    "sha2",
    "homePage",
    "agent",
}


def places(value: Json, at: Path = ()) -> Iterator[tuple[Path, Json]]:
    """Yield every place of a statement whose shape the standard fixes."""
    yield at, value
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in _FREE and not _is_language_map(name, inner):
                yield from places(inner, (*at, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from places(inner, (*at, place))


def _is_language_map(name: str, value: Json) -> bool:
    return name in _MAPS and isinstance(value, dict)


def language_maps_in(statement: dict[str, Json]) -> list[Path]:
    """Return where the language maps of a statement are."""
    return [
        (*at, name)
        for at, value in places(statement)
        if isinstance(value, dict)
        for name, inner in value.items()
        if _is_language_map(name, inner)
    ]


def extensions_in(statement: dict[str, Json]) -> list[Path]:
    """Return where the extensions of a statement are."""
    return [
        (*at, "extensions")
        for at, value in places(statement)
        if isinstance(value, dict) and "extensions" in value
    ]


def look(value: Json, at: Path) -> Json:
    """Return what stands at a place."""
    for step in at:
        value = value[step]
    return value


_odd_names = texts.map("?{}".format) | st.sampled_from(
    ["=Agent", "=list", "[key]", "a.b", "it's", '"', "0", "", "actor "]
)


@st.composite
def broken_statements(draw: st.DrawFn, version: Version = Version.V2) -> Broken:
    """A valid statement in which one thing was changed so that it breaks a rule."""
    statement = copy.deepcopy(draw(statements(version)))
    breaking = draw(
        st.sampled_from(
            [_surprise, _null, _ill_formed, _missing, _bad_language, _bad_extension, _identified_twice]
        )
    )
    return breaking(draw, statement)


def _surprise(draw: st.DrawFn, statement: dict[str, Json]) -> Broken:
    at, holder = draw(st.sampled_from([one for one in places(statement) if isinstance(one[1], dict)]))
    name = draw(_odd_names)
    holder[name] = draw(json_values)
    return Broken(statement=statement, at=(*at, name))


def _null(draw: st.DrawFn, statement: dict[str, Json]) -> Broken:
    at = draw(st.sampled_from([at for at, _ in places(statement) if at]))
    look(statement, at[:-1])[at[-1]] = None
    return Broken(statement=statement, at=at)


def _ill_formed(draw: st.DrawFn, statement: dict[str, Json]) -> Broken:
    at = draw(st.sampled_from([at for at, _ in places(statement) if at and _has_form(statement, at)]))
    look(statement, at[:-1])[at[-1]] = _FORMATTED[str(at[-1])]
    return Broken(statement=statement, at=at)


def _has_form(statement: dict[str, Json], at: Path) -> bool:
    if at[-1] == "id" and len(at) > 1 and isinstance(at[-2], int) and at[-3] in COMPONENT_LISTS:
        return False  # the id of a component is any string
    return at[-1] in _FORMATTED


COMPONENT_LISTS = frozenset(name for names in COMPONENTS.values() for name in names)


def _missing(draw: st.DrawFn, statement: dict[str, Json]) -> Broken:
    at = draw(st.sampled_from([at for at, _ in places(statement) if at and at[-1] in _REQUIRED]))
    del look(statement, at[:-1])[at[-1]]
    return Broken(statement=statement, at=at)


def _bad_language(draw: st.DrawFn, statement: dict[str, Json]) -> Broken:
    found = language_maps_in(statement)
    if not found:
        statement["verb"]["display"] = {}
        found = [("verb", "display")]
    at = draw(st.sampled_from(found))
    tag, words = draw(
        st.sampled_from([("en_GB", "x"), ("", "x"), ("=one", "x"), ("[key]", "x"), ("en", 1), ("fr", None)])
    )
    look(statement, at)[tag] = words
    return Broken(statement=statement, at=(*at, tag))


def _bad_extension(draw: st.DrawFn, statement: dict[str, Json]) -> Broken:
    found = extensions_in(statement)
    if not found:
        statement.setdefault("result", {})["extensions"] = {}
        found = [("result", "extensions")]
    at = draw(st.sampled_from(found))
    name = draw(st.sampled_from(["no-iri", "", "=x", "[key]", "a b:c", "1:x"]))
    look(statement, at)[name] = draw(json_values)
    return Broken(statement=statement, at=(*at, name))


def _identified_twice(draw: st.DrawFn, statement: dict[str, Json]) -> Broken:
    holders = [
        (at, value)
        for at, value in places(statement)
        if isinstance(value, dict) and {"mbox", "openid", "account", "mbox_sha1sum"} & value.keys()
    ]
    if not holders:
        statement["actor"] = {"openid": "urn:x:1"}
        holders = [(("actor",), statement["actor"])]
    at, holder = draw(st.sampled_from(holders))
    name = "mbox" if "mbox" not in holder else "openid"
    holder[name] = "mailto:second@example.org"
    return Broken(statement=statement, at=at)
