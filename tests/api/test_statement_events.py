"""Statements are told live: each once, in order, to those who may read them, whatever a listener does."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from lms.app import ServingNode, build_front
from lms.database import Database
from lms.forwarding.events import Broadcast
from lms.keys.actions import create_key, revoke_key
from lms.node import utc_now
from lms.nodes.local import make_identity
from lms.people.actions import create_person
from lms.people.sessions import open_session
from lms.people.tables import PasswordCost
from lms.settings import Settings
from lms.web.cookies import SESSION, cookie_name
from tests.listening import PATH, PLAIN, listening
from tests.school_builders import counted
from tests.serving import serving
from tests.xapi_builders import AUTHORITY, COURSE, PASSED, a_statement, a_voiding
from xapi_store.ingest import store_statements

MOST = 60
ENDS_WITHIN_S = 5
FAILED = "http://adlnet.gov/expapi/verbs/failed"


@dataclass
class Served:
    """A node on a real port, and a token that may read statements."""

    node: ServingNode
    address: str
    token: str
    broadcast: Broadcast

    def record(self, count: int = 1, *, database: Database | None = None, **changes: Any) -> list[str]:
        with (database or self.node.database).write() as session:
            made = [{"id": str(uuid4())} | a_statement(**changes) for _ in range(count)]
            return [str(one) for one in store_statements(session, made, authority=AUTHORITY, now=utc_now())]

    def key(self, kind: str, *scopes: str) -> Any:
        with self.node.database.write() as session:
            return create_key(session, kind, "test", scopes, now=utc_now())

    def cookie(self, role: str) -> dict[str, str]:
        with self.node.database.write() as session:
            person = create_person(
                session,
                public_id=uuid4(),
                personnel_number=f"{role} {uuid4()}",
                name="A person",
                roles=[role],
                password_hash=None,
                now=utc_now(),
                grants_travel=True,
            )
            value = open_session(session, person.public_id, now=utc_now())
        return {cookie_name(self.node.site, SESSION): value}

    def wait_until_listening(self, count: int) -> None:
        deadline = time.monotonic() + 10
        while self.broadcast.listening != count:
            assert time.monotonic() < deadline, self.broadcast.listening
            time.sleep(0.01)


@pytest.fixture
def served(database: Database, tmp_path: Path) -> Iterator[Served]:
    url = database.url.render_as_string(hide_password=False)
    node = ServingNode(Settings(data=tmp_path / "node", database_url=url, allowed_hosts=("127.0.0.1",)))
    with node.database.write() as session:
        make_identity(session, tmp_path / "node", name="Post 4", role="laptop")
        session.add(PasswordCost(id=1, memory_kib=8, time=1))  # nobody signs in by a password here
    broadcast = Broadcast(node.database, most=MOST, heartbeat_s=0.5, stall_s=1)
    vars(node)["broadcast"] = broadcast  # where the node would keep its own
    with closing(node), serving(build_front(node)) as address:
        made = Served(node, address, "", broadcast)
        key = made.key("token", "progress.see")
        made.token = f"{key.key}.{key.secret}"
        yield made
        broadcast.close()
        asked = time.monotonic()
    assert time.monotonic() - asked < ENDS_WITHIN_S, "a stream outlived its end"


# ---------------------------------------------------------------- who may listen


@pytest.mark.parametrize("role", ["instructor", "hub_admin"])
def test_a_person_who_may_see_progress_listens_with_her_session(served: Served, role: str) -> None:
    cookies = served.cookie(role)

    with httpx.Client(cookies=cookies, verify=PLAIN).stream("GET", served.address + PATH) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("scopes", "status"),
    [(["progress.see"], 200), (["records.see"], 200), (["all"], 200), (["courses.manage"], 403)],
)
def test_a_token_listens_with_the_scope_to_see_progress(
    served: Served, scopes: list[str], status: int
) -> None:
    key = served.key("token", *scopes)
    headers = {"Authorization": f"Bearer {key.key}.{key.secret}"}

    with httpx.stream("GET", served.address + PATH, verify=PLAIN, headers=headers) as answer:
        assert answer.status_code == status


def test_nobody_else_listens(served: Served) -> None:
    lrs_key = served.key("lrs", "all")
    basic = (lrs_key.key, lrs_key.secret)
    nobody = httpx.get(served.address + PATH, verify=PLAIN)
    officer = httpx.get(served.address + PATH, verify=PLAIN, cookies=served.cookie("officer"))
    invented = httpx.get(served.address + PATH, verify=PLAIN, headers={"Authorization": "Bearer a.b"})
    other_kind = httpx.get(served.address + PATH, verify=PLAIN, auth=basic)

    assert [one.status_code for one in (nobody, officer, invented, other_kind)] == [401, 403, 401, 401]
    assert nobody.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "query",
    [
        "registration=x",
        "after=-1",
        "after=x",
        f"verb={'v' * 5000}",
        "verb=nope",
        "activity=nope",
        "since=2026-01-01",
    ],
)
def test_a_parameter_that_cannot_be_understood_is_refused(served: Served, query: str) -> None:
    answer = httpx.get(
        f"{served.address}{PATH}?{query}", verify=PLAIN, headers={"Authorization": f"Bearer {served.token}"}
    )

    assert answer.status_code == 422
    assert served.broadcast.listening == 0


# ---------------------------------------------------------------- what is told


def test_a_statement_is_told_exactly_as_get_gives_it(served: Served) -> None:
    key = served.key("lrs", "all")
    with listening(served.address, served.token) as line:
        (recorded,) = served.record()
        (told,) = line.take(1)

    got = httpx.get(
        f"{served.address}/xapi/statements",
        params={"statementId": recorded},
        auth=(key.key, key.secret),
        headers={"X-Experience-API-Version": "1.0.3"},
    )
    assert told == got.json()


def test_only_what_is_stored_from_now_on_is_told(served: Served) -> None:
    served.record(3)

    with listening(served.address, served.token) as line:
        recorded = served.record(2)

        assert [one["id"] for one in line.take(2)] == recorded


def test_filters_are_those_of_the_record_store(served: Served) -> None:
    registration = str(uuid4())
    about = {"contextActivities": {"parent": [{"id": f"{COURSE}/2"}]}, "registration": registration}
    with ExitStack() as stack:
        lines = [
            stack.enter_context(listening(served.address, served.token, **wanted))
            for wanted in (
                {"verb": FAILED},
                {"activity": f"{COURSE}/2"},
                {"registration": registration},
                {"verb": PASSED, "activity": f"{COURSE}/2"},
            )
        ]
        served.record(2)
        failed = served.record(verb={"id": FAILED})
        part = served.record(context=about)

        told = [[one["id"] for one in line.take(1)] for line in lines]

    assert told == [failed, part, part, part]


def test_what_was_voided_meanwhile_is_not_told(served: Served) -> None:
    kept, voided = served.record(2)
    voiding = served.record(**a_voiding(voided))

    with listening(served.address, served.token, after="0") as line:
        assert [one["id"] for one in line.take(2)] == [kept, *voiding]


# ---------------------------------------------------------------- coming back


def test_who_comes_back_with_the_last_id_misses_nothing_and_hears_nothing_twice(served: Served) -> None:
    recorded: list[str] = []
    told: list[str] = []
    last_id = None
    for count in (3, 120, 1, 250, 7):
        with listening(served.address, served.token, last_id=last_id, after="0") as line:
            made = served.record(count)
            recorded += made
            told += [one["id"] for one in line.take(max(1, count // 2))]
            last_id = line.last_id
    with listening(served.address, served.token, last_id=last_id) as line:
        told += [one["id"] for one in line.take(len(recorded) - len(told))]
        line.wait_for_comment()

    assert told == recorded


def test_who_was_cut_off_before_the_first_statement_has_an_id_to_come_back_with(served: Served) -> None:
    served.record(2)
    with listening(served.address, served.token) as line:
        begun = line.last_id
    recorded = served.record(2)

    with listening(served.address, served.token, last_id=begun) as line:
        assert [one["id"] for one in line.take(2)] == recorded


def test_the_line_is_told_to_hold_while_nothing_happens(served: Served) -> None:
    with listening(served.address, served.token) as line:
        line.wait_for_comment()
        line.wait_for_comment()

    assert line.comments == [" still here", " still here"]


def test_what_another_process_has_stored_is_told(served: Served) -> None:
    url = served.node.database.url.render_as_string(hide_password=False)
    with closing(Database(url)) as other, listening(served.address, served.token) as line:
        recorded = served.record(2, database=other)
        began = time.monotonic()

        assert [one["id"] for one in line.take(2)] == recorded
        assert time.monotonic() - began < 5


# ---------------------------------------------------------------- many, and slow ones


def test_fifty_listeners_hear_everything_and_share_the_reading(served: Served) -> None:
    count, batches = 50, 20
    with ExitStack() as stack, ThreadPoolExecutor(max_workers=count) as apart:
        lines = [stack.enter_context(listening(served.address, served.token)) for _ in range(count)]
        with counted(served.node.database) as queries:
            heard = [apart.submit(line.take, batches * 5) for line in lines]
            recorded = [one for _ in range(batches) for one in served.record(5)]
            told = [[one["id"] for one in taken.result()] for taken in heard]

    assert told == [recorded] * count
    readings = [query for query in queries if "xapi_statement.raw" in query]
    assert len(readings) < batches * count / 5
    served.wait_until_listening(0)


def test_when_all_places_are_taken_the_next_one_is_told_so(served: Served) -> None:
    with ExitStack() as stack:
        lines = [stack.enter_context(listening(served.address, served.token)) for _ in range(MOST)]
        refused = httpx.get(
            served.address + PATH, verify=PLAIN, headers={"Authorization": f"Bearer {served.token}"}
        )
    served.wait_until_listening(0)
    with listening(served.address, served.token):
        pass

    assert len(lines) == MOST
    assert refused.status_code == 503
    assert refused.json()["title"] == "Too many programs listen to this node already."
    assert refused.headers["retry-after"] == "60"


def test_nobody_holds_a_transaction_while_waiting(served: Served) -> None:
    pool: Any = served.node.database.engine.pool
    with ExitStack() as stack:
        lines = [stack.enter_context(listening(served.address, served.token)) for _ in range(10)]
        served.record()
        time.sleep(0.3)

        seen = []
        for _ in range(50):
            seen.append(pool.checkedout())
            time.sleep(0.01)

    assert len(lines) == 10
    assert seen.count(0) >= 40  # now and then the one thread looks


def test_a_listener_that_does_not_read_is_left_and_can_come_back_for_the_rest(served: Served) -> None:
    text = {"response": "." * 20_000}
    host, port = served.address.removeprefix("http://").split(":")
    with closing(socket.socket()) as slow, listening(served.address, served.token) as line:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect((host, int(port)))
        slow.sendall(
            f"GET {PATH} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {served.token}\r\n\r\n".encode()
        )
        served.wait_until_listening(2)

        recorded: list[str] = []
        told: list[str] = []
        for _ in range(50):
            recorded += served.record(10, result=text)
            told += [
                one["id"] for one in line.take(10)
            ]  # as it comes, or this listener would be left as well
        served.wait_until_listening(1)

    assert told == recorded


def test_a_token_that_was_revoked_opens_no_stream(served: Served) -> None:
    with served.node.database.write() as session:
        revoke_key(session, served.token.partition(".")[0], now=utc_now())

    answer = httpx.get(
        served.address + PATH, verify=PLAIN, headers={"Authorization": f"Bearer {served.token}"}
    )

    assert answer.status_code == 401


def test_ids_rise(served: Served) -> None:
    served.record(5)
    with listening(served.address, served.token, after="0") as line:
        ids = [int(line.next()[0]) for _ in range(5)]

    assert ids == sorted(set(ids))
    assert all(UUID(one) for one in served.record(1))
