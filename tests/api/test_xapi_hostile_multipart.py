"""Multipart bodies and signatures that are not what they should be are refused, and change nothing."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from starlette.types import ASGIApp

from tests.asking import Answer
from tests.xapi_asking import get, post, sentence, stored, text_of
from tests.xapi_builders import NOON, a_statement
from xapi_store.attachments import SIGNATURE

pytestmark = pytest.mark.one_database

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


def post_parts(store: ASGIApp, body: bytes, content_type: bytes = b"multipart/mixed; boundary=cut") -> Answer:
    return post(store, body, (b"Content-Type", content_type))


WHOLE = parts(HEAD + b"\r\n\r\n" + FILE)


def test_a_statement_with_its_file_is_stored_and_read_back(own_store: ASGIApp) -> None:
    assert post_parts(own_store, b"a preamble\r\n" + WHOLE + b"and an epilogue").status == 200

    found = get(own_store, b"attachments=true")

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
def test_a_boundary_that_is_not_the_one_of_the_body_is_refused(store: ASGIApp, content_type: bytes) -> None:
    answer = post_parts(store, WHOLE, content_type)

    assert answer.status == 400
    assert "boundary" in sentence(answer) or "part" in sentence(answer)
    assert stored(store) == []


def test_no_multipart_body_cut_short_is_taken(store: ASGIApp) -> None:
    enough = WHOLE.rindex(b"--cut--") + len(b"--cut--")

    for end in range(enough):
        assert post_parts(store, WHOLE[:end]).status == 400, end

    assert stored(store) == []


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
def test_parts_that_do_not_belong_together_are_refused(store: ASGIApp, body: bytes, told: str) -> None:
    answer = post_parts(store, body)

    assert answer.status == 400
    assert told in sentence(answer)
    assert stored(store) == []


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
def test_the_type_of_a_file_cannot_write_headers(store: ASGIApp, content_type: str) -> None:
    body = parts(HEAD + b"\r\n\r\n" + FILE, text=orjson.dumps(attached(contentType=content_type)))

    answer = post_parts(store, body)

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
def test_a_signature_of_any_shape_is_refused_with_a_sentence(store: ASGIApp, header: object) -> None:
    jws, sha2 = a_signature(header)
    statement = attached(
        usageType=SIGNATURE, contentType="application/octet-stream", length=len(jws), sha2=sha2
    )
    file = HEAD.replace(SHA2.encode(), sha2.encode()) + b"\r\n\r\n" + jws

    answer = post_parts(store, parts(file, text=orjson.dumps(statement)))

    assert answer.status == 400
    assert sentence(answer)
    assert stored(store) == []
