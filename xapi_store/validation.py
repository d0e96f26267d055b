"""What the store would say to a body of statements, all of it, without storing anything.

The rules are those of `ingest`, asked without a database: so an id that is taken is not noticed, nor is the
content of a signature, which a text alone cannot bring.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xapi_store.attachments import check_parts
from xapi_store.errors import LrsError
from xapi_store.model.statement import check_ids, faults_of
from xapi_store.model.strict_json import load
from xapi_store.model.version import Version

#: More would not be read.
MAX_TOLD = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What was found: the statements, parsed, and what is wrong with them; `has_more` says that it is not all."""

    statements: Sequence[Any]
    errors: Sequence[LrsError]
    has_more: bool = False


def validate(text: bytes, version: Version) -> Verdict:
    """Check one statement, or an array of them, by the rules of a version."""
    try:
        value = load(text)
    except LrsError as error:
        return Verdict(statements=(), errors=[error])
    statements = value if isinstance(value, list) else [value]
    found: list[LrsError] = []
    for place, statement in enumerate(statements):
        faults = faults_of(statement, version)
        found.extend(fault.at(f"$[{place}]") if len(statements) > 1 else fault for fault in faults)
        if len(found) > MAX_TOLD:  # a hostile text has millions, and finding them takes half a minute
            return Verdict(statements=statements, errors=found[:MAX_TOLD], has_more=True)
    return Verdict(statements=statements, errors=found or _between(statements, version))


def _between(statements: Sequence[dict[str, Any]], version: Version) -> list[LrsError]:
    """Return what is wrong between statements that are each right by themselves."""
    found: list[LrsError] = []
    try:
        check_parts(statements, (), version)
    except LrsError as error:
        found.append(error)
    try:
        check_ids(statements, version)
    except LrsError as error:
        found.append(error)
    return found
