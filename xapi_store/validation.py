"""What the store would say to a body of statements, all of it, without storing anything.

The rules are those of `ingest`, asked without a database: so an id that is taken is not noticed, nor is the
content of a signature, which a text alone cannot bring.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from xapi_store.attachments import check_parts
from xapi_store.errors import LrsError, RequestError
from xapi_store.model.statement import faults_of
from xapi_store.model.strict_json import load
from xapi_store.model.version import Version

#: More would not be read, and a hostile text has hundreds of thousands.
MAX_TOLD = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What was found: the statements, parsed, and what is wrong with them, the first `MAX_TOLD` of it."""

    statements: Sequence[Any]
    errors: Sequence[LrsError]
    left_out: int = 0


def validate(text: bytes, version: Version) -> Verdict:
    """Check one statement, or an array of them, by the rules of a version."""
    try:
        value = load(text)
    except LrsError as error:
        return Verdict(statements=(), errors=[error])
    statements = value if isinstance(value, list) else [value]
    found: list[LrsError] = []
    count = 0
    for place, statement in enumerate(statements):
        for fault in faults_of(statement, version):
            count += 1
            if len(found) < MAX_TOLD:
                found.append(fault.at(f"$[{place}]") if len(statements) > 1 else fault)
    if not found:
        found = _between(statements)
        count = len(found)
    return Verdict(statements=statements, errors=found, left_out=count - len(found))


def _between(statements: Sequence[dict[str, Any]]) -> list[LrsError]:
    """Return what is wrong between statements that are each right by themselves."""
    found: list[LrsError] = []
    try:
        check_parts(statements, ())
    except RequestError as error:
        found.append(error)
    ids = [UUID(statement["id"]) for statement in statements if "id" in statement]
    if len(set(ids)) != len(ids):
        found.append(RequestError("An id stands twice among the statements of this request."))
    return found
