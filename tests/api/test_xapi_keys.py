"""The record store of a node opens to its keys, each as far as its scopes reach, until it is revoked."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from lms.app import ServingNode, build_front
from lms.database import Database
from lms.keys.actions import NewKey, create_key, revoke_key
from lms.keys.lrs import KEYS
from lms.node import utc_now
from lms.nodes.local import make_identity
from lms.settings import Settings
from tests.serving import serving
from tests.xapi_builders import COURSE, V1, V2, VERSION, a_statement, an_id, somebody


@pytest.fixture(scope="module")
def node(lasting_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServingNode]:
    data = tmp_path_factory.mktemp("node")
    url = lasting_database.url.render_as_string(hide_password=False)
    node = ServingNode(Settings(data=data, database_url=url))
    with lasting_database.write() as session:
        make_identity(session, data, name="Post 4", role="laptop")
    yield node
    node.close()


@pytest.fixture(scope="module")
def address(node: ServingNode) -> Iterator[str]:
    """Where the store is served: by one event loop, which goes on from request to request."""
    with serving(build_front(node)) as url:
        yield f"{url}/xapi"


def made(database: Database, *scopes: str, kind: str = "lrs") -> NewKey:
    with database.write() as session:
        return create_key(session, kind, "A tool", list(scopes or ("all",)), now=utc_now())


def basic(key: NewKey) -> str:
    return "Basic " + base64.b64encode(f"{key.key}:{key.secret}".encode()).decode()


def bearer(key: NewKey) -> str:
    return f"Bearer {key.key}.{key.secret}"


def opened(address: str, authorization: str | None, version: str = V1) -> httpx.Client:
    headers = {VERSION: version, "Host": "localhost"}
    return httpx.Client(
        base_url=address, headers=headers | ({"Authorization": authorization} if authorization else {})
    )


@pytest.mark.parametrize("version", [V1, V2])
@pytest.mark.parametrize("shown", [basic, bearer])
def test_a_key_opens_and_vouches_for_what_it_writes(
    node: ServingNode, address: str, shown: Callable[[NewKey], str], version: str
) -> None:
    key, statement_id = made(node.database), an_id()
    with opened(address, shown(key), version) as client:
        claimed = {"objectType": "Agent", "account": {"homePage": KEYS, "name": "another key"}}
        put = client.put(
            "/statements", params={"statementId": statement_id}, json=a_statement(authority=claimed)
        )
        got = client.get("/statements", params={"statementId": statement_id})

    assert put.status_code == 204
    assert got.json()["authority"] == {"objectType": "Agent", "account": {"homePage": KEYS, "name": key.key}}


def test_each_key_finds_what_it_wrote(node: ServingNode, address: str) -> None:
    keys = [made(node.database, "statements/write", "statements/read/mine") for _ in range(2)]
    written = []
    for key in keys:
        with opened(address, basic(key)) as client:
            written += client.post("/statements", json=a_statement()).json()

    for key, statement_id in zip(keys, written, strict=True):
        with opened(address, bearer(key)) as client:
            assert [one["id"] for one in client.get("/statements").json()["statements"]] == [statement_id]
            assert client.get("/activities/state", params={"activityId": COURSE}).status_code == 403


def test_nobody_else_is_let_in(node: ServingNode, address: str) -> None:
    key, token = made(node.database), made(node.database, kind="token")
    wrong = NewKey(key=key.key, secret=key.secret[:-1] + ("A" if key.secret[-1] != "A" else "B"))
    shown = [
        None, "", "Basic", "Bearer", "Basic !", f"Basic {key.secret}", f"Digest {key.key}", f"Bearer {key.key}",
        f"Bearer {key.secret}.{key.key}", basic(wrong), bearer(wrong), basic(token), bearer(token),
        basic(NewKey(key=key.key, secret="")), basic(NewKey(key="", secret=key.secret)),
        basic(NewKey(key=f"{key.key}\0", secret=key.secret)),
    ]  # fmt: skip

    for authorization in shown:
        with opened(address, authorization) as client:
            for answer in (
                client.get("/statements"),
                client.post("/statements", json=a_statement()),
                client.get("/statements", params={"statementId": an_id()}),
                client.delete("/activities/state"),
            ):
                assert answer.status_code == 401, authorization
                assert answer.headers["WWW-Authenticate"].startswith("Basic ")
                assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_key_revoked_opens_nothing_from_then_on(node: ServingNode, address: str, elsewhere: bool) -> None:
    key = made(node.database)
    revoking = (
        Database(node.database.url.render_as_string(hide_password=False)) if elsewhere else node.database
    )

    with opened(address, basic(key)) as client:
        for _ in range(3):
            assert client.post("/statements", json=a_statement()).status_code == 200
            assert client.get("/statements", params={"statementId": an_id()}).status_code == 404
        with revoking.write() as session:
            revoke_key(session, key.key, now=utc_now())
        after = [
            client.get("/statements", params={"statementId": an_id()}).status_code,
            client.get("/statements").status_code,
            client.post("/statements", json=a_statement()).status_code,
            client.put("/activities/state", params={"activityId": COURSE}, json={}).status_code,
        ]

    if elsewhere:
        revoking.close()
    assert after == [401, 401, 401, 401]


def test_a_key_made_by_another_process_opens_at_once(node: ServingNode, address: str) -> None:
    elsewhere = Database(node.database.url.render_as_string(hide_password=False))
    with opened(address, None) as client:
        assert client.get("/statements").status_code == 401

        key = made(elsewhere)

        assert client.get("/statements", headers={"Authorization": basic(key)}).status_code == 200
    elsewhere.close()


def test_of_a_secret_only_its_digest_is_kept(node: ServingNode, address: str) -> None:
    key = made(node.database)
    with opened(address, basic(key)) as client:
        client.post("/statements", json=a_statement(actor=somebody()))

    with node.database.read() as session:
        kept = repr(session.execute(text("SELECT * FROM api_key")).all())
    assert key.key in kept
    assert key.secret not in kept
    assert base64.b64encode(f"{key.key}:{key.secret}".encode()).decode() not in kept
    if node.database.is_sqlite:
        file = Path(str(node.database.url.database))
        for path in (file, file.with_name(f"{file.name}-wal")):
            assert key.secret.encode() not in path.read_bytes()


def test_the_store_answers_to_the_names_of_its_node_only(node: ServingNode, address: str) -> None:
    with opened(address, basic(made(node.database))) as client:
        assert client.get("/statements", headers={"Host": "evil.example.org"}).status_code == 421
        assert client.get("/statements").headers["X-Content-Type-Options"] == "nosniff"
