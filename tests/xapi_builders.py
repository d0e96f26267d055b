"""Statements and a record store with plain defaults."""

import base64
import hashlib
import itertools
from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.parser import BytesParser
from typing import Any
from uuid import UUID, uuid4

import orjson
from starlette.testclient import TestClient

from lms.database import Database
from xapi_store.http import Credentials, Lrs, create_lrs_app

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LEARNER = {"objectType": "Agent", "account": {"homePage": "https://outpost.invalid/people", "name": "p1"}}
AUTHORITY = {"objectType": "Agent", "account": {"homePage": "https://outpost.invalid/keys", "name": "k1"}}
PASSED = "http://adlnet.gov/expapi/verbs/passed"
VOIDED = "http://adlnet.gov/expapi/verbs/voided"
COURSE = "https://outpost.invalid/courses/c1"
BASIC = "Basic " + base64.b64encode(b"user:secret").decode()
V1, V2 = "1.0.3", "2.0.0"
VERSION = "X-Experience-API-Version"
THROUGH = "X-Experience-API-Consistent-Through"

_numbers = itertools.count(1)


def a_statement(**changes: Any) -> dict[str, Any]:
    return {
        "actor": LEARNER,
        "verb": {"id": PASSED, "display": {"en-US": "passed"}},
        "object": {"objectType": "Activity", "id": COURSE},
    } | changes


def a_voiding(target: UUID | str, **changes: Any) -> dict[str, Any]:
    return a_statement(verb={"id": VOIDED}, object=a_reference(target), **changes)


def a_reference(target: UUID | str) -> dict[str, Any]:
    return {"objectType": "StatementRef", "id": str(target)}


def somebody(**more: Any) -> dict[str, Any]:
    """An agent whom no other test mentions."""
    return {"mbox": f"mailto:somebody-{next(_numbers)}@example.org"} | more


def something(kind: str = "activity") -> str:
    """An IRI that no other test mentions."""
    return f"https://example.org/{kind}/{next(_numbers)}"


def an_activity(iri: str, **definition: Any) -> dict[str, Any]:
    return {"objectType": "Activity", "id": iri} | ({"definition": definition} if definition else {})


def an_id() -> str:
    return str(uuid4())


def key(agent: dict[str, Any]) -> str:
    """An agent as a parameter."""
    return orjson.dumps(agent).decode()


def an_lrs(database: Database, *scopes: str, authority: dict[str, Any] = AUTHORITY, **others: Any) -> Lrs:
    """A record store that knows one user, with the scopes given or all."""
    known = Credentials(authority=authority, scopes=frozenset(scopes or {"all"}))
    made = Lrs(
        write=database.change,
        read=database.read,
        authenticate=lambda _session, header: known if header == BASIC else None,
        glance=database.glance if database.is_sqlite else None,
        oldest_write=database.oldest_write,
    )
    return replace(made, **others)


def a_client(lrs: Lrs, version: str = V1) -> TestClient:
    """A client that proves who it is and names a version with every request."""
    return TestClient(create_lrs_app(lrs), headers={"Authorization": BASIC, VERSION: version})


def ids_in(answer: Any) -> list[str]:
    """The ids of the statements in an answer."""
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["statements"]]


def found(client: TestClient, **parameters: Any) -> list[str]:
    """The ids of the statements that a query finds, in its order."""
    return ids_in(client.get("/statements", params=parameters))


def read_by(client: TestClient, statement_id: str, **parameters: Any) -> dict[str, Any]:
    answer = client.get("/statements", params={"statementId": statement_id, **parameters})
    assert answer.status_code == 200, answer.text
    statement: dict[str, Any] = answer.json()
    return statement


def sent(client: TestClient, *statements: dict[str, Any], **headers: str) -> list[str]:
    """Post statements and return their ids."""
    answer = client.post("/statements", json=list(statements), headers=headers)
    assert answer.status_code == 200, answer.text
    ids: list[str] = answer.json()
    return ids


# ---------------------------------------------------------------- files


def an_attachment(content: bytes, **changes: Any) -> dict[str, Any]:
    """What a statement says of a file."""
    return {
        "usageType": "https://example.org/certificate",
        "display": {"en": "Certificate"},
        "contentType": "text/plain",
        "length": len(content),
        "sha2": hashlib.sha256(content).hexdigest(),
    } | changes


def with_files(client: TestClient, statements: Any, *files: bytes, **parameters: str) -> Any:
    """Send statements and files as multipart/mixed, by PUT if the parameters name a statement."""
    pieces = [b"Content-Type: application/json\r\n\r\n" + orjson.dumps(statements)]
    pieces += [
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: "
        + hashlib.sha256(content).hexdigest().encode()
        + b"\r\n\r\n"
        + content
        for content in files
    ]
    body = b"".join(b"--cut\r\n" + piece + b"\r\n" for piece in pieces) + b"--cut--\r\n"
    return client.request(
        "PUT" if parameters else "POST",
        "/statements",
        params=parameters,
        content=body,
        headers={"Content-Type": "multipart/mixed; boundary=cut"},
    )


def files_in(answer: Any) -> tuple[Any, dict[str, tuple[str, bytes]]]:
    """The statements of a multipart answer, and its files by their digest: content type and bytes.

    Read by the standard library, which knows nothing of how the store writes.
    """
    assert answer.status_code == 200, answer.text
    head = b"Content-Type: " + answer.headers["Content-Type"].encode() + b"\r\n\r\n"
    whole = BytesParser(policy=policy.HTTP).parsebytes(head + answer.content)
    assert whole.get_content_type() == "multipart/mixed"
    first, *files = whole.iter_parts()
    assert first.get_content_type() == "application/json"
    return orjson.loads(first.get_payload(decode=True)), {
        part["X-Experience-API-Hash"]: (part["Content-Type"], part.get_payload(decode=True)) for part in files
    }
