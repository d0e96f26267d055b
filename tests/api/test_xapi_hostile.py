"""What no honest client sends is refused with a 4xx and a sentence, in little memory, and changes nothing."""

from __future__ import annotations

import base64
import gzip
import hashlib
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from starlette.types import ASGIApp

from lms.database import Database
from tests.asking import Answer, ask
from tests.xapi_builders import BASIC, COURSE, LEARNER, NOON, a_statement, an_lrs
from xapi_store.attachments import SIGNATURE
from xapi_store.http import create_lrs_app
from xapi_store.model.actor import actor_key

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024
ONE_ID = "39e24cc4-69af-4b01-a824-1fdc6ea8a3af"
KNOWN = [(b"Authorization", BASIC.encode()), (b"X-Experience-API-Version", b"1.0.3")]
JSON = (b"Content-Type", b"application/json")
FORM = (b"Content-Type", b"application/x-www-form-urlencoded")
STATE = {"activityId": COURSE, "agent": str(actor_key(LEARNER)), "stateId": "s"}


@pytest.fixture(scope="module")
def app(lasting_database: Database) -> ASGIApp:
    """A record store in which nothing is ever stored."""
    return create_lrs_app(an_lrs(lasting_database))


@pytest.fixture
def own_app(database: Database) -> ASGIApp:
    """A record store for one test that stores something."""
    return create_lrs_app(an_lrs(database))


def post(app: ASGIApp, body: bytes, *headers: tuple[bytes, bytes]) -> Answer:
    return ask(app, "POST", "/statements", headers=[*KNOWN, *(headers or (JSON,))], body=body)


def get(app: ASGIApp, query: bytes, *headers: tuple[bytes, bytes]) -> Answer:
    return ask(app, "GET", "/statements", query=query, headers=[*KNOWN, *headers])


def alternate(app: ASGIApp, path: str, method: str, **fields: str) -> Answer:
    known = {"Authorization": BASIC, "X-Experience-API-Version": "1.0.3"}
    form = urlencode(known | {name.replace("_", "-"): value for name, value in fields.items()}).encode()
    return ask(app, "POST", path, query=f"method={method}".encode(), headers=[FORM], body=form)


def sentence(answer: Answer) -> str:
    told: str = orjson.loads(answer.body)["error"]
    return told


def stored(app: ASGIApp) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orjson.loads(get(app, b"").body)["statements"]
    return found


# ---------------------------------------------------------------- JSON


def text_of(**changes: object) -> bytes:
    return orjson.dumps(a_statement(**changes))


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
        (b"[" * 100_000, "not JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "not JSON"),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, "not JSON"),
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
def test_json_that_means_no_one_thing_is_refused(app: ASGIApp, body: bytes, told: str) -> None:
    answer = post(app, body)

    assert answer.status == 400
    assert told in sentence(answer)
    assert stored(app) == []


def test_the_deepest_json_allowed_is_stored(own_app: ASGIApp) -> None:
    assert post(own_app, nested(64)).status == 200
    assert len(stored(own_app)) == 1


def test_a_hundred_thousand_keys_are_stored_or_told_of(own_app: ASGIApp) -> None:
    many = {f"urn:x:{number}": number for number in range(100_000)}

    taken = post(own_app, text_of(result={"extensions": many}))
    refused = post(own_app, text_of(**many))

    assert taken.status == 200
    assert stored(own_app)[0]["result"]["extensions"] == many
    assert refused.status == 400
    assert "100,000 places" in sentence(refused)


@pytest.mark.parametrize(("beyond", "status"), [(0, 200), (1, 413)])
def test_four_mebibytes_are_taken_and_not_a_byte_more(own_app: ASGIApp, beyond: int, status: int) -> None:
    plain = text_of(result={"response": ""})
    body = text_of(result={"response": "x" * (4 * MIB - len(plain) + beyond)})

    answer = post(own_app, body)

    assert len(body) == 4 * MIB + beyond
    assert answer.status == status
    assert len(stored(own_app)) == (status == 200)
    if status == 413:
        assert "4,194,304 bytes" in sentence(answer)


def test_what_a_client_sent_comes_back_in_a_sentence_of_bearable_length(app: ASGIApp) -> None:
    answer = post(app, b'{"%s":1,"%s":2}' % (b"a" * MIB, b"a" * MIB))

    assert answer.status == 400
    assert "stands twice" in sentence(answer)
    assert len(answer.body) < 2000


# ---------------------------------------------------------------- encodings


@pytest.mark.parametrize("encoding", [b"gzip", b"GZIP", b"deflate", b"br", b"zstd", b"gzip, identity", b"x"])
@pytest.mark.parametrize("path", ["/statements", "/activities/state"])
def test_a_packed_body_is_never_unpacked(app: ASGIApp, encoding: bytes, path: str) -> None:
    query = urlencode(STATE).encode() if path != "/statements" else b""
    headers = [*KNOWN, JSON, (b"Content-Encoding", encoding)]

    answer = ask(app, "POST", path, query=query, headers=headers, body=gzip.compress(text_of()))

    assert answer.status == 415
    assert answer.headers[b"accept-encoding"] == b"identity"
    assert "without Content-Encoding" in sentence(answer)
    assert stored(app) == []


def test_a_body_that_says_it_is_not_packed_is_taken(own_app: ASGIApp) -> None:
    assert post(own_app, text_of(), JSON, (b"Content-Encoding", b"identity")).status == 200


def test_a_packed_body_without_a_word_of_it_is_no_json(app: ASGIApp) -> None:
    assert post(app, gzip.compress(text_of())).status == 400


@pytest.mark.parametrize(
    "content_type",
    [
        b"text/plain", b"", b"application/xml", b"application/json-patch+json", b"multipart/form-data; boundary=b",
        b"application/x-www-form-urlencoded", b"applicationjson", b"\xe9/\xe9", b";", b"application/octet-stream",
    ],
)  # fmt: skip
def test_statements_in_another_content_type_are_refused(app: ASGIApp, content_type: bytes) -> None:
    answer = post(app, text_of(), (b"Content-Type", content_type))

    assert answer.status == 400
    assert "application/json" in sentence(answer)


# ---------------------------------------------------------------- multipart

FILE = b"a certificate"
SHA2 = hashlib.sha256(FILE).hexdigest()
HEAD = (
    b"Content-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: "
    + SHA2.encode()
)


def attached(**changes: object) -> dict[str, Any]:
    attachment = {
        "usageType": "https://example.org/certificate",
        "display": {"en": "Certificate"},
        "contentType": "text/plain",
        "length": len(FILE),
        "sha2": SHA2,
    } | changes
    return a_statement(attachments=[attachment])


def parts(
    *files: bytes, first: bytes = b"Content-Type: application/json", text: bytes | None = None
) -> bytes:
    pieces = [first + b"\r\n\r\n" + (orjson.dumps(attached()) if text is None else text), *files]
    return b"".join(b"--cut\r\n" + piece + b"\r\n" for piece in pieces) + b"--cut--\r\n"


def post_parts(app: ASGIApp, body: bytes, content_type: bytes = b"multipart/mixed; boundary=cut") -> Answer:
    return post(app, body, (b"Content-Type", content_type))


WHOLE = parts(HEAD + b"\r\n\r\n" + FILE)


def test_a_statement_with_its_file_is_stored_and_read_back(own_app: ASGIApp) -> None:
    assert post_parts(own_app, b"a preamble\r\n" + WHOLE + b"and an epilogue").status == 200

    found = get(own_app, b"attachments=true")

    assert found.headers[b"content-type"].startswith(b"multipart/mixed")
    assert FILE in found.body


@pytest.mark.parametrize(
    "content_type",
    [
        b"multipart/mixed", b"multipart/mixed; boundary=", b'multipart/mixed; boundary=""',
        b"multipart/mixed; boundary=other",
        b"multipart/mixed; boundary=cu", b"multipart/mixed; boundary*=utf-8''cut", b"multipart/mixed; boundary=CUT",
        b"multipart/mixed; boundary=\xff", b"multipart/mixed; boundary=" + b"x" * 71,
        b'multipart/mixed; a="boundary=cut"',
    ],
)  # fmt: skip
def test_a_boundary_that_is_not_the_one_of_the_body_is_refused(app: ASGIApp, content_type: bytes) -> None:
    answer = post_parts(app, WHOLE, content_type)

    assert answer.status == 400
    assert "boundary" in sentence(answer) or "part" in sentence(answer)
    assert stored(app) == []


def test_no_multipart_body_cut_short_is_taken(app: ASGIApp) -> None:
    enough = WHOLE.rindex(b"--cut--") + len(b"--cut--")

    for end in range(enough):
        assert post_parts(app, WHOLE[:end]).status == 400, end

    assert stored(app) == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (parts(), "bytes are not in the request"),
        (parts(HEAD + b"\r\n\r\n" + FILE + b"."), "does not have the digest"),
        (parts(HEAD[:-1] + b"\r\n\r\n" + FILE), "does not have the digest"),
        (parts(HEAD.replace(SHA2.encode(), b"") + b"\r\n\r\n" + FILE), "no X-Experience-API-Hash"),
        (parts(HEAD.replace(SHA2.encode(), b"\xff" * 64) + b"\r\n\r\n" + FILE), "does not have the digest"),
        (parts(HEAD.replace(b"binary", b"base64") + b"\r\n\r\n" + FILE), "Content-Transfer-Encoding: binary"),
        (parts(HEAD + b"\r\n\r\n" + FILE, text=text_of()), "No statement of this request"),
        (parts(HEAD + b"\r\n\r\n" + FILE, first=b"Content-Type: text/plain"), "first part"),
        (parts(HEAD + b"\r\n\r\n" + FILE, first=b"X: y"), "first part"),
        (parts(HEAD + b"\r\n\r\n" + FILE, text=b"{"), "not JSON"),
        (parts(HEAD), "no headers"),
        (parts(b""), "no headers"),
        (parts(b"X" * 20_000 + b": y\r\n" + HEAD + b"\r\n\r\n" + FILE), "headers of a part"),
        (parts(b"bad name: y\r\n" + HEAD.replace(SHA2.encode(), b"") + b"\r\n\r\n"), "no X-Experience-API-Hash"),
        (b"--cut--\r\n", "boundary"),
        (b"--cut\r\n--cut--\r\n", "no headers"),
    ],
)  # fmt: skip
def test_parts_that_do_not_belong_together_are_refused(app: ASGIApp, body: bytes, told: str) -> None:
    answer = post_parts(app, body)

    assert answer.status == 400
    assert told in sentence(answer)
    assert stored(app) == []


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain\r\nX-Evil: 1;x",
        "text/plain;\r\n\r\n<script>",
        "text/pl\0in",
        "texte/\u00e9",
        "text/ plain",
    ],
)
def test_the_type_of_a_file_cannot_write_headers(app: ASGIApp, content_type: str) -> None:
    body = parts(HEAD + b"\r\n\r\n" + FILE, text=orjson.dumps(attached(contentType=content_type)))

    answer = post_parts(app, body)

    assert answer.status == 400
    assert orjson.loads(answer.body)["path"] == "$.attachments[0].contentType"


def a_signature(header: object, payload: bytes = b"{}") -> tuple[bytes, str]:
    def packed(text: bytes) -> bytes:
        return base64.urlsafe_b64encode(text).rstrip(b"=")

    jws = b".".join((packed(orjson.dumps(header)), packed(payload), packed(b"signature")))
    return jws, hashlib.sha256(jws).hexdigest()


def a_certificate(*, instead: tuple[bytes, bytes] = (b"", b"")) -> str:
    """A certificate of no RSA key, with some bytes in the place of others."""
    key, name = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)), x509.Name([])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, NOON, NOON + timedelta(days=1)).sign(
        key, None
    )
    text = made.public_bytes(serialization.Encoding.DER)
    assert instead[0] in text
    return base64.b64encode(text.replace(*instead) if instead[0] else text).decode()


#: Of an algorithm nobody knows, and of a version that does not exist.
ODD_KEY = a_certificate(instead=(b"\x06\x03\x2b\x65\x70", b"\x06\x03\x2b\x65\x01"))
ODD_VERSION = a_certificate(instead=(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07"))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": []}, {"alg": {}}, {"alg": None}, {"alg": "none"}, {"alg": "HS256"}, {},
        {"alg": "RS256", "x5c": []}, {"alg": "RS256", "x5c": {}}, {"alg": "RS256", "x5c": 7},
        {"alg": "RS256", "x5c": "MII"}, {"alg": "RS256", "x5c": ["\u00e9"]}, {"alg": "RS256", "x5c": [None]},
        {"alg": "RS256", "x5c": ["AAAA"]}, {"alg": "RS256"},
        {"alg": "RS256", "x5c": [ODD_KEY]}, {"alg": "RS256", "x5c": [ODD_VERSION]},
        {"alg": "RS256", "x5c": [a_certificate()]},
        {"alg": "RS256", "x5c": [[]]}, {"alg": "RS256", "x5c": None}, [], "RS256",
    ],
)  # fmt: skip
def test_a_signature_of_any_shape_is_refused_with_a_sentence(app: ASGIApp, header: object) -> None:
    jws, sha2 = a_signature(header)
    statement = attached(
        usageType=SIGNATURE, contentType="application/octet-stream", length=len(jws), sha2=sha2
    )
    file = HEAD.replace(SHA2.encode(), sha2.encode()) + b"\r\n\r\n" + jws

    answer = post_parts(app, parts(file, text=orjson.dumps(statement)))

    assert answer.status == 400
    assert sentence(answer)
    assert stored(app) == []


# ---------------------------------------------------------------- headers and parameters


@pytest.mark.parametrize(
    "name",
    [
        b"Content-Type",
        b"If-Match",
        b"If-None-Match",
        b"Accept-Language",
        b"X-Experience-API-Version",
        b"X-Other",
    ],
)
def test_a_header_beyond_measure_is_refused(app: ASGIApp, name: bytes) -> None:
    query = urlencode(STATE).encode()
    headers = [*KNOWN, (name, b"a" * 20_000)]

    answer = ask(app, "PUT", "/activities/state", query=query, headers=headers, body=b"x")

    assert answer.status == 431
    assert "16,384" in sentence(answer)


@pytest.mark.parametrize(
    "query",
    [
        b"verb=%", b"verb=%zz", b"verb=urn:x:%f", b"verb=urn:x:%ff", b"verb=urn:x:\xff", b"verb=urn:x:%c3%28",
        b"verb=urn:x:%ed%a0%80", b"%ff=1",
    ],
)  # fmt: skip
def test_a_query_that_is_not_utf8_is_refused(app: ASGIApp, query: bytes) -> None:
    answer = get(app, query)

    assert answer.status == 400
    assert "UTF-8" in sentence(answer)


def test_two_names_that_are_not_utf8_are_not_one_document(app: ASGIApp) -> None:
    query = urlencode({name: value for name, value in STATE.items() if name != "stateId"}).encode()

    answers = [
        ask(app, "PUT", "/activities/state", query=query + b"&stateId=" + name, headers=KNOWN, body=b"x")
        for name in (b"%ff", b"%fe")
    ]

    assert [answer.status for answer in answers] == [400, 400]


def test_a_query_may_hold_utf8_as_it_is(app: ASGIApp) -> None:
    query = urlencode({name: value for name, value in STATE.items() if name != "stateId"}).encode()

    ask(app, "PUT", "/activities/state", query=query + "&stateId=é".encode(), headers=KNOWN, body=b"x")

    found = ask(app, "GET", "/activities/state", query=query + b"&stateId=%C3%A9", headers=KNOWN)
    assert found.body == b"x"


@pytest.mark.parametrize(
    "query",
    [
        "statementId=x", f"statementId={ONE_ID}&statementId={ONE_ID}", f"statementId={ONE_ID}&verb=urn:x:y",
        f"statementId={ONE_ID}&voidedStatementId={ONE_ID}", "statementid=x", "unknown=1", "unknown", "=", "agent={}",
        "agent=[]", "agent=null", "agent=%7B%22mbox%22:1%7D", 'agent={"objectType":"Group","member":[]}', "agent={",
        'agent={"mbox":"mailto:a@b.c","mbox":"mailto:d@e.f"}', "agent=" + quote("[" * 70 + "]" * 70), "verb=passed",
        "verb=", "activity=no iri", "registration=1", "registration=", "related_agents=1", "related_activities=True",
        "since=yesterday", "since=", "until=2026-02-30T00:00:00Z", "until=0001-01-01T00:00:00%2B14:00", "limit=-1",
        "limit=1.5", "limit=", "limit=%D9%A3", "limit=99999999999999999999", "ascending=yes", "cursor=x", "format=raw",
        "format=", "attachments=2", "verb=urn:x:%00", "since=2026-01-01T00:00:00-00:00",
    ],
)  # fmt: skip
def test_a_parameter_that_is_wrong_is_refused(app: ASGIApp, query: str) -> None:
    answer = get(app, query.encode())

    assert answer.status == 400
    assert sentence(answer)


@pytest.mark.parametrize("missing", ["activityId", "agent"])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_a_document_without_an_owner_is_refused(app: ASGIApp, missing: str, method: str) -> None:
    query = urlencode({name: value for name, value in STATE.items() if name != missing}).encode()

    answer = ask(app, method, "/activities/state", query=query, headers=KNOWN, body=b"x")

    assert answer.status == 400
    assert missing in sentence(answer)


@pytest.mark.parametrize(
    "version",
    [b"", b"0.9", b"0.95", b"1.1", b"1.1.0", b"3.0.0", b"1.0.3, 2.0.0", b"1.0.x", b"\xb2.0.0", b"2"],
)
def test_a_version_nobody_speaks_is_refused(app: ASGIApp, version: bytes) -> None:
    headers = [KNOWN[0], (b"X-Experience-API-Version", version)]

    answer = ask(app, "GET", "/statements", headers=headers)

    assert answer.status == 400
    assert "1.0.3 or 2.0.0" in sentence(answer)
    assert answer.headers[b"x-experience-api-version"] == b"2.0.0"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PATCH", "/statements", 405), ("DELETE", "/statements", 405), ("POST", "/agents", 405),
        ("POST", "/about", 405),
        ("PUT", "/activities", 405), ("GET", "/statement", 404), ("GET", "/", 404), ("GET", "/statements/more", 404),
    ],
)  # fmt: skip
def test_what_is_not_there_is_told(app: ASGIApp, method: str, path: str, status: int) -> None:
    answer = ask(app, method, path, headers=KNOWN)

    assert answer.status == status
    assert sentence(answer)
    assert (b"allow" in answer.headers) == (status == 405)


def test_every_answer_names_a_version_a_preflight_too(app: ASGIApp) -> None:
    answer = ask(app, "OPTIONS", "/statements", headers=[(b"Origin", b"https://example.org")])

    assert answer.status == 204
    assert answer.headers[b"x-experience-api-version"] == b"2.0.0"
    assert answer.headers[b"access-control-allow-origin"] == b"*"


# ---------------------------------------------------------------- the alternate request syntax


def test_the_alternate_syntax_carries_a_document(own_app: ASGIApp) -> None:
    sent = alternate(own_app, "/activities/state", "PUT", content="x", Content_Type="text/plain", **STATE)
    found = alternate(own_app, "/activities/state", "GET", **STATE)

    assert sent.status == 204
    assert (found.headers[b"content-type"], found.body) == (b"text/plain", b"x")


@pytest.mark.parametrize(
    "content_type", ["text/plain\r\nX-Evil: 1", "text/plain\0", "text/\u20ac", "\x1b[2J", "a\tb\x7f"]
)
def test_a_form_cannot_smuggle_what_no_header_could_hold(app: ASGIApp, content_type: str) -> None:
    answer = alternate(app, "/activities/state", "PUT", content="x", Content_Type=content_type, **STATE)
    found = alternate(app, "/activities/state", "GET", **STATE)

    assert answer.status == 400
    assert "content-type" in sentence(answer)
    assert found.status == 404


@pytest.mark.parametrize(
    "header", ["Content-Type", "Accept-Language", "If-Match", "X-Experience-API-Version", "Authorization"]
)
def test_a_form_has_no_longer_headers_than_a_request(app: ASGIApp, header: str) -> None:
    began = time.process_time()

    answer = alternate(
        app, "/statements", "POST", content="x", **{header: 'multipart/mixed; a="' + ";-" * (500 * 1024)}
    )

    assert answer.status == 431
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("method", "query", "body"),
    [
        ("GET", b"method=GET", b""), ("PUT", b"method=PUT", b"content=x"), ("POST", b"method=PUT&x=1", b"content=x"),
        ("POST", b"method=PUT", b"a"), ("POST", b"method=PUT", b"a=1&a=2&content=x"),
        ("POST", b"method=PUT", b"\xff=\xff"),
        ("POST", b"method=PUT", b"content=%ff"), ("POST", b"method=PUT", b"content=%zz"), ("POST", b"method=PUT", b""),
        ("POST", b"method=POST", b"statementId=x"), ("POST", b"method=", b"content=x"),
        ("POST", b"method=GET", b"method=PUT"), ("POST", b"method=GET", b"Accept=a&accept=b"),
    ],
)  # fmt: skip
def test_an_alternate_request_that_is_none_is_refused(
    app: ASGIApp, method: str, query: bytes, body: bytes
) -> None:
    answer = ask(app, method, "/statements", query=query, headers=[*KNOWN, FORM], body=body)

    assert answer.status in (400, 405)
    assert sentence(answer)


def test_a_form_may_not_call_for_a_method_nobody_has(app: ASGIApp) -> None:
    assert alternate(app, "/statements", "DELETE").status == 405
    assert alternate(app, "/statements", "OPTIONS").status == 405


# ---------------------------------------------------------------- time and memory


def test_an_endless_list_of_languages_costs_no_time(own_app: ASGIApp) -> None:
    words = {"id": COURSE, "display": {"en": "passed", "fr": "réussi"}}
    post(own_app, orjson.dumps([a_statement(verb=words) for _ in range(100)]))
    endless = b"-".join([b"a"] * 8000)
    began = time.process_time()

    answer = get(own_app, b"format=canonical", (b"Accept-Language", endless))

    assert answer.status == 200
    assert time.process_time() - began < 1.5


_SCRIPT = """
import sys, zlib
from pathlib import Path
from lms.database import Database
from tests.asking import ask
from tests.xapi_builders import an_lrs, BASIC
from xapi_store.http import create_lrs_app

MIB = 1024 * 1024
JSON = [(b"Content-Type", b"application/json")]
GZIP = [*JSON, (b"Content-Encoding", b"gzip")]
MULTIPART = [(b"Content-Type", b"multipart/mixed; boundary=b")]
FORM = [(b"Content-Type", b"application/x-www-form-urlencoded")]
PACKER = zlib.compressobj(wbits=31)
BLOCK = PACKER.compress(bytes(MIB)) + PACKER.flush(zlib.Z_FULL_FLUSH)  # stands for itself, a thousand times over
LINES = b"".join(b"%d:\\r\\n" % number for number in range(400_000))
BODIES = {
    "endless": (JSON, lambda: (b"[" * MIB for _ in range(1000))),
    "bomb": (GZIP, lambda: iter([BLOCK * 1024])),
    "depth": (JSON, lambda: iter([b"[" * (2 * MIB) + b"]" * (2 * MIB)])),
    "lists": (JSON, lambda: iter([b"[" + b"[]," * (MIB + MIB // 4) + b"[]]"])),
    "keys": (JSON, lambda: iter([b"{" + b",".join(b'"%d":0' % number for number in range(350_000)) + b"}"])),
    "repeated": (JSON, lambda: iter([b"{" + b'"a":{},' * (MIB // 2) + b'"a":1}'])),
    "parts": (MULTIPART, lambda: iter([b"--b\\r\\nA:\\r\\n\\r\\n\\r\\n" * (MIB // 4) + b"--b--"])),
    "headers": (MULTIPART, lambda: iter([b"--b\\r\\n" + LINES + b"\\r\\n\\r\\n--b--"])),
    "form": (FORM, lambda: iter([b"&".join(b"%d=" % number for number in range(450_000))])),
}

def peak():  # not ru_maxrss: a child begins with what its parent, the test runner, had
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])

headers, body = BODIES[sys.argv[1]]
known = [(b"Authorization", BASIC.encode()), (b"X-Experience-API-Version", b"1.0.3"), *headers]
app = create_lrs_app(an_lrs(Database(sys.argv[2])))
ask(app, "POST", "/statements", headers=known, body=b"[]")
pieces = body()
before = peak()
answer = ask(app, "POST", "/statements", query=b"method=GET" if headers is FORM else b"", headers=known, body=pieces)
print(answer.status, peak() - before, len(answer.body))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from Linux's /proc")
@pytest.mark.parametrize(
    ("body", "status", "most_mib"),
    [
        ("endless", 413, 16), ("bomb", 415, 16), ("depth", 400, 32), ("lists", 400, 160), ("keys", 400, 160),
        ("repeated", 400, 160), ("parts", 400, 160), ("headers", 400, 48), ("form", 400, 160),
    ],
)  # fmt: skip
def test_the_worst_body_is_refused_in_little_memory(
    database: Database, body: str, status: int, most_mib: int
) -> None:
    url = database.url.render_as_string(hide_password=False)

    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, body, url], cwd=ROOT, capture_output=True, text=True, check=True
    )

    found, kilobytes, length = (int(number) for number in done.stdout.split())
    assert found == status
    assert kilobytes < most_mib * 1024
    assert length < 2000
