"""Going round the peers: when each is met by itself, on which terms, and what is kept of it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from filelock import FileLock
from sqlalchemy import func, select

from lms.courses.tables import Edition
from lms.nodes.actions import addresses, ask_to_sync, sync_with
from lms.nodes.links import instant, link_to, set_terms
from lms.nodes.meter import KEPT_PER_PEER, Occasion, cancel_meetings
from lms.nodes.pace import FIRST_PAUSE, REST, SOON, Quiet, Terms
from lms.nodes.queries import last_meetings, under_way
from lms.nodes.rounds import FIRST_WITHIN, SETTLING, Rounds
from lms.nodes.tables import Ending, Link, Meeting
from sync import log
from sync.engine import SyncReport
from sync.ports import Traffic
from tests.nodes_builders import Place, answering, pair

MINUTE = timedelta(minutes=1)


@dataclass
class Day:
    """A laptop that goes round, a clock that is moved by hand, the addresses of the machine."""

    laptop: Place
    centre: Place
    now: datetime
    dice: float = 0.0
    addresses: list[str] = field(default_factory=list)
    rounds: Rounds = field(init=False)

    def __post_init__(self) -> None:
        self.laptop.node = replace(self.laptop.node, clock=lambda: int(self.now.timestamp() * 1000))
        self.begin()

    def seconds(self) -> float:
        return self.now.timestamp()

    def begin(self) -> None:
        """Let the program begin."""
        self.rounds = Rounds(
            self.laptop.node,
            addresses_here=lambda: list(self.addresses),
            dice=lambda: self.dice,
            monotonic=self.seconds,
        )

    def look(self, later: timedelta = timedelta()) -> list[Ending | None]:
        """Go round some time later; return how the meetings ended that came of it."""
        self.now += later
        before = len(self.endings())
        self.rounds.look_after()
        assert self.rounds.join(within_s=30)
        return self.endings()[before:]

    def endings(self) -> list[Ending | None]:
        with self.laptop.database.read() as session:
            return [one.ending for one in reversed(last_meetings(session, limit=1000))]

    def link(self) -> Link:
        with self.laptop.database.write() as session:
            return link_to(session, self.centre.node.id)

    def put(self, terms: Terms) -> None:
        with self.laptop.database.write() as session:
            set_terms(link_to(session, self.centre.node.id), terms, now=self.now)


@pytest.fixture
def day(laptop: Place, centre: Place) -> Iterator[Day]:
    """Give a laptop that has joined a centre, which answers; it is Saturday, nine o'clock."""
    with answering(centre) as address:
        pair(laptop, centre, address)
        yield Day(laptop, centre, datetime(2026, 11, 28, 9).astimezone())


@pytest.fixture
def settled(day: Day) -> Day:
    """Give one that has met the centre a moment ago."""
    assert day.look() == [Ending.DONE]
    return day


# ---------------------------------------------------------------- when


def test_the_first_meeting_is_soon_after_the_program_began(day: Day) -> None:
    day.dice = 1.0

    assert day.look() == []
    assert day.look(FIRST_WITHIN) == [Ending.DONE]


def test_where_nothing_waits_the_next_one_is_an_hour_or_so_later(settled: Day) -> None:
    assert settled.look(REST * 0.8) == []
    assert settled.look(REST * 0.1) == [Ending.DONE]


def test_where_something_waits_it_is_ten_minutes_later(settled: Day) -> None:
    settled.laptop.person("P-1")

    assert settled.look(SOON - MINUTE) == []
    assert settled.look(MINUTE) == [Ending.DONE]
    assert settled.look(SOON) == []  # nothing is new


def test_what_came_from_the_peer_itself_does_not_wait_for_it(settled: Day) -> None:
    settled.centre.person("C-1")
    settled.look(REST)

    assert settled.look(SOON) == []


def test_a_node_without_the_address_of_another_does_nothing(laptop: Place, centre: Place) -> None:
    day = Day(laptop, centre, datetime.now().astimezone())

    assert day.look() == []
    assert day.look(REST) == []
    with laptop.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Link)) == 0


def test_a_peer_that_is_met_by_hand_only_is_met_when_asked_for(day: Day) -> None:
    day.put(Terms(by_hand=True))
    before = day.look(REST)
    with day.laptop.database.write() as session:
        ask_to_sync(session, now=day.now)

    assert before == []
    assert day.look() == [Ending.DONE]
    assert day.look(REST * 2) == []


def test_who_asks_while_a_meeting_goes_on_gets_the_next_one(settled: Day) -> None:
    def told(_traffic: Traffic, _report: SyncReport) -> None:
        settled.now += timedelta(milliseconds=1)
        with settled.laptop.database.write() as session:
            ask_to_sync(session, now=settled.now)

    meet(settled, told)

    assert settled.look() == [Ending.DONE]
    assert settled.look() == []


def test_a_new_address_brings_the_next_try_at_once(settled: Day) -> None:
    settled.addresses.append("10.0.0.7")
    noticed = settled.look(MINUTE)

    assert noticed == []
    assert settled.look(SETTLING) == [Ending.DONE]


def test_an_address_that_goes_brings_none(day: Day) -> None:
    day.addresses.append("10.0.0.7")
    day.look()
    day.addresses.clear()

    assert day.look(MINUTE) == []
    assert day.look(SETTLING) == []


def test_while_nobody_answers_the_pauses_grow_and_nothing_is_sealed(laptop: Place, centre: Place) -> None:
    with answering(centre) as address:
        pair(laptop, centre, address)
    day = Day(laptop, centre, datetime(2026, 11, 28, 9).astimezone(), dice=1.0)
    day.look()
    with laptop.database.write() as session:
        link_to(session, centre.node.id).tries = 1  # the meeting before ended so
    laptop.person("P-1")

    pauses = []
    for _ in range(4):
        day.now = day.link().due or day.now
        assert day.look() == []  # the history tells of meetings, not of knocking
        pauses.append((day.link().due or day.now) - day.now)

    assert pauses == [FIRST_PAUSE * 2, FIRST_PAUSE * 4, FIRST_PAUSE * 8, FIRST_PAUSE * 16]
    assert 0 < day.link().spent < 4 * 500
    with laptop.database.read() as session:
        assert log.held(session) == {}


def test_a_try_in_vain_is_forgotten_once_the_peer_answers(day: Day) -> None:
    with day.laptop.database.write() as session:
        link_to(session, day.centre.node.id).tries = 5

    assert day.look() == [Ending.DONE]
    assert day.link().tries == 0


def test_a_peer_that_a_command_meets_is_not_met_twice(day: Day) -> None:
    (day.laptop.folder / "meetings").mkdir()
    with FileLock(day.laptop.folder / "meetings" / f"{day.centre.node.id}.lock"):
        meanwhile = day.look()

    assert meanwhile == []
    assert day.link().tries == 0
    assert day.look() == [Ending.DONE]


def test_who_meets_by_hand_waits_for_the_end_of_a_meeting(day: Day) -> None:
    (day.laptop.folder / "meetings").mkdir()
    lock = FileLock(day.laptop.folder / "meetings" / f"{day.centre.node.id}.lock")
    lock.acquire()
    with ThreadPoolExecutor(max_workers=1) as apart:
        meeting = apart.submit(meet, day)
        time.sleep(0.5)  # so long that a meeting which did not wait would have ended
        waits = not meeting.done()
        lock.release()

        assert waits
        assert meeting.result(timeout=20).state == "done"


def test_what_a_killed_program_left_is_ended_when_the_next_begins(settled: Day) -> None:
    with settled.laptop.database.write() as session:
        session.add(
            Meeting(
                peer=settled.centre.node.id, by_hand=False, started=settled.now, heard=settled.now, sent=7
            )
        )

    settled.begin()
    settled.rounds.look_after()
    settled.rounds.join(within_s=30)

    with settled.laptop.database.read() as session:
        assert under_way(session, now=settled.now) == []
        assert [one.ending for one in last_meetings(session, limit=5) if one.sent == 7] == [
            Ending.INTERRUPTED
        ]


# ---------------------------------------------------------------- terms in mid-conversation


Told = Callable[[Traffic, SyncReport], None]


def meet(day: Day, told: Told = lambda _traffic, _report: None, *, all_the_same: bool = False) -> SyncReport:
    address = _address(day)
    occasion = Occasion(by_hand=True, all_the_same=all_the_same, told=told, dice=lambda: 0.5)
    return sync_with(day.laptop.node, day.centre.node.id, address, occasion)


def _address(day: Day) -> str:
    with day.laptop.database.read() as session:
        ((_, _, address),) = addresses(session)
    return address


@pytest.fixture
def loaded(day: Day) -> Day:
    """Give a laptop that offers a course of some 60 kB."""
    day.laptop.course("A course", text=f"{random.Random(5).getrandbits(8 * 40_000):x}")
    return day


def test_day_after_day_a_budget_is_kept_until_all_is_across(loaded: Day) -> None:
    budget = 20_000
    loaded.put(Terms(bytes_per_day=budget))
    spent, endings = [], []

    while not endings or endings[-1] is Ending.BUDGET:
        endings += loaded.look(MINUTE)
        assert loaded.look(MINUTE) == []  # nothing more today
        spent.append(loaded.link().spent)
        loaded.now += timedelta(days=1)
        assert len(spent) < 15

    assert len(spent) > 2
    assert max(spent) <= budget
    assert endings == [Ending.BUDGET] * (len(spent) - 1) + [Ending.DONE]
    assert _sizes(loaded.centre) == _sizes(loaded.laptop) != []
    report = meet(loaded)
    assert (report.state, report.sent, report.waiting) == ("done", 0, 0)


def _sizes(place: Place) -> list[int]:
    with place.database.read() as session:
        return [one.size for one in session.scalars(select(Edition))]


def test_what_has_passed_is_counted_before_the_next_request(loaded: Day) -> None:
    differences = []

    def told(traffic: Traffic, _report: SyncReport) -> None:
        passed = traffic.bytes_up + traffic.bytes_down
        differences.append(passed - loaded.link().spent)

    report = meet(loaded, told)

    assert report.state == "done"
    assert 0 in differences  # asked before a request
    assert loaded.link().spent == report.bytes_up + report.bytes_down


def test_quiet_hours_that_begin_end_a_conversation(loaded: Day) -> None:
    loaded.put(Terms(quiet=Quiet(22 * 60, 6 * 60)))

    def told(_traffic: Traffic, _report: SyncReport) -> None:
        loaded.now = loaded.now.replace(hour=22)

    report = meet(loaded, told)
    loaded.now = loaded.now.replace(hour=6) + timedelta(days=1)

    assert report.state == "quiet"
    assert loaded.look() == [Ending.DONE]


def test_a_conversation_that_is_cancelled_ends_and_rests_for_an_hour(loaded: Day) -> None:
    def told(traffic: Traffic, _report: SyncReport) -> None:
        if traffic.turns == 2:
            with loaded.laptop.database.write() as session:
                cancel_meetings(session)

    report = meet(loaded, told)
    loaded.begin()
    loaded.dice = 1.0

    assert (report.state, report.turns) == ("cancelled", 2)
    assert loaded.link().soon is None
    assert loaded.link().due == loaded.now + REST
    assert meet(loaded).state == "done"


def test_a_program_that_ends_lets_a_conversation_end_before_its_next_request(loaded: Day) -> None:
    with loaded.laptop.database.write() as session:
        ask_to_sync(session, now=loaded.now)
    loaded.rounds.ask_to_stop()
    occasion = Occasion(by_hand=True, dice=lambda: 0.5)
    occasion.stop.set()

    report = sync_with(loaded.laptop.node, loaded.centre.node.id, _address(loaded), occasion)

    assert (report.state, report.turns) == ("closing", 0)
    assert loaded.link().asked is not None  # whoever asked is not forgotten
    loaded.begin()
    assert loaded.look() == [Ending.DONE]


def test_all_the_same_goes_beyond_the_budget_and_counts(loaded: Day) -> None:
    loaded.put(Terms(bytes_per_day=10_000))
    first = meet(loaded)

    report = meet(loaded, all_the_same=True)

    assert first.state == "budget"
    assert report.state == "done"
    assert loaded.link().spent > 10_000
    assert loaded.look(REST) == []


def test_terms_that_are_changed_count_at_once(loaded: Day) -> None:
    loaded.put(Terms(bytes_per_day=10_000))
    loaded.look()
    held = loaded.look(MINUTE)

    loaded.put(Terms(bytes_per_day=1_000_000))

    assert held == []
    assert loaded.look(MINUTE) == [Ending.DONE]


# ---------------------------------------------------------------- the history


def test_of_each_peer_the_last_two_hundred_meetings_are_kept(day: Day) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with day.laptop.database.write() as session:
        for peer in (day.centre.node.id, "another"):
            session.add_all(
                Meeting(peer=peer, by_hand=False, started=at, heard=at, finished=at, ending=Ending.DONE)
                for _ in range(KEPT_PER_PEER)
            )

    meet(day)

    assert _kept(day, day.centre.node.id) == KEPT_PER_PEER
    assert _kept(day, "another") == KEPT_PER_PEER


def _kept(day: Day, peer: str) -> int:
    with day.laptop.database.read() as session:
        return session.scalar(select(func.count()).where(Meeting.peer == peer)) or 0


def test_a_meeting_is_written_down_with_all_that_passed(day: Day) -> None:
    day.laptop.person("P-1")
    day.centre.person("C-1")
    day.centre.person("C-2")

    report = meet(day)

    with day.laptop.database.read() as session:
        (kept,) = last_meetings(session, limit=5)
    assert (kept.sent, kept.received, kept.to_send, kept.to_receive, kept.receipts) == (1, 2, 0, 0, 1)
    assert (kept.bytes_up, kept.bytes_down) == (report.bytes_up, report.bytes_down)
    assert kept.by_hand
    assert kept.finished == instant(day.laptop.node)


def test_what_is_under_way_is_told_to_who_looks(loaded: Day) -> None:
    seen: list[Sequence[int]] = []

    def told(_traffic: Traffic, _report: SyncReport) -> None:
        with loaded.laptop.database.read() as session:
            seen.extend((one.sent, one.to_send, one.bytes_up) for one in under_way(session, now=loaded.now))

    meet(loaded, told)

    bytes_up = [up for _, _, up in seen]
    assert bytes_up == sorted(bytes_up)
    assert bytes_up[-1] > 20_000
    assert any(to_send for _, to_send, _ in seen)
