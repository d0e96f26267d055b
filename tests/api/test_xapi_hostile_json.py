"""JSON that means no one thing, and bodies too large or packed, are refused with a sentence and change nothing."""

from __future__ import annotations

import gzip
from urllib.parse import urlencode

import pytest
from starlette.types import ASGIApp

from tests.asking import ask
from tests.xapi_asking import JSON, KNOWN, STATE, post, sentence, stored, text_of
from tests.xapi_builders import COURSE

MIB = 1024 * 1024


def nested(depth: int) -> bytes:
    """A statement as deep as told, counting the statement itself."""
    inner = b"[" * (depth - 3) + b"]" * (depth - 3)
    return text_of(result={"extensions": {COURSE: 0}}).replace(b"0}", inner + b"}")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (text_of().replace(b"{", b'{"result":{"score":{"raw":NaN}},', 1), "not JSON"),
        (text_of().replace(b"{", b'{"result":{"score":{"raw":-Infinity}},', 1), "not JSON"),
        (text_of().replace(b"{", b'{"result":{"score":{"raw":1e999}},', 1), "not JSON"),
        (text_of().replace(b"{", b'{"verb":{"id":"urn:x:other"},', 1), "'verb' stands twice"),
        (
            text_of(result={"extensions": {COURSE: 0}}).replace(b"0}", b'{"a":1,"\\u0061":2}}'),
            "'a' stands twice",
        ),
        (nested(65), "deeper than 64"),
        (b"[" * 100_000, "nests deeper"),
        (b"[" * 700, "nests deeper"),
        (b"[" * 100_000 + b"]" * 100_000, "nests deeper"),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, "nests deeper"),
        (text_of(result={"response": "?"}).replace(b"?", b"\\ud800"), "not JSON"),
        (text_of(result={"response": "?"}).replace(b"?", b"\xed\xa0\x80"), "not JSON"),
        (text_of(result={"response": "?"}).replace(b"?", b"\xff"), "not JSON"),
        (b"\xef\xbb\xbf" + text_of(), "not JSON"),
        (text_of().decode().encode("utf-16"), "not JSON"),
        (text_of() + text_of(), "not JSON"),
        (b"", "not JSON"),
        (b"7", "must be"),
        (b'"statement"', "must be"),
        (b"null", "must be"),
        (b"[[]]", "must be"),
    ],
)
def test_json_that_means_no_one_thing_is_refused(store: ASGIApp, body: bytes, told: str) -> None:
    answer = post(store, body)

    assert answer.status == 400
    assert told in sentence(answer)
    assert stored(store) == []


def test_the_deepest_json_allowed_is_stored(own_store: ASGIApp) -> None:
    assert post(own_store, nested(64)).status == 200
    assert len(stored(own_store)) == 1


def test_a_hundred_thousand_keys_are_stored_or_told_of(own_store: ASGIApp) -> None:
    many = {f"urn:x:{number}": number for number in range(100_000)}

    taken = post(own_store, text_of(result={"extensions": many}))
    refused = post(own_store, text_of(**many))

    assert taken.status == 200
    assert stored(own_store)[0]["result"]["extensions"] == many
    assert refused.status == 400
    assert "100,000 places" in sentence(refused)


@pytest.mark.parametrize(("beyond", "status"), [(0, 200), (1, 413)])
def test_four_mebibytes_are_taken_and_not_a_byte_more(own_store: ASGIApp, beyond: int, status: int) -> None:
    plain = text_of(result={"response": ""})
    body = text_of(result={"response": "x" * (4 * MIB - len(plain) + beyond)})

    answer = post(own_store, body)

    assert len(body) == 4 * MIB + beyond
    assert answer.status == status
    assert len(stored(own_store)) == (status == 200)
    if status == 413:
        assert "4,194,304 bytes" in sentence(answer)


def test_what_a_client_sent_comes_back_in_a_sentence_of_bearable_length(store: ASGIApp) -> None:
    answer = post(store, b'{"%s":1,"%s":2}' % (b"a" * MIB, b"a" * MIB))

    assert answer.status == 400
    assert "stands twice" in sentence(answer)
    assert len(answer.body) < 2000


@pytest.mark.parametrize("encoding", [b"gzip", b"GZIP", b"deflate", b"br", b"zstd", b"gzip, identity", b"x"])
@pytest.mark.parametrize("path", ["/statements", "/activities/state"])
def test_a_packed_body_is_never_unpacked(store: ASGIApp, encoding: bytes, path: str) -> None:
    query = urlencode(STATE).encode() if path != "/statements" else b""
    headers = [*KNOWN, JSON, (b"Content-Encoding", encoding)]

    answer = ask(store, "POST", path, query=query, headers=headers, body=gzip.compress(text_of()))

    assert answer.status == 415
    assert answer.headers[b"accept-encoding"] == b"identity"
    assert "without Content-Encoding" in sentence(answer)
    assert stored(store) == []


def test_a_body_that_says_it_is_not_packed_is_taken(own_store: ASGIApp) -> None:
    assert post(own_store, text_of(), JSON, (b"Content-Encoding", b"identity")).status == 200


def test_a_packed_body_without_a_word_of_it_is_no_json(store: ASGIApp) -> None:
    assert post(store, gzip.compress(text_of())).status == 400


@pytest.mark.parametrize(
    "content_type",
    [
        b"text/plain", b"", b"application/xml", b"application/json-patch+json", b"multipart/form-data; boundary=b",
        b"application/x-www-form-urlencoded", b"applicationjson", b"\xe9/\xe9", b";", b"application/octet-stream",
    ],
)  # fmt: skip
def test_statements_in_another_content_type_are_refused(store: ASGIApp, content_type: bytes) -> None:
    answer = post(store, text_of(), (b"Content-Type", content_type))

    assert answer.status == 400
    assert "application/json" in sentence(answer)
