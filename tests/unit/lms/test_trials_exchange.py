"""A request at a trial's record store and its answer, as the log keeps them."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from lms.trials.exchange import MOST_BYTES, MOST_CHARS, Body, Exchange

SECRET = "Basic " + base64.b64encode(b"0123456789abcdef0123456789abcdef:trial-secret/+").decode()


def a_body(content: bytes) -> Body:
    return Body(start=content[:MOST_BYTES], size=len(content))


def facts(sent: bytes = b"", *, status: int = 200, answered: bytes = b"", **more: Any) -> dict[str, Any]:
    asked = {"method": "POST", "resource": "statements", "authorization": SECRET, **more}
    return Exchange(sent=a_body(sent), status=status, answered=a_body(answered), **asked).facts()


def test_a_batch_is_about_its_verbs_and_a_document_about_its_name() -> None:
    batch = orjson.dumps([{"verb": {"id": f"http://adlnet.gov/expapi/verbs/{one}"}} for one in ("a", "b")])

    assert facts(batch)["about"] == "a, b"
    assert (
        facts(method="GET", resource="activities/state", query="stateId=bookmark&x=1")["about"] == "bookmark"
    )
    assert facts(b'[{"verb": 3}, 4, {"verb": {"id": 5}}]')["about"] == "5"
    assert facts(b"\xff{")["about"] == ""


@pytest.mark.parametrize(
    ("status", "answered", "asked", "code", "problem"),
    [
        (403, b'{"error": "No.", "section": "4.2"}', {}, "403", "No. · 4.2"),
        (400, b'{"error": "Wrong.", "path": "$.verb"}', {}, "400", "$.verb · Wrong."),
        (404, b'{"error": "None."}', {"method": "GET", "resource": "activities/state"}, "", ""),
        (404, b'{"error": "None."}', {"method": "GET", "resource": "about/x"}, "404", "None."),
        (502, b"<p>Bad gateway", {}, "502", ""),
        (200, b'{"error-code": "1", "error-text": "Twice."}', {"resource": "fetch"}, "1", "Twice."),
        (204, b"", {}, "", ""),
    ],
)
def test_a_refusal_has_its_status_and_the_reason_it_gives(
    status: int, answered: bytes, asked: dict[str, str], code: str, problem: str
) -> None:
    found = facts(status=status, answered=answered, **asked)

    assert (found["code"], found["problem"]) == (code, problem)


def test_a_credential_is_nowhere_however_it_is_written() -> None:
    shown = SECRET.removeprefix("Basic ")
    plain = base64.b64decode(shown).decode()
    told = [shown, shown.rstrip("="), shown.replace("=", "%3D"), plain, plain.partition(":")[2]]

    found = str(facts(orjson.dumps(told), answered=orjson.dumps(told), query=f"stateId={shown}"))

    for one in told:
        assert one not in found
    assert "•••" in found


def test_what_is_no_secret_is_left_alone() -> None:
    assert facts(b'{"a": "undefined"}', authorization="Basic a")["sent"] == '{"a": "undefined"}'


@pytest.mark.parametrize("sign", ["x", "é", "م", "😀"])
def test_a_body_is_cut_between_characters_and_says_how_long_it_was(sign: str) -> None:
    content = ("a" + sign * MOST_BYTES).encode()

    found = facts(content)["sent"]

    assert found == f"a{sign * (MOST_CHARS - 1)}… ({len(content):,})"


def test_of_a_body_that_is_no_text_only_its_length_is_told() -> None:
    assert facts(b"\x89PNG\xff" * 20)["sent"] == "… (100)"


def test_nothing_in_a_text_turns_the_line_around() -> None:
    assert facts("\u202eab\x00".encode())["sent"] == r"\u202eab\u0000"
