"""Two statements are the same by what they mean, not by how they are spelled."""

from typing import Any

import pytest

from tests.xapi_builders import a_statement
from xapi_store.equality import differing

REFERENCE = {"objectType": "StatementRef", "id": "39e24cc4-69af-4b01-a824-1fdc6ea8a3af"}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (
            {"context": {"statement": REFERENCE}},
            {"context": {"statement": REFERENCE | {"id": REFERENCE["id"].upper()}}},
        ),
        ({"result": {"duration": "PT1.5S"}}, {"result": {"duration": "PT1.50S"}}),
        ({"result": {"duration": "PT1.5S"}}, {"result": {"duration": "PT1,509S"}}),
        ({"result": {"duration": "PT1S"}}, {"result": {"duration": "PT1.000S"}}),
        ({"result": {"duration": "PT1M"}}, {"result": {"duration": "PT60S"}}),
        ({"result": {"duration": "P1Y2DT0,5H"}}, {"result": {"duration": "P12MT48H30M"}}),
        ({"timestamp": "2016-12-31T23:59:60Z"}, {"timestamp": "2017-01-01T02:00:00+02:00"}),
    ],
)
def test_another_spelling_is_the_same_statement(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert differing(a_statement(**ours), a_statement(**theirs)) == ()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("PT1.5S", "PT1.51S"),
        ("PT10S", "PT1S"),
        ("PT1.05S", "PT1.5S"),
        ("P1.5D", "P1.5W"),
        ("P1M", "PT1M"),
        ("P30D", "P1M"),
        (f"PT{'9' * 999}S", f"PT{'9' * 998}8S"),
    ],
)
def test_another_duration_is_another_statement(ours: str, theirs: str) -> None:
    one, other = a_statement(result={"duration": ours}), a_statement(result={"duration": theirs})

    assert differing(one, other) == ("result",)
