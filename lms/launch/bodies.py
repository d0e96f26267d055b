"""What a browser sends about a launch: a commit as the shim writes it, and how much of a body is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from lms.launch.actions import Commit
from lms.launch.unit import MOST_REFUSED, SHOWN_CHARACTERS

MAX_COMMIT_BYTES = 4 * 1024 * 1024


class RefusedBody(BaseModel):
    """A value the shim refused the unit: the error it answered, the length in characters, and how the value begins."""

    model_config = ConfigDict(extra="forbid", strict=True)

    code: Annotated[str, Field(pattern=r"^[0-9]{3}$")]
    length: Annotated[int, Field(ge=0, le=2**53)]
    value: Annotated[str, Field(max_length=SHOWN_CHARACTERS)]


class CommitBody(BaseModel):
    """A commit as the shim sends it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    sequence: Annotated[int, Field(ge=1, le=2**53)]
    values: dict[str, str]
    refused: Annotated[
        dict[Annotated[str, Field(max_length=255)], RefusedBody], Field(max_length=MOST_REFUSED)
    ] = {}
    reason: Literal["initialize", "shown", "commit", "autosave", "hidden", "leave", "terminate", "overruled"]
    phase: Literal["launched", "running", "terminated"]
    session_time_s: Annotated[int, Field(ge=0, le=10**8)]
    learning_time_s: Annotated[int | None, Field(ge=0, le=10**8)] = None

    def commit(self) -> Commit:
        """Return what the launch is to take; Terminate is a phase, whatever phase came with it."""
        return Commit(
            sequence=self.sequence,
            values=self.values,
            refused={element: one.model_dump() for element, one in self.refused.items()},
            reason=self.reason,
            phase="terminated" if self.reason == "terminate" else self.phase,
            session_time_s=self.session_time_s,
            learning_time_s=self.learning_time_s,
        )


class LateBody(BaseModel):
    """A commit that was kept in the browser, as its text, and what is known of the shim that made it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    commit: str
    restarted: bool


def body_up_to(most_bytes: int) -> Callable[[Request], Awaitable[bytes]]:
    """Return what reads a body as it is, up to one byte more than is taken."""

    async def read(request: Request) -> bytes:
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > most_bytes:
                break
        return bytes(body)

    return read
