"""Jobs to be done later, enqueued in the caller's transaction.

The queue is a table: what is enqueued beside a change appears with it or not at all. ``lms.worker``
claims and runs jobs; a job that fails is tried again after a growing pause, and every job must be safe
to run twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Index, bindparam, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from lms.database import QUEUED, Base

LEASE = timedelta(minutes=5)
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)


class Job(Base):
    """One thing to do: its kind, what it needs, and when it may be claimed."""

    __tablename__ = "job"
    __table_args__ = (Index(None, "due"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    enqueued: Mapped[datetime]
    due: Mapped[datetime]  # while a worker has it: when its lease ends
    tries: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str | None]  # of the last try, for the person who looks


def enqueue(
    session: Session, kind: str, payload: dict[str, Any], *, now: datetime, due: datetime | None = None
) -> int:
    """Add a job that is done once this transaction has committed; return its number."""
    job = Job(kind=kind, payload=payload, enqueued=now, due=due or now)
    session.add(job)
    session.flush()
    session.info[QUEUED] = True
    return job.id


def is_waiting(session: Session, kind: str, *, now: datetime) -> bool:
    """Say whether a job of a kind is due, without taking it (and on SQLite without the write lock)."""
    return session.connection().scalar(_DUE, {"kind": kind, "now": now}) is not None


# Made once: asked after everything that is written.
_DUE = select(Job.id).where(Job.due <= bindparam("now"), Job.kind == bindparam("kind")).limit(1)


def claim(session: Session, kind: str, *, now: datetime) -> Job | None:
    """Take the oldest due job of a kind, for as long as :data:`LEASE`; another worker gets it afterwards."""
    query = select(Job).where(Job.due <= now, Job.kind == kind).order_by(Job.due).limit(1)
    job = session.scalars(query.with_for_update(skip_locked=True)).first()
    if job is not None:
        job.due = now + LEASE
        job.tries += 1
        session.flush()
    return job


def release(session: Session, *, now: datetime) -> None:
    """Let every job that was begun be claimed at once: whoever had one is gone, and it need not wait for its lease."""
    session.execute(update(Job).where(Job.due > now, Job.tries > 0).values(due=now))


def finish(session: Session, job_id: int) -> None:
    """Strike a job that has been done."""
    job = session.get(Job, job_id)
    if job is not None:
        session.delete(job)


def put_off(session: Session, job_id: int, problem: str, *, now: datetime) -> None:
    """Let a job that failed be tried again, each time after twice the pause."""
    job = session.get(Job, job_id)
    if job is not None:
        job.due = now + min(FIRST_PAUSE * 2 ** min(job.tries - 1, 16), LONGEST_PAUSE)
        job.problem = problem
