"""The databases of trials: one file each, in a folder of their own, opened for each use and deleted at the end."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session
from starlette.requests import Request

from lms.database import Database
from lms.launch.queries import LaunchOverError
from lms.trials.trial import TrialBase
from migrations import all_metadata

KEPT = timedelta(hours=24)  # without use
_TOKEN = re.compile(r"trial-([0-9a-f]{32})-")
_LONGEST_WAIT_S = 30.0
_BESIDE = ("", "-wal", "-shm", "-journal")  # what SQLite puts beside a file


class TrialOverError(LaunchOverError):
    """The trial was ended, or nobody used it for a day: nothing of it is left."""


class TrialDatabases:
    """The trials of a node.

    Args:
        folder: made with the first trial.
        most: trials of all people together.
        most_each: trials of one person.
    """

    def __init__(self, folder: Path, *, now: Callable[[], datetime], most: int, most_each: int) -> None:
        self._folder = folder
        self._now = now
        self.most = most
        self.most_each = most_each

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Let nobody else open a trial meanwhile, in whatever process: who counts them may then make one more."""
        lock = sqlite3.connect(
            self._folder.with_suffix(".lock"), timeout=_LONGEST_WAIT_S, isolation_level=None
        )
        try:
            lock.execute(
                "BEGIN EXCLUSIVE"
            )  # the one lock that every system has, and that ends with its process
            yield
        finally:
            lock.close()

    @contextmanager
    def create(self, trial: UUID) -> Iterator[Session]:
        """Make a trial's database, with every table of a node; it is there whole after the block, or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(trial)
        beside = path.with_suffix(".new")
        try:
            database = Database(f"sqlite:///{beside.as_posix()}")
            try:
                for metadata in (*all_metadata(), TrialBase.metadata):
                    metadata.create_all(database.engine)
                with database.write() as session:
                    yield session
            finally:
                database.close()
            beside.replace(path)
        finally:
            _remove(beside)

    @contextmanager
    def opened(self, trial: UUID, *, is_use: bool = True) -> Iterator[Database]:
        """Open a trial's database, and note that it is in use.

        Raises:
            TrialOverError: it is no more.
        """
        path = self._path(trial)
        if self._is_over(path):
            raise TrialOverError
        if is_use:
            used = self._now().timestamp()
            try:
                os.utime(path, (used, used))
            except FileNotFoundError as error:
                raise TrialOverError from error
        database = Database(
            f"sqlite:///{path.as_uri()}?mode=rw&uri=true"
        )  # one that is no more is not made anew
        try:
            yield database
        finally:
            database.close()

    def of_token(self, token: str) -> AbstractContextManager[Database] | None:
        """Return the database a launch token belongs to; ``None`` for the token of a real launch."""
        trial = trial_in_token(token)
        return None if trial is None else self.opened(trial)

    def ids(self) -> list[UUID]:
        """Return the trials there are."""
        return [UUID(path.stem) for path in sorted(self._folder.glob("*.db")) if not self._is_over(path)]

    def delete(self, trial: UUID) -> None:
        """Delete a trial with all that was recorded in it."""
        path = self._path(trial)
        try:
            os.utime(path, (0, 0))  # over at once, even where a file that is open cannot be deleted (Windows)
            _remove(path)
        except FileNotFoundError:
            pass  # somebody was quicker
        except PermissionError:
            pass  # the next sweep takes it

    def sweep(self) -> bool:
        """Delete trials that nobody used for a day, and what a crash has left; say whether there is more to do."""
        for path in self._folder.glob("*"):
            main = path.with_name(re.sub(r"-(wal|shm|journal)$", "", path.name))
            if not main.exists():
                path.unlink(missing_ok=True)
            elif self._is_over(main):
                try:
                    _remove(main)
                except PermissionError:
                    continue  # in use after all; the next sweep takes it
        return False

    def _path(self, trial: UUID) -> Path:
        return self._folder / f"{trial.hex}.db"

    def _is_over(self, path: Path) -> bool:
        try:
            used = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except FileNotFoundError:
            return True
        return used + KEPT < self._now()


def trials_of(request: Request) -> TrialDatabases:
    """Return the trials that ``lms.app`` put beside the site."""
    trials: TrialDatabases = request.app.state.trials
    return trials


def trial_in_token(token: str) -> UUID | None:
    """Return the trial that a token says it belongs to.

    >>> trial_in_token("trial-00000000000000000000000000000001-x"), trial_in_token("x")
    (UUID('00000000-0000-0000-0000-000000000001'), None)
    """
    found = _TOKEN.match(token)
    return UUID(found[1]) if found else None


def token_prefix(trial: UUID) -> str:
    """Return what every launch token of a trial begins with.

    >>> token_prefix(UUID(int=1))
    'trial-00000000000000000000000000000001-'
    """
    return f"trial-{trial.hex}-"


def _remove(path: Path) -> None:
    for beside in _BESIDE:
        path.with_name(path.name + beside).unlink(missing_ok=True)
