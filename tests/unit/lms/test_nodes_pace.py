"""When a peer is met by itself: the table of terms, rests and moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from lms.nodes.pace import (
    FIRST_PAUSE,
    LEAST_BYTES,
    LONGEST_PAUSE,
    REST,
    Quiet,
    Standing,
    Terms,
    Turn,
    Why,
    rest_after,
    when,
)

DAMASCUS = timezone(timedelta(hours=3))


def at(hour: int, minute: int = 0, *, day: int = 28) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=DAMASCUS)


NIGHT = Quiet(22 * 60, 6 * 60)
NOON = Quiet(12 * 60, 13 * 60 + 30)
FIVE_MB = Terms(bytes_per_day=5_000_000)
GOOD = Standing(due=at(11), soon=at(10, 20))  # met well at ten past ten
VAIN = Standing(due=at(10, 40), tries=4)


@pytest.mark.parametrize(
    ("terms", "standing", "now", "turn"),
    [
        # nothing agreed
        (Terms(), Standing(), at(10, 15), Turn(at(10, 15), Why.NOTHING)),
        (Terms(), GOOD, at(10, 15), Turn(at(11), Why.REST)),
        (Terms(), GOOD, at(11), Turn(at(11), Why.NOTHING)),
        (Terms(), Standing(due=at(11), soon=at(10, 20), waits=True), at(10, 15), Turn(at(10, 20), Why.REST)),
        (
            Terms(),
            Standing(due=at(11), soon=at(10, 20), waits=True),
            at(10, 30),
            Turn(at(10, 30), Why.NOTHING),
        ),
        (Terms(), Standing(due=at(11), waits=True), at(10, 30), Turn(at(11), Why.REST)),  # it was cancelled
        (Terms(), VAIN, at(10, 15), Turn(at(10, 40), Why.SILENT)),
        (Terms(), Standing(due=at(11), asked=True), at(10, 15), Turn(at(10, 15), Why.NOTHING)),
        # a clock that was ahead for a while
        (Terms(), Standing(due=at(12, day=29)), at(10, 15), Turn(at(10, 15), Why.NOTHING)),
        # by hand only
        (Terms(by_hand=True), Standing(), at(10), Turn(None, Why.BY_HAND)),
        (Terms(by_hand=True), Standing(asked=True), at(10), Turn(at(10), Why.NOTHING)),
        # quiet hours, past midnight and not
        (Terms(quiet=NIGHT), Standing(), at(21, 59), Turn(at(21, 59), Why.NOTHING)),
        (Terms(quiet=NIGHT), Standing(), at(22), Turn(at(6, day=29), Why.QUIET)),
        (Terms(quiet=NIGHT), Standing(), at(0), Turn(at(6), Why.QUIET)),
        (Terms(quiet=NIGHT), Standing(), at(5, 59), Turn(at(6), Why.QUIET)),
        (Terms(quiet=NIGHT), Standing(), at(6), Turn(at(6), Why.NOTHING)),
        (Terms(quiet=NOON), Standing(), at(12, 30), Turn(at(13, 30), Why.QUIET)),
        (Terms(quiet=NOON), Standing(), at(13, 30), Turn(at(13, 30), Why.NOTHING)),
        (Terms(quiet=NOON), Standing(due=at(12, 10)), at(11, 30), Turn(at(13, 30), Why.QUIET)),
        (Terms(quiet=NIGHT), Standing(asked=True), at(23), Turn(at(6, day=29), Why.QUIET)),
        (Terms(quiet=NIGHT), Standing(asked=True, all_the_same=True), at(23), Turn(at(23), Why.NOTHING)),
        # the bytes of a day
        (FIVE_MB, Standing(spent=4_900_000), at(10), Turn(at(10), Why.NOTHING)),
        (FIVE_MB, Standing(spent=5_000_000 - LEAST_BYTES + 1), at(10), Turn(at(0, day=29), Why.BUDGET)),
        (FIVE_MB, Standing(spent=1, used_up=True), at(10), Turn(at(0, day=29), Why.BUDGET)),
        (
            FIVE_MB,
            Standing(spent=9_000_000, due=at(0, 20, day=29)),
            at(23, 50),
            Turn(at(0, 20, day=29), Why.REST),
        ),
        (FIVE_MB, Standing(spent=9_000_000, asked=True), at(10), Turn(at(0, day=29), Why.BUDGET)),
        (
            FIVE_MB,
            Standing(spent=9_000_000, asked=True, all_the_same=True),
            at(10),
            Turn(at(10), Why.NOTHING),
        ),
        # both: the day begins in quiet hours
        (
            Terms(quiet=NIGHT, bytes_per_day=10_000),
            Standing(spent=10_000),
            at(21),
            Turn(at(6, day=29), Why.QUIET),
        ),
    ],
)
def test_when(terms: Terms, standing: Standing, now: datetime, turn: Turn) -> None:
    assert when(terms, standing, now=now) == turn


def test_rests_grow_after_tries_in_vain_up_to_a_bound_and_are_not_in_step() -> None:
    shortest = [rest_after(tries, dice=lambda: 0.0) for tries in range(1, 10)]
    longest = [rest_after(tries, dice=lambda: 1.0) for tries in range(1, 10)]

    assert longest[0] == FIRST_PAUSE
    assert longest[-1] == LONGEST_PAUSE
    assert longest == sorted(longest)
    assert all(least == most / 2 for least, most in zip(shortest, longest, strict=True))


def test_after_a_good_meeting_the_rest_is_an_hour_or_so() -> None:
    assert rest_after(0, dice=lambda: 0.0) == REST * 0.9
    assert rest_after(0, dice=lambda: 1.0) == REST * 1.1


def test_quiet_hours_are_those_of_the_wall_not_of_utc() -> None:
    one_at_night_there = at(1).astimezone(UTC)

    assert NIGHT.end_after(at(1)) == at(6)
    assert one_at_night_there.hour == 22


def test_quiet_hours_that_begin_as_they_end_are_none() -> None:
    with pytest.raises(ValueError, match="two times"):
        Quiet(60, 60)
