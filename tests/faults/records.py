"""What the record store of a node says, read as any other program reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx

from lms.courses.iris import course_iri
from lms.launch.statements import LAUNCH, VERBS
from tests.faults.officer import Ledger
from tests.servers import NodeUnderTest


class Reader:
    """A program that may read the record store."""

    def __init__(self, node: NodeUnderTest, key: dict[str, Any]) -> None:
        headers = {"X-Experience-API-Version": "1.0.3"}
        credentials = (key["key"], key["secret"])
        self._client = httpx.Client(base_url=node.url, auth=credentials, headers=headers, timeout=30)

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    def find(self, **wanted: str) -> Iterator[dict[str, Any]]:
        """Yield the statements that match, oldest first."""
        page = self.get("/xapi/statements", ascending="true", **wanted).json()
        yield from page["statements"]
        while page["more"]:
            page = self.get(page["more"]).json()
            yield from page["statements"]

    def get(self, path: str, **parameters: str) -> httpx.Response:
        """Read what is there."""
        answer = self._client.get(path, params=parameters or None)
        assert answer.status_code == 200, answer.text
        return answer


class Records(Reader):
    """The statements about a course and its units."""

    def __init__(self, node: NodeUnderTest, key: dict[str, Any], course: str) -> None:
        super().__init__(node, key)
        self._course = course_iri(UUID(course))

    def statements(self, *verbs: str) -> Iterator[dict[str, Any]]:
        """Yield the statements with these verbs, oldest first."""
        for verb in verbs:
            yield from self.find(
                verb=str(VERBS[verb]["id"]), activity=self._course, related_activities="true"
            )

    def check(self, ledger: Ledger) -> None:
        """See that each thing that happened was told, once."""
        openings = Counter(launch(told) for told in self.statements("initialized", "resumed"))
        endings = Counter(launch(told) for told in self.statements("terminated"))
        answers = [(place(told), int(told["result"]["response"])) for told in self.statements("responded")]
        owed = list(enumerate(ledger.answers))
        assert answers == owed, f"recorded {answers}, acknowledged {owed}"
        assert set(openings.values()) | set(endings.values()) <= {1}, f"doubled: {openings} {endings}"
        assert len(openings) == ledger.openings, f"{len(openings)} recorded, {ledger.openings} acknowledged"
        assert endings.keys() <= openings.keys(), "what was never opened has ended"


def launch(statement: dict[str, Any]) -> str:
    """Return the launch a statement came from."""
    return str(statement["context"]["extensions"][LAUNCH])


def place(statement: dict[str, Any]) -> int:
    """Return the place of the interaction a statement is about."""
    return int(statement["object"]["id"].rpartition("/")[2])
