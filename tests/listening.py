"""Listen to server-sent events over a real connection, as a dashboard does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

PATH = "/api/v1/statements/events"
PLAIN = False  # `verify`: over plain HTTP there is nothing to, and what it would load takes 50 ms a call


@dataclass
class Line:
    """An open stream; ``last_id`` is what a browser would come back with."""

    response: httpx.Response
    last_id: str | None = None
    comments: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lines = self.response.iter_lines()

    def next(self) -> tuple[str, dict[str, Any]]:
        """Return id and statement of the next event."""
        data: list[str] = []
        for line in self._lines:
            if not line and data:
                assert self.last_id is not None
                return self.last_id, orjson.loads("\n".join(data))
            name, _, value = line.partition(":")
            match name:
                case "data":
                    data.append(value.removeprefix(" "))
                case "id":
                    self.last_id = value.strip()
                case "" if value:
                    self.comments.append(value)
        raise EOFError

    def take(self, count: int) -> list[dict[str, Any]]:
        """Return the statements of the next events."""
        return [self.next()[1] for _ in range(count)]

    def ends(self) -> bool:
        """Say whether the server ended the stream as one ends an answer: whole."""
        try:
            for _ in self._lines:
                pass
        except httpx.HTTPError:
            return False
        return True

    def wait_for_comment(self) -> None:
        """Read until the server says something that is no event."""
        for line in self._lines:
            if line.startswith(":"):
                self.comments.append(line[1:])
                return
        raise EOFError

    def begun(self) -> Line:
        """Read until the server has told where the stream begins."""
        for line in self._lines:
            if line.startswith("id:"):
                self.last_id = line[3:].strip()
                return self
        raise EOFError


@contextmanager
def listening(
    address: str,
    token: str,
    *,
    last_id: str | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 20,
    **filters: str,
) -> Iterator[Line]:
    """Open a stream and give it once the server has said where it begins."""
    sent = {"Authorization": f"Bearer {token}", **(headers or {})}
    if last_id is not None:
        sent["Last-Event-ID"] = last_id
    asked = httpx.stream("GET", address + PATH, params=filters, headers=sent, timeout=timeout_s, verify=PLAIN)
    with asked as response:
        assert response.status_code == 200, response.read()
        yield Line(response).begun()
