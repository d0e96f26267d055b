"""SCORM 1.2 RTE §3.3 and §3.4: 113 calls, through the player's shim and the server's judge.

ADL publishes no expectations for 1.2 as data; these were written from the standard (``scorm12_checks.json``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from content_packages.cmi.data_model import DataModel
from content_packages.cmi.tables import Standard
from tests.conformance.shim import a_shim

pytestmark = pytest.mark.shared
LONG = {"@4096": "s" * 4096}


def test_the_product_answers_as_the_standard_asks(shared: Path) -> None:
    checks = json.loads((shared / "scorm-cts" / "scorm12_checks.json").read_text(encoding="utf-8"))
    values = given(checks["seed"])
    judge, differences, running = DataModel(Standard.SCORM_12, values), [], False

    with a_shim() as shim:
        shim.open({"standard": "scorm12", "asset": False, "values": values, "sequence": 0}, accepting)
        for name, arguments, expected, codes in checks["calls"]:
            said = [LONG.get(argument, argument) for argument in arguments]
            answer = shim.call(name, *said)
            if answer.code not in codes or expected not in {None, *alike(answer.value)}:
                differences.append((name, arguments, expected, codes, answer))
            if running and name in {"LMSGetValue", "LMSSetValue"}:
                judged = judge.get(*said) if name == "LMSGetValue" else judge.set(*said)
                assert answer == (judged.value, judged.code), (name, arguments)
            if name in {"LMSInitialize", "LMSFinish"} and answer.value == "true":
                running = name == "LMSInitialize"

    assert len(checks["calls"]) == 113
    assert differences == []


def given(seed: Mapping[str, Any]) -> dict[str, str]:
    """Return what the LMS gives the unit to read."""
    core = {f"cmi.core.{name}": value for name, value in seed["core"].items()}
    student = {f"cmi.student_data.{name}": value for name, value in seed["student_data"].items()}
    return {**core, **student, "cmi.launch_data": seed["launch_data"]}


def accepting(body: bytes) -> tuple[int, Mapping[str, Any]]:
    """Take any commit."""
    return 200, {"sequence": json.loads(body)["sequence"], "refused": [], "navigation": None}


def alike(value: str) -> set[str]:
    """Return the ways to write a value in the data."""
    return {value, *(short for short, long in LONG.items() if long == value)}
