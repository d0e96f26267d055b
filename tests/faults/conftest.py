"""A laptop that serves the demo, and an officer in front of it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults.officer import Officer, Standard
from tests.faults.records import Records
from tests.servers import NodeUnderTest, node


@dataclass(frozen=True, kw_only=True)
class Furnished:
    """A data folder to copy, and what is known of it."""

    data: Path
    courses: dict[str, str]  # title → id
    key: dict[str, Any]  # opens the record store to a reader
    whole_key: dict[str, Any]  # opens all of it

    def copy(self, data: Path) -> NodeUnderTest:
        """Return a copy of it in *data* that does not serve yet."""
        return NodeUnderTest(data=shutil.copytree(self.data, data))

    @contextmanager
    def copied(self, data: Path, *, program: tuple[str, ...] = ()) -> Iterator[NodeUnderTest]:
        """Serve a copy of it in *data*, until the block ends."""
        laptop = replace(self.copy(data), program=program)
        try:
            laptop.start()
            yield laptop
        finally:
            if laptop.process is not None:
                laptop.kill()


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    """A node with the demo's people and courses, made once: its commands take seconds."""
    with node(tmp_path_factory.mktemp("furnished")) as made:
        demo = made.facts("demo")
        key = made.facts("lrs-key", "create", "reader", "--scope", "statements/read")
        whole_key = made.facts("lrs-key", "create", "programs", "--scope", "all")
    courses = {course["title"]: course["id"] for course in demo["courses"]}
    return Furnished(data=made.data, courses=courses, key=key, whole_key=whole_key)


@pytest.fixture
def laptop(tmp_path: Path, furnished: Furnished) -> Iterator[NodeUnderTest]:
    """A laptop with people and courses, serving."""
    with furnished.copied(tmp_path / "laptop") as laptop:
        yield laptop


@pytest.fixture
def officer(laptop: NodeUnderTest, furnished: Furnished, standard: Standard) -> Iterator[Officer]:
    """An officer signed in, to take the demo course of the test's standard."""
    officer = Officer(laptop, standard, furnished.courses[standard.title])
    officer.sign_in()
    yield officer
    officer.close()


@pytest.fixture
def records(laptop: NodeUnderTest, furnished: Furnished, officer: Officer) -> Iterator[Records]:
    """The statements about the officer's course."""
    records = Records(laptop, furnished.key, officer.course)
    yield records
    records.close()


@contextmanager
def another_writer(laptop: NodeUnderTest) -> Iterator[None]:
    """Hold SQLite's one place for a writer, as a command beside the server does for a moment."""
    with closing(sqlite3.connect(laptop.data / "outpost.db", isolation_level=None)) as file:
        file.execute("BEGIN IMMEDIATE")
        yield
        file.execute("ROLLBACK")


def integrity(data: Path) -> str:
    """Let SQLite look through the database of a data folder, beside the server if there is one."""
    with closing(sqlite3.connect(data / "outpost.db")) as file:
        return str(file.execute("PRAGMA integrity_check").fetchone()[0])
