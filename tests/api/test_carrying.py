"""Which courses come to which node: what was assigned, and what somebody who learns there takes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from lms.carrying.actions import AssignedElsewhereError, assign
from lms.carrying.rules import Mode, Orders
from lms.courses.actions import ask_for
from lms.enrolment.actions import enrol
from lms.people.sessions import open_session
from sync import quarantine, wishes
from sync.ports import BlobRef
from tests.nodes_builders import Place, a_small_node, answering, meet, pair


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Place]:
    with a_small_node(tmp_path, "hub", "hub") as place:
        yield place


def say(centre: Place, target: str, orders: Orders) -> None:
    with centre.database.write() as session:
        assign(session, target, orders, by=None, now=datetime.now(UTC))


def choose(centre: Place, target: str, *courses: UUID) -> None:
    say(centre, target, Orders(mode=Mode.CHOSEN, courses=frozenset(courses)))


def sign_in(place: Place, person: UUID) -> None:
    with place.database.write() as session:
        open_session(session, person, now=datetime.now(UTC))


def is_here(place: Place, course: UUID) -> bool:
    row, editions = place.find_course(course)
    return row is not None and row.current_edition in {one.public_id for one in editions}


def stands(place: Place, course: UUID) -> tuple[bool, bool]:
    """Return whether it is given to learners, and whether its files are to come."""
    row, _ = place.find_course(course)
    assert row is not None
    return row.current_edition is not None, row.carried


def test_without_a_word_every_course_comes_as_before(laptop: Place, centre: Place) -> None:
    courses = [centre.course("Passports", language="en"), centre.course("Visas", language="ar")]

    with answering(centre) as address:
        pair(laptop, centre, address)
        meet(laptop, address)

    assert [is_here(laptop, one) for one in courses] == [True, True]


def test_what_was_not_chosen_is_known_and_does_not_come_until_it_is(laptop: Place, centre: Place) -> None:
    chosen, other = centre.course("Passports"), centre.course("Visas", text="Other")
    with answering(centre) as address:
        pair(laptop, centre, address)
        choose(centre, laptop.node.id, chosen)
        first = meet(laptop, address)
        before = (stands(laptop, chosen), stands(laptop, other))
        idle = meet(laptop, address)

        choose(centre, laptop.node.id, chosen, other)
        meet(laptop, address)

    assert first.state == "done"
    assert before == ((True, True), (False, False))
    assert idle.turns == 1  # nothing is asked for in vain
    assert stands(laptop, other) == (True, True)


def test_courses_come_in_the_languages_of_a_node_and_those_that_say_none(
    laptop: Place, centre: Place
) -> None:
    courses = [
        centre.course("Passports", language="en"),
        centre.course("Jawazat", language="ar-EG"),
        centre.course("Drill", text="Mute"),
    ]
    with answering(centre) as address:
        pair(laptop, centre, address)
        say(centre, laptop.node.id, Orders(mode=Mode.LANGUAGES, languages=frozenset({"ar"})))

        meet(laptop, address)

    assert [is_here(laptop, one) for one in courses] == [False, True, True]


def test_what_somebody_takes_who_signs_in_here_comes_though_it_was_not_chosen(
    laptop: Place, centre: Place
) -> None:
    officer, stranger = centre.person("A-1"), centre.person("A-2")
    hers, not_hers = centre.course("Visas"), centre.course("Passports", text="Other")
    centre.enrol(officer, hers)
    centre.enrol(stranger, not_hers)
    with answering(centre) as address:
        pair(laptop, centre, address)
        choose(centre, laptop.node.id)
        meet(laptop, address)
        before = is_here(laptop, hers)
        sign_in(laptop, officer)

        meet(laptop, address)

    assert not before
    assert is_here(laptop, hers)
    assert not is_here(laptop, not_hers)


def test_what_the_group_takes_that_learns_here_comes(laptop: Place, centre: Place) -> None:
    officer, course = centre.person("A-1"), centre.course("Visas")
    group = centre.group("Post 4", officer)
    centre.enrol(officer, course)
    with answering(centre) as address:
        pair(laptop, centre, address)
        say(centre, laptop.node.id, Orders(mode=Mode.CHOSEN, groups=frozenset({group})))

        meet(laptop, address)

    assert is_here(laptop, course)


def test_a_laptop_follows_its_hub_and_a_hub_carries_what_its_laptops_are_assigned(
    laptop: Place, hub: Place, centre: Place
) -> None:
    of_the_hub, of_the_laptop, of_nobody = (
        centre.course(one, text=one) for one in ("Passports", "Visas", "Drill")
    )
    with answering(centre) as above, answering(hub) as between:
        pair(hub, centre, above, role="hub")
        pair(laptop, hub, between)
        meet(hub, above)  # tells of the laptop
        choose(centre, hub.node.id, of_the_hub)
        meet(hub, above)
        meet(laptop, between)
        followed = [stands(laptop, one)[1] for one in (of_the_hub, of_the_laptop, of_nobody)]

        choose(centre, laptop.node.id, of_the_laptop)
        meet(hub, above)
        meet(laptop, between)

    assert followed == [True, False, False]
    assert stands(hub, of_the_laptop) == (True, True)
    assert is_here(laptop, of_the_laptop)


def test_what_is_due_is_most_needed_then_what_is_taken_then_what_was_asked_for(
    laptop: Place, centre: Place
) -> None:
    officer = centre.person("A-1")
    days = {"later": date(2027, 5, 1), "due": date(2026, 12, 1), "taken": None}
    courses = {name: centre.course(name, text=name) for name in (*days, "asked", "neither")}
    for name, due in days.items():
        with centre.database.write() as session:
            enrol(session, courses[name], [officer], by=None, now=datetime.now(UTC), new_id=uuid4, due=due)
    with answering(centre) as address:
        pair(laptop, centre, address)
        choose(centre, laptop.node.id)
        meet(laptop, address)
    sign_in(laptop, officer)

    with laptop.database.write() as session:
        ask_for(session, courses["asked"], now=datetime.now(UTC))
        assert laptop.node.wishes is not None
        laptop.node.wishes.look(session)
        ranks = wishes.ranks(session)

    names = {str(one): name for name, one in courses.items()}
    assert [names[one] for one in sorted(ranks, key=ranks.__getitem__)] == ["due", "later", "taken", "asked"]


def test_no_node_but_the_deciding_one_assigns(laptop: Place, centre: Place) -> None:
    with answering(centre) as address:
        pair(laptop, centre, address)

    with pytest.raises(AssignedElsewhereError):
        choose(laptop, laptop.node.id)


def test_a_course_of_less_need_takes_no_room_from_one_that_finds_none(laptop: Place) -> None:
    due = BlobRef(hashlib.sha256(b"due").hexdigest(), 2**50)
    other = BlobRef(hashlib.sha256(b"other").hexdigest(), 10)

    with laptop.database.write() as session:
        wishes.wish(session, "due", [due], rank=1)
        wishes.wish(session, "assigned", [other], rank=9)
        crowded = quarantine.wanted_blobs(session, laptop.node, limit=9)
        wishes.forget(session, ["due"])
        free = quarantine.wanted_blobs(session, laptop.node, limit=9)

    assert crowded == []
    assert [one.digest for one in free] == [other.digest]
