"""Signed statements: a signature is checked before it is kept, and kept as it came (1.0.3 Data §2.6; 2.0 §4.2.6)."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from starlette.testclient import TestClient

from tests.xapi_builders import (
    LEARNER,
    NOON,
    a_statement,
    an_activity,
    an_attachment,
    an_id,
    files_in,
    found,
    read_by,
    sent,
    something,
    with_files,
)
from xapi_store.attachments import SIGNATURE

pytestmark = pytest.mark.one_database

HASHES = {"RS256": hashes.SHA256(), "RS384": hashes.SHA384(), "RS512": hashes.SHA512()}
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ANOTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def a_certificate(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    made = x509.CertificateBuilder(
        x509.Name([]), x509.Name([]), key.public_key(), 1, NOON, NOON + timedelta(days=1)
    ).sign(key, hashes.SHA256())
    return base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()


CERTIFICATE, ANOTHER_CERTIFICATE = a_certificate(KEY), a_certificate(ANOTHER_KEY)


def packed(text: bytes) -> bytes:
    return base64.urlsafe_b64encode(text).rstrip(b"=")


def a_jws(payload: Any, *, alg: str = "RS256", certificate: str | None = CERTIFICATE, **header: Any) -> bytes:
    """A signature by KEY over some payload."""
    told = {"alg": alg, "typ": "JWS"} | ({"x5c": [certificate]} if certificate else {}) | header
    text = payload if isinstance(payload, bytes) else orjson.dumps(payload, option=orjson.OPT_INDENT_2)
    signed = packed(orjson.dumps(told)) + b"." + packed(text)
    return signed + b"." + packed(KEY.sign(signed, padding.PKCS1v15(), HASHES.get(alg, hashes.SHA256())))


def send(client: TestClient, statement: dict[str, Any], jws: bytes, **changes: Any) -> Any:
    signature = an_attachment(jws, usageType=SIGNATURE, contentType="application/octet-stream") | changes
    return with_files(
        client, statement | {"attachments": [*statement.get("attachments", ()), signature]}, jws
    )


def a_deed() -> dict[str, Any]:
    return a_statement(
        id=an_id(),
        object=an_activity(something(), name={"en": "Signed"}),
        timestamp="2026-01-02T03:04:05.678Z",
    )


# ---------------------------------------------------------------- good ones


@pytest.mark.parametrize("alg", HASHES)
@pytest.mark.parametrize("certificate", [CERTIFICATE, None])
def test_a_good_signature_is_kept_byte_for_byte(
    either: TestClient, alg: str, certificate: str | None
) -> None:
    statement = a_deed()
    jws = a_jws(statement, alg=alg, certificate=certificate)

    answer = send(either, statement, jws)

    assert answer.json() == [statement["id"]]
    query = {"statementId": statement["id"], "attachments": "true"}
    read, files = files_in(either.get("/statements", params=query))
    assert files == {hashlib.sha256(jws).hexdigest(): ("application/octet-stream", jws)}
    assert read["attachments"][0]["usageType"] == SIGNATURE


def test_a_chain_of_certificates_starts_with_the_signer(either: TestClient) -> None:
    statement = a_deed()

    answers = [
        send(either, statement, a_jws(statement, x5c=[CERTIFICATE, ANOTHER_CERTIFICATE])).status_code,
        send(either, a_deed(), a_jws(statement, x5c=[ANOTHER_CERTIFICATE, CERTIFICATE])).status_code,
    ]

    assert answers == [200, 400]


@pytest.mark.parametrize(
    "spelled",
    [
        lambda statement: dict(reversed(statement.items())),
        lambda statement: statement | {"timestamp": "2026-01-02T04:04:05.678+01:00"},
        lambda statement: {name: value for name, value in statement.items() if name != "id"},
        lambda statement: {name: value for name, value in statement.items() if name != "timestamp"},
        lambda statement: statement | {"object": {"id": statement["object"]["id"]}},
        lambda statement: (
            statement | {"authority": LEARNER, "version": "1.0.0", "stored": "2026-01-02T03:04:05Z"}
        ),
    ],
)
def test_the_signed_statement_may_be_spelled_otherwise(either: TestClient, spelled: Any) -> None:
    statement = a_deed()

    assert send(either, statement, a_jws(spelled(statement))).status_code == 200


def test_a_signed_statement_sent_again_is_the_same(either: TestClient) -> None:
    statement = a_deed()
    jws = a_jws(statement)

    answers = [send(either, statement, jws).status_code for _ in range(2)]

    assert answers == [200, 200]


def test_a_signed_statement_may_have_other_files(either: TestClient) -> None:
    statement = a_deed() | {"attachments": [an_attachment(b"x", fileUrl="https://example.org/x")]}
    jws = a_jws(statement)

    assert send(either, statement, jws).status_code == 200
    assert len(read_by(either, statement["id"])["attachments"]) == 2


# ---------------------------------------------------------------- bad ones


def _tampered(jws: bytes, part: int) -> bytes:
    parts = jws.split(b".")
    other = b"A" if parts[part][8:9] != b"A" else b"B"
    parts[part] = parts[part][:8] + other + parts[part][9:]
    return b".".join(parts)


def _other_hash(statement: dict[str, Any]) -> bytes:
    head = packed(orjson.dumps({"alg": "RS512", "x5c": [CERTIFICATE]}))
    signed = head + b"." + packed(orjson.dumps(statement))
    return signed + b"." + packed(KEY.sign(signed, padding.PKCS1v15(), hashes.SHA256()))


BAD: dict[str, Any] = {
    "of another actor": lambda s: a_jws(s | {"actor": {"mbox": "mailto:else@example.org"}}),
    "of another verb": lambda s: a_jws(s | {"verb": {"id": "urn:x:other"}}),
    "of another object": lambda s: a_jws(s | {"object": an_activity(something())}),
    "of another result": lambda s: a_jws(s | {"result": {"success": True}}),
    "of another time": lambda s: a_jws(s | {"timestamp": "2026-01-02T03:04:06Z"}),
    "of no statement": lambda _s: a_jws({"a": 1}),
    "of a list": lambda s: a_jws([s]),
    "of text": lambda _s: a_jws(b"passed"),
    "of a key twice": lambda s: a_jws(orjson.dumps(s).replace(b"{", b'{"actor":{"mbox":"mailto:a@b.c"},', 1)),
    "another certificate": lambda s: a_jws(s, certificate=ANOTHER_CERTIFICATE),
    "no RSA": lambda s: a_jws(s, certificate=a_certificate(ec.generate_private_key(ec.SECP256R1()))),
    "no certificate": lambda s: a_jws(s, certificate="AAAA"),
    "none": lambda s: a_jws(s, alg="none"),
    "HMAC": lambda s: a_jws(s, alg="HS256"),
    "PSS": lambda s: a_jws(s, alg="PS256"),
    "in lower case": lambda s: a_jws(s, alg="rs256"),
    "another hash than it says": _other_hash,
    "signature changed": lambda s: _tampered(a_jws(s), 2),
    "no signature": lambda s: a_jws(s).rpartition(b".")[0] + b".",
    "two parts": lambda s: a_jws(s).rpartition(b".")[0],
    "four parts": lambda s: a_jws(s) + b".AAAA",
    "not a JWS": lambda _s: b"signed, sealed, delivered",
    "nothing": lambda _s: b"",
    "JSON serialization": lambda s: orjson.dumps({"payload": packed(orjson.dumps(s)).decode()}),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_signature_is_refused_with_its_statement(either: TestClient, name: str) -> None:
    statement = a_deed()

    answer = send(either, statement, BAD[name](statement))

    assert answer.status_code == 400
    assert answer.json()["error"]
    assert answer.json()["path"] == "$.attachments[0]"
    assert answer.json()["section"] in ("xAPI 1.0.3 Data §2.6", "xAPI 2.0 (IEEE 9274.1.1) §4.2.6")
    assert found(either, activity=statement["object"]["id"]) == []


def test_a_payload_changed_does_not_fit_its_signature(either: TestClient) -> None:
    statement = a_deed()
    forged = statement | {"result": {"success": True}}
    head, _, signature = a_jws(statement).split(b".")

    answer = send(either, forged, b".".join((head, packed(orjson.dumps(forged)), signature)))

    assert answer.status_code == 400
    assert "does not fit" in answer.json()["error"]


def test_a_signature_is_bytes_that_come_along(either: TestClient) -> None:
    statement = a_deed()
    jws = a_jws(statement)
    signature = an_attachment(
        jws, usageType=SIGNATURE, contentType="application/octet-stream", fileUrl="https://example.org/jws"
    )

    typed = send(either, statement, jws, contentType="application/jose")
    elsewhere = either.post("/statements", json=statement | {"attachments": [signature]})

    assert (typed.status_code, elsewhere.status_code) == (400, 400)
    assert "octet-stream" in typed.json()["error"]
    assert "must come with" in elsewhere.json()["error"]


def test_one_bad_signature_refuses_the_batch(either: TestClient) -> None:
    good, bad = a_deed(), a_deed()
    files = [a_jws(good), a_jws(good | {"result": {"success": False}})]
    batch = [
        statement
        | {"attachments": [an_attachment(jws, usageType=SIGNATURE, contentType="application/octet-stream")]}
        for statement, jws in zip((good, bad), files, strict=True)
    ]

    answer = with_files(either, batch, *files)

    assert answer.status_code == 400
    assert answer.json()["path"] == "$[1].attachments[0]"
    assert found(either, activity=good["object"]["id"]) == []


def test_an_unsigned_statement_does_not_become_signed_by_sending_it_again(either: TestClient) -> None:
    statement = a_deed()
    sent(either, statement)

    assert send(either, statement, a_jws(statement)).status_code == 409
