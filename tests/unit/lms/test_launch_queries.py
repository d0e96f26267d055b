"""The launch that a commit takes past the ORM is the one the ORM knows, before and after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect
from sqlalchemy.orm import Session

from lms.launch.actions import Desk, Phase, apply_commit, deliver
from lms.launch.queries import LaunchOverError, launch_to_write, launch_with
from lms.launch.tables import Launch
from tests.launch_builders import NOON, a_commit, a_course, a_desk, taken

SAID = {"cmi.core.lesson_status": "passed", "cmi.core.lesson_location": "page-3"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return a_desk(tmp_path)


@pytest.mark.parametrize("phase", ["launched", "running", "terminated"])
def test_everything_a_commit_changes_of_a_launch_is_kept(session: Session, desk: Desk, phase: Phase) -> None:
    a_course(session, desk.shelf)
    delivered = deliver(session, desk, taken(session, desk), now=NOON)
    assert delivered is not None
    launch = launch_to_write(session, delivered.token)

    found = all_of(launch)
    before = kept(session, launch)
    apply_commit(session, desk, launch, *a_commit(1, SAID, phase=phase), now=NOON)

    assert found == before
    assert all_of(launch) != found
    assert kept(session, launch) == all_of(launch)


def test_a_token_that_opens_nothing_is_over(session: Session) -> None:
    with pytest.raises(LaunchOverError):
        launch_to_write(session, "no such token")


def kept(session: Session, launch: Launch) -> dict[str, Any]:
    """Return what the ORM reads of a launch."""
    session.expire_all()
    row = launch_with(session, launch.public_id)
    assert row is not None
    return all_of(row)


def all_of(launch: Launch) -> dict[str, Any]:
    return {column.key: getattr(launch, column.key) for column in inspect(Launch).columns}
