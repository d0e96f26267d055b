"""What a commit takes of the server is the same in a course of three lessons and in one of three hundred.

Counted, not timed: the instructions that SQLite's machine carries out, which see every row that is read on whatever
way, and the calls that the program makes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from content_packages.package import Standard
from lms.database import Database
from lms.launch.actions import Commit, Desk, Phase, apply_commit, deliver
from lms.launch.queries import launch_to_write
from tests.conftest import fresh_schema
from tests.launch_builders import NOON, a_commit, a_course, a_desk, taken

FEW, MANY = 3, 300
ABOUT = 1.02  # a number with more digits is a call or two more somewhere
SAID: Mapping[Standard, Mapping[str, tuple[dict[str, str], dict[str, str]]]] = {
    "scorm12": {
        "place": ({"cmi.core.lesson_location": "1"}, {"cmi.core.lesson_location": "2"}),
        "status": ({"cmi.core.lesson_status": "failed"}, {"cmi.core.lesson_status": "passed"}),
    },
    "scorm2004": {"place": ({"cmi.location": "1"}, {"cmi.location": "2"})},
}
FINISHED: Mapping[Standard, dict[str, str]] = {
    "scorm12": {"cmi.core.lesson_status": "passed"},
    "scorm2004": {"cmi.completion_status": "completed", "cmi.success_status": "passed"},
}


@dataclass
class Took:
    """What a commit took: instructions of SQLite, calls of Python."""

    instructions: int = 0
    calls: int = 0


@pytest.mark.parametrize(
    ("standard", "what"), [(standard, what) for standard, said in SAID.items() for what in said]
)
def test_a_commit_takes_no_more_in_a_course_of_many_lessons(
    tmp_path: Path, standard: Standard, what: str
) -> None:
    few = what_a_commit_takes(tmp_path / "few", standard, SAID[standard][what], units=FEW)
    many = what_a_commit_takes(tmp_path / "many", standard, SAID[standard][what], units=MANY)

    assert few.instructions > 0
    assert many.instructions <= few.instructions * ABOUT
    assert many.calls <= few.calls * ABOUT


@pytest.mark.parametrize("standard", SAID)
def test_the_end_of_a_lesson_reads_no_more_in_a_course_of_many(tmp_path: Path, standard: Standard) -> None:
    ended = ({}, FINISHED[standard])

    few = what_a_commit_takes(tmp_path / "few", standard, ended, units=FEW, last="terminated")
    many = what_a_commit_takes(tmp_path / "many", standard, ended, units=MANY, last="terminated")

    assert few.instructions > 0
    assert many.instructions <= few.instructions * ABOUT


def what_a_commit_takes(
    folder: Path,
    standard: Standard,
    said: tuple[dict[str, str], dict[str, str]],
    *,
    units: int,
    last: Phase = "running",
) -> Took:
    """Open the first lesson of a course and save twice; return what the second time takes: the first may prepare."""
    folder.mkdir()
    desk = a_desk(folder)
    with closing(Database(f"sqlite:///{(folder / 'outpost.db').as_posix()}")) as database:
        fresh_schema(database)
        with database.write() as session:
            a_course(session, desk.shelf, standard=standard, units=units)
            delivered = deliver(session, desk, taken(session, desk), now=NOON)
            assert delivered is not None
        phases: tuple[Phase, Phase] = ("running", last)
        for sequence, (values, phase) in enumerate(zip(said, phases, strict=True), start=1):
            with database.write() as session, counted(session) as took:
                save(session, desk, delivered.token, a_commit(sequence, values, phase=phase))
        return took


def save(session: Session, desk: Desk, token: str, commit: tuple[Commit, bytes]) -> None:
    """Take a commit as the content host does."""
    apply_commit(session, desk, launch_to_write(session, token), *commit, now=NOON)


@contextmanager
def counted(session: Session) -> Iterator[Took]:
    """Count what is done inside the block, on this session's connection and in this thread."""
    took = Took()
    driver: Any = session.connection().connection.driver_connection

    def note_instruction() -> int:
        took.instructions += 1
        return 0

    def note_call(_frame: object, kind: str, _argument: object) -> None:
        took.calls += kind in {"call", "c_call"}

    driver.set_progress_handler(note_instruction, 1)
    sys.setprofile(note_call)
    try:
        yield took
    finally:
        sys.setprofile(None)
        driver.set_progress_handler(None, 1)
