"""Talk to another record store over HTTP (httpx): Basic authentication, no redirects, bounded answers."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

import httpx

from lms.forwarding.ports import Answer, NoAnswerError
from xapi_store.model.version import VERSION_HEADER

CONNECT_TIMEOUT_S = 10.0
LONGEST_SILENCE_S = 60.0
LONGEST_EXCHANGE_S = 180.0
MOST_BYTES_OF_AN_ANSWER = 5 * 1024 * 1024  # the longest: one statement, asked for by its id


class HttpRecordStore:
    """One record store at one endpoint."""

    def __init__(self, endpoint: str, *, key: str, secret: str, version: str) -> None:
        self.version = version
        self._statements = f"{endpoint}/statements"
        self._client = httpx.Client(
            auth=httpx.BasicAuth(key.encode(), secret.encode()),
            headers={
                "user-agent": "outpost",
                "accept": "application/json",
                "accept-encoding": "identity",
                VERSION_HEADER: version,
            },
            timeout=httpx.Timeout(LONGEST_SILENCE_S, connect=CONNECT_TIMEOUT_S),
            follow_redirects=False,  # credentials and records go where the administrator said, nowhere else
        )

    def close(self) -> None:
        """Let the connection go."""
        self._client.close()

    def post(self, body: bytes, content_type: str) -> Answer:
        """Send statements."""
        return self._exchange("POST", content=body, headers={"content-type": content_type})

    def find(self, statement_id: UUID, *, voided: bool) -> Answer:
        """Ask for one statement."""
        return self._exchange(
            "GET", params={"voidedStatementId" if voided else "statementId": str(statement_id)}
        )

    def _exchange(self, method: str, **request: Any) -> Answer:
        ends = time.monotonic() + LONGEST_EXCHANGE_S
        body = bytearray()
        try:
            with self._client.stream(method, self._statements, **request) as response:
                for chunk in response.iter_raw():
                    body += chunk
                    if len(body) > MOST_BYTES_OF_AN_ANSWER or time.monotonic() > ends:
                        raise NoAnswerError("The answer does not end", may_have_arrived=True)
                return Answer(status=response.status_code, body=bytes(body), headers=dict(response.headers))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as error:
            raise NoAnswerError(_said(error), may_have_arrived=False) from error
        except httpx.HTTPError as error:
            raise NoAnswerError(_said(error), may_have_arrived=True) from error


def _said(error: httpx.HTTPError) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")
