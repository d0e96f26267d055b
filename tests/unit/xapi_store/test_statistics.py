"""What PostgreSQL knows of tables that lie in parts, so that it plans queries as well as it can."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.xapi_builders import AUTHORITY, NOON, a_statement
from xapi_store.ingest import store_statements
from xapi_store.statistics import FEW, refresh_statistics, statistics_due
from xapi_store.tables.partitions import IN_PARTS


def write(session: Session, count: int) -> None:
    store_statements(session, [a_statement() for _ in range(count)], authority=AUTHORITY, now=NOON)


def test_a_store_that_has_grown_is_looked_at(session: Session) -> None:
    if session.get_bind().dialect.name == "sqlite":
        pytest.skip("SQLite plans these queries without statistics")
    write(session, FEW)
    assert not statistics_due(session)
    write(session, 1)
    assert statistics_due(session)

    refresh_statistics(session)

    assert not statistics_due(session)
    known = set(session.scalars(text("SELECT tablename FROM pg_stats WHERE inherited")))
    assert {row.__tablename__ for row in IN_PARTS} - known <= {
        "xapi_registration_link"
    }  # of which there are none
    write(session, FEW // 2)
    assert not statistics_due(session)
    write(session, 10)
    assert statistics_due(session)


def test_nothing_is_due_without_statements(session: Session) -> None:
    assert not statistics_due(session)


def test_no_query_is_compiled_or_divided_among_processes(session: Session) -> None:
    if session.get_bind().dialect.name == "sqlite":
        pytest.skip("SQLite does neither")
    assert session.scalar(text("SHOW jit")) == "off"
    assert session.scalar(text("SHOW max_parallel_workers_per_gather")) == "0"
