"""Exports: whole files, safe in a spreadsheet, resumed where they stopped, gone when nobody wants them."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy.orm import Session

from lms.database import Database
from lms.queue import claim, is_waiting
from lms.records.columns import COLUMNS
from lms.records.export import JOB, KEPT, Exporter
from lms.records.queries import find_export
from lms.records.tables import ExportFormat, ExportState, RecordExport
from tests.xapi_builders import AUTHORITY, COURSE, NOON, PASSED, a_statement, a_voiding
from xapi_store.ingest import store_statements
from xapi_store.query import StatementFilter, find_statements
from xapi_store.render import exact

ROOT = Path(__file__).parents[3]


class Clock:
    """A clock that is told the time."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def exporter(database: Database, tmp_path: Path, clock: Clock) -> Exporter:
    return Exporter(database=database, folder=tmp_path / "exports", now=clock, new_id=uuid4, tell_every_s=0.0)


def store(database: Database, *statements: dict[str, Any], now: datetime = NOON) -> list[UUID]:
    with database.write() as session:
        return store_statements(session, statements, authority=AUTHORITY, now=now)


def numbered(count: int) -> list[dict[str, Any]]:
    return [a_statement(result={"response": str(place)}) for place in range(count)]


def export_of(exporter: Exporter, export_id: UUID) -> RecordExport:
    with exporter.database.read() as session:
        found = find_export(session, export_id)
    assert found is not None
    return found


def run(exporter: Exporter, export_id: UUID) -> RecordExport:
    exporter.run_job({"export": str(export_id)})
    return export_of(exporter, export_id)


def rows_of(path: Path) -> list[dict[str, str]]:
    text = path.read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline="")))


def responses(path: Path) -> list[str]:
    return [orjson.loads(line)["result"]["response"] for line in path.read_bytes().splitlines()]


# ---------------------------------------------------------------- what a file holds


def test_json_lines_are_what_the_api_gives_newest_first(exporter: Exporter) -> None:
    store(exporter.database, *numbered(40))

    done = run(exporter, exporter.queue(StatementFilter(), ExportFormat.JSONL, by=None))

    with exporter.database.read() as session:
        found = find_statements(session, StatementFilter(), limit=100).statements
    assert exporter.path_of(done).read_bytes() == b"".join(
        exact(one.raw, one.stored) + b"\n" for one in found
    )
    assert (done.state, done.statements, done.finished) == (ExportState.DONE, 40, NOON)
    assert done.size == exporter.path_of(done).stat().st_size


def test_no_two_files_are_called_the_same(exporter: Exporter, clock: Clock) -> None:
    names = []
    for pause_s in (0, 1):
        clock.now += timedelta(seconds=pause_s)
        for _ in range(2):
            export_id = exporter.queue(StatementFilter(), ExportFormat.CSV, by=None)
            names.append(export_of(exporter, export_id).file_name)
    exporter.remove(export_id)
    clock.now += timedelta(seconds=1)
    names.append(export_of(exporter, exporter.queue(StatementFilter(), ExportFormat.CSV, by=None)).file_name)

    assert names[0] == "statements-2026-11-24-120000-1.csv"
    assert len(set(names)) == 5


def test_a_table_has_a_column_for_what_reports_ask_about(exporter: Exporter) -> None:
    (one,) = store(
        exporter.database,
        a_statement(
            object={
                "id": COURSE,
                "definition": {"name": {"ar": "تفتيش", "en-GB": 'Search, "unit" 3\r\nof 4'}},
            },
            result={
                "score": {"scaled": -0.5, "raw": 5, "min": 0, "max": 10},
                "success": False,
                "completion": True,
                "duration": "PT5M",
                "response": "a",
            },
            context={
                "registration": "39e24cc4-69af-4b01-a824-1fdc6ea8a3af",
                "contextActivities": {"parent": [{"id": "urn:x:1"}, {"id": "urn:x:2"}]},
                "platform": "Outpost",
                "language": "en",
            },
        ),
    )

    done = run(exporter, exporter.queue(StatementFilter(), ExportFormat.CSV, by=None))

    (row,) = rows_of(exporter.path_of(done))
    assert list(row) == list(COLUMNS)
    assert row == {
        "id": str(one), "stored": "2026-11-24T12:00:00.000000Z", "timestamp": "2026-11-24T12:00:00.000000Z",
        "actor": "p1", "actor_home_page": "https://outpost.invalid/people", "verb": PASSED,
        "object_type": "Activity", "object": COURSE, "object_name": 'Search, "unit" 3\r\nof 4',
        "parent": "urn:x:1 urn:x:2", "registration": "39e24cc4-69af-4b01-a824-1fdc6ea8a3af",
        "score_scaled": "-0.5", "score_raw": "5", "score_min": "0", "score_max": "10", "success": "false",
        "completion": "true", "duration": "PT5M", "response": "a", "platform": "Outpost", "language": "en",
        "authority": "k1", "version": "1.0.0",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "=cmd|' /C calc'!A0"]
)
def test_no_cell_is_run_by_a_spreadsheet(exporter: Exporter, text: str) -> None:
    name = {"en": text}
    store(
        exporter.database,
        a_statement(
            actor={"account": {"homePage": "urn:x:h", "name": text}},
            object={"id": COURSE, "definition": {"name": name}},
            result={"response": text},
        ),
    )

    done = run(exporter, exporter.queue(StatementFilter(), ExportFormat.CSV, by=None))

    (row,) = rows_of(exporter.path_of(done))
    assert [row[column] for column in ("actor", "object_name", "response")] == [f"'{text}"] * 3


@pytest.mark.parametrize(
    "thing",
    [
        {"objectType": "Agent", "mbox": "mailto:a@example.org", "name": "A. Bell"},
        {"objectType": "Group", "member": []},
        {"objectType": "StatementRef", "id": "39e24cc4-69af-4b01-a824-1fdc6ea8a3af"},
        {"objectType": "SubStatement", "actor": AUTHORITY, "verb": {"id": PASSED}, "object": {"id": COURSE}},
        {"id": COURSE, "definition": {"name": {}}},
    ],
)
def test_every_kind_of_object_has_a_row_and_no_name_of_a_person(
    exporter: Exporter, thing: dict[str, Any]
) -> None:
    store(exporter.database, a_statement(object=thing, actor={"objectType": "Group", "member": []}))

    done = run(exporter, exporter.queue(StatementFilter(), ExportFormat.CSV, by=None))

    (row,) = rows_of(exporter.path_of(done))
    assert row["object_type"] == thing.get("objectType", "Activity")
    assert "Bell" not in str(row)


def test_a_filter_is_kept_with_the_export(exporter: Exporter) -> None:
    (early,) = store(exporter.database, a_statement(verb={"id": "urn:x:v"}), now=NOON - timedelta(days=3))
    store(exporter.database, a_statement(), now=NOON - timedelta(days=3))
    store(exporter.database, a_statement(verb={"id": "urn:x:v"}))
    wanted = StatementFilter(
        verb="urn:x:v", since=NOON - timedelta(days=9), until=NOON - timedelta(days=1), related_agents=True
    )

    done = run(exporter, exporter.queue(wanted, ExportFormat.CSV, by=None))

    assert [row["id"] for row in rows_of(exporter.path_of(done))] == [str(early)]


def test_voided_statements_and_those_that_come_later_are_left_out(exporter: Exporter) -> None:
    (one,) = store(exporter.database, a_statement())
    (voiding,) = store(exporter.database, a_voiding(one))
    export_id = exporter.queue(StatementFilter(), ExportFormat.CSV, by=None)
    store(exporter.database, a_statement())

    done = run(exporter, export_id)

    assert [row["id"] for row in rows_of(exporter.path_of(done))] == [str(voiding)]


def test_an_empty_store_gives_an_empty_table(exporter: Exporter) -> None:
    done = run(exporter, exporter.queue(StatementFilter(), ExportFormat.CSV, by=None))

    assert (done.state, rows_of(exporter.path_of(done))) == (ExportState.DONE, [])


# ---------------------------------------------------------------- stopped and resumed


class KilledError(BaseException):
    """The process ended here, as far as the export can tell."""


def steps(exporter: Exporter, export_id: UUID, count: int) -> None:
    """Do some steps of an export, each told, then die."""
    dying: Any = Dying(exporter.database, iter(range(count)))
    with pytest.raises(KilledError):
        replace(exporter, database=dying).run_job({"export": str(export_id)})


class Dying:
    """A database whose process ends when it is to be written to once too often."""

    def __init__(self, database: Database, calls: Iterator[int]) -> None:
        self.database = database
        self.calls = calls

    def read(self) -> AbstractContextManager[Session]:
        return self.database.read()

    def write(self) -> AbstractContextManager[Session]:
        if next(self.calls, None) is None:
            raise KilledError
        return self.database.write()


@pytest.mark.parametrize("kind", list(ExportFormat))
def test_a_killed_export_goes_on_where_it_was_durable(exporter: Exporter, kind: ExportFormat) -> None:
    store(exporter.database, *numbered(300))
    whole = run(exporter, exporter.queue(StatementFilter(), kind, by=None))
    export_id = exporter.queue(StatementFilter(), kind, by=None)
    steps(exporter, export_id, 2)
    stopped = export_of(exporter, export_id)
    beside = exporter.folder / f"{export_id}.part"
    with beside.open("ab") as file:
        file.write(b"half a li" * 100_000)  # what was written and not yet told

    done = run(exporter, export_id)

    assert 0 < stopped.statements < 300
    assert stopped.state is ExportState.WRITING
    assert exporter.path_of(done).read_bytes() == exporter.path_of(whole).read_bytes()
    assert (done.statements, done.size) == (300, whole.size)
    assert not beside.exists()


@pytest.mark.parametrize("left", [b"", None])
def test_an_export_whose_file_was_lost_begins_anew(exporter: Exporter, left: bytes | None) -> None:
    store(exporter.database, *numbered(300))
    export_id = exporter.queue(StatementFilter(), ExportFormat.JSONL, by=None)
    steps(exporter, export_id, 2)
    beside = exporter.folder / f"{export_id}.part"
    beside.unlink()
    if left is not None:
        beside.write_bytes(left)

    done = run(exporter, export_id)

    assert responses(exporter.path_of(done)) == [str(place) for place in reversed(range(300))]
    assert done.statements == 300


def test_a_job_killed_between_the_file_and_the_word_says_it(exporter: Exporter) -> None:
    store(exporter.database, *numbered(3))
    done = run(exporter, exporter.queue(StatementFilter(), ExportFormat.JSONL, by=None))
    with exporter.database.write() as session:
        row = session.merge(done)
        row.state, row.finished, row.position = ExportState.WRITING, None, 0

    again = run(exporter, done.public_id)

    assert (again.state, again.statements) == (ExportState.DONE, 3)
    assert len(responses(exporter.path_of(again))) == 3


def test_a_job_that_runs_twice_does_nothing_the_second_time(exporter: Exporter, clock: Clock) -> None:
    store(exporter.database, *numbered(3))
    done = run(exporter, exporter.queue(StatementFilter(), ExportFormat.JSONL, by=None))
    clock.now += timedelta(hours=1)

    assert run(exporter, done.public_id).finished == NOON


def test_a_long_export_goes_on_in_another_job(exporter: Exporter) -> None:
    store(exporter.database, *numbered(300))
    hasty = replace(exporter, stint_s=0.0)
    export_id = hasty.queue(StatementFilter(), ExportFormat.JSONL, by=None)
    jobs = 0

    while True:
        with exporter.database.write() as session:
            job = claim(session, JOB, now=NOON)
            if job is None:
                break
            session.delete(job)
        hasty.run_job(job.payload)
        jobs += 1

    assert jobs > 3
    assert len(responses(exporter.path_of(export_of(exporter, export_id)))) == 300


# ---------------------------------------------------------------- cancelled, failed, forgotten


def test_an_export_removed_while_it_is_written_leaves_nothing(exporter: Exporter) -> None:
    store(exporter.database, *numbered(300))
    export_id = exporter.queue(StatementFilter(), ExportFormat.JSONL, by=None)
    steps(exporter, export_id, 2)

    exporter.remove(export_id)
    exporter.run_job({"export": str(export_id)})

    assert list(exporter.folder.iterdir()) == []
    with exporter.database.read() as session:
        assert find_export(session, export_id) is None


def test_an_export_is_cancelled_between_two_steps(exporter: Exporter) -> None:
    store(exporter.database, *numbered(300))
    export_id = exporter.queue(StatementFilter(), ExportFormat.JSONL, by=None)
    watched: Any = Cancelling(exporter, export_id)

    replace(exporter, database=watched).run_job({"export": str(export_id)})

    assert watched.pages == 3  # the export itself, and two pages
    assert list(exporter.folder.iterdir()) == []


class Cancelling:
    """A database of which somebody takes the export away while its second page is read."""

    def __init__(self, exporter: Exporter, export_id: UUID) -> None:
        self.exporter = exporter
        self.export_id = export_id
        self.pages = 0

    def read(self) -> AbstractContextManager[Session]:
        self.pages += 1
        if self.pages == 3:
            self.exporter.remove(self.export_id)
        return self.exporter.database.read()

    def write(self) -> AbstractContextManager[Session]:
        return self.exporter.database.write()


def test_a_disk_that_fails_ends_the_export_and_says_so(exporter: Exporter) -> None:
    store(exporter.database, *numbered(3))
    exporter.folder.write_bytes(b"no folder")  # whatever is opened in it fails

    done = run(exporter, exporter.queue(StatementFilter(), ExportFormat.JSONL, by=None))

    assert (done.state, done.finished) == (ExportState.FAILED, NOON)


def test_exports_and_strange_files_are_swept_after_some_days(exporter: Exporter, clock: Clock) -> None:
    old = run(exporter, exporter.queue(StatementFilter(), ExportFormat.CSV, by=None))
    clock.now = NOON + KEPT
    young = run(exporter, exporter.queue(StatementFilter(), ExportFormat.CSV, by=None))
    (exporter.folder / f"{uuid4()}.part").write_bytes(b"of an export that was removed")

    exporter.sweep()

    assert [path.stem for path in exporter.folder.iterdir()] == [str(young.public_id)]
    with exporter.database.read() as session:
        assert find_export(session, old.public_id) is None
        assert not is_waiting(session, "another", now=clock.now)


def test_memory_does_not_grow_with_the_export(tmp_path: Path) -> None:
    """Two thousand statements of 32 kB, 64 MB in all, in a process of which little more than Python is seen."""
    program = f"""
import tracemalloc
from datetime import datetime, UTC
from pathlib import Path
from lms.database import Database
from lms.records.export import Place, write_file
from lms.records.tables import ExportFormat
from tests.conftest import fresh_schema
from tests.xapi_builders import AUTHORITY, a_statement
from xapi_store.ingest import store_statements
from xapi_store.query import StatementFilter
database = Database("sqlite:///{(tmp_path / "m.db").as_posix()}")
fresh_schema(database)
long = [a_statement(result={{"response": "x" * 32_000}}) for _ in range(100)]
for _ in range(20):
    with database.write() as session:
        store_statements(session, long, authority=AUTHORITY, now=datetime.now(UTC))
tracemalloc.start()
with open({str(tmp_path / "out")!r}, "wb") as file:
    for place in write_file(database, StatementFilter(), ExportFormat.JSONL, file, Place(position=10**9)):
        pass
print(place.statements, tracemalloc.get_traced_memory()[1])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    statements, peak = (int(word) for word in done.stdout.split())

    assert statements == 2000
    assert peak < 40_000_000
    assert (tmp_path / "out").stat().st_size > 64_000_000
