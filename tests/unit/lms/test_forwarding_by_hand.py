"""A target is paused, resumed or removed, and its secret opens nothing elsewhere."""

from __future__ import annotations

import pytest

from lms.database import Database
from lms.forwarding import actions
from lms.forwarding.problems import Problem
from lms.forwarding.queries import standings
from lms.forwarding.tables import TargetState
from tests.forwarding_builders import Sender


@pytest.fixture
def sender(database: Database) -> Sender:
    return Sender(database)


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

    sender.resume()
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


def test_a_version_changed_while_a_batch_is_on_its_way_is_spoken_from_the_next_one_on(sender: Sender) -> None:
    sender.add()
    recorded = sender.record(150)

    def change() -> None:
        with sender.database.write() as session:
            actions.change_version(session.merge(sender.target), "2.0.0")

    sender.other.before_answering = change
    sender.send()
    spoken_first = sender.other.version
    sender.send()

    assert list(sender.other.kept) == recorded
    assert (spoken_first, sender.other.version) == ("1.0.3", "2.0.0")
    versions = [told.get("version") for told in sender.other.kept.values()]
    assert versions == ["1.0.0"] * 100 + [None] * 50


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
