"""Work in the background: queued jobs, and chores that come round.

On a laptop and a hub the worker runs in threads of the server; beside several server processes it runs once,
in their parent. A job opens its own transactions, in steps short enough that no learner's commit waits.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from lms.database import Database
from lms.queue import claim, finish, is_waiting, put_off, release

log = logging.getLogger(__name__)

IDLE_PAUSE_S = 0.5
GATHERING_S = 0.05  # what is written in one go is read in one go


@dataclass(frozen=True, kw_only=True, slots=True)
class Chore:
    """Something to do again and again, such as reading a feed.

    ``do`` returns whether more is waiting; it is then called again after as long a rest as it took, so that those who
    wait for an answer have half of a processor at least. One that follows what is written comes round early when this
    process has written something, and writes nothing where nothing is new.
    """

    name: str
    every_s: float
    do: Callable[[], bool]
    follows_writing: bool = False


class Helper(Protocol):
    """What a chore has set to work in threads of its own: it ends together with the worker."""

    def ask_to_stop(self) -> None:
        """Begin nothing more."""
        ...

    def join(self, *, within_s: float) -> bool:
        """Wait for what is under way; say whether it has ended."""
        ...


class Worker:
    """Runs jobs and chores until told to stop: each kind of job in a thread, and the chores in one.

    So a meeting over a bad link, which may take hours, holds up neither an import nor what pages show.

    Args:
        jobs: the one table from kind of job to the function that does it.
        helpers: what chores have set to work.
    """

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], datetime],
        jobs: Mapping[str, Callable[[dict[str, Any]], None]],
        chores: Sequence[Chore],
        helpers: Sequence[Helper] = (),
    ) -> None:
        self._database = database
        self._now = now
        self._jobs = jobs
        self._chores = chores
        self._helpers = helpers
        self._due = {chore.name: 0.0 for chore in chores}
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._do_chores, name="chores", daemon=True)]
        for kind in jobs:
            self._threads.append(
                threading.Thread(target=self._do_jobs, args=(kind,), name=f"job {kind}", daemon=True)
            )

    def start(self) -> None:
        """Begin to work, in threads of its own.

        On SQLite there is one server, so whoever began a job before is gone, and the job is begun anew at once.
        """
        if self._database.is_sqlite:
            with self._database.write() as session:
                release(session, now=self._now())
        for thread in self._threads:
            thread.start()

    def stop(self, *, within_s: float) -> bool:
        """Finish the steps at hand, then end; what is left waits in the queue. Say whether all have ended."""
        self._stop.set()
        for helper in self._helpers:
            helper.ask_to_stop()
        self._database.written.send()  # nobody need rest any longer
        self._database.queued.send()
        deadline = time.monotonic() + within_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        ended = [helper.join(within_s=max(0.0, deadline - time.monotonic())) for helper in self._helpers]
        return all(ended) and not any(thread.is_alive() for thread in self._threads)

    def _do_chores(self) -> None:
        while not self._stop.is_set():
            seen = self._database.written.count
            began = time.monotonic()
            if self.run_chores(began):
                self._stop.wait(time.monotonic() - began)
            elif self._database.written.wait(seen, IDLE_PAUSE_S):
                self._stop.wait(GATHERING_S)
                self._due.update({chore.name: 0.0 for chore in self._chores if chore.follows_writing})

    def _do_jobs(self, kind: str) -> None:
        while not self._stop.is_set():
            seen = self._database.queued.count
            if not self.run_job(kind):
                self._database.queued.wait(seen, IDLE_PAUSE_S)

    def run_job(self, kind: str) -> bool:
        """Do the oldest due job of a kind, if there is one; say whether there was."""
        with self._database.read() as session:
            waiting = is_waiting(session, kind, now=self._now())
        if not waiting:
            return False
        with self._database.write() as session:
            job = claim(session, kind, now=self._now())
        if job is None:
            return False
        started = time.monotonic()
        try:
            self._jobs[job.kind](job.payload)
        except Exception as error:  # whatever it was, the job is tried again and the reason kept
            log.exception("job_failed", extra={"job": job.kind, "tries": job.tries})
            with self._database.write() as session:
                put_off(session, job.id, f"{type(error).__name__}: {error}", now=self._now())
            return True
        with self._database.write() as session:
            finish(session, job.id)
        took_ms = round((time.monotonic() - started) * 1000)
        log.info("job_done", extra={"job": job.kind, "took_ms": took_ms})
        return True

    def run_chores(self, clock_s: float) -> bool:
        """Do each chore that is due; say whether one has more to do."""
        busy = False
        for chore in self._chores:
            if clock_s < self._due[chore.name]:
                continue
            try:
                more = chore.do()
            except Exception:  # one chore in trouble must not stop the others
                log.exception("chore_failed", extra={"chore": chore.name})
                more = False
            self._due[chore.name] = clock_s if more else clock_s + chore.every_s
            busy |= more
        return busy
