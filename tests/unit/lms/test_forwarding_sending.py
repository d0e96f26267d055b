"""What another record store is sent: each statement once, as its filter names it; nothing here waits meanwhile."""

from __future__ import annotations

import hashlib
import threading
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from lms.database import Database
from lms.forwarding.batches import MOST_BYTES, MOST_STATEMENTS
from lms.forwarding.queries import due, standings
from tests.forwarding_builders import FAILED, OtherStore, Sender
from tests.xapi_builders import AUTHORITY, COURSE, LEARNER, NOON, PASSED, a_statement, a_voiding
from xapi_store.attachments import Part
from xapi_store.ingest import store_copies


@pytest.fixture
def sender(database: Database) -> Sender:
    return Sender(database)


def test_everything_is_sent_once_in_batches_and_the_cursor_stands_at_the_end(sender: Sender) -> None:
    sender.add()
    recorded = sender.record(250)

    sender.send()
    sender.send()

    assert list(sender.other.kept) == recorded
    assert set(sender.sent().values()) == {1}
    assert [len(post) for post in sender.other.posts] == [MOST_STATEMENTS, MOST_STATEMENTS, 50]
    assert sender.target.forwarded == 250
    assert sender.target.in_flight is None
    with sender.database.read() as session:
        (standing,) = standings(session)
        assert due(session, now=NOON) == []
    assert standing.lag == 0


def test_a_statement_goes_without_what_the_other_store_sets(sender: Sender) -> None:
    sender.add()
    (recorded,) = sender.record()

    sender.send()

    told = sender.other.kept[recorded]
    assert told["actor"] == LEARNER
    assert "authority" not in told
    assert "stored" not in told
    assert told["timestamp"]
    assert told["version"] == "1.0.0"


def test_the_version_of_another_family_is_left_to_the_other_store(sender: Sender) -> None:
    sender.add(version="2.0.0")
    (recorded,) = sender.record()

    sender.send()

    assert "version" not in sender.other.kept[recorded]


def test_a_batch_is_bounded_in_bytes(sender: Sender) -> None:
    sender.add()
    text = "." * (MOST_BYTES // 3)
    for _ in range(4):
        sender.record(result={"response": text})

    sender.send()

    assert [len(post) for post in sender.other.posts] == [2, 2]


def test_attachments_travel_with_their_bytes(sender: Sender) -> None:
    sender.add()
    content = b"a certificate\r\n--x"
    part = Part(sha2=hashlib.sha256(content).hexdigest(), content=content, content_type="text/plain")
    attachment = {
        "usageType": "https://outpost.invalid/certificate",
        "display": {"en": "Certificate"},
        "contentType": "text/plain",
        "length": len(content),
        "sha2": part.sha2,
    }
    sender.record(parts=[part], attachments=[attachment])
    sender.record()

    sender.send()

    assert sender.other.parts == [part]
    assert len(sender.other.kept) == 2


@pytest.mark.parametrize(
    ("wanted", "matching"),
    [
        ({"verbs": [PASSED]}, {"passed", "voiding"}),
        ({"verbs": [PASSED, FAILED]}, {"passed", "failed", "voiding"}),
        ({"activity": f"{COURSE}/part"}, {"failed"}),
        ({"agent": orjson.dumps(LEARNER).decode()}, {"passed", "failed", "voiding"}),
        ({"made_here": True}, {"passed", "voided", "failed", "voiding"}),
        ({"since": "2026-11-24T12:00:30Z"}, {"failed", "copy"}),
        ({}, {"passed", "voided", "failed", "voiding", "copy"}),
        ({"verbs": ["https://example.org/verbs/none"]}, set()),
    ],
)
def test_a_target_gets_what_its_filter_names(
    sender: Sender, wanted: dict[str, Any], matching: set[str]
) -> None:
    sender.add(**wanted)
    names: dict[UUID, str] = {}
    names[sender.record()[0]] = "passed"
    (voided,) = sender.record()
    names[voided] = "voided"
    names[sender.record(**a_voiding(voided))[0]] = "voiding"
    sender.clock += timedelta(minutes=1)
    part = {"contextActivities": {"parent": [{"id": f"{COURSE}/part"}]}}
    names[sender.record(verb={"id": FAILED}, context=part)[0]] = "failed"
    copy = a_statement(
        id=str(uuid4()),
        actor={"mbox": "mailto:b@example.org"},
        verb={"id": "https://example.org/verbs/other"},
        timestamp="2026-11-24T12:00:00.000Z",
        version="1.0.0",
        authority=AUTHORITY,
    )
    names[UUID(copy["id"])] = "copy"
    with sender.database.write() as session:
        store_copies(session, [orjson.dumps(copy)], now=sender.clock)

    sender.send()

    assert {names[one] for one in sender.other.kept} == matching
    with sender.database.read() as session:
        assert due(session, now=sender.clock) == []


def test_what_arrives_later_is_sent_later(sender: Sender) -> None:
    sender.add()
    first = sender.record(3)
    sender.send()
    second = sender.record(2)

    sender.send()

    assert sender.other.posts == [first, second]


def test_no_transaction_is_open_while_the_network_waits(sender: Sender) -> None:
    sender.add()
    sender.record(2)
    pool: Any = sender.database.engine.pool
    open_meanwhile: list[int] = []
    sender.other.before_answering = lambda: open_meanwhile.append(pool.checkedout())

    sender.send()

    assert open_meanwhile == [0]


def test_one_slow_target_holds_up_no_other(database: Database) -> None:
    sender = Sender(database)
    slow = sender.add(name="slow")
    sender.add()
    sender.record(1)
    asked, may_answer = threading.Event(), threading.Event()
    waiting = OtherStore(before_answering=lambda: (asked.set(), may_answer.wait(10))[0])
    stores = {slow.id: waiting, sender.target.id: sender.other}
    sender.forwarder._connect = lambda target, _secret: stores[target.id]

    sender.forwarder.look_after()
    sender.forwarder._threads[sender.target.id].join(10)
    done_meanwhile = len(sender.other.kept), asked.wait(10), may_answer.is_set()
    sender.forwarder.ask_to_stop()
    may_answer.set()

    assert done_meanwhile == (1, True, False)
    assert sender.forwarder.join(within_s=10)
    with database.read() as session:
        assert [standing.target.forwarded for standing in standings(session)] == [1, 1]
