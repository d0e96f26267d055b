"""A port for each course, where courses have no names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from lms.web.content_ports import FILE_NAME, ContentPorts, NoPortLeftError

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
FIRST, SECOND, THIRD = (UUID(int=number) for number in (1, 2, 3))


def at(folder: Path, days: int = 0) -> ContentPorts:
    return ContentPorts(folder, range(8002, 8004), now=lambda: NOON + timedelta(days=days))


def test_an_edition_keeps_its_port_in_every_process(tmp_path: Path) -> None:
    ports = at(tmp_path)

    assert (ports.port_of(FIRST), ports.port_of(SECOND), ports.port_of(FIRST)) == (8002, 8003, 8002)
    assert at(tmp_path, days=9).port_of(SECOND) == 8003


def test_no_two_courses_that_are_played_share_one(tmp_path: Path) -> None:
    ports = at(tmp_path)
    ports.port_of(FIRST)
    ports.port_of(SECOND)

    with pytest.raises(NoPortLeftError):
        ports.port_of(THIRD)
    assert at(tmp_path).port_of(FIRST) == 8002


def test_the_one_that_was_not_played_for_longest_gives_its_up(tmp_path: Path) -> None:
    at(tmp_path).port_of(FIRST)
    at(tmp_path).port_of(SECOND)
    at(tmp_path, days=4).port_of(FIRST)

    assert at(tmp_path, days=5).port_of(THIRD) == 8003
    with pytest.raises(NoPortLeftError):
        at(tmp_path, days=5).port_of(SECOND)


@pytest.mark.parametrize("damaged", ["", "[]", "{", '{"x": [1, "y"]}'])
def test_a_damaged_list_is_begun_anew(tmp_path: Path, damaged: str) -> None:
    (tmp_path / FILE_NAME).write_text(damaged, encoding="utf-8")

    assert at(tmp_path).port_of(FIRST) == 8002
