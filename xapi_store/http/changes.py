"""Requests that write, made durable together.

While one transaction is on its way to the disk, the requests that arrive gather; the next one takes them all.
So many small writers share what a commit costs, and each is answered only after the one it was in.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from weakref import WeakKeyDictionary

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from xapi_store.errors import LrsError
from xapi_store.http.lrs import Credentials, Lrs
from xapi_store.ingest import Submission, store_submissions

log = logging.getLogger(__name__)

#: How long those who come first wait for as many as came together the last time; one writer alone never waits.
GATHER_S = 0.003

#: What one transaction takes at most, so that nobody waits long for the others in it.
MAX_CHANGES = 64
MAX_STATEMENTS = 1000


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
    """The changes that wait in one event loop."""

    def __init__(self, lrs: Lrs) -> None:
        self._lrs = lrs
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None
        self._expected = 1  # as many as the last transaction took
        self._gathered = asyncio.Event()
        # One at a time anyway; a thread of its own is handed its work in a third of the time the shared ones take.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="record-store")

    async def add(self, change: Change) -> _Outcome:
        done: asyncio.Future[_Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((change, done))
        if self._task is None:
            self._task = asyncio.create_task(self._make_all())
        elif len(self._waiting) >= self._expected:
            self._gathered.set()
        return await done

    async def _make_all(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                await self._gather()
                batch = self._next_batch()
                self._expected = len(batch)
                try:
                    changes = [change for change, _ in batch]
                    outcomes = await loop.run_in_executor(self._thread, _make, self._lrs, changes)
                except BaseException as error:
                    for _, done in batch:
                        if not done.done():
                            done.set_exception(error)
                    if not isinstance(error, Exception):
                        raise
                    continue
                for (_, done), outcome in zip(batch, outcomes, strict=True):
                    if done.done():  # the client has gone
                        continue
                    if isinstance(outcome, Exception) and not isinstance(outcome, LrsError):
                        done.set_exception(outcome)
                    else:
                        done.set_result(outcome)
        finally:
            self._task = None

    async def _gather(self) -> None:
        """Wait a moment if there were more the last time: they have their answers, and may be on their way again."""
        if len(self._waiting) >= self._expected:
            return
        self._gathered.clear()
        give_up = asyncio.get_running_loop().call_later(GATHER_S, self._gathered.set)
        await self._gathered.wait()
        give_up.cancel()

    def _next_batch(self) -> list[_Waiting]:
        batch = [self._waiting.popleft()]
        statements = _size(batch[0][0])
        while self._waiting and len(batch) < MAX_CHANGES:
            statements += _size(self._waiting[0][0])
            if statements > MAX_STATEMENTS:
                break
            batch.append(self._waiting.popleft())
        return batch


def _size(change: Change) -> int:
    return len(change.submission.statements) if isinstance(change, NewStatements) else 1


def _make(lrs: Lrs, changes: Sequence[Change]) -> Sequence[Exception | None]:
    """Make changes in one transaction; say of each why it was refused or failed."""
    try:
        return lrs.change(partial(_carry_out, lrs, changes=changes))
    except Exception as error:
        if len(changes) == 1:
            raise
        log.warning("shared_transaction_failed", extra={"changes": len(changes), "error": repr(error)})
    # Nothing of it has happened. Alone, only the one that fails will fail.
    outcomes: list[Exception | None] = []
    for change in changes:
        try:
            outcomes += lrs.change(partial(_carry_out, lrs, changes=[change]))
        except Exception as error:  # noqa: BLE001 - told to the one whose change it was
            outcomes.append(error)
    return outcomes


def _carry_out(lrs: Lrs, session: Session, changes: Sequence[Change]) -> list[_Outcome]:
    def admitting(credentials: Credentials) -> Callable[..., None]:
        return lambda new: lrs.admit(session, credentials, new)

    new = [change for change in changes if isinstance(change, NewStatements)]
    stored = iter(
        store_submissions(
            session, [(one.submission, admitting(one.credentials)) for one in new], now=lrs.now()
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
