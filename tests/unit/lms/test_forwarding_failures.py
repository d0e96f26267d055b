"""When the answer, the power or the network fails, nothing is lost, and nothing is sent twice that arrived."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lms.database import Database
from lms.forwarding import actions
from lms.forwarding.ports import Answer
from lms.forwarding.problems import Problem
from lms.forwarding.tables import TargetState
from tests.forwarding_builders import LOST, NOBODY, PowerError, Sender, raising
from tests.xapi_builders import NOON, a_voiding


@pytest.fixture
def sender(database: Database) -> Sender:
    return Sender(database)


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
    assert set(sender.sent().values()) == {1}
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

    sender.resume()
    sender.send()

    assert (stopped.state, stopped.problem) == (TargetState.PAUSED, Problem.LOCKED_OUT)
    assert stopped.detail == f"{status} Who are you?"
    assert sender.other.posts == [recorded]
    assert sender.letters() == []


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
    assert sender.letters() == []
    assert sender.target.forwarded == 3
