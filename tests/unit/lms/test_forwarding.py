"""Statements reach another record store: each once, none lost, whatever the answers and whenever the power fails."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from lms.database import Database
from lms.forwarding import actions
from lms.forwarding.batches import MOST_BYTES, MOST_STATEMENTS
from lms.forwarding.forwarder import MOST_REFUSED_IN_A_ROW
from lms.forwarding.ports import Answer, NoAnswerError
from lms.forwarding.problems import Problem
from lms.forwarding.queries import dead_letters, due, standings
from lms.forwarding.tables import DeadLetter, TargetState
from tests.forwarding_builders import OtherStore, PowerError, Sender
from tests.xapi_builders import AUTHORITY, COURSE, LEARNER, NOON, PASSED, a_statement, a_voiding
from xapi_store.attachments import Part
from xapi_store.ingest import store_copies

FAILED_VERB = "http://adlnet.gov/expapi/verbs/failed"
LOST = NoAnswerError("ReadTimeout", may_have_arrived=True)
NOBODY = NoAnswerError("ConnectError", may_have_arrived=False)


@pytest.fixture
def sender(database: Database) -> Sender:
    return Sender(database)


def letters(sender: Sender) -> list[DeadLetter]:
    with sender.database.read() as session:
        return [letter for _, letter in dead_letters(session)]


def sent(sender: Sender) -> Counter[UUID]:
    return Counter(one for post in sender.other.posts for one in post)


def replay(sender: Sender, *statements: UUID) -> None:
    with sender.database.write() as session:
        actions.replay(session, session.merge(sender.target), statements or None)


def resume(sender: Sender) -> None:
    with sender.database.write() as session:
        actions.resume(session.merge(sender.target))


# ---------------------------------------------------------------- what is sent


def test_everything_is_sent_once_in_batches_and_the_cursor_stands_at_the_end(sender: Sender) -> None:
    sender.add()
    recorded = sender.record(250)

    sender.send()
    sender.send()

    assert list(sender.other.kept) == recorded
    assert set(sent(sender).values()) == {1}
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
        ({"verbs": [PASSED, FAILED_VERB]}, {"passed", "failed", "voiding"}),
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
    names[sender.record(verb={"id": FAILED_VERB}, context=part)[0]] = "failed"
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


# ---------------------------------------------------------------- when something fails


def test_after_a_power_cut_behind_the_answer_nothing_is_sent_twice(sender: Sender) -> None:
    sender.add()
    recorded = sender.record(5)

    sender.other.before_answering = raising(PowerError())
    with pytest.raises(PowerError):
        sender.forwarder.step(sender.target.id, sender.other)
    sender.other.before_answering = lambda: None
    before = sender.target
    sender.start_again()
    sender.record(1)
    sender.send()

    assert (before.cursor, before.forwarded) == (0, 0)
    assert sender.other.asked == recorded
    assert set(sent(sender).values()) == {1}
    assert sender.target.forwarded == 6


def test_after_a_power_cut_before_the_request_everything_is_sent(sender: Sender) -> None:
    target = sender.add()
    recorded = sender.record(5)
    with sender.database.write() as session:
        assert actions.take_off(session, target.id, 5)

    sender.start_again()
    sender.send()

    assert sender.other.posts == [recorded]
    assert sender.target.in_flight is None


def test_what_arrived_though_its_answer_was_lost_is_not_sent_again(sender: Sender) -> None:
    sender.add()
    recorded = sender.record(4)
    sender.other.before_answering = raising(LOST)
    sender.send()
    sender.other.before_answering = lambda: None
    waiting = sender.target

    sender.clock += timedelta(minutes=1)
    sender.send()

    assert waiting.retry_at is not None
    assert waiting.problem == Problem.NO_ANSWER
    assert sender.other.posts == [recorded]
    assert sender.target.forwarded == 4
    assert sender.target.problem is None


def test_what_was_voided_over_there_counts_as_there(sender: Sender) -> None:
    sender.add()
    (voided,) = sender.record()
    sender.record(**a_voiding(voided))
    sender.other.before_answering = raising(LOST)
    sender.send()
    sender.other.before_answering = lambda: None
    sender.other.voided.add(voided)

    sender.clock += timedelta(minutes=1)
    sender.send()

    assert len(sender.other.posts) == 1
    assert sender.target.forwarded == 2


def test_a_network_that_is_gone_does_not_make_it_forget_what_was_in_flight(sender: Sender) -> None:
    sender.add()
    sender.record(3)
    sender.other.before_answering = raising(LOST)
    sender.send()
    sender.other.before_answering = lambda: None

    for _ in range(3):
        sender.other.next_answers = [NOBODY]
        sender.clock += timedelta(hours=1)
        sender.send()
    sender.clock += timedelta(hours=1)
    sender.send()

    assert len(sender.other.posts) == 1
    assert sender.target.forwarded == 3


def test_a_sign_in_page_in_the_way_is_believed_neither_when_sending_nor_when_asking(sender: Sender) -> None:
    sender.add()
    sender.record(2)
    page = Answer(status=200, body=b"<html>", headers={"content-type": "text/html"})
    sender.other.next_answers = [page]
    sender.send()
    told = sender.target

    sender.other.next_answers = [page]
    sender.clock += timedelta(hours=1)
    sender.send()
    sender.clock += timedelta(hours=1)
    sender.send()

    assert told.problem == Problem.STRANGE_ANSWER
    assert len(sender.other.posts) == 1
    assert sender.target.forwarded == 2


def test_nothing_is_asked_where_certainly_nothing_arrived(sender: Sender) -> None:
    sender.add()
    recorded = sender.record(2)
    sender.other.next_answers = [NOBODY]
    sender.send()
    sender.clock += timedelta(minutes=1)

    sender.send()

    assert sender.other.asked == []
    assert sender.other.posts == [recorded]


def test_a_key_that_may_not_read_sends_the_batch_in_flight_again(sender: Sender) -> None:
    sender.add()
    recorded = sender.record(2)
    sender.other.may_be_asked = False
    sender.other.before_answering = raising(LOST)
    sender.send()
    sender.other.before_answering = lambda: None
    sender.clock += timedelta(minutes=1)

    sender.send()

    assert sender.other.posts == [recorded, recorded]
    assert list(sender.other.kept) == recorded


def test_pauses_grow_up_to_an_hour_and_begin_anew_after_success(sender: Sender) -> None:
    sender.add()
    sender.record()
    pauses = []
    for _ in range(14):
        sender.other.next_answers = [Answer(status=503)]
        sender.send()
        retry_at = sender.target.retry_at
        assert retry_at is not None
        pauses.append((retry_at - sender.clock).total_seconds())
        sender.clock = retry_at
    sender.send()
    sender.record()
    sender.other.next_answers = [Answer(status=500)]
    sender.send()

    assert pauses[:4] == [5, 10, 20, 40]
    assert pauses[-2:] == [3600, 3600]
    assert sender.target.tries == 1


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [("120", 120), ("Tue, 24 Nov 2026 12:05:00 GMT", 300), ("99999999999", 86400), ("soon", 5), ("-3", 5)],
)
def test_a_store_that_says_when_to_come_again_is_heard(sender: Sender, asked: str, seconds: int) -> None:
    sender.add()
    sender.record()
    sender.other.next_answers = [Answer(status=429, headers={"retry-after": asked})]

    sender.send()
    too_early = sender.other.posts.copy()
    sender.send()

    assert sender.target.retry_at == NOON + timedelta(seconds=seconds)
    assert sender.other.posts == too_early == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_not_accepted_pauses_until_somebody_resumes(sender: Sender, status: int) -> None:
    sender.add()
    recorded = sender.record(3)
    sender.other.next_answers = [Answer(status=status, body=b'{"error": "Who are you?"}')]
    sender.send()
    stopped = sender.target
    sender.send()

    resume(sender)
    sender.send()

    assert (stopped.state, stopped.problem) == (TargetState.PAUSED, Problem.LOCKED_OUT)
    assert stopped.detail == f"{status} Who are you?"
    assert sender.other.posts == [recorded]
    assert letters(sender) == []


@pytest.mark.parametrize("status", [301, 302, 307, 308, 404, 405, 500, 502, 504, 418])
def test_an_answer_that_judges_no_statement_buries_none(sender: Sender, status: int) -> None:
    sender.add()
    sender.record(3)
    sender.other.next_answers = [Answer(status=status, headers={"location": "https://elsewhere.example.org"})]
    sender.send()
    told = sender.target

    sender.clock += timedelta(hours=1)
    sender.send()

    assert told.state == TargetState.RUNNING
    assert told.problem is not None
    assert letters(sender) == []
    assert sender.target.forwarded == 3


# ---------------------------------------------------------------- what is refused


def test_a_batch_is_halved_down_to_what_is_refused_and_the_rest_goes_on(sender: Sender) -> None:
    sender.add()
    recorded = sender.record(40)
    sender.other.refused = {recorded[7], recorded[8], recorded[39]}

    sender.send()

    assert list(sender.other.kept) == [one for one in recorded if one not in sender.other.refused]
    assert {letter.statement_id for letter in letters(sender)} == sender.other.refused
    assert next((letter.status, letter.problem) for letter in letters(sender)) == (
        400,
        "400 The verb is not known here.",
    )
    assert sender.target.forwarded == 37
    assert len(sender.other.posts) < 30
    with sender.database.read() as session:
        assert due(session, now=NOON) == []


def test_a_store_that_takes_less_at_once_gets_less_at_once(sender: Sender) -> None:
    sender.add()
    recorded = sender.record(30)
    sender.other.most_at_once = 8

    sender.send()

    assert list(sender.other.kept) == recorded
    assert letters(sender) == []


def test_a_conflict_with_the_very_same_statement_counts_as_delivered(sender: Sender) -> None:
    sender.add()
    alike, other = sender.record(2)
    sender.send()
    told = dict(sender.other.kept)
    sender.other.kept = {
        alike: told[alike] | {"stored": "2020-01-01T00:00:00Z", "authority": AUTHORITY},
        other: told[other] | {"verb": {"id": FAILED_VERB}},
    }
    with sender.database.write() as session:
        session.merge(sender.target).cursor = 0

    sender.send()

    (letter,) = letters(sender)
    assert (letter.statement_id, letter.status) == (other, 409)
    assert sender.target.forwarded == 3


def test_a_power_cut_between_the_halves_loses_and_doubles_nothing(sender: Sender) -> None:
    sender.add()
    recorded = sender.record(16)
    sender.other.refused = {recorded[3]}
    taken: list[int] = []

    def cut() -> None:
        taken.append(1)
        if len(taken) == 2:
            raise PowerError

    sender.other.before_answering = cut
    with pytest.raises(PowerError):
        sender.forwarder.step(sender.target.id, sender.other)
    sender.other.before_answering = lambda: None
    sender.start_again()
    sender.send()

    assert set(sender.other.kept) == set(recorded) - sender.other.refused
    assert list(sender.other.kept) == [one for one in recorded if one not in sender.other.refused]
    assert [letter.statement_id for letter in letters(sender)] == [recorded[3]]
    acknowledged = [one for one in sender.other.kept if sender.other.asked.count(one)]
    assert acknowledged
    assert sender.target.forwarded == 15


def test_a_store_that_refuses_everything_is_left_alone_after_a_while(sender: Sender) -> None:
    sender.add()
    recorded = sender.record(MOST_REFUSED_IN_A_ROW + 50)
    sender.other.refused = set(recorded)

    sender.send()
    stopped = sender.target
    sender.other.refused = set()
    resume(sender)
    replay(sender)
    sender.send()
    for _ in range(10):
        sender.send()

    assert (stopped.state, stopped.problem) == (TargetState.PAUSED, Problem.REFUSES_ALL)
    assert set(sender.other.kept) == set(recorded)
    assert letters(sender) == []


def test_a_refused_statement_is_sent_once_more_when_somebody_asks(sender: Sender) -> None:
    sender.add()
    first, second, third = sender.record(3)
    sender.other.refused = {first, third}
    sender.send()
    sender.other.refused = {third}
    sender.send()
    before = [letter.statement_id for letter in letters(sender)]

    replay(sender, first)
    sender.send()
    sender.clock += timedelta(hours=1)
    replay(sender, third)
    sender.send()

    assert before == [first, third]
    (letter,) = letters(sender)
    assert (letter.statement_id, letter.tries, letter.replay_asked) == (third, 2, False)
    assert letter.refused == sender.clock
    assert set(sender.other.kept) == {first, second}
    assert sender.target.forwarded == 2


def test_a_refused_statement_sent_once_more_is_not_sent_twice_after_a_power_cut(sender: Sender) -> None:
    sender.add()
    (recorded,) = sender.record()
    sender.other.refused = {recorded}
    sender.send()
    sender.other.refused = set()
    replay(sender)
    sender.other.posts.clear()
    sender.other.before_answering = raising(PowerError())
    with pytest.raises(PowerError):
        sender.forwarder.step(sender.target.id, sender.other)
    sender.other.before_answering = lambda: None
    sender.start_again()
    sender.send()

    assert sender.other.posts == [[recorded]]
    assert letters(sender) == []
    assert sender.target.forwarded == 1


def test_a_network_that_is_gone_does_not_make_it_forget_a_refused_statement_in_flight(sender: Sender) -> None:
    sender.add()
    (recorded,) = sender.record()
    sender.other.refused = {recorded}
    sender.send()
    sender.other.refused = set()
    sender.other.posts.clear()
    replay(sender)
    sender.other.before_answering = raising(LOST)
    sender.send()
    sender.other.before_answering = lambda: None

    for answers in ([NOBODY], [Answer(status=403), NOBODY], []):
        sender.clock += timedelta(hours=1)
        sender.other.next_answers = list(answers)
        sender.send()

    assert sender.other.posts == [[recorded]]
    assert letters(sender) == []


# ---------------------------------------------------------------- by hand


def test_a_secret_of_another_node_stops_it_with_a_sentence_and_sends_nothing(sender: Sender) -> None:
    target = sender.add()
    sender.record()
    with sender.database.write() as session:
        row = session.merge(target)
        actions.change_credentials(row, key="k", secret="s", node_secret=b"another" * 8)

    sender.send()

    assert (sender.target.state, sender.target.problem) == (TargetState.PAUSED, Problem.SECRET)
    assert sender.other.posts == []


def test_an_address_changed_in_the_database_does_not_get_the_secret(sender: Sender) -> None:
    target = sender.add()
    sender.record()
    with sender.database.write() as session:
        session.merge(target).endpoint = "https://elsewhere.example.org/xapi"

    sender.send()

    assert sender.target.problem == Problem.SECRET
    assert sender.other.posts == []


def test_a_paused_target_gets_nothing_and_goes_on_where_it_stood(sender: Sender) -> None:
    sender.add()
    first = sender.record(2)
    sender.send()
    with sender.database.write() as session:
        actions.pause(session.merge(sender.target))
    second = sender.record(2)
    sender.send()
    while_paused = sender.other.posts.copy()

    resume(sender)
    sender.send()

    assert while_paused == [first]
    assert sender.other.posts == [first, second]


def test_a_target_paused_while_a_batch_is_on_its_way_keeps_that_it_was_taken(sender: Sender) -> None:
    sender.add()
    sender.record(150)

    def pause() -> None:
        with sender.database.write() as session:
            actions.pause(session.merge(sender.target))

    sender.other.before_answering = pause
    sender.send()

    assert sender.target.state == TargetState.PAUSED
    assert sender.target.forwarded == len(sender.other.kept) == 100
    assert sender.target.in_flight is None


def test_a_target_removed_while_a_batch_is_on_its_way_is_gone(sender: Sender) -> None:
    target = sender.add()
    sender.record(3)

    def remove() -> None:
        with sender.database.write() as session:
            actions.remove(session, session.merge(target))

    sender.other.before_answering = remove
    sender.forwarder.forward(target.id)

    with sender.database.read() as session:
        assert standings(session) == []


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


def raising(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail
