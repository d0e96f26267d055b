"""A text is judged as the API would judge it."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest

from tests.xapi_builders import a_statement
from xapi_store.errors import InvalidStatementError, MalformedJsonError
from xapi_store.model.version import Version
from xapi_store.validation import MAX_TOLD, validate

ONE_ID = "39e24cc4-69af-4b01-a824-1fdc6ea8a3af"


def paths(value: Any) -> list[str]:
    found = validate(orjson.dumps(value), Version.V1).errors
    return [error.path for error in found if isinstance(error, InvalidStatementError)]


def test_a_right_statement_has_no_fault() -> None:
    found = validate(orjson.dumps(a_statement()), Version.V1)

    assert (found.statements, found.errors) == ([a_statement()], [])


def test_every_fault_of_every_statement_is_told() -> None:
    wrong = a_statement(verb={"id": "passed"}, result={"success": "yes"}, surprise=1)

    assert paths(wrong) == ["$.verb.id", "$.result.success", "$.surprise"]
    assert paths([a_statement(), wrong]) == ["$[1].verb.id", "$[1].result.success", "$[1].surprise"]


def test_what_2_0_brought_is_wrong_in_1_0_3_only() -> None:
    text = orjson.dumps(a_statement(context={"contextAgents": []}))

    assert len(validate(text, Version.V1).errors) == 1
    assert len(validate(text, Version.V2).errors) == 0


@pytest.mark.parametrize("text", [b"", b"{", b'{"a":1,"a":2}', b"\xff", b"NaN"])
def test_what_is_no_json_is_said_to_be_none(text: bytes) -> None:
    (error,) = validate(text, Version.V1).errors

    assert isinstance(error, MalformedJsonError)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (b'{"a":1,"a":2}', "$"),
        (b'[{"a":1},{"b c":[0,{"d":1,"d":1}]}]', "$[1]['b c'][1]"),
        (b'{"a":{"b":1},"c":{"b":1,"e":{},"b":1}}', "$.c"),
        (b'{"a":1,"\\u0061":2}', "$"),
    ],
)
def test_a_key_that_stands_twice_is_told_with_its_place(text: bytes, path: str) -> None:
    (error,) = validate(text, Version.V1).errors

    assert isinstance(error, MalformedJsonError)
    assert "stands twice" in error.problem
    assert (error.path, error.section) == (path, "RFC 8259 (JSON) §4")


def test_an_id_that_stands_twice_is_told() -> None:
    twice = [a_statement(id=ONE_ID), a_statement(id=ONE_ID.upper())]

    (error,) = validate(orjson.dumps(twice), Version.V1).errors

    assert isinstance(error, InvalidStatementError)
    assert "stands twice" in error.problem
    assert (error.path, error.section) == ("$[1].id", "xAPI 1.0.3 Data §2.4.1")


def test_an_attachment_without_bytes_or_address_is_told() -> None:
    attachment = {
        "usageType": "urn:x:u",
        "display": {"en": "A"},
        "contentType": "text/plain",
        "length": 1,
        "sha2": "0" * 64,
    }

    (error,) = validate(orjson.dumps(a_statement(attachments=[attachment])), Version.V1).errors

    assert isinstance(error, InvalidStatementError)
    assert "fileUrl" in error.problem
    assert (error.path, error.section) == ("$.attachments[0]", "xAPI 1.0.3 Data §2.4.11")


def test_of_many_faults_the_first_are_told_and_the_others_not_looked_for() -> None:
    began = time.process_time()

    found = validate(b"[" + b",".join([b"{}"] * 1_390_000) + b"]", Version.V1)

    assert (len(found.errors), found.has_more) == (MAX_TOLD, True)
    assert time.process_time() - began < 5  # all of them would take half a minute
