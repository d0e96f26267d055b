"""A node with targets, and another record store in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson

from lms.database import Database
from lms.forwarding import actions
from lms.forwarding.actions import NewTarget, add_target
from lms.forwarding.forwarder import Forwarder
from lms.forwarding.ports import Answer, NoAnswerError
from lms.forwarding.queries import dead_letters, find_target
from lms.forwarding.tables import DeadLetter, Target
from tests.xapi_builders import AUTHORITY, NOON, a_statement
from xapi_store.attachments import Part
from xapi_store.http.multipart import read_parts
from xapi_store.ingest import store_statements
from xapi_store.model.version import Version

NODE_SECRET = b"s" * 32
NAME = "ministry"
FAILED = "http://adlnet.gov/expapi/verbs/failed"
REFUSAL = b'{"error": "The verb is not known here."}'
LOST = NoAnswerError("ReadTimeout", may_have_arrived=True)
NOBODY = NoAnswerError("ConnectError", may_have_arrived=False)


@dataclass
class OtherStore:
    """Takes statements whole or not at all, as the standard has it; ``next_answers`` come before its own."""

    kept: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    voided: set[UUID] = field(default_factory=set)
    refused: set[UUID] = field(default_factory=set)
    most_at_once: int = 1000
    next_answers: list[Answer | NoAnswerError] = field(default_factory=list)
    posts: list[list[UUID]] = field(default_factory=list)
    asked: list[UUID] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    may_be_asked: bool = True
    before_answering: Callable[[], None] = lambda: None
    closed: bool = False
    version: str = Version.V1

    def post(self, body: bytes, content_type: str) -> Answer:
        if self.next_answers:
            return self._scripted()
        if content_type.startswith("multipart/"):
            body, parts = read_parts(content_type, body)
            self.parts += parts
        sent = {UUID(one["id"]): one for one in orjson.loads(body)}
        self.posts.append(list(sent))
        if len(sent) > self.most_at_once:
            return Answer(status=413)
        if self.refused & sent.keys():
            return Answer(status=400, body=REFUSAL)
        if any(self.kept.get(one, told) != told for one, told in sent.items()):
            return Answer(status=409, body=b'{"error": "There is another one."}')
        self.kept |= sent
        self.before_answering()
        return Answer(status=200, body=orjson.dumps([str(one) for one in sent]))

    def find(self, statement_id: UUID, *, voided: bool) -> Answer:
        if self.next_answers:
            return self._scripted()
        if not self.may_be_asked:
            return Answer(status=403)
        self.asked.append(statement_id)
        if statement_id in self.kept and (statement_id in self.voided) == voided:
            return Answer(status=200, body=orjson.dumps(self.kept[statement_id]))
        return Answer(status=404)

    def close(self) -> None:
        self.closed = True

    def _scripted(self) -> Answer:
        answer = self.next_answers.pop(0)
        if isinstance(answer, NoAnswerError):
            raise answer
        return answer


class PowerError(BaseException):
    """The process ends here, as far as the test is concerned; no `except Exception` sees it."""


@dataclass
class Sender:
    """A node that forwards to one other store."""

    database: Database
    other: OtherStore = field(default_factory=OtherStore)
    clock: datetime = NOON

    def __post_init__(self) -> None:
        self.start_again()

    def start_again(self) -> None:
        """Begin as a new process does, with nothing in memory."""
        self.forwarder = Forwarder(
            self.database,
            files=None,
            secret=NODE_SECRET,
            now=lambda: self.clock,
            connect=self._connect,
            dice=lambda: 1.0,
        )

    def _connect(self, target: Target, _secret: str) -> OtherStore:
        self.other.version = target.version
        return self.other

    def add(self, *, secret: str = "s", **wanted: Any) -> Target:
        given = {"name": NAME, "endpoint": "https://lrs.example.org/xapi", "key": "k"}
        with self.database.write() as session:
            return add_target(
                session, NewTarget(**given | wanted), secret=secret, node_secret=NODE_SECRET, now=self.clock
            )

    def record(self, count: int = 1, *, parts: Sequence[Part] = (), **changes: Any) -> list[UUID]:
        """Store statements here and return their ids."""
        with self.database.write() as session:
            return store_statements(
                session,
                [a_statement(id=str(uuid4())) | changes for _ in range(count)],
                authority=AUTHORITY,
                now=self.clock,
                parts=parts,
            )

    def send(self) -> None:
        """Send what may be sent, as the thread of a target does."""
        self.forwarder.forward(self.target.id)

    def resume(self) -> None:
        """Have the target served again."""
        with self.database.write() as session:
            actions.resume(session.merge(self.target))

    def replay(self, *statements: UUID) -> None:
        """Have refused statements sent once more, all or those named."""
        with self.database.write() as session:
            actions.replay(session, session.merge(self.target), statements or None)

    def letters(self) -> Sequence[DeadLetter]:
        """What was refused, oldest first."""
        with self.database.read() as session:
            return [letter for _, letter in dead_letters(session)]

    def sent(self) -> Counter[UUID]:
        """How often each statement was sent."""
        return Counter(one for post in self.other.posts for one in post)

    @property
    def target(self) -> Target:
        with self.database.read() as session:
            return find_target(session, NAME)


def raising(error: BaseException) -> Callable[[], None]:
    """Return what raises *error* when it is called, for ``OtherStore.before_answering``."""

    def fail() -> None:
        raise error

    return fail
