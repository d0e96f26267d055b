"""What the record store wants done from time to time; each returns at once where nothing is due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from lms.database import Database
from xapi_store.archive import begin_part as begin_part_of_store
from xapi_store.archive import part_due, prepare_part
from xapi_store.packing import keep_dictionary, train, training_is_due
from xapi_store.statistics import refresh_statistics, statistics_due


def train_packing(database: Database) -> bool:
    """Learn from the newest statements how to pack those that come."""
    with database.read() as session:
        trained = train(session) if training_is_due(session) else None
    if trained is not None:
        with database.write() as session:
            keep_dictionary(session, trained)
    return False


def begin_part(database: Database, now: Callable[[], datetime]) -> bool:
    """Begin a part with the first statement of a month (PostgreSQL only)."""
    with database.read() as session:
        due = part_due(session, now=now())
    if due is not None:
        with database.write() as session:
            prepare_part(session, due)
        with database.write() as session:
            begin_part_of_store(session, due)
    return False


def look_at_store(database: Database) -> bool:
    """Have the database find out anew what the store is like, once it has grown (PostgreSQL only)."""
    with database.read() as session:
        due = statistics_due(session)
    if due:
        with database.write() as session:
            refresh_statistics(session)
    return False
