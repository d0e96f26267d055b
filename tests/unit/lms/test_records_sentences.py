"""A statement is one sentence in the reader's language, whatever its writer put into it."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from lms.launch.statements import learner
from lms.records.sentences import Sentence, people_in, seen, sentence_of, shown_json
from lms.web.locale import language
from tests.xapi_builders import COURSE, NOON, PASSED, a_statement
from xapi_store.query import StoredStatement

AMINA = UUID("39e24cc4-69af-4b01-a824-1fdc6ea8a3af")
ADL = "http://adlnet.gov/expapi/verbs"


def said(
    code: str = "en", *, definitions: dict[str, dict[str, Any]] | None = None, **changes: Any
) -> Sentence:
    spoken = language(code)
    assert spoken is not None
    statement = a_statement(timestamp="2026-05-12T14:02:00Z", **changes)
    one = StoredStatement(position=1, id=uuid4(), stored=NOON, raw=orjson.dumps(statement))
    return sentence_of(one, spoken, names={AMINA: "Amina Yusuf"}, definitions=definitions or {})


@pytest.mark.parametrize(
    ("actor", "who"),
    [
        (learner(AMINA), "Amina Yusuf"),
        (learner(UUID(int=7)), "Unknown officer 00000000"),
        ({"mbox": "mailto:a@example.org", "name": "A. Bell"}, "A. Bell"),
        ({"mbox": "mailto:a@example.org", "name": " "}, "a@example.org"),
        ({"account": {"homePage": "https://example.org/x", "name": "7"}}, "7 @ example.org"),
        ({"openid": "https://example.org/a"}, "https://example.org/a"),
        ({"mbox_sha1sum": "0123456789" * 4}, "01234567"),
        ({"objectType": "Group", "member": []}, "A group"),
        (
            {"account": {"homePage": "https://outpost.invalid/people", "name": "no id"}},
            "no id @ outpost.invalid",
        ),
        ({"account": {"homePage": "http://[", "name": "7"}}, "7 @ http://["),
    ],
)
def test_who_did_it(actor: dict[str, Any], who: str) -> None:
    assert said(actor=actor).who == who


@pytest.mark.parametrize(
    ("verb", "english", "arabic"),
    [
        ({"id": PASSED, "display": {"en": "passed"}}, "passed", "اجتاز"),
        ({"id": PASSED, "display": {"en-US": "made it", "ar": "نجح في"}}, "made it", "نجح في"),
        ({"id": PASSED}, "passed", "اجتاز"),
        ({"id": "https://example.org/verbs/dived", "display": {"fr": "a plongé"}}, "a plongé", "a plongé"),
        ({"id": "https://example.org/verbs/dived/"}, "dived", "dived"),
        ({"id": "urn:x:dived", "display": {}}, "urn:x:dived", "urn:x:dived"),
    ],
)
def test_what_was_done(verb: dict[str, Any], english: str, arabic: str) -> None:
    assert said(verb=verb).verb == english
    assert said("ar", verb=verb).verb == arabic


def test_an_activity_is_called_as_the_store_knows_it() -> None:
    canonical = {COURSE: {"name": {"en": "Border search", "ar": "تفتيش"}}}

    assert said(object={"id": COURSE}, definitions=canonical).what == "Border search"
    assert said("ar", object={"id": COURSE}, definitions=canonical).what == "تفتيش"
    assert said(object={"id": COURSE, "definition": {"name": {"fr": "Fouille"}}}).what == "Fouille"
    assert said(object={"id": COURSE}).what == COURSE


def test_other_objects_are_told_too() -> None:
    reference = {"objectType": "StatementRef", "id": str(AMINA)}
    plan = {
        "objectType": "SubStatement",
        "actor": learner(AMINA),
        "verb": {"id": f"{ADL}/completed"},
        "object": {"id": COURSE},
    }

    assert said(object=learner(AMINA)).what == "Amina Yusuf"
    assert said(object=reference).what == "the statement 39e24cc4"
    assert said(object=plan).what == f"Amina Yusuf · completed · {COURSE}"
    assert people_in([a_statement(object=plan)]) == {AMINA}


@pytest.mark.parametrize(
    ("verb", "result", "outcome"),
    [
        ("passed", {"score": {"scaled": 0.824}, "success": True}, "82%"),
        ("scored", {"score": {"raw": 41, "max": 50}}, "41 of 50 points"),
        ("scored", {"score": {"raw": 1234.5}}, "1,234.5 points"),
        ("responded", {"success": False}, "wrong"),
        ("completed", {"success": True, "score": {"scaled": 1}}, "100% · with success"),
        ("completed", {"completion": True}, ""),
        ("passed", {}, ""),
    ],
)
def test_how_it_went(verb: str, result: dict[str, Any], outcome: str) -> None:
    assert said(verb={"id": f"{ADL}/{verb}"}, result=result).outcome == outcome


def test_when_is_when_it_happened() -> None:
    assert said().when.isoformat() == "2026-05-12T14:02:00+00:00"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("invoice\u202efdp.exe", "invoice fdp.exe"),
        ("a\u2066b\u2069c", "a b c"),
        ("two\r\nlines\tand\0more", "two lines and more"),
        ("x" * 500, "x" * 120 + "…"),
        ("\u200dمثال", "\u200dمثال"),
    ],
)
def test_what_others_wrote_stays_in_its_line_and_direction(text: str, shown: str) -> None:
    assert seen(text) == shown


def test_json_is_indented_and_hides_nothing() -> None:
    text = orjson.dumps({"a": "x\u202ey\u0085z\u200b", "ب": ["<b>"]})

    shown, is_cut = shown_json(text, most=1000)

    assert not is_cut
    assert shown == '{\n  "a": "x\\u202ey\\u0085z\\u200b",\n  "ب": [\n    "<b>"\n  ]\n}'
    assert orjson.loads(shown) == orjson.loads(text)


def test_long_json_is_cut_before_it_grows_by_being_indented() -> None:
    deep: Any = [0] * 2000
    for _ in range(60):
        deep = [deep]

    shown, is_cut = shown_json(orjson.dumps(deep), most=1000)

    assert is_cut
    assert len(shown) == 1000
