"""Requests that write, made durable together.

While a transaction is on its way to the disk, the requests that arrive gather; the next one takes them all.
So many small writers share what a commit costs, and each is answered only after the one it was in.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from weakref import WeakKeyDictionary, finalize

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from xapi_store.errors import LrsError
from xapi_store.http.lrs import Credentials, Lrs
from xapi_store.ingest import Admit, Submission, store_submissions

log = logging.getLogger(__name__)

#: How long those who come first wait for as many as came together the last time; one writer alone never waits.
GATHER_S = 0.003

#: What one transaction takes at most, so that nobody waits long for the others in it.
MAX_CHANGES = 64
MAX_STATEMENTS = 1000

#: How many transactions a process has under way where the database takes several writers: while PostgreSQL works on
#: one, Python prepares the next.
WRITERS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class NewStatements:
    """Statements that somebody wants stored, and the answer when they are."""

    submission: Submission
    credentials: Credentials
    answer: Response


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentChange:
    """A change of documents, and the answer when it is durable.

    `work` raises an `LrsError`, if it does, before it has written anything.
    """

    work: Callable[[Session], object]
    answer: Response


Change = NewStatements | DocumentChange
_Outcome = LrsError | None
_Waiting = tuple[Change, "asyncio.Future[_Outcome]"]
_Batch = tuple[Sequence[Change], Callable[[Sequence[Exception | None]], None]]


class Changes:
    """Carries out the changes of a record store."""

    def __init__(self, lrs: Lrs) -> None:
        self._lrs = lrs
        # A future belongs to its event loop. A server has one; tests have one for each client.
        self._by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, _Queue] = WeakKeyDictionary()

    async def make(self, change: Change) -> Response:
        """Return the answer of a change once it is durable.

        Raises:
            LrsError: the store refuses it.
        """
        if self._lrs.glance is None and isinstance(change, DocumentChange):
            # Several writers at once: who locked many documents, and others the same ones, could wait in a circle.
            await run_in_threadpool(self._lrs.change, change.work)
            return change.answer
        loop = asyncio.get_running_loop()
        queue = self._by_loop.get(loop)
        if queue is None:
            queue = self._by_loop[loop] = _Queue(self._lrs)
        refusal = await queue.add(change)
        if refusal is not None:
            raise refusal
        return change.answer


class _Queue:
    """The changes that wait in one event loop, and the threads that make them."""

    def __init__(self, lrs: Lrs) -> None:
        self._waiting: deque[_Waiting] = deque()
        self._under_way = 0
        self._at_once = 1 if lrs.glance is not None else WRITERS
        self._expected = 1  # as many as the last transaction took
        self._patience: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        # Handing a batch to a thread of our own costs a fifth of what the shared ones take.
        self._batches: SimpleQueue[_Batch | None] = SimpleQueue()
        for _ in range(self._at_once):
            threading.Thread(
                target=_make_batches, args=(lrs, self._batches), name="record-store", daemon=True
            ).start()
            finalize(self, self._batches.put, None)

    def add(self, change: Change) -> "asyncio.Future[_Outcome]":
        done: asyncio.Future[_Outcome] = self._loop.create_future()
        self._waiting.append((change, done))
        self._consider()
        return done

    def _consider(self) -> None:
        """Begin with those who wait, or wait a moment for as many as the last time.

        Those have their answers, and may be on their way again.
        """
        if self._under_way == self._at_once or not self._waiting:
            return
        if len(self._waiting) >= self._expected:
            self._begin()
        elif self._patience is None:
            self._patience = self._loop.call_later(GATHER_S, self._begin)

    def _begin(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        batch = self._next_batch()
        self._expected = len(batch)
        self._under_way += 1

        def tell(outcomes: Sequence[Exception | None]) -> None:
            with suppress(RuntimeError):  # the loop has ended, and nobody waits any longer
                self._loop.call_soon_threadsafe(self._end, batch, outcomes)

        self._batches.put(([change for change, _ in batch], tell))

    def _end(self, batch: Sequence[_Waiting], outcomes: Sequence[Exception | None]) -> None:
        self._under_way -= 1
        for (_, done), outcome in zip(batch, outcomes, strict=True):
            if done.done():  # the client has gone
                continue
            if outcome is None or isinstance(outcome, LrsError):
                done.set_result(outcome)
            else:
                done.set_exception(outcome)
        self._consider()

    def _next_batch(self) -> list[_Waiting]:
        batch = [self._waiting.popleft()]
        statements = _size(batch[0][0])
        while self._waiting and len(batch) < MAX_CHANGES:
            statements += _size(self._waiting[0][0])
            if statements > MAX_STATEMENTS:
                break
            batch.append(self._waiting.popleft())
        return batch


def _make_batches(lrs: Lrs, batches: "SimpleQueue[_Batch | None]") -> None:
    """Make one batch after the other, until there is to be none."""
    while (batch := batches.get()) is not None:
        changes, tell = batch
        try:
            outcomes = _make(lrs, changes)
        except Exception as error:  # noqa: BLE001 - told to those whose changes they were
            outcomes = [error] * len(changes)
        tell(outcomes)
        del batch, changes, tell  # or the last answers would live until the next batch


def _size(change: Change) -> int:
    return len(change.submission.statements) if isinstance(change, NewStatements) else 1


def _make(lrs: Lrs, changes: Sequence[Change]) -> Sequence[Exception | None]:
    """Make changes in one transaction; say of each why it was refused or failed."""
    try:
        return lrs.change(partial(_carry_out, lrs, changes=changes))
    except Exception as error:
        if len(changes) == 1:
            raise
        log.warning(
            "shared_transaction_failed", extra={"changes": len(changes), "error": type(error).__name__}
        )
    # Nothing of it has happened. Alone, only the one that fails will fail.
    outcomes: list[Exception | None] = []
    for change in changes:
        try:
            outcomes += lrs.change(partial(_carry_out, lrs, changes=[change]))
        except Exception as error:  # noqa: BLE001 - told to the one whose change it was
            outcomes.append(error)
    return outcomes


def _carry_out(lrs: Lrs, session: Session, changes: Sequence[Change]) -> list[_Outcome]:
    def admitting(credentials: Credentials) -> Admit:
        return lambda arriving: lrs.admit(session, credentials, arriving)

    new = [change for change in changes if isinstance(change, NewStatements)]
    if new:
        lrs.hold(session, [change.credentials for change in new])
    stored = iter(
        store_submissions(
            session,
            [(one.submission, admitting(one.credentials)) for one in new],
            now=lrs.now(),
            files=lrs.files,
        )
        if new
        else ()
    )
    outcomes: list[_Outcome] = []
    for change in changes:
        if isinstance(change, NewStatements):
            outcomes.append(next(stored))
            continue
        try:
            change.work(session)
        except LrsError as error:
            outcomes.append(error)
        else:
            outcomes.append(None)
    return outcomes
