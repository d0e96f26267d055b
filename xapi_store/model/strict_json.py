"""JSON that means one thing only.

Refused beside broken syntax: NaN and infinities, a key twice in one object, lone surrogates, and nesting
deeper than 64. orjson sees all but the second and the last; the duplicate keys are looked for with the
slower standard library only where the text is not already what orjson itself would have written.
"""

import json
from collections import deque
from typing import Any

import orjson

from xapi_store.errors import MalformedJsonError, json_path

MAX_DEPTH = 64

#: A JSON value. Statements are read by key all over; their shape is what `model.statement` vouches for.
Json = Any

_SYNTAX = "RFC 8259 (JSON)"
_UNIQUE_NAMES = "RFC 8259 (JSON) §4"
_LIMITS = "RFC 8259 (JSON) §9"

#: What orjson says where a text nests deeper than it reads, or nests deep and then ends.
_TOO_DEEP = ("depth limit exceeded", "failed to allocate memory")


def load(text: bytes) -> Json:
    """Parse a body.

    Raises:
        MalformedJsonError: the sentence says what is wrong, and where if the parser knows.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if error.msg.startswith(_TOO_DEEP):
            problem = f"The body nests deeper than {MAX_DEPTH} levels, or ends in the middle of them."
            raise MalformedJsonError("$", problem, _LIMITS) from None
        raise MalformedJsonError("$", f"The body is not JSON: {error}", _SYNTAX) from None
    _refuse_deep(value)
    if orjson.dumps(value) != text:
        # A key given twice is lost in parsing, so a text that equals its own rendering has none.
        _refuse_repeated(json.loads(text, object_pairs_hook=_Pairs, parse_int=str, parse_float=str))
    return value


def load_object(text: bytes) -> dict[str, Json]:
    """Parse a body that must be one JSON object."""
    value = load(text)
    if not isinstance(value, dict):
        raise MalformedJsonError("$", "The body must be a JSON object.")
    return value


def _refuse_deep(value: Json) -> None:
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(MAX_DEPTH):
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return
    raise MalformedJsonError("$", f"The body nests deeper than {MAX_DEPTH} levels.", _LIMITS)


class _Pairs(list[tuple[str, Json]]):
    """An object with all of its keys."""


def _refuse_repeated(value: Json) -> None:
    repeated = _repeated(value)
    if repeated is not None:
        *way, key = repeated
        raise MalformedJsonError(
            json_path(way), f"The key {key!r} stands twice in one object.", _UNIQUE_NAMES
        )


def _repeated(value: Json) -> deque[int | str] | None:
    """Return the way to a key that stands twice, the key at its end."""
    seen: set[int | str] = set()
    for step, child in value if type(value) is _Pairs else enumerate(value):
        if type(value) is _Pairs:
            if step in seen:
                return deque([step])
            seen.add(step)
        if isinstance(child, list):
            found = _repeated(child)
            if found is not None:
                found.appendleft(step)
                return found
    return None
