"""JSON that means one thing only.

Refused beside broken syntax: NaN and infinities, a key twice in one object, lone surrogates, and nesting
deeper than 64. orjson sees all but the second and the last; the duplicate keys are looked for with the
slower standard library only where the text is not already what orjson itself would have written.
"""

import json
from collections.abc import Iterable
from typing import Any

import orjson

from xapi_store.errors import MalformedJsonError

MAX_DEPTH = 64

#: A JSON value. Statements are read by key all over; their shape is what `model.statement` vouches for.
Json = Any


def load(text: bytes) -> Json:
    """Parse a body.

    Raises:
        MalformedJsonError: the sentence says what is wrong, and where if the parser knows.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MalformedJsonError(f"The body is not JSON: {error}") from None
    _refuse_deep(value)
    if orjson.dumps(value) != text:
        # A key given twice is lost in parsing, so a text that equals its own rendering has none.
        json.loads(text, object_pairs_hook=_refuse_repeated, parse_int=str, parse_float=str)
    return value


def load_object(text: bytes) -> dict[str, Json]:
    """Parse a body that must be one JSON object."""
    value = load(text)
    if not isinstance(value, dict):
        raise MalformedJsonError("The body must be a JSON object.")
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
    raise MalformedJsonError(f"The body nests deeper than {MAX_DEPTH} levels.")


def _refuse_repeated(pairs: Iterable[tuple[str, Json]]) -> None:
    seen = set()
    for key, _ in pairs:
        if key in seen:
            raise MalformedJsonError(f"The key {key!r} stands twice in one object.")
        seen.add(key)
