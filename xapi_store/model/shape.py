"""Checking values against the shapes of the standard, with errors that say where.

Every shape is a `TypedDict`: the standard fixes property names and tells an absent property from a null
one, and so does a `TypedDict` with `NotRequired`. No other property is allowed, no null (outside
extensions), and nothing is converted: a number in quotes is a string.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from xapi_store.errors import InvalidStatementError, json_path
from xapi_store.model.iri import SENTENCES
from xapi_store.model.sections import Section, cite, section_of
from xapi_store.model.version import Version

MAX_FAULTS = 1000
STRICT = ConfigDict(extra="forbid", strict=True)


def check(shape: TypeAdapter[Any], value: Any, version: Version | None = None) -> None:
    """Check a value against a shape.

    Args:
        shape: what it should look like.
        value: parsed JSON.
        version: whose sections an error names; of both standards without.

    Raises:
        InvalidStatementError: with the JSON path of the first fault, a sentence, and the section of the standard.
    """
    try:
        shape.validate_python(value)
    except ValidationError as error:
        raise _named(error, version)[0] from None


def faults(
    shape: TypeAdapter[Any], value: Any, version: Version | None = None
) -> Sequence[InvalidStatementError]:
    """Return every fault that can be seen at once: rules between properties wait until each is right by itself."""
    try:
        shape.validate_python(value)
    except ValidationError as error:
        return _named(error, version)
    return ()


def _named(error: ValidationError, version: Version | None) -> Sequence[InvalidStatementError]:
    if error.error_count() > MAX_FAULTS:  # each would become an object
        where, problem = "$", f"breaks the standard in {error.error_count():,} places"
        return [InvalidStatementError(where, problem, cite(section_of("too_many", ()), version))]
    return [
        InvalidStatementError(_path(fault), _sentence(fault), cite(_section(fault), version))
        for fault in error.errors(include_url=False, include_input=False)
    ]


def _section(fault: Any) -> Section:
    return section_of(fault["type"], fault["loc"], fault.get("ctx", {}).get("pattern"))


def _path(fault: Any) -> str:
    location = [*fault["loc"]]
    # A key that is itself the fault stands at the end as it came, whatever it looks like.
    named = []
    if fault["type"] == "extra_forbidden":
        named = [location.pop()]
    elif location[-1:] == ["[key]"]:
        named = [location[-2]]
        del location[-2:]
    # What starts with = is the choice among shapes, which is no part of the document.
    outer = [step for step in location if isinstance(step, int) or not step.startswith("=")]
    return json_path([*outer, *named])


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
