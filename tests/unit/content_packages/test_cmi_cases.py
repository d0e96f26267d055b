"""The cases that hold the server's judge and the player's (``lms/player/shim/data_model.js``) to the same answers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from content_packages.cmi.data_model import DataModel
from content_packages.cmi.tables import Standard

FILES = sorted((Path(__file__).parent / "cmi_cases").glob("*.json"))


def cases() -> Iterator[Any]:
    for file in FILES:
        group = json.loads(file.read_text(encoding="utf-8"))
        for case in group["cases"]:
            yield pytest.param(group["standard"], case, id=f"{file.stem}: {case['name']}")


@pytest.mark.parametrize(("standard", "case"), list(cases()))
def test_case(standard: str, case: dict[str, Any]) -> None:
    model = DataModel(Standard(standard), case.get("values", {}))

    answered = [answered_by(model, *call) for call in case["calls"]]

    assert answered == [expected(*call) for call in case["calls"]]


def answered_by(model: DataModel, call: str, element: str, value: Any, _code: str) -> tuple[str, ...]:
    answer = model.get(element) if call == "get" else model.set(element, text(value))
    return call, element, answer.value, answer.code


def expected(call: str, element: str, value: Any, code: str) -> tuple[str, ...]:
    return call, element, text(value) if call == "get" else str(code == "0").lower(), code


def text(value: str | dict[str, Any]) -> str:
    """A value as it is, or a long one described by what it repeats."""
    return value if isinstance(value, str) else value["repeat"] * value["times"]
