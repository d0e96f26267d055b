"""Forward the feed: each target in a thread of its own, in steps of one batch.

The order of things is what makes it safe. Before a batch is sent, its end is kept as being in flight; only after
the target has said that it took the batch does the cursor move, in a transaction of its own. Whoever comes after
a crash, or after an answer that was lost, finds something in flight and asks the target for each of those
statements before sending any. No transaction is open while the network waits.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from functools import partial

from lms.database import Database
from lms.forwarding import actions
from lms.forwarding.answers import Verdict, is_alike, judge, pause, said
from lms.forwarding.batches import Batch, Item, next_batch, read_item, write_request
from lms.forwarding.errors import SecretUnreadableError
from lms.forwarding.http import HttpRecordStore
from lms.forwarding.ports import Answer, NoAnswerError, RecordStore
from lms.forwarding.problems import Problem
from lms.forwarding.queries import asked_again, due, is_due
from lms.forwarding.sealing import unseal
from lms.forwarding.tables import DeadLetter, Target
from xapi_store.attachments import Files
from xapi_store.feed import statements_after

log = logging.getLogger(__name__)

MOST_REFUSED_IN_A_ROW = 100
REPLAYED_AT_ONCE = 20  # then the feed has its turn

Connect = Callable[[Target, str], RecordStore]


class _LaterError(Exception):
    """The target takes nothing now; the cursor stays."""

    def __init__(
        self, problem: Problem, detail: str, *, may_have_arrived: bool, answer: Answer | None = None
    ) -> None:
        self.problem = problem
        self.detail = detail
        self.may_have_arrived = may_have_arrived
        self.answer = answer
        super().__init__(problem)


class _LockedOutError(_LaterError):
    """The target takes nothing before somebody has mended what is wrong."""


def connect(target: Target, secret: str) -> RecordStore:
    """Return a target's record store, reached by HTTP."""
    return HttpRecordStore(target.endpoint, key=target.key, secret=secret, version=target.version)


class Forwarder:
    """Sends statements to the targets of this node.

    Args:
        database: where the statements and the targets are.
        files: where large attachments are.
        secret: the node's own, with which the targets' secrets are sealed.
        now: the clock.
        connect: how a target is reached; tests have a store in memory.
        dice: a number from 0 to 1, for pauses that are not in step.
    """

    def __init__(
        self,
        database: Database,
        *,
        files: Files | None,
        secret: bytes,
        now: Callable[[], datetime],
        connect: Connect = connect,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._files = files
        self._secret = secret
        self._now = now
        self._connect = connect
        self._dice = dice
        self._stop = threading.Event()
        self._threads: dict[int, threading.Thread] = {}

    # ------------------------------------------------------------------ threads

    def look_after(self) -> bool:
        """Begin with every target that has something to do, for the worker; it keeps nobody waiting."""
        with self._database.read() as session:
            found = due(session, now=self._now())
        self._threads = {number: thread for number, thread in self._threads.items() if thread.is_alive()}
        for number in found:
            if number not in self._threads and not self._stop.is_set():
                thread = threading.Thread(
                    target=self.forward, args=(number,), name=f"forward {number}", daemon=True
                )
                self._threads[number] = thread
                thread.start()
        return False

    def ask_to_stop(self) -> None:
        """Begin nothing more."""
        self._stop.set()

    def join(self, *, within_s: float) -> bool:
        """Wait until what is under way has ended; say whether it has. What has not is found again in flight."""
        deadline = time.monotonic() + within_s
        for thread in self._threads.values():
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads.values())

    def forward(self, target_id: int) -> None:
        """Send a target all that it may have now."""
        try:
            store = self._open(target_id)
            if store is not None:
                with closing(store):
                    while not self._stop.is_set() and self.step(target_id, store):
                        pass
        except Exception:  # one target in trouble must not stop the others, nor be tried without a pause
            log.exception("forwarding_failed", extra={"target": target_id})
            self._put_off(target_id, _LaterError(Problem.NODE, "", may_have_arrived=True))

    def _open(self, target_id: int) -> RecordStore | None:
        with self._database.read() as session:
            target = session.get(Target, target_id)
        if target is None:
            return None
        try:
            secret = unseal(self._secret, target.secret, endpoint=target.endpoint, key=target.key)
        except SecretUnreadableError:
            with self._database.write() as session:
                actions.stop_at(session, target_id, Problem.SECRET, "")
            return None
        return self._connect(target, secret)

    # ------------------------------------------------------------------ one step

    def step(self, target_id: int, store: RecordStore) -> bool:
        """Send what was asked for once more, then the next batch; say whether there is more to do at once."""
        with self._database.read() as session:
            target = session.get(Target, target_id)
            letters = asked_again(session, target, limit=REPLAYED_AT_ONCE) if target is not None else ()
        if target is None or not is_due(target, self._now()):
            return False
        if target.version != store.version:
            return False  # changed meanwhile: it is spoken by the thread that comes next
        try:
            for letter in letters:
                self._replay(target, store, letter)
            more = self._go_on(target, store)
        except _LockedOutError as trouble:
            with self._database.write() as session:
                actions.stop_at(session, target_id, trouble.problem, trouble.detail)
            log.warning("forwarding_stopped", extra={"target": target_id, "problem": trouble.problem})
            return False
        except _LaterError as trouble:
            self._put_off(target_id, trouble)
            return False
        return more or len(letters) == REPLAYED_AT_ONCE

    def _go_on(self, target: Target, store: RecordStore) -> bool:
        flown = (
            target.in_flight if target.in_flight is not None and target.in_flight > target.cursor else None
        )
        batch = next_batch(self._database.read, self._files, target, until=flown)
        if not batch.items:
            if batch.through > target.cursor:
                self._settle(target, batch.through, 0)
            return batch.has_more or flown is not None
        if flown is not None:
            there = self._ask(store, batch.items)
            self._send(target, store, batch, there)
            return True
        with self._database.write() as session:
            if not actions.take_off(session, target.id, batch.through):
                return False
        try:
            self._send(target, store, batch, frozenset())
        except _LaterError as trouble:
            if not trouble.may_have_arrived:
                with self._database.write() as session:
                    actions.take_back(session, target.id)
            raise
        return batch.has_more

    def _send(self, target: Target, store: RecordStore, batch: Batch, there: frozenset[int]) -> None:
        """Send a batch but for what is there already, halving what is refused until it is one statement.

        From the front, so that the cursor always stands behind all that is settled.
        """
        settled = target.cursor
        missing = [item for item in batch.items if item.position not in there]
        waiting = [missing] if missing else []
        while waiting:
            if self._stop.is_set():
                return  # what is left is found in flight, and asked for
            chunk = waiting.pop()
            verdict, answer = self._post(store, chunk)
            if verdict is Verdict.REFUSED and len(chunk) > 1:
                half = len(chunk) // 2
                waiting += [chunk[half:], chunk[:half]]
                continue
            last = chunk[-1]
            through = last.position if waiting else batch.through
            known = sum(settled < position <= through for position in there)
            if verdict is Verdict.REFUSED and not self._is_there_alike(store, last, answer):
                if known:
                    self._settle(target, last.position - 1, known)
                self._bury(target, last, answer)
                self._settle(target, through, 0)
            elif not self._settle(target, through, len(chunk) + known):
                return
            settled = through
        if not missing:
            self._settle(target, batch.through, len(there))

    def _replay(self, target: Target, store: RecordStore, letter: DeadLetter) -> None:
        with self._database.read() as session:
            entries = statements_after(session, letter.position - 1, limit=1)
            if not entries or entries[0].statement_id != letter.statement_id:
                return
            item = read_item(session, self._files, entries[0], target.version)
        if not (letter.in_flight and self._ask(store, [item])):
            with self._database.write() as session:
                if not actions.lift(session, letter.id):
                    return
            try:
                verdict, answer = self._post(store, [item])
            except _LaterError as trouble:
                if not trouble.may_have_arrived and not letter.in_flight:
                    with self._database.write() as session:
                        actions.take_back(session, target.id, letter.id)
                raise
            if verdict is Verdict.REFUSED and not self._is_there_alike(store, item, answer):
                self._bury(target, item, answer)
                return
        with self._database.write() as session:
            actions.lay_to_rest(session, letter.id, now=self._now())

    # ------------------------------------------------------------------ the other side

    def _post(self, store: RecordStore, items: Sequence[Item]) -> tuple[Verdict, Answer]:
        body, content_type = write_request(items)
        answer = _answer_of(partial(store.post, body, content_type))
        judged = judge(answer, [item.id for item in items])
        if judged.verdict is Verdict.LATER or judged.verdict is Verdict.LOCKED_OUT:
            trouble = _LaterError if judged.verdict is Verdict.LATER else _LockedOutError
            raise trouble(
                judged.problem, said(answer), may_have_arrived=judged.may_have_arrived, answer=answer
            )
        return judged.verdict, answer

    def _ask(self, store: RecordStore, items: Sequence[Item]) -> frozenset[int]:
        """Return the positions of the statements that the target has.

        A key that may not read can ask nothing; then all are sent once more, which changes nothing there.
        """
        there = set()
        for item in items:
            for voided in (False, True):
                answer = _answer_of(partial(store.find, item.id, voided=voided))
                if answer.status in {401, 403}:
                    return frozenset()
                if answer.status == 200:
                    if _is_alike(answer, item):
                        there.add(item.position)
                    break
                if answer.status not in {400, 404}:
                    raise _LaterError(
                        judge(answer, ()).problem, said(answer), may_have_arrived=True, answer=answer
                    )
        return frozenset(there)

    def _is_there_alike(self, store: RecordStore, item: Item, answer: Answer) -> bool:
        """Return whether a statement was refused only because the target has the very same."""
        return answer.status == 409 and bool(self._ask(store, [item]))

    # ------------------------------------------------------------------ what is kept of it

    def _settle(self, target: Target, through: int, delivered: int) -> bool:
        with self._database.write() as session:
            return actions.settle(session, target.id, through, delivered=delivered, now=self._now())

    def _bury(self, target: Target, item: Item, answer: Answer) -> None:
        with self._database.write() as session:
            in_a_row = actions.bury(
                session,
                target.id,
                position=item.position,
                statement_id=item.id,
                status=answer.status,
                problem=said(answer),
                now=self._now(),
            )
        log.warning("statement_refused", extra={"target": target.id, "status": answer.status})
        if in_a_row >= MOST_REFUSED_IN_A_ROW:
            raise _LockedOutError(Problem.REFUSES_ALL, said(answer), may_have_arrived=False)

    def _put_off(self, target_id: int, trouble: _LaterError) -> None:
        now = self._now()
        with self._database.write() as session:
            target = session.get(Target, target_id)
            tries = target.tries + 1 if target is not None else 1
            wait = pause(tries, trouble.answer, now=now, dice=self._dice)
            actions.put_off(session, target_id, trouble.problem, trouble.detail, until=now + wait)
        log.info(
            "forwarding_put_off",
            extra={"target": target_id, "problem": trouble.problem, "tries": tries, "wait_s": wait.seconds},
        )


def _is_alike(answer: Answer, item: Item) -> bool:
    try:
        return is_alike(answer, item.text)
    except ValueError as error:
        raise _LaterError(
            Problem.STRANGE_ANSWER, said(answer), may_have_arrived=True, answer=answer
        ) from error


def _answer_of(ask: Callable[[], Answer]) -> Answer:
    try:
        return ask()
    except NoAnswerError as error:
        raise _LaterError(Problem.NO_ANSWER, error.detail, may_have_arrived=error.may_have_arrived) from error
