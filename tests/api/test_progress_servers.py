"""Several servers beside each other read the feed of statements on, each of them once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from lms.courses.iris import course_iri, unit_iri
from lms.database import Database
from lms.launch.statements import Subject, unit_statement
from lms.progress.actions import advance, catch_up
from lms.progress.queries import progress_of
from tests.launch_builders import COURSE, NOON, PERSON, REGISTRATION, a_desk
from xapi_store.ingest import store_statements

UNIT = unit_iri(COURSE, REGISTRATION)
SUBJECT = Subject(
    person=PERSON, registration=REGISTRATION, launch=REGISTRATION, node="hub", course=course_iri(COURSE),
    course_title="Border posts", unit=UNIT, unit_title="Lesson", attempt=1,
)  # fmt: skip


def test_who_reads_the_feed_waits_for_who_reads_it_already(database: Database, tmp_path: Path) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has one write at a time")
    desk = a_desk(tmp_path)
    with database.write() as session:
        assert not advance(session)  # from here on there is a place that was read up to
    for verb in ("initialized", "terminated"):
        said = unit_statement(SUBJECT, verb, now=NOON, result={"duration": "PT60S"})
        with database.write() as session:
            store_statements(session, [said], authority=desk.authority, now=NOON, new_id=desk.new_id)
    with ThreadPoolExecutor() as threads:
        with database.write() as session:
            advance(session)
            other_server = threads.submit(catch_up, database)
            wait([other_server], timeout=0.5)  # it has come as far as it can
        other_server.result()

    with database.read() as session:
        assert progress_of(session, [REGISTRATION])[REGISTRATION][UNIT].seconds == 60
