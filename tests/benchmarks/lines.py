"""A client's connection that stays open from one request to the next, as a browser keeps it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import NamedTuple

QUIET_S = 10.0  # servers here close a connection on which nothing was said for 15 s


class Answer(NamedTuple):
    """What came back."""

    status: int
    location: str
    body: bytes


class Line:
    """A connection to a port of this machine, opened anew where the server may have closed it for its silence."""

    def __init__(self, port: int, *, timeout_s: float = 60) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=timeout_s)
        self._heard = time.monotonic()

    def ask(
        self,
        method: str,
        path: str,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request and return its answer, whole."""
        if time.monotonic() - self._heard > QUIET_S:
            self._connection.close()
        try:
            self._connection.request(method, path, body, dict(headers or {}))
            response = self._connection.getresponse()
            answer = Answer(response.status, response.headers.get("Location", ""), response.read())
        except BaseException:
            self._connection.close()  # half an answer would be taken for that of the next request
            raise
        self._heard = time.monotonic()
        return answer

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
