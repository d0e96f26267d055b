"""What another record store refuses is kept beside, one statement at a time; the rest goes on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lms.database import Database
from lms.forwarding.forwarder import MOST_REFUSED_IN_A_ROW
from lms.forwarding.ports import Answer
from lms.forwarding.problems import Problem
from lms.forwarding.queries import due
from lms.forwarding.tables import TargetState
from tests.forwarding_builders import FAILED, LOST, NOBODY, PowerError, Sender, raising
from tests.xapi_builders import AUTHORITY, NOON


@pytest.fixture
def sender(database: Database) -> Sender:
    return Sender(database)


def test_a_batch_is_halved_down_to_what_is_refused_and_the_rest_goes_on(sender: Sender) -> None:
    sender.add()
    recorded = sender.record(40)
    sender.other.refused = {recorded[7], recorded[8], recorded[39]}

    sender.send()

    assert list(sender.other.kept) == [one for one in recorded if one not in sender.other.refused]
    assert {letter.statement_id for letter in sender.letters()} == sender.other.refused
    assert next((letter.status, letter.problem) for letter in sender.letters()) == (
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
    assert sender.letters() == []


def test_a_conflict_with_the_very_same_statement_counts_as_delivered(sender: Sender) -> None:
    sender.add()
    alike, other = sender.record(2)
    sender.send()
    told = dict(sender.other.kept)
    sender.other.kept = {
        alike: told[alike] | {"stored": "2020-01-01T00:00:00Z", "authority": AUTHORITY},
        other: told[other] | {"verb": {"id": FAILED}},
    }
    with sender.database.write() as session:
        session.merge(sender.target).cursor = 0

    sender.send()

    (letter,) = sender.letters()
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
    assert [letter.statement_id for letter in sender.letters()] == [recorded[3]]
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
    sender.resume()
    sender.replay()
    sender.send()
    for _ in range(10):
        sender.send()

    assert (stopped.state, stopped.problem) == (TargetState.PAUSED, Problem.REFUSES_ALL)
    assert set(sender.other.kept) == set(recorded)
    assert sender.letters() == []


def test_a_refused_statement_is_sent_once_more_when_somebody_asks(sender: Sender) -> None:
    sender.add()
    first, second, third = sender.record(3)
    sender.other.refused = {first, third}
    sender.send()
    sender.other.refused = {third}
    sender.send()
    before = [letter.statement_id for letter in sender.letters()]

    sender.replay(first)
    sender.send()
    sender.clock += timedelta(hours=1)
    sender.replay(third)
    sender.send()

    assert before == [first, third]
    (letter,) = sender.letters()
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
    sender.replay()
    sender.other.posts.clear()
    sender.other.before_answering = raising(PowerError())
    with pytest.raises(PowerError):
        sender.forwarder.step(sender.target.id, sender.other)
    sender.other.before_answering = lambda: None
    sender.start_again()
    sender.send()

    assert sender.other.posts == [[recorded]]
    assert sender.letters() == []
    assert sender.target.forwarded == 1


def test_a_network_that_is_gone_does_not_make_it_forget_a_refused_statement_in_flight(sender: Sender) -> None:
    sender.add()
    (recorded,) = sender.record()
    sender.other.refused = {recorded}
    sender.send()
    sender.other.refused = set()
    sender.other.posts.clear()
    sender.replay()
    sender.other.before_answering = raising(LOST)
    sender.send()
    sender.other.before_answering = lambda: None

    for answers in ([NOBODY], [Answer(status=403), NOBODY], []):
        sender.clock += timedelta(hours=1)
        sender.other.next_answers = list(answers)
        sender.send()

    assert sender.other.posts == [[recorded]]
    assert sender.letters() == []
