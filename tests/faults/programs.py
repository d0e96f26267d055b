"""Programs that write to the record store all at once: statements, documents, some of it twice."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

import httpx

from tests.faults.ledger import COUNT, Request
from tests.faults.officer import GONE
from tests.servers import NodeUnderTest

AT_ONCE = 20
VERB = "https://outpost.invalid/verbs/kept"
ACTIVITY = "https://outpost.invalid/activities/durability"
AGENT = {"objectType": "Agent", "account": {"homePage": "https://outpost.invalid/programs", "name": "p1"}}
STATEMENTS, STATE = "/xapi/statements", "/xapi/activities/state"
BATCHES = (2, 5, 20, 50)
LONGEST_TEXT = 3000  # characters
LONGEST_WAIT_S = 60
RECENT = 2 * AT_ONCE  # requests of everybody: some of them are still under way


class Program:
    """One client, one request after the other.

    Its statements are made once; which of them, and how they are sent, the dice decide.
    """

    def __init__(
        self, node: NodeUnderTest, key: dict[str, Any], name: str, sent: list[Request], dice: random.Random
    ) -> None:
        self.name = name
        self.sent = sent  # by all programs: the ledger
        self.acknowledged = 0
        self._node = node
        self._credentials = (key["key"], key["secret"])
        self._dice = dice
        self._made = 0
        self._notes: dict[str, Any] | None = None
        self._open: Request | None = None  # sent, and not answered yet
        self._client: httpx.Client  # while it works
        self._places: Counter[int] = Counter()
        self._line = 0

    def work(self, *, goes_on: Callable[[], bool] = lambda: True) -> None:
        """Write until the server is gone, or told to stop; begin with what it left without an answer."""
        headers = {"X-Experience-API-Version": "1.0.3"}
        with (
            suppress(*GONE),
            httpx.Client(
                base_url=self._node.url,
                auth=self._credentials,
                headers=headers,
                timeout=30,
                event_hooks={"response": [self._note_line]},
            ) as line,
        ):
            self._client = line
            if self._open is not None and self._open.repeatable:
                self._send(again(self._open))
            while goes_on():
                write = self._dice.choices(*zip(*self._kinds, strict=True))[0]
                write()

    @property
    def _kinds(self) -> list[tuple[Callable[[], None], int]]:
        return [
            (self._post_one, 6),
            (self._put_one, 4),
            (self._post_many, 6),
            (self._send_again, 3),
            (self._contradict, 1),
            (self._put_notes, 3),
            (self._merge_notes, 2),
            (self._delete_notes, 1),
            (self._count, 3),
        ]

    # ------------------------------------------------------------------ statements

    def _post_one(self) -> None:
        """Now and then without an id: who then gets no answer cannot send it again."""
        with_id = self._dice.random() < 0.6
        self._send(posted([self._statement(with_id=with_id)], one=True, repeatable=with_id))

    def _put_one(self) -> None:
        statement = self._statement()
        where = {"statementId": statement["id"]}
        body = json.dumps(statement).encode()
        self._send(
            Request(method="PUT", resource=STATEMENTS, parameters=where, body=body, statements=[statement])
        )

    def _post_many(self) -> None:
        self._send(posted([self._statement() for _ in range(self._dice.choice(BATCHES))]))

    def _send_again(self) -> None:
        """Send what somebody has sent, be it under way: the same id comes twice at the same moment."""
        recent = [one for one in self.sent[-RECENT:] if one.statements and one.repeatable]
        if recent:
            self._send(again(self._dice.choice(recent)))

    def _contradict(self) -> None:
        """Hide among new statements another content for an id that is taken."""
        stored = [one for one in self.sent[-RECENT:] if one.statements and one.acknowledged]
        if not stored:
            return
        taken = self._dice.choice(stored).statements[0]
        fresh = [self._statement() for _ in range(self._dice.choice(BATCHES))]
        batch = [*fresh, {**taken, "verb": {"id": f"{VERB}/not"}}]
        self._dice.shuffle(batch)
        self._send(
            Request(
                method="POST",
                resource=STATEMENTS,
                body=json.dumps(batch).encode(),
                statements=fresh,
                repeatable=False,
                refusable=True,
            )
        )

    def _statement(self, *, with_id: bool = True) -> dict[str, Any]:
        self._made += 1
        statement: dict[str, Any] = {
            "actor": AGENT,
            "verb": {"id": VERB},
            "object": {"objectType": "Activity", "id": f"{ACTIVITY}/{self._dice.randrange(30)}"},
            "result": {"response": f"{self.name} {self._made}", "extensions": {ACTIVITY: self._text()}},
        }
        if with_id:
            statement["id"] = str(UUID(int=self._dice.getrandbits(128), version=4))
        if self._dice.random() < 0.5:
            statement["timestamp"] = f"2026-11-24T12:00:00.{self._dice.randrange(1000):03}Z"
        return statement

    def _text(self) -> str:
        return "." * int(LONGEST_TEXT * self._dice.random() ** 4)  # most are short

    # ------------------------------------------------------------------ documents

    def _put_notes(self) -> None:
        note = self._note()
        self._write_notes("PUT", note, leaves=note)

    def _merge_notes(self) -> None:
        note = self._note()
        self._write_notes("POST", note, leaves=(self._notes or {}) | note)

    def _delete_notes(self) -> None:
        self._write_notes("DELETE", None, leaves=None)

    def _note(self) -> dict[str, Any]:
        self._made += 1
        return {f"note {self._made % 3}": self._made, "text": self._text()}

    def _write_notes(
        self, method: str, note: dict[str, Any] | None, *, leaves: dict[str, Any] | None
    ) -> None:
        self._notes = leaves
        self._send(state(method, f"notes of {self.name}", note, leaves=leaves))

    def _count(self) -> None:
        """Add one to the count of all programs, unless another was faster."""
        found = self._exchange("GET", STATE, params=state_parameters(COUNT))
        before = found.json()["count"] if found.status_code == 200 else 0
        condition = {"If-Match": found.headers["ETag"]} if before else {"If-None-Match": "*"}
        after = {"count": before + 1}
        request = state("PUT", COUNT, after, leaves=after, headers=condition)
        request.repeatable = False
        self._send(request)

    # ------------------------------------------------------------------ the line

    def _send(self, request: Request) -> None:
        self._open = request
        self.sent.append(request)
        answer = self._exchange(
            request.method,
            request.resource,
            params=request.parameters,
            content=request.body,
            headers={"Content-Type": "application/json", **request.headers},
        )
        expected = (
            {409} if request.refusable else {200, 204} | ({412} if request.document == COUNT else set())
        )
        assert answer.status_code in expected, (request.method, request.resource, answer.text)
        if request.resource == STATEMENTS and answer.status_code == 200:
            for statement, told in zip(request.statements, answer.json(), strict=True):
                assert statement.setdefault("id", told) == told
        request.line = self._line
        request.place = self._places[request.line] - 1
        request.status = answer.status_code
        self.acknowledged += request.acknowledged
        self._open = None

    def _exchange(self, method: str, path: str, **how: Any) -> httpx.Response:
        answer = self._client.request(method, path, **how)
        self._places[self._line] += 1
        return answer

    def _note_line(self, answer: httpx.Response) -> None:
        """Note which connection an answer comes on, while that is open: its server may die with the last byte."""
        self._line = answer.extensions["network_stream"].get_extra_info("client_addr")[1]


def posted(statements: list[dict[str, Any]], *, one: bool = False, repeatable: bool = True) -> Request:
    """Return the POST of some statements."""
    body = json.dumps(statements[0] if one else statements).encode()
    return Request(
        method="POST", resource=STATEMENTS, body=body, statements=statements, repeatable=repeatable
    )


def state(
    method: str,
    name: str,
    content: dict[str, Any] | None,
    *,
    leaves: dict[str, Any] | None,
    headers: dict[str, str] | None = None,
) -> Request:
    """Return a request that changes a state document."""
    return Request(
        method=method,
        resource=STATE,
        parameters=state_parameters(name),
        headers=headers or {},
        body=b"" if content is None else json.dumps(content).encode(),
        document=name,
        leaves=leaves,
    )


def state_parameters(name: str) -> dict[str, str]:
    """Return how a state document is named in a request."""
    return {"activityId": ACTIVITY, "agent": json.dumps(AGENT), "stateId": name}


def again(request: Request) -> Request:
    """Return the same request, to be sent once more."""
    return Request(
        method=request.method,
        resource=request.resource,
        parameters=request.parameters,
        headers=request.headers,
        body=request.body,
        statements=request.statements,
        document=request.document,
        leaves=request.leaves,
    )


class Programs:
    """Many programs at once, and all that they have sent."""

    def __init__(self, node: NodeUnderTest, key: dict[str, Any], *, seed: int, count: int = AT_ONCE) -> None:
        self.sent: list[Request] = []
        self._all = [
            Program(node, key, name, self.sent, random.Random(f"{name} {seed}"))
            for name in (f"program {number}" for number in range(count))
        ]

    @property
    def acknowledged(self) -> int:
        """How many requests were answered with success."""
        return sum(program.acknowledged for program in self._all)

    def wait_for(self, acknowledged: int) -> None:
        """Wait until so many more requests were answered with success."""
        enough, deadline = self.acknowledged + acknowledged, time.monotonic() + LONGEST_WAIT_S
        while self.acknowledged < enough:
            assert time.monotonic() < deadline, f"{enough - self.acknowledged} answers did not come"
            time.sleep(0.005)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let them write; the block ends the server, or they stop with it."""
        enough = False
        with ThreadPoolExecutor(max_workers=len(self._all)) as apart:
            work = [apart.submit(program.work, goes_on=lambda: not enough) for program in self._all]
            try:
                yield
            finally:
                enough = True
            for done in work:
                done.result()
