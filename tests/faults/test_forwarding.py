"""The node that forwards dies, again and again, at the worst moments; seen from outside, nothing is sent twice."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import httpx
import pytest

from tests.faults.recording_proxy import Moment, Tape, recording
from tests.faults.records import Reader
from tests.servers import NodeUnderTest, node
from tests.xapi_builders import COURSE, LEARNER

log = logging.getLogger(__name__)  # `--log-cli-level=INFO` shows what was hit

VERB = "https://outpost.invalid/verbs/forwarded"
OTHER_VERB = "https://outpost.invalid/verbs/kept-here"
PER_ROUND = 400
MOST_POSTS = 5  # between a start and the kill
LONGEST_COMMIT_S = 0.02
ENOUGH_S = 180  # a server alone may need one of these three minutes to start, where much else runs


@dataclass
class Pair:
    """A node that forwards, the store it forwards to, and the proxy between them."""

    sender: NodeUnderTest
    sender_key: dict[str, Any]
    target: NodeUnderTest
    target_key: dict[str, Any]
    tape: Tape

    def standing(self) -> dict[str, Any]:
        (found,) = self.sender.facts("forward", "list")
        return dict(found)

    def wait_until(self, true: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + ENOUGH_S
        while not true(seen := self.standing()):
            assert time.monotonic() < deadline, seen
            time.sleep(0.3)
        return seen

    def forwarded(self) -> list[str]:
        with closing(Reader(self.target, self.target_key)) as reader:
            return [one["id"] for one in reader.find(verb=VERB)]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with node(tmp_path / "sender") as sender, node(tmp_path / "target", role="central") as target:
        sender_key = sender.facts("lrs-key", "create", "programs", "--scope", "all")
        target_key = target.facts("lrs-key", "create", "sender", "--scope", "all")
        target.start()
        with recording(target.url) as (address, tape):
            add = ("forward", "add", "target", f"{address}/xapi", "--key", target_key["key"], "--verb", VERB)
            sender.run(*add, "--secret-stdin", stdin=f"{target_key['secret']}\n")
            yield Pair(sender, sender_key, target, target_key, tape)


def post(place: NodeUnderTest, key: dict[str, Any], statements: list[dict[str, Any]]) -> None:
    answer = httpx.post(
        f"{place.url}/xapi/statements",
        json=statements,
        auth=(key["key"], key["secret"]),
        headers={"X-Experience-API-Version": "1.0.3"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text


def make(dice: random.Random, count: int, verb: str = VERB) -> list[dict[str, Any]]:
    return [
        {
            "id": str(UUID(int=dice.getrandbits(128), version=4)),
            "actor": LEARNER,
            "verb": {"id": verb},
            "object": {"id": COURSE},
            "timestamp": "2026-11-24T12:00:00.000Z",
        }
        for _ in range(count)
    ]


def kill_at(pair: Pair, moment: Moment, count: int, delay_s: float) -> threading.Event:
    """Have the proxy kill the sender when something happens for the n-th time; tells when it is done."""
    done = threading.Event()
    process = pair.sender.process
    left = [count]

    def at(what: Moment) -> None:
        if what == moment:
            left[0] -= 1
            if left[0] == 0 and process is not None:
                time.sleep(delay_s)
                process.kill()
                process.wait()
                done.set()

    pair.tape.at = at
    return done


@pytest.mark.parametrize(("seed", "rounds"), [(1, 2), pytest.param(2, 20, marks=pytest.mark.soak)])
def test_after_any_kill_nothing_is_lost_and_nothing_acknowledged_is_sent_again(
    pair: Pair, seed: int, rounds: int
) -> None:
    dice = random.Random(seed)
    recorded: list[str] = []
    taken: list[str] = []  # ids under which the target has something else
    hit: Counter[str] = Counter()
    for number in range(rounds):
        pair.sender.start()
        made = make(dice, PER_ROUND)
        other = make(dice, 20, OTHER_VERB)
        stranger = dice.choice(made)
        post(pair.target, pair.target_key, [stranger | {"verb": {"id": OTHER_VERB}}])
        taken.append(stranger["id"])
        recorded += [one["id"] for one in made]
        moment = get_args(Moment)[number % 3]
        done = kill_at(
            pair, moment, dice.randint(1, MOST_POSTS), dice.uniform(0, LONGEST_COMMIT_S) if number % 2 else 0
        )
        mixed = made + other
        dice.shuffle(mixed)
        for start in range(0, len(mixed), 70):
            try:
                post(pair.sender, pair.sender_key, mixed[start : start + 70])
            except (
                httpx.TransportError
            ):  # killed meanwhile; what was not stored is stored after the next start
                break
        assert done.wait(ENOUGH_S), pair.sender.log()[-2000:]
        pair.sender.process = None
        pair.tape.at = lambda _moment: None
        hit[moment] += 1
        pair.sender.start()
        for start in range(0, len(mixed), 70):
            post(pair.sender, pair.sender_key, mixed[start : start + 70])  # again, which changes nothing
        if number % 2:  # the next kill may find it behind or at the end
            pair.wait_until(lambda seen: seen["lag"] == 0)
        pair.sender.kill()
        log.info(
            "round %d: %s, %d posts, %d asked", number, moment, len(pair.tape.posts), len(pair.tape.asked)
        )

    pair.sender.start()
    seen = pair.wait_until(lambda seen: seen["lag"] == 0)
    refused = [one["statement"] for one in pair.sender.facts("forward", "dead", "target")]
    assert pair.tape.sent_again == []
    assert Counter(pair.forwarded()) == Counter(set(recorded) - set(taken))
    assert sorted(refused) == sorted(taken)
    assert seen["forwarded"] == len(recorded) - len(taken)
    log.info("%s, %d statements, %d asked", dict(hit), len(recorded), len(pair.tape.asked))


def test_a_target_that_is_away_is_given_everything_when_it_comes_back(pair: Pair) -> None:
    dice = random.Random(0)
    pair.target.kill()
    pair.sender.start()
    made = make(dice, 50)
    post(pair.sender, pair.sender_key, made)
    waiting = pair.wait_until(lambda seen: seen["state"] == "waiting")

    pair.target.start()
    pair.sender.facts("forward", "resume", "target")
    done = pair.wait_until(lambda seen: seen["lag"] == 0)

    assert waiting["problem"]
    assert (done["state"], done["forwarded"], done["problem"]) == ("running", 50, None)
    assert sorted(pair.forwarded()) == sorted(one["id"] for one in made)


def test_a_server_asked_to_end_while_it_forwards_ends_in_time_and_goes_on_later(pair: Pair) -> None:
    dice = random.Random(0)
    pair.sender.start()
    pair.tape.at = lambda moment: time.sleep(0.5) if moment == "arrived" else None
    made = make(dice, 400)
    for start in range(0, 400, 100):
        post(pair.sender, pair.sender_key, made[start : start + 100])
    deadline = time.monotonic() + ENOUGH_S
    while not pair.tape.posts and time.monotonic() < deadline:
        time.sleep(0.01)
    asked = time.monotonic()
    status = pair.sender.stop()
    took_s = time.monotonic() - asked

    pair.tape.at = lambda _moment: None
    pair.sender.start()
    pair.wait_until(lambda seen: seen["lag"] == 0)

    assert status == 0
    assert took_s < 4
    assert pair.tape.sent_again == []
    assert sorted(pair.forwarded()) == sorted(one["id"] for one in made)
