"""A line of the log has the facts behind it, and is one line whatever they are."""

from __future__ import annotations

import logging

import pytest

from lms.cli.logs import WithFacts


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({}, "INFO disk_full"),
        ({"path": "/statements", "tries": 3}, "INFO disk_full path=/statements tries=3"),
        ({"path": "/a b\nINFO forged"}, "INFO disk_full path='/a b\\nINFO forged'"),
    ],
)
def test_facts_stand_behind_the_event(facts: dict[str, object], line: str) -> None:
    record = logging.makeLogRecord({"msg": "disk_full", "levelname": "INFO", **facts})

    assert WithFacts("%(levelname)s %(message)s").format(record) == line
