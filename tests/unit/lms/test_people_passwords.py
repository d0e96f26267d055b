"""Password hashing fits the machine, stays busy within bounds, and grows stronger at sign-in."""

from __future__ import annotations

import threading

import pytest

from lms.database import Database
from lms.people.errors import PasswordsBusyError, PasswordTooShortError
from lms.people.passwords import (
    FLOOR,
    LADDER,
    Cost,
    Passwords,
    calibrate,
    first_password,
    prepare_passwords,
)

CHEAP = Cost(1024, 1)


def calibrated(*, kib_per_s: float) -> Cost:
    return calibrate(lambda cost: cost.memory_kib * cost.time / kib_per_s)


# ---------------------------------------------------------------- what it costs


@pytest.mark.parametrize(
    ("kib_per_s", "chosen"),
    [
        (10_000, FLOOR),  # 4 s already for the least: never less than that
        (150_000, FLOOR),  # the least takes 0.25 s
        (200_000, LADDER[1]),  # 0.19 s is too little, 0.47 s is enough
        (250_000, LADDER[1]),
        (1_000_000, LADDER[3]),
        (100_000_000, LADDER[-1]),  # and never more than the most
    ],
)
def test_the_first_cost_that_takes_long_enough_is_chosen(kib_per_s: float, chosen: Cost) -> None:
    assert calibrated(kib_per_s=kib_per_s) == chosen


def test_a_step_that_takes_too_long_is_not_taken() -> None:
    took = {FLOOR: 0.2, LADDER[1]: 0.6}

    assert calibrate(took.__getitem__) == FLOOR


def test_the_machine_is_measured_once(database: Database) -> None:
    measured = prepare_passwords(database).cost

    assert measured in LADDER
    assert prepare_passwords(database).cost == measured


# ---------------------------------------------------------------- hashes


def test_a_password_matches_its_own_hash_only() -> None:
    passwords = Passwords(CHEAP)
    kept = passwords.hash("long enough")

    assert kept.startswith("$argon2id$")
    assert passwords.matches(kept, "long enough")
    assert not passwords.matches(kept, "long enougH")


@pytest.mark.parametrize("kept", [None, "", "$argon2id$broken", "plain"])
def test_nothing_matches_what_is_no_hash(kept: str | None) -> None:
    assert not Passwords(CHEAP).matches(kept, "")


def test_seven_characters_are_too_few_and_eight_enough() -> None:
    passwords = Passwords(CHEAP)

    with pytest.raises(PasswordTooShortError):
        passwords.hash("1234567")
    assert passwords.matches(passwords.hash("12345678"), "12345678")


def test_only_a_much_cheaper_hash_is_worth_making_anew() -> None:
    strong = Passwords(Cost(4096, 2))

    assert strong.is_weak(Passwords(Cost(1024, 3)).hash("long enough"))
    assert not strong.is_weak(Passwords(Cost(1024, 4)).hash("long enough"))
    assert not strong.is_weak(Passwords(Cost(8192, 4)).hash("long enough"))


def test_first_passwords_are_long_enough_and_differ() -> None:
    made = {first_password() for _ in range(100)}

    assert len(made) == 100
    assert all(len(one) == 14 for one in made)


# ---------------------------------------------------------------- when many come at once


def test_who_comes_when_the_line_is_full_is_told_to_wait() -> None:
    passwords = Passwords(CHEAP, at_once=1, in_line=2)
    kept = passwords.hash("long enough")

    with passwords._turn(), passwords._in_line:  # one is at it, one waits
        with pytest.raises(PasswordsBusyError):
            passwords.matches(kept, "long enough")
        with pytest.raises(PasswordsBusyError):
            passwords.hash("long enough")

    assert passwords.matches(kept, "long enough")


def test_no_more_are_computed_at_once_than_told() -> None:
    passwords = Passwords(CHEAP, at_once=1)
    kept = passwords.hash("long enough")
    checked: list[bool] = []
    waiting = threading.Thread(target=lambda: checked.append(passwords.matches(kept, "long enough")))

    with passwords._turn():
        waiting.start()
        waiting.join(timeout=0.1)
        still_waiting = not checked
    waiting.join()

    assert still_waiting
    assert checked == [True]
