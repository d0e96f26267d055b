"""Fixtures for every test: a real database, the shared folder, Chromium, strace.

``--database=postgresql`` runs the same tests on a PostgreSQL server started for them; ``--database=both`` runs those
of ``tests/api`` twice, and the others on SQLite.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Playwright, sync_playwright
from sqlalchemy import create_mock_engine
from sqlalchemy.orm import Session
from sqlalchemy.schema import ExecutableDDLElement
from starlette.testclient import TestClient

from lms.database import Database
from migrations import all_metadata
from tests.dialects import make_dialects_last
from tests.postgres import Lending, Postgres, start_postgres

ROOT = Path(__file__).parents[1]
API = ROOT / "tests" / "api"
UNIT = ROOT / "tests" / "unit"
MEMORY = "/dev/shm"
ROOM = 2 * 2**30  # bytes; a run of all tests fills some hundred millions
SQLITE = "outpost.db"


def _has_room(folder: str) -> bool:
    if not os.access(folder, os.W_OK):
        return False
    there = os.statvfs(folder)
    return there.f_bavail * there.f_frsize > ROOM and not there.f_flag & os.ST_NOEXEC


if _has_room(MEMORY):  # nodes and browsers have every change reach the disk, and wait for it
    os.environ["TMPDIR"] = tempfile.tempdir = MEMORY
make_dialects_last()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=["sqlite", "postgresql", "both"],
        default="sqlite",
        help="which database the `database` and `session` fixtures give; both: tests/api on each, but for one_database",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" in metafunc.fixturenames:
        asked = metafunc.config.getoption("--database")
        if asked == "both":
            is_apart = API in metafunc.definition.path.parents
            is_alike = metafunc.definition.get_closest_marker("one_database") is not None
            kinds = ["sqlite", "postgresql"] if is_apart and not is_alike else ["sqlite"]
        else:
            kinds = [asked]
        metafunc.parametrize("database_kind", kinds, indirect=True, scope="session")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files that wait for others beside files that compute, and the short ones of ``unit`` last.

    Workers are given file after file: so neither waits for the processor while the other does not use it, and none is
    left alone with a long one at the end.
    """
    folders: dict[bool, list[Path]] = {True: [], False: []}
    for path in dict.fromkeys(item.path for item in items if UNIT not in item.path.parents):
        folders[API in path.parents].append(path)
    order = {path: place / len(paths) for paths in folders.values() for place, path in enumerate(paths)}
    items.sort(key=lambda item: order.get(item.path, 1))


@pytest.fixture(scope="session", autouse=True)
def one_loop() -> Iterator[None]:
    """Let all test clients share an event loop; by themselves they start one for each request, for 3 ms."""
    with start_blocking_portal() as portal:
        TestClient.portal = portal
        yield
        TestClient.portal = None


@pytest.fixture(scope="session")
def database_kind(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on: ``sqlite`` or ``postgresql``."""
    kind: str = request.param
    return kind


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for this run; ``create()`` gives the URL of a new, empty database."""
    # A folder of its own: pytest clears those of older runs away while they may still be running.
    with (
        tempfile.TemporaryDirectory(prefix="outpost-postgres-", ignore_cleanup_errors=True) as folder,
        start_postgres(Path(folder)) as server,
    ):
        yield server


@pytest.fixture
def database_url(request: pytest.FixtureRequest, database_kind: str, tmp_path: Path) -> str:
    """The URL of a new, empty database of the kind asked for."""
    if database_kind == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        return server.create()
    return _sqlite_url(tmp_path)


def _sqlite_url(folder: Path) -> str:
    return f"sqlite:///{(folder / SQLITE).as_posix()}"


def fresh_schema(database: Database) -> None:
    """Make every table, as the migrations would (``test_migrations`` compares the two); nobody has connected yet."""
    if database.is_sqlite:
        Path(str(database.url.database)).write_bytes(_sqlite_file())
    else:
        _make_tables(database)


def _make_tables(database: Database) -> None:
    with database.engine.begin() as connection:
        for statement in _schema(connection.dialect.name):
            connection.exec_driver_sql(statement)


@cache
def _sqlite_file() -> bytes:
    """Return a file with every table: making them takes 40 ms."""
    with tempfile.TemporaryDirectory() as folder:
        with closing(Database(_sqlite_url(Path(folder)))) as database:
            _make_tables(database)
        return (Path(folder) / SQLITE).read_bytes()


@cache
def _schema(backend: str) -> list[str]:
    """Return what makes every table: compiling it takes longer than having it done."""
    statements: list[str] = []

    def note(made: ExecutableDDLElement, *_: object) -> None:
        statements.append(str(made.compile(dialect=engine.dialect)))

    engine = create_mock_engine("sqlite://" if backend == "sqlite" else "postgresql+psycopg://", note)
    for metadata in all_metadata():
        metadata.create_all(engine, checkfirst=False)
    return statements


@pytest.fixture(scope="session")
def lending(postgres: Postgres) -> Iterator[Lending]:
    """Databases with every table on that server, to be given back empty."""
    with closing(Database(postgres.create())) as database:
        fresh_schema(database)
    with closing(Lending(postgres, like=str(database.url.database))) as lending:
        yield lending


@contextmanager
def _a_database(request: pytest.FixtureRequest, kind: str, folder: Path) -> Iterator[Database]:
    if kind == "postgresql":
        lending: Lending = request.getfixturevalue("lending")
        with lending.lend() as url, closing(Database(url)) as database:
            yield database
    else:
        with closing(Database(_sqlite_url(folder))) as database:
            fresh_schema(database)
            yield database


@pytest.fixture
def database(request: pytest.FixtureRequest, database_kind: str, tmp_path: Path) -> Iterator[Database]:
    """A database with the schema of this version."""
    with _a_database(request, database_kind, tmp_path) as database:
        yield database


@pytest.fixture(scope="module")
def lasting_database(
    request: pytest.FixtureRequest, database_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """One database for the tests of a module: those that change nothing, or expect what others left."""
    with _a_database(request, database_kind, tmp_path_factory.mktemp("lasting")) as database:
        yield database


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """One writing transaction, committed when the test ends."""
    with database.write() as session:
        yield session


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of studies and conformance data beside the checkout; absent on most machines."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        reason = "the folder ../shared is not here"
        pytest.fail(reason) if os.environ.get("REQUIRE_SHARED") == "1" else pytest.skip(reason)
    return folder


@pytest.fixture(scope="module")
def driver() -> Iterator[Playwright]:
    """What drives browsers: one in a process, and while it is there, no loop of asyncio besides."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium to drive."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        reason = "no Chromium on the path; install one or set CHROMIUM="
        pytest.fail(reason) if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip(reason)
    return str(found)


@pytest.fixture(scope="session")
def headless_shell(chromium: str) -> str:
    """The path of what Chromium is without its windows, for a third of the CPU; of Chromium, where that is not."""
    return shutil.which("chromium-headless-shell") or chromium


@pytest.fixture(scope="session")
def firefox() -> str:
    """The path of a Firefox to drive, of 2026 or later."""
    found = os.environ.get("FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")
    if not found:
        reason = "no Firefox on the path; install one or set FIREFOX="
        pytest.fail(reason) if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip(reason)
    return str(found)


@pytest.fixture(scope="session")
def strace() -> str:
    """The path of an strace that may trace."""
    found = shutil.which("strace")
    reason = "no strace on the path; install it (Linux only)"
    if found:
        trial = [found, "-f", "--seccomp-bpf", "-o", os.devnull, "true"]
        tried = subprocess.run(trial, capture_output=True, text=True, check=False)
        reason = f"strace cannot trace here: {tried.stderr.strip()}" if tried.returncode else ""
    if reason:
        pytest.fail(reason) if os.environ.get("REQUIRE_STRACE") == "1" else pytest.skip(reason)
    return str(found)
