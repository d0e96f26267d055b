"""A conversation under a meter: no more passes than may, it ends before a request, and nothing is lost by it."""

from __future__ import annotations

import pytest

from sync.engine import SyncReport, converse
from sync.errors import StoppedError
from sync.messages import Frame, Message, Pull, Push, to_line
from sync.metered import BESIDE, LEAST_USEFUL, MeteredTransport, fitted
from sync.ports import Traffic
from tests.sync_builders import MemoryLink, Place, pair

DIGEST = "0" * 64


class Allowance:
    """A meter that lets so many bytes of bodies through, and stops when told, before a request or in mid-answer."""

    def __init__(
        self, most: int | None = None, *, stops_at_ask: int | None = None, stops_mid_answer: bool = False
    ) -> None:
        self.link: MemoryLink | None = None
        self._most = most
        self._asked = 0
        self._stops_at_ask = stops_at_ask
        self._stops_mid_answer = stops_mid_answer

    def room(self) -> int | None:
        self._asked += 1
        if self._asked == self._stops_at_ask:
            raise StoppedError("cancelled", "enough")
        passed = self.link.bodies_up if self.link else 0
        return None if self._most is None else self._most - passed

    def look(self) -> None:
        if self._stops_mid_answer:
            raise StoppedError("quiet", "it is late")


def meet(here: Place, there: Place, meter: Allowance) -> tuple[SyncReport, MemoryLink]:
    link = meter.link = MemoryLink(here, there)
    report = converse(here.node, there.node.id, MeteredTransport(link, meter), pause=lambda _: None)
    return report, link


def a_push(*lengths: int) -> Push:
    frames = [Frame(what="blob", digest=DIGEST, size=9_999, offset=0, length=length) for length in lengths]
    return Push(conversation="token", frames=tuple(frames))


def left_for(message: Message, payload: int) -> int:
    return len(to_line(message)) + BESIDE + payload


def test_without_a_limit_all_is_exchanged(centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    laptop.write_note("a")

    report, _ = meet(laptop, centre, Allowance())

    assert (report.state, report.sent) == ("done", 1)
    assert centre.notes() == {"a": "text"}


def test_a_push_is_cut_to_what_may_pass() -> None:
    push = a_push(3_000, 3_000, 3_000)

    message, body = fitted(push, [b"a" * 3_000, b"b" * 3_000, b"c" * 3_000], left_for(push, 4_000))

    assert isinstance(message, Push)
    assert [frame.length for frame in message.frames] == [3_000, 1_000]
    assert b"".join(body) == b"a" * 3_000 + b"b" * 1_000


def test_a_pull_asks_for_no_more_than_may_pass() -> None:
    pull = Pull(conversation="token", after=(), max_bytes=1_000_000)

    message, _ = fitted(pull, (), left_for(pull, 5_000))

    assert isinstance(message, Pull)
    assert message.max_bytes == 5_000


@pytest.mark.parametrize(
    "message",
    [a_push(3_000), Pull(conversation="token", after=(), max_bytes=1_000_000)],
    ids=["push", "pull"],
)
def test_what_would_bring_too_little_is_not_sent_at_all(message: Message) -> None:
    with pytest.raises(StoppedError) as stopped:
        fitted(message, (), left_for(message, LEAST_USEFUL - 1))

    assert stopped.value.code == "budget"


def test_a_small_push_goes_whole_however_little_is_left_beyond_it() -> None:
    push = a_push(40)

    assert fitted(push, [b"x" * 40], left_for(push, 40)) == (push, [b"x" * 40])


def test_a_conversation_that_is_stopped_before_a_request_goes_on_there(centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    digest = laptop.blobs.put(b"course file" * 10_000)
    laptop.write_note("course", f"blob:{digest}:110000", scope="offers")

    stopped, first = meet(laptop, centre, Allowance(stops_at_ask=4))
    report, second = meet(laptop, centre, Allowance())

    assert stopped.state == "cancelled"
    assert stopped.detail == "enough"
    assert report.state == "done"
    assert centre.blobs.size(digest) == 110_000
    assert first.bodies_up > 0
    assert first.bodies_up + second.bodies_up < 111_000  # no byte went twice


def test_an_answer_that_is_stopped_midway_is_kept_so_far(centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    for number in range(5):
        centre.write_note(f"person-{number}", scope="directory")

    stopped, _ = meet(laptop, centre, Allowance(stops_mid_answer=True))
    report, _ = meet(laptop, centre, Allowance())

    assert stopped.state == "quiet"
    assert report.state == "done"
    assert len(laptop.notes()) == 5


def test_day_by_day_a_small_budget_brings_all_across(centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    digest = laptop.blobs.put(bytes(range(256)) * 400)
    laptop.write_note("course", f"blob:{digest}:{256 * 400}", scope="offers")
    days = []

    while not days or days[-1].state == "budget":
        report, link = meet(laptop, centre, Allowance(30_000))
        days.append(report)
        assert link.bodies_up <= 30_000
        assert len(days) < 50

    assert days[-1].state == "done"
    assert len(days) > 1
    assert centre.blobs.size(digest) == 256 * 400


def test_what_is_left_is_told_as_it_passes(centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    for number in range(3):
        laptop.write_note(f"mine-{number}")
        centre.write_note(f"theirs-{number}", scope="directory")
    told: list[tuple[int, int, int, int]] = []

    converse(
        laptop.node,
        centre.node.id,
        MemoryLink(laptop, centre),
        pause=lambda _: None,
        told=lambda seen: told.append((seen.sent, seen.to_send, seen.received, seen.to_receive)),
    )

    assert told[0] == (0, 3, 0, 3)
    assert told[-1] == (3, 0, 3, 0)


def test_bytes_of_files_are_told_both_ways(centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    mine, theirs = laptop.blobs.put(b"a" * 100_000), centre.blobs.put(b"b" * 70_000)
    laptop.write_note("mine", f"blob:{mine}:100000", scope="offers")
    centre.write_note("theirs", f"blob:{theirs}:70000", scope="directory")
    left: list[int] = []

    converse(
        laptop.node,
        centre.node.id,
        MemoryLink(laptop, centre),
        pause=lambda _: None,
        told=lambda seen: left.append(seen.bytes_left),
    )

    assert max(left) >= 170_000
    assert left[-1] == 0
    fallen = left[left.index(max(left)) :]
    assert fallen == sorted(fallen, reverse=True)


def test_receipts_are_counted(centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    laptop.write_note("a")

    report, _ = meet(laptop, centre, Allowance())

    assert report.receipts == 1


def test_the_traffic_is_that_of_the_transport_beneath(centre: Place, laptop: Place) -> None:
    link = MemoryLink(laptop, centre)

    assert MeteredTransport(link, Allowance()).traffic is link.traffic
    assert isinstance(link.traffic, Traffic)
