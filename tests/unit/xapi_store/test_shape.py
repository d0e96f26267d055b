"""A fault is told with the JSON path that leads to it."""

from typing import Any

import pytest

from tests.xapi_builders import COURSE, LEARNER, a_statement
from xapi_store.errors import InvalidStatementError
from xapi_store.model.statement import check_statement
from xapi_store.model.version import Version


@pytest.mark.parametrize(
    ("statement", "path"),
    [
        (a_statement(**{"=Agent": 1}), "$['=Agent']"),
        (a_statement(**{"[key]": 1}), "$['[key]']"),
        (a_statement(actor=LEARNER | {"=Agent": 1}), "$.actor['=Agent']"),
        (a_statement(verb={"id": COURSE, "display": {"=one": "x"}}), "$.verb.display['=one']"),
        (a_statement(result={"extensions": {"[key]": 1}}), "$.result.extensions['[key]']"),
        (a_statement(verb={"id": COURSE, "display": {"en": 1}}), "$.verb.display.en"),
    ],
)
def test_a_path_names_the_key_at_fault_whatever_it_looks_like(statement: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidStatementError) as caught:
        check_statement(statement, Version.V1)

    assert caught.value.path == path
