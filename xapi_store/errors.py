"""Everything the record store can refuse, as one family.

LrsError
├── RequestError                      the request itself cannot be carried out as asked
│   ├── UnsupportedVersionError       no xAPI version named, or one we do not speak
│   └── FaultError                    something in the body is wrong; says where, and by which rule
│       ├── MalformedJsonError        it is not the JSON the standard asks for
│       └── InvalidStatementError     a statement, agent or activity breaks a rule
├── UnauthenticatedError              nobody we know
├── ForbiddenError                    somebody we know, who may not do this
├── NotFoundError                     no such statement, document or resource
├── MethodNotAllowedError             the resource has no such method
├── StatementConflictError            the id is taken by a different statement
│   └── ArchivedStatementError        or by one that is in the archive
├── DocumentConflictError             a document is there and the writer did not say which one it read
├── PreconditionFailedError           the document is not the one the writer read
├── TooLargeError                     more bytes than the store takes at once
├── HeaderTooLargeError               more characters than the store takes in one header
├── PackedBodyError                   a Content-Encoding: the store unpacks nothing
└── TakenMeanwhileError               an id was taken by another writer at this moment: run the transaction again

An error carries the facts as attributes and a sentence for a person. It knows no status codes:
`xapi_store.http.responses` has that table.
"""

from collections.abc import Iterable
from uuid import UUID


class LrsError(Exception):
    """The store refuses; the sentence says what and, where there is something to do, what to do."""


class RequestError(LrsError):
    """A parameter, header or body is missing, unknown or contradicts another."""


class UnsupportedVersionError(RequestError):
    """The version header is missing or names a version this store does not speak."""


class FaultError(RequestError):
    """Something in a body is wrong: `path` says where (`json_path`), `section` where the rule stands."""

    def __init__(self, path: str, problem: str, section: str = "") -> None:
        self.path = path
        self.problem = problem
        self.section = section
        super().__init__(f"{path}: {problem}" if path != "$" else problem)


class MalformedJsonError(FaultError):
    """The text is not JSON, or not JSON that means one thing only."""


class InvalidStatementError(FaultError):
    """Something in a statement breaks a rule of the standard."""

    def at(self, prefix: str) -> "InvalidStatementError":
        """Return the same error as seen from further out: `$.actor` becomes `$[3].actor`."""
        return InvalidStatementError(prefix + self.path.removeprefix("$"), self.problem, self.section)


def json_path(steps: Iterable[int | str]) -> str:
    """Write the way to a value.

    >>> json_path(["context", "extensions", "urn:x:a", 0])
    "$.context.extensions['urn:x:a'][0]"
    """
    return "$" + "".join(
        f".{step}" if isinstance(step, str) and step.isidentifier() else f"[{step!r}]" for step in steps
    )


class UnauthenticatedError(LrsError):
    """The Authorization header is missing or names no credentials we know."""


class ForbiddenError(LrsError):
    """The credentials are good, but do not allow this."""


class NotFoundError(LrsError):
    """There is no such statement, document or resource."""


class MethodNotAllowedError(LrsError):
    """The resource exists and has no such method."""

    def __init__(self, method: str, allowed: tuple[str, ...]) -> None:
        self.allowed = allowed
        super().__init__(f"This resource does not take {method}; it takes {', '.join(allowed)}.")


class StatementConflictError(LrsError):
    """A stored statement has this id and different content (xAPI 1.0.3 Data §2.3.1)."""

    def __init__(self, statement_id: UUID, differing: tuple[str, ...]) -> None:
        self.statement_id = statement_id
        self.differing = differing
        super().__init__(
            f"Statement {statement_id} is already stored with a different "
            f"{', '.join(differing)}; stored statements never change."
        )


class ArchivedStatementError(StatementConflictError):
    """The id is taken by a statement that was put away with its part of the store."""

    def __init__(self, statement_id: UUID) -> None:
        super().__init__(statement_id, ("content",))
        self.args = (
            f"Statement {statement_id} is in the archive, where it cannot be compared with this one; its id is taken.",
        )


class DocumentConflictError(LrsError):
    """A document exists and the writer sent neither If-Match nor If-None-Match (Communication §3.1)."""


class PreconditionFailedError(LrsError):
    """If-Match or If-None-Match does not fit the document that is there."""


class TooLargeError(LrsError):
    """The body is larger than the store takes at once."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        super().__init__(f"The body is larger than {max_bytes:,} bytes; send it in smaller parts.")


class HeaderTooLargeError(LrsError):
    """One header is longer than the store reads."""

    def __init__(self, name: str, max_chars: int) -> None:
        super().__init__(f"The header {name} is longer than {max_chars:,} characters.")


class PackedBodyError(LrsError):
    """The body is packed. A few bytes may stand for gigabytes, so none are ever unpacked."""

    def __init__(self) -> None:
        super().__init__("The body is packed; send it again without Content-Encoding.")


class TakenMeanwhileError(LrsError):
    """Another writer took the id of a statement between the look and the taking (PostgreSQL)."""

    def __init__(self) -> None:
        super().__init__("Another writer stores a statement with this id at this moment; send it again.")
