"""When two statements are the same (xAPI 1.0.3 Data §2.3.1; xAPI 2.0 §4.2.4.2).

Not by text: what the record store assigns does not count, nor does what may differ without meaning
something else: the order of properties and of unordered lists, a missing default object type, a display, an
activity's definition, digits beyond a hundredth of a second, or another way to write the same instant.
"""

from typing import Any

import orjson

from xapi_store.model.timestamps import comparable_duration, format_timestamp, parse_timestamp

#: Assigned by the store, so that they say nothing about what the writer meant.
_ASSIGNED = ("id", "stored", "authority", "version")
_CANONICAL = orjson.OPT_SORT_KEYS


def differing(
    ours: dict[str, Any], theirs: dict[str, Any], *, timestamp_given: bool = True
) -> tuple[str, ...]:
    """Return the names of the properties in which two valid statements differ; empty if they are the same.

    Args:
        ours: as stored.
        theirs: as it came.
        timestamp_given: false where the timestamp of one was set by the store rather than by its writer.
    """
    left, right = _comparable(ours), _comparable(theirs)
    if not timestamp_given:
        left.pop("timestamp", None)
        right.pop("timestamp", None)
    return tuple(
        name
        for name in sorted(left.keys() | right.keys())
        if orjson.dumps(left.get(name), option=_CANONICAL) != orjson.dumps(right.get(name), option=_CANONICAL)
    )


def _comparable(statement: dict[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in statement.items() if name not in _ASSIGNED}
    plain["verb"] = statement["verb"]["id"]
    plain["actor"] = _actor(statement["actor"])
    plain["object"] = _object(statement["object"])
    if "context" in plain:
        plain["context"] = _context(plain["context"])
    if "result" in plain:
        plain["result"] = _result(plain["result"])
    if "timestamp" in plain:
        plain["timestamp"] = format_timestamp(parse_timestamp(plain["timestamp"]))
    return {name: _number(value) for name, value in plain.items()}


def _actor(actor: dict[str, Any]) -> dict[str, Any]:
    plain = {"objectType": "Agent"} | actor
    if "member" in plain:
        plain["member"] = _unordered([_actor(member) for member in plain["member"]])
    return plain


def _object(thing: dict[str, Any]) -> Any:
    match thing.get("objectType", "Activity"):
        case "Activity":
            return thing["id"]
        case "Agent" | "Group":
            return _actor(thing)
        case "SubStatement":
            return _comparable(thing)
        case _:
            return thing["objectType"], thing["id"].lower()


def _context(context: dict[str, Any]) -> dict[str, Any]:
    plain = dict(context)
    for name in ("instructor", "team"):
        if name in plain:
            plain[name] = _actor(plain[name])
    if "contextActivities" in plain:
        plain["contextActivities"] = {
            name: sorted(
                activity["id"] for activity in (activities if isinstance(activities, list) else [activities])
            )
            for name, activities in plain["contextActivities"].items()
            if activities  # an empty list says no more than none
        }
        if not plain["contextActivities"]:
            del plain["contextActivities"]
    if "registration" in plain:
        plain["registration"] = plain["registration"].lower()
    if "statement" in plain:
        plain["statement"] = _object(plain["statement"])
    for name, of in (("contextAgents", "agent"), ("contextGroups", "group")):
        if name in plain:
            plain[name] = _unordered([entry | {of: _actor(entry[of])} for entry in plain[name]])
    return plain


def _result(result: dict[str, Any]) -> dict[str, Any]:
    if "duration" not in result:
        return result
    return result | {"duration": comparable_duration(result["duration"])}


def _unordered(values: list[Any]) -> list[Any]:
    return sorted(values, key=lambda value: orjson.dumps(value, option=_CANONICAL))


def _number(value: Any) -> Any:
    """Write whole numbers one way, so that 1 and 1.0 are the same and `true` is not."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, dict):
        return {name: _number(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_number(inner) for inner in value]
    return value
