"""Statements on pages: found, read as sentences, shown whole, and nothing in them that could act."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import orjson
import pytest

from lms.database import Database
from tests.records_builders import Records, by_officer, some_records
from tests.school_builders import counted, token
from tests.xapi_builders import COURSE, PASSED, a_statement, a_voiding
from xapi_store.attachments import Part

EVIL = "<script>alert(1)</script>"
SAYS_EVIL = html.escape(EVIL)
REGISTRATION = "39e24cc4-69af-4b01-a824-1fdc6ea8a3af"


@pytest.fixture
def records(database: Database, tmp_path: Path) -> Iterator[Records]:
    with some_records(database, tmp_path / "node") as made:
        yield made


def an_attachment(content: bytes, content_type: str) -> tuple[dict[str, Any], Part]:
    digest = hashlib.sha256(content).hexdigest()
    named = {
        "usageType": "urn:x:evidence",
        "display": {"en": EVIL},
        "contentType": content_type,
        "length": len(content),
        "sha2": digest,
    }
    return named, Part(sha2=digest, content=content, content_type=content_type)


# ---------------------------------------------------------------- the list


def test_a_statement_is_a_sentence_with_the_name_of_the_directory(records: Records) -> None:
    amina = records.person("4711", name="Amina Yusuf")
    unit = {"id": COURSE, "definition": {"name": {"en": "Border search, unit 3", "ar": "تفتيش"}}}
    records.store(by_officer(amina, object=unit, result={"score": {"scaled": 0.82}}))

    page = records.client().get("/records").text
    arabic = records.client(locale="ar").get("/records").text

    for part in ("Amina Yusuf", "passed", "Border search, unit 3", "82%"):
        assert part in page
    for part in ("Amina Yusuf", "تفتيش", "اجتاز"):
        assert part in arabic


def test_an_empty_store_says_how_statements_come_here(records: Records) -> None:
    page = records.client().get("/records")

    assert page.status_code == 200
    assert "Statements will be listed here." in page.text


def test_pages_lead_down_and_up_again(records: Records) -> None:
    records.store(*(a_statement(object={"id": f"urn:x:{n:02}"}) for n in range(60)))
    client = records.client()

    def shown(page: str) -> list[str]:
        return [f"{n:02}" for n in range(60) if f">urn:x:{n:02}<" in page]

    def link(page: str, rel: str) -> str:
        found = re.search(f'rel="{rel}"[^>]*href="([^"]*)"', page)
        assert found is not None
        return html.unescape(found[1])

    first = client.get("/records").text
    second = client.get(link(first, "next")).text
    third = client.get(link(second, "next")).text
    back = client.get(link(third, "prev")).text
    top = client.get(link(back, "prev")).text

    assert [len(shown(page)) for page in (first, second, third)] == [25, 25, 10]
    assert sorted(shown(first) + shown(second) + shown(third)) == [f"{n:02}" for n in range(60)]
    assert shown(back) == shown(second)
    assert shown(top) == shown(first)
    assert 'rel="next"' not in third
    assert 'rel="prev"' not in first + top


def test_an_officer_is_found_by_number_and_by_name(records: Records) -> None:
    amina, other = records.person("4711", name="Amina Yusuf"), records.person("4712", name="Grace Banda")
    records.store(by_officer(amina, object={"id": "urn:x:hers"}), by_officer(other))
    client = records.client()

    for who in ("4711", "amina", "YUSUF"):
        page = client.get("/records", params={"who": who}).text
        assert "urn:x:hers" in page
        assert "Grace Banda" not in page
        assert f'name="person" value="{amina}"' in page


def test_a_name_that_several_bear_asks_which(records: Records) -> None:
    people = [records.person(f"47{n}", name=f"Amina {n}") for n in range(3)]
    records.store(*(by_officer(one) for one in people))

    page = records.client().get("/records", params={"who": "amina"}).text

    assert all(f"/records?person={one}" in page for one in people)


@pytest.mark.parametrize(
    ("field", "value", "found"),
    [
        ("verb", PASSED, True),
        ("verb", "passed", True),
        ("verb", "urn:x:other", False),
        ("activity", COURSE, True),
        ("activity", f"{COURSE}/x", False),
        ("registration", REGISTRATION, True),
        ("agent", "someone@example.org", True),
        ("agent", '{"mbox":"mailto:someone@example.org"}', True),
        ("agent", "nobody@example.org", False),
        ("since", "2026-01-01", True),
        ("until", "2026-01-01", False),
        ("since", "2999-01-01", False),
        ("until", "2999-01-01T00:00:00Z", True),
    ],
)
def test_every_field_narrows_the_list(records: Records, field: str, value: str, found: bool) -> None:
    (one,) = records.store(
        a_statement(actor={"mbox": "mailto:someone@example.org"}, context={"registration": REGISTRATION})
    )

    page = records.client().get("/records", params={field: value})

    assert page.status_code == 200
    assert (f"/records/{one}" in page.text) is found
    assert ("No statement matches" in page.text) is not found


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("verb", "no iri"),
        ("activity", "x"),
        ("registration", "7"),
        ("agent", "{"),
        ("agent", '{"objectType":"Group","member":[]}'),
        ("agent", "nobody"),
        ("since", "yesterday"),
        ("until", "9999-12-31"),
        ("who", "nobody at all"),
        ("person", "x"),
    ],
)
def test_what_cannot_be_read_is_said_beside_its_field(records: Records, field: str, value: str) -> None:
    records.store(a_statement())

    page = records.client().get("/records", params={field: value})

    assert page.status_code == 422
    assert "field-error" in page.text
    assert value in html.unescape(page.text)


@pytest.mark.parametrize("field", ["who", "agent", "verb", "activity", "registration", "since", "person"])
def test_a_character_no_database_need_keep_is_no_failure(records: Records, field: str) -> None:
    records.store(a_statement())

    answer = records.client().get("/records", params={field: "a\0b"})

    assert answer.status_code in (200, 422)


def test_what_is_only_mentioned_is_found_when_asked_for(records: Records) -> None:
    around = {"contextActivities": {"parent": [{"id": "urn:x:parent"}]}}
    (one,) = records.store(a_statement(context=around))
    client = records.client()

    directly = client.get("/records", params={"activity": "urn:x:parent"}).text
    related = client.get("/records", params={"activity": "urn:x:parent", "related": "on"}).text

    assert f"/records/{one}" not in directly
    assert f"/records/{one}" in related


def test_voided_statements_are_not_listed_and_are_shown_as_voided(records: Records) -> None:
    (one,) = records.store(a_statement())
    (voiding,) = records.store(a_voiding(one))
    client = records.client()

    listed = client.get("/records").text
    page = client.get(f"/records/{one}").text
    by = client.get(f"/records/{voiding}").text

    assert f'href="/records/{one}"' not in listed
    assert "This statement was voided" in page
    assert f"/records/{voiding}" in page
    assert f"/records/{one}" in by


def test_the_list_costs_the_same_however_much_is_stored(records: Records) -> None:
    officer = records.person("1")
    records.store(*(by_officer(officer) for _ in range(30)))  # a whole page: it is read in pieces of sixteen
    client = records.client()
    client.get("/records")  # what other parts of the page remember is worked out
    with counted(records.database) as few:
        client.get("/records")
    records.store(*(by_officer(records.person(str(n)), object={"id": f"urn:x:{n}"}) for n in range(10, 90)))
    client.get("/records")

    with counted(records.database) as many:
        page = client.get("/records")

    assert len(many) == len(few)
    assert len(page.content) < 60_000


# ---------------------------------------------------------------- counters


def test_counters_are_told_in_the_readers_language(records: Records) -> None:
    records.store(*(a_statement() for _ in range(3)))

    told = records.client().get("/records/counters").json()

    assert told["last_minute"].removeprefix("about ") == "3"
    assert told["attachments"] == "0"
    assert set(told) == {
        "statements", "last_minute", "last_hour", "last_day", "documents", "attachments", "attachment_bytes",
        "newest",
    }  # fmt: skip


# ---------------------------------------------------------------- one statement


def test_a_statement_is_shown_whole_with_ways_to_its_like(records: Records) -> None:
    amina = records.person("4711", name="Amina Yusuf")
    (one,) = records.store(by_officer(amina, context={"registration": REGISTRATION}))
    client = records.client()

    page = html.unescape(client.get(f"/records/{one}").text)
    whole = client.get(f"/records/{one}/statement.json")

    assert f'"id": "{one}"' in page
    assert f"/records?person={amina}" in page
    assert f"/records?registration={REGISTRATION}" in page
    assert f"/records?{urlencode({'activity': COURSE})}" in page
    assert whole.json()["id"] == str(one)
    assert whole.headers["content-disposition"] == f'attachment; filename="{one}.json"'


def test_what_is_not_here_is_answered_so(records: Records) -> None:
    client = records.client()
    (one,) = records.store(a_statement())

    for path in (
        f"/records/{uuid4()}",
        f"/records/{uuid4()}/statement.json",
        f"/records/{one}/attachments/{'0' * 64}",
        f"/records/{uuid4()}/attachments/x",
        f"/records/exports/{uuid4()}",
        f"/records/exports/{uuid4()}/file",
        "/records/one",
    ):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("content_type", ["text/html", "image/svg+xml", "text/html; charset=utf-8"])
def test_an_attachment_is_given_as_bytes_that_no_browser_shows(records: Records, content_type: str) -> None:
    named, part = an_attachment(f"<html>{EVIL}</html>".encode(), content_type)
    (one,) = records.store(a_statement(attachments=[named]), parts=[part])
    client = records.client()

    page = client.get(f"/records/{one}").text
    file = client.get(f"/records/{one}/attachments/{part.sha2}")

    assert f"/records/{one}/attachments/{part.sha2}" in page
    assert file.content == part.content
    assert file.headers["content-type"] == "application/octet-stream"
    assert file.headers["content-disposition"].startswith("attachment;")
    assert file.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("words", "in_english", "in_arabic"),
    [
        ({"ar": "شهادة", "en-GB": "Certificate"}, "Certificate", "شهادة"),
        ({"fr": "Attestation", "en": "Certificate"}, "Certificate", "Certificate"),
        ({"en": " ", "fr": "Attestation"}, "Attestation", "Attestation"),
        ({"fr": " "}, "text/plain", "text/plain"),
    ],
)
def test_an_attachment_is_called_as_its_statement_says_in_the_readers_language(
    records: Records, words: dict[str, str], in_english: str, in_arabic: str
) -> None:
    named, part = an_attachment(b"x", "text/plain")
    (one,) = records.store(a_statement(attachments=[named | {"display": words}]), parts=[part])

    pages = [records.client(locale=spoken).get(f"/records/{one}").text for spoken in ("en", "ar")]

    told = [re.findall(r'<th scope="row"><bdi>([^<]*)</bdi>', page) for page in pages]
    assert told == [[in_english], [in_arabic]]


def test_the_description_of_an_attachment_stands_beneath_its_name(records: Records) -> None:
    named, part = an_attachment(b"x", "text/plain")
    described = named | {"description": {"en": f"Given at the end {EVIL}", "ar": "تُمنح في النهاية"}}
    (one,) = records.store(a_statement(attachments=[described]), parts=[part])
    (bare,) = records.store(a_statement(attachments=[named]), parts=[part])

    page = records.client().get(f"/records/{one}").text
    arabic = records.client(locale="ar").get(f"/records/{one}").text

    assert f'<p class="hint"><bdi>Given at the end {SAYS_EVIL}</bdi></p>' in page
    assert '<p class="hint"><bdi>تُمنح في النهاية</bdi></p>' in arabic
    assert '<p class="hint">' not in records.client().get(f"/records/{bare}").text


def test_an_attachment_of_another_statement_is_not_given(records: Records) -> None:
    named, part = an_attachment(b"secret", "text/plain")
    records.store(a_statement(attachments=[named]), parts=[part])
    (other,) = records.store(a_statement())

    assert records.client().get(f"/records/{other}/attachments/{part.sha2}").status_code == 404


# ---------------------------------------------------------------- what others wrote


def hostile() -> dict[str, Any]:
    named, _ = an_attachment(b"x", "text/html")
    return a_statement(
        actor={"name": EVIL, "mbox": "mailto:a@example.org"},
        verb={"id": "urn:x:v", "display": {"en": EVIL, "ar": "\u202e" + EVIL}},
        object={"id": "javascript:alert(1)", "definition": {"name": {"en": EVIL + "\u202eexe.gpj"}}},
        result={"response": EVIL, "extensions": {"urn:x:e": "\u202e</code></pre>" + EVIL}},
        attachments=[named | {"fileUrl": "javascript:alert(1)"}],
    )


def test_nothing_a_statement_says_becomes_part_of_a_page(records: Records) -> None:
    (one,) = records.store(hostile())

    for client in (records.client(), records.client(locale="ar")):
        for path in ("/records", f"/records/{one}"):
            page = client.get(path).text
            assert EVIL not in page
            assert SAYS_EVIL in page
            assert "\u202e" not in page
            assert 'href="javascript:' not in page


def test_a_statement_of_megabytes_makes_a_small_page(records: Records) -> None:
    long = "x" * 1_900_000
    deep: Any = [0] * 300_000
    for _ in range(40):
        deep = [deep]
    (one,) = records.store(
        a_statement(
            actor={"name": long, "mbox": "mailto:a@example.org"},
            object={"id": COURSE, "definition": {"name": {"en": long}}},
            result={"extensions": {"urn:x:e": deep}},
        )
    )
    client = records.client()

    listed, page = client.get("/records"), client.get(f"/records/{one}")
    whole = client.get(f"/records/{one}/statement.json")

    assert len(listed.content) < 60_000
    assert len(page.content) < 100_000
    assert len(whole.content) > 4_000_000


def test_thousands_of_attachments_make_a_small_page(records: Records) -> None:
    named, _ = an_attachment(b"x", "text/plain")
    (one,) = records.store(
        a_statement(attachments=[named | {"fileUrl": "https://example.org/a"} for _ in range(5000)])
    )

    page = records.client().get(f"/records/{one}")

    assert page.status_code == 200
    assert len(page.content) < 100_000
    assert "4,980 more" in page.text


# ---------------------------------------------------------------- exports


def test_what_was_found_is_exported_and_fetched_and_deleted(records: Records) -> None:
    amina = records.person("4711", name="Amina Yusuf")
    (hers,) = records.store(by_officer(amina))
    records.store(a_statement())
    client = records.client()
    form = token(client, "/records") | {"format": "jsonl", "asked": f"person={amina}"}

    sent = client.post("/records/exports", data=form)
    path = sent.headers["location"]
    waiting = client.get(path).text
    too_early = client.get(f"{path}/file").status_code
    records.run_exports()
    ready = client.get(path).text
    file = client.get(f"{path}/file")
    deleted = client.post(f"{path}/delete", data=token(client, path))

    assert sent.status_code == 303
    assert 'http-equiv="refresh"' in waiting
    assert too_early == 404
    assert 'http-equiv="refresh"' not in ready
    assert [orjson.loads(line)["id"] for line in file.content.splitlines()] == [str(hers)]
    assert b"Amina" not in file.content
    assert file.headers["content-disposition"].startswith("attachment;")
    assert file.headers["content-type"] == "application/octet-stream"
    assert deleted.status_code == 303
    assert client.get(path).status_code == 404
    assert list(records.node.settings.exports.iterdir()) == []


def test_an_export_is_cancelled_before_it_began(records: Records) -> None:
    records.store(a_statement())
    client = records.client()
    sent = client.post("/records/exports", data=token(client, "/records") | {"format": "csv"})

    client.post(f"{sent.headers['location']}/delete", data=token(client, "/records"))
    records.run_exports()

    assert client.get(sent.headers["location"]).status_code == 404
    assert not list(records.node.settings.exports.glob("*"))


@pytest.mark.parametrize(("field", "value"), [("format", "exe"), ("asked", "verb=no+iri")])
def test_an_export_that_makes_no_sense_is_refused(records: Records, field: str, value: str) -> None:
    records.store(a_statement())
    client = records.client()
    form = token(client, "/records") | {"format": "csv", "asked": ""}

    assert client.post("/records/exports", data=form | {field: value}).status_code == 422
    assert client.post("/records/exports", data={"format": "csv"}).status_code == 403


# ---------------------------------------------------------------- the validator


def check(records: Records, text: str, version: str = "1.0.3") -> Any:
    client = records.client()
    form = token(client, "/records/validate") | {"text": text, "version": version}
    return client.post("/records/validate", data=form)


def test_a_right_statement_is_read_back_and_stored_nowhere(records: Records) -> None:
    amina = records.person("4711", name="Amina Yusuf")

    page = check(records, orjson.dumps(by_officer(amina)).decode())

    assert page.status_code == 200
    assert "would take this" in page.text
    assert "Amina Yusuf" in page.text
    assert records.client().get("/records/counters").json()["statements"] == "0"


def test_every_fault_is_told_with_place_rule_and_section_and_the_text_is_kept(records: Records) -> None:
    text = orjson.dumps([a_statement(), a_statement(verb={"id": "passed"}, surprise=EVIL)]).decode()

    page = check(records, text).text

    for told in (
        "$[1].verb.id", "must be an absolute IRI", "xAPI 1.0.3 Data §4.3", "$[1].surprise",
        "is not a property of the standard here", "xAPI 1.0.3 Data §2.2", html.escape(text, quote=True)[:40],
    ):  # fmt: skip
        assert told in page.replace("&#34;", "&quot;")
    assert EVIL not in page


def test_the_page_says_what_the_api_says(records: Records) -> None:
    wrong = a_statement(result={"score": {"scaled": 7}})

    page = html.unescape(check(records, orjson.dumps(wrong).decode(), "2.0.0").text)

    assert "$.result.score.scaled" in page
    assert "must be less than or equal to 1" in page
    assert "xAPI 2.0 (IEEE 9274.1.1) §4.2.2.4" in page


@pytest.mark.parametrize("text", ["", "{", "\0", "[]", "7", "\ud7ff\uffff", "[[]]", '{"a":1,"a":2}'])
def test_no_text_makes_the_validator_fail(records: Records, text: str) -> None:
    assert check(records, text).status_code == 200


def test_more_than_the_store_takes_is_refused(records: Records) -> None:
    assert check(records, " " * (4 * 1024 * 1024 + 1)).status_code == 413
    assert check(records, "%" * (4 * 1024 * 1024 + 2000)).status_code == 413


def test_the_validator_takes_no_form_of_elsewhere(records: Records) -> None:
    client = records.client()

    answer = client.post("/records/validate", data={"text": "{}", "csrf_token": "x"})

    assert answer.status_code == 403


# ---------------------------------------------------------------- who may look


@pytest.mark.parametrize("role", ["officer", "instructor"])
def test_nobody_else_sees_records(records: Records, role: str) -> None:
    (one,) = records.store(a_statement())
    client = records.client(role)

    for path in (
        "/records", "/records/counters", "/records/validate", f"/records/{one}",
        f"/records/{one}/statement.json", f"/records/{one}/attachments/x", f"/records/exports/{uuid4()}",
        f"/records/exports/{uuid4()}/file",
    ):  # fmt: skip
        assert client.get(path).status_code == 403
    form = token(client, "/account")
    for path in ("/records/exports", f"/records/exports/{uuid4()}/delete", "/records/validate"):
        assert client.post(path, data=form | {"format": "csv"}).status_code == 403
    assert "/records" not in client.get("/account").text


def test_nobody_is_asked_to_sign_in(records: Records) -> None:
    client = records.client()
    client.cookies.clear()

    assert client.get("/records").headers["location"].startswith("/sign-in")


def test_no_name_stands_in_the_log(records: Records, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="lms")
    amina = records.person("4711", name="Amina Yusuf")
    records.store(by_officer(amina))
    client = records.client()

    client.get("/records", params={"who": "Amina"})
    form = token(client, "/records") | {"format": "csv", "asked": "who=Amina"}
    client.post("/records/exports", data=form)
    records.run_exports()

    assert "Amina" not in caplog.text
