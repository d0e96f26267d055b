"""What every answer carries, errors too: version, CORS, the same for HEAD (1.0.3 Communication §1.1, §1.2, §3.3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from lms.database import Database
from tests.asking import ask
from tests.xapi_asking import KNOWN
from tests.xapi_builders import (
    COURSE,
    LEARNER,
    THROUGH,
    V1,
    V2,
    VERSION,
    a_client,
    a_statement,
    an_id,
    an_lrs,
    key,
    sent,
)

pytestmark = pytest.mark.one_database

STATE = {"activityId": COURSE, "agent": key(LEARNER), "stateId": "headers"}


def _fail(*_arguments: Any) -> None:
    raise RuntimeError("a fault of the host")


#: A request for each answer there is; what it needs to be there is made by `prepared`.
ANSWERS: dict[int, Callable[[TestClient], Any]] = {
    200: lambda client: client.get("/statements"),
    204: lambda client: client.put("/statements", params={"statementId": an_id()}, json=a_statement()),
    400: lambda client: client.get("/statements", params={"unknown": "x"}),
    401: lambda client: client.get("/statements", headers={"Authorization": "Basic eDp5"}),
    403: lambda client: client.get("/activities/profile", params={"activityId": COURSE}),
    404: lambda client: client.get("/statements", params={"statementId": an_id()}),
    405: lambda client: client.delete("/statements"),
    409: lambda client: client.put("/statements", params={"statementId": TAKEN}, json=a_statement(result={})),
    412: lambda client: client.delete("/activities/state", params=STATE, headers={"If-Match": '"x"'}),
    413: lambda client: client.post("/statements", content=b" " * (4 * 1024 * 1024 + 1)),
    415: lambda client: client.post("/statements", content=b"", headers={"Content-Encoding": "gzip"}),
    431: lambda client: client.get("/statements", headers={"X-Long": "x" * 20_000}),
    500: lambda client: client.post("/statements", json=a_statement(verb={"id": "urn:x:breaks"})),
}  # fmt: skip
TAKEN = an_id()
CORS = {
    "Access-Control-Allow-Origin": {"*"},
    "Access-Control-Expose-Headers": {"ETag", "Last-Modified", VERSION, THROUGH},
}
PREFLIGHT = CORS | {
    "Access-Control-Allow-Methods": {"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"},
    "Access-Control-Allow-Headers": {
        "Authorization", "Content-Type", "If-Match", "If-None-Match", "Accept-Language", VERSION,
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def prepared(lasting_database: Database) -> Callable[[str], TestClient]:
    def admit(_session: Any, _credentials: Any, statements: Any) -> None:
        if any(one.statement["verb"]["id"] == "urn:x:breaks" for one in statements):
            _fail()

    sent(a_client(an_lrs(lasting_database)), a_statement(id=TAKEN))
    lrs = an_lrs(lasting_database, "statements/write", "statements/read", "state", admit=admit)
    return lambda version: a_client(lrs, version)


@pytest.mark.parametrize("version", [V1, V2])
@pytest.mark.parametrize("status", ANSWERS)
def test_every_answer_names_the_version_and_may_be_read_from_any_page(
    prepared: Callable[[str], TestClient], status: int, version: str
) -> None:
    answer = ANSWERS[status](prepared(version))

    assert answer.status_code == status
    assert answer.headers[VERSION] == version
    for name, values in CORS.items():
        assert values <= set(answer.headers[name].split(", ")), name
    if status != 500:
        assert answer.headers[THROUGH]
    if status >= 400:
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json()["error"]
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    assert ("Allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize(
    "path", ["/statements", "/activities/state", "/activities", "/agents/profile", "/about", "/x"]
)
def test_a_page_may_ask_beforehand_without_credentials(client: TestClient, path: str) -> None:
    asking = {
        "Origin": "https://content.example.org",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization, x-experience-api-version, if-match",
    }

    answer = TestClient(client.app).options(path, headers=asking)

    assert (answer.status_code, answer.content) == (204, b"")
    for name, values in PREFLIGHT.items():
        assert values <= set(answer.headers[name].split(", ")), name


def test_who_names_no_version_is_told_so(client: TestClient) -> None:
    nameless = {name: value for name, value in client.headers.items() if name.lower() != VERSION.lower()}
    stranger = TestClient(client.app, headers=nameless)

    answer = stranger.get("/statements")

    assert answer.status_code == 400
    assert VERSION in answer.json()["error"]
    assert VERSION in answer.headers


# ---------------------------------------------------------------- HEAD

ALL_THAT_IS_READ: list[tuple[str, dict[str, str]]] = [
    ("/statements", {}),
    ("/statements", {"limit": "1", "format": "ids"}),
    ("/statements", {"limit": "1", "attachments": "true"}),
    ("/statements", {"statementId": TAKEN}),
    ("/statements", {"statementId": an_id()}),
    ("/statements", {"unknown": "x"}),
    ("/activities", {"activityId": COURSE}),
    ("/agents", {"agent": key(LEARNER)}),
    ("/activities/state", STATE),
    ("/activities/state", {"activityId": COURSE, "agent": key(LEARNER)}),
    ("/activities/profile", {"activityId": COURSE, "profileId": "headers"}),
    ("/activities/profile", {"activityId": COURSE}),
    ("/agents/profile", {"agent": key(LEARNER), "profileId": "headers"}),
    ("/agents/profile", {"agent": key(LEARNER)}),
    ("/about", {}),
]


@pytest.mark.parametrize(("path", "query"), ALL_THAT_IS_READ)
def test_head_has_the_headers_of_get_and_no_body(
    either: TestClient, path: str, query: dict[str, str]
) -> None:
    either.put("/statements", params={"statementId": TAKEN}, json=a_statement())
    for place in ("/activities/state", "/activities/profile", "/agents/profile"):
        where = next(one for at, one in ALL_THAT_IS_READ if at == place)
        either.put(place, params=where, content=b"content", headers={"If-None-Match": "*"})

    head, get = either.head(path, params=query), either.get(path, params=query)

    assert head.status_code == get.status_code
    assert head.content == b""
    assert int(get.headers["Content-Length"]) == len(get.content) > 0
    ever_new = {THROUGH.lower(), *({"content-type"} if "attachments" in query else ())}  # the boundary
    assert {name: value for name, value in head.headers.items() if name not in ever_new} == {
        name: value for name, value in get.headers.items() if name not in ever_new
    }
    assert head.headers.keys() == get.headers.keys()


@pytest.mark.parametrize("path", ["/statements", "/about", "/x", "/agents"])
def test_not_a_byte_follows_the_headers_of_head(store: ASGIApp, path: str) -> None:
    """Asked without a client, which would leave it out."""
    answer = ask(store, "HEAD", path, headers=KNOWN)

    assert answer.body == b""
    assert int(answer.headers[b"content-length"]) > 0


# ---------------------------------------------------------------- time


def test_a_statement_was_last_modified_when_it_was_stored(either: TestClient) -> None:
    (statement_id,) = sent(either, a_statement())

    answer = either.get("/statements", params={"statementId": statement_id})

    stored = datetime.fromisoformat(answer.json()["stored"])
    assert parsedate_to_datetime(answer.headers["Last-Modified"]) == stored.replace(microsecond=0)


def test_statements_are_consistent_through_now_when_nothing_is_open(either: TestClient) -> None:
    before = datetime.now(UTC)

    answers = [
        either.get("/statements"),
        either.post("/statements", json=a_statement()),
        either.get("/statements", params={"statementId": an_id()}),
    ]

    for answer in answers:
        assert before <= datetime.fromisoformat(answer.headers[THROUGH]) <= datetime.now(UTC)
        assert answer.headers[THROUGH].endswith("Z")
