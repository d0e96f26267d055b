"""Checking values against the shapes of the standard, with errors that say where.

Every shape is a `TypedDict`: the standard fixes property names and tells an absent property from a null
one, and so does a `TypedDict` with `NotRequired`. No other property is allowed, no null (outside
extensions), and nothing is converted: a number in quotes is a string.
"""

from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from xapi_store.errors import InvalidStatementError
from xapi_store.model.iri import SENTENCES

STRICT = ConfigDict(extra="forbid", strict=True)


def check(shape: TypeAdapter[Any], value: Any) -> None:
    """Check a value against a shape.

    Raises:
        InvalidStatementError: with the JSON path of the first fault and a sentence.
    """
    try:
        shape.validate_python(value)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        raise InvalidStatementError(_path(fault["loc"]), _sentence(fault)) from None


def _path(location: tuple[int | str, ...]) -> str:
    path = "$"
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step == "[key]":
            continue  # the key itself is the fault, and the path already ends with it
        elif step.startswith("="):
            continue  # the choice among shapes, which is no part of the document
        elif step.isidentifier():
            path += f".{step}"
        else:
            path += f"[{step!r}]"
    return path


def _sentence(fault: Any) -> str:
    match fault["type"]:
        case "string_pattern_mismatch":
            return SENTENCES[fault["ctx"]["pattern"]]
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "is not a property of the standard here"
        case "literal_error":
            return f"must be {fault['ctx']['expected']}"
        case _:
            message: str = fault["msg"]
            return message.replace("Input should be", "must be", 1).replace("dictionary", "object")
