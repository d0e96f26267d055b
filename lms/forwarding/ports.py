"""What forwarding asks of the world: another record store to talk to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a record store answered; names of headers are in lower case."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class NoAnswerError(Exception):
    """Nobody answered, or not to the end; ``may_have_arrived`` says whether the request was sent."""

    def __init__(self, detail: str, *, may_have_arrived: bool) -> None:
        self.detail = detail
        self.may_have_arrived = may_have_arrived
        super().__init__(detail)


class RecordStore(Protocol):
    """One other record store, with the credentials for it. Every call may raise :class:`NoAnswerError`."""

    version: str  # of xAPI, that is spoken to it

    def post(self, body: bytes, content_type: str) -> Answer:
        """Send statements (xAPI 1.0.3 Communication §2.1.2; xAPI 2.0 §4.1.6.1)."""
        ...

    def find(self, statement_id: UUID, *, voided: bool) -> Answer:
        """Ask for one statement, among those that are voided or those that are not."""
        ...

    def close(self) -> None:
        """Let the connection go."""
        ...
