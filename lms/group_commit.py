"""Make what several threads write durable by one commit.

A commit on SQLite waits for the disk, whatever its size, and one writer works at a time. So while one thread
commits, the works of the others gather; whoever has the next turn does them all and commits once. Where there are
several, each stands behind a savepoint of its own. Nobody is answered before that commit.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.orm import Session

Answer = TypeVar("Answer")
Work = Callable[[Session], Any]

MOST_AT_ONCE = 64  # works in one transaction: the first of them waits for the last


class TransactionLostError(Exception):
    """The database gave up the whole transaction, and with it works that had gone well."""


class _Waiting:
    """One thread's work, and what came of it."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.is_done = False
        self.answer: Any = None
        self.error: BaseException | None = None

    def outcome(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.answer


class GroupCommit:
    """Does the works of many threads in few transactions.

    Args:
        turn: held by whoever writes; other writers of the same database take it too.
        begin: opens a writing transaction, and commits it at the end of the block.
    """

    def __init__(
        self, turn: AbstractContextManager[Any], begin: Callable[[], AbstractContextManager[Session]]
    ) -> None:
        self._turn = turn
        self._begin = begin
        self._queue: deque[_Waiting] = deque()
        self._guard = threading.Lock()

    def do(self, work: Callable[[Session], Answer]) -> Answer:
        """Do a work and return its answer once it is durable; an error of its own undoes it alone."""
        mine = _Waiting(work)
        with self._guard:
            self._queue.append(mine)
        with self._turn:
            while not mine.is_done:  # somebody who had the turn before may have done it
                self._do_waiting()
        answer: Answer = mine.outcome()
        return answer

    def _do_waiting(self) -> None:
        with self._guard:
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), MOST_AT_ONCE))]
        try:
            with self._begin() as session:
                if len(batch) == 1:
                    # If it fails, the transaction ends with it; a savepoint would double what it costs.
                    batch[0].answer = batch[0].work(session)
                else:
                    for one in batch:
                        _do(session.connection(), one)
        except BaseException as error:  # noqa: BLE001 - whatever it was, nothing of the batch has happened
            for one in batch:
                one.error = one.error or error
        finally:
            for one in batch:
                one.is_done = True


def _do(connection: Connection, one: _Waiting) -> None:
    session = Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
    try:
        one.answer = one.work(session)
        session.commit()
    except Exception as error:
        one.error = error
        # A full disk or a broken file makes SQLite roll back everything, not only to the savepoint.
        if not connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr]
            raise TransactionLostError from error
        session.rollback()
    session.close()
